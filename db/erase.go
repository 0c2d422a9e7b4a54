package db

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"hookgate/internal/event"
)

const (
	// eraseBatch is how many events one transaction of Erase deletes: accepts
	// wait for it.
	eraseBatch = 20
	// eraseTries is how often a batch is begun again whose ordering keys had
	// changed before they could be locked.
	eraseTries = 5
	// namesPage is how many rows EraseNames reads at once.
	namesPage = 1000
	// purgeEvery is how often PurgeDeleted tries to empty the log of SQLite, and
	// purgeTime for how long: a reader that still uses it is soon done.
	purgeEvery = 50 * time.Millisecond
	purgeTime  = 10 * time.Second
	// vacuumPages is how many free pages one transaction gives back.
	vacuumPages = 500
)

// errKeysChanged reports that an event got deliveries under ordering keys that
// the transaction did not lock.
var errKeysChanged = errors.New("the ordering keys of an event have just changed")

// Footprint counts what Erase would delete with some events.
func (s *Store) Footprint(ctx context.Context, ids []event.ID) (event.Footprint, error) {
	var t event.Footprint
	for page := range slices.Chunk(ids, bulkBatch) {
		one, err := s.footprintPage(ctx, page)
		if err != nil {
			return t, fmt.Errorf("count what is stored of events: %w", err)
		}
		t = t.Add(one)
	}
	return t, nil
}

func (s *Store) footprintPage(ctx context.Context, ids []event.ID) (t event.Footprint, err error) {
	list, ofEvents := s.dialect.numbers(numbersOf(ids)), s.dialect.isAmong("event")
	if err := s.read.QueryRowContext(ctx, `SELECT count(*) FROM events WHERE `+s.dialect.isAmong("id"), list).Scan(&t.Events); err != nil {
		return t, err
	}
	if err := s.read.QueryRowContext(ctx, s.spansOf()+`SELECT CAST(coalesce(sum(`+countOfSpan+`)), 0) AS BIGINT) FROM spans`, list).Scan(&t.Deliveries); err != nil {
		return t, err
	}
	if err := s.read.QueryRowContext(ctx, `SELECT (SELECT count(*) FROM deliveries WHERE `+ofEvents+` AND state = 0) + (SELECT count(*) FROM deliveries WHERE `+ofEvents+` AND state = 4)`, list).Scan(&t.Open); err != nil {
		return t, err
	}
	row := s.read.QueryRowContext(ctx, `SELECT count(*), CAST(coalesce(sum(size), 0) AS BIGINT) FROM files WHERE `+ofEvents, list)
	return t, row.Scan(&t.Files, &t.Bytes)
}

// Erase deletes events with all that is stored of them: deliveries, also open
// ones, their attempts, what replays did, and the keys by which a repeat is
// recognised. Their files become removable. What waited behind an open
// delivery's ordering key may go; the result of one that is being sent finds
// nothing and changes nothing. It returns what it deleted, also with an error,
// and the connections that now have something to send. It works in small
// transactions beside the traffic; what is gone already is left out, so that it
// can be called again after an interruption.
func (s *Store) Erase(ctx context.Context, ids []event.ID) (event.Footprint, []string, error) {
	defer s.backlogs.Forget()
	var total event.Footprint
	touched := map[string]bool{}
	marks, err := s.dedupeOf(ctx, ids)
	if err != nil {
		return total, nil, err
	}
	for page := range slices.Chunk(slices.Sorted(slices.Values(ids)), eraseBatch) {
		if err := ctx.Err(); err != nil {
			return total, names(touched), err
		}
		one, connections, err := s.erasePage(ctx, page, marks)
		if err != nil {
			return total, names(touched), fmt.Errorf("delete events: %w", err)
		}
		total = total.Add(one)
		for c := range connections {
			touched[c] = true
		}
	}
	return total, names(touched), nil
}

// erasePage deletes a page of events in one transaction.
func (s *Store) erasePage(ctx context.Context, page []event.ID, marks map[event.ID][]dedupeMark) (event.Footprint, map[string]bool, error) {
	for try := 1; ; try++ {
		keys, err := s.keysOf(ctx, page)
		if err != nil {
			return event.Footprint{}, nil, err
		}
		f := &erasure{store: s, keys: keys, marks: marks}
		if err = s.write(func(tx tx) error { return f.run(tx, page) }, keys...); err == nil {
			return f.gone, f.touched, nil
		}
		if !errors.Is(err, errKeysChanged) || try == eraseTries {
			return event.Footprint{}, nil, err
		}
	}
}

