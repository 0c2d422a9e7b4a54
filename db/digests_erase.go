package db

import (
	"encoding/json"
	"fmt"
	"slices"

	"hookgate/internal/event"
)

// forgotten is the Error of what was made of a digest one of whose events is gone.
const forgotten = "an event in the digest was forgotten"

// digests takes an event that is about to be deleted out of the digests that it is in.
// An open one goes on without it. What was made of a closed one goes: the others are
// gathered anew where it was not delivered, and else its content is erased.
func (f *erasure) digests(tx tx, id int64) error {
	type item struct{ delivery, digest, size int64 }
	var items []item
	err := tx.query(func(row []any) error {
		items = append(items, item{row[0].(int64), row[1].(int64), row[2].(int64)})
		return nil
	}, `SELECT delivery, digest, size FROM digest_items WHERE event = ?1 ORDER BY digest`, id)
	if err != nil {
		return err
	}
	for _, i := range items {
		open := false
		err := tx.query(func([]any) error { open = true; return nil },
			`UPDATE timers SET count = count + 1, size = size - ?2 WHERE id = ?1 AND kind = 2 RETURNING id`, i.digest, i.size)
		if err != nil {
			return err
		}
		// It may just have been closed.
		err = tx.query(func(row []any) error { i.digest = row[0].(int64); return nil }, `DELETE FROM digest_items WHERE delivery = ?1 RETURNING digest`, i.delivery)
		if err != nil {
			return err
		}
		if open {
			err = tx.exec(`DELETE FROM timers WHERE id = ?1 AND kind = 2 AND NOT EXISTS (SELECT 1 FROM digest_items WHERE digest = ?1)`, i.digest)
		} else {
			err = f.closedDigest(tx, id, i.digest)
		}
		if err != nil {
			return fmt.Errorf("the digest of %s: %w", event.DeliveryID(i.delivery), err)
		}
	}
	return nil
}

// closedDigest does what follows for the delivery that was made of a digest in which
// the event id was.
func (f *erasure) closedDigest(tx tx, id, digest int64) error {
	var d event.Delivery
	state := int64(-1)
	err := tx.query(func(row []any) error {
		d = event.Delivery{ID: event.DeliveryID(digest), Event: event.ID(row[0].(int64)), Rule: row[1].(string), Connection: row[2].(string), Action: int(row[3].(int64))}
		d.Key, _ = row[4].(string)
		state = row[5].(int64)
		return nil
	}, `SELECT event, rule, connection, action, key, state FROM deliveries WHERE id = ?1`+f.store.dialect.lock, digest)
	if err != nil || state < 0 {
		return err
	}
	waits := state == open || state == scheduled
	if d.Event != event.ID(id) { // else it is deleted with the event
		if err := f.blank(tx, &d, state); err != nil {
			return err
		}
	}
	if !waits {
		return nil
	}
	return f.gatherAnew(tx, &d)
}

// blank erases what a digest's delivery holds. What was not delivered is cancelled.
func (f *erasure) blank(tx tx, d *event.Delivery, state int64) error {
	if state == open && d.Key != "" {
		if err := f.free(keyed{d.Connection, d.Key}); err != nil {
			return err
		}
	}
	if err := tx.exec(`DELETE FROM timers WHERE id = ?1 AND kind = 1`, int64(d.ID)); err != nil {
		return err
	}
	if err := tx.exec(`DELETE FROM attempts WHERE delivery = ?1`, int64(d.ID)); err != nil {
		return err
	}
	empty := pack(nil, []byte("{}"))
	if state == delivered {
		return tx.exec(`UPDATE deliveries SET key = NULL, output = ?2, warnings = NULL, answer = NULL, outputs = NULL, exchange = NULL WHERE id = ?1`, int64(d.ID), empty)
	}
	countCancelled(tx, event.ByRemoval)
	// Without an attempt and with a reason it is taken for one that was not rendered,
	// which nobody can send.
	return tx.exec(`UPDATE deliveries SET key = NULL, output = ?2, warnings = NULL, answer = NULL, outputs = NULL, exchange = NULL, error = ?3, state = 3, cause = ?4, owner = 0, due = NULL, claim = claim + 1, attempts = 0, base = 0
		WHERE id = ?1`, int64(d.ID), empty, forgotten, int64(causeNumber(event.ByRemoval)))
}

// free notes an ordering key that lost an open delivery.
func (f *erasure) free(k keyed) error {
	f.freed[k] = true
	if !slices.Contains(f.keys, k) {
		return errKeysChanged
	}
	return nil
}

// gatherAnew has those that are left in a closed digest wait in one that closes at
// once. Its delivery has a new number, for the old one may have reached the receiver;
// table replays says that it is the event's, and which version judges it.
func (f *erasure) gatherAnew(tx tx, d *event.Delivery) error {
	var newest, of, place, size int64
	err := tx.query(func(row []any) error {
		if size += row[3].(int64); newest == 0 {
			newest, of, place = row[0].(int64), row[1].(int64), row[2].(int64)
		}
		return nil
	}, `SELECT delivery, event, place, size FROM digest_items WHERE digest = ?1 ORDER BY place DESC, delivery DESC`, int64(d.ID))
	if err != nil || newest == 0 {
		return err
	}
	id, now := int64(f.store.NewIDs(1)), tx.stamp().now
	err = tx.exec(`INSERT INTO replays (event, run, at, plan, verdicts, deliveries, first, reserved)
		SELECT CAST(?1 AS BIGINT), -CAST(?3 AS BIGINT), CAST(?4 AS BIGINT), plan, '', 1, CAST(?3 AS BIGINT), 1 FROM (`+judgedBy("?1", "?2")+`) AS j`, of, newest, id, now)
	if err != nil {
		return err
	}
	if err := tx.exec(`UPDATE digest_items SET delivery = ?2 WHERE delivery = ?1`, newest, id); err != nil {
		return err
	}
	if err := tx.exec(`UPDATE digest_items SET digest = ?2 WHERE digest = ?1`, int64(d.ID), id); err != nil {
		return err
	}
	info, err := json.Marshal(event.DigestInfo{Rule: d.Rule, Connection: d.Connection, Action: d.Action, Closes: "at once: " + forgotten})
	if err != nil {
		return fmt.Errorf("encode what a digest is: %w", err)
	}
	return tx.exec(`INSERT INTO timers (id, kind, name, key, due, count, value, size) VALUES (?1, 2, ?2, ?7, ?3, ?4, ?5, ?6)`,
		id, event.ActionName(d.Rule, d.Connection, d.Action), now, place, info, size, sealedKey(id))
}
