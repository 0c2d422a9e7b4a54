package db_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hookgate/internal/event"
)

// Nothing of a deleted event is in the files of SQLite, whatever happened to it
// before: deliveries that were rewritten, pages that were split and freed. It
// fails where the writer's secure_delete is off, and where the checkpoint does
// not truncate.
func TestErase(t *testing.T) {
	t.Parallel()
	p := place{path: filepath.Join(t.TempDir(), "test.db")}
	s, c := newStore(t, p)
	const secret = "ada-the-first@example.com"
	var ids []event.ID
	for i := range 300 {
		data := fmt.Sprintf(`{"n":%d,"email":"ben@example.com","text":"%s"}`, i, strings.Repeat("é", i%90*40))
		if i%3 == 0 {
			data = strings.ReplaceAll(data, "ben@example.com", secret)
		}
		id := s.NewIDs(2)
		e := event.Event{ID: id, Source: "contact", Form: true, ReceivedAt: c.Now(), State: event.Routed, JSON: []byte(data)}
		d := event.Delivery{ID: event.DeliveryID(id) + 1, Event: id, Rule: "r", Action: 1, Connection: "x", Output: []byte(data), Claim: 1}
		if i%2 == 0 {
			d.Key = secret
		}
		if _, err := s.Accept(&e, []event.Delivery{d}); err != nil {
			t.Fatal(err)
		}
		mustRecord(t, s, c, &d, event.Outcome{State: event.Retrying, Due: c.Now()}, "550 "+e.ID.String())
		if i%3 == 0 {
			ids = append(ids, id)
		} else if d.Key != "" {
			if _, _, err := s.Erase(t.Context(), []event.ID{id}); err != nil { // its key is the secret, too
				t.Fatal(err)
			}
		}
	}
	in := func() int {
		t.Helper()
		n := 0
		for _, suffix := range []string{"", "-wal"} {
			raw, err := os.ReadFile(p.path + suffix)
			if err != nil && !errors.Is(err, os.ErrNotExist) {
				t.Fatal(err)
			}
			n += bytes.Count(raw, []byte(secret))
		}
		return n
	}
	if in() == 0 {
		t.Fatal("the test looks for what is not there")
	}
	if gone, _ := mustForget(t, s, ids...); gone.Events != 100 {
		t.Fatalf("deleted %+v", gone)
	}
	if done, err := s.PurgeDeleted(t.Context()); !done || err != nil {
		t.Fatalf("erase: %t, %v", done, err)
	}
	if n := in(); n != 0 {
		t.Errorf("it still stands %d times in the files", n)
	}
	if n := count(t, s, "events"); n != 100 {
		t.Errorf("%d events are left, want 100", n)
	}
	mustAccept(t, s, c, "", "x")
}
