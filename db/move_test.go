package db_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hookgate/db"
	"hookgate/internal/event"
	"hookgate/test/pgtest"
)

// The move is interrupted after each few transactions, at every table, and
// started again. Readers then see the same as before; a replica cannot start
// before the end.
//
// Negative controls: rows ignores the key to go on after (a duplicate key ends
// the second run); movedHistory.read finds nothing.
func TestMoveHistory_interrupted(t *testing.T) {
	t.Parallel()
	path, url := filepath.Join(t.TempDir(), "test.db"), pgtest.Shared(t).URL(t)
	want := mustHistory(t, path, 2500).cleaned()
	var tables []db.MovedTable
	runs, done := 0, map[string]int64{}
	for {
		ctx, cancel := context.WithCancel(t.Context())
		steps := 0
		var err error
		tables, err = move(ctx, path, url, func(p db.MoveProgress) {
			if p.Done > p.All {
				t.Errorf("%d of %d rows of %s", p.Done, p.All, p.Table)
			}
			if p.Verifying || p.Done <= done[p.Table] { // a table that an earlier run has copied
				return
			}
			done[p.Table] = p.Done
			if steps++; steps == 9 {
				cancel()
			}
		})
		cancel()
		runs++
		if err == nil {
			break
		}
		if !errors.Is(err, context.Canceled) || runs > 50 {
			t.Fatalf("run %d: %v", runs, err)
		}
		if s, err := (place{url: url}).open(t.Context(), db.Options{Logger: slog.New(slog.DiscardHandler), Now: time.Now}); !errors.Is(err, db.ErrUnfinished) {
			t.Fatalf("a replica starts on half a history: %v, %v", s, err)
		}
	}
	if runs < 5 {
		t.Errorf("%d runs: it was hardly interrupted", runs)
	}
	for _, table := range tables {
		if !table.Same || table.Source != table.Target || table.Source == 0 {
			t.Errorf("%+v, want the same rows, and some", table)
		}
	}
	if _, err := move(t.Context(), path, url, nil); !errors.Is(err, db.ErrMoved) {
		t.Errorf("moved again: %v, want ErrMoved", err)
	}
	s := mustReplica(t, url, 0)
	if diff := cmp.Diff(want, mustSnapshot(t, s), cmp.AllowUnexported(event.Secret{})); diff != "" {
		t.Errorf("(-file +PostgreSQL)\n%.4000s", diff)
	}
}

// A moved queue goes on: each open delivery is claimed once, those of a key one
// at a time in the order of acceptance, and what is accepted afterwards comes
// after them; the ids go on, and repeats are still known.
//
// Negative control: finish leaves the sequence of turns at its start.
func TestMoveHistory_goesOn(t *testing.T) {
	t.Parallel()
	path, url := filepath.Join(t.TempDir(), "test.db"), pgtest.Shared(t).URL(t)
	s, c := newStore(t, place{path: path})
	var plan int64
	for _, hash := range []string{"1", "2", "abc"} {
		var err error
		if plan, err = s.SavePlan(event.RuleSet{Hash: hash, Rules: []string{"r"}}); err != nil {
			t.Fatal(err)
		}
	}
	var want []event.DeliveryID
	for range 5 {
		_, ds := mustAccept(t, s, c, "k", "x")
		want = append(want, ds[0].ID)
	}
	first := event.Event{ID: s.NewIDs(1), Source: "shop", ReceivedAt: c.Now(), State: event.NoMatch, Dedupe: &event.Dedupe{Key: "once", Window: 1e6 * time.Hour}}
	if _, err := s.Accept(&first, nil); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := move(t.Context(), path, url, nil); err != nil {
		t.Fatal(err)
	}
	r := mustReplica(t, url, 0)
	_, later := mustAccept(t, r, wall(), "k", "x")
	want = append(want, later[0].ID)
	var got []event.DeliveryID
	claimed := mustClaim(t, r, "x", time.Now(), 100)
	if len(claimed) != 1 {
		t.Fatalf("%d of the key are due at once, want 1", len(claimed))
	}
	for next := &claimed[0]; next != nil; {
		got = append(got, next.ID)
		next = mustRecord(t, r, wall(), next, event.Outcome{State: event.Delivered}, "")
	}
	if !slices.Equal(got, want) {
		t.Errorf("delivered %v, want %v", got, want)
	}
	again := event.Event{ID: r.NewIDs(1), Source: "shop", ReceivedAt: time.Now(), State: event.NoMatch, Dedupe: first.Dedupe}
	if duplicateOf, err := r.Accept(&again, nil); err != nil || duplicateOf != first.ID {
		t.Errorf("a repeat is of %v, %v, want %v", duplicateOf, err, first.ID)
	}
	if same, err := r.SavePlan(event.RuleSet{Hash: "abc", Rules: []string{"r"}}); err != nil || same != plan {
		t.Errorf("the plan's number is %d, %v, was %d", same, err, plan)
	}
	if other, err := r.SavePlan(event.RuleSet{Hash: "def", Rules: nil}); err != nil || other == plan {
		t.Errorf("a new plan's number is %d, %v", other, err)
	}
}

