package db

import (
	"context"
	"errors"
	"fmt"
	"time"

	"hookgate/internal/event"
)

const (
	// moveRows and moveBytes are how much one transaction of a move takes: an
	// interruption costs no more than that.
	moveRows  = 5000
	moveBytes = 8 << 20
)

// Errors of MoveHistory, beside ErrInUse, ErrNewer and ErrBadURL.
var (
	ErrNoHistory    = errors.New("not a database of hookgate")
	ErrTargetInUse  = errors.New("a replica is running on the PostgreSQL database: stop it first (one that was killed counts as running until its lease is over)")
	ErrTargetFilled = errors.New("the PostgreSQL database already has events that are not from this file")
	ErrBeingMoved   = errors.New("another process is moving a history into this PostgreSQL database")
	ErrMoved        = errors.New("this history has been moved already")
	ErrDiffers      = errors.New("what was copied differs from the file")
	// ErrUnfinished keeps replicas off a database that has half a history.
	ErrUnfinished = errors.New("a history is being moved into this database: run hookgate migrate sqlite-to-postgres again until it is done")
)

// MoveOptions are what MoveHistory needs besides the two databases. Of Options
// it uses Logger and Now.
type MoveOptions struct {
	Options
	// Progress, if set, is called after each transaction.
	Progress func(MoveProgress)
	// Rows is how many rows one transaction takes; 5,000 unless set.
	Rows int
}

// MoveProgress is how far a move is with one table.
type MoveProgress struct {
	Table     string
	Verifying bool // reading what was copied; else copying
	Done, All int64
}

// MovedTable is what verification found for a table.
type MovedTable struct {
	Name           string
	Source, Target int64 // rows
	Same           bool  // also by their hashes
}

// MoveHistory copies everything that the SQLite file at path holds into the
// PostgreSQL database at to: under the same ids, with open deliveries that
// nobody holds. Then it reads both and compares them: ErrDiffers, with the
// tables, when they are not the same.
//
// It can be interrupted at any time: called again it goes on. Until it is done
// no replica starts on the target. The file keeps its content.
func MoveHistory(ctx context.Context, path string, to event.Secret, opt MoveOptions) (tables []MovedTable, err error) {
	if opt.Rows <= 0 {
		opt.Rows = moveRows
	}
	source, err := openHistory(ctx, path, opt.Options)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, source.close()) }()
	target, err := openTarget(ctx, to, opt.Options)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, target.close(ctx)) }()
	if err := target.begin(ctx, source.number); err != nil {
		return nil, err
	}
	m := &mover{source: source, target: target, opt: opt}
	for i := range historyTables {
		if err := m.copy(ctx, &historyTables[i]); err != nil {
			return nil, fmt.Errorf("copy %s: %w", historyTables[i].name, err)
		}
	}
	tables, err = m.verify(ctx)
	if err != nil {
		return tables, err
	}
	return tables, target.finish(ctx, source)
}

// mover is one run of MoveHistory.
type mover struct {
	source *history
	target *target
	opt    MoveOptions
}

func (m *mover) tell(p MoveProgress) {
	if m.opt.Progress != nil {
		m.opt.Progress(p)
	}
}

// copy brings the table's rows that the target lacks. Rows are copied in the
// order of their keys, so that the greatest key tells where to go on.
func (m *mover) copy(ctx context.Context, t *historyTable) error {
	all, err := m.source.count(ctx, t)
	if err != nil {
		return err
	}
	done, after, err := m.target.reached(ctx, t)
	if err != nil {
		return err
	}
	rows, err := m.source.rows(ctx, t, after) //nolint:rowserrcheck // copyBatch does it
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	batch := &copyBatch{rows: rows, columns: len(t.columns), limit: m.opt.Rows, more: true}
	if t.whole {
		batch.limit = 0
	}
	for batch.more {
		n, err := m.target.copy(ctx, t, batch)
		if err != nil {
			return err
		}
		done += n
		m.tell(MoveProgress{Table: t.name, Done: done, All: all})
	}
	return nil
}

// verify compares all rows of the two databases.
func (m *mover) verify(ctx context.Context) ([]MovedTable, error) {
	var tables []MovedTable
	differs := false
	for i := range historyTables {
		t := &historyTables[i]
		here, there, err := m.digests(ctx, t)
		if err != nil {
			return tables, fmt.Errorf("verify %s: %w", t.name, err)
		}
		same := here == there
		differs = differs || !same
		tables = append(tables, MovedTable{Name: t.name, Source: here.rows, Target: there.rows, Same: same})
		m.tell(MoveProgress{Table: t.name, Verifying: true, Done: there.rows, All: there.rows})
	}
	if differs {
		return tables, ErrDiffers
	}
	return tables, nil
}

// digests reads a table from both databases at the same time.
func (m *mover) digests(ctx context.Context, t *historyTable) (here, there digest, err error) {
	all, err := m.source.count(ctx, t)
	if err != nil {
		return here, there, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	failed := make(chan error, 1)
	go func() {
		var err error
		here, err = m.source.digest(ctx, t)
		failed <- err
	}()
	told := time.Now()
	there, err = m.target.digest(ctx, t, func(done int64) {
		if now := time.Now(); now.Sub(told) > 200*time.Millisecond {
			told = now
			m.tell(MoveProgress{Table: t.name, Verifying: true, Done: min(done, all), All: all})
		}
	})
	if err != nil {
		cancel()
	}
	return here, there, errors.Join(err, <-failed)
}
