package db_test

import (
	"encoding/json"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"hookgate/db"
	"hookgate/internal/event"
	"hookgate/test/pgtest"
)

// TestHistory_costsStayFlat holds what the server does for every claim, and
// for every page of retention, to the same number of its blocks with much
// history as with little. Blocks are counted and not time: they are the same
// on a busy machine. The short form has 200,000 events with two deliveries
// each, the long one (make history) ten million.
//
// It fails without the index deliveries_open, where retention of spam does not
// find its rows by events_rare, and where what is open of an event with files
// is looked for by a join.
func TestHistory_costsStayFlat(t *testing.T) {
	t.Parallel()
	rows := 200_000
	if text := os.Getenv("HISTORY"); text != "" {
		var err error
		if rows, err = strconv.Atoi(text); err != nil || rows < 100_000 {
			t.Fatalf("HISTORY=%q: give a number of events, 100000 or more", text)
		}
	}
	url := pgtest.New(t).URL(t)
	store := mustOpenWall(t, place{url: url})
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())

	if _, err := conn.Exec(t.Context(), `SET jit = off`); err != nil { // as the store has it
		t.Fatal(err)
	}
	h := history{conn: conn, start: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	h.grow(t, 20_000)
	h.open(t, 100)
	h.exec(t, `INSERT INTO files (id, event, field, name, type, size, sha256, created)
		SELECT 'fil_' || id, id, 'brief', 'plan.pdf', 'application/pdf', 1, 'ab', 0 FROM (SELECT id FROM events ORDER BY id LIMIT 500) AS e`)
	small := h.costs(t)
	began := time.Now()
	h.grow(t, rows)
	t.Logf("%d events, %d deliveries stored in %v", rows, 2*rows, time.Since(began).Round(time.Second))
	large := h.costs(t)
	for name, before := range small {
		after := large[name]
		t.Logf("%-22s %6d blocks with 20,000 events, %6d with %d", name, before, after, rows)
		// The trees of the indexes are a level or two higher, which is a block
		// or two for each row that is looked up.
		if after > before*3/2+16 {
			t.Errorf("%s touches %d blocks with %d events, %d with 20,000: it grows with the history", name, after, rows, before)
		}
	}
	began = time.Now()
	pages := 20
	h.prune(t, pages)
	t.Logf("retention: %d events with their deliveries in %v", 500*pages, time.Since(began).Round(time.Millisecond))
}

// history is a database that fills, one event a second.
type history struct {
	conn  *pgx.Conn
	start time.Time
	rows  int
}

func (h *history) exec(t *testing.T, query string, args ...any) {
	t.Helper()
	if _, err := h.conn.Exec(t.Context(), query, args...); err != nil {
		t.Fatal(err)
	}
}

// grow adds delivered events until there are rows of them.
func (h *history) grow(t *testing.T, rows int) {
	t.Helper()
	first, last := h.rows, rows-1
	step := int64(event.FirstIDAt(h.start.Add(time.Second)) - event.FirstIDAt(h.start))
	base := int64(event.FirstIDAt(h.start))
	h.exec(t, `INSERT INTO events (id, source, form, type, received, state, plan, verdicts, deliveries, first, content)
		SELECT $1::bigint + n * $2::bigint, 'shop', 0, 'order', 0, 0, 1, 'mmn', 2, $1::bigint + n * $2::bigint + 1, $5
		FROM generate_series($3::bigint, $4::bigint) AS n`, base, step, first, last, make([]byte, 400))
	h.exec(t, `INSERT INTO deliveries (id, event, rule, action, connection, state, owner, claim, attempts, base, output, started, duration, status)
		SELECT $1::bigint + n * $2::bigint + k, $1::bigint + n * $2::bigint, 'announce', 1, 'slack-' || k, 1, 0, 1, 1, 0, $5, 0, 90000, 200
		FROM generate_series($3::bigint, $4::bigint) AS n, generate_series(1, 2) AS k`, base, step, first, last, make([]byte, 120))
	h.rows = rows
	h.exec(t, `VACUUM ANALYZE events, deliveries, attempts`)
}

