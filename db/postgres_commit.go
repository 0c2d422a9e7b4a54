package db

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"hookgate/internal/event"
)

// commitTries is how often a commit is begun again that failed through no
// fault of its own: a deadlock with another replica, a lease that ran out.
const commitTries = 3

// commit applies the batch in one transaction, in one journey to the server;
// two where the batch has ordering keys or keys of duplicates.
func (e *postgres) commit(b *batch) error {
	ctx, cancel := context.WithTimeout(context.Background(), commitTime)
	defer cancel()
	for try := 1; ; try++ {
		err := e.tryCommit(ctx, b)
		if err == nil || try == commitTries || !passing(err) {
			return err
		}
	}
}

// readOnly is SQLSTATE read_only_sql_transaction.
const readOnly = "25006"

// passing reports whether the same transaction may well succeed now.
func passing(err error) bool {
	pe, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (strings.HasPrefix(pe.Code, "40") || strings.HasPrefix(pe.Code, "HG"))
}

func (e *postgres) tryCommit(ctx context.Context, b *batch) error {
	if err := e.ready(ctx); err != nil {
		return err
	}
	begun := time.Now()
	e.number++
	w := &pgWork{tx: pgTx{ctx: ctx, e: e, at: stamp{owner: e.id.Load(), until: e.number}}, batch: b}
	if err := w.run(); err != nil {
		return e.undo(ctx, err)
	}
	e.renewed(begun)
	return nil
}

// undo ends a transaction that failed. If the connection went with it nobody
// knows the outcome: settle will look.
func (e *postgres) undo(ctx context.Context, err error) error {
	if !e.conn.IsClosed() && e.conn.PgConn().TxStatus() != 'I' {
		if _, rollback := e.conn.Exec(ctx, "ROLLBACK"); rollback != nil {
			err = errors.Join(err, rollback, e.conn.Close(ctx))
		}
	}
	if pe, ok := errors.AsType[*pgconn.PgError](err); ok {
		switch {
		case strings.HasPrefix(pe.Code, "HG"):
			e.expired.Store(true)
		case pe.Code == readOnly: // no longer the primary: look for the one that is
			err = errors.Join(err, e.conn.Close(ctx))
		}
	}
	if e.conn.IsClosed() {
		e.lost = append(e.lost, e.number)
		return fmt.Errorf("%w: %w", errCutOff, err)
	}
	return err
}

// pgWork is one try at a batch.
type pgWork struct {
	tx       pgTx
	batch    *batch
	queue    *pgx.Batch
	taken    map[keyed]bool
	firsts   map[dedupeKey]event.ID
	freed    map[dedupeKey]bool  // of firsts: the event turned out not to be stored
	marks    map[dedupeKey]*mark // of the deliveries that are counted
	overflow map[string]bool     // connections with something due that nobody holds
	records  event.Records       // that the accepted events compare or write
	refused  map[event.ID]bool   // events that are not stored
}

// dedupeKey is a row of table dedupe.
type dedupeKey struct{ source, key string }

// mark is how many deliveries with a key have gone within its window.
type mark struct{ before, count int }

// sortedKeys are the keys in the order in which everybody locks them.
func sortedKeys[T any](of map[dedupeKey]T) []dedupeKey {
	return slices.SortedFunc(maps.Keys(of), func(a, b dedupeKey) int { return cmp.Or(cmp.Compare(a.source, b.source), cmp.Compare(a.key, b.key)) })
}

