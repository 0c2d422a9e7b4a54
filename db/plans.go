package db

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"hookgate/internal/event"
)

// planIdle is how long a version must have been out of force to be deleted:
// the clocks of several machines differ, and a replica that cannot reach the
// database for a while is still using the version that it loaded.
const planIdle = 24 * time.Hour

// SavePlan keeps a version of the configuration under its hash and returns the
// number that its events refer to. The same hash gives the same number again.
func (s *Store) SavePlan(v event.RuleSet) (int64, error) { return s.ReplacePlan(0, v) }

// ReplacePlan is SavePlan of a version that comes into force in the place of the one
// with the number before, and notes that this was in force until now.
func (s *Store) ReplacePlan(before int64, v event.RuleSet) (int64, error) {
	names, err := json.Marshal(v.Rules)
	if err != nil {
		return 0, fmt.Errorf("encode rule names: %w", err)
	}
	var source any
	if len(v.Source) > 0 {
		source = pack(nil, v.Source)
	}
	hashes := make([]string, len(v.Parts))
	for i, p := range v.Parts {
		hashes[i] = p.Hash
	}
	parts, err := jsonList(hashes)
	if err != nil {
		return 0, err
	}
	var id int64
	err = s.write(func(tx tx) error {
		for _, p := range v.Parts {
			if err := tx.exec(`INSERT INTO parts (hash, content) VALUES (?1, ?2) ON CONFLICT (hash) DO NOTHING`, p.Hash, pack(nil, p.Text)); err != nil {
				return err
			}
		}
		// A microsecond before the next one is: LatestPlan is the one that was used last.
		if err := tx.exec(`UPDATE plans SET used = ?2 WHERE id = ?1`, before, tx.stamp().now-1); err != nil {
			return err
		}
		return tx.query(func(row []any) error { id = row[0].(int64); return nil },
			`INSERT INTO plans (hash, rules, created, source, used, parts) VALUES (?1, ?2, ?3, ?4, ?3, ?5)
			ON CONFLICT (hash) DO UPDATE SET rules = excluded.rules, source = excluded.source, used = excluded.used, parts = excluded.parts RETURNING id`,
			v.Hash, string(names), tx.stamp().now, source, parts)
	})
	if err != nil {
		return 0, fmt.Errorf("save the version of the configuration: %w", err)
	}
	return id, nil
}

// UsePlan notes that the version is in force still. It is to be called from
// time to time, for DropPlans goes by it.
func (s *Store) UsePlan(id int64) error {
	err := s.write(func(tx tx) error {
		return tx.exec(`UPDATE plans SET used = ?2 WHERE id = ?1`, id, tx.stamp().now)
	})
	if err != nil {
		return fmt.Errorf("note the version in force: %w", err)
	}
	return nil
}

// Plan is the version with the number; event.ErrNotFound if there is none.
func (s *Store) Plan(ctx context.Context, id int64) (event.RuleSet, error) {
	return s.plan(ctx, `id = ?1`, id)
}

// LatestPlan is the version that was in force last.
func (s *Store) LatestPlan(ctx context.Context) (event.RuleSet, error) {
	return s.plan(ctx, `id = (SELECT id FROM plans ORDER BY used DESC, id DESC LIMIT 1) AND ?1 = 0`, 0)
}

func (s *Store) plan(ctx context.Context, condition string, arg int64) (event.RuleSet, error) {
	var (
		v       event.RuleSet
		names   string
		created int64
		source  []byte
		parts   sql.NullString
	)
	err := s.read.QueryRowContext(ctx, `SELECT id, hash, rules, created, source, parts FROM plans WHERE `+condition, arg).
		Scan(&v.Plan, &v.Hash, &names, &created, &source, &parts)
	if errors.Is(err, sql.ErrNoRows) {
		return v, fmt.Errorf("version of the configuration: %w", event.ErrNotFound)
	}
	if err != nil {
		return v, fmt.Errorf("read version of the configuration: %w", err)
	}
	v.Created = time.UnixMicro(created).UTC()
	if err := json.Unmarshal([]byte(names), &v.Rules); err != nil {
		return v, fmt.Errorf("read plan %d: %w", v.Plan, err)
	}
	if v.Source, err = unpack(source); err != nil {
		return v, fmt.Errorf("read plan %d: %w", v.Plan, err)
	}
	if parts.Valid {
		v.Parts, err = s.parts(ctx, parts.String)
	}
	return v, err
}

