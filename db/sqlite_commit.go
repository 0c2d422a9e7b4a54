package db

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"hookgate/internal/event"
)

// commit applies the batch in one transaction.
func (e *sqlite) commit(b *batch) error {
	var bytes int64
	e.besides = 0
	err := e.inTransaction(func() error {
		for _, a := range b.accepts {
			n, err := e.accept(a)
			if err != nil {
				return err
			}
			bytes += n
		}
		for _, r := range b.results {
			if err := e.result(r); err != nil {
				return err
			}
			bytes += 256
		}
		for _, w := range b.writes {
			if err := w.run(e); err != nil {
				return err
			}
			bytes += w.bytes
		}
		return nil
	})
	if err == nil {
		e.checkpoint.wrote(bytes + e.besides + 8<<12) // a commit rewrites the pages it touches: some eight
	}
	return err
}

func (e *sqlite) insertFiles(ev *event.Event) error {
	for i := range ev.Files {
		if err := e.exec(insertFile, fileRow(&ev.Files[i])...); err != nil {
			return fmt.Errorf("insert file of event %s: %w", ev.ID, err)
		}
	}
	return nil
}

const insertEvent = `INSERT INTO events (id, source, form, type, received, state, cause, duplicate_of, plan, verdicts, errors, deliveries, first, content, reserved, seen)
	VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, 0)`

// recordsOf are the records as the event leaves them; a.refused says why it
// cannot be stored as it was judged.
func (e *sqlite) recordsOf(a *acceptOp) (records []event.Record, err error) {
	if a.refused = nil; !keepsRecords(a.event) {
		return nil, nil
	}
	book, err := readRecords(e, recordKeys(a.event))
	if err != nil {
		return nil, err
	}
	records, a.refused = book.Commit(a.event, time.UnixMicro(e.stamp().now))
	return records, nil
}

// blobOf is what is kept of an event. It is good until the next thing is packed.
func (e *sqlite) blobOf(a *acceptOp) []byte {
	if len(a.packed) > 0 {
		return a.packed
	}
	e.packed = packWithWords(again(e.packed), a.content)
	return e.packed
}

// accept stores an event and its deliveries and returns about how many bytes it wrote.
func (e *sqlite) accept(a *acceptOp) (int64, error) {
	ev := a.event
	a.duplicateOf, a.owner = 0, owner
	records, err := e.recordsOf(a)
	if err != nil || a.refused != nil {
		return 0, err
	}
	if a.dedupeKey != nil {
		if err := e.remember(a); err != nil {
			return 0, err
		}
	}
	state, deliveries, first := ev.State, a.deliveries, any(nil)
	if a.duplicateOf != 0 {
		state, deliveries, first = event.Duplicate, nil, int64(a.duplicateOf)
	}
	number := stateNumber(state)
	if number < 0 {
		return 0, fmt.Errorf("event %s: unknown state %q", ev.ID, state)
	}
	ruleErrors, err := eventErrors(ev.Errors)
	if err != nil {
		return 0, err
	}
	form := int64(0)
	if ev.Form {
		form = 1
	}
	blob := e.blobOf(a)
	err = e.exec(insertEvent, int64(ev.ID), ev.Source, form, ev.Type, a.now, number, nullable(ev.Cause), first,
		ev.Plan, string(ev.Results), ruleErrors, int64(len(deliveries)), firstOf(ev.First, deliveries), blob, reservedOf(ev.Reserved))
	if err != nil {
		return 0, fmt.Errorf("insert event %s: %w", ev.ID, err)
	}
	if err := e.insertFiles(ev); err != nil {
		return 0, err
	}
	bytes := int64(len(blob)+512*len(ev.Files)) + 256
	for i := range deliveries {
		d := &deliveries[i]
		if err := e.insertDelivery(d, a); err != nil {
			return 0, fmt.Errorf("insert delivery %s: %w", d.ID, err)
		}
		bytes += int64(len(d.Output)) + 128
	}
	if a.duplicateOf != 0 {
		return bytes, nil
	}
	if len(ev.Signals) > 0 {
		err = addSignals(e, ev.Signals, a.now)
	}
	if len(ev.Gathers) > 0 {
		err = errors.Join(err, sqliteDialect().gather(e, ev.Gathers))
	}
	return bytes, errors.Join(err, writeRecords(e, records))
}

