package db

import (
	"context"
	"crypto/rand"
	"database/sql"
	"embed"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"
	"github.com/pressly/goose/v3/lock"

	"hookgate/internal/disk"
	"hookgate/internal/event"
)

//go:embed migrations
var migrations embed.FS

// ErrNewer reports a database that a newer version of hookgate has migrated.
var ErrNewer = errors.New("the database was written by a newer version of hookgate")

// migrate brings the tables up to date.
func migrate(ctx context.Context, path string, logger *slog.Logger) (err error) {
	conn, err := sql.Open("sqlite3", fileURI(path, writerParameters))
	if err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	conn.SetMaxOpenConns(1)
	if err := upgradeFile(ctx, conn, logger); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// upgradeFile applies what is missing in a file, and gives a new one its node number.
func upgradeFile(ctx context.Context, conn *sql.DB, logger *slog.Logger) error {
	folder, err := fs.Sub(migrations, "migrations/sqlite")
	if err != nil {
		return fmt.Errorf("open migrations: %w", err)
	}
	provider, err := goose.NewProvider(database.DialectSQLite3, conn, folder, goose.WithSlog(slog.New(slog.DiscardHandler)))
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	if err := upgrade(ctx, provider, logger); err != nil {
		return err
	}
	var random [2]byte
	_, _ = rand.Read(random[:]) // never fails, see crypto/rand
	node := int64(binary.BigEndian.Uint16(random[:]) % event.Nodes)
	if _, err := conn.ExecContext(ctx, `INSERT OR IGNORE INTO meta (key, value) VALUES ('node', ?1)`, node); err != nil {
		return fmt.Errorf("write node number: %w", err)
	}
	return nil
}

// pageSize is the bytes of a page. A commit writes whole pages; with 8 KB in
// place of SQLite's 4 it writes half as many, and an event with two deliveries
// costs an eighth less CPU. 16 KB was no better and takes more disk.
const pageSize = 8192

// create makes a new database, readable by its owner only, beside its place and moves
// it there: it is on the disk whole, or there is none. So its migrations wait for no
// flush of their own, of which there would be some hundred. An empty file that stands
// ready is filled where it is.
func create(ctx context.Context, path string, logger *slog.Logger) error {
	info, err := os.Stat(path)
	if err == nil && info.Size() > 0 {
		return nil
	}
	ready := err == nil
	if to, err := os.Readlink(path); err == nil && !ready { // to where there is nothing yet
		if !filepath.IsAbs(to) {
			to = filepath.Join(filepath.Dir(path), to)
		}
		path = to
	}
	made := path + ".new"
	// What a start that was interrupted left, and the logs of a file that is gone, which
	// SQLite would take for those of the new one.
	for _, left := range []string{made, path + "-wal", path + "-shm", path + "-journal"} {
		if err := os.Remove(left); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("create database: %w", err)
		}
	}
	if ready {
		made = path
	}
	f, err := os.OpenFile(made, os.O_CREATE|os.O_RDWR, 0o600) //nolint:gosec // the path is the configuration's
	if err != nil {
		return fmt.Errorf("create database: %w", err)
	}
	err = errors.Join(fill(ctx, made, logger), f.Sync(), f.Close())
	if err == nil && !ready {
		err = os.Rename(made, path)
	}
	if err = errors.Join(err, disk.SyncFolder(filepath.Dir(path))); err != nil {
		return fmt.Errorf("create database %s: %w", path, err)
	}
	return nil
}

// fill makes the tables of a new file. What it sets first can be set only before them.
func fill(ctx context.Context, path string, logger *slog.Logger) (err error) {
	conn, err := sql.Open("sqlite3", fileURI(path, "_auto_vacuum=incremental&_foreign_keys=on&_journal_mode=MEMORY&_synchronous=OFF"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	conn.SetMaxOpenConns(1)
	if _, err := conn.ExecContext(ctx, fmt.Sprintf("PRAGMA page_size = %d; VACUUM", pageSize)); err != nil {
		return err
	}
	return upgradeFile(ctx, conn, logger)
}

// migratePostgres brings the tables up to date. Of several processes that
// start at once one does it; the others wait for it.
func migratePostgres(ctx context.Context, config *pgx.ConnConfig, logger *slog.Logger) (err error) {
	conn := stdlib.OpenDB(*inSession(config))
	defer func() { err = errors.Join(err, conn.Close()) }()
	schema, err := inspect(ctx, conn)
	if err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockID(hash("schema", schema)), lock.WithLockTimeout(1, 300))
	if err != nil {
		return fmt.Errorf("prepare migrations: %w", err)
	}
	folder, err := fs.Sub(migrations, "migrations/postgres")
	if err != nil {
		return fmt.Errorf("open migrations: %w", err)
	}
	provider, err := goose.NewProvider(database.DialectPostgres, conn, folder,
		goose.WithSlog(slog.New(slog.DiscardHandler)), goose.WithSessionLocker(locker))
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	return upgrade(ctx, provider, logger)
}

// upgrade applies what is missing, and refuses what it does not know.
func upgrade(ctx context.Context, provider *goose.Provider, logger *slog.Logger) error {
	current, newest, err := provider.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	if current > newest {
		return fmt.Errorf("%w: its tables are of version %d, this version knows %d", ErrNewer, current, newest)
	}
	if current == newest {
		return nil
	}
	applied, err := provider.Up(ctx)
	if err != nil {
		return fmt.Errorf("migrate database: %w", err)
	}
	if len(applied) > 0 {
		logger.InfoContext(ctx, "database migrated", "from", current, "to", newest)
	}
	return nil
}
