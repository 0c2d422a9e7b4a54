package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Recall is what was kept of a connection under key.
func (s *Store) Recall(ctx context.Context, connection, key string) (value string, found bool, err error) {
	err = s.read.QueryRowContext(ctx, `SELECT value FROM memory WHERE connection = ?1 AND key = ?2`, connection, key).Scan(&value)
	if errors.Is(err, sql.ErrNoRows) {
		return "", false, nil
	}
	if err != nil {
		return "", false, fmt.Errorf("recall %s: %w", connection, err)
	}
	return value, true, nil
}

// Remember keeps value under key of a connection, for a time.
func (s *Store) Remember(connection, key, value string, keep time.Duration) error {
	err := s.write(func(tx tx) error {
		return tx.exec(`INSERT INTO memory (connection, key, value, expires) VALUES (?1, ?2, ?3, ?4)
			ON CONFLICT (connection, key) DO UPDATE SET value = excluded.value, expires = excluded.expires`,
			connection, key, value, tx.stamp().now+keep.Microseconds())
	})
	if err != nil {
		return fmt.Errorf("remember %s: %w", connection, err)
	}
	return nil
}
