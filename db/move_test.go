package db_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"hookgate/app/event"
	"hookgate/db"
	"hookgate/test/pgtest"
)

// mustHistory fills a SQLite file with what a gateway leaves behind when it
// is killed: every state of events and deliveries, some of them claimed, queues
// of ordering keys, and text that PostgreSQL cannot hold. It returns what
// can be read from it after the next start.
func mustHistory(t testing.TB, path string, events int) snapshot {
	t.Helper()
	s, c := newStore(t, place{path: path})
	plan, err := s.SavePlan(event.Version{Hash: "abc", Rules: []string{"first", "second"}})
	if err != nil {
		t.Fatal(err)
	}
	for i := range events {
		c.Add(time.Millisecond)
		mustLive(t, s, c, plan, i)
	}
	if _, _, err := s.Cancel(t.Context(), event.DeliveryFilter{Connection: "failing", States: []event.DeliveryState{event.GaveUp}, Limit: 1}); err != nil {
		t.Fatal(err)
	}
	mustReplayAll(t, s, c, plan)
	mustSwitch(t, s, event.Switch{Connection: "good", Paused: true, By: "team", Note: "until Monday"})
	if err := s.Audit(event.Audit{ID: 5, Action: event.ForgetAction, Detail: []byte(`{"events":2}`)}); err != nil {
		t.Fatal(err)
	}
	if err := s.AddHealth(event.Tallies{
		Counts: []event.AttemptCount{{Connection: "good", Slot: event.HealthSlotAt(c.Now()), Class: 7, Attempts: 3, Failed: 1}},
		Last:   []event.LastAttempt{{Connection: "good", Ended: c.Now(), Failed: true, FailedAt: c.Now(), Delivery: 4711, Number: 2}},
	}); err != nil {
		t.Fatal(err)
	}
	if err := s.Remember("good", "message k", "there", time.Hour); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	again := mustOpen(t, place{path: path}, c) // it gives free what was claimed, as each start does
	defer again.Close()
	return mustSnapshot(t, again)
}

// mustLive is the life of the i-th event.
func mustLive(t testing.TB, s *db.Store, c *clock, plan int64, i int) {
	t.Helper()
	state := []event.State{event.Routed, event.NoMatch, event.RuleError, event.Rejected, event.Spam}[i%5]
	id := s.NewIDs(4)
	e := event.Event{
		ID: id, Source: "shop", Type: "order", ReceivedAt: c.Now(), State: state, Plan: plan, Form: state == event.Spam, Results: []byte("mn"),
		Body: []byte(strings.Repeat("body \x00\xff ", i%80)), Request: event.Request{Method: "POST", Headers: map[string]string{"x": "y"}},
		Dedupe: &event.Dedupe{Key: fmt.Sprint(i / 2 * 2 % 500), Window: time.Hour},
	}
	if e.Form {
		e.Files = []event.File{{ID: fmt.Sprint("fil_", i), Event: id, Field: "f", Name: "a.pdf", Type: "application/pdf", Size: int64(i), SHA256: "ab", Created: c.Now()}}
	}
	if state == event.Rejected {
		e.Cause = "bad\x00text\xff"
	}
	var ds []event.Delivery
	if state == event.Routed || state == event.RuleError {
		for n, connection := range []string{"good", "failing", "keyed"} {
			d := event.Delivery{
				ID: event.DeliveryID(id) + event.DeliveryID(n) + 1, Event: id, Rule: "first", Action: 1, Connection: connection,
				Output: json.RawMessage(fmt.Sprintf(`{"n":%d,"text":%q}`, i, strings.Repeat("x", i%600))), Claim: 1,
			}
			if connection == "keyed" {
				d.Key = fmt.Sprintf("k%d", i%7)
			}
			ds = append(ds, d)
		}
	}
	if _, err := s.Accept(&e, ds); err != nil {
		t.Fatal(err)
	}
	if len(ds) == 0 || i%3 == 0 {
		return // under way when the gateway was killed
	}
	mustRecord(t, s, c, &ds[0], event.Outcome{State: event.Delivered}, "")
	mustRecord(t, s, c, &ds[1], event.Outcome{State: []event.DeliveryState{event.GaveUp, event.Retrying}[i%2], Due: c.Now().Add(time.Minute)}, "503 Service\x00Unavailable")
}

// snapshot is what readers see of a store.
type snapshot struct {
	Events     []event.Event
	Deliveries []event.Delivery
	Attempts   []event.Attempt
	Switches   []event.Switch
}

