package db

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"hookgate/internal/event"
)

// An open digest is a timer of kind 2, and which events are in it is table
// digest_items. Both are written in the transaction that accepts an event, and the
// timer's row orders those of all replicas: an event joins while the digest's time
// has not come, and after that, or where it is full, it opens the next one. So when a
// digest is closed nothing joins it any more, and no event is in two, or in none.

// openKey is the key of the timer of a digest that more may join.
func openKey(key string) string { return "=" + key }

// sealedKey is the key of one that nothing more joins.
func sealedKey(id int64) string { return "#" + strconv.FormatInt(id, 10) }

// digestRow are the parameters of a join, but for the time.
func digestRow(g *event.Gather) ([]any, error) {
	info, err := json.Marshal(g.Info)
	if err != nil {
		return nil, fmt.Errorf("encode what a digest is: %w", err)
	}
	due, next := int64(0), int64(0)
	if !g.Due.IsZero() {
		due, next = micros(g.Due), micros(g.Next)
	}
	return []any{
		int64(g.Delivery), int64(g.Event), g.Name, openKey(g.Key), due, next, g.After.Microseconds(), g.Latest.Microseconds(),
		int64(g.Size), int64(event.MaxDigest), int64(g.Max), info,
	}, nil
}

// joinDigest is the statement of a join where the database has a function for it.
const joinDigest = `SELECT join_digest(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)`

// sortedGathers are those of one transaction in the order in which everybody locks
// digests; those of one digest stay in the order of acceptance.
func sortedGathers(list []event.Gather) []event.Gather {
	slices.SortStableFunc(list, func(a, b event.Gather) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.Key, b.Key))
	})
	return list
}

// gather has events join their digests, in a transaction.
func (d dialect) gather(tx tx, list []event.Gather) error {
	if len(list) == 0 {
		return nil
	}
	for _, g := range sortedGathers(slices.Clone(list)) {
		row, err := digestRow(&g)
		if err != nil {
			return err
		}
		if d.dollar {
			err = tx.exec(joinDigest, row...)
		} else {
			err = gatherHere(tx, &g, row)
		}
		if err != nil {
			return fmt.Errorf("gather %s in a digest of %s: %w", g.Event, g.Name, err)
		}
	}
	return nil
}

// gatherHere is join_digest of PostgreSQL, for the engine whose statements cost no
// journey.
func gatherHere(tx tx, g *event.Gather, row []any) error {
	now := tx.stamp().now
	due, latest := micros(g.Closes(time.UnixMicro(now))), any(nil)
	if g.Latest > 0 {
		latest = now + g.Latest.Microseconds()
	}
	id, place := int64(0), int64(0)
	for id == 0 {
		err := tx.query(func(row []any) error { id, place = row[0].(int64), row[1].(int64); return nil },
			`INSERT INTO timers (id, kind, name, key, due, count, value, size, latest) VALUES (?1, 2, ?2, ?3, ?4, 1, ?5, ?6, ?7)
			ON CONFLICT (kind, name, key) DO UPDATE SET count = timers.count + 1, size = timers.size + excluded.size,
				due = CASE WHEN timers.latest IS NULL OR excluded.latest IS NULL THEN timers.due ELSE min(excluded.due, timers.latest) END
				WHERE timers.due > ?8 AND timers.size + excluded.size <= ?9
			RETURNING id, count`, int64(g.Delivery), g.Name, openKey(g.Key), due, row[11], int64(g.Size), latest, now, int64(event.MaxDigest))
		if err != nil {
			return err
		}
		if id == 0 { // it is due, or would grow too large
			if err := tx.exec(sealDigest+`kind = 2 AND name = ?2 AND key = ?3`, now, g.Name, openKey(g.Key)); err != nil {
				return err
			}
		}
	}
	err := tx.exec(`INSERT INTO digest_items (delivery, digest, place, event, size) VALUES (?1, ?2, ?3, ?4, ?5)`,
		int64(g.Delivery), id, place, int64(g.Event), int64(g.Size))
	if err != nil || place < int64(g.Max) {
		return err
	}
	return tx.exec(sealDigest+`id = ?2`, now, id)
}

// sealDigest has nothing more join a digest, and makes it due.
const sealDigest = `UPDATE timers SET key = '#' || CAST(id AS TEXT), due = CASE WHEN due > CAST(?1 AS BIGINT) THEN CAST(?1 AS BIGINT) ELSE due END WHERE `

