package db_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"hookgate/db"
	"hookgate/internal/event"
	"hookgate/test/pgtest"
)

// meant are the queries that read a large table from one end to the other, or
// until a page is full, by what stands in them.
var meant = []struct{ part, why string }{
	{"FROM events ORDER BY id DESC LIMIT", "the newest page, which ends with it"},
	{"FROM events WHERE source <> 'hookgate' ORDER BY id DESC LIMIT", "as above, without what hookgate tells of itself"},
	{"FROM events WHERE (id > ", "as above, onwards"},
	{"FROM deliveries ORDER BY id DESC LIMIT", "the newest page of deliveries"},
	{"FROM events WHERE type = ", "a search for a type"},
	{"FROM events WHERE form = 1", "a search in all forms"},
	{"FROM deliveries WHERE deliveries.id >= events.first", "a search for events by their deliveries: until the page is full"},
	{"substr(verdicts", "a search for what a rule matched"},
	{"state = 0 AND errors IS NOT NULL", "a search for rule errors, also beside a match"},
	{"FROM deliveries WHERE rule = ", "a search for a rule's deliveries"},
	{"FROM deliveries WHERE connection = ", "a search for a connection's deliveries"},
	{"FROM deliveries WHERE (state = 1", "a search for what is delivered: until the page is full"},
	{"FROM deliveries WHERE (state = 3", "a search for what was cancelled"},
	{"count(DISTINCT length(connection)", "counts them, for a question about all"},
	{"SELECT connection, count(*) FROM deliveries", "counts them, for a question about all"},
	{"FROM deliveries WHERE NOT (attempts = 0", "a search for what has an output"},
	{"state IN (4, 5)", "one event, by its id"},
	{"SELECT count(*) FROM events", "counts them"},
	{"key, event FROM dedupe WHERE event", "an erasure looks for the keys of events, beside the writer"},
	{"INDEXED BY events_form WHERE id >", "retention reads the index of form posts, beside the writer"},
	{"SELECT EXISTS (SELECT 1 FROM files)", "ends with the first"},
	{"max(id), 0) FROM events", "the last id, from the end of the index"},
}

// large are the tables that grow with the history.
var large = []string{"events", "deliveries", "attempts", "files", "replays", "timers", "dedupe", "memory"}

// TestQueries_costDoesNotGrow drives every method of the store over a history
// and asks each engine how it did what it was told: by EXPLAIN QUERY PLAN, and
// by auto_explain, which logs the plan of each statement as it was run. What
// reads a large table without a bound must be one of meant. A method that is
// not driven is a fault of the test.
func TestQueries_costDoesNotGrow(t *testing.T) {
	t.Parallel()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		path := filepath.Join(t.TempDir(), "test.db")
		s, c := newStore(t, place{path: path})
		queries := map[string]bool{}
		s.WatchReads(func(query string) { queries[query] = true })
		drive(t, s, c, false)
		s.WatchReads(nil)
		for _, query := range s.Statements() {
			queries[query] = true
		}
		conn, err := sql.Open("sqlite3", path)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		for query := range queries {
			refuse(t, query, explainSQLite(t, conn, query))
		}
		t.Logf("%d queries", len(queries))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		// The statistics are those of grow, not of whenever the server finds time.
		server := pgtest.With(t, "autovacuum=off", "session_preload_libraries=auto_explain", "auto_explain.log_min_duration=0", "auto_explain.log_format=json")
		p := place{url: server.URL(t)}
		s, c := newStore(t, p)
		mustAccept(t, s, c, "", "x")
		grow(t, p.url, c.Now())
		before := len(server.Log(t))
		drive(t, s, c, true)
		n := 0
		conn, err := pgx.Connect(t.Context(), p.url)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(context.Background())
		for query, plan := range loggedPlans(t, server.Log(t)[before:]) {
			n++
			refuse(t, query, unbounded(plan))
			noNarrowIDs(t, conn, query)
		}
		t.Logf("%d queries", n)
		if n < 60 {
			t.Errorf("the server has logged %d plans: it logs too little", n)
		}
	})
}

