package db

import (
	"fmt"

	"hookgate/app/event"
)

// eventRows are the columns of the events of a batch.
type eventRows struct {
	ids, received, duplicateOf, plans, firsts []int64
	sources, types, causes, verdicts, errors  []string
	forms, states                             []int16
	deliveries                                []int32
	contents                                  [][]byte
}

// deliveryRows are the columns of the deliveries of a batch.
type deliveryRows struct {
	ids, events, claims                          []int64
	rules, connections, keys, messages, warnings []string
	actions                                      []int32
	states                                       []int16
	blocked                                      []bool
	outputs                                      [][]byte
}

// accepts queues the events and their deliveries.
func (w *pgWork) accepts() error {
	if len(w.batch.accepts) == 0 {
		return nil
	}
	var events eventRows
	var deliveries deliveryRows
	for _, a := range w.batch.accepts {
		a.owner, a.duplicateOf = w.tx.at.owner, 0
		if a.dedupeKey != nil {
			if first := w.firsts[keyOfEvent(a)]; first != a.event.ID {
				a.duplicateOf = first
			}
		}
		if err := events.add(a); err != nil {
			return err
		}
		if a.duplicateOf != 0 {
			w.freeKeys(a)
			continue
		}
		for i := range a.deliveries {
			if err := w.addDelivery(&deliveries, &a.deliveries[i]); err != nil {
				return fmt.Errorf("insert delivery %s: %w", a.deliveries[i].ID, err)
			}
		}
	}
	w.forgetFreed()
	e := &events
	w.queue.Queue(`INSERT INTO events (id, source, form, type, received, state, cause, duplicate_of, plan, verdicts, errors, deliveries, first, content)
		SELECT id, source, form, type, received, state, NULLIF(cause, ''), NULLIF(duplicate_of, 0), plan, verdicts, NULLIF(errors, ''), deliveries, first, content
		FROM unnest($1::bigint[], $2::text[], $3::smallint[], $4::text[], $5::bigint[], $6::smallint[], $7::text[], $8::bigint[], $9::bigint[], $10::text[], $11::text[], $12::integer[], $13::bigint[], $14::bytea[])
		AS e(id, source, form, type, received, state, cause, duplicate_of, plan, verdicts, errors, deliveries, first, content)`,
		e.ids, e.sources, e.forms, e.types, e.received, e.states, e.causes, e.duplicateOf, e.plans, e.verdicts, e.errors, e.deliveries, e.firsts, e.contents)
	if len(deliveries.ids) > 0 {
		w.insertDeliveries(&deliveries)
	}
	for _, a := range w.batch.accepts {
		for i := range a.event.Files { // few posts have any
			w.queue.Queue(w.tx.e.bound.bind(insertFile), fileRow(&a.event.Files[i])...)
		}
	}
	return nil
}

// freeKeys gives those of a's deliveries that go once to whoever comes next:
// a is a repeat, so they do not go.
func (w *pgWork) freeKeys(a *acceptOp) {
	for i := range a.deliveries {
		if d := &a.deliveries[i]; d.Once != nil && w.firsts[keyOfOnce(d)] == d.Event {
			w.freed[keyOfOnce(d)] = true
		}
	}
}

// forgetFreed removes what was noted for deliveries that do not go, and that
// nobody else in the batch has taken.
func (w *pgWork) forgetFreed() {
	for k := range w.freed {
		w.queue.Queue(`DELETE FROM dedupe WHERE source = $1 AND key = $2`, k.source, []byte(k.key))
	}
}

