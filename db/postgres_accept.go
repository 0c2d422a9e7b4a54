package db

import (
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgtype"

	"hookgate/internal/event"
)

// eventRows are the columns of the events of a batch.
type eventRows struct {
	ids, received, duplicateOf, plans, firsts column // bigint
	sources, types, causes, verdicts, errors  column // text
	forms, states                             column // smallint
	deliveries, reserved                      column // integer
	contents                                  column // bytea
	scratch                                   []byte
}

func (rows *eventRows) reset() {
	for _, c := range []*column{&rows.ids, &rows.received, &rows.duplicateOf, &rows.plans, &rows.firsts} {
		c.reset(pgtype.Int8OID)
	}
	for _, c := range []*column{&rows.sources, &rows.types, &rows.causes, &rows.verdicts, &rows.errors} {
		c.reset(pgtype.TextOID)
	}
	rows.forms.reset(pgtype.Int2OID)
	rows.states.reset(pgtype.Int2OID)
	rows.deliveries.reset(pgtype.Int4OID)
	rows.reserved.reset(pgtype.Int4OID)
	rows.contents.reset(pgtype.ByteaOID)
}

// deliveryRows are the columns of the deliveries of a batch.
type deliveryRows struct {
	ids, events, claims                          column // bigint
	rules, connections, keys, messages, warnings column // text
	actions, elements                            column // integer
	states, why, flows                           column // smallint
	blocked                                      column // boolean
	outputs                                      column // bytea
	scratch                                      []byte
}

func (rows *deliveryRows) reset() {
	for _, c := range []*column{&rows.ids, &rows.events, &rows.claims} {
		c.reset(pgtype.Int8OID)
	}
	for _, c := range []*column{&rows.rules, &rows.connections, &rows.keys, &rows.messages, &rows.warnings} {
		c.reset(pgtype.TextOID)
	}
	rows.actions.reset(pgtype.Int4OID)
	rows.elements.reset(pgtype.Int4OID)
	rows.states.reset(pgtype.Int2OID)
	rows.why.reset(pgtype.Int2OID)
	rows.flows.reset(pgtype.Int2OID)
	rows.blocked.reset(pgtype.BoolOID)
	rows.outputs.reset(pgtype.ByteaOID)
}

// accepts queues the events and their deliveries.
func (w *pgWork) accepts() error {
	if len(w.batch.accepts) == 0 {
		return nil
	}
	events, deliveries := &w.tx.e.rows.events, &w.tx.e.rows.deliveries
	events.reset()
	deliveries.reset()
	for _, a := range w.batch.accepts {
		a.owner, a.duplicateOf = w.tx.at.owner, 0
		if a.dedupeKey != nil {
			if first := w.firsts[keyOfEvent(a)]; first != a.event.ID {
				a.duplicateOf = first
			}
		}
		if w.refuse(a) {
			continue
		}
		if err := events.add(a); err != nil {
			return err
		}
		if a.duplicateOf != 0 {
			continue
		}
		if err := w.addDeliveries(deliveries, a); err != nil {
			return err
		}
	}
	w.countMarks()
	w.forgetFreed()
	w.queue.Queue(`INSERT INTO events (id, source, form, type, received, state, cause, duplicate_of, plan, verdicts, errors, deliveries, first, content, reserved)
		SELECT id, source, form, type, received, state, NULLIF(cause, ''), NULLIF(duplicate_of, 0), plan, verdicts, NULLIF(errors, ''), deliveries, first, content, reserved
		FROM unnest($1::bigint[], $2::text[], $3::smallint[], $4::text[], $5::bigint[], $6::smallint[], $7::text[], $8::bigint[], $9::bigint[], $10::text[], $11::text[], $12::integer[], $13::bigint[], $14::bytea[], $15::integer[])
		AS e(id, source, form, type, received, state, cause, duplicate_of, plan, verdicts, errors, deliveries, first, content, reserved)`,
		&events.ids, &events.sources, &events.forms, &events.types, &events.received, &events.states, &events.causes, &events.duplicateOf,
		&events.plans, &events.verdicts, &events.errors, &events.deliveries, &events.firsts, &events.contents, &events.reserved)
	if deliveries.ids.rows > 0 {
		w.insertDeliveries(deliveries)
	}
	if err := w.schedule(); err != nil {
		return err
	}
	if err := w.acceptedGathers(); err != nil {
		return err
	}
	w.acceptedEnds()
	w.acceptedSignals()
	w.acceptedFiles()
	return nil
}

// acceptedFiles queues the files that came with events; few have any.
func (w *pgWork) acceptedFiles() {
	for _, a := range w.batch.accepts {
		if a.refused != nil {
			continue
		}
		for i := range a.event.Files {
			w.queue.Queue(w.tx.e.bound.bind(insertFile), fileRow(&a.event.Files[i])...)
		}
	}
}