// keysOf are the ordering keys of the events' deliveries that hold them: those that
// are open, those that something else comes after still, and those of open digests.
func (s *Store) keysOf(ctx context.Context, ids []event.ID) ([]keyed, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT DISTINCT connection, key FROM deliveries WHERE `+s.dialect.isAmong("event")+` AND state = 0 AND key IS NOT NULL
		UNION SELECT d.connection, d.key FROM timers t JOIN deliveries d ON d.id = -t.id WHERE t.kind = 5 AND `+s.dialect.isAmong("d.event")+` AND d.key IS NOT NULL
		UNION SELECT d.connection, d.key FROM digest_items i JOIN deliveries d ON d.id = i.digest WHERE `+s.dialect.isAmong("i.event")+` AND d.state = 0 AND d.key IS NOT NULL`, s.dialect.numbers(numbersOf(ids)))
	if err != nil {
		return nil, fmt.Errorf("look for ordering keys: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var keys []keyed
	for rows.Next() {
		var k keyed
		if err := rows.Scan(&k.connection, &k.key); err != nil {
			return nil, fmt.Errorf("look for ordering keys: %w", err)
		}
		keys = append(keys, k)
	}
	return keys, rows.Err()
}

// dedupeMark is the key of a row of table dedupe.
type dedupeMark struct {
	source string
	key    []byte
}

// dedupeOf are the keys that stand for each of the events. There is no index
// by event: the table is gone through beside the writer.
func (s *Store) dedupeOf(ctx context.Context, ids []event.ID) (map[event.ID][]dedupeMark, error) {
	marks := map[event.ID][]dedupeMark{}
	for page := range slices.Chunk(ids, bulkBatch) {
		if err := s.addDedupe(ctx, page, marks); err != nil {
			return nil, fmt.Errorf("look for keys of repeats: %w", err)
		}
	}
	return marks, nil
}

func (s *Store) addDedupe(ctx context.Context, ids []event.ID, marks map[event.ID][]dedupeMark) error {
	rows, err := s.read.QueryContext(ctx, `SELECT source, key, event FROM dedupe WHERE `+s.dialect.isAmong("event"), s.dialect.numbers(numbersOf(ids)))
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var m dedupeMark
		var id event.ID
		if err := rows.Scan(&m.source, &m.key, &id); err != nil {
			return err
		}
		marks[id] = append(marks[id], m)
	}
	return rows.Err()
}

// erasure is one transaction of Erase.
type erasure struct {
	store   *Store
	keys    []keyed // those that are locked
	marks   map[event.ID][]dedupeMark
	gone    event.Footprint
	touched map[string]bool
	freed   map[keyed]bool // ordering keys that lost an open delivery
}

// run deletes the events of a page.
func (f *erasure) run(tx tx, page []event.ID) (err error) {
	f.gone, f.touched, f.freed = event.Footprint{}, map[string]bool{}, map[keyed]bool{}
	restore, err := tx.overwrite()
	if err != nil {
		return err
	}
	defer restore()
	for _, id := range page {
		if err := f.event(tx, int64(id)); err != nil {
			return err
		}
		for _, m := range f.marks[id] {
			if err := tx.exec(`DELETE FROM dedupe WHERE source = ?1 AND key = ?2 AND event = ?3`, m.source, m.key, int64(id)); err != nil {
				return err
			}
		}
	}
	for k := range f.freed {
		if err := f.store.unblock(tx, k, tx.stamp().now); err != nil {
			return err
		}
		f.touched[k.connection] = true
	}
	return notifyAll(tx, f.touched)
}

// event deletes one event, if it is still there. Its row is locked first:
// whoever would give it deliveries waits, and finds no event then.
func (f *erasure) event(tx tx, id int64) error {
	var spans [][2]int64
	note := func(row []any) error {
		first := row[0].(int64)
		spans = append(spans, [2]int64{first, first + row[1].(int64)})
		return nil
	}
	if err := tx.query(note, `SELECT first, coalesce(reserved, deliveries) FROM events WHERE id = ?1`+f.store.dialect.lock, id); err != nil || len(spans) == 0 {
		return err
	}
	if err := tx.query(note, `SELECT first, coalesce(reserved, deliveries) FROM replays WHERE event = ?1`, id); err != nil {
		return err
	}
	if err := f.digests(tx, id); err != nil {
		return err
	}
	for _, span := range spans {
		if span[0] == span[1] {
			continue
		}
		if err := f.deliveries(tx, span); err != nil {
			return err
		}
	}
	err := tx.query(func(row []any) error {
		f.gone.Files++
		f.gone.Bytes += row[0].(int64)
		return nil
	}, `UPDATE files SET event = 0 WHERE event = ?1 RETURNING size`, id)
	if err != nil {
		return err
	}
	if err := tx.exec(`DELETE FROM replays WHERE event = ?1`, id); err != nil {
		return err
	}
	f.gone.Events++
	return tx.exec(`DELETE FROM events WHERE id = ?1`, id)
}

// deliveries deletes those with numbers in span, with their attempts.
func (f *erasure) deliveries(tx tx, span [2]int64) error {
	changed, followed := false, map[int64]bool{}
	err := tx.query(func(row []any) error { followed[-row[0].(int64)] = true; return nil },
		`DELETE FROM timers WHERE id <= -CAST(?1 AS BIGINT) AND id > -CAST(?2 AS BIGINT) RETURNING id`, span[0], span[1])
	if err != nil {
		return err
	}
	err = tx.query(func(row []any) error {
		f.gone.Deliveries++
		if row[0].(int64) == scheduled {
			f.gone.Open++
		}
		if row[0].(int64) == open {
			f.gone.Open++
		} else if !followed[row[3].(int64)] {
			return nil
		}
		if key, ok := row[2].(string); ok {
			k := keyed{row[1].(string), key}
			f.freed[k] = true
			changed = changed || !slices.Contains(f.keys, k)
		}
		return nil
	}, `DELETE FROM deliveries WHERE id >= ?1 AND id < ?2 RETURNING state, connection, key, id`, span[0], span[1])
	if err != nil {
		return err
	}
	if changed {
		return errKeysChanged
	}
	if err := tx.exec(`DELETE FROM timers WHERE id >= ?1 AND id < ?2 AND kind = 1`, span[0], span[1]); err != nil {
		return err
	}
	return tx.exec(`DELETE FROM attempts WHERE delivery >= ?1 AND delivery < ?2`, span[0], span[1])
}

// EraseNames deletes what stands under a text that names says yes to: what
// connections remember under it, the records of kept tables that hold it, and the
// runs of replays that were selected by it. It returns how many there were.
func (s *Store) EraseNames(ctx context.Context, names func(text string) bool) (gone event.Named, err error) {
	if gone.Memory, err = s.eraseMemory(ctx, names); err != nil {
		return gone, fmt.Errorf("delete what connections remember: %w", err)
	}
	if gone.Records, err = s.eraseRecords(ctx, names); err != nil {
		return gone, fmt.Errorf("delete records: %w", err)
	}
	if gone.Runs, err = s.eraseRuns(ctx, names); err != nil {
		return gone, fmt.Errorf("delete runs of replays: %w", err)
	}
	return gone, nil
}

// CountNames counts what EraseNames would delete of tables.
func (s *Store) CountNames(ctx context.Context, names func(text string) bool) (found event.Named, err error) {
	err = s.recordsNaming(ctx, names, func(keys []event.RecordKey) error {
		found.Records += len(keys)
		return nil
	})
	if err != nil {
		return found, fmt.Errorf("count records: %w", err)
	}
	return found, nil
}

// StepOutputs calls each for what receivers answered the steps of events: JSON, as
// outputs has it.
func (s *Store) StepOutputs(ctx context.Context, ids []event.ID, each func(of event.ID, outputs []byte)) error {
	for page := range slices.Chunk(ids, bulkBatch) {
		if err := s.stepOutputs(ctx, page, each); err != nil {
			return fmt.Errorf("read what steps were answered: %w", err)
		}
	}
	return nil
}

// spansOf is the head of a query about the deliveries of events, also of replays,
// whose ids are ?1: the ids that are reserved for them are from first up to behind.
func (s *Store) spansOf() string {
	return `WITH spans AS (
		SELECT id AS event, first, first + coalesce(reserved, deliveries) AS behind FROM events WHERE ` + s.dialect.isAmong("id") + `
		UNION ALL SELECT event, first, first + coalesce(reserved, deliveries) FROM replays WHERE ` + s.dialect.isAmong("event") + `) `
}

// countOfSpan counts a span's deliveries; a condition on d may follow, and a
// parenthesis has to. It is not a join, of which PostgreSQL would read the table.
const countOfSpan = `(SELECT count(*) FROM deliveries d WHERE d.id >= spans.first AND d.id < spans.behind`

func (s *Store) stepOutputs(ctx context.Context, ids []event.ID, each func(of event.ID, outputs []byte)) error {
	spans, err := s.spansWith(ctx, ids, `d.outputs IS NOT NULL`)
	if err != nil {
		return err
	}
	for _, span := range spans {
		if err := s.outputsOf(ctx, span, func(outputs []byte) { each(span.event, outputs) }); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) outputsOf(ctx context.Context, in span, each func(outputs []byte)) error {
	rows, err := s.read.QueryContext(ctx, `SELECT outputs FROM deliveries WHERE id >= ?1 AND id < ?2 AND outputs IS NOT NULL`, in.first, in.behind)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var outputs string
		if err := rows.Scan(&outputs); err != nil {
			return err
		}
		each([]byte(outputs))
	}
	return rows.Err()
}

// span is where deliveries of an event have their ids.
type span struct {
	event         event.ID
	first, behind int64
}

// spansWith are the spans of events in which a delivery meets a condition on d.
func (s *Store) spansWith(ctx context.Context, ids []event.ID, condition string) (list []span, err error) {
	rows, err := s.read.QueryContext(ctx, s.spansOf()+`SELECT event, first, behind FROM spans WHERE `+countOfSpan+` AND `+condition+`) > 0`, s.dialect.numbers(numbersOf(ids)))
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var one span
		if err := rows.Scan(&one.event, &one.first, &one.behind); err != nil {
			return nil, err
		}
		list = append(list, one)
	}
	return list, rows.Err()
}

// memoryKey is the key of table memory.
type memoryKey struct{ connection, key string }

func (s *Store) eraseMemory(ctx context.Context, names func(string) bool) (count int, err error) {
	var after memoryKey
	for {
		page, found, err := s.memoryPage(ctx, after, names)
		if err != nil || len(page) == 0 {
			return count, err
		}
		after = page[len(page)-1]
		if len(found) == 0 {
			continue
		}
		err = s.write(func(tx tx) error {
			restore, err := tx.overwrite()
			if err != nil {
				return err
			}
			defer restore()
			for _, k := range found {
				if err := tx.exec(`DELETE FROM memory WHERE connection = ?1 AND key = ?2`, k.connection, k.key); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return count, err
		}
		count += len(found)
	}
}

// eraseRecords deletes the records whose key or value holds a name, under their
// locks: what is written of one meanwhile comes after it.
func (s *Store) eraseRecords(ctx context.Context, names func(string) bool) (count int, err error) {
	err = s.recordsNaming(ctx, names, func(keys []event.RecordKey) error {
		n, err := s.DeleteRecords(keys...)
		count += n
		return err
	})
	return count, err
}

// recordsNaming calls each with the records whose key or value holds a name, a page
// at a time.
func (s *Store) recordsNaming(ctx context.Context, names func(string) bool, each func([]event.RecordKey) error) error {
	var after event.RecordKey
	for {
		page, err := s.records(ctx, `(tbl > ?1 OR (tbl = ?1 AND key > ?2))`, ` ORDER BY tbl, key LIMIT ?3`, after.Table, after.Key, int64(namesPage))
		if err != nil || len(page) == 0 {
			return err
		}
		after = page[len(page)-1].RecordKey
		var found []event.RecordKey
		for i := range page {
			if names(page[i].Key) || names(string(page[i].Value)) {
				found = append(found, page[i].RecordKey)
			}
		}
		if len(found) == 0 {
			continue
		}
		if err := each(found); err != nil {
			return err
		}
	}
}

// memoryPage reads the next rows and picks those with a name in them.
func (s *Store) memoryPage(ctx context.Context, after memoryKey, names func(string) bool) (page, found []memoryKey, err error) {
	rows, err := s.read.QueryContext(ctx, `SELECT connection, key, value FROM memory WHERE connection > ?1 OR (connection = ?1 AND key > ?2)
		ORDER BY connection, key LIMIT ?3`, after.connection, after.key, int64(namesPage))
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var k memoryKey
		var value string
		if err := rows.Scan(&k.connection, &k.key, &value); err != nil {
			return nil, nil, err
		}
		page = append(page, k)
		if names(k.key) || names(value) {
			found = append(found, k)
		}
	}
	return page, found, rows.Err()
}

func (s *Store) eraseRuns(ctx context.Context, names func(string) bool) (int, error) {
	ids, err := s.runsNaming(ctx, names)
	if err != nil || len(ids) == 0 {
		return 0, err
	}
	err = s.write(func(tx tx) error {
		restore, err := tx.overwrite()
		if err != nil {
			return err
		}
		defer restore()
		for _, id := range ids {
			if err := tx.exec(`DELETE FROM replay_runs WHERE id = ?1`, id); err != nil {
				return err
			}
		}
		return nil
	})
	return len(ids), err
}

func (s *Store) runsNaming(ctx context.Context, names func(string) bool) ([]int64, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT id, selection FROM replay_runs`)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var ids []int64
	for rows.Next() {
		var id int64
		var selection string
		if err := rows.Scan(&id, &selection); err != nil {
			return nil, err
		}
		if names(selection) {
			ids = append(ids, id)
		}
	}
	return ids, rows.Err()
}

// ErrLogInUse reports that somebody reads the database for so long that its
// log still holds what was deleted. The next checkpoint overwrites it.
var ErrLogInUse = errors.New("the database's log is in use and could not be emptied")

// PurgeDeleted takes what was deleted out of the files of the database, as far
// as its engine can; done is false where that is the engine's own business.
func (s *Store) PurgeDeleted(ctx context.Context) (done bool, err error) {
	return s.engine.purge(ctx, func(do func(tx) error) error { return s.write(do) })
}