// noNarrowIDs fails the test for a query with a parameter that the server takes for an
// int4, and that is compared with an id: in "?1 = 0 OR id < ?1" the first comparison says
// the type, and no id fits into it.
func noNarrowIDs(t *testing.T, conn *pgx.Conn, query string) {
	t.Helper()
	described, err := conn.Prepare(t.Context(), "", query)
	if err != nil {
		return // it is of another schema, or of no kind that can be prepared
	}
	for i, oid := range described.ParamOIDs {
		uses := regexp.MustCompile(fmt.Sprintf(`\$%d\b( = 0)?`, i+1)).FindAllString(query, -1)
		if oid == pgtype.Int4OID && len(uses) > 1 && strings.HasSuffix(uses[0], " = 0") {
			t.Errorf("$%d is an int4 for its first comparison: %s", i+1, strings.Join(strings.Fields(query), " "))
		}
	}
}

// refuse fails the test for a query that reads whole tables and is not meant to.
func refuse(t *testing.T, query string, tables []string) {
	t.Helper()
	if len(tables) == 0 {
		return
	}
	flat := strings.Join(strings.Fields(regexp.MustCompile(`\$\d+|\?\d+`).ReplaceAllString(query, "?")), " ")
	for _, m := range meant {
		if strings.Contains(flat, m.part) {
			return
		}
	}
	t.Errorf("reads all of %s:\n%s", strings.Join(tables, ", "), flat)
}

