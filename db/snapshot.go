package db

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	sqlite3 "github.com/mattn/go-sqlite3"

	"hookgate/internal/event"
)

// snapshotPages is how many pages are copied between two looks at the context.
const snapshotPages = 512

// Snapshot copies the SQLite database at path, which a process may be writing
// to, into a new file: as it was at one moment, after all that was committed
// before the call. Writers are not held up; while it copies, their log cannot
// be taken up into the database and grows. progress is told of bytes, and may
// be nil.
func Snapshot(ctx context.Context, path, target string, progress func(done, all int64)) (err error) {
	if _, err := os.Stat(path); err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	if _, err := os.Stat(target); err == nil {
		return fmt.Errorf("%s: %w", target, fs.ErrExist)
	}
	source, err := openPlain(path, readParameters(path))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, source.Close()) }()
	// The transaction is what keeps one moment: without it the copy would begin
	// anew at each commit.
	for _, statement := range []string{"BEGIN", "SELECT count(*) FROM sqlite_schema"} {
		if err := pragma(source, statement); err != nil { //nolint:contextcheck // neither of them waits
			return fmt.Errorf("read database %s: %w", path, err)
		}
	}
	to, err := openPlain(target, "_journal_mode=OFF&_synchronous=OFF") // what is torn is thrown away
	if err != nil {
		return err
	}
	defer func() {
		if err = errors.Join(err, to.Close()); err != nil {
			_ = os.Remove(target)
		}
	}()
	if err := os.Chmod(target, 0o600); err != nil {
		return fmt.Errorf("make the copy: %w", err)
	}
	return copyPages(ctx, to, source, progress)
}

func copyPages(ctx context.Context, to, source *sqlite3.SQLiteConn, progress func(done, all int64)) (err error) {
	backup, err := to.Backup("main", source, "main")
	if err != nil {
		return fmt.Errorf("copy the database: %w", err)
	}
	defer func() { err = errors.Join(err, backup.Close()) }()
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		done, err := backup.Step(snapshotPages)
		if err != nil {
			return fmt.Errorf("copy the database: %w", err)
		}
		if progress != nil {
			all := int64(backup.PageCount())
			progress((all-int64(backup.Remaining()))*pageSize, all*pageSize)
		}
		if done {
			return nil
		}
	}
}

func openPlain(path, parameters string) (*sqlite3.SQLiteConn, error) {
	conn, err := (&sqlite3.SQLiteDriver{}).Open(fileURI(path, parameters))
	if err != nil {
		return nil, fmt.Errorf("open database %s: %w", path, err)
	}
	return conn.(*sqlite3.SQLiteConn), nil
}

// Lock takes the place of the one process on a SQLite database, so that none
// starts. The error is ErrInUse where one runs.
func Lock(path string) (release func() error, err error) {
	f, err := lockFile(path + ".lock")
	if err != nil {
		return nil, err
	}
	return f.Close, nil
}

// FileInfo is what a SQLite database says of itself.
type FileInfo struct {
	Tables, Known int64    // the version of its tables, and the newest that is known here
	Events        int64    // how many there are
	Newest        event.ID // 0: there is none
	Folder        int64    // the number of its folder for files; 0: it has none
	// Damage is what SQLite finds wrong with it, where that was asked for.
	Damage []string
}

// maxDamage is how many faults of a file are told.
const maxDamage = 10

// Inspect looks at the database file at path; a process may be running on it.
// thorough reads all of it and says whether it is whole, quick what its pages
// say alone.
func Inspect(ctx context.Context, path string, thorough bool) (info FileInfo, err error) {
	r, err := OpenReader(path)
	if err != nil {
		return info, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	pragma := "PRAGMA quick_check(10)"
	if thorough {
		pragma = "PRAGMA integrity_check(10)"
	}
	if info.Damage, err = r.damage(ctx, pragma); err != nil || len(info.Damage) > 0 {
		return info, err
	}
	if info.Known, err = newestTables(); err != nil {
		return info, err
	}
	err = r.store.read.QueryRowContext(ctx, `SELECT (SELECT max(version_id) FROM goose_db_version WHERE is_applied), (SELECT count(*) FROM events),
		(SELECT coalesce(max(id), 0) FROM events)`).Scan(&info.Tables, &info.Events, &info.Newest)
	if err != nil {
		return info, fmt.Errorf("%s is no database of hookgate: %w", path, err)
	}
	info.Folder, err = r.store.FilesFolder(ctx)
	return info, err
}

// damage is what SQLite's own check finds.
func (r *Reader) damage(ctx context.Context, pragma string) ([]string, error) {
	rows, err := r.store.read.QueryContext(ctx, pragma)
	var list []string
	if err == nil {
		defer func() { _ = rows.Close() }()
		for rows.Next() && len(list) < maxDamage {
			var line string
			if err = rows.Scan(&line); err == nil && line != "ok" {
				list = append(list, strings.Split(strings.TrimSpace(line), "\n")...)
			}
		}
		err = errors.Join(err, rows.Err())
	}
	if code, ok := errors.AsType[sqlite3.Error](err); ok && (code.Code == sqlite3.ErrCorrupt || code.Code == sqlite3.ErrNotADB) {
		return append(list, code.Error()), nil
	}
	return list[:min(len(list), maxDamage)], err
}

// newestTables is the version of the tables that this program makes.
func newestTables() (int64, error) {
	entries, err := fs.ReadDir(migrations, "migrations/sqlite")
	if err != nil {
		return 0, fmt.Errorf("read migrations: %w", err)
	}
	var newest int64
	for _, entry := range entries {
		var n int64
		if _, err := fmt.Sscanf(entry.Name(), "%d_", &n); err == nil {
			newest = max(newest, n)
		}
	}
	return newest, nil
}

// EachFile calls do for each file that belongs to an event.
func (r *Reader) EachFile(ctx context.Context, do func(event.File) error) error {
	rows, err := r.store.read.QueryContext(ctx, `SELECT `+fileColumns+` FROM files WHERE event <> 0`)
	if err != nil {
		return fmt.Errorf("list files: %w", err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		f, err := scanFile(rows)
		if err != nil {
			return fmt.Errorf("list files: %w", err)
		}
		if err := do(f); err != nil {
			return err
		}
	}
	return rows.Err()
}

// HasFile reports whether a file still belongs to an event.
func (r *Reader) HasFile(ctx context.Context, id string) (bool, error) {
	_, err := r.store.File(ctx, id)
	if errors.Is(err, event.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// IsNewer reports that the tables are of a version that is not known here.
func (i *FileInfo) IsNewer() bool { return i.Tables > i.Known }
