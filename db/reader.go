package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"

	"hookgate/internal/event"
)

// Reader looks into a SQLite database without changing it: neither are its
// tables brought up to date nor is anything claimed. Another process may be
// running on it.
type Reader struct{ store *Store }

// OpenReader opens the file at path. The error is os.ErrNotExist if there is
// none; one that is not hookgate's is found out by the first query.
func OpenReader(path string) (*Reader, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	parameters := "mode=ro&_query_only=on&_busy_timeout=5000"
	if _, err := os.Stat(path + "-wal"); errors.Is(err, os.ErrNotExist) {
		parameters += "&immutable=1" // nobody has it open: leave no files of a log beside it
	}
	pool, err := sql.Open("sqlite3", fileURI(path, parameters))
	if err != nil {
		return nil, fmt.Errorf("open database %s for reading: %w", path, err)
	}
	dialect := sqliteDialect()
	return &Reader{store: &Store{dialect: dialect, read: newPool(pool, dialect)}}, nil
}

// Events is Store.Events.
func (r *Reader) Events(ctx context.Context, f event.Filter) ([]event.Event, error) {
	return r.store.Events(ctx, f)
}

// Close closes the file.
func (r *Reader) Close() error { return r.store.read.Close() }