func mustSnapshot(t testing.TB, s *db.Store) snapshot {
	t.Helper()
	var shot snapshot
	var err error
	if shot.Events, err = s.Events(t.Context(), event.Filter{Limit: 100_000}); err != nil {
		t.Fatal(err)
	}
	shot.Deliveries = mustDeliveries(t, s, event.DeliveryFilter{Limit: 100_000})
	for part := range slices.Chunk(shot.Deliveries, 500) {
		var ids []event.DeliveryID
		for i := range part {
			ids = append(ids, part[i].ID)
		}
		attempts, err := s.Attempts(t.Context(), ids...)
		if err != nil {
			t.Fatal(err)
		}
		shot.Attempts = append(shot.Attempts, attempts...)
	}
	if shot.Switches, err = s.Switches(t.Context()); err != nil {
		t.Fatal(err)
	}
	return shot
}

// cleaned replaces what PostgreSQL's text cannot hold.
func (s snapshot) cleaned() snapshot {
	clean := func(text string) string {
		return strings.ToValidUTF8(strings.ReplaceAll(text, "\x00", "\u2400"), "\uFFFD")
	}
	for i := range s.Events {
		s.Events[i].Cause = clean(s.Events[i].Cause)
	}
	for i := range s.Deliveries {
		s.Deliveries[i].Error = clean(s.Deliveries[i].Error)
	}
	for i := range s.Attempts {
		s.Attempts[i].Error = clean(s.Attempts[i].Error)
	}
	return s
}

func move(ctx context.Context, path, url string, progress func(db.MoveProgress)) ([]db.MovedTable, error) {
	return db.MoveHistory(ctx, path, event.NewSecret(url), db.MoveOptions{
		Options: db.Options{Logger: slog.New(slog.DiscardHandler), Now: time.Now}, Progress: progress, Rows: 97,
	})
}

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
		if plan, err = s.SavePlan(event.Version{Hash: hash, Rules: []string{"r"}}); err != nil {
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
	if same, err := r.SavePlan(event.Version{Hash: "abc", Rules: []string{"r"}}); err != nil || same != plan {
		t.Errorf("the plan's number is %d, %v, was %d", same, err, plan)
	}
	if other, err := r.SavePlan(event.Version{Hash: "def", Rules: nil}); err != nil || other == plan {
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

func TestMoveHistory_refuses(t *testing.T) {
	t.Parallel()
	newFile := func(t *testing.T) string {
		path := filepath.Join(t.TempDir(), "test.db")
		mustHistory(t, path, 20)
		return path
	}
	for name, tc := range map[string]struct {
		prepare func(t *testing.T, url string) (path string)
		want    error
	}{
		"a file in use": {func(t *testing.T, _ string) string {
			path := newFile(t)
			mustOpen(t, place{path: path}, newClock())
			return path
		}, db.ErrInUse},
		"no file": {func(t *testing.T, _ string) string { return filepath.Join(t.TempDir(), "none.db") }, os.ErrNotExist},
		"another file": {func(t *testing.T, _ string) string {
			path := filepath.Join(t.TempDir(), "notes.txt")
			if err := os.WriteFile(path, []byte(strings.Repeat("no database\n", 100)), 0o600); err != nil {
				t.Fatal(err)
			}
			return path
		}, db.ErrNoHistory},
		"an empty file": {func(t *testing.T, _ string) string {
			path := filepath.Join(t.TempDir(), "empty.db")
			if err := os.WriteFile(path, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			return path
		}, db.ErrNoHistory},
		"a running replica": {func(t *testing.T, url string) string {
			mustReplica(t, url, 0)
			return newFile(t)
		}, db.ErrTargetInUse},
		"events of another origin": {func(t *testing.T, url string) string {
			s := mustReplica(t, url, 0)
			mustAccept(t, s, wall(), "", "x")
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			return newFile(t)
		}, db.ErrTargetFilled},
		"another file's history": {func(t *testing.T, url string) string {
			if _, err := move(t.Context(), newFile(t), url, nil); err != nil {
				t.Fatal(err)
			}
			return newFile(t)
		}, db.ErrTargetFilled},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := pgtest.Shared(t).URL(t)
			path := tc.prepare(t, url)
			if _, err := move(t.Context(), path, url, nil); !errors.Is(err, tc.want) {
				t.Errorf("%v, want %v", err, tc.want)
			}
		})
	}
}

// Whatever a table gets is moved: all columns of all tables are, but for those
// of the processes.
func TestMoveHistory_columns(t *testing.T) {
	t.Parallel()
	url := pgtest.Shared(t).URL(t)
	mustReplica(t, url, 0)
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	rows, err := conn.Query(t.Context(), `SELECT table_name || '.' || column_name FROM information_schema.columns
		WHERE table_schema = current_schema() AND table_name NOT IN ('meta', 'replicas', 'gates', 'goose_db_version') ORDER BY 1`)
	if err != nil {
		t.Fatal(err)
	}
	want, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, db.MovedColumns()); diff != "" {
		t.Errorf("(-tables +moved)\n%s", diff)
	}
}

