package memo_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"hookgate/internal/memo"
)

// What is quickly found is found each time; what takes its time is found behind the
// caller's back, once, and what was dropped does not come back. What failed is not kept,
// and what is under way is ended with the memo.
func TestMemo(t *testing.T) {
	t.Parallel()
	const quick, old = 50 * time.Millisecond, 10 * time.Minute
	synctest.Test(t, func(t *testing.T) {
		m := memo.New[string](memo.Options[int]{Slow: func(_ int, took time.Duration) bool { return took > quick }, Old: old})
		takes := quick
		var fails error
		found := 0
		find := func(ctx context.Context) (int, error) {
			select {
			case <-time.After(takes):
			case <-ctx.Done():
				return 0, ctx.Err()
			}
			found++
			return found, fails
		}
		get := func(of string, want int) {
			t.Helper()
			if got, err := m.Get(t.Context(), of, find); got != want || !errors.Is(err, fails) {
				t.Fatalf("%d, %v, want %d", got, err, want)
			}
		}
		later := func(d time.Duration) { time.Sleep(d); synctest.Wait() }

		fails = errors.New("no")
		get("a", 1)
		fails = nil
		get("a", 2)
		get("a", 3)

		takes = quick + time.Millisecond
		get("slow", 4)
		later(memo.Share * takes)
		get("slow", 4)
		later(time.Millisecond)
		get("slow", 4) // and it is found anew
		get("slow", 4)
		later(takes)
		get("slow", 5)
		get("other", 6)
		later(memo.Share*takes + time.Millisecond)
		get("other", 6)
		m.Forget()
		later(takes) // what was dropped meanwhile does not come back
		get("other", 8)
		later(old)
		get("other", 9) // too old to be told

		later(memo.Share*takes + time.Millisecond)
		takes = old
		get("other", 9)
		began := time.Now()
		m.Close()
		get("other", 9)
		if waited := time.Since(began); waited != 0 || found != 9 {
			t.Errorf("after %s, %d", waited, found)
		}
	})
}

// Who finds something behind the backs of others rests; who is waited for does not.
func TestRest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := memo.New[string](memo.Options[int]{Slow: func(int, time.Duration) bool { return true }, Old: time.Hour})
		var rested []time.Duration
		find := func(ctx context.Context) (int, error) {
			time.Sleep(time.Second)
			began := time.Now()
			memo.Rest(ctx, 100*time.Millisecond)
			rested = append(rested, time.Since(began))
			return len(rested), nil
		}
		for range 2 {
			if n, err := m.Get(t.Context(), "a", find); n != 1 || err != nil {
				t.Fatal(n, err)
			}
			time.Sleep((memo.Share + 1) * time.Second)
		}
		m.Close()
		if want := []time.Duration{0, 400 * time.Millisecond}; !slices.Equal(rested, want) {
			t.Errorf("rested %v, want %v", rested, want)
		}
	})
}

// Each key has its own value, and who waits for one waits for no other. A value is kept
// at least as long as is asked for. What is being found when all is dropped is not kept.
func TestMemo_keys(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := memo.New[string](memo.Options[int]{Slow: func(v int, _ time.Duration) bool { return v > 0 }, Least: time.Minute, Old: time.Hour})
		var mu sync.Mutex
		found := map[string]int{}
		get := func(of string, takes time.Duration) int {
			n, err := m.Get(t.Context(), of, func(context.Context) (int, error) {
				time.Sleep(takes)
				mu.Lock()
				defer mu.Unlock()
				found[of]++
				return found[of], nil
			})
			if err != nil {
				t.Error(err)
			}
			return n
		}
		go get("slow", time.Second)
		synctest.Wait()
		began := time.Now()
		if n := get("quick", 0); n != 1 || time.Since(began) != 0 {
			t.Errorf("%d after %s", n, time.Since(began))
		}
		time.Sleep(time.Minute - time.Second)
		if n := get("slow", 0); n != 1 {
			t.Errorf("the other: %d", n)
		}
		if n := get("quick", 0); n != 1 {
			t.Errorf("found anew before its time: %d", n)
		}

		go get("dropped", time.Second)
		synctest.Wait()
		m.Forget()
		time.Sleep(2 * time.Second)
		if n := get("dropped", 0); n != 2 {
			t.Errorf("what was dropped while it was found is told: %d", n)
		}

		m.Close()
		one := memo.New[string](memo.Options[int]{Slow: func(int, time.Duration) bool { return true }, Least: time.Minute, Old: time.Hour, Keys: 1})
		for range 2 { // of the other nothing is kept
			for _, of := range []string{"a", "b"} {
				if _, err := one.Get(t.Context(), of, func(context.Context) (int, error) { mu.Lock(); defer mu.Unlock(); found[of]++; return 1, nil }); err != nil {
					t.Error(err)
				}
			}
		}
		if found["a"] != 2 || found["b"] != 2 {
			t.Errorf("of one key: %v", found)
		}
	})
}

// What somebody has waited for meanwhile is newer than what is found behind the backs of
// others, and stays. Where it takes long to find, it is told for longer.
func TestMemo_newerStays(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const old = 3 * time.Second
		m := memo.New[string](memo.Options[int]{Slow: func(int, time.Duration) bool { return true }, Least: 2 * time.Second, Old: old})
		takes := map[int]time.Duration{2: time.Minute} // the second finding
		found := 0
		get := func(want int) {
			t.Helper()
			n, err := m.Get(t.Context(), "a", func(context.Context) (int, error) {
				found++
				mine := found
				time.Sleep(takes[mine])
				return mine, nil
			})
			if n != want || err != nil {
				t.Errorf("%d, %v, want %d", n, err, want)
			}
		}
		get(1)
		time.Sleep(old - time.Millisecond)
		get(1) // and the second is looked for
		synctest.Wait()
		time.Sleep(2 * time.Second)
		get(3) // which somebody waits for
		time.Sleep(old - time.Millisecond)
		get(3)
		time.Sleep(time.Minute - old)
		takes[4] = time.Second
		get(4)
		time.Sleep(2 * memo.Share * time.Second)
		get(4)
		m.Close()
	})
}
