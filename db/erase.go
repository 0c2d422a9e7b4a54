package db

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"time"
)

const (
	// eraseEvery is how often the log of SQLite is tried to be emptied, and
	// eraseTime for how long: a reader that still uses it is soon done.
	eraseEvery = 50 * time.Millisecond
	eraseTime  = 10 * time.Second
	// vacuumPages is how many free pages one transaction gives back.
	vacuumPages = 500
)

// ErrLogInUse reports that somebody reads the database for so long that its
// log still holds what was deleted. The next checkpoint overwrites it.
var ErrLogInUse = errors.New("the database's log is in use and could not be emptied")

// PurgeDeleted takes what was deleted out of the files of the database, as far as its
// engine can: SQLite gives back the free pages and empties the write-ahead log.
// On PostgreSQL that is VACUUM's business; done is false then.
func (s *Store) PurgeDeleted(ctx context.Context) (done bool, err error) {
	e, ok := s.engine.(*sqlite)
	if !ok {
		return false, nil
	}
	for before, free := int64(0), int64(-1); free != before && free != 0 && ctx.Err() == nil; {
		before = free
		if free, err = s.givePagesBack(e); err != nil { //nolint:contextcheck // the driver is slow with contexts that can end, see change
			return false, fmt.Errorf("give free pages back: %w", err)
		}
	}
	return e.awaitEmptyLog(ctx, func() error { return s.write(func(tx) error { return nil }) })
}

// awaitEmptyLog asks the writer to empty the log until nobody stands in its
// way. The writer does it between two batches: wake makes it go round.
func (e *sqlite) awaitEmptyLog(ctx context.Context, wake func() error) (done bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, eraseTime)
	defer cancel()
	every := time.NewTicker(eraseEvery)
	defer every.Stop()
	for {
		answer := make(chan error, 1)
		select {
		case e.empty <- answer:
		case <-ctx.Done():
			return false, ErrLogInUse
		}
		if err := wake(); err != nil {
			return false, err
		}
		select {
		case err = <-answer:
		case <-ctx.Done():
			return false, ErrLogInUse
		}
		if !errors.Is(err, ErrLogInUse) {
			return err == nil, err
		}
		select {
		case <-every.C:
		case <-ctx.Done():
			return false, ErrLogInUse
		}
	}
}

// givePagesBack cuts some of the free pages off the file and tells how many are left.
func (s *Store) givePagesBack(e *sqlite) (left int64, err error) {
	err = s.write(func(tx tx) error {
		if err := pragma(e.conn, fmt.Sprintf("PRAGMA incremental_vacuum(%d)", vacuumPages)); err != nil {
			return err
		}
		return tx.query(func(row []any) error { left = row[0].(int64); return nil }, "PRAGMA freelist_count")
	})
	return left, err
}

// emptyLog does what Erase has asked for, if it has.
func (e *sqlite) emptyLog() {
	select {
	case answer := <-e.empty:
		answer <- e.truncate()
	default:
	}
}

// truncate copies the log into the database and cuts it to nothing. It does
// not wait for readers.
func (e *sqlite) truncate() (err error) {
	if err := pragma(e.conn, "PRAGMA busy_timeout = 20"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, pragma(e.conn, "PRAGMA busy_timeout = 5000")) }()
	rows, err := e.conn.QueryContext(context.Background(), "PRAGMA wal_checkpoint(TRUNCATE)", nil)
	if err != nil {
		return fmt.Errorf("empty the log: %w", err)
	}
	values := make([]driver.Value, len(rows.Columns()))
	err = rows.Next(values)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	if err = errors.Join(err, rows.Close()); err != nil {
		return fmt.Errorf("empty the log: %w", err)
	}
	if busy, _ := values[0].(int64); busy != 0 {
		return ErrLogInUse
	}
	e.checkpoint.written = 0
	return nil
}
