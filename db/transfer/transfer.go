// Package transfer moves the history of a SQLite file into a PostgreSQL database:
// it copies the tables, and then compares the two row by row.
package transfer

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"

	"hookgate/db"
	"hookgate/internal/event"
)

// ErrDiffers reports that a copy is not the same as the file.
var ErrDiffers = errors.New("what was copied differs from the file")

// Options are what Run needs besides the two databases.
type Options struct {
	Logger *slog.Logger
	Now    func() time.Time
	// Progress, if set, is called after each transaction.
	Progress func(Progress)
	// Rows is how many rows one transaction takes; 5,000 unless set.
	Rows int
}

// Progress is how far a move is with one table.
type Progress struct {
	Table     string
	Verifying bool // reading what was copied; else copying
	Done, All int64
}

// Table is what verification found for a table.
type Table struct {
	Name           string
	Source, Target int64 // rows
	Same           bool  // also by their hashes
}

// Run copies everything that the SQLite file at path holds into the PostgreSQL
// database at to: under the same ids, with open deliveries that nobody holds.
// Then it reads both and compares them: ErrDiffers, with the tables, when they
// are not the same. The other errors are those of db.OpenHistoryFile,
// db.OpenHistoryTarget and db.HistoryTarget.Begin.
//
// It can be interrupted at any time: called again it goes on. Until it is done
// no replica starts on the target. The file keeps its content.
func Run(ctx context.Context, path string, to event.Secret, opt Options) (found []Table, err error) {
	if opt.Rows <= 0 {
		opt.Rows = batchRows
	}
	source, err := db.OpenHistoryFile(ctx, path, db.Options{Logger: opt.Logger, Now: opt.Now})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, source.Close()) }()
	target, err := db.OpenHistoryTarget(ctx, to, db.Options{Logger: opt.Logger, Now: opt.Now})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, target.Close(ctx)) }()
	if err := target.Begin(ctx, source); err != nil {
		return nil, err
	}
	m := &mover{source: source.Rows, target: target.Conn, opt: opt}
	for i := range tables {
		if err := m.copy(ctx, &tables[i]); err != nil {
			return nil, fmt.Errorf("copy %s: %w", tables[i].name, err)
		}
	}
	found, err = m.verify(ctx)
	if err != nil {
		return found, err
	}
	if err := target.Finish(ctx, source, func(tx pgx.Tx) error { return goOn(ctx, tx) }); err != nil {
		return found, err
	}
	if _, err := target.Conn.Exec(ctx, `ANALYZE plans, events, dedupe, deliveries, attempts, replays, files`); err != nil {
		opt.Logger.WarnContext(ctx, "the planner's statistics could not be updated, autovacuum will do it", "error", err)
	}
	return found, nil
}

// goOn has the numbers of PostgreSQL go on after those of the history.
func goOn(ctx context.Context, tx pgx.Tx) error {
	for _, query := range []string{
		`SELECT setval('deliveries_turn', n) FROM (SELECT max(turn) AS n FROM deliveries) t WHERE n > 0`,
		`SELECT setval(pg_get_serial_sequence('plans', 'id'), n) FROM (SELECT max(id) AS n FROM plans) p WHERE n > 0`,
		// Keys that have become one, see db.Clean, must not have two deliveries that are due.
		`UPDATE deliveries d SET due = NULL WHERE state = 0 AND key IS NOT NULL AND due IS NOT NULL AND EXISTS (SELECT 1 FROM deliveries f
			WHERE f.state = 0 AND f.key IS NOT NULL AND f.connection = d.connection AND f.key = d.key AND f.due IS NOT NULL AND f.turn < d.turn)`,
	} {
		if _, err := tx.Exec(ctx, query); err != nil {
			return err
		}
	}
	return nil
}

// mover is one run.
type mover struct {
	source *sql.DB
	target *pgx.Conn
	opt    Options
}

func (m *mover) tell(p Progress) {
	if m.opt.Progress != nil {
		m.opt.Progress(p)
	}
}
