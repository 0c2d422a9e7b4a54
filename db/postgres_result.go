package db

import (
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"hookgate/internal/event"
)

// deliveredRows are the columns of attempts that delivered.
type deliveredRows struct {
	ids, claims, started, durations column // bigint
	numbers, statuses               column // integer
	answers                         column // bytea
	outputs, exchanges              column // text
	scratch                         []byte
}

func (rows *deliveredRows) reset() {
	for _, c := range []*column{&rows.ids, &rows.claims, &rows.started, &rows.durations} {
		c.reset(pgtype.Int8OID)
	}
	rows.numbers.reset(pgtype.Int4OID)
	rows.statuses.reset(pgtype.Int4OID)
	rows.answers.reset(pgtype.ByteaOID)
	rows.outputs.reset(pgtype.TextOID)
	rows.exchanges.reset(pgtype.TextOID)
}

// failedRows are the columns of attempts that did not.
type failedRows struct {
	deliveredRows
	states column // smallint
	waits  column // bigint
	early  column // bigint
	errors column // text
}

func (rows *failedRows) reset() {
	rows.deliveredRows.reset()
	rows.states.reset(pgtype.Int2OID)
	rows.waits.reset(pgtype.Int8OID)
	rows.early.reset(pgtype.Int8OID)
	rows.errors.reset(pgtype.TextOID)
}

func (rows *deliveredRows) add(r *resultOp) {
	a := &r.attempt
	rows.ids.int64(int64(r.delivery.ID))
	rows.claims.int64(r.delivery.Claim)
	rows.started.int64(micros(a.Started))
	rows.durations.int64(a.Duration.Microseconds())
	rows.numbers.int32(int32(a.Number))  //nolint:gosec // a few
	rows.statuses.int32(int32(a.Status)) //nolint:gosec // HTTP's
	if len(a.Answer) > 0 {
		rows.scratch = pack(again(rows.scratch), a.Answer)
		rows.answers.bytes(rows.scratch)
	} else {
		rows.answers.null()
	}
	if text, ok := outputsText(a.Outputs).(string); ok {
		rows.outputs.text(clean(text))
	} else {
		rows.outputs.null()
	}
	if text, ok := exchangeText(&a.Receipt).(string); ok {
		rows.exchanges.text(clean(text))
	} else {
		rows.exchanges.null()
	}
}

func (rows *failedRows) add(r *resultOp, state int16, wait int64) {
	rows.deliveredRows.add(r)
	rows.states.int16(state)
	rows.waits.int64(wait)
	rows.early.int64(r.early)
	rows.errors.text(clean(r.attempt.Error))
}

// results queues what became of attempts. The owner in the conditions fences
// beside the claim: a result that was committed although the answer was lost
// finds nothing when it is tried again, and neither does that of a process
// whose lease ran out. State and owner are written with + 0 so that the rows
// are found by their ids: else the planner takes the index of open deliveries,
// which seems to be short, and goes through all that was open since the last
// vacuum. That cost six times as much.
func (w *pgWork) results() {
	good, bad := &w.tx.e.rows.delivered, &w.tx.e.rows.failed
	good.reset()
	bad.reset()
	ended := map[keyed]*resultOp{}
	for _, r := range w.batch.results {
		r.next = nil
		if r.delivery.Owner != w.tx.at.owner {
			continue
		}
		switch r.outcome.State {
		case event.Delivered:
			good.add(r)
		case event.Retrying:
			bad.add(r, open, r.wait)
			continue
		default:
			w.signalResult(r)
			bad.add(r, failed, 0)
		}
		switch {
		case r.delivery.Flow&event.Followed != 0: // the key's next one goes when what follows is made
			w.followResult(r)
		case r.delivery.Key != "":
			ended[keyOf(r.delivery)] = r
		}
	}
	w.recordDelivered(good)
	w.recordFailed(bad)
	w.promote(ended)
}

// followResult queues the timer of what comes after a delivery that is about to end,
// as signalResult does.
func (w *pgWork) followResult(r *resultOp) {
	row := Clean(followRow(r.delivery))
	w.queue.Queue(`WITH ended AS MATERIALIZED (SELECT d.id FROM deliveries d WHERE d.id = -CAST($1 AS bigint) AND d.claim = $4 AND d.state + 0 = 0 AND d.owner + 0 = $5 FOR UPDATE)
		INSERT INTO timers (id, kind, name, key, due, count, value) SELECT CAST($1 AS bigint), 5, CAST($2 AS text), CAST($3 AS text), now_us(), 0, NULL FROM ended`+followsAgain,
		append(row, r.delivery.Claim, w.tx.at.owner)...)
}

