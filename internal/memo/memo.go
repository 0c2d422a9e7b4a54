// Package memo keeps what takes long to find out, so that those who ask for it often
// neither wait for it nor have it found out all the time.
package memo

import (
	"context"
	"sync"
	"time"
)

// Share says how long a value is kept: for so many times as long as it took to find. Who
// asks all the time then has a twentieth of a processor find it.
const Share = 20

// limit is how long it may take to find out what nobody waits for.
const limit = 5 * time.Minute

// Memo keeps what was found out last where that was slow: V of the K that it was asked
// for. After Share times what it took it is found out anew, behind the back of those who
// ask, who get the one before meanwhile. What is not slow is found out each time.
type Memo[K comparable, V any] struct {
	slow func(V, time.Duration) bool
	old  time.Duration

	mu     sync.Mutex
	last   *found[K, V]       // nil: nothing is kept
	cancel context.CancelFunc // ends what is found behind the caller's back; nil: nothing is
	closed bool
	behind sync.WaitGroup
}

type found[K comparable, V any] struct {
	of           K
	value        V
	begun, until time.Time // until: when it is to be found out anew
}

// New makes a memo that keeps a value where slow, given it and how long it took, says so.
// From the age old on somebody waits for the next all the same.
func New[K comparable, V any](old time.Duration, slow func(V, time.Duration) bool) *Memo[K, V] {
	return &Memo[K, V]{slow: slow, old: old}
}

// Get is what find says of the key, or has said lately. Others who ask meanwhile wait.
func (m *Memo[K, V]) Get(ctx context.Context, of K, find func(context.Context) (V, error)) (V, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	if last := m.last; last != nil && last.of == of && now.Sub(last.begun) < m.old {
		if now.After(last.until) && m.cancel == nil && !m.closed {
			behind, cancel := context.WithTimeout(context.WithValue(context.WithoutCancel(ctx), behindKey{}, true), limit)
			m.cancel = cancel
			m.behind.Go(func() {
				defer cancel()
				m.renew(behind, last, find)
			})
		}
		return last.value, nil
	}
	value, err := find(ctx)
	if err == nil {
		m.last = m.kept(of, value, now)
	}
	return value, err
}

// kept is what is kept of what was found since begun; nil where that was not slow.
func (m *Memo[K, V]) kept(of K, value V, begun time.Time) *found[K, V] {
	took := time.Since(begun)
	if !m.slow(value, took) {
		return nil
	}
	return &found[K, V]{of: of, value: value, begun: begun, until: begun.Add((Share + 1) * took)}
}

// renew puts what find says now in the place of last, unless that was dropped or
// replaced meanwhile.
func (m *Memo[K, V]) renew(ctx context.Context, last *found[K, V], find func(context.Context) (V, error)) {
	begun := time.Now()
	value, err := find(ctx)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.cancel = nil
	if err == nil && m.last == last {
		m.last = m.kept(last.of, value, begun)
	}
}

// behindKey is that of contexts of what is found behind the caller's back.
type behindKey struct{}

// Rest leaves the processor to others after work of that long, four times as long, where
// nobody waits for what is found: find calls it again and again.
func Rest(ctx context.Context, worked time.Duration) {
	if ctx.Value(behindKey{}) == nil {
		return
	}
	select {
	case <-time.After(4 * worked):
	case <-ctx.Done():
	}
}

// Forget drops what is kept.
func (m *Memo[K, V]) Forget() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.last = nil
}

// Close has nothing be found out behind anybody's back any more, and waits for what is.
func (m *Memo[K, V]) Close() {
	m.mu.Lock()
	m.closed = true
	if m.cancel != nil {
		m.cancel()
	}
	m.mu.Unlock()
	m.behind.Wait()
}
