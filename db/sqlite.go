package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"syscall"
	"time"

	sqlite3 "github.com/mattn/go-sqlite3"

	_ "hookgate/internal/cgo" // first, so that its error is the one that is told
)

// sqlite is the engine on one file. It writes through one raw connection of
// the driver: database/sql would cost a third of the time of an insert.
type sqlite struct {
	path       string
	conn       *sqlite3.SQLiteConn
	statements map[string]*statement
	lock       *os.File
	logger     *slog.Logger
	now        func() time.Time
	checkpoint *checkpointer
	empty      chan chan error // asks the writer to empty the log, see purge
	besides    int64           // what the transaction writes beside what its operations say, in bytes
	packed     []byte          // the writer's, for what it inserts: SQLite copies what it is given
}

// statement is a prepared statement with its arguments' places.
type statement struct {
	stmt *sqlite3.SQLiteStmt
	args []driver.NamedValue
}

// fileURI is the driver's name for the file with the given parameters.
func fileURI(path, parameters string) string {
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + parameters
}

// writerParameters: FULL is what makes a commit survive a power failure; the
// driver's default in WAL mode is NORMAL, which does not. Checkpoints are the
// checkpointer's business. incremental auto_vacuum lets retention give pages
// back. A secure_delete of FAST overwrites what is deleted within a page that is
// written anyway: else an update would leave a copy of the row there that nothing
// deletes later.
const writerParameters = "_journal_mode=WAL&_synchronous=FULL&_busy_timeout=5000&_foreign_keys=on&_auto_vacuum=incremental&_cache_size=-16384&_secure_delete=FAST"

func openSQLite(ctx context.Context, path string, opt Options) (*sqlite, error) {
	logger := opt.Logger
	lock, err := lockFile(path + ".lock")
	if err != nil {
		return nil, err
	}
	e := &sqlite{path: path, lock: lock, logger: logger, now: opt.Now, statements: map[string]*statement{}, empty: make(chan chan error, 1)}
	if err := create(ctx, path, logger); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	if err := migrate(ctx, path, logger); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	if e.conn, err = openRaw(path); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	if e.checkpoint, err = startCheckpointer(path, logger); err != nil { //nolint:contextcheck // it outlives Open
		return nil, errors.Join(err, e.conn.Close(), lock.Close())
	}
	if err := e.prepareFile(); err != nil { //nolint:contextcheck // the driver is slow with contexts that can end, see change
		return nil, errors.Join(err, e.close())
	}
	return e, nil
}

// openRaw opens a connection of the driver without database/sql.
func openRaw(path string) (*sqlite3.SQLiteConn, error) {
	conn, err := (&sqlite3.SQLiteDriver{}).Open(fileURI(path, writerParameters+"&_mutex=no"))
	if err != nil {
		return nil, fmt.Errorf("open database %s: %w", path, err)
	}
	return conn.(*sqlite3.SQLiteConn), nil
}

// openReaders opens the pool for reading.
func openReaders(path string) (*sql.DB, error) {
	pool, err := sql.Open("sqlite3", fileURI(path, "mode=ro&_query_only=on&_busy_timeout=5000&_stmt_cache_size=32"))
	if err != nil {
		return nil, fmt.Errorf("open database %s for reading: %w", path, err)
	}
	pool.SetMaxOpenConns(4)
	pool.SetMaxIdleConns(4)
	return pool, nil
}

// lockFile takes an exclusive lock that ends with the process, however it ends.
func lockFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600) //nolint:gosec // the path is the configuration's
	if err != nil {
		return nil, fmt.Errorf("open lock file: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, ErrInUse), f.Close())
	}
	return f, nil
}

// prepareFile turns off automatic checkpoints and frees what a dead process
// had claimed, so that it is claimed again: before anything else, in the
// order of acceptance (entries of one due time stand in the order of their ids).
func (e *sqlite) prepareFile() error {
	for _, pragma := range []string{"PRAGMA wal_autocheckpoint = 0", "PRAGMA journal_size_limit = 67108864"} {
		if err := e.query(nil, pragma); err != nil {
			return fmt.Errorf("%s: %w", pragma, err)
		}
	}
	return e.inTransaction(func() error {
		return e.exec(`UPDATE deliveries SET owner = 0, due = 0 WHERE state = 0 AND owner > 0`)
	})
}