// addDeliveries adds the deliveries of an event, but for those whose moment is
// in the future.
func (w *pgWork) addDeliveries(to *deliveryRows, a *acceptOp) error {
	for i := range a.deliveries {
		if a.deliveries[i].State == event.Scheduled {
			continue
		}
		if err := w.addDelivery(to, &a.deliveries[i]); err != nil {
			return fmt.Errorf("insert delivery %s: %w", a.deliveries[i].ID, err)
		}
	}
	return nil
}

// schedule queues the deliveries whose moment is in the future.
func (w *pgWork) schedule() error {
	for _, a := range w.batch.accepts {
		for i := range a.deliveries {
			d := &a.deliveries[i]
			if d.State != event.Scheduled || a.duplicateOf != 0 {
				continue
			}
			d.Claim = 0
			delivery, timer, err := scheduledRows(d)
			if err != nil {
				return fmt.Errorf("insert delivery %s: %w", d.ID, err)
			}
			w.queue.Queue(w.tx.e.bound.bind(insertScheduled), Clean(delivery)...)
			w.queue.Queue(w.tx.e.bound.bind(insertMoment), Clean(timer)...)
		}
	}
	return nil
}

// refuse queues the records of a, or reports that a is not stored: what its
// rules saw has changed, or cannot be written. Nor is a repeat of such a one.
func (w *pgWork) refuse(a *acceptOp) bool {
	var rows []event.Record
	switch a.refused = nil; {
	case a.duplicateOf != 0 && w.refused[a.duplicateOf]:
		a.refused = event.ErrRecordsChanged
	case a.duplicateOf == 0 && keepsRecords(a.event):
		rows, a.refused = w.records.Commit(a.event, time.UnixMicro(w.tx.at.now))
	}
	if a.refused != nil {
		w.refused[a.event.ID] = true
		if a.dedupeKey != nil && w.firsts[keyOfEvent(a)] == a.event.ID {
			w.freed[keyOfEvent(a)] = true
		}
		return true
	}
	for i := range rows {
		w.queue.Queue(w.tx.e.bound.bind(writeRecord), recordRow(&rows[i])...)
	}
	return false
}

// queueFollow is putFollow in the journey that reads the database's clock, on which
// delays count from the end: it is not known before.
const queueFollow = `INSERT INTO timers (id, kind, name, key, due, count, value) VALUES ($1, 5, $2, $3, now_us(), 0, NULL)` + followsAgain

// acceptedEnds queues what follows of deliveries that have ended as they are stored:
// they could not be rendered, or were held back.
func (w *pgWork) acceptedEnds() {
	for _, a := range w.batch.accepts {
		for i := range a.deliveries {
			d := &a.deliveries[i]
			if a.duplicateOf == 0 && a.refused == nil && d.Flow&event.Followed != 0 && (d.State == event.Failed || d.State == event.Cancelled) {
				w.queue.Queue(queueFollow, Clean(followRow(d))...)
			}
		}
	}
}

// acceptedGathers queues the digests that events join.
func (w *pgWork) acceptedGathers() error {
	var list []event.Gather
	for _, a := range w.batch.accepts {
		if a.duplicateOf == 0 && a.refused == nil {
			list = append(list, a.event.Gathers...)
		}
	}
	for _, g := range sortedGathers(list) {
		row, err := digestRow(&g)
		if err != nil {
			return fmt.Errorf("gather %s in a digest of %s: %w", g.Event, g.Name, err)
		}
		w.queue.Queue(w.tx.e.bound.bind(joinDigest), Clean(row)...)
	}
	return nil
}

// queueSignal is addSignal in the journey that reads the database's clock.
const queueSignal = `INSERT INTO signals (name, key, due, rest, count, value) VALUES ($1, $2, now_us(), $3, $4, $5)` + countSignal

// acceptedSignals queues the signals of what is accepted.
func (w *pgWork) acceptedSignals() {
	var list []event.Signal
	for _, a := range w.batch.accepts {
		if a.duplicateOf == 0 && a.refused == nil {
			list = append(list, a.event.Signals...)
		}
	}
	for _, s := range sortedSignals(list) {
		w.queue.Queue(queueSignal, clean(s.Name), clean(s.Key), rest(&s), int64(max(s.Count, 1)), clean(string(s.Value)))
	}
}

// countMarks writes how many have gone of each key of deliveries that are counted. A
// key that this batch opened and nobody took is forgotten: its event is a repeat.
func (w *pgWork) countMarks() {
	if len(w.marks) == 0 {
		return
	}
	var list columnsOfMarks
	for _, k := range sortedKeys(w.marks) {
		if m := w.marks[k]; m.count != m.before || m.count == 0 {
			list.add(k, m.count)
		}
	}
	if len(list.sources) == 0 {
		return
	}
	w.queue.Queue(`UPDATE dedupe d SET count = k.count FROM unnest($1::text[], $2::bytea[], $3::integer[]) AS k(source, key, count)
		WHERE d.source = k.source AND d.key = k.key AND k.count > 0`, list.sources, list.keys, list.counts)
	w.queue.Queue(`DELETE FROM dedupe d USING unnest($1::text[], $2::bytea[], $3::integer[]) AS k(source, key, count)
		WHERE d.source = k.source AND d.key = k.key AND k.count = 0`, list.sources, list.keys, list.counts)
}

