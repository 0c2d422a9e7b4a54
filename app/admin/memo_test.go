package admin

import (
	"context"
	"errors"
	"testing"
	"time"
)

// finder counts how often it is asked, and says how often that was.
type finder struct {
	takes time.Duration
	err   error
	asked chan int
	n     int
}

func (f *finder) find(context.Context) (int, error) {
	time.Sleep(f.takes)
	f.n++
	f.asked <- f.n
	return f.n, f.err
}

// What was quickly found is asked for again once it is old for the time that it took;
// what took its time is found behind the caller's back, once, and what was dropped
// meanwhile does not come back. What failed is not kept.
func TestMemo(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 10, 10, 0, 0, 0, time.UTC)
	now := func() time.Time { return at }
	var m memo[string, int]
	f := &finder{asked: make(chan int, 10)}
	get := func(of string, want int) {
		t.Helper()
		if got, err := m.get(t.Context(), now, of, f.find); got != want || !errors.Is(err, f.err) {
			t.Fatalf("%d, %v, want %d", got, err, want)
		}
	}
	f.err = errors.New("no")
	get("a", 1)
	f.err = nil
	get("a", 2)
	get("b", 3) // another key
	at = at.Add(time.Minute)
	get("b", 4)

	f.takes = memoQuick + 10*time.Millisecond
	get("slow", 5)
	get("slow", 5)
	at = at.Add(time.Minute)
	get("slow", 5) // and it is found anew
	for n := range f.asked {
		if n == 6 {
			break
		}
	}
	m.mu.Lock() // whoever found it holds it until it is kept
	for m.renewed {
		m.mu.Unlock()
		time.Sleep(time.Millisecond)
		m.mu.Lock()
	}
	m.mu.Unlock()
	get("slow", 6)
	m.forget()
	get("slow", 7)
	at = at.Add(memoOld)
	get("slow", 8) // too old to be told
}
