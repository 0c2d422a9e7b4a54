// Package memo keeps what takes long to find out, so that those who ask for it often
// neither wait for it nor have it found out all the time.
package memo

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// Share says how long a value is kept: for so many times as long as it took to find. Who
// asks all the time then has a twentieth of a processor find it.
const Share = 20

// limit is how long it may take to find out what nobody waits for.
const limit = 5 * time.Minute

// manyKeys is how many keys there are before those of which nothing is kept are dropped.
const manyKeys = 64

// Options say what a Memo keeps, and for how long.
type Options[V any] struct {
	// Slow reports whether a value that took so long to find is kept.
	Slow func(value V, took time.Duration) bool
	// Least is how long it is kept, however quickly it was found.
	Least time.Duration
	// Old is the age from which on somebody waits for the next one all the same.
	Old time.Duration
}

// Memo keeps what was found out last where that was slow: V by the K that it was asked
// for. After Share times what it took it is found out anew, behind the back of those who
// ask, who get the one before meanwhile. What is not slow is found out each time.
type Memo[K comparable, V any] struct {
	opt  Options[V]
	turn chan struct{} // held by what is found behind the caller's back: one at a time

	mu      sync.Mutex
	by      map[K]*entry[V]
	closed  bool
	cancels map[*entry[V]]context.CancelFunc // end what is found behind the caller's back
	behind  sync.WaitGroup
}

// entry is what is kept of a key. It is locked while somebody waits for what is found.
type entry[V any] struct {
	sync.Mutex
	last     atomic.Pointer[found[V]] // nil: nothing is kept
	renewing bool
}

type found[V any] struct {
	value        V
	begun, until time.Time // until: when it is to be found out anew
}

// New makes a memo.
func New[K comparable, V any](opt Options[V]) *Memo[K, V] {
	return &Memo[K, V]{opt: opt, turn: make(chan struct{}, 1), by: map[K]*entry[V]{}, cancels: map[*entry[V]]context.CancelFunc{}}
}

// Get is what find says of the key, or has said lately. Others who ask for it meanwhile
// wait.
func (m *Memo[K, V]) Get(ctx context.Context, of K, find func(context.Context) (V, error)) (V, error) {
	e := m.entry(of)
	e.Lock()
	defer e.Unlock()
	now := time.Now()
	if last := e.last.Load(); last != nil && now.Sub(last.begun) < m.opt.Old {
		if now.After(last.until) && !e.renewing {
			e.renewing = m.renew(ctx, e, find)
		}
		return last.value, nil
	}
	value, err := find(ctx)
	if err == nil {
		e.last.Store(m.kept(value, now))
	}
	return value, err
}

func (m *Memo[K, V]) entry(of K) *entry[V] {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.by[of] == nil {
		if len(m.by) >= manyKeys {
			for key, e := range m.by {
				if last := e.last.Load(); last == nil || time.Since(last.begun) >= m.opt.Old {
					delete(m.by, key)
				}
			}
		}
		m.by[of] = &entry[V]{}
	}
	return m.by[of]
}

// kept is what is kept of what was found since begun; nil where that was not slow.
func (m *Memo[K, V]) kept(value V, begun time.Time) *found[V] {
	took := time.Since(begun)
	if !m.opt.Slow(value, took) {
		return nil
	}
	return &found[V]{value: value, begun: begun, until: begun.Add(max(m.opt.Least, (Share+1)*took))}
}

// renew has an entry hold what find says now, behind the caller's back; false: the memo
// is closed.
func (m *Memo[K, V]) renew(ctx context.Context, e *entry[V], find func(context.Context) (V, error)) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return false
	}
	ctx, cancel := context.WithTimeout(context.WithValue(context.WithoutCancel(ctx), behindKey{}, true), limit)
	m.cancels[e] = cancel
	m.behind.Go(func() {
		last, err := m.findInTurn(ctx, find)
		m.mu.Lock()
		delete(m.cancels, e)
		m.mu.Unlock()
		cancel()
		e.Lock()
		defer e.Unlock()
		if e.renewing = false; err == nil {
			e.last.Store(last)
		}
	})
	return true
}

func (m *Memo[K, V]) findInTurn(ctx context.Context, find func(context.Context) (V, error)) (*found[V], error) {
	select {
	case m.turn <- struct{}{}:
		defer func() { <-m.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	begun := time.Now()
	value, err := find(ctx)
	if err != nil {
		return nil, err
	}
	return m.kept(value, begun), nil
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

// Forget drops what is kept. What is being found meanwhile is not kept.
func (m *Memo[K, V]) Forget() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.by = map[K]*entry[V]{}
}

// Close has nothing be found out behind anybody's back any more, and waits for what is.
func (m *Memo[K, V]) Close() {
	m.mu.Lock()
	m.closed = true
	for _, cancel := range m.cancels {
		cancel()
	}
	m.mu.Unlock()
	m.behind.Wait()
}
