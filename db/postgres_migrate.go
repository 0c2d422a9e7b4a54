package db

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"
	"github.com/pressly/goose/v3/lock"
)

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
