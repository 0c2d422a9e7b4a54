package db

import "hookgate/internal/event"

// holdBack cancels a delivery that may go only once and is not the one, or
// takes that back: a transaction that failed is tried again from the start.
func holdBack(d *event.Delivery, held bool) {
	d.State, d.Error = event.Waiting, ""
	if held {
		d.State, d.Error = event.Cancelled, d.Once.Reason
	}
}

// keyOfOnce is the row of table dedupe that d needs. Scopes hold a slash, which
// no source's name can.
func keyOfOnce(d *event.Delivery) dedupeKey { return dedupeKey{clean(d.Once.Scope), d.Once.Key} }

// once cancels d where another with its key went within the window, as seen
// from now.
func once(tx tx, d *event.Delivery, now int64) error {
	holdBack(d, true)
	return tx.query(func([]any) error { holdBack(d, false); return nil },
		`INSERT INTO dedupe (source, key, event, expires) VALUES (?1, ?2, ?3, ?4)
		ON CONFLICT (source, key) DO UPDATE SET event = excluded.event, expires = excluded.expires WHERE dedupe.expires <= ?5
		RETURNING event`,
		d.Once.Scope, []byte(d.Once.Key), int64(d.Event), now+d.Once.Window.Microseconds(), now)
}
