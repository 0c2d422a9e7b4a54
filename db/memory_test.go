package db_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"hookgate/db"
	"hookgate/internal/event"
)

// What is remembered is there for the next process, by connection, until it is
// too old.
func TestMemory(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, p place) {
		s, c := newStore(t, p)
		must := noError(t)
		must(s.Remember("slack", "k", "one", time.Hour))
		must(s.Remember("other", "k", "two", 3*time.Hour))
		must(s.Remember("slack", "k", "three", time.Hour))
		must(s.Close())
		s = mustOpen(t, p, c)
		want := func(connection, key, value string) {
			t.Helper()
			got, found, err := s.Recall(t.Context(), connection, key)
			if err != nil || got != value || found != (value != "") {
				t.Errorf("%s %s: %q, %t, %v, want %q", connection, key, got, found, err, value)
			}
		}
		want("slack", "k", "three")
		want("other", "k", "two")
		want("slack", "other", "")
		c.Add(2 * time.Hour)
		if _, err := s.Prune(context.Background(), db.Retention{}); err != nil {
			t.Fatal(err)
		}
		want("slack", "k", "")
		want("other", "k", "two")
	})
}

// A key is claimed by one at a time, of all processes, until it is released by
// that one or the time is over.
//
// Negative control: without the condition on expires several get it.
func TestClaimKey(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, p place) {
		s, c := newStore(t, p)
		stores := []*db.Store{s, s}
		if p.shared() {
			stores[1] = mustOpen(t, p, c)
		}
		claim := func(n int) event.ID {
			t.Helper()
			number, err := stores[n%2].ClaimKey("slack", "k", time.Minute)
			if err != nil {
				t.Error(err)
			}
			return number
		}
		got := make([]event.ID, 12)
		var wg sync.WaitGroup
		for i := range got {
			wg.Go(func() { got[i] = claim(i) })
		}
		wg.Wait()
		slices.Sort(got)
		first := got[len(got)-1]
		if first == 0 || got[len(got)-2] != 0 {
			t.Fatalf("claims of one key at once: %v, want one", got)
		}
		c.Add(time.Minute)
		second := claim(1)
		stores[0].ReleaseKey("slack", "k", first)
		if second == 0 || claim(0) != 0 {
			t.Errorf("a claim that was over was released late: the next is %v, and ended", second)
		}
		if stores[1].ReleaseKey("slack", "k", second); claim(0) == 0 {
			t.Error("what was released is not free")
		}
	})
}