// Two moves at once: the second is refused, whatever file it has.
func TestMoveHistory_alone(t *testing.T) {
	t.Parallel()
	url := pgtest.Shared(t).URL(t)
	path, other := filepath.Join(t.TempDir(), "a.db"), filepath.Join(t.TempDir(), "b.db")
	mustHistory(t, path, 20)
	mustHistory(t, other, 20)
	var second error
	_, err := move(t.Context(), path, url, func(db.MoveProgress) {
		if second == nil {
			_, second = move(t.Context(), other, url, nil)
		}
	})
	if err != nil || !errors.Is(second, db.ErrBeingMoved) {
		t.Errorf("%v, and the second: %v", err, second)
	}
}

// An empty target that was used before, without events, takes a history.
func TestMoveHistory_emptyTarget(t *testing.T) {
	t.Parallel()
	path, url := filepath.Join(t.TempDir(), "test.db"), pgtest.Shared(t).URL(t)
	mustHistory(t, path, 20)
	s := mustReplica(t, url, 0)
	if _, err := s.SavePlan(event.Version{Hash: "of the first start", Rules: []string{"x"}}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := move(t.Context(), path, url, nil); err != nil {
		t.Error(err)
	}
}

// The folder for files stays the database's own, and forms that visitors have
// open stay good, also where the target was started before and made a key.
func TestMoveHistory_facts(t *testing.T) {
	t.Parallel()
	path, url := filepath.Join(t.TempDir(), "test.db"), pgtest.Shared(t).URL(t)
	s, _ := newStore(t, place{path: path})
	key, err := s.FormKey(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.SetFilesFolder(7), s.Close()); err != nil {
		t.Fatal(err)
	}
	before := mustReplica(t, url, 0)
	if _, err := before.FormKey(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := before.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := move(t.Context(), path, url, nil); err != nil {
		t.Fatal(err)
	}
	r := mustReplica(t, url, 0)
	if got, err := r.FormKey(t.Context()); err != nil || !slices.Equal(got, key) {
		t.Errorf("the key is %x, %v, want that of the file, %x", got, err, key)
	}
	if n, err := r.FilesFolder(t.Context()); n != 7 || err != nil {
		t.Errorf("folder %d, %v", n, err)
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

func TestReplicas(t *testing.T) {
	t.Parallel()
	url := pgtest.Shared(t).URL(t)
	a, b := mustReplica(t, url, time.Minute), mustReplica(t, url, time.Minute)
	mustAccept(t, a, wall(), "", "x", "x", "y")
	list, shared, err := b.Replicas(t.Context())
	if err != nil || !shared || len(list) != 2 {
		t.Fatalf("%+v, %v, %v", list, shared, err)
	}
	for i, r := range list {
		if r.Name != t.Name() || !r.Alive || r.Self != (i == 1) || r.Left <= 0 || r.Left > time.Minute || time.Since(r.Heard) > time.Minute || r.Started.After(r.Heard) {
			t.Errorf("%+v", r)
		}
	}
	if diff := cmp.Diff(map[string]int{"x": 2, "y": 1}, list[0].Holds); diff != "" || len(list[1].Holds) > 0 {
		t.Errorf("holds %v and %v", list[0].Holds, list[1].Holds)
	}
	mustExec(t, url, fmt.Sprintf(`UPDATE replicas SET dead = true WHERE id = %d`, list[0].ID))
	list, _, err = b.Replicas(t.Context())
	if err != nil || len(list) > 2 || len(list) == 2 && list[0].Alive { // as long as it holds something
		t.Errorf("%+v, %v", list, err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestReplicas_alone(t *testing.T) {
	t.Parallel()
	s, c := newStore(t, place{path: filepath.Join(t.TempDir(), "test.db")})
	mustAccept(t, s, c, "", "x")
	list, shared, err := s.Replicas(t.Context())
	if err != nil || shared || len(list) != 1 || !list[0].Self || list[0].Holds["x"] != 1 {
		t.Errorf("%+v, %v, %v", list, shared, err)
	}
}
