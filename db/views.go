package db

import (
	"context"
	"fmt"
	"time"

	"hookgate/internal/event"
)

// Views are the kept lists of events, by name.
func (s *Store) Views(ctx context.Context) ([]event.View, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT name, query, who, changed FROM views ORDER BY name`)
	if err != nil {
		return nil, fmt.Errorf("list views: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var list []event.View
	for rows.Next() {
		var v event.View
		var changed int64
		if err := rows.Scan(&v.Name, &v.Query, &v.By, &changed); err != nil {
			return nil, fmt.Errorf("list views: %w", err)
		}
		v.Changed = time.UnixMicro(changed).UTC()
		list = append(list, v)
	}
	return list, rows.Err()
}

// SetView keeps a view, in the place of one of its name: with fresh not in that of
// another search, which is event.ErrNotAsSeen. It is compared as it is written, so that of
// several at once one is kept. A new one is kept only where there are fewer than most;
// kept says whether it was.
func (s *Store) SetView(v event.View, most int, fresh bool) (kept bool, err error) {
	over := int64(1) // of another search
	if fresh {
		over = 0
	}
	err = s.write(func(tx tx) error {
		kept = false
		err := tx.query(func([]any) error { kept = true; return nil },
			`INSERT INTO views (name, query, who, changed)
				SELECT CAST(?1 AS text), CAST(?2 AS text), CAST(?3 AS text), CAST(?4 AS bigint) WHERE (SELECT count(*) FROM views) < ?5 OR EXISTS (SELECT 1 FROM views WHERE name = ?1)
			ON CONFLICT (name) DO UPDATE SET query = excluded.query, who = excluded.who, changed = excluded.changed
				WHERE CAST(?6 AS bigint) = 1 OR views.query = excluded.query RETURNING name`,
			clean(v.Name), clean(v.Query), clean(v.By), tx.stamp().now, int64(most), over)
		if err != nil || kept || !fresh {
			return err
		}
		return tx.query(func([]any) error { return refusal{event.ErrNotAsSeen} }, `SELECT 1 FROM views WHERE name = ?1 AND query <> ?2`, clean(v.Name), clean(v.Query))
	})
	if err != nil {
		return false, fmt.Errorf("keep the view %s: %w", v.Name, err)
	}
	return kept, nil
}

// DeleteView deletes a view; event.ErrNotFound where there is none of that name.
func (s *Store) DeleteView(name string) error {
	return s.write(func(tx tx) error {
		found := false
		err := tx.query(func([]any) error { found = true; return nil }, `DELETE FROM views WHERE name = ?1 RETURNING name`, clean(name))
		if err == nil && !found {
			err = refusal{event.ErrNotFound}
		}
		if err != nil {
			return fmt.Errorf("delete the view %s: %w", name, err)
		}
		return nil
	})
}