// open makes n deliveries that wait, among them all.
func (h *history) open(t *testing.T, n int) {
	t.Helper()
	h.exec(t, `UPDATE deliveries SET state = 0, due = id WHERE id IN (SELECT id FROM deliveries WHERE connection = 'slack-1' ORDER BY id DESC LIMIT $1)`, n)
}

// costs are the blocks that each kind of work touches; nothing of it stays.
func (h *history) costs(t *testing.T) map[string]int {
	t.Helper()
	var owner int64
	if err := h.conn.QueryRow(t.Context(), `SELECT max(id) FROM replicas`).Scan(&owner); err != nil {
		t.Fatal(err)
	}
	end := int64(event.FirstIDAt(h.start.Add(time.Duration(h.rows/2) * time.Second)))
	lock, prune := db.PruneQueries("form = 0")
	spam, _ := db.PruneQueries("form = 1 AND state = 5")
	return map[string]int{
		"claim of 50":           h.blocks(t, db.ClaimQuery(), owner, int64(1), "slack-1", int64(1)<<62, int64(50)),
		"claim of nothing":      h.blocks(t, db.ClaimQuery(), owner, int64(1), "slack-2", int64(1)<<62, int64(50)),
		"a page of retention":   h.blocks(t, lock, int64(0), end, 500),
		"what goes of it":       h.blocks(t, prune, h.page(t, lock, 0, end)),
		"retention, no spam":    h.blocks(t, spam, int64(0), end, 500),
		"files of old events":   h.blocks(t, db.ExpireFilesQuery(), int64(0), int64(1)<<62),
		"failed deliveries":     h.blocks(t, `SELECT id FROM deliveries WHERE state = 2 AND connection = 'slack-1' ORDER BY id DESC LIMIT 50`),
		"newest page of events": h.blocks(t, `SELECT id FROM events ORDER BY id DESC LIMIT 50`),
	}
}

// blocks runs the statement in a transaction that is given up, and says how
// many blocks of the server's cache and disk it touched.
func (h *history) blocks(t *testing.T, query string, args ...any) int {
	t.Helper()
	tx, err := h.conn.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(t.Context()) }()
	var text []byte
	if err := tx.QueryRow(t.Context(), "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) "+query, args...).Scan(&text); err != nil {
		t.Fatal(err)
	}
	var plans []struct {
		Plan struct {
			Hit  int `json:"Shared Hit Blocks"`
			Read int `json:"Shared Read Blocks"`
		}
	}
	if err := json.Unmarshal(text, &plans); err != nil || len(plans) != 1 {
		t.Fatalf("the plan: %v: %s", err, text)
	}
	return plans[0].Plan.Hit + plans[0].Plan.Read
}

// page are the numbers of the next 500 events.
func (h *history) page(t *testing.T, lock string, after, end int64) []int64 {
	t.Helper()
	rows, err := h.conn.Query(t.Context(), lock, after, end, 500)
	if err != nil {
		t.Fatal(err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil || len(ids) != 500 {
		t.Fatalf("a page of %d events: %v", len(ids), err)
	}
	return ids
}

// prune deletes pages of the oldest events.
func (h *history) prune(t *testing.T, pages int) {
	t.Helper()
	lock, prune := db.PruneQueries("form = 0")
	cursor := int64(0)
	for range pages {
		page := h.page(t, lock, cursor, int64(1)<<62)
		cursor = page[499]
		var deleted int
		if err := h.conn.QueryRow(t.Context(), prune, page).Scan(&deleted); err != nil {
			t.Fatal(err)
		}
		if deleted != 500 {
			t.Fatalf("a page of retention deleted %d of 500 events", deleted)
		}
	}
	if got, want := pgtest.Number(t, h.url(), `SELECT count(*) FROM deliveries`), int64(2*(h.rows-500*pages)); got != want {
		t.Errorf("%d deliveries are left, want %d", got, want)
	}
}

func (h *history) url() string { return h.conn.Config().ConnString() }