func (w *pgWork) run() error {
	w.queue = &pgx.Batch{}
	w.taken, w.firsts, w.overflow = map[keyed]bool{}, map[dedupeKey]event.ID{}, map[string]bool{}
	w.freed, w.marks = map[dedupeKey]bool{}, map[dedupeKey]*mark{}
	w.records, w.refused = event.Records{}, map[event.ID]bool{}
	w.queue.Queue("BEGIN")
	w.queue.Queue("SELECT beat($1)", w.tx.at.owner).QueryRow(func(row pgx.Row) error { return row.Scan(&w.tx.at.now) })
	accepted, all := w.keys()
	if len(w.batch.writes) > 0 {
		w.queue.Queue(planFreely)
	} else if len(all) > 0 {
		w.queue.Queue(planNow)
	}
	w.askKeys(accepted, all)
	w.askRecords()
	if w.askDuplicates() || len(all) > 0 {
		if err := w.send(); err != nil {
			return err
		}
	}
	if err := w.accepts(); err != nil {
		return err
	}
	w.results()
	for connection := range w.overflow {
		w.queue.Queue(`SELECT pg_notify($1, $2)`, channel, clean(connection))
	}
	if len(w.batch.writes) == 0 {
		w.queue.Queue("COMMIT")
		return w.send()
	}
	if err := w.send(); err != nil {
		return err
	}
	for _, op := range w.batch.writes {
		if err := op.run(&w.tx); err != nil {
			return err
		}
	}
	_, err := w.tx.e.conn.Exec(w.tx.ctx, "COMMIT")
	return err
}

// send runs what is queued in one journey.
func (w *pgWork) send() error {
	queue := w.queue
	w.queue = &pgx.Batch{}
	return w.tx.e.conn.SendBatch(w.tx.ctx, queue).Close()
}

// keys are the ordering keys of what is accepted, and all whose turn the batch
// may change.
func (w *pgWork) keys() (accepted, all []keyed) {
	for _, a := range w.batch.accepts {
		for i := range a.deliveries {
			if d := &a.deliveries[i]; d.Key != "" && d.State != event.Failed && d.State != event.Scheduled {
				accepted = append(accepted, keyOf(d))
			}
		}
	}
	all = slices.Clone(accepted)
	for _, a := range w.batch.accepts {
		all = append(all, recordLocks(a.event)...)
	}
	for _, r := range w.batch.results {
		if r.delivery.Key != "" && r.outcome.State != event.Retrying {
			all = append(all, keyOf(r.delivery))
		}
	}
	for _, op := range w.batch.writes {
		all = append(all, op.keys...)
	}
	return accepted, all
}

// askKeys locks the ordering keys that the batch may change the turn of, and
// asks which of the accepted ones are taken. Whoever holds a key's lock sees
// all that was committed under it before. All replicas lock in the same order,
// or they would wait for each other.
func (w *pgWork) askKeys(accepted, all []keyed) {
	if len(all) == 0 {
		return
	}
	locks := make([]int64, len(all))
	for i, k := range all {
		locks[i] = w.tx.e.schema ^ hash(clean(k.connection), clean(k.key))
	}
	slices.Sort(locks)
	w.queue.Queue(`SELECT pg_advisory_xact_lock(k) FROM unnest($1::bigint[]) AS k`, slices.Compact(locks))
	if len(accepted) > 0 {
		connections, keys := columns(accepted)
		w.queue.Queue(`SELECT DISTINCT k.connection, k.key FROM unnest($1::text[], $2::text[]) AS k(connection, key)
			WHERE EXISTS (SELECT 1 FROM deliveries d WHERE d.state = 0 AND d.key IS NOT NULL AND d.connection = k.connection AND d.key = k.key) OR `+keyFollowed+`k.connection || '/' || k.key)`,
			connections, keys).Query(func(rows pgx.Rows) error {
			return scanAll(rows, func(row []any) error {
				w.taken[keyed{row[0].(string), row[1].(string)}] = true
				return nil
			})
		})
	}
}