const digestColumns = `t.id, t.kind, t.name, t.key, t.due, t.count, t.value, t.size, (SELECT count(*) FROM digest_items i WHERE i.digest = t.id)`

// Digests are the open digests, the first that closes first.
func (s *Store) Digests(ctx context.Context) ([]event.OpenDigest, error) {
	return s.digests(ctx, ``)
}

// Digest is an open digest; event.ErrNotFound where there is none.
func (s *Store) Digest(ctx context.Context, id event.DigestID) (event.OpenDigest, error) {
	list, err := s.digests(ctx, ` AND t.id = ?1`, int64(id))
	if err == nil && len(list) == 0 {
		err = event.ErrNotFound
	}
	if err != nil {
		return event.OpenDigest{}, fmt.Errorf("digest %s: %w", id, err)
	}
	return list[0], nil
}

// OpenDigest is the digest that an event of the action, with the key, would join;
// false: it would open one.
func (s *Store) OpenDigest(ctx context.Context, name, key string) (d event.OpenDigest, found bool, err error) {
	list, err := s.digests(ctx, ` AND t.name = ?1 AND t.key = ?2`, name, openKey(key))
	if err != nil || len(list) == 0 {
		return d, false, err
	}
	return list[0], true, nil
}

func (s *Store) digests(ctx context.Context, which string, args ...any) ([]event.OpenDigest, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT `+digestColumns+` FROM timers t WHERE t.kind = 2`+which+` ORDER BY t.due, t.id`, args...)
	if err != nil {
		return nil, fmt.Errorf("read digests: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var list []event.OpenDigest
	for rows.Next() {
		var d event.OpenDigest
		if err := scanDigest(rows, &d); err != nil {
			return nil, err
		}
		list = append(list, d)
	}
	return list, rows.Err()
}

func scanDigest(rows *sql.Rows, d *event.OpenDigest) error {
	t := &d.Timer
	var due int64
	if err := rows.Scan(&t.ID, &t.Kind, &t.Name, &t.Key, &due, &t.Count, &t.Value, &d.Size, &d.Events); err != nil {
		return fmt.Errorf("read digests: %w", err)
	}
	t.Due = time.UnixMicro(due).UTC()
	d.ID, d.Full = event.DigestID(t.ID), strings.HasPrefix(t.Key, "#")
	var err error
	if d.DigestInfo, err = event.ReadDigestInfo(t.Value); err != nil {
		return fmt.Errorf("digest %s: %w", d.ID, err)
	}
	return nil
}

// CountDigests counts those that are open.
func (s *Store) CountDigests(ctx context.Context) (n int, err error) {
	if err := s.read.QueryRowContext(ctx, `SELECT count(*) FROM timers WHERE kind = 2`).Scan(&n); err != nil {
		return 0, fmt.Errorf("count digests: %w", err)
	}
	return n, nil
}

// DigestItems are the events in a digest, in the order of their acceptance: in an
// open one by its timer, in a closed one by its delivery.
func (s *Store) DigestItems(ctx context.Context, digest int64) ([]event.DigestItem, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT delivery, event, place FROM digest_items WHERE digest = ?1 ORDER BY place, delivery`, digest)
	if err != nil {
		return nil, fmt.Errorf("read what a digest holds: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var list []event.DigestItem
	for rows.Next() {
		var i event.DigestItem
		if err := rows.Scan(&i.Delivery, &i.Event, &i.Place); err != nil {
			return nil, fmt.Errorf("read what a digest holds: %w", err)
		}
		list = append(list, i)
	}
	return list, rows.Err()
}

// Memberships tell in which digests the events are.
func (s *Store) Memberships(ctx context.Context, events ...event.ID) ([]event.Membership, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT i.delivery, i.event, i.place, i.digest, coalesce(d.state, -1), coalesce(d.owner, 0),
			(SELECT count(*) FROM digest_items o WHERE o.digest = i.digest) - 1, coalesce(d.rule, ''), coalesce(d.connection, ''), coalesce(d.action, 0)
		FROM digest_items i LEFT JOIN deliveries d ON d.id = i.digest WHERE `+s.dialect.isAmong("i.event")+` ORDER BY i.delivery`, s.dialect.numbers(numbersOf(events)))
	if err != nil {
		return nil, fmt.Errorf("look for the digests of events: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var list []event.Membership
	var digests []event.DigestID
	for rows.Next() {
		var m event.Membership
		var state, owner int64
		if err := rows.Scan(&m.Delivery, &m.Event, &m.Place, &m.Closed, &state, &owner, &m.Others, &m.Info.Rule, &m.Info.Connection, &m.Info.Action); err != nil {
			return nil, fmt.Errorf("look for the digests of events: %w", err)
		}
		digests = append(digests, event.DigestID(m.Closed))
		if state >= 0 {
			m.State = deliveryState(state, owner, false)
		}
		list = append(list, m)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("look for the digests of events: %w", err)
	}
	for i := range list {
		if list[i].State != "" {
			continue
		}
		open, err := s.digests(ctx, ` AND t.id = ?1`, int64(digests[i]))
		if err != nil {
			return nil, err
		}
		if list[i].Closed = 0; len(open) > 0 {
			list[i].Open, list[i].Info = &open[0], open[0].DigestInfo
		}
	}
	return list, nil
}

// CloseDigests makes deliveries of digests, in one transaction, if their timers still
// are as they were read; done tells of which. It returns the connections that have
// something to send.
func (s *Store) CloseDigests(list []event.Closing) (done []bool, connections []string, err error) {
	var keys []keyed
	made := make([]event.Delivery, 0, len(list))
	for i := range list {
		made = append(made, list[i].Delivery)
		if d := &list[i].Delivery; d.Key != "" && d.State == event.Waiting {
			keys = append(keys, keyed{d.Connection, d.Key})
		}
	}
	done, connections, err = s.changeEach(len(list), made, keys, func(tx tx, i int, touched map[string]bool) (bool, error) {
		done, err := s.closeDigest(tx, &list[i], touched)
		if err != nil {
			return false, fmt.Errorf("digest %s: %w", event.DigestID(list[i].Timer.ID), err)
		}
		return done, nil
	})
	if err != nil {
		return nil, nil, fmt.Errorf("close digests: %w", err)
	}
	return done, connections, nil
}

func (s *Store) closeDigest(tx tx, c *event.Closing, touched map[string]bool) (bool, error) {
	if !c.Again.IsZero() {
		// nothing joins it meanwhile: it was due
		if err := tx.exec(sealDigest+`id = ?2 AND count = ?3 AND due = ?4`, tx.stamp().now, c.Timer.ID, c.Timer.Count, micros(c.Timer.Due)); err != nil {
			return false, err
		}
		return moveTimer(tx, &c.Timer, c.Again)
	}
	taken, err := takeTimer(tx, &c.Timer)
	if err != nil || !taken || c.Delivery.ID == 0 {
		return taken, err
	}
	d := c.Delivery // a copy: a transaction that failed is tried again
	if err := s.make(tx, &event.Delivery{}, d, touched); err != nil {
		return false, err
	}
	if err := tx.exec(`UPDATE digest_items SET digest = ?2 WHERE digest = ?1`, c.Timer.ID, int64(d.ID)); err != nil {
		return false, err
	}
	if c.Signal != nil {
		return true, addSignals(tx, []event.Signal{*c.Signal}, tx.stamp().now)
	}
	return true, nil
}

// SendDigest has a digest close now; false: it is closed.
func (s *Store) SendDigest(id event.DigestID) (found bool, err error) {
	err = s.write(func(tx tx) error {
		found = false
		return tx.query(func([]any) error { found = true; return nil }, sealDigest+`id = ?2 AND kind = 2 RETURNING id`, tx.stamp().now, int64(id))
	})
	if err != nil {
		return false, fmt.Errorf("send the digest %s: %w", id, err)
	}
	return found, nil
}

// CancelDigest gives a digest up: nothing is made of the events in it. false: it is
// closed.
func (s *Store) CancelDigest(id event.DigestID) (found bool, err error) {
	err = s.write(func(tx tx) error {
		found = false
		return tx.query(func([]any) error { found = true; return nil }, `DELETE FROM timers WHERE id = ?1 AND kind = 2 RETURNING id`, int64(id))
	})
	if err != nil {
		return false, fmt.Errorf("cancel the digest %s: %w", id, err)
	}
	return found, nil
}