// statement prepares query once.
func (e *sqlite) statement(query string) (*statement, error) {
	if st, ok := e.statements[query]; ok {
		return st, nil
	}
	prepared, err := e.conn.Prepare(query)
	if err != nil {
		return nil, fmt.Errorf("prepare %.60q: %w", query, err)
	}
	st := &statement{stmt: prepared.(*sqlite3.SQLiteStmt), args: make([]driver.NamedValue, prepared.NumInput())}
	for i := range st.args {
		st.args[i].Ordinal = i + 1
	}
	e.statements[query] = st
	return st, nil
}

func (st *statement) bind(args []any) error {
	if len(args) != len(st.args) {
		return fmt.Errorf("statement takes %d arguments, got %d", len(st.args), len(args))
	}
	for i, a := range args {
		st.args[i].Value = a
	}
	return nil
}

// exec runs a statement.
func (e *sqlite) exec(query string, args ...any) error {
	_, err := e.change(query, args...)
	return err
}

// change runs a statement and returns how many rows it changed. The context is
// one that cannot be cancelled: with any other the driver starts a goroutine
// for each call.
func (e *sqlite) change(query string, args ...any) (int64, error) {
	st, err := e.statement(query)
	if err != nil {
		return 0, err
	}
	if err := st.bind(args); err != nil {
		return 0, err
	}
	result, err := st.stmt.ExecContext(context.Background(), st.args)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// query runs a statement and calls scan, if any, for each row. The row is
// valid until scan returns.
func (e *sqlite) query(scan func(row []any) error, query string, args ...any) (err error) {
	st, err := e.statement(query)
	if err != nil {
		return err
	}
	if err := st.bind(args); err != nil {
		return err
	}
	rows, err := st.stmt.QueryContext(context.Background(), st.args)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	values := make([]driver.Value, len(rows.Columns()))
	row := make([]any, len(values))
	for {
		if err := rows.Next(values); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		if scan == nil {
			continue
		}
		for i, v := range values {
			row[i] = v
		}
		if err := scan(row); err != nil {
			return err
		}
	}
}

// inTransaction commits what do did, or rolls it back.
func (e *sqlite) inTransaction(do func() error) error {
	if err := e.exec("BEGIN IMMEDIATE"); err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	err := do()
	if err == nil {
		if err = e.exec("COMMIT"); err == nil {
			return nil
		}
		err = fmt.Errorf("commit: %w", err)
	}
	if !e.conn.AutoCommit() { // SQLite rolls back by itself on some errors
		err = errors.Join(err, e.exec("ROLLBACK"))
	}
	return err
}

// faultOf: an error of the disk's flush or of the file itself is fatal,
// because what SQLite believes to be on the disk may not be. What can pass (no
// space, a lock, too many files) is not; the rest is the operation's own.
func (e *sqlite) faultOf(err error) fault {
	var se sqlite3.Error
	if !errors.As(err, &se) {
		return faultOfOperation
	}
	switch se.ExtendedCode {
	case sqlite3.ErrIoErrFsync, sqlite3.ErrIoErrDirFsync:
		return faultFatal
	}
	switch se.Code {
	case sqlite3.ErrCorrupt, sqlite3.ErrNotADB:
		return faultFatal
	case sqlite3.ErrFull, sqlite3.ErrBusy, sqlite3.ErrLocked, sqlite3.ErrIoErr, sqlite3.ErrCantOpen, sqlite3.ErrNomem, sqlite3.ErrReadonly, sqlite3.ErrPerm, sqlite3.ErrProtocol:
		return faultUnavailable
	}
	return faultOfOperation
}

func (e *sqlite) size() (int64, error) {
	var total int64
	for _, suffix := range []string{"", "-wal"} {
		info, err := os.Stat(e.path + suffix)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return 0, err
		}
		total += info.Size()
	}
	return total, nil
}

// owner is the one process on the file, in deliveries.owner.
const owner = 1

func (e *sqlite) stamp() stamp {
	now := e.now()
	return stamp{now: micros(now), owner: owner, until: micros(now.Add(Lease))}
}

// notify has nobody to tell: the process is alone.
func (e *sqlite) notify(string) error { return nil }

func (e *sqlite) replica() (id int64, shared bool) { return owner, false }

func (e *sqlite) limits(pool) *SharedLimits { return nil }

// holds: whoever holds the file's lock holds the claims.
func (e *sqlite) holds(int64) bool { return true }

func (e *sqlite) close() error {
	err := e.checkpoint.stop()
	for _, st := range e.statements {
		err = errors.Join(err, st.stmt.Close())
	}
	return errors.Join(err, e.conn.Close(), e.lock.Close())
}