// explainSQLite lists the large tables that a query reads from end to end.
func explainSQLite(t *testing.T, conn *sql.DB, query string) []string {
	t.Helper()
	args := []any{}
	for _, m := range regexp.MustCompile(`\?(\d+)`).FindAllStringSubmatch(query, -1) {
		n, err := strconv.Atoi(m[1])
		if err != nil {
			t.Fatal(err)
		}
		for len(args) < n {
			args = append(args, nil)
		}
	}
	if !regexp.MustCompile(`^\s*(SELECT|INSERT|UPDATE|DELETE|WITH)`).MatchString(query) {
		return nil
	}
	rows, err := conn.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+query, args...)
	if err != nil {
		t.Fatalf("%v in %s", err, query)
	}
	defer rows.Close()
	aliases := map[string]string{}
	for _, m := range regexp.MustCompile(`(?:FROM|JOIN) (\w+)(?: AS)? (\w+)`).FindAllStringSubmatch(query, -1) {
		aliases[m[2]] = m[1]
	}
	var tables []string
	for rows.Next() {
		var id, parent, unused int
		var step string
		if err := rows.Scan(&id, &parent, &unused, &step); err != nil {
			t.Fatal(err)
		}
		name, found := strings.CutPrefix(step, "SCAN ")
		if kind, looked := strings.CutPrefix(step, "SEARCH "); looked && strings.HasSuffix(kind, "USING INDEX sqlite_autoindex_timers_1 (kind=?)") {
			name, found = kind, true // all that is scheduled
		}
		if !found {
			continue
		}
		index := strings.Contains(name, "deliveries_open") || strings.Contains(name, "deliveries_turn") || strings.Contains(name, "deliveries_scheduled") || strings.Contains(name, "deliveries_failed") || strings.Contains(name, "deliveries_retried") || strings.Contains(name, "events_rare")
		name, _, _ = strings.Cut(name, " ")
		if full := aliases[name]; full != "" {
			name = full
		}
		if slices.Contains(large, name) && !index { // those hold what is open, failed or rare
			tables = append(tables, name)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return tables
}

// node is a step of a plan of PostgreSQL.
type node struct {
	Type     string `json:"Node Type"`
	Relation string `json:"Relation Name"`
	Index    string `json:"Index Name"`
	Cond     string `json:"Index Cond"`
	Plans    []node `json:"Plans"`
}

// loggedPlans are the plans in a log, by the text of their queries.
func loggedPlans(t *testing.T, log string) map[string]node {
	t.Helper()
	plans := map[string]node{}
	for _, part := range strings.Split(log, "  plan:\n")[1:] {
		var logged struct {
			Text string `json:"Query Text"`
			Plan node   `json:"Plan"`
		}
		if err := json.NewDecoder(strings.NewReader(part)).Decode(&logged); err != nil {
			t.Fatalf("%v in %.200s", err, part)
		}
		plans[logged.Text] = logged.Plan
	}
	return plans
}

// unbounded lists the large tables that a plan reads without a condition of an
// index. The partial indexes hold what is open, failed or rare.
func unbounded(n node) []string {
	var tables []string
	partial := strings.HasPrefix(n.Index, "deliveries_") && n.Index != "deliveries_pkey" || n.Index == "events_rare"
	if slices.Contains(large, n.Relation) && n.Type != "Bitmap Heap Scan" && n.Type != "ModifyTable" && n.Cond == "" && n.Type != "Tid Scan" && n.Type != "LockRows" && !partial {
		tables = append(tables, n.Relation)
	}
	for _, below := range n.Plans {
		tables = append(tables, unbounded(below)...)
	}
	return tables
}

// grow fills the tables, so that the planner has no reason to read them whole.
func grow(t *testing.T, url string, now time.Time) {
	t.Helper()
	last := int64(event.FirstIDAt(now.Add(-time.Hour)))
	for _, query := range []string{
		`INSERT INTO events (id, source, form, type, received, state, plan, verdicts, deliveries, first, content)
			SELECT %[1]d - n * 64, 'old', 0, 'order', 0, 0, 0, '', 2, %[1]d - n * 64 + 1, content FROM events, generate_series(1, 12000) AS n`,
		`INSERT INTO deliveries (id, event, rule, action, connection, state, owner, claim, attempts, base, output)
			SELECT %[1]d - n * 64 + k, %[1]d - n * 64, 'r', 1, 'old', 1, 0, 1, 1, 0, '\x007b7d' FROM generate_series(1, 12000) AS n, generate_series(1, 2) AS k`,
		`INSERT INTO attempts (delivery, number, started, duration, status, error) SELECT %[1]d - n * 64 + 1, 1, 0, 0, 500, 'x' FROM generate_series(1, 8000) AS n`,
		`INSERT INTO timers (id, kind, name, key, due, count) SELECT n, 1, '', CAST(n AS text), %[1]d, 0 FROM generate_series(1, 12000) AS n`,
		`INSERT INTO files (id, event, field, name, type, size, sha256, created) SELECT 'fil_' || n, %[1]d - n * 64, 'f', 'n', 't', 1, 'x', 0 FROM generate_series(1, 30000) AS n`,
		`INSERT INTO dedupe (source, key, event, expires) SELECT 'old', CAST(CAST(n AS text) AS bytea), %[1]d, 9000000000000000 + n FROM generate_series(1, 30000) AS n`,
		`INSERT INTO memory (connection, key, value, expires) SELECT 'old', CAST(n AS text), '', 9000000000000000 + n FROM generate_series(1, 30000) AS n`,
		`INSERT INTO replays (event, run, at, plan, verdicts, deliveries, first) SELECT %[1]d - n * 64, 1, 0, 0, '', 0, 0 FROM generate_series(1, 8000) AS n`,
		`ANALYZE`,
	} {
		if strings.Contains(query, "%") {
			query = fmt.Sprintf(query, last)
		}
		mustExec(t, url, query)
	}
}

// driver calls methods of the store and notes which.
type driver struct {
	t      *testing.T
	s      *db.Store
	called map[string]bool
}

func (d *driver) do(name string, err error) {
	d.t.Helper()
	d.called[name] = true
	if err != nil {
		d.t.Errorf("%s: %v", name, err)
	}
}

// refused is do for what somebody asks for who has not seen what there is.
func (d *driver) refused(name string, err error) {
	d.t.Helper()
	if !errors.Is(err, event.ErrNotAsSeen) {
		d.t.Errorf("%s: %v", name, err)
	}
}

// drive uses all that a store can do, each several times: PostgreSQL keeps a
// plan for any parameters from the sixth time on.
func drive(t *testing.T, s *db.Store, c *clock, shared bool) {
	t.Helper()
	d := &driver{t: t, s: s, called: map[string]bool{}}
	for _, unread := range []string{"Close", "Fatal", "Err", "NewIDs", "Holds", "SharedLimits", "Watch", "Accept", "WatchReads", "LimitReaders", "Together", "Statements", "Read", "Freeze", "Replica"} {
		d.called[unread] = true // no queries, or those of the test's own
	}
	for _, whole := range []string{"CountRecords"} {
		d.called[whole] = true // an operator asks for them, and they read the whole table
	}
	for range 7 {
		d.writes(c)
		d.reads(c)
		d.upkeep(c, shared)
		d.access(c)
	}
	kind := reflect.TypeOf(s)
	for m := range kind.Methods() {
		if !d.called[m.Name] {
			t.Errorf("%s is not driven: its queries are not looked at", m.Name)
		}
	}
}

func (d *driver) signals(c *clock) {
	t, s := d.t, d.s
	t.Helper()
	_, failing := mustAccept(t, s, c, "", "x")
	mustRecord(t, s, c, &failing[0], event.Outcome{State: event.Failed, Signal: &event.Signal{Name: event.DeliveryFailed, Key: failing[0].ID.String()}}, "422")
	d.do("Signal", s.Signal(event.Signal{Name: event.ConnectionFailing, Key: "x", Rest: event.UntilEnded}))
	list, err := s.DueSignals(t.Context(), 10)
	d.do("DueSignals", err)
	for _, one := range list {
		id := s.NewIDs(2)
		_, _, err = s.Tell(&one, &event.Event{ID: id, Source: event.Own, ReceivedAt: c.Now(), State: event.Routed}, []event.Delivery{{ID: event.DeliveryID(id) + 1, Event: id, Rule: "r", Action: 1, Connection: "x", Output: json.RawMessage(`{}`)}})
		d.do("Tell", err)
	}
	_, err = s.SignalKeys(t.Context(), event.ConnectionFailing)
	d.do("SignalKeys", err)
	d.do("EndSignals", s.EndSignals(event.ConfigRefused))
	d.do("EndSignal", s.EndSignal(event.ConnectionFailing, "x", nil))
}

func (d *driver) timers(c *clock) {
	t, s := d.t, d.s
	t.Helper()
	one := event.Timer{ID: int64(s.NewIDs(1)), Kind: event.TickTimer, Name: "monday", Due: c.Now()}
	d.do("PutTimer", s.PutTimer(&one))
	added := event.Timer{ID: int64(s.NewIDs(1)), Kind: event.TickTimer, Name: "each " + strconv.FormatInt(one.ID, 10), Due: c.Now()}
	_, err := s.AddTimer(&added)
	d.do("AddTimer", err)
	later := event.Timer{Due: added.Due.Add(time.Minute)}
	_, err = s.ChangeTimer(&added, &later)
	d.do("ChangeTimer", err)
	added.Due, added.Count = later.Due, 1
	id := s.NewIDs(2)
	ticked, _, err := s.Tick(&added, &event.Timer{Due: c.Now().Add(time.Hour)}, &event.Event{ID: id, Source: "monday", ReceivedAt: c.Now(), State: event.Routed},
		[]event.Delivery{{ID: event.DeliveryID(id) + 1, Event: id, Rule: "r", Action: 1, Connection: "x", Output: json.RawMessage(`{}`)}}, nil)
	if d.do("Tick", err); !ticked {
		t.Error("a timer that was as it was read did not tick")
	}
	_, err = s.DueTimers(t.Context(), 10, event.TickTimer)
	d.do("DueTimers", err)
	_, err = s.Timers(t.Context(), event.TickTimer)
	d.do("Timers", err)
	_, err = s.TakeTimer(&one)
	d.do("TakeTimer", err)
	_, err = s.Clock(t.Context())
	d.do("Clock", err)
	d.do("HoldClock", s.HoldClock(c.Now(), c.Now()))
	_, err = s.ClockState(t.Context())
	d.do("ClockState", err)
	d.do("ReleaseClock", s.ReleaseClock())
	d.do("NoteClock", s.NoteClock(c.Now()))
	scheduled := mustSchedule(t, s, c, "k", 0, event.Wait{})
	_, err = s.JudgedBy(t.Context(), &scheduled)
	d.do("JudgedBy", err)
	plans, err := s.JudgedByEach(t.Context(), []event.Delivery{scheduled})
	d.do("JudgedByEach", err)
	if plans[scheduled.ID] == 0 {
		t.Errorf("judged by %v", plans)
	}
	_, err = s.Lead()
	d.do("Lead", err)
	_, err = s.Scheduled(t.Context())
	d.do("Scheduled", err)
	due, err := s.DueTimers(t.Context(), 10, event.MomentTimer)
	if err != nil || len(due) == 0 {
		t.Fatal(due, err)
	}
	scheduled.State = event.Waiting
	_, _, err = s.OpenMoments([]event.Opening{{Timer: due[len(due)-1], Delivery: scheduled}})
	d.do("OpenMoments", err)
	chain := mustChain(t, s, c, "", 2)
	_, err = s.Progress(t.Context(), []event.DeliveryID{chain.ID, chain.ID + 1})
	d.do("Progress", err)
	if _, _, err := s.Cancel(t.Context(), event.DeliveryFilter{IDs: []event.DeliveryID{chain.ID}}); err != nil {
		t.Fatal(err)
	}
	ended := mustFollowTimers(t, s)
	done, _, err := s.Follow([]event.Following{{Timer: ended[len(ended)-1], Of: chain, Next: []event.Delivery{follower(&chain, 1)}}})
	if d.do("Follow", err); len(done) != 1 || !done[0] {
		t.Errorf("what comes after a delivery is not made: %v", done)
	}
}

func (d *driver) writes(c *clock) {
	t, s := d.t, d.s
	t.Helper()
	plan, err := s.SavePlan(event.RuleSet{Hash: "abc", Rules: []string{"r"}})
	d.do("SavePlan", err)
	plan, err = s.ReplacePlan(plan, event.RuleSet{Hash: "abc", Rules: []string{"r"}})
	d.do("ReplacePlan", err)
	d.do("UsePlan", s.UsePlan(plan))
	e, ds := mustAccept(t, s, c, "k", "x", "y")
	_, waiting := mustAccept(t, s, c, "k", "x")
	_, broken := mustAccept(t, s, c, "", "z")
	mustRecord(t, s, c, &broken[0], event.Outcome{State: event.Failed}, "422")
	mustRecord(t, s, c, &ds[0], event.Outcome{State: event.Retrying, Due: c.Now()}, "503")
	mustRecord(t, s, c, &ds[1], event.Outcome{State: event.Delivered}, "")
	d.do("Record", nil)
	d.signals(c)
	d.timers(c)
	d.digests(c)
	claimed, _, err := s.Claim("x", c.Now(), 10, 1<<20)
	d.do("Claim", err)
	d.do("Release", s.Release(claimed, c.Now()))
	id := s.NewIDs(3)
	post := event.Event{ID: id, Source: "contact", Form: true, ReceivedAt: c.Now(), State: event.Spam, Plan: plan, Results: []byte("n")}
	post.Files = []event.File{{ID: "fil_" + id.String(), Event: id, Field: "f", Name: "n", Created: c.Now()}}
	_, err = s.Accept(&post, nil)
	d.do("Accept", err)
	post.State, post.Results = event.Routed, []byte("m")
	_, err = s.Readmit(&post, []event.Delivery{{ID: event.DeliveryID(id) + 1, Event: id, Rule: "r", Action: 1, Connection: "x", Output: json.RawMessage(`{}`)}})
	d.do("Readmit", err)
	run := event.ReplayRun{ID: event.RunID(s.NewIDs(1)), Created: c.Now(), Selection: json.RawMessage(`{}`), Past: id + 1}
	d.do("CreateRun", s.CreateRun(&run))
	next := run
	next.Cursor, next.Done = e.ID, true
	made := event.DeliveryID(s.NewIDs(2))
	_, err = s.Replay(&run, &next, []event.Replayed{{Replay: event.Replay{Event: e.ID, Run: run.ID, At: c.Now(), Plan: plan, Results: []byte("m")}, Deliveries: []event.Delivery{{ID: made, Event: e.ID, Rule: "r", Action: 1, Connection: "y", Output: json.RawMessage(`{}`)}}, Done: []event.Done{{Of: ds[1].ID, Delivery: event.Delivery{ID: made + 1, Rule: "r", Action: 2, Connection: "y", Flow: event.Followed}}}}})
	d.do("Replay", err)
	failed := mustDeliveries(t, s, event.DeliveryFilter{IDs: []event.DeliveryID{broken[0].ID}})[0]
	failed.State, failed.Key, failed.Error = event.Waiting, "other", ""
	done, _, err := s.Rerender([]event.Rerendered{{Delivery: failed}})
	if d.do("Rerender", err); len(done) != 1 || !done[0] {
		t.Fatal("nothing was rendered again")
	}
	_, _, err = s.Retry(t.Context(), event.DeliveryFilter{IDs: []event.DeliveryID{ds[1].ID}})
	d.do("Retry", err)
	_, _, err = s.Cancel(t.Context(), event.DeliveryFilter{IDs: []event.DeliveryID{waiting[0].ID}})
	d.do("Cancel", err)
	_, _, err = s.Retry(t.Context(), event.DeliveryFilter{})
	d.do("Retry", err)
	retry := event.RetryRun{ID: event.RunID(s.NewIDs(1)), State: event.RetryRunning}
	d.do("CreateRetryRun", s.CreateRetryRun(&retry))
	_, err = s.UpdateRetryRun(&retry)
	d.do("UpdateRetryRun", err)
	_, err = s.RetryRun(t.Context(), retry.ID)
	d.do("RetryRun", err)
	_, err = s.ActiveRetryRuns(t.Context())
	d.do("ActiveRetryRuns", err)
	_, err = s.RetryRuns(t.Context(), event.RunFilter{Before: retry.ID, Left: true})
	d.do("RetryRuns", err)
	d.do("Hasten", s.Hasten("x"))
	d.do("Reschedule", s.Reschedule(c.Now().Add(24*time.Hour)))
	d.do("Audit", s.Audit(event.Audit{ID: event.AuditID(s.NewIDs(1)), Action: "forget", Detail: json.RawMessage(`{}`)}))
	d.do("AddTraffic", s.AddTraffic([]event.TrafficCount{{Of: event.FromSource, Name: "s", Slot: 1, Result: string(event.Routed), Count: 1}}))
	d.do("AddHealth", s.AddHealth(event.AttemptStats{
		Counts: []event.AttemptCount{{Connection: "x", Slot: 1, Attempts: 1}}, Last: []event.LastAttempt{{Connection: "x", Ended: c.Now(), Failed: true, FailedAt: c.Now(), Delivery: ds[0].ID, Number: 1}},
	}))
	_, err = s.SetPauseState(event.PauseState{Connection: "x", Count: 5, Per: time.Second}, nil)
	d.do("SetPauseState", err)
	_, err = s.SetPauseState(event.PauseState{Connection: "x"}, new(c.Now()))
	d.refused("SetPauseState", err)
	_, err = s.Drained()
	d.do("Drained", err)
	_, err = s.EndPauses()
	d.do("EndPauses", err)
	d.do("Remember", s.Remember("x", "k", "v", time.Hour))
	_, err = s.SetRecord(event.RecordWrite{RecordKey: event.RecordKey{Table: "t", Key: "k"}, Set: map[string]json.RawMessage{"a": json.RawMessage("1")}, Keep: time.Hour})
	d.do("SetRecord", err)
	_, err = s.DeleteRecords(event.RecordKey{Table: "t", Key: "k"})
	d.do("DeleteRecords", err)
	number, err := s.ClaimKey("x", "k", time.Hour)
	d.do("ClaimKey", err)
	s.ReleaseKey("x", "k", number)
	d.do("ReleaseKey", nil)
	_, err = s.FormKey(t.Context())
	d.do("FormKey", err)
	d.do("SetFilesFolder", s.SetFilesFolder(7))
	d.do("Ping", s.Ping())
}

func (d *driver) reads(c *clock) {
	t, s, ctx := d.t, d.s, d.t.Context()
	t.Helper()
	list, err := s.Events(ctx, event.Filter{})
	d.do("Events", err)
	if len(list) == 0 {
		t.Fatal("there are no events")
	}
	for _, f := range eventFilters(list[0].ID, c.Now()) {
		_, err := s.Events(ctx, f)
		d.do("Events", err)
		_, err = s.CountEvents(ctx, f)
		d.do("CountEvents", err)
		d.do("Scan", s.Scan(ctx, f, func(*event.Event) error { return db.ErrStop }))
	}
	_, _, err = s.Back(ctx, list[0].ID, 10)
	d.do("Back", err)
	_, err = s.Event(ctx, list[0].ID)
	d.do("Event", err)
	for _, f := range deliveryFilters(list, c.Now()) {
		ds, err := s.Deliveries(ctx, f)
		d.do("Deliveries", err)
		var ids []event.DeliveryID
		for i := range ds {
			ids = append(ids, ds[i].ID)
		}
		_, err = s.Attempts(ctx, ids...)
		d.do("Attempts", err)
		_, _, _, err = s.Count(ctx, f)
		d.do("Count", err)
		_, err = s.CountEach(ctx, f)
		d.do("CountEach", err)
	}
	_, err = s.DeliveriesOf(ctx, []event.ID{list[0].ID, list[1].ID}, 100)
	d.do("DeliveriesOf", err)
	for _, limit := range []int{0, 100} {
		_, err = s.FailureCounts(ctx, event.DeliveryFilter{States: []event.DeliveryState{event.Failed}, Connection: "x", Limit: limit}, c.Now(), time.Hour, 3)
		d.do("FailureCounts", err)
	}
	_, err = s.Replays(ctx, list[0].ID)
	d.do("Replays", err)
	_, err = s.Footprint(ctx, []event.ID{list[0].ID, list[1].ID})
	d.do("Footprint", err)
	_, err = s.File(ctx, "fil_"+list[0].ID.String())
	d.do("File", err)
	_, err = s.KnownFiles(ctx, []string{"fil_1", "fil_2"})
	d.do("KnownFiles", err)
	_, err = s.HasFiles(ctx)
	d.do("HasFiles", err)
	_, err = s.FilesFolder(ctx)
	d.do("FilesFolder", err)
	_, err = s.SetRead(list[0].ID, true)
	d.do("SetRead", err)
	_, err = s.FormFiles(ctx, "contact", list[0].ID, 50)
	d.do("FormFiles", err)
	_, err = s.FormCounts(ctx, []string{"contact"}, c.Now().Add(-time.Hour))
	d.do("FormCounts", err)
	_, err = s.NewPosts(ctx, []string{"contact"}, 1000)
	d.do("NewPosts", err)
	_, err = s.FileCounts(ctx, []string{"contact"}, 1000)
	d.do("FileCounts", err)
	_, err = s.SetView(event.View{Name: "mine", Query: "source:x"}, 10, false)
	d.do("SetView", err)
	_, err = s.SetView(event.View{Name: "mine", Query: "source:y"}, 10, true)
	d.refused("SetView", err)
	_, err = s.Views(ctx)
	d.do("Views", err)
	d.do("DeleteView", s.DeleteView("mine"))
	d.overviews(ctx, c)
}

// overviews reads what status and lists of connections show.
func (d *driver) overviews(ctx context.Context, c *clock) {
	d.t.Helper()
	s := d.s
	_, err := s.Audits(ctx, "forget", event.AuditID(s.NewIDs(1)), 10)
	d.do("Audits", err)
	_, err = s.Health(ctx, 0, 0)
	d.do("Health", err)
	_, err = s.ReadRecord(ctx, event.RecordKey{Table: "t", Key: "k"})
	d.do("ReadRecord", err)
	_, err = s.Records(ctx, "t", "", 10)
	d.do("Records", err)
	_, err = s.LastTraffic(ctx)
	d.do("LastTraffic", err)
	_, err = s.CountStretches(ctx, event.Filter{Source: "shop", Limit: 100}, time.Now(), time.Hour, 3)
	d.do("CountStretches", err)
	_, err = s.LastEvents(ctx, []string{"shop"})
	d.do("LastEvents", err)
	_, err = s.Traffic(ctx, 0, 12)
	d.do("Traffic", err)
	_, err = s.Plans(ctx, 0, 10)
	d.do("Plans", err)
	_, _, err = s.Recall(ctx, "x", "k")
	d.do("Recall", err)
	plan, err := s.LatestPlan(ctx)
	d.do("LatestPlan", err)
	_, err = s.Plan(ctx, plan.Plan)
	d.do("Plan", err)
	runs, err := s.Runs(ctx, event.RunFilter{Limit: 10})
	d.do("Runs", err)
	_, err = s.Run(ctx, runs[0].ID)
	d.do("Run", err)
	_, _, err = s.Replicas(ctx)
	d.do("Replicas", err)
	_, err = s.Backlogs(ctx)
	d.do("Backlogs", err)
	_, err = s.NextDue(ctx, "x")
	d.do("NextDue", err)
	_, err = s.PauseStates(ctx)
	d.do("PauseStates", err)
	_, err = s.Failures(ctx, c.Now().Add(-time.Hour))
	d.do("Failures", err)
	_, err = s.Size()
	d.do("Size", err)
}

// upkeep deletes: it comes last.
// access drives what is stored of logins.
func (d *driver) access(c *clock) {
	d.t.Helper()
	s, ctx, now := d.s, d.t.Context(), c.Now()
	id := event.AuditID(s.NewIDs(1))
	hash := []byte(id.String())
	d.do("AddSession", s.AddSession(event.Session{Hash: hash, User: "ada", Identity: []byte(`{"issuer":"i"}`), Fingerprint: hash, Created: now, Seen: now, Expires: now.Add(time.Hour)}))
	_, err := s.Session(ctx, hash)
	d.do("Session", err)
	d.do("SessionSeen", s.SessionSeen(hash, now, now.Add(time.Hour)))
	d.do("EndSession", s.EndSession(hash))
	d.do("EndSessions", s.EndSessions("ada"))
	d.do("AddLoginLink", s.AddLoginLink(hash, "ada", now.Add(time.Hour)))
	_, err = s.UseLoginLink(ctx, hash, now)
	d.do("UseLoginLink", err)
	d.do("AddToken", s.AddToken(event.Token{ID: id, Name: "ci", Scope: event.ScopeRead, Hash: hash}))
	_, err = s.TokenOf(ctx, hash)
	d.do("TokenOf", err)
	_, err = s.Tokens(ctx)
	d.do("Tokens", err)
	d.do("TokenUsed", s.TokenUsed(id, now))
	d.do("RevokeToken", s.RevokeToken(id))
	d.do("PruneAccess", s.PruneAccess(now))
}

func (d *driver) upkeep(c *clock, shared bool) {
	d.t.Helper()
	s, ctx := d.s, d.t.Context()
	list, err := s.Events(ctx, event.Filter{Limit: 2})
	d.do("Events", err)
	_, _, err = s.Erase(ctx, []event.ID{list[0].ID, list[1].ID})
	d.do("Erase", err)
	_, err = s.CountNames(ctx, func(string) bool { return true })
	d.do("CountNames", err)
	d.do("StepOutputs", s.StepOutputs(ctx, []event.ID{list[0].ID, list[1].ID}, func(event.ID, []byte) {}))
	_, err = s.EraseNames(ctx, func(string) bool { return true })
	d.do("EraseNames", err)
	files, err := s.RemovableFiles(ctx, 10)
	d.do("RemovableFiles", err)
	d.do("EraseFiles", s.EraseFiles(files))
	_, err = s.Prunable(ctx, db.Retention{Events: 90 * 24 * time.Hour, Submissions: 90 * 24 * time.Hour, Spam: time.Hour, Files: time.Hour})
	d.do("Prunable", err)
	_, err = s.Prune(ctx, db.Retention{Events: 90 * 24 * time.Hour, Submissions: 90 * 24 * time.Hour, Spam: time.Hour, Files: time.Hour})
	d.do("Prune", err)
	_, err = s.DropPlans(ctx)
	d.do("DropPlans", err)
	_, err = s.PurgeDeleted(ctx)
	d.do("PurgeDeleted", err)
	if limits := s.SharedLimits(); shared {
		_, err := limits.Blocked(ctx)
		d.do("SharedLimits", err)
	}
	c.Add(time.Second)
}

func eventFilters(id event.ID, now time.Time) []event.Filter {
	return []event.Filter{
		{},
		{IDs: []event.ID{id, id - 1}},
		{Source: "nowhere", Limit: 5},
		{Type: "order"},
		{States: []event.State{event.Rejected}},
		{States: []event.State{event.Rejected, event.Spam}},
		{States: []event.State{event.RuleError}},
		{Rule: "r"},
		{FormsOnly: true},
		{Source: "contact", FormsOnly: true},
		{Source: "contact", FormsOnly: true, States: event.JudgedStates(), Before: id},
		{Source: "contact", FormsOnly: true, States: []event.State{event.Rejected}},
		{Source: "contact", FormsOnly: true, Rule: "r"},
		{Source: "contact", FormsOnly: true, Connection: "x", Deliveries: []event.DeliveryState{event.Failed}},
		{Since: now.Add(-time.Minute), Until: now},
		{Before: id, After: id - 1000, OldestFirst: true},
		{Connection: "x"},
		{Key: "k"},
		{Key: "k", Before: id, After: id - 1000, OldestFirst: true},
		{Key: "k", Source: "nowhere", Before: id},
		{Connection: "x", Deliveries: []event.DeliveryState{event.Failed}},
		{Deliveries: []event.DeliveryState{event.Retrying}},
		{Deliveries: []event.DeliveryState{event.Delivered}},
	}
}

func deliveryFilters(list []event.Event, now time.Time) []event.DeliveryFilter {
	filters := []event.DeliveryFilter{
		{},
		{IDs: []event.DeliveryID{1, 2, 3}},
		{Connection: "x"},
		{Rule: "r"},
		{Since: now.Add(-time.Minute)},
		{Before: event.DeliveryID(list[0].ID)},
		{Rendered: true},
		{States: []event.DeliveryState{event.Failed}, Connection: "x", Errors: []string{"503", "timeout"}},
		{States: []event.DeliveryState{event.Failed}, Connection: "x", NotOvertaken: true},
		{States: []event.DeliveryState{event.Failed}, After: 5, Before: event.DeliveryID(list[0].ID), OldestFirst: true},
	}
	for _, state := range []event.DeliveryState{event.Waiting, event.Sending, event.Retrying, event.Held, event.Delivered, event.Failed, event.Cancelled} {
		filters = append(filters, event.DeliveryFilter{States: []event.DeliveryState{state}})
	}
	for i := range list {
		filters = append(filters, event.DeliveryFilter{Event: list[i].ID})
	}
	return filters
}
