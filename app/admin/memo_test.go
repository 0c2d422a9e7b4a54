package admin

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// What was quickly found is asked for again once it is old for the time that it took;
// what took its time is found behind the caller's back, once, and what was dropped does
// not come back. What failed is not kept.
func TestMemo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var m memo[string, int]
		var takes time.Duration
		var fails error
		found := 0
		find := func(context.Context) (int, error) {
			time.Sleep(takes)
			found++
			return found, fails
		}
		get := func(of string, want int) {
			t.Helper()
			if got, err := m.get(t.Context(), time.Now, of, find); got != want || !errors.Is(err, fails) {
				t.Fatalf("%d, %v, want %d", got, err, want)
			}
		}
		later := func(d time.Duration) { time.Sleep(d); synctest.Wait() }

		takes, fails = time.Millisecond, errors.New("no")
		get("a", 1)
		fails = nil
		get("a", 2)
		get("a", 2)
		get("b", 3) // another key
		later(memoShare * takes)
		get("b", 4)

		takes = memoQuick + time.Millisecond
		get("slow", 5)
		later(memoShare * takes)
		get("slow", 5) // and it is found anew
		get("slow", 5)
		later(takes)
		get("slow", 6)
		later(memoShare * takes)
		get("slow", 6)
		m.forget()
		later(takes) // what was dropped meanwhile does not come back
		get("slow", 8)
		later(memoOld)
		get("slow", 9) // too old to be told
	})
}