// askRecords reads the records that the accepted events compare or write, whose
// locks askKeys takes.
func (w *pgWork) askRecords() {
	var tables, keys []string
	for _, a := range w.batch.accepts {
		if !keepsRecords(a.event) {
			continue
		}
		for _, k := range recordKeys(a.event) {
			tables, keys = append(tables, clean(k.Table)), append(keys, clean(k.Key))
		}
	}
	if len(tables) == 0 {
		return
	}
	w.queue.Queue(`SELECT DISTINCT r.tbl, r.key, r.value, r.version, r.event, r.changed, r.expires
		FROM records r JOIN unnest($1::text[], $2::text[]) AS k(tbl, key) ON r.tbl = k.tbl AND r.key = k.key`,
		tables, keys).Query(func(rows pgx.Rows) error {
		return scanAll(rows, func(row []any) error { putRecord(w.records, row, w.tx.at.now); return nil })
	})
}

// keyOf is the delivery's ordering key as it is stored.
func keyOf(d *event.Delivery) keyed { return keyed{clean(d.Connection), clean(d.Key)} }

func columns(keys []keyed) (connections, texts []string) {
	for _, k := range keys {
		connections, texts = append(connections, clean(k.connection)), append(texts, clean(k.key))
	}
	return connections, texts
}

// askDuplicates notes the keys of the events that can be recognised, and of the
// deliveries that are counted, and asks which event each key stands for now (one of
// the batch, or an earlier one) and how many have gone of it.
// Another replica that notes the same key waits here until this one commits.
func (w *pgWork) askDuplicates() bool {
	type row struct {
		dedupeKey
		event, window int64
	}
	var list []row
	note := func(k dedupeKey, id event.ID, window time.Duration) {
		if _, seen := w.firsts[k]; seen {
			return // of two in one batch the first counts
		}
		w.firsts[k] = id
		list = append(list, row{k, int64(id), window.Microseconds()})
	}
	for _, a := range w.batch.accepts {
		if a.dedupeKey != nil {
			note(keyOfEvent(a), a.event.ID, a.event.Dedupe.Window)
		}
		for i := range a.deliveries {
			if d := &a.deliveries[i]; d.Once != nil {
				note(keyOfOnce(d), d.Event, d.Once.Window)
				w.marks[keyOfOnce(d)] = &mark{}
			}
		}
	}
	if len(list) == 0 {
		return false
	}
	slices.SortFunc(list, func(a, b row) int { return cmp.Or(cmp.Compare(a.source, b.source), cmp.Compare(a.key, b.key)) })
	sources, keys := make([]string, len(list)), make([][]byte, len(list))
	events, windows := make([]int64, len(list)), make([]int64, len(list))
	for i, r := range list {
		sources[i], keys[i], events[i], windows[i] = r.source, []byte(r.key), r.event, r.window
	}
	counts := make([]int32, len(list)) // of a mark, nothing has gone yet
	for i, r := range list {
		if w.marks[r.dedupeKey] == nil {
			counts[i] = 1
		}
	}
	w.queue.Queue(`INSERT INTO dedupe (source, key, event, expires, count)
		SELECT source, key, event, now_us() + period, count FROM unnest($1::text[], $2::bytea[], $3::bigint[], $4::bigint[], $5::integer[]) AS d(source, key, event, period, count)
		ON CONFLICT (source, key) DO UPDATE SET event = excluded.event, expires = excluded.expires, count = excluded.count WHERE dedupe.expires <= now_us()`,
		sources, keys, events, windows, counts)
	w.queue.Queue(`SELECT d.source, d.key, d.event, d.count FROM dedupe d JOIN unnest($1::text[], $2::bytea[]) AS k(source, key) ON d.source = k.source AND d.key = k.key`,
		sources, keys).Query(func(rows pgx.Rows) error {
		return scanAll(rows, func(row []any) error {
			k := dedupeKey{row[0].(string), string(row[1].([]byte))}
			w.firsts[k] = event.ID(row[2].(int64))
			if m := w.marks[k]; m != nil {
				gone := int(row[3].(int64))
				m.before, m.count = gone, gone
			}
			return nil
		})
	})
	return true
}

func keyOfEvent(a *acceptOp) dedupeKey {
	return dedupeKey{clean(a.event.Source), string(a.dedupeKey)}
}
