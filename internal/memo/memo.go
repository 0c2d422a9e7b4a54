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

// Options say what a Memo keeps, and for how long.
type Options[V any] struct {
	// Slow reports whether a value that took so long to find is kept.
	Slow func(value V, took time.Duration) bool
	// Least is how long it is kept, however quickly it was found.
	Least time.Duration
	// Old is the age from which on somebody waits for the next one all the same; where
	// it took long to find, it is told up to twice the time that it is kept.
	Old time.Duration
	// Keys is of how many keys something is kept; 0: of all.
	Keys int
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
	value      V
	until, old time.Time // when it is to be found out anew, and when it is too old to be told
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
	if last := e.last.Load(); last != nil && now.Before(last.old) {
		if now.After(last.until) && !e.renewing {
			e.renewing = m.renew(ctx, e, last, find)
		}
		return last.value, nil
	}
	value, err := find(ctx)
	if err == nil {
		e.last.Store(m.kept(value, now, time.Since(now)))
	}
	return value, err
}

func (m *Memo[K, V]) entry(of K) *entry[V] {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.by[of] == nil {
		full := m.opt.Keys > 0 && len(m.by) >= m.opt.Keys
		for key, e := range m.by {
			if full || e.idle() {
				delete(m.by, key)
			}
		}
		m.by[of] = &entry[V]{}
	}
	return m.by[of]
}

// idle reports whether nothing is kept that can still be told, and nobody waits for it.
func (e *entry[V]) idle() bool {
	if !e.TryLock() {
		return false
	}
	defer e.Unlock()
	last := e.last.Load()
	return last == nil || !time.Now().Before(last.old)
}

// kept is what is kept of what was found since begun, which took so much work; nil where
// that was not slow.
func (m *Memo[K, V]) kept(value V, begun time.Time, took time.Duration) *found[V] {
	if !m.opt.Slow(value, took) {
		return nil
	}
	keep := max(m.opt.Least, (Share+1)*took)
	return &found[V]{value: value, until: begun.Add(keep), old: begun.Add(max(m.opt.Old, 2*keep))}
}

// renew has an entry hold what find says now in the place of last, behind the caller's
// back, unless somebody has waited for it meanwhile. false: the memo is closed.
func (m *Memo[K, V]) renew(ctx context.Context, e *entry[V], last *found[V], find func(context.Context) (V, error)) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return false
	}
	rested := &atomic.Int64{}
	ctx, cancel := context.WithTimeout(context.WithValue(context.WithoutCancel(ctx), behindKey{}, rested), limit)
	m.cancels[e] = cancel
	m.behind.Go(func() {
		next, err := m.findInTurn(ctx, rested, find)
		m.mu.Lock()
		delete(m.cancels, e)
		m.mu.Unlock()
		cancel()
		e.Lock()
		defer e.Unlock()
		if e.renewing = false; err == nil {
			e.last.CompareAndSwap(last, next)
		}
	})
	return true
}

func (m *Memo[K, V]) findInTurn(ctx context.Context, rested *atomic.Int64, find func(context.Context) (V, error)) (*found[V], error) {
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
	return m.kept(value, begun, time.Since(begun)-time.Duration(rested.Load())), nil
}

// behindKey is that of contexts of what is found behind the caller's back: the value
// counts the nanoseconds that find rested.
type behindKey struct{}

// Behind reports whether nobody waits for what is found.
func Behind(ctx context.Context) bool { return ctx.Value(behindKey{}) != nil }

// Rests is how many times as long as it has worked Rest waits.
const Rests = 4

// Rest leaves the processor to others after work of that long, where nobody waits for
// what is found: find calls it again and again.
func Rest(ctx context.Context, worked time.Duration) {
	rested, behind := ctx.Value(behindKey{}).(*atomic.Int64)
	if !behind {
		return
	}
	began := time.Now()
	defer func() { rested.Add(int64(time.Since(began))) }()
	select {
	case <-time.After(Rests * worked):
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
