package db

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"time"

	"hookgate/internal/event"
)

// Readmit stores that an event of a form, kept as spam or as a repeat, has
// been given to the rules after all: its new state, what the rules said, and
// the deliveries, all in one transaction. For an event that is not kept, or not
// any more, nothing happens and the error is event.ErrNotKept. It returns the
// connections that have something to send.
func (s *Store) Readmit(e *event.Event, deliveries []event.Delivery) ([]string, error) {
	defer s.backlogs.Forget()
	ruleErrors, err := eventErrors(e.Errors)
	if err != nil {
		return nil, err
	}
	bytes := int64(4096)
	keys := recordLocks(e)
	for i := range deliveries {
		d := &deliveries[i]
		if d.Key != "" && d.State != event.Failed {
			keys = append(keys, keyed{d.Connection, d.Key})
		}
		bytes += int64(len(d.Output)) + 256
	}
	var touched map[string]bool
	op := &writeOp{keys: keys, bytes: bytes, done: make(chan error, 1), do: func(tx tx) error {
		touched = map[string]bool{}
		return s.readmit(tx, e, ruleErrors, deliveries, touched)
	}}
	if err := s.submit(op); err != nil {
		return nil, err
	}
	return names(touched), nil
}

func (s *Store) readmit(tx tx, e *event.Event, ruleErrors any, deliveries []event.Delivery, touched map[string]bool) error {
	kept := false
	err := tx.query(func([]any) error { kept = true; return nil },
		`UPDATE events SET state = ?2, cause = ?3, duplicate_of = NULL, plan = ?4, verdicts = ?5, errors = ?6, deliveries = ?7, first = ?8, reserved = ?9
			WHERE id = ?1 AND form = 1 AND state IN (4, 5) RETURNING id`,
		int64(e.ID), stateNumber(e.State), nullable(e.Cause), e.Plan, string(e.Results), ruleErrors, int64(len(deliveries)), firstOf(e.First, deliveries), reservedOf(e.Reserved))
	if err != nil {
		return err
	}
	if !kept {
		return refusal{event.ErrNotKept}
	}
	if err := noteRelease(tx, e); err != nil {
		return err
	}
	if err := acceptRecords(tx, e); err != nil {
		return err
	}
	if err := s.insertMade(tx, deliveries, e.Gathers, touched); err != nil {
		return err
	}
	return notifyAll(tx, touched)
}

// noReplay is the run, in table replays, of what is no replay: see noteRelease. So is
// what is below it: see erasure.gatherAnew.
const noReplay = 0

// noteRelease notes the version that released a post, where DropPlans looks for
// versions that are referred to: the event is older than the version is.
func noteRelease(tx tx, e *event.Event) error {
	err := tx.exec(`INSERT INTO replays (event, run, at, plan, verdicts, deliveries, first) VALUES (?1, ?2, ?3, ?4, '', 0, 0)
		ON CONFLICT (event, run) DO UPDATE SET at = excluded.at, plan = excluded.plan`, int64(e.ID), int64(noReplay), tx.stamp().now, e.Plan)
	if err != nil {
		return fmt.Errorf("note the version of the configuration: %w", err)
	}
	return nil
}

// SetRead stores whether somebody has read a form post, and tells whether that is
// another answer than before. Who it was is not kept.
func (s *Store) SetRead(id event.ID, read bool) (changed bool, err error) {
	seen := int64(0)
	if read {
		seen = 1
	}
	err = s.write(func(tx tx) error {
		changed = false
		return tx.query(func([]any) error { changed = true; return nil },
			`UPDATE events SET seen = ?2 WHERE id = ?1 AND form = 1 AND seen <> ?2 RETURNING id`, int64(id), seen)
	})
	if err != nil {
		return false, fmt.Errorf("note that %s was read: %w", id, err)
	}
	return changed, nil
}

// NewPosts counts, for each of the forms, the posts that nobody has read: most at
// most of each.
func (s *Store) NewPosts(ctx context.Context, forms []string, most int) (map[string]int, error) {
	counts, err := s.countOfForms(ctx, forms, `FROM events e WHERE e.source = j.value ->> 0 AND e.state IN (0, 1, 2) AND e.seen = 0 AND e.form = 1`, most)
	if err != nil {
		return nil, fmt.Errorf("count the new posts of forms: %w", err)
	}
	return counts, nil
}

