package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"hookgate/internal/event"
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

// claimOf is what the entry of a claim of a key begins with.
const claimOf = "claim "

// ClaimKey gives key of a connection to the caller alone, of all processes, for
// a time at most. The number is for ReleaseKey; 0: somebody else has the key.
func (s *Store) ClaimKey(connection, key string, keep time.Duration) (number event.ID, err error) {
	mine := s.NewIDs(1)
	err = s.write(func(tx tx) error {
		number = 0
		return tx.query(func([]any) error { number = mine; return nil },
			`INSERT INTO memory (connection, key, value, expires) VALUES (?1, ?2, ?3, ?4)
			ON CONFLICT (connection, key) DO UPDATE SET value = excluded.value, expires = excluded.expires WHERE memory.expires <= ?5
			RETURNING connection`, connection, claimOf+key, mine.String(), tx.stamp().now+keep.Microseconds(), tx.stamp().now)
	})
	if err != nil {
		return 0, fmt.Errorf("claim a key of %s: %w", connection, err)
	}
	return number, nil
}

// ReleaseKey ends a claim that is still the caller's. Where it cannot, the
// claim's time ends it.
func (s *Store) ReleaseKey(connection, key string, number event.ID) {
	_ = s.write(func(tx tx) error {
		return tx.exec(`DELETE FROM memory WHERE connection = ?1 AND key = ?2 AND value = ?3`, connection, claimOf+key, number.String())
	})
}
