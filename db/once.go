package db

import (
	"slices"

	"hookgate/internal/event"
)

// holdBack cancels a delivery that may go only once and is not the one, or
// takes that back: a transaction that failed is tried again from the start.
func holdBack(d *event.Delivery, held bool) {
	d.State, d.Error, d.Cancelled = event.Waiting, "", ""
	if held {
		d.State, d.Error, d.Cancelled = event.Cancelled, d.Once.Reason, event.ByThrottle
	}
}

// keyOfOnce is the row of table dedupe that d needs. Scopes hold a slash, which
// no source's name can.
func keyOfOnce(d *event.Delivery) dedupeKey { return dedupeKey{clean(d.Once.Scope), d.Once.Key} }

// once cancels d where as many with its key as may have gone within the window, as
// seen from now.
func once(tx tx, d *event.Delivery, now int64) error {
	holdBack(d, true)
	return tx.query(func([]any) error { holdBack(d, false); return nil },
		`INSERT INTO dedupe (source, key, event, expires, count) VALUES (?1, ?2, ?3, ?4, 1)
		ON CONFLICT (source, key) DO UPDATE SET
			event = CASE WHEN dedupe.expires <= ?5 THEN excluded.event ELSE dedupe.event END,
			expires = CASE WHEN dedupe.expires <= ?5 THEN excluded.expires ELSE dedupe.expires END,
			count = CASE WHEN dedupe.expires <= ?5 THEN 1 ELSE dedupe.count + 1 END
		WHERE dedupe.expires <= ?5 OR dedupe.count < ?6
		RETURNING event`,
		d.Once.Scope, []byte(d.Once.Key), int64(d.Event), now+d.Once.Window.Microseconds(), now, int64(max(d.Once.Times, 1)))
}

// onceAgain is once for a delivery of a replay, or one whose moment has come: where its
// action has sent for the same event before, it goes again and counts nothing. What
// waits for its moment, or ended without having been counted, has not sent.
func onceAgain(tx tx, d *event.Delivery, now int64) error {
	went := false
	err := tx.query(func([]any) error { went = true; return nil },
		`SELECT 1 FROM (SELECT first, coalesce(reserved, deliveries) AS made FROM events WHERE id = ?1
			UNION ALL SELECT first, coalesce(reserved, deliveries) FROM replays WHERE event = ?1) run
		JOIN deliveries d ON d.id >= run.first AND d.id < run.first + run.made
		WHERE d.event = ?1 AND d.rule = ?2 AND d.connection = ?3 AND d.action = ?4 AND d.element = ?5 AND d.id <> ?6
			AND (d.attempts > 0 OR d.state = 0 OR d.state = 3 AND d.cause <= 1 AND d.moment IS NULL) LIMIT 1`,
		int64(d.Event), d.Rule, d.Connection, int64(d.Action), int64(d.Element), int64(d.ID))
	if err != nil {
		return err
	}
	if went {
		holdBack(d, false)
		return nil
	}
	return once(tx, d, now)
}

// causeNumber is how the cause is stored; 0 for none.
func causeNumber(cause event.CancelCause) int {
	return slices.Index(event.CancelCauses(), cause) + 1
}

// causeOf is the cause that is stored as n; "" for none.
func causeOf(n int) event.CancelCause {
	if causes := event.CancelCauses(); n > 0 && n <= len(causes) {
		return causes[n-1]
	}
	return ""
}