// Plans are the versions before the one with the number, without what their
// rules are compiled from, the newest first; 0: all.
func (s *Store) Plans(ctx context.Context, before int64, limit int) ([]event.RuleSet, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT id, hash, rules, created, used FROM plans WHERE id < ?1 OR ?1 = 0 ORDER BY id DESC LIMIT ?2`, before, int64(limit))
	if err != nil {
		return nil, fmt.Errorf("list the versions of the configuration: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var list []event.RuleSet
	for rows.Next() {
		var (
			v             event.RuleSet
			names         string
			created, used int64
		)
		if err := rows.Scan(&v.Plan, &v.Hash, &names, &created, &used); err != nil {
			return nil, fmt.Errorf("list the versions of the configuration: %w", err)
		}
		v.Created, v.Used = time.UnixMicro(created).UTC(), time.UnixMicro(used).UTC()
		if err := json.Unmarshal([]byte(names), &v.Rules); err != nil {
			return nil, fmt.Errorf("read plan %d: %w", v.Plan, err)
		}
		list = append(list, v)
	}
	return list, rows.Err()
}

// parts are those with the hashes, a JSON list.
func (s *Store) parts(ctx context.Context, hashes string) ([]event.Part, error) {
	var names []string
	if err := json.Unmarshal([]byte(hashes), &names); err != nil {
		return nil, fmt.Errorf("read the parts of a version: %w", err)
	}
	list := make([]event.Part, 0, len(names))
	for _, hash := range names {
		var packed []byte
		if err := s.read.QueryRowContext(ctx, `SELECT content FROM parts WHERE hash = ?1`, hash).Scan(&packed); err != nil {
			return nil, fmt.Errorf("read a part of a version: %w", err)
		}
		text, err := unpack(packed)
		if err != nil {
			return nil, fmt.Errorf("read a part of a version: %w", err)
		}
		list = append(list, event.Part{Hash: hash, Text: text})
	}
	return list, nil
}

// DropPlans deletes the versions that no event refers to and that have been
// out of force for a while, and says how many there were.
func (s *Store) DropPlans(ctx context.Context) (int, error) {
	old, err := s.oldPlans(ctx)
	if err != nil {
		return 0, fmt.Errorf("look for versions of the configuration: %w", err)
	}
	unused := old[:0]
	for _, p := range old {
		var events bool
		// An event's id is of the time in which its version was in force; that
		// bounds what has to be read, for there is no index on plan.
		err := s.read.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM events WHERE id >= ?1 AND id < ?2 AND plan = ?3)`,
			int64(event.FirstIDAt(p.from)), int64(event.FirstIDAt(p.to)), p.id).Scan(&events)
		if err != nil {
			return 0, fmt.Errorf("look for events of a version: %w", err)
		}
		if !events {
			unused = append(unused, p)
		}
	}
	if len(unused) == 0 {
		return 0, nil
	}
	replayed, err := s.replayedPlans(ctx)
	if err != nil {
		return 0, fmt.Errorf("look for replays of a version: %w", err)
	}
	dropped := 0
	for _, p := range unused {
		if replayed[p.id] {
			continue
		}
		err = s.write(func(tx tx) error {
			err := tx.query(func([]any) error { dropped++; s.plans.Delete(p.id); return nil },
				`DELETE FROM plans WHERE id = ?1 AND used = ?2 RETURNING id`, p.id, p.used)
			if err != nil {
				return err
			}
			return tx.exec(`DELETE FROM parts WHERE NOT EXISTS (SELECT 1 FROM plans WHERE plans.parts LIKE '%' || parts.hash || '%')`)
		})
		if err != nil {
			return dropped, fmt.Errorf("delete a version of the configuration: %w", err)
		}
	}
	return dropped, nil
}

// replayedPlans are the versions that replays refer to, and those that released
// a post, which is noted beside the replays. No index leads there: the table
// is read once for all versions, and only when one may go, which is a tenth of
// a second for a million rows.
func (s *Store) replayedPlans(ctx context.Context) (map[int64]bool, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT DISTINCT plan FROM replays`)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	plans := map[int64]bool{}
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		plans[id] = true
	}
	return plans, rows.Err()
}

// oldPlan is a version that is out of force, and when its events came.
type oldPlan struct {
	id, used int64
	from, to time.Time
}

func (s *Store) oldPlans(ctx context.Context) ([]oldPlan, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT id, used, created FROM plans WHERE used > 0 AND used < ?1`, micros(s.now().Add(-planIdle)))
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var list []oldPlan
	for rows.Next() {
		var p oldPlan
		var created int64
		if err := rows.Scan(&p.id, &p.used, &created); err != nil {
			return nil, err
		}
		p.from, p.to = time.UnixMicro(created).Add(-planIdle), time.UnixMicro(p.used).Add(planIdle)
		list = append(list, p)
	}
	return list, rows.Err()
}

// ruleNames are the names of a plan's rules, in order.
func (s *Store) ruleNames(ctx context.Context, plan int64) ([]string, error) {
	if names, ok := s.plans.Load(plan); ok {
		return names.([]string), nil
	}
	v, err := s.Plan(ctx, plan)
	if err != nil {
		return nil, fmt.Errorf("read plan %d: %w", plan, err)
	}
	s.plans.Store(plan, v.Rules)
	return v.Rules, nil
}
