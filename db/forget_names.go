package db

import (
	"context"
	"fmt"
)

// namesPage is how many rows ForgetNames reads at once.
const namesPage = 1000

// EraseNames deletes what stands under a text that names says yes to: what
// connections remember under it, and the runs of replays that were selected by
// it. It returns how many there were.
func (s *Store) EraseNames(ctx context.Context, names func(text string) bool) (int, error) {
	count, err := s.forgetMemory(ctx, names)
	if err != nil {
		return count, fmt.Errorf("delete what connections remember: %w", err)
	}
	runs, err := s.forgetRuns(ctx, names)
	if err != nil {
		return count + runs, fmt.Errorf("delete runs of replays: %w", err)
	}
	return count + runs, nil
}

// memoryKey is the key of table memory.
type memoryKey struct{ connection, key string }

func (s *Store) forgetMemory(ctx context.Context, names func(string) bool) (count int, err error) {
	var after memoryKey
	for {
		page, found, err := s.memoryPage(ctx, after, names)
		if err != nil || len(page) == 0 {
			return count, err
		}
		after = page[len(page)-1]
		if len(found) == 0 {
			continue
		}
		err = s.write(func(tx tx) error { //nolint:contextcheck // as in Erase
			restore, err := overwriting(tx)
			if err != nil {
				return err
			}
			defer restore()
			for _, k := range found {
				if err := tx.exec(`DELETE FROM memory WHERE connection = ?1 AND key = ?2`, k.connection, k.key); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return count, err
		}
		count += len(found)
	}
}

// memoryPage reads the next rows and picks those with a name in them.
func (s *Store) memoryPage(ctx context.Context, after memoryKey, names func(string) bool) (page, found []memoryKey, err error) {
	rows, err := s.read.QueryContext(ctx, `SELECT connection, key, value FROM memory WHERE connection > ?1 OR (connection = ?1 AND key > ?2)
		ORDER BY connection, key LIMIT ?3`, after.connection, after.key, int64(namesPage))
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var k memoryKey
		var value string
		if err := rows.Scan(&k.connection, &k.key, &value); err != nil {
			return nil, nil, err
		}
		page = append(page, k)
		if names(k.key) || names(value) {
			found = append(found, k)
		}
	}
	return page, found, rows.Err()
}

func (s *Store) forgetRuns(ctx context.Context, names func(string) bool) (int, error) {
	ids, err := s.runsNaming(ctx, names)
	if err != nil || len(ids) == 0 {
		return 0, err
	}
	err = s.write(func(tx tx) error { //nolint:contextcheck // as in Erase
		restore, err := overwriting(tx)
		if err != nil {
			return err
		}
		defer restore()
		for _, id := range ids {
			if err := tx.exec(`DELETE FROM replay_runs WHERE id = ?1`, id); err != nil {
				return err
			}
		}
		return nil
	})
	return len(ids), err
}

func (s *Store) runsNaming(ctx context.Context, names func(string) bool) ([]int64, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT id, selection FROM replay_runs`)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var ids []int64
	for rows.Next() {
		var id int64
		var selection string
		if err := rows.Scan(&id, &selection); err != nil {
			return nil, err
		}
		if names(selection) {
			ids = append(ids, id)
		}
	}
	return ids, rows.Err()
}
