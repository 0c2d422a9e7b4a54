package db

import (
	"context"
	"encoding/json"
	"fmt"
)

// SavePlan keeps the names of a configuration's rules under its hash and
// returns the number that its events refer to. The same hash gives the same
// number again.
func (s *Store) SavePlan(hash string, rules []string) (int64, error) {
	names, err := json.Marshal(rules)
	if err != nil {
		return 0, fmt.Errorf("encode rule names: %w", err)
	}
	var id int64
	err = s.write(func(tx tx) error {
		return tx.query(func(row []any) error { id = row[0].(int64); return nil },
			`INSERT INTO plans (hash, rules, created) VALUES (?1, ?2, ?3)
			ON CONFLICT (hash) DO UPDATE SET rules = excluded.rules RETURNING id`,
			hash, string(names), tx.stamp().now)
	})
	if err != nil {
		return 0, fmt.Errorf("save the names of the rules: %w", err)
	}
	return id, nil
}

// ruleNames are the names of a plan's rules, in order.
func (s *Store) ruleNames(ctx context.Context, plan int64) ([]string, error) {
	if names, ok := s.plans.Load(plan); ok {
		return names.([]string), nil
	}
	var text string
	if err := s.read.QueryRowContext(ctx, `SELECT rules FROM plans WHERE id = ?1`, plan).Scan(&text); err != nil {
		return nil, fmt.Errorf("read plan %d: %w", plan, err)
	}
	var names []string
	if err := json.Unmarshal([]byte(text), &names); err != nil {
		return nil, fmt.Errorf("read plan %d: %w", plan, err)
	}
	s.plans.Store(plan, names)
	return names, nil
}
