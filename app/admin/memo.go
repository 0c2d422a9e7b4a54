package admin

import (
	"context"
	"sync"
	"time"
)

const (
	// memoShare bounds the time that finding out takes: what was found is kept for so
	// many times as long as it took.
	memoShare = 20
	// memoQuick is how long it may take that somebody waits for it each time.
	memoQuick = 50 * time.Millisecond
	// memoOld is the age from which on somebody waits for it all the same.
	memoOld = 10 * time.Minute
	// memoTime is how long it may take where nobody waits for it.
	memoTime = time.Minute
)

// memo keeps what was found out last: V of the K that it was asked for. The zero value
// is ready for use.
type memo[K comparable, V any] struct {
	mu      sync.Mutex
	last    *memoized[K, V]
	renewed bool // somebody finds it out anew
}

type memoized[K comparable, V any] struct {
	of    K
	value V
	at    time.Time
	took  time.Duration
}

// get is what find says of the key, or has said lately. Where finding out takes its
// time, what it said before is good for a while, and it is asked again behind the
// caller's back.
func (m *memo[K, V]) get(ctx context.Context, now func() time.Time, of K, find func(context.Context) (V, error)) (V, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if last := m.last; last != nil && last.of == of {
		age := now().Sub(last.at)
		if age >= 0 && age < memoShare*last.took {
			return last.value, nil
		}
		if age >= 0 && age < memoOld && last.took > memoQuick {
			if !m.renewed {
				m.renewed = true
				go m.renew(context.WithoutCancel(ctx), now, last, find)
			}
			return last.value, nil
		}
	}
	found, err := findAt(ctx, now, of, find)
	if err == nil {
		m.last = &found
	}
	return found.value, err
}

func findAt[K comparable, V any](ctx context.Context, now func() time.Time, of K, find func(context.Context) (V, error)) (memoized[K, V], error) {
	began, at := time.Now(), now()
	value, err := find(ctx)
	return memoized[K, V]{of: of, value: value, at: at, took: time.Since(began)}, err
}

// renew puts what find says now in the place of last, unless that was dropped
// meanwhile.
func (m *memo[K, V]) renew(ctx context.Context, now func() time.Time, last *memoized[K, V], find func(context.Context) (V, error)) {
	ctx, cancel := context.WithTimeout(ctx, memoTime)
	defer cancel()
	found, err := findAt(ctx, now, last.of, find)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.renewed = false
	if err == nil && m.last == last {
		m.last = &found
	}
}

// forget drops what was found, which may tell of events that are gone.
func (m *memo[K, V]) forget() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.last = nil
}

// forgetFound drops what is kept of what was found in events.
func (s *Service) forgetFound() {
	s.surveys.forget()
	s.samples.forget()
	s.checked.forget()
}
