package db

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"strings"

	"github.com/jackc/pgx/v5"

	"hookgate/internal/event"
)

// moveLock, with the schema's number, is held by the process that moves a history.
const moveLock = 0x6d6f7665

// Rows of meta about a history that is, or was, moved here: how far it is, its
// number, the node that made its IDs, and the greatest of them.
const (
	metaMove   = "migration"
	metaSource = "migration_source"
	metaNode   = "migration_node"
	metaLast   = "migration_last"

	moveUnfinished = 1 // of metaMove
	moveDone       = 2
)

// target is the PostgreSQL database that a history is moved to.
type target struct {
	conn   *pgx.Conn
	schema int64
	logger *slog.Logger
}

// openTarget connects, makes or migrates the tables, and keeps other moves away.
func openTarget(ctx context.Context, url event.Secret, opt Options) (*target, error) {
	config, err := parseURL(url)
	if err != nil {
		return nil, err
	}
	if err := migratePostgres(ctx, config, opt.Logger); err != nil {
		return nil, err
	}
	config = writerConfig(config)
	config.RuntimeParams["statement_timeout"] = "0" // whole tables are read
	conn, err := pgx.ConnectConfig(ctx, inSession(config))
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	t := &target{conn: conn, logger: opt.Logger}
	if err := t.lock(ctx); err != nil {
		return nil, errors.Join(err, t.close(ctx))
	}
	return t, nil
}

func (t *target) lock(ctx context.Context) error {
	var name *string
	if err := t.conn.QueryRow(ctx, `SELECT current_schema()`).Scan(&name); err != nil {
		return fmt.Errorf("read the name of the schema: %w", err)
	}
	if name == nil {
		return errNoSchema
	}
	t.schema = hash("schema", *name)
	var mine bool
	if err := t.conn.QueryRow(ctx, `SELECT pg_try_advisory_lock($1)`, t.schema^moveLock).Scan(&mine); err != nil {
		return fmt.Errorf("lock: %w", err)
	}
	if !mine {
		return ErrBeingMoved
	}
	return nil
}

