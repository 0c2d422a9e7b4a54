package event_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"hookgate/internal/event"
)

func TestID_text(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		id := event.ID(rapid.Int64Range(0, 1<<62).Draw(t, "id"))
		back, err := event.ParseID(id.String())
		if err != nil || back != id {
			t.Fatalf("%s: got %d, %v, want %d", id, back, err, id)
		}
		upper, err := event.ParseID(strings.ToUpper(strings.TrimPrefix(id.String(), "evt_")))
		if err != nil || upper != id {
			t.Fatalf("upper case, no prefix: got %d, %v", upper, err)
		}
	})
	for _, bad := range []string{"", "evt_", "evt_il", "dlv_01", "evt_0123456789abcde", "evt_zzzzzzzzzzzzz"} {
		if id, err := event.ParseID(bad); !errors.Is(err, event.ErrBadID) || id < 0 {
			t.Errorf("%q: got %v, %v, want ErrBadID", bad, id, err)
		}
	}
}

func TestIDSource_increases(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 10, 10, 0, 0, 0, time.UTC)
	s := event.NewIDSource(7, 0, func() time.Time { return now })
	var last event.ID
	take := func(n int) {
		t.Helper()
		first := s.Take(n)
		if first <= last {
			t.Fatalf("%s is not greater than %s", first, last)
		}
		if node := int64(first) >> 11 & 1023; node != 7 {
			t.Fatalf("%s is of node %d, want 7", first, node)
		}
		last = first + event.ID(n) - 1
		if node := int64(last) >> 11 & 1023; node != 7 {
			t.Fatalf("the end of a run, %s, is of node %d, want 7", last, node)
		}
	}
	for range 10_000 { // far more than a millisecond has numbers for
		take(3)
	}
	now = now.Add(-10 * 365 * 24 * time.Hour)
	take(1)
	now = now.Add(20 * 365 * 24 * time.Hour)
	take(1)
	if got := last.Time(); got.Sub(now).Abs() > time.Millisecond {
		t.Errorf("%s is of %s, want %s", last, got, now)
	}
	if first := event.FirstIDAt(now); first > last || !first.Time().Equal(now) {
		t.Errorf("FirstIDAt(%s): got %s of %s", now, first, first.Time())
	}
	if next := event.NewIDSource(7, last+100, func() time.Time { return now }).Take(1); next <= last+100 {
		t.Errorf("a new source starts at %s, want more than what was used", next)
	}
}

func TestIDSource_concurrent(t *testing.T) {
	t.Parallel()
	s := event.NewIDSource(1, 0, time.Now)
	var mu sync.Mutex
	seen := map[event.ID]bool{}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 1000 {
				id := s.Take(2)
				mu.Lock()
				if seen[id] || seen[id+1] {
					t.Errorf("%s was given twice", id)
				}
				seen[id], seen[id+1] = true, true
				mu.Unlock()
			}
		})
	}
	wg.Wait()
}

// Promise: P22, T14.
func TestSecret_neverPrints(t *testing.T) {
	t.Parallel()
	const canary = "c4n4ry-5ecret"
	s := event.NewSecret(canary)
	type holder struct {
		Secret event.Secret
		inner  *event.Secret
	}
	h := holder{Secret: s, inner: &s}
	encoded, err := json.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		fmt.Sprint(s), fmt.Sprintf("%v %+v %#v %s %q %x %d", s, s, s, s, s, s, s), fmt.Sprintf("%+v %#v", h, h), fmt.Sprintf("%v", &s),
		string(encoded), s.LogValue().String(), fmt.Sprint([]event.Secret{s}), fmt.Sprint(map[string]event.Secret{"a": s}),
	} {
		if strings.Contains(text, canary) || strings.Contains(text, fmt.Sprintf("%x", canary)) {
			t.Errorf("printed: %s", text)
		}
	}
	if s.Reveal() != canary || s.IsZero() {
		t.Error("Reveal does not give the secret back")
	}
}
