package transfer

import (
	"context"
	"database/sql"
	"strings"

	"github.com/jackc/pgx/v5"
)

// table is a table of the history. Its columns are those of PostgreSQL;
// instead says what SQLite has for one that it lacks.
type table struct {
	name    string
	key     []string // numbers by which its rows are copied; none: whole
	columns []string
	instead map[string]string
	whole   bool // small, or without such numbers: copied in one transaction
}

// tables are all that is moved, in this order. A delivery's turn is its
// id, but for one that got its turn later: on one machine the ids are in the
// order of acceptance.
var tables = []table{
	{name: "plans", whole: true, columns: []string{"id", "hash", "rules", "created", "source", "used", "parts"}},
	{name: "parts", whole: true, columns: []string{"hash", "content"}},
	{name: "records", whole: true, columns: []string{"tbl", "key", "value", "version", "event", "changed", "expires"}},
	{name: "dedupe", whole: true, columns: []string{"source", "key", "event", "expires", "count"}},
	{name: "memory", whole: true, columns: []string{"connection", "key", "value", "expires"}},
	{name: "signals", whole: true, columns: []string{"name", "key", "due", "rest", "count", "value"}},
	{name: "timers", whole: true, columns: []string{"id", "kind", "name", "key", "due", "count", "value", "size", "latest"}},
	{name: "health", whole: true, columns: []string{"connection", "slot", "class", "attempts", "failed"}},
	{name: "health_last", whole: true, columns: []string{"connection", "ended", "failing", "failed_at", "delivery", "number"}},
	{name: "traffic", whole: true, columns: []string{"slot", "of_what", "name", "result", "count"}},
	{name: "switches", whole: true, columns: []string{"connection", "paused", "count", "per", "upto", "changed", "who", "note", "ends"}},
	{name: "views", whole: true, columns: []string{"name", "query", "who", "changed"}},
	{name: "tokens", whole: true, columns: []string{"id", "name", "scope", "hash", "expires", "used"}},
	{name: "audit", whole: true, columns: []string{"id", "action", "detail"}},
	{name: "events", key: []string{"id"}, columns: []string{
		"id", "source", "form", "type", "received", "state", "cause", "duplicate_of", "plan", "verdicts", "errors", "deliveries", "first", "content", "reserved", "seen",
	}},
	{
		name: "deliveries", key: []string{"id"}, columns: []string{
			"id", "event", "rule", "action", "connection", "key", "turn", "state", "owner", "due", "claim", "attempts", "base", "error", "warnings", "output",
			"started", "duration", "status", "answer", "outputs", "exchange", "early", "scheduled", "flow", "moment", "element", "cause",
		},
		instead: map[string]string{"turn": "CASE WHEN key IS NOT NULL THEN coalesce(turn, id) END"},
	},
	{name: "digest_items", key: []string{"delivery"}, columns: []string{"delivery", "digest", "place", "event", "size"}},
	{name: "replay_runs", whole: true, columns: []string{"id", "created", "selection", "past", "cursor", "seen", "events", "made", "done"}},
	{name: "retry_runs", whole: true, columns: []string{"id", "active", "version", "doc"}},
	{name: "replays", key: []string{"event", "run"}, columns: []string{"event", "run", "at", "plan", "verdicts", "errors", "deliveries", "first", "reserved"}},
	{name: "attempts", key: []string{"delivery", "number"}, columns: []string{"delivery", "number", "started", "duration", "status", "error", "answer", "exchange"}},
	{name: "files", whole: true, columns: []string{"id", "event", "field", "name", "type", "size", "sha256", "created"}},
}

// sourceColumns are the columns as SQLite selects them.
func (t *table) sourceColumns() string {
	list := make([]string, len(t.columns))
	for i, c := range t.columns {
		list[i] = c
		if other, ok := t.instead[c]; ok {
			list[i] = other
		}
	}
	return strings.Join(list, ", ")
}

// count counts the rows in the file.
func (t *table) count(ctx context.Context, file *sql.DB) (n int64, err error) {
	err = file.QueryRowContext(ctx, `SELECT count(*) FROM `+t.name).Scan(&n)
	return n, err
}

// rows reads the rows of the file after the key, in its order; all without a key.
func (t *table) rows(ctx context.Context, file *sql.DB, after []any) (*sql.Rows, error) {
	query := `SELECT ` + t.sourceColumns() + ` FROM ` + t.name
	if len(t.key) > 0 {
		key := strings.Join(t.key, ", ")
		if len(after) > 0 {
			query += ` WHERE (` + key + `) > (` + strings.Repeat("?, ", len(after)-1) + `?)`
		}
		query += ` ORDER BY ` + key
	}
	return file.QueryContext(ctx, query, after...)
}

// reached tells how many rows the target has, and the greatest key.
func (t *table) reached(ctx context.Context, target *pgx.Conn) (rows int64, after []any, err error) {
	if t.whole {
		return 0, nil, nil
	}
	if err := target.QueryRow(ctx, `SELECT count(*) FROM `+t.name).Scan(&rows); err != nil || rows == 0 {
		return 0, nil, err
	}
	last := make([]int64, len(t.key))
	into := make([]any, len(last))
	for i := range last {
		into[i] = &last[i]
	}
	row := target.QueryRow(ctx, `SELECT `+strings.Join(t.key, ", ")+` FROM `+t.name+
		` ORDER BY `+strings.Join(t.key, " DESC, ")+` DESC LIMIT 1`)
	if err := row.Scan(into...); err != nil {
		return 0, nil, err
	}
	for _, n := range last {
		after = append(after, n)
	}
	return rows, after, nil
}