// Verification reads everything: a row that has changed, is missing or is too
// many on either side is found, and then no replica starts.
//
// Negative control: digest.add hashes nothing but the first column.
func TestMoveHistory_verifies(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]struct{ table, query string }{
		"text":     {"deliveries", `UPDATE deliveries SET error = error || '.' WHERE id = (SELECT max(id) FROM deliveries WHERE error IS NOT NULL)`},
		"bytes":    {"events", `UPDATE events SET content = set_byte(content, 0, 7) WHERE id = (SELECT min(id) FROM events)`},
		"null":     {"events", `UPDATE events SET cause = '' WHERE id = (SELECT min(id) FROM events WHERE cause IS NULL)`},
		"number":   {"attempts", `UPDATE attempts SET duration = duration + 1 WHERE delivery = (SELECT min(delivery) FROM attempts)`},
		"swapped":  {"dedupe", `UPDATE dedupe SET event = (SELECT min(event) + max(event) FROM dedupe) - event WHERE event IN ((SELECT min(event) FROM dedupe), (SELECT max(event) FROM dedupe))`},
		"missing":  {"deliveries", `DELETE FROM deliveries WHERE id = (SELECT min(id) FROM deliveries)`},
		"too many": {"plans", `INSERT INTO plans (id, hash, rules, created) OVERRIDING SYSTEM VALUE VALUES (99, 'x', '[]', 1)`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path, url := filepath.Join(t.TempDir(), "test.db"), pgtest.Shared(t).URL(t)
			mustHistory(t, path, 200)
			spoilt := false
			tables, err := move(t.Context(), path, url, func(p db.MoveProgress) {
				if p.Table == "attempts" && p.Done == p.All && !p.Verifying && !spoilt { // all is copied
					spoilt = true
					mustExec(t, url, spoil.query)
				}
			})
			if !errors.Is(err, db.ErrDiffers) {
				t.Fatalf("%v, want ErrDiffers", err)
			}
			for _, table := range tables {
				if table.Same != (table.Name != spoil.table) {
					t.Errorf("%+v", table)
				}
			}
			if _, err := (place{url: url}).open(t.Context(), db.Options{Logger: slog.New(slog.DiscardHandler), Now: time.Now}); !errors.Is(err, db.ErrUnfinished) {
				t.Errorf("a replica starts: %v", err)
			}
		})
	}
}

// A replica that gets the history's node, and whose clock is behind, makes none
// of the history's IDs again.
//
// Negative control: register does not ask lastOf.
func TestMoveHistory_node(t *testing.T) {
	t.Parallel()
	path, url := filepath.Join(t.TempDir(), "test.db"), pgtest.Shared(t).URL(t)
	c := newClock()
	s := mustOpen(t, place{path: path}, c)
	mustAccept(t, s, c, "", "x")
	last, _ := mustAccept(t, s, c, "", "x")
	var node int
	if err := s.Read(t.Context(), `SELECT value FROM meta WHERE key = 'node'`, &node); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := move(t.Context(), path, url, nil); err != nil {
		t.Fatal(err)
	}
	mustExec(t, url, fmt.Sprintf(`SELECT setval(pg_get_serial_sequence('replicas', 'id'), %d)`, event.Nodes+node-1)) // its number is its node
	c.Add(-time.Hour)
	r := mustOpen(t, place{url: url}, c)
	if got := r.Replica() % event.Nodes; got != int64(node) {
		t.Fatalf("the replica has node %d, want %d", got, node)
	}
	if id := r.NewIDs(1); id <= last.ID+1 {
		t.Errorf("the next ID is %d, the history goes to %d", id, last.ID+1)
	}
}