// firstOf is the number of the first delivery, or of the first that is
// reserved; 0 where there is none.
func firstOf(reserved event.DeliveryID, deliveries []event.Delivery) int64 {
	if reserved != 0 || len(deliveries) == 0 {
		return int64(reserved)
	}
	return int64(deliveries[0].ID)
}

// reservedOf is how many numbers are reserved; nil: as many as deliveries.
func reservedOf(n int) any {
	if n == 0 {
		return nil
	}
	return int64(n)
}

// remember notes the event's key, or finds the event that it repeats.
func (e *sqlite) remember(a *acceptOp) error {
	remembered := false
	err := e.query(func([]any) error { remembered = true; return nil },
		`INSERT INTO dedupe (source, key, event, expires) VALUES (?1, ?2, ?3, ?4)
		ON CONFLICT (source, key) DO UPDATE SET event = excluded.event, expires = excluded.expires WHERE dedupe.expires <= ?5
		RETURNING event`,
		a.event.Source, a.dedupeKey, int64(a.event.ID), a.now+a.event.Dedupe.Window.Microseconds(), a.now)
	if err != nil || remembered {
		return err
	}
	return e.query(func(row []any) error { a.duplicateOf = event.ID(row[0].(int64)); return nil },
		`SELECT event FROM dedupe WHERE source = ?1 AND key = ?2`, a.event.Source, a.dedupeKey)
}

const insertDelivery = `INSERT INTO deliveries (id, event, rule, action, connection, key, state, owner, due, claim, attempts, base, error, warnings, output, element, cause, flow)
	VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 0, 0, ?11, ?12, ?13, ?14, ?15, ?16)`

func (e *sqlite) insertDelivery(d *event.Delivery, a *acceptOp) error {
	if d.State == event.Scheduled {
		d.Claim = 0
		return schedule(e, d)
	}
	if d.Once != nil {
		if err := once(e, d, a.now); err != nil {
			return err
		}
	}
	state, holder, due := int64(open), int64(0), any(a.now)
	if d.State == event.Failed { // it could not be rendered
		state, due = failed, nil
	} else if d.State == event.Cancelled {
		state, due, d.Claim = cancelled, nil, 0
	} else if d.Key != "" {
		blocked, err := isKeyTaken(e, d)
		if err != nil {
			return err
		}
		if blocked {
			d.Claim, due = 0, nil
		}
	}
	if d.Claim > 0 {
		holder, due = owner, a.lease
	}
	warnings, err := jsonList(d.Warnings)
	if err != nil {
		return err
	}
	e.packed = packWithWords(again(e.packed), d.Output)
	err = e.exec(insertDelivery, int64(d.ID), int64(d.Event), d.Rule, int64(d.Action), d.Connection, nullable(d.Key),
		state, holder, due, d.Claim, nullable(d.Error), warnings, e.packed, int64(d.Element), int64(causeNumber(d.Cancelled)), flowOf(d.Flow))
	if err != nil || state == open {
		return err
	}
	return ended(e, d)
}

// keyTaken asks whether an open delivery has the ordering key ?2 of the connection ?1,
// or something comes after one that has ended. There is at most one open delivery of a
// key that does not wait for another, and it is the one accepted first.
const keyTaken = `SELECT 1 WHERE EXISTS (SELECT 1 FROM deliveries WHERE state = 0 AND key IS NOT NULL AND connection = ?1 AND key = ?2) OR ` + keyFollowed + `?1 || '/' || ?2)`

func isKeyTaken(tx tx, d *event.Delivery) (taken bool, err error) {
	err = tx.query(func([]any) error { taken = true; return nil }, keyTaken, d.Connection, d.Key)
	return taken, err
}

