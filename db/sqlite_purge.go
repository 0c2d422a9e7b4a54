package db

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// purge gives the free pages back and empties the write-ahead log.
func (e *sqlite) purge(ctx context.Context, write writer) (done bool, err error) {
	for before, free := int64(0), int64(-1); free != before && free != 0 && ctx.Err() == nil; {
		before = free
		if free, err = e.givePagesBack(write); err != nil { //nolint:contextcheck // the driver is slow with contexts that can end, see change
			return false, fmt.Errorf("give free pages back: %w", err)
		}
	}
	return e.awaitEmptyLog(ctx, func() error { return write(func(tx) error { return nil }) })
}

// overwrite has SQLite write zeros over what the transaction deletes, also
// where whole pages become free; restore ends it.
func (e *sqlite) overwrite() (restore func(), err error) {
	// These are done when they are prepared: they must not be kept.
	if err := pragma(e.conn, "PRAGMA secure_delete = ON"); err != nil {
		return nil, err
	}
	return func() {
		if err := pragma(e.conn, "PRAGMA secure_delete = FAST"); err != nil {
			e.logger.Warn("deleted rows are still overwritten with zeros, which takes time", "error", err)
		}
	}, nil
}

// awaitEmptyLog has the log emptied as soon as nobody stands in the way.
func (e *sqlite) awaitEmptyLog(ctx context.Context, wake func() error) (done bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, purgeTime)
	defer cancel()
	every := time.NewTicker(purgeEvery)
	defer every.Stop()
	for {
		if err := e.tryEmptyLog(ctx, wake); !errors.Is(err, ErrLogInUse) {
			return err == nil, err
		}
		select {
		case <-every.C:
		case <-ctx.Done():
			return false, ErrLogInUse
		}
	}
}

// tryEmptyLog copies the log beside the writer, however long that takes, and asks the
// writer to empty it once it is little that is left. The writer does that between two
// batches: wake makes it go round.
func (e *sqlite) tryEmptyLog(ctx context.Context, wake func() error) error {
	copied, err := e.checkpoint.copy() //nolint:contextcheck // the driver is slow with contexts that can end, see change
	if err != nil {
		return fmt.Errorf("empty the log: %w", err)
	}
	if !copied {
		return ErrLogInUse
	}
	answer := make(chan error, 1)
	select {
	case e.empty <- answer:
	case <-ctx.Done():
		return ErrLogInUse
	}
	if err := wake(); err != nil {
		return err
	}
	select {
	case err = <-answer:
		return err
	case <-ctx.Done():
		return ErrLogInUse
	}
}

// givePagesBack cuts some of the free pages off the file and tells how many are left.
func (e *sqlite) givePagesBack(write writer) (left int64, err error) {
	err = write(func(tx tx) error {
		if err := pragma(e.conn, fmt.Sprintf("PRAGMA incremental_vacuum(%d)", vacuumPages)); err != nil {
			return err
		}
		return tx.query(func(row []any) error { left = row[0].(int64); return nil }, "PRAGMA freelist_count")
	})
	return left, err
}

// emptyLog does what purge has asked for, if it has.
func (e *sqlite) emptyLog() {
	select {
	case answer := <-e.empty:
		answer <- e.truncate()
	default:
	}
}

// truncate copies what is left of the log into the database and cuts it to nothing. It
// does not wait for readers.
func (e *sqlite) truncate() error {
	busy, err := e.resetLog("TRUNCATE", 0)
	if err != nil {
		return fmt.Errorf("empty the log: %w", err)
	}
	if busy {
		return ErrLogInUse
	}
	e.checkpoint.reset()
	return nil
}