func (rows *eventRows) add(a *acceptOp) error {
	ev := a.event
	state, deliveries := ev.State, a.deliveries
	if a.duplicateOf != 0 {
		state, deliveries = event.Duplicate, nil
	}
	number := stateNumber(state)
	if number < 0 {
		return fmt.Errorf("event %s: unknown state %q", ev.ID, state)
	}
	ruleErrors, err := eventErrors(ev.Errors)
	if err != nil {
		return err
	}
	form := int16(0)
	if ev.Form {
		form = 1
	}
	rows.ids = append(rows.ids, int64(ev.ID))
	rows.sources = append(rows.sources, clean(ev.Source))
	rows.forms = append(rows.forms, form)
	rows.types = append(rows.types, clean(ev.Type))
	rows.received = append(rows.received, a.now)
	rows.states = append(rows.states, int16(number)) //nolint:gosec // one of a few
	rows.causes = append(rows.causes, clean(ev.Cause))
	rows.duplicateOf = append(rows.duplicateOf, int64(a.duplicateOf))
	rows.plans = append(rows.plans, ev.Plan)
	rows.verdicts = append(rows.verdicts, string(ev.Results))
	rows.errors = append(rows.errors, textOf(ruleErrors))
	rows.deliveries = append(rows.deliveries, int32(len(deliveries))) //nolint:gosec // rules make a few
	rows.firsts = append(rows.firsts, firstOf(deliveries))
	rows.contents = append(rows.contents, a.blob)
	return nil
}

// textOf is a nullable text for the server's NULLIF.
func textOf(v any) string {
	text, _ := v.(string)
	return clean(text)
}

// addDelivery adds d. One whose key is taken loses its claim.
func (w *pgWork) addDelivery(rows *deliveryRows, d *event.Delivery) error {
	state, blocked := int16(open), false
	if d.Once != nil {
		k := keyOfOnce(d)
		holdBack(d, w.firsts[k] != d.Event && !w.freed[k])
		if w.freed[k] {
			w.firsts[k] = d.Event
			delete(w.freed, k)
		}
	}
	switch {
	case d.State == event.GaveUp: // it could not be rendered
		state = failed
	case d.State == event.Cancelled:
		state, d.Claim = cancelled, 0
	case d.Key != "":
		k := keyOf(d)
		blocked = w.taken[k]
		w.taken[k] = true
	}
	if blocked {
		d.Claim = 0
	}
	if state == open && !blocked && d.Claim == 0 {
		w.overflow[d.Connection] = true
	}
	warnings, err := jsonList(d.Warnings)
	if err != nil {
		return err
	}
	rows.ids = append(rows.ids, int64(d.ID))
	rows.events = append(rows.events, int64(d.Event))
	rows.rules = append(rows.rules, clean(d.Rule))
	rows.actions = append(rows.actions, int32(d.Action)) //nolint:gosec // counted in a rule
	rows.connections = append(rows.connections, clean(d.Connection))
	rows.keys = append(rows.keys, clean(d.Key))
	rows.states = append(rows.states, state)
	rows.blocked = append(rows.blocked, blocked)
	rows.claims = append(rows.claims, d.Claim)
	rows.messages = append(rows.messages, clean(d.Error))
	rows.warnings = append(rows.warnings, textOf(warnings))
	rows.outputs = append(rows.outputs, pack(nil, d.Output))
	return nil
}

// insertDeliveries draws the turns of keyed ones in the order of the rows: the
// target list with nextval is computed after the sort.
func (w *pgWork) insertDeliveries(rows *deliveryRows) {
	w.queue.Queue(`INSERT INTO deliveries (id, event, rule, action, connection, key, turn, state, owner, due, claim, attempts, base, error, warnings, output)
		SELECT id, event, rule, action, connection, NULLIF(key, ''), CASE WHEN key <> '' THEN nextval('deliveries_turn') END, state,
			CASE WHEN claim > 0 THEN $13::bigint ELSE 0 END,
			CASE WHEN state <> 0 OR blocked THEN NULL WHEN claim > 0 THEN $14::bigint ELSE now_us() END,
			claim, 0, 0, NULLIF(error, ''), NULLIF(warnings, ''), output
		FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::integer[], $5::text[], $6::text[], $7::smallint[], $8::boolean[], $9::bigint[], $10::text[], $11::text[], $12::bytea[])
		WITH ORDINALITY AS d(id, event, rule, action, connection, key, state, blocked, claim, error, warnings, output, n) ORDER BY n`,
		rows.ids, rows.events, rows.rules, rows.actions, rows.connections, rows.keys, rows.states, rows.blocked, rows.claims, rows.messages, rows.warnings, rows.outputs,
		w.tx.at.owner, w.tx.at.until)
}
