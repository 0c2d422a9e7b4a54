package db_test

import (
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hookgate/db"
	"hookgate/internal/event"
	"hookgate/test/pgtest"
)

// newGates are the gates of so many replicas on a database whose clock stands
// still.
func newGates(t *testing.T, n int) ([]*db.SharedLimits, *clock) {
	t.Helper()
	p := place{url: pgtest.Shared(t).URL(t)}
	c := newClock()
	var list []*db.SharedLimits
	for range n {
		list = append(list, mustOpen(t, p, c).SharedLimits())
	}
	return list, c
}

func mustStarts(t testing.TB, g *db.SharedLimits, want int) event.Reservation {
	t.Helper()
	got, err := g.Reserve(t.Context(), event.ReservationRequest{
		Connection: "crm", Count: 100, Per: time.Second, Burst: 10, Ahead: 100 * time.Millisecond, Want: want,
	})
	if err != nil {
		t.Error(err)
	}
	return got
}

// Of a rate of 100 a second three replicas that ask at once get, together, what
// one would get: the burst, and what is due in the time that may be looked
// ahead, each start once.
//
// Negative control: without FOR UPDATE in reserveQuery two get the same starts.
func TestSharedLimits_starts(t *testing.T) {
	t.Parallel()
	gates, c := newGates(t, 3)
	round := func() map[time.Duration]int {
		var mu sync.Mutex
		var wg sync.WaitGroup
		times := map[time.Duration]int{}
		for i := range 12 {
			wg.Go(func() {
				for {
					got := mustStarts(t, gates[i%3], 1+i%4)
					if got.Count == 0 {
						if got.In <= 0 || got.In > 10*time.Millisecond {
							t.Errorf("with no start left asked again in %s, want when the next may be reserved", got.In)
						}
						return
					}
					mu.Lock()
					for n := range got.Count {
						times[got.In+time.Duration(n)*10*time.Millisecond]++
					}
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		return times
	}
	want := func(first, last time.Duration) map[time.Duration]int {
		times := map[time.Duration]int{}
		for at := first; at <= last; at += 10 * time.Millisecond {
			times[at] = 1
		}
		return times
	}
	if d := cmp.Diff(want(-90*time.Millisecond, 100*time.Millisecond), round()); d != "" {
		t.Error(d)
	}
	c.Add(50 * time.Millisecond)
	if d := cmp.Diff(want(60*time.Millisecond, 100*time.Millisecond), round()); d != "" {
		t.Errorf("50 ms later: %s", d)
	}
	c.Add(time.Hour) // what nobody took in an hour does not add up
	if d := cmp.Diff(want(-90*time.Millisecond, 100*time.Millisecond), round()); d != "" {
		t.Errorf("an hour later: %s", d)
	}
	if got := mustStarts(t, gates[0], 0); got.Count != 0 {
		t.Errorf("nothing was wanted, and %d reserved", got.Count)
	}
	slow := event.ReservationRequest{Connection: "mail", Count: 3, Per: time.Hour, Burst: 1, Ahead: 100 * time.Millisecond, Want: 2}
	for _, want := range []event.Reservation{{Count: 1}, {In: 20*time.Minute - 100*time.Millisecond}} {
		got, err := gates[1].Reserve(t.Context(), slow)
		if err != nil || got != want {
			t.Errorf("three an hour: got %+v (%v), want %+v", got, err, want)
		}
	}
}

func mustBlocked(t testing.TB, g *db.SharedLimits) []event.BreakerState {
	t.Helper()
	list, err := g.Blocked(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for i := range list {
		list[i].Prober = 0 // its number is another in every run
	}
	return list
}

// An open breaker is known to all, and of all who want to probe one may; when
// the prober is not heard again, another may after a time, and the late answer
// of the first changes nothing.
//
// Negative control: without `probing <= now_us()` in Probe several may at once;
// without `claim = ?2` in Settle the late answer closes the breaker.
func TestSharedLimits_breaker(t *testing.T) {
	t.Parallel()
	gates, c := newGates(t, 3)
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	state := func(want ...event.BreakerState) {
		t.Helper()
		if d := cmp.Diff(want, mustBlocked(t, gates[2])); d != "" {
			t.Error(d)
		}
	}
	probe := func(g *db.SharedLimits) int64 {
		t.Helper()
		claim, _, err := g.Probe(t.Context(), "crm", 5*time.Second)
		ok(err)
		return claim
	}
	at := c.Now()
	ok(gates[0].OpenBreaker(t.Context(), "crm", 10*time.Second))
	c.Add(3 * time.Second)
	ok(gates[1].OpenBreaker(t.Context(), "crm", 10*time.Second)) // a moment late: it does not start anew
	state(event.BreakerState{Connection: "crm", Open: true, Since: at, Retry: 7 * time.Second})
	claim, now, err := gates[1].Probe(t.Context(), "crm", time.Second)
	if ok(err); claim != 0 || now.Retry != 7*time.Second {
		t.Errorf("before its time a probe was claimed as %d, %+v", claim, now)
	}
	c.Add(7 * time.Second)
	var mu sync.Mutex
	var wg sync.WaitGroup
	var claims []int64
	for i := range 12 {
		wg.Go(func() {
			claim, _, err := gates[i%3].Probe(t.Context(), "crm", 5*time.Second)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Error(err)
			}
			if claim != 0 {
				claims = append(claims, claim)
			}
		})
	}
	wg.Wait()
	if len(claims) != 1 {
		t.Fatalf("%d may probe at once, want one", len(claims))
	}
	state(event.BreakerState{Connection: "crm", Open: true, Since: at, Probing: 5 * time.Second})
	c.Add(5 * time.Second)
	second := probe(gates[1])
	if second == 0 {
		t.Fatal("the claim of a prober that is gone does not end")
	}
	ok(gates[0].EndProbe(t.Context(), "crm", claims[0], true, 0))
	state(event.BreakerState{Connection: "crm", Open: true, Since: at, Probing: 5 * time.Second})
	ok(gates[1].EndProbe(t.Context(), "crm", second, false, 10*time.Second))
	state(event.BreakerState{Connection: "crm", Open: true, Since: at, Retry: 10 * time.Second})
	ok(gates[1].EndProbe(t.Context(), "crm", second, false, 0)) // nothing was found out
	third := probe(gates[2])
	ok(gates[2].EndProbe(t.Context(), "crm", third, true, 0))
	state()
	if claim := probe(gates[0]); claim != 0 {
		t.Error("a closed breaker is probed")
	}
}

// A pause is the longest that was asked for. Reset ends everything, CloseExpired what is
// past its time; what is over is not listed, and is deleted in the end.
func TestSharedLimits_pauseResetExpire(t *testing.T) {
	t.Parallel()
	gates, c := newGates(t, 2)
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	ok(gates[0].Pause(t.Context(), "crm", 20*time.Second))
	ok(gates[1].Pause(t.Context(), "crm", 10*time.Second))
	ok(gates[1].OpenBreaker(t.Context(), "mail", 10*time.Second))
	at := c.Now()
	paused, open := event.BreakerState{Connection: "crm", Paused: 20 * time.Second}, event.BreakerState{Connection: "mail", Open: true, Since: at, Retry: 10 * time.Second}
	if d := cmp.Diff([]event.BreakerState{paused, open}, mustBlocked(t, gates[0])); d != "" {
		t.Error(d)
	}
	ok(gates[0].CloseExpired(t.Context()))
	if list := mustBlocked(t, gates[1]); len(list) != 2 {
		t.Errorf("a restart forgets what is not over: %+v", list)
	}
	ok(gates[1].Reset(t.Context(), "crm"))
	if d := cmp.Diff([]event.BreakerState{open}, mustBlocked(t, gates[0])); d != "" {
		t.Error(d)
	}
	c.Add(10 * time.Second)
	if list := mustBlocked(t, gates[0]); len(list) != 1 || !list[0].Open || list[0].Retry != 0 {
		t.Errorf("when it may be probed the breaker is %+v, want open", list)
	}
	ok(gates[0].CloseExpired(t.Context()))
	if list := mustBlocked(t, gates[1]); len(list) != 0 {
		t.Errorf("what is past its time is still %+v after a start", list)
	}
}

// Who asks for starts meanwhile is not told of anything, others are told of
// every change, and the rows of connections that are gone are deleted.
func TestSharedLimits_watch(t *testing.T) {
	t.Parallel()
	p := place{url: pgtest.Shared(t).URL(t)}
	c := newClock()
	a, b := mustOpen(t, p, c), mustOpen(t, p, c)
	told := make(chan []event.BreakerState, 1000)
	go a.Watch(t.Context(), db.Watch{Due: func(string) {}, Limits: func() {
		if list, err := a.SharedLimits().Blocked(t.Context()); err == nil {
			told <- list
		}
	}})
	if list := <-told; len(list) != 0 {
		t.Errorf("at first told %+v", list)
	}
	if err := b.SharedLimits().OpenBreaker(t.Context(), "crm", time.Second); err != nil {
		t.Fatal(err)
	}
	for list := range told { // the cluster is shared: other tests are heard as well
		if len(list) == 1 && list[0].Connection == "crm" {
			break
		}
	}
	rows := func() (n int) {
		t.Helper()
		if err := a.Read(t.Context(), `SELECT count(*) FROM gates`, &n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	for _, want := range []int{1, 0} {
		if _, err := b.Prune(t.Context(), db.Retention{}); err != nil {
			t.Fatal(err)
		}
		if n := rows(); n != want {
			t.Errorf("%d rows are kept, want %d", n, want)
		}
		c.Add(25 * time.Hour)
	}
}
