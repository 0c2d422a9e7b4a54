package db_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hookgate/db"
	"hookgate/internal/event"
)

func TestAccept_keepsAll(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, p place) {
		s, c := newStore(t, p)
		plan, err := s.SavePlan(event.RuleSet{Hash: "abc", Rules: []string{"one", "two", "three"}})
		if err != nil {
			t.Fatal(err)
		}
		id := s.NewIDs(2)
		body := bytes.Repeat([]byte(`{"a":1} `), 200)
		want := event.Event{
			ID: id, Source: "contact", Form: true, Type: event.FormSubmitted, ReceivedAt: c.Now(), State: event.Routed,
			Body: body, JSON: []byte(`{"a":"1"}`), Plan: plan, Results: []byte("m-e"),
			Errors:  []event.Verdict{{Rule: "three", Result: event.RuleFailed, Message: "data.x is null"}},
			Request: event.Request{Method: "POST", ContentType: "text/plain", RemoteIP: "192.0.2.1", Headers: map[string]string{"a": "b", "c": ""}, Query: map[string]any{"q": "1"}},
		}
		delivery := event.Delivery{ID: event.DeliveryID(id) + 1, Event: id, Rule: "one", Action: 2, Connection: "slack", Output: json.RawMessage(`{"text":"hi"}`), Warnings: []string{"data.y is missing"}}
		if _, err := s.Accept(&want, []event.Delivery{delivery}); err != nil {
			t.Fatal(err)
		}
		got, err := s.Event(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got.Body, want.Body) || string(got.JSON) != string(want.JSON) || got.Source != want.Source || !got.Form ||
			!got.ReceivedAt.Equal(want.ReceivedAt) || got.State != want.State || got.Request.Headers["a"] != "b" || got.Request.Query["q"] != "1" {
			t.Errorf("got %+v", got)
		}
		if len(got.Verdicts) != 3 || got.Verdicts[2] != want.Errors[0] || got.Verdicts[0].Rule != "one" || got.Verdicts[1].Result != event.Skipped {
			t.Errorf("verdicts: got %+v", got.Verdicts)
		}
		ds := mustDeliveries(t, s, event.DeliveryFilter{Event: id})
		if len(ds) != 1 || ds[0].Name() != "one/slack#2" || ds[0].Warnings[0] != "data.y is missing" || string(ds[0].Output) != `{"text":"hi"}` || ds[0].State != event.Waiting {
			t.Errorf("deliveries: got %+v", ds)
		}
		if _, err := s.Event(t.Context(), id+1); !errors.Is(err, event.ErrNotFound) {
			t.Errorf("unknown id: got %v", err)
		}
	})
}

// Promise: P6.
func TestAccept_duplicate(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, p place) {
		s, c := newStore(t, p)
		accept := func(source string) (event.ID, event.ID) {
			e := event.Event{ID: s.NewIDs(2), Source: source, ReceivedAt: c.Now(), State: event.Routed, Dedupe: &event.Dedupe{Key: "k", Window: time.Hour}}
			ds := []event.Delivery{{ID: event.DeliveryID(e.ID) + 1, Event: e.ID, Connection: "x", Rule: "r", Action: 1, Output: json.RawMessage(`{}`)}}
			first, err := s.Accept(&e, ds)
			if err != nil {
				t.Fatal(err)
			}
			return e.ID, first
		}
		one, first := accept("a")
		if first != 0 {
			t.Fatalf("the first is a duplicate of %s", first)
		}
		// Two at once: exactly one of ten is new, the others repeat it.
		var wg sync.WaitGroup
		var mu sync.Mutex
		fresh := 0
		for range 10 {
			wg.Go(func() {
				_, first := accept("b")
				mu.Lock()
				defer mu.Unlock()
				if first == 0 {
					fresh++
				}
			})
		}
		wg.Wait()
		if fresh != 1 {
			t.Errorf("of ten at once %d were taken as new, want 1", fresh)
		}
		two, first := accept("a")
		if first != one {
			t.Errorf("repeat: got %s, want %s", first, one)
		}
		got, err := s.Event(t.Context(), two)
		if err != nil || got.State != event.Duplicate || got.DuplicateOf != one {
			t.Errorf("repeat is stored as %+v, %v", got.State, err)
		}
		if ds := mustDeliveries(t, s, event.DeliveryFilter{Event: two}); len(ds) != 0 {
			t.Errorf("repeat made deliveries: %+v", ds)
		}
		c.Add(time.Hour + time.Second)
		if _, first := accept("a"); first != 0 {
			t.Errorf("after the window it is still a duplicate of %s", first)
		}
	})
}