// signalResult queues the signal of a delivery that is about to end. It stands
// before the statement that records the result, under the same condition, and
// holds the row: so either both change something, or neither does.
func (w *pgWork) signalResult(r *resultOp) {
	s := r.outcome.Signal
	if s == nil {
		return
	}
	w.queue.Queue(`WITH ended AS MATERIALIZED (SELECT d.id FROM deliveries d WHERE d.id = $1 AND d.claim = $2 AND d.state + 0 = 0 AND d.owner + 0 = $3 FOR UPDATE)
		INSERT INTO signals (name, key, due, rest, count, value) SELECT CAST($4 AS text), CAST($5 AS text), now_us(), CAST($6 AS bigint), CAST($7 AS bigint), CAST($8 AS text) FROM ended
		ON CONFLICT (name, key) DO UPDATE SET count = signals.count + excluded.count`,
		int64(r.delivery.ID), r.delivery.Claim, w.tx.at.owner, clean(s.Name), clean(s.Key), rest(s), int64(max(s.Count, 1)), clean(string(s.Value)))
}

func (w *pgWork) recordDelivered(rows *deliveredRows) {
	if rows.ids.rows == 0 {
		return
	}
	w.queue.Queue(`UPDATE deliveries d SET state = 1, owner = 0, due = NULL, attempts = r.number, error = NULL,
			started = r.started, duration = r.duration, status = r.status, answer = r.answer, outputs = r.outputs, exchange = r.exchange
		FROM unnest($1::bigint[], $2::bigint[], $3::integer[], $4::bigint[], $5::bigint[], $6::integer[], $7::bytea[], $8::text[], $10::text[])
			AS r(id, claim, number, started, duration, status, answer, outputs, exchange)
		WHERE d.id = r.id AND d.claim = r.claim AND d.state + 0 = 0 AND d.owner + 0 = $9`,
		&rows.ids, &rows.claims, &rows.numbers, &rows.started, &rows.durations, &rows.statuses, &rows.answers, &rows.outputs, w.tx.at.owner, &rows.exchanges)
}

func (w *pgWork) recordFailed(rows *failedRows) {
	if rows.ids.rows == 0 {
		return
	}
	w.queue.Queue(`WITH r AS (
			SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::integer[], $4::bigint[], $5::bigint[], $6::integer[], $7::bytea[], $8::smallint[], $9::bigint[], $10::text[], $12::bigint[], $13::text[])
			AS r(id, claim, number, started, duration, status, answer, state, wait, error, early, exchange)),
		changed AS (
			UPDATE deliveries d SET state = r.state, owner = 0, due = CASE WHEN r.state = 0 THEN greatest(coalesce(d.scheduled, 0), now_us() + r.wait) END, attempts = r.number, error = r.error,
				early = CASE WHEN r.state = 0 AND r.early >= 0 THEN now_us() + r.early END,
				base = CASE WHEN r.state = 0 AND d.scheduled IS NOT NULL THEN d.base + 1 ELSE d.base END, scheduled = NULL
			FROM r WHERE d.id = r.id AND d.claim = r.claim AND d.state + 0 = 0 AND d.owner + 0 = $11
			RETURNING r.*)
		INSERT INTO attempts (delivery, number, started, duration, status, error, answer, exchange)
		SELECT id, number, started, duration, status, error, answer, exchange FROM changed`,
		&rows.ids, &rows.claims, &rows.numbers, &rows.started, &rows.durations, &rows.statuses, &rows.answers, &rows.states, &rows.waits, &rows.errors, w.tx.at.owner, &rows.early, &rows.exchanges)
}

// promote claims, for each key of which a delivery ended, the first one that
// waits, unless one of the key's is due or under way.
func (w *pgWork) promote(ended map[keyed]*resultOp) {
	if len(ended) == 0 {
		return
	}
	keys := make([]keyed, 0, len(ended))
	for k := range ended {
		keys = append(keys, k)
	}
	connections, texts := columns(keys)
	w.queue.Queue(`UPDATE deliveries SET owner = $3, due = $4, claim = claim + 1 WHERE id IN (
			SELECT (SELECT d.id FROM deliveries d WHERE d.state = 0 AND d.key IS NOT NULL AND d.connection = k.connection AND d.key = k.key ORDER BY d.turn LIMIT 1)
			FROM unnest($1::text[], $2::text[]) AS k(connection, key)
			WHERE NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.state = 0 AND d.key IS NOT NULL AND d.connection = k.connection AND d.key = k.key AND d.due IS NOT NULL))
		RETURNING `+claimedColumns, connections, texts, w.tx.at.owner, w.tx.at.until).Query(func(rows pgx.Rows) error {
		return scanAll(rows, func(row []any) error {
			next, err := scanClaimed(row)
			if err != nil {
				return err
			}
			ended[keyOf(next)].next = next
			return nil
		})
	})
}