// forgetFreed removes the keys of events that are not stored.
func (w *pgWork) forgetFreed() {
	for _, k := range sortedKeys(w.freed) {
		w.queue.Queue(`DELETE FROM dedupe WHERE source = $1 AND key = $2`, k.source, []byte(k.key))
	}
}

// columnsOfMarks are rows of marks as the server takes them.
type columnsOfMarks struct {
	sources []string
	keys    [][]byte
	counts  []int32
}

func (c *columnsOfMarks) add(k dedupeKey, count int) {
	c.sources, c.keys = append(c.sources, k.source), append(c.keys, []byte(k.key))
	c.counts = append(c.counts, int32(count)) //nolint:gosec // a throttle's times bound it
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
	rows.ids.int64(int64(ev.ID))
	rows.sources.text(clean(ev.Source))
	rows.forms.int16(form)
	rows.types.text(clean(ev.Type))
	rows.received.int64(a.now)
	rows.states.int16(int16(number)) //nolint:gosec // one of a few
	rows.causes.text(clean(ev.Cause))
	rows.duplicateOf.int64(int64(a.duplicateOf))
	rows.plans.int64(ev.Plan)
	rows.verdicts.text(string(ev.Results))
	rows.errors.text(textOf(ruleErrors))
	rows.deliveries.int32(int32(len(deliveries))) //nolint:gosec // rules make a few
	rows.firsts.int64(firstOf(ev.First, deliveries))
	if ev.Reserved > 0 {
		rows.reserved.int32(int32(ev.Reserved)) //nolint:gosec // at most some hundreds
	} else {
		rows.reserved.null()
	}
	blob := a.packed
	if len(blob) == 0 {
		rows.scratch = pack(again(rows.scratch), a.content)
		blob = rows.scratch
	}
	rows.contents.bytes(blob)
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
		m := w.marks[keyOfOnce(d)]
		if holdBack(d, m.count >= max(d.Once.Times, 1)); d.State != event.Cancelled {
			m.count++
		}
	}
	switch {
	case d.State == event.Failed: // it could not be rendered
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
	rows.ids.int64(int64(d.ID))
	rows.events.int64(int64(d.Event))
	rows.rules.text(clean(d.Rule))
	rows.actions.int32(int32(d.Action)) //nolint:gosec // counted in a rule
	rows.connections.text(clean(d.Connection))
	rows.keys.text(clean(d.Key))
	rows.states.int16(state)
	rows.blocked.bool(blocked)
	rows.claims.int64(d.Claim)
	rows.messages.text(clean(d.Error))
	rows.warnings.text(textOf(warnings))
	rows.scratch = pack(again(rows.scratch), d.Output)
	rows.outputs.bytes(rows.scratch)
	rows.elements.int32(int32(d.Element))           //nolint:gosec // counted in an event
	rows.why.int16(int16(causeNumber(d.Cancelled))) //nolint:gosec // one of a few
	rows.flows.int16(int16(d.Flow))                 //nolint:gosec // some bits
	return nil
}

// insertDeliveries draws the turns of keyed ones in the order of the rows: the
// target list with nextval is computed after the sort.
func (w *pgWork) insertDeliveries(rows *deliveryRows) {
	w.queue.Queue(`INSERT INTO deliveries (id, event, rule, action, connection, key, turn, state, owner, due, claim, attempts, base, error, warnings, output, element, cause, flow)
		SELECT id, event, rule, action, connection, NULLIF(key, ''), CASE WHEN key <> '' THEN nextval('deliveries_turn') END, state,
			CASE WHEN claim > 0 THEN $13::bigint ELSE 0 END,
			CASE WHEN state <> 0 OR blocked THEN NULL WHEN claim > 0 THEN $14::bigint ELSE now_us() END,
			claim, 0, 0, NULLIF(error, ''), NULLIF(warnings, ''), output, element, cause, NULLIF(flow, 0)
		FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::integer[], $5::text[], $6::text[], $7::smallint[], $8::boolean[], $9::bigint[], $10::text[], $11::text[], $12::bytea[], $15::integer[], $16::smallint[], $17::smallint[])
		WITH ORDINALITY AS d(id, event, rule, action, connection, key, state, blocked, claim, error, warnings, output, element, cause, flow, n) ORDER BY n`,
		&rows.ids, &rows.events, &rows.rules, &rows.actions, &rows.connections, &rows.keys, &rows.states, &rows.blocked, &rows.claims, &rows.messages, &rows.warnings, &rows.outputs,
		w.tx.at.owner, w.tx.at.until, &rows.elements, &rows.why, &rows.flows)
}
