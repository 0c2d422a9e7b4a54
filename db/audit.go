package db

import (
	"context"
	"fmt"

	"hookgate/internal/event"
)

// Audit keeps a record of what was done by hand. It takes the place of the one
// with its ID, so that long work can be recorded as it goes.
func (s *Store) Audit(a event.Audit) error {
	err := s.write(func(tx tx) error {
		return tx.exec(`INSERT INTO audit (id, action, detail) VALUES (?1, ?2, ?3) ON CONFLICT (id) DO UPDATE SET detail = excluded.detail`,
			int64(a.ID), a.Action, string(a.Detail))
	})
	if err != nil {
		return fmt.Errorf("record %s: %w", a.ID, err)
	}
	return nil
}

// Audits are the last records of an action, newest first; those from one on,
// downwards, where from is not 0.
func (s *Store) Audits(ctx context.Context, action string, from event.AuditID, limit int) ([]event.Audit, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT id, detail FROM audit WHERE action = ?1 AND (id <= ?2 OR ?2 = 0) ORDER BY id DESC LIMIT ?3`,
		action, int64(from), int64(limit))
	if err != nil {
		return nil, fmt.Errorf("read records: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var list []event.Audit
	for rows.Next() {
		a := event.Audit{Action: action}
		var detail string
		if err := rows.Scan(&a.ID, &detail); err != nil {
			return nil, fmt.Errorf("read records: %w", err)
		}
		a.Detail = []byte(detail)
		list = append(list, a)
	}
	return list, rows.Err()
}