// A result under an older claim changes nothing, whatever it says: neither the
// delivery nor its attempts. It fails without the claim in the condition of any
// of the three statements, and so it does on PostgreSQL without the owner.
//
// Promise: P7.
func TestRecord_stale(t *testing.T) {
	t.Parallel()
	outcomes := map[string]event.Outcome{
		"delivered": {State: event.Delivered}, "failed": {State: event.Failed}, "retrying": {State: event.Retrying},
	}
	for name, outcome := range outcomes {
		t.Run(name, func(t *testing.T) {
			forEachEngine(t, func(t *testing.T, p place) {
				s, c := newStore(t, p)
				_, ds := mustAccept(t, s, c, "", "x")
				stale := ds[0]
				mustRecord(t, s, c, &ds[0], event.Outcome{State: event.Retrying, Due: c.Now()}, "503")
				held := mustClaim(t, s, "x", c.Now(), 10)
				if len(held) != 1 {
					t.Fatalf("claimed %d, want 1", len(held))
				}
				want := mustDeliveries(t, s, event.DeliveryFilter{})
				// The attempt has a number that is free: only the fence keeps it out.
				stale.Attempts = held[0].Attempts
				outcome := outcome // the engines have one each
				outcome.Due = c.Now().Add(time.Hour)
				message := "from before"
				if outcome.State == event.Delivered {
					message = ""
				}
				mustRecord(t, s, c, &stale, outcome, message)
				// One of another process, under the same claim.
				foreign := held[0]
				if foreign.Owner++; p.shared() {
					mustRecord(t, s, c, &foreign, outcome, message)
				}
				if diff := cmp.Diff(want, mustDeliveries(t, s, event.DeliveryFilter{})); diff != "" {
					t.Errorf("a stale result changed the delivery (-want +got):\n%s", diff)
				}
				attempts, err := s.Attempts(t.Context(), held[0].ID)
				if err != nil || len(attempts) != 1 {
					t.Errorf("%d attempts are recorded, %v, want the one before", len(attempts), err)
				}
				mustRecord(t, s, c, &held[0], event.Outcome{State: event.Delivered}, "")
				if got := mustDeliveries(t, s, event.DeliveryFilter{})[0].State; got != event.Delivered {
					t.Errorf("the result of the holder: %s", got)
				}
			})
		})
	}
}

// What strangers post is in the database: nobody but its owner may read it,
// whatever the umask says.
//
// Promise: T18.
func TestOpen_readableByOwnerOnly(t *testing.T) {
	old := syscall.Umask(0)
	defer syscall.Umask(old)
	path := filepath.Join(t.TempDir(), "test.db")
	s, c := newStore(t, place{path: path})
	mustAccept(t, s, c, "", "x")
	files, err := filepath.Glob(path + "*")
	if err != nil || len(files) < 3 {
		t.Fatalf("files %q, %v, want the database, its log and its lock", files, err)
	}
	for _, file := range files {
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		if mode := info.Mode().Perm(); mode&0o077 != 0 {
			t.Errorf("%s has mode %o, want 600", filepath.Base(file), mode)
		}
	}
}

