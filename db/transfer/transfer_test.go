package transfer_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hookgate/db"
	"hookgate/db/transfer"
	"hookgate/internal/event"
	"hookgate/test/pgtest"
)

// The move is interrupted after each few transactions, at every table, and
// started again. Readers then see the same as before; a replica cannot start
// before the end.
//
// Negative controls: rows ignores the key to go on after (a duplicate key ends
// the second run); movedHistory.read finds nothing.
func TestRun_interrupted(t *testing.T) {
	t.Parallel()
	path, url := filepath.Join(t.TempDir(), "test.db"), pgtest.Shared(t).URL(t)
	want := mustHistory(t, path, 2500).cleaned()
	var tables []transfer.Table
	runs, done := 0, map[string]int64{}
	for {
		ctx, cancel := context.WithCancel(t.Context())
		steps := 0
		var err error
		tables, err = move(ctx, path, url, func(p transfer.Progress) {
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
		if s, err := startReplica(t, url, time.Now); !errors.Is(err, db.ErrUnfinished) {
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
	s := mustReplica(t, url)
	if diff := cmp.Diff(want, mustSnapshot(t, s), cmp.AllowUnexported(event.Secret{})); diff != "" {
		t.Errorf("(-file +PostgreSQL)\n%.4000s", diff)
	}
}

// A moved queue goes on: each open delivery is claimed once, those of a key one
// at a time in the order of acceptance, and what is accepted afterwards comes
// after them; the ids go on, and repeats are still known.
//
// Negative control: goOn leaves the sequence of turns at its start.
func TestRun_goesOn(t *testing.T) {
	t.Parallel()
	path, url := filepath.Join(t.TempDir(), "test.db"), pgtest.Shared(t).URL(t)
	s, c := newFile(t, path)
	var plan int64
	for _, hash := range []string{"1", "2", "abc"} {
		var err error
		if plan, err = s.SavePlan(event.RuleSet{Hash: hash, Rules: []string{"r"}}); err != nil {
			t.Fatal(err)
		}
	}
	var want []event.DeliveryID
	for range 5 {
		_, d := mustAccept(t, s, c.Now(), "k")
		want = append(want, d.ID)
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
	r := mustReplica(t, url)
	_, later := mustAccept(t, r, time.Now(), "k")
	want = append(want, later.ID)
	var got []event.DeliveryID
	claimed, _, err := r.Claim("x", time.Now(), 100, 1<<20)
	if err != nil || len(claimed) != 1 {
		t.Fatalf("%d of the key are due at once, %v, want 1", len(claimed), err)
	}
	for next := &claimed[0]; next != nil; {
		got = append(got, next.ID)
		next = mustRecord(t, r, time.Now(), next, event.Outcome{State: event.Delivered}, "")
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
func TestRun_verifies(t *testing.T) {
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
			tables, err := move(t.Context(), path, url, func(p transfer.Progress) {
				if p.Table == "attempts" && p.Done == p.All && !p.Verifying && !spoilt { // all is copied
					spoilt = true
					pgtest.Exec(t, url, spoil.query)
				}
			})
			if !errors.Is(err, transfer.ErrDiffers) {
				t.Fatalf("%v, want ErrDiffers", err)
			}
			for _, table := range tables {
				if table.Same != (table.Name != spoil.table) {
					t.Errorf("%+v", table)
				}
			}
			if _, err := startReplica(t, url, time.Now); !errors.Is(err, db.ErrUnfinished) {
				t.Errorf("a replica starts: %v", err)
			}
		})
	}
}

// A replica that gets the history's node, and whose clock is behind, makes none
// of the history's IDs again.
//
// Negative control: register does not ask lastOf.
func TestRun_node(t *testing.T) {
	t.Parallel()
	path, url := filepath.Join(t.TempDir(), "test.db"), pgtest.Shared(t).URL(t)
	s, c := newFile(t, path)
	mustAccept(t, s, c.Now(), "")
	last, _ := mustAccept(t, s, c.Now(), "")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	file, err := sql.Open("sqlite3", path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var node int64
	if err := file.QueryRowContext(t.Context(), `SELECT value FROM meta WHERE key = 'node'`).Scan(&node); err != nil {
		t.Fatal(err)
	}
	if _, err := move(t.Context(), path, url, nil); err != nil {
		t.Fatal(err)
	}
	pgtest.Exec(t, url, fmt.Sprintf(`SELECT setval(pg_get_serial_sequence('replicas', 'id'), %d)`, event.Nodes+node-1)) // its number is its node
	c.Add(-int64(time.Hour))
	r, err := startReplica(t, url, c.Now)
	if err != nil {
		t.Fatal(err)
	}
	list, _, err := r.Replicas(t.Context())
	if err != nil || len(list) != 1 || list[0].ID%event.Nodes != node {
		t.Fatalf("the replicas are %+v, %v, want one with node %d", list, err, node)
	}
	if id := r.NewIDs(1); id <= last.ID+1 {
		t.Errorf("the next ID is %d, the history goes to %d", id, last.ID+1)
	}
}
