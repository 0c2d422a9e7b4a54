package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/jackc/pgx/v5/stdlib"
	sqlite3 "github.com/mattn/go-sqlite3"

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
	pool, err := sql.Open("sqlite3", fileURI(path, readParameters(path)))
	if err != nil {
		return nil, fmt.Errorf("open database %s for reading: %w", path, err)
	}
	dialect := sqliteDialect()
	dialect.byForm = "" // it may have no such index yet
	return &Reader{store: &Store{dialect: dialect, read: newPool(pool, dialect), now: time.Now}}, nil
}

// readParameters are those to look into the file at path with.
func readParameters(path string) string {
	parameters := "mode=ro&_query_only=on&_busy_timeout=5000"
	if _, err := os.Stat(path + "-wal"); errors.Is(err, os.ErrNotExist) {
		parameters += "&immutable=1" // nobody has it open: leave no files of a log beside it
	}
	return parameters
}

// Events is Store.Events.
func (r *Reader) Events(ctx context.Context, f event.Filter) ([]event.Event, error) {
	return r.store.Events(ctx, f)
}

// Close closes the file.
func (r *Reader) Close() error { return r.store.read.Close() }

// readable is the version of the tables from which on a Reader finds versions
// of the configuration in them.
const readable = 18

// ErrOlder reports a database whose tables no start of this version has
// brought up to date yet.
var ErrOlder = errors.New("the database was written by an older version of hookgate: start hookgate serve once")

// OpenPostgresReader looks into the PostgreSQL database at url as OpenReader
// does into a file. It registers no replica.
func OpenPostgresReader(url event.Secret) (*Reader, error) {
	config, err := parseURL(url)
	if err != nil {
		return nil, err
	}
	config.RuntimeParams["default_transaction_read_only"] = "on"
	dialect := postgresDialect()
	return &Reader{store: &Store{dialect: dialect, read: newPool(stdlib.OpenDB(*inSession(config)), dialect), now: time.Now}}, nil
}

// Begun reports whether there are tables of hookgate's.
func (r *Reader) Begun(ctx context.Context) (bool, error) {
	var there bool
	if err := r.store.read.QueryRowContext(ctx, r.store.dialect.begun).Scan(&there); err != nil {
		if code, ok := errors.AsType[sqlite3.Error](err); ok && code.Code == sqlite3.ErrNotADB {
			return false, errors.New("the file of storage.path is no SQLite database: name another one, hookgate makes it")
		}
		return false, fmt.Errorf("open database: %w", err)
	}
	return there, nil
}

// Check makes sure that the tables are as this version knows them.
func (r *Reader) Check(ctx context.Context) error {
	var version int64
	err := r.store.read.QueryRowContext(ctx, `SELECT coalesce(max(version_id), 0) FROM goose_db_version`).Scan(&version)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNoHistory, err)
	}
	if version < readable {
		return ErrOlder
	}
	return nil
}

// Scan is Store.Scan.
func (r *Reader) Scan(ctx context.Context, f event.Filter, each func(*event.Event) error) error {
	return r.store.Scan(ctx, f, each)
}

// CountEvents is Store.CountEvents.
func (r *Reader) CountEvents(ctx context.Context, f event.Filter) (int, error) {
	return r.store.CountEvents(ctx, f)
}

// LatestPlan is Store.LatestPlan.
func (r *Reader) LatestPlan(ctx context.Context) (event.RuleSet, error) {
	return r.store.LatestPlan(ctx)
}

// ReadRecord is Store.ReadRecord.
func (r *Reader) ReadRecord(ctx context.Context, k event.RecordKey) (event.Record, error) {
	return r.store.ReadRecord(ctx, k)
}

// Records is Store.Records.
func (r *Reader) Records(ctx context.Context, table, after string, limit int) ([]event.Record, error) {
	return r.store.Records(ctx, table, after, limit)
}