// result records an attempt. The claim in the condition is the fence: a
// result that comes after the delivery was given to somebody else, was
// cancelled or was retried by hand finds no row and changes nothing.
func (e *sqlite) result(r *resultOp) error {
	r.next = nil
	a, d := &r.attempt, r.delivery
	started, duration := micros(a.Started), a.Duration.Microseconds()
	var changed int64
	var err error
	switch r.outcome.State {
	case event.Delivered:
		changed, err = e.change(`UPDATE deliveries SET state = 1, owner = 0, due = NULL, attempts = ?3, error = NULL,
			started = ?4, duration = ?5, status = ?6, answer = ?7, outputs = ?8, exchange = ?9
			WHERE id = ?1 AND claim = ?2 AND state = 0`,
			int64(d.ID), d.Claim, int64(a.Number), started, duration, int64(a.Status), answerBlob(a.Answer), outputsText(a.Outputs), exchangeText(&a.Receipt))
	case event.Retrying:
		changed, err = e.change(`UPDATE deliveries SET owner = 0, due = max(coalesce(scheduled, 0), ?3), attempts = ?4, error = ?5, early = ?6,
			base = CASE WHEN scheduled IS NULL THEN base ELSE base + 1 END, scheduled = NULL
			WHERE id = ?1 AND claim = ?2 AND state = 0`,
			int64(d.ID), d.Claim, micros(r.outcome.Due), int64(a.Number), a.Error, earlyMicros(r.outcome))
	default:
		changed, err = e.change(`UPDATE deliveries SET state = 2, owner = 0, due = NULL, attempts = ?3, error = ?4
			WHERE id = ?1 AND claim = ?2 AND state = 0`,
			int64(d.ID), d.Claim, int64(a.Number), a.Error)
	}
	if err != nil || changed == 0 {
		return err
	}
	if r.outcome.State != event.Delivered {
		err = e.exec(`INSERT INTO attempts (delivery, number, started, duration, status, error, answer, exchange) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)`,
			int64(d.ID), int64(a.Number), started, duration, int64(a.Status), a.Error, answerBlob(a.Answer), exchangeText(&a.Receipt))
		if err != nil {
			return fmt.Errorf("insert attempt: %w", err)
		}
	}
	if r.outcome.Signal != nil {
		if err := addSignals(e, []event.Signal{*r.outcome.Signal}, e.stamp().now); err != nil {
			return err
		}
	}
	if r.outcome.State == event.Retrying {
		return nil
	}
	if d.Flow&event.Followed != 0 { // the key's next one goes when what follows is made
		return ended(e, d)
	}
	if d.Key != "" {
		r.next, err = e.promote(d.Connection, d.Key, r.lease)
	}
	return err
}

// promote claims the first delivery that waits for the key, if there is one.
func (e *sqlite) promote(connection, key string, lease int64) (*event.Delivery, error) {
	var next *event.Delivery
	err := e.query(func(row []any) (err error) {
		next, err = scanClaimed(row)
		return err
	}, `UPDATE deliveries SET owner = 1, due = ?3, claim = claim + 1
		WHERE id = (SELECT id FROM deliveries WHERE state = 0 AND key IS NOT NULL AND connection = ?1 AND key = ?2 ORDER BY coalesce(turn, id) LIMIT 1)
		RETURNING `+claimedColumns, connection, key, lease)
	return next, err
}

// earlyMicros is when a delivery may go early; nil: not at all.
func earlyMicros(o event.Outcome) any {
	if o.Early.IsZero() {
		return nil
	}
	return micros(o.Early)
}

// answerBlob packs an answer; nil for none.
func answerBlob(answer []byte) any {
	if len(answer) == 0 {
		return nil
	}
	return pack(nil, answer)
}

// exchangeText writes what an attempt asked and was answered, a line each; nil for
// what is not known.
func exchangeText(r *event.Receipt) any {
	if r.Request == "" && len(r.Headers) == 0 {
		return nil
	}
	size := len(r.Request)
	for _, h := range r.Headers {
		size += len(h.Name) + len(h.Value) + 3
	}
	text := append(make([]byte, 0, size), r.Request...)
	for _, h := range r.Headers {
		text = append(append(append(append(text, '\n'), h.Name...), ": "...), h.Value...)
	}
	return string(text)
}

// readExchange is what exchangeText wrote.
func readExchange(text string, r *event.Receipt) {
	request, lines, _ := strings.Cut(text, "\n")
	r.Request = request
	for line := range strings.SplitSeq(lines, "\n") {
		if name, value, ok := strings.Cut(line, ": "); ok {
			r.Headers = append(r.Headers, event.Header{Name: name, Value: value})
		}
	}
}

// outputsText writes outputs as JSON; nil for none.
func outputsText(outputs map[string]event.Output) any {
	if len(outputs) == 0 {
		return nil
	}
	text, err := json.Marshal(outputs)
	if err != nil { // outputs always have a form in JSON
		return nil
	}
	return string(text)
}
