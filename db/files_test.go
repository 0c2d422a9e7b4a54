package db_test

import (
	"errors"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hookgate/db"
	"hookgate/internal/event"
)

// mustSubmit stores a form post with files, and with deliveries to some connections.
func mustSubmit(t testing.TB, s *db.Store, c *clock, data string, ids []string, connections ...string) (event.Event, []event.Delivery) {
	t.Helper()
	id := s.NewIDs(1 + len(connections))
	e := event.Event{ID: id, Source: "contact", Form: true, Type: event.FormSubmitted, ReceivedAt: c.Now(), State: event.Routed, JSON: []byte(data)}
	for _, file := range ids {
		e.Files = append(e.Files, event.File{
			ID: file, Event: id, Field: "brief", Name: "plan\x00.pdf", Type: "application/pdf", Size: 1 << 40, SHA256: "ab", Created: c.Now(),
		})
	}
	var ds []event.Delivery
	for i, connection := range connections {
		ds = append(ds, event.Delivery{
			ID: event.DeliveryID(id) + event.DeliveryID(i) + 1, Event: id, Rule: "r", Action: 1, Connection: connection, Output: []byte(`{}`), Claim: 1,
		})
	}
	if _, err := s.Accept(&e, ds); err != nil {
		t.Fatal(err)
	}
	return e, ds
}

func removable(t *testing.T, s *db.Store) []string {
	t.Helper()
	ids, err := s.RemovableFiles(t.Context(), 100)
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(ids)
	return ids
}

func TestFiles(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, p place) {
		s, c := newStore(t, p)
		if has, err := s.HasFiles(t.Context()); has || err != nil {
			t.Errorf("an empty database: %t, %v", has, err)
		}
		e, _ := mustSubmit(t, s, c, `{"a":1}`, []string{"fil_a", "fil_b"})
		got, err := s.File(t.Context(), "fil_a")
		if err != nil {
			t.Fatal(err)
		}
		want := event.File{ID: "fil_a", Event: e.ID, Field: "brief", Name: "plan\u2400.pdf", Type: "application/pdf", Size: 1 << 40, SHA256: "ab", Created: c.Now()}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if _, err := s.File(t.Context(), "fil_c"); !errors.Is(err, event.ErrNotFound) {
			t.Errorf("an unknown file: %v", err)
		}
		known, err := s.KnownFiles(t.Context(), []string{"fil_c", "fil_b"})
		if err != nil || !cmp.Equal(known, map[string]bool{"fil_b": true}) {
			t.Errorf("known %v, %v", known, err)
		}
		if number, err := s.FilesFolder(t.Context()); number != 0 || err != nil {
			t.Errorf("folder %d, %v", number, err)
		}
		for _, number := range []int64{7, 1<<62 + 1} {
			if err := s.SetFilesFolder(number); err != nil {
				t.Fatal(err)
			}
			if got, err := s.FilesFolder(t.Context()); got != number || err != nil {
				t.Errorf("folder %d, %v, want %d", got, err, number)
			}
		}
	})
}

// Files go after their own time, or with their event, but not while something
// of the event is still to be delivered.
func TestPrune_files(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	forEachEngine(t, func(t *testing.T, p place) {
		s, c := newStore(t, p)
		_, sent := mustSubmit(t, s, c, `{}`, []string{"fil_sent"}, "x")
		mustRecord(t, s, c, &sent[0], event.Outcome{State: event.Delivered}, "")
		_, open := mustSubmit(t, s, c, `{}`, []string{"fil_open"}, "x")
		c.Add(10 * day)
		mustSubmit(t, s, c, `{}`, []string{"fil_young"})
		prune := func(r db.Retention) {
			t.Helper()
			if _, err := s.Prune(t.Context(), r); err != nil {
				t.Fatal(err)
			}
		}
		counted := func(most int, want map[string]int) {
			t.Helper()
			if got, err := s.FileCounts(t.Context(), []string{"contact", "quote"}, most); err != nil || !maps.Equal(got, want) {
				t.Errorf("files: %v, %v, want %v", got, err, want)
			}
		}
		counted(10, map[string]int{"contact": 3})
		counted(2, map[string]int{"contact": 2})
		prune(db.Retention{Files: 5 * day, Submissions: 100 * day})
		counted(10, map[string]int{"contact": 2})
		if got := removable(t, s); !slices.Equal(got, []string{"fil_sent"}) {
			t.Errorf("after the files' time: %v", got)
		}
		if _, err := s.File(t.Context(), "fil_sent"); !errors.Is(err, event.ErrNotFound) {
			t.Errorf("a file that is to be removed: %v", err)
		}
		if err := s.EraseFiles([]string{"fil_sent", "fil_young"}); err != nil {
			t.Fatal(err)
		}
		if got := removable(t, s); len(got) != 0 {
			t.Errorf("after the contents were removed: %v", got)
		}
		mustRecord(t, s, c, &open[0], event.Outcome{State: event.Delivered}, "")
		c.Add(10 * day)
		prune(db.Retention{Files: 100 * day, Submissions: 5 * day})
		if got := removable(t, s); !slices.Equal(got, []string{"fil_open", "fil_young"}) {
			t.Errorf("with their events: %v", got)
		}
	})
}