// begin makes sure that the history may be moved here, and keeps replicas off
// until it is. Registrations take the same lock: none slips in between.
func (t *target) begin(ctx context.Context, number int64) error {
	return t.inTransaction(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1)`, t.schema^registerLock); err != nil {
			return fmt.Errorf("lock: %w", err)
		}
		if _, err := tx.Exec(ctx, `UPDATE replicas SET dead = true WHERE NOT dead AND heartbeat + lease < now_us()`); err != nil {
			return fmt.Errorf("look for replicas: %w", err)
		}
		var living, state, source int64
		var filled bool
		row := tx.QueryRow(ctx, `SELECT (SELECT count(*) FROM replicas WHERE NOT dead),
			coalesce((SELECT value FROM meta WHERE key = $1), 0), coalesce((SELECT value FROM meta WHERE key = $2), 0),
			EXISTS (SELECT 1 FROM events) OR EXISTS (SELECT 1 FROM deliveries)`, metaMove, metaSource)
		if err := row.Scan(&living, &state, &source, &filled); err != nil {
			return fmt.Errorf("look at the database: %w", err)
		}
		switch {
		case state == moveDone && source == number:
			return ErrMoved
		case living > 0:
			return ErrTargetInUse
		case filled && source != number, state != 0 && source != number:
			return ErrTargetFilled
		}
		return setMeta(ctx, tx, map[string]int64{metaMove: moveUnfinished, metaSource: number})
	})
}

// reached tells how many rows of the table there are, and the greatest key.
func (t *target) reached(ctx context.Context, table *historyTable) (rows int64, after []any, err error) {
	if table.whole {
		return 0, nil, nil
	}
	if err := t.conn.QueryRow(ctx, `SELECT count(*) FROM `+table.name).Scan(&rows); err != nil || rows == 0 {
		return 0, nil, err
	}
	last := make([]int64, len(table.key))
	into := make([]any, len(last))
	for i := range last {
		into[i] = &last[i]
	}
	row := t.conn.QueryRow(ctx, `SELECT `+strings.Join(table.key, ", ")+` FROM `+table.name+
		` ORDER BY `+strings.Join(table.key, " DESC, ")+` DESC LIMIT 1`)
	if err := row.Scan(into...); err != nil {
		return 0, nil, err
	}
	for _, n := range last {
		after = append(after, n)
	}
	return rows, after, nil
}

// copy stores the next part of the table's rows, in one transaction.
func (t *target) copy(ctx context.Context, table *historyTable, part *copyBatch) (n int64, err error) {
	part.begin()
	err = t.inTransaction(ctx, func(tx pgx.Tx) error {
		if table.whole { // what an interrupted move, or a start without events, left
			if _, err := tx.Exec(ctx, `DELETE FROM `+table.name); err != nil {
				return err
			}
		}
		n, err = tx.CopyFrom(ctx, pgx.Identifier{table.name}, table.columns, part)
		return err
	})
	return n, err
}

func (t *target) digest(ctx context.Context, table *historyTable, progress func(done int64)) (d digest, err error) {
	rows, err := t.conn.Query(ctx, `SELECT `+strings.Join(table.columns, ", ")+` FROM `+table.name)
	if err != nil {
		return d, err
	}
	err = scanAll(rows, func(row []any) error {
		if d.rows%1000 == 0 {
			progress(d.rows)
		}
		return d.add(row)
	})
	return d, err
}

// finish lets replicas start. Numbers go on after those of the history; its
// node is remembered with the greatest of its IDs, so that a replica with the
// same node makes none of them again, whatever its clock says.
func (t *target) finish(ctx context.Context, source *history) error {
	err := t.inTransaction(ctx, func(tx pgx.Tx) error {
		for _, query := range []string{
			`SELECT setval('deliveries_turn', n) FROM (SELECT max(turn) AS n FROM deliveries) t WHERE n > 0`,
			`SELECT setval(pg_get_serial_sequence('plans', 'id'), n) FROM (SELECT max(id) AS n FROM plans) p WHERE n > 0`,
			// Keys that have become one, see clean, must not have two deliveries that are due.
			`UPDATE deliveries d SET due = NULL WHERE state = 0 AND key IS NOT NULL AND due IS NOT NULL AND EXISTS (SELECT 1 FROM deliveries f
				WHERE f.state = 0 AND f.key IS NOT NULL AND f.connection = d.connection AND f.key = d.key AND f.due IS NOT NULL AND f.turn < d.turn)`,
		} {
			if _, err := tx.Exec(ctx, query); err != nil {
				return err
			}
		}
		var last int64
		row := tx.QueryRow(ctx, `SELECT greatest((SELECT max(id) FROM events), (SELECT max(id) FROM deliveries), 0)`)
		if err := row.Scan(&last); err != nil {
			return err
		}
		values := map[string]int64{metaMove: moveDone, metaNode: source.node, metaLast: last}
		maps.Copy(values, source.facts)
		return setMeta(ctx, tx, values)
	})
	if err != nil {
		return fmt.Errorf("finish: %w", err)
	}
	if _, err := t.conn.Exec(ctx, `ANALYZE plans, events, dedupe, deliveries, attempts, replays, files`); err != nil {
		t.logger.WarnContext(ctx, "the planner's statistics could not be updated, autovacuum will do it", "error", err)
	}
	return nil
}

func (t *target) inTransaction(ctx context.Context, do func(pgx.Tx) error) error {
	return pgx.BeginFunc(ctx, t.conn, do)
}

// close ends the connection, and with it the lock, also after ctx has ended.
func (t *target) close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), commitTime)
	defer cancel()
	return t.conn.Close(ctx)
}

func setMeta(ctx context.Context, tx pgx.Tx, values map[string]int64) error {
	for key, value := range values {
		_, err := tx.Exec(ctx, `INSERT INTO meta (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value`, key, value)
		if err != nil {
			return fmt.Errorf("write %s: %w", key, err)
		}
	}
	return nil
}

// movedHistory is what a replica has to know of a history that was moved here.
type movedHistory struct {
	node, last int64
}

// read fails with ErrUnfinished where the history is not whole: no replica
// registers then.
func (m *movedHistory) read(ctx context.Context, tx pgx.Tx) error {
	var state int64
	row := tx.QueryRow(ctx, `SELECT coalesce(max(value) FILTER (WHERE key = $1), 0), coalesce(max(value) FILTER (WHERE key = $2), 0), coalesce(max(value) FILTER (WHERE key = $3), 0) FROM meta`,
		metaMove, metaNode, metaLast)
	if err := row.Scan(&state, &m.node, &m.last); err != nil {
		return fmt.Errorf("look for a history: %w", err)
	}
	if state == moveUnfinished {
		return ErrUnfinished
	}
	return nil
}

// lastOf is the greatest ID that the history has of the node.
func (m *movedHistory) lastOf(node int) int64 {
	if int64(node) == m.node {
		return m.last
	}
	return 0
}