// FileCounts counts, for each of the forms, the files that there are of its posts: most
// at most of each.
func (s *Store) FileCounts(ctx context.Context, forms []string, most int) (map[string]int, error) {
	counts, err := s.countOfForms(ctx, forms, `FROM files f JOIN events e ON e.id = f.event WHERE f.event > 0 AND e.source = j.value ->> 0 AND e.form = 1`, most)
	if err != nil {
		return nil, fmt.Errorf("count the files of forms: %w", err)
	}
	return counts, nil
}

// countOfForms counts the rows that from selects for each of the forms, which is
// j.value ->> 0 in it: most at most of each. What is none is left out.
func (s *Store) countOfForms(ctx context.Context, forms []string, from string, most int) (map[string]int, error) {
	list, err := rowsOf(forms)
	if err != nil {
		return nil, err
	}
	rows, err := s.read.QueryContext(ctx, `SELECT j.value ->> 0, (SELECT count(*) FROM (SELECT 1 `+from+` LIMIT ?2) AS counted) FROM `+s.dialect.each, list, int64(most))
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	counts := map[string]int{}
	for rows.Next() {
		var form string
		var n int
		if err := rows.Scan(&form, &n); err != nil {
			return nil, err
		}
		if n > 0 {
			counts[form] = n
		}
	}
	return counts, rows.Err()
}

// rowsOf are names as a list of rows of one column.
func rowsOf(names []string) (string, error) {
	rows := make([][]string, len(names))
	for i, name := range names {
		rows[i] = []string{name}
	}
	list, err := json.Marshal(rows)
	if err != nil {
		return "", fmt.Errorf("encode names: %w", err)
	}
	return string(list), nil
}

// FormCounts counts the events of the forms that came since then, by form and state.
func (s *Store) FormCounts(ctx context.Context, forms []string, since time.Time) (map[string]map[event.State]int, error) {
	list, err := rowsOf(forms)
	if err != nil {
		return nil, err
	}
	rows, err := s.read.QueryContext(ctx, `SELECT e.source, e.state, count(*) FROM `+s.dialect.each+` CROSS JOIN events e
		WHERE e.source = j.value ->> 0 AND e.form = 1 AND e.id >= ?2 GROUP BY e.source, e.state`, list, int64(event.FirstIDAt(since)))
	if err != nil {
		return nil, fmt.Errorf("count the posts of forms: %w", err)
	}
	defer func() { _ = rows.Close() }()
	counts := map[string]map[event.State]int{}
	for rows.Next() {
		var form string
		var state int64
		var n int
		if err := rows.Scan(&form, &state, &n); err != nil {
			return nil, fmt.Errorf("count the posts of forms: %w", err)
		}
		if counts[form] == nil {
			counts[form] = map[event.State]int{}
		}
		counts[form][states[state]] = n
	}
	return counts, rows.Err()
}

// metaFormKey begins the names of the rows of meta that hold the parts of the
// key for time tokens; a row holds one number.
const metaFormKey = "form_key_"

// FormKey is what the time tokens of forms are signed with, 32 bytes: made at
// first use, the same for all replicas and over restarts.
func (s *Store) FormKey(ctx context.Context) ([]byte, error) {
	const parts = 4
	fresh := make([]byte, 8*parts)
	if _, err := rand.Read(fresh); err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	err := s.write(func(tx tx) error {
		for i := range parts {
			part := int64(binary.BigEndian.Uint64(fresh[8*i:])) //nolint:gosec // all bits are kept, whatever the sign
			err := tx.exec(`INSERT INTO meta (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO NOTHING`, fmt.Sprint(metaFormKey, i), part)
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("store the key of forms: %w", err)
	}
	key := make([]byte, 0, 8*parts)
	for i := range parts {
		var part int64
		if err := s.read.QueryRowContext(ctx, `SELECT value FROM meta WHERE key = ?1`, fmt.Sprint(metaFormKey, i)).Scan(&part); err != nil {
			return nil, fmt.Errorf("read the key of forms: %w", err)
		}
		key = binary.BigEndian.AppendUint64(key, uint64(part)) //nolint:gosec // all bits are kept, whatever the sign
	}
	return key, nil
}