// A new database does not read what another left in its place: a file that was being
// made, and the log of one that was removed. Break: leave the log there; it then is the
// first database's event that is found.
func TestOpen_besideLeftovers(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "test.db")
	s, c := newStore(t, place{path: path})
	mustAccept(t, s, c, "", "x")
	for _, name := range []string{"-wal", "-shm"} {
		content, err := os.ReadFile(path + name)
		if err != nil || len(content) == 0 {
			t.Fatalf("%s: %d bytes, %v", name, len(content), err)
		}
		if err := os.WriteFile(filepath.Join(filepath.Dir(path), "other.db"+name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	other := filepath.Join(filepath.Dir(path), "other.db")
	if err := os.WriteFile(other+".new", []byte("half a database"), 0o600); err != nil {
		t.Fatal(err)
	}
	s, c = newStore(t, place{path: other})
	if list := mustDeliveries(t, s, event.DeliveryFilter{}); len(list) != 0 {
		t.Errorf("a new database holds %d deliveries", len(list))
	}
	mustAccept(t, s, c, "", "x")
	if _, err := os.Stat(other + ".new"); err == nil {
		t.Error("the file that was being made is still there")
	}
}

// A new database goes where a link leads to, although nothing is there yet, and into an
// empty file that stands ready, which keeps its mode.
func TestOpen_inPlace(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	link, target, ready := filepath.Join(folder, "link.db"), filepath.Join(folder, "target.db"), filepath.Join(folder, "ready.db")
	if err := os.Symlink("target.db", link); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(ready, nil, 0o640); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{link, ready} {
		s, c := newStore(t, place{path: path})
		mustAccept(t, s, c, "", "x")
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is gone: %v", err)
	}
	if info, err := os.Stat(target); err != nil || info.Size() == 0 {
		t.Errorf("nothing is where it leads to: %v", err)
	}
	if info, err := os.Stat(ready); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("the file that stood ready: %v, %v", info.Mode(), err)
	}
}

func TestRecord(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, p place) {
		s, c := newStore(t, p)
		_, ds := mustAccept(t, s, c, "", "x")
		d := &ds[0]
		if got := mustClaim(t, s, "x", c.Now().Add(time.Minute), 10); len(got) != 0 {
			t.Fatalf("a delivery under way was claimed again: %+v", got)
		}
		due := c.Now().Add(5 * time.Second)
		mustRecord(t, s, c, d, event.Outcome{State: event.Retrying, Due: due}, "503 Service Unavailable")
		got := mustDeliveries(t, s, event.DeliveryFilter{})[0]
		if got.State != event.Retrying || got.Attempts != 1 || !got.Due.Equal(due) || got.Error != "503 Service Unavailable" {
			t.Errorf("after a failure: got %+v", got)
		}
		if next, err := s.NextDue(t.Context(), "x"); err != nil || !next.Equal(due) {
			t.Errorf("NextDue: got %v, %v", next, err)
		}
		if early := mustClaim(t, s, "x", due.Add(-time.Microsecond), 10); len(early) != 0 {
			t.Errorf("claimed before it was due")
		}
		again := mustClaim(t, s, "x", due, 10)
		if len(again) != 1 || again[0].Attempts != 1 || string(again[0].Output) != `{"text":"hi"}` {
			t.Fatalf("claim: got %+v", again)
		}
		// The first claim is stale now: its result must change nothing.
		mustRecord(t, s, c, d, event.Outcome{State: event.Failed}, "stale")
		if got := mustDeliveries(t, s, event.DeliveryFilter{})[0]; got.State != event.Sending || got.Attempts != 1 {
			t.Errorf("a stale result changed the delivery: %+v", got)
		}
		mustRecord(t, s, c, &again[0], event.Outcome{State: event.Delivered}, "")
		attempts, err := s.Attempts(t.Context(), d.ID)
		if err != nil || len(attempts) != 2 || attempts[0].Error != "503 Service Unavailable" || attempts[1].Status != 200 ||
			attempts[1].Number != 2 || attempts[0].Outputs != nil || attempts[1].Outputs["id"].String() != "sub_7\"é" || string(attempts[1].Answer) != "ok" || attempts[1].Duration != 84*time.Millisecond {
			t.Errorf("attempts: got %+v, %v", attempts, err)
		}
		for _, a := range attempts {
			if a.Request != "POST https://receiver.example/hook" || !slices.Equal(a.Headers, []event.Header{{Name: "server", Value: "a: b"}, {Name: "via", Value: "1.1 é"}}) {
				t.Errorf("attempt %d asked %q and was answered %v", a.Number, a.Request, a.Headers)
			}
		}
	})
}

func TestOpen_takesOverWhatADeadProcessClaimed(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, p place) {
		c := newClock()
		s := mustOpen(t, p, c)
		_, first := mustAccept(t, s, c, "", "x", "y")
		_, second := mustAccept(t, s, c, "", "x")
		if !p.shared() {
			if _, err := p.open(t.Context(), db.Options{Logger: slog.New(slog.DiscardHandler), Now: c.Now}); !errors.Is(err, db.ErrInUse) {
				t.Errorf("second process: got %v, want ErrInUse", err)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = mustOpen(t, p, c)
		got := mustClaim(t, s, "x", c.Now(), 10)
		if len(got) != 2 || got[0].ID != first[0].ID || got[1].ID != second[0].ID || got[0].Claim != 2 {
			t.Errorf("claimed after restart: %+v", got)
		}
		if next := s.NewIDs(1); next <= event.ID(second[0].ID) {
			t.Errorf("ids start again: %s after %s", next, second[0].ID)
		}
	})
}

func TestBadEventFailsAlone(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, p place) {
		s, c := newStore(t, p)
		e, _ := mustAccept(t, s, c, "", "x")
		var wg sync.WaitGroup
		for i := range 50 {
			wg.Go(func() {
				if i == 25 { // its number is taken: a constraint error in the middle of a batch
					if _, err := s.Accept(&event.Event{ID: e.ID, Source: "bad", ReceivedAt: c.Now(), State: event.NoMatch}, nil); err == nil || errors.Is(err, event.ErrUnavailable) {
						t.Errorf("bad event: got %v", err)
					}
					return
				}
				if _, err := s.Accept(&event.Event{ID: s.NewIDs(1), Source: "good", ReceivedAt: c.Now(), State: event.NoMatch}, nil); err != nil {
					t.Errorf("good event: got %v", err)
				}
			})
		}
		wg.Wait()
		if got, err := s.Events(t.Context(), event.Filter{Source: "good", Limit: 100}); err != nil || len(got) != 49 {
			t.Errorf("stored %d good events, %v, want 49", len(got), err)
		}
	})
}
