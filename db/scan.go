package db

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"hookgate/internal/event"
)

// scanPage is how many events Scan reads at once, firstPage how many at first: who looks
// for the newest of a few stops soon. scanBytes is after how many bytes of what is packed
// it reads no more at once.
const scanPage, firstPage, scanBytes = 500, 20, 1 << 20

// ErrStop ends a Scan without an error.
var ErrStop = errors.New("stop")

// Scan calls each for every event that f selects, whatever its Limit, with its
// request and body: the newest first, or the oldest first where f.OldestFirst
// says so. The event is the caller's to keep. Scan ends when each fails, and
// without an error when it fails with ErrStop.
func (s *Store) Scan(ctx context.Context, f event.Filter, each func(*event.Event) error) error {
	for f.Limit = firstPage; ; f.Limit = min(5*f.Limit, scanPage) {
		last, err := s.scanPart(ctx, f, each)
		if errors.Is(err, ErrStop) {
			return nil
		}
		if err != nil || last == 0 {
			return err
		}
		if f.OldestFirst {
			f.After = last
		} else {
			f.Before = last
		}
	}
}

// scanPart calls each for the next events, f.Limit at most, and returns the last of them
// where there may be more. Nothing is being read while each runs: it may ask the store,
// or wait for somebody.
func (s *Store) scanPart(ctx context.Context, f event.Filter, each func(*event.Event) error) (last event.ID, err error) {
	c, err := s.eventConditions(ctx, f)
	if err != nil {
		return 0, err
	}
	query := `SELECT ` + eventColumns + `content FROM ` + s.eventsTable(f) + c.where() + eventOrder(f) + ` LIMIT ` + c.value(f.Limit)
	stored, more, err := s.storedEvents(ctx, query, c.args, scanBytes)
	if err != nil {
		return 0, fmt.Errorf("read events: %w", err)
	}
	for i := range stored {
		e, err := s.eventOf(ctx, &stored[i], 0)
		if err != nil {
			return 0, fmt.Errorf("read events: %w", err)
		}
		if err := each(&e); err != nil {
			return 0, err
		}
		last, stored[i] = e.ID, storedEvent{} // who keeps none of them needs the memory of one
	}
	if !more && len(stored) < f.Limit {
		return 0, nil
	}
	return last, nil
}

// CountEvents counts the events that f selects, without looking into them.
func (s *Store) CountEvents(ctx context.Context, f event.Filter) (n int, err error) {
	c, err := s.eventConditions(ctx, f)
	if err != nil {
		return 0, err
	}
	if err := s.read.QueryRowContext(ctx, `SELECT count(*) FROM `+s.eventsTable(f)+c.where(), c.args...).Scan(&n); err != nil {
		return 0, fmt.Errorf("count events: %w", err)
	}
	return n, nil
}

// CountStretches counts the newest f.Limit events that f selects by parts of the time
// before now, each so long: 0 is the latest, parts what is older than all of them.
func (s *Store) CountStretches(ctx context.Context, f event.Filter, now time.Time, part time.Duration, parts int) ([]int, error) {
	c, err := s.eventConditions(ctx, f)
	if err != nil {
		return nil, err
	}
	newest := `SELECT id FROM ` + s.eventsTable(f) + c.where() + eventOrder(f) + ` LIMIT ` + c.value(limitOr(f.Limit))
	rows, err := s.read.QueryContext(ctx, `SELECT `+c.stretch(now, part, parts)+`, count(*) FROM (`+newest+`) AS newest GROUP BY 1`, c.args...)
	if err != nil {
		return nil, fmt.Errorf("count events by time: %w", err)
	}
	defer func() { _ = rows.Close() }()
	counts := make([]int, parts+1)
	for rows.Next() {
		var at, n int
		if err := rows.Scan(&at, &n); err != nil {
			return nil, fmt.Errorf("count events by time: %w", err)
		}
		counts[at] = n
	}
	return counts, rows.Err()
}

// Back goes n events back from before, or from the newest where that is 0: it returns
// the id of the last of them, and how many there are.
func (s *Store) Back(ctx context.Context, before event.ID, n int) (last event.ID, there int, err error) {
	c := s.conditions()
	c.idRange(time.Time{}, int64(before))
	row := s.read.QueryRowContext(ctx, `SELECT coalesce(min(id), 0), count(*) FROM (SELECT id FROM events`+c.where()+` ORDER BY id DESC LIMIT `+c.value(n)+`) AS part`, c.args...)
	if err := row.Scan(&last, &there); err != nil {
		return 0, 0, fmt.Errorf("go back in the events: %w", err)
	}
	return last, there, nil
}

// Indexed reports whether the events that f selects are found by an index, or by their
// place at the end of the table: so that a list of them takes as long however many
// others there are. A source has one; so has what is open or has failed, of which all is
// looked up each time.
func Indexed(f event.Filter) bool {
	rare := len(f.States) > 0
	for _, state := range f.States {
		rare = rare && stateNumber(state) >= rareState && state != event.RuleError
	}
	if len(f.IDs) > 0 || f.Key != "" || rare || onlyIndexed(event.DeliveryFilter{States: f.Deliveries}) || f.FormsOnly && f.Source != "" {
		return true
	}
	return f.Type == "" && f.Rule == "" && f.Connection == "" && len(f.Deliveries) == 0 && len(f.States) == 0 && !f.FormsOnly
}

func eventOrder(f event.Filter) string {
	if f.OldestFirst {
		return ` ORDER BY id`
	}
	return ` ORDER BY id DESC`
}

// eventConditions are f as SQL.
func (s *Store) eventConditions(ctx context.Context, f event.Filter) (*conditions, error) {
	c := s.conditions()
	if len(f.IDs) > 0 {
		c.among("id", numbersOf(f.IDs))
	}
	c.equal("source", f.Source)
	if f.FormsOnly {
		c.add("form = 1")
	}
	c.equal("type", f.Type)
	c.states(f.States)
	c.idRange(f.Since, int64(f.Before))
	if !f.Until.IsZero() {
		c.add("id < " + c.value(int64(event.FirstIDAt(f.Until))))
	}
	if f.After > 0 {
		c.add("id > " + c.value(int64(f.After)))
	}
	c.withDelivery(f.Connection, f.Deliveries)
	if f.Key != "" {
		c.add("id IN (" + c.withKey(f) + ")")
	}
	if f.Rule != "" {
		if err := s.matchedBy(ctx, c, f.Rule); err != nil {
			return nil, err
		}
	}
	if !f.WithOwn && !f.FormsOnly && f.Source == "" && f.Rule == "" && f.Key == "" && len(f.IDs) == 0 {
		c.add("source <> '" + event.Own + "'")
	}
	return c, nil
}

// withKey selects the ids of the events of which a delivery has the key, by their
// index.
func (c *conditions) withKey(f event.Filter) string {
	query := "SELECT event FROM deliveries WHERE key IS NOT NULL AND key = " + c.value(f.Key)
	if f.Before > 0 {
		query += " AND event < " + c.value(int64(f.Before))
	}
	if f.After > 0 {
		query += " AND event > " + c.value(int64(f.After))
	}
	return query
}

// keyOnly reports whether f asks for nothing but a key, and for what stands before or
// after an event.
func keyOnly(f event.Filter) bool {
	rest := event.Filter{Key: f.Key, Before: f.Before, After: f.After, Limit: f.Limit, OldestFirst: f.OldestFirst, WithOwn: f.WithOwn}
	return f.Key != "" && reflect.DeepEqual(f, rest)
}

// nextOfKey are the ids of the events that a filter of keyOnly selects: so many as it
// says, however many have the key.
func (s *Store) nextOfKey(ctx context.Context, f event.Filter) ([]event.ID, error) {
	c, order := s.conditions(), " DESC"
	if f.OldestFirst {
		order = ""
	}
	query := c.withKey(f) + " GROUP BY event ORDER BY event" + order + " LIMIT " + c.value(limitOr(f.Limit))
	rows, err := s.read.QueryContext(ctx, query, c.args...)
	if err != nil {
		return nil, fmt.Errorf("list events of a key: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var ids []event.ID
	for rows.Next() {
		var id event.ID
		if err := rows.Scan(&id); err != nil {
			return nil, fmt.Errorf("list events of a key: %w", err)
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}

// withDelivery selects the events of which a delivery goes to connection and is
// in one of states. Those that are open or failed are found by their index; the
// others by what each event says of its deliveries, whose ids follow each other.
// A subquery that counts keeps a planner from joining the tables whole.
func (c *conditions) withDelivery(connection string, states []event.DeliveryState) {
	if connection == "" && len(states) == 0 {
		return
	}
	var terms []string
	if connection != "" {
		terms = append(terms, "connection = "+c.value(connection))
	}
	if len(states) > 0 {
		terms = append(terms, stateCondition(states, nil))
	}
	chosen := strings.Join(terms, " AND ")
	if onlyIndexed(event.DeliveryFilter{States: states}) {
		c.add("id IN (SELECT event FROM deliveries WHERE " + chosen + ")")
		return
	}
	c.add("((SELECT count(*) FROM deliveries WHERE deliveries.id >= events.first AND deliveries.id < events.first + coalesce(events.reserved, events.deliveries) AND " + chosen + ") > 0" +
		" OR id IN (SELECT replays.event FROM replays WHERE (SELECT count(*) FROM deliveries WHERE deliveries.id >= replays.first AND deliveries.id < replays.first + coalesce(replays.reserved, replays.deliveries) AND " + chosen + ") > 0))")
}

// matchedBy selects the events that a rule of that name has matched: on
// acceptance, or in a replay. Where a rule's letter stands depends on the
// version of the configuration.
func (s *Store) matchedBy(ctx context.Context, c *conditions, rule string) error {
	plans, err := s.planIDs(ctx)
	if err != nil {
		return fmt.Errorf("look for the rule %s: %w", rule, err)
	}
	at := map[int][]int64{} // the plans, by the place of the rule
	for _, id := range plans {
		names, err := s.ruleNames(ctx, id)
		if err != nil {
			return err
		}
		if i := slices.Index(names, rule); i >= 0 {
			at[i] = append(at[i], id)
		}
	}
	matched := []string{"1 = 0"}
	for i, list := range at {
		matched = append(matched, c.isAmong("plan", list)+" AND substr(verdicts, CAST("+c.value(i+1)+" AS INTEGER), 1) = 'm'")
	}
	term := strings.Join(matched, " OR ")
	c.add("(" + term + " OR id IN (SELECT event FROM replays WHERE " + term + "))")
	return nil
}

func (s *Store) planIDs(ctx context.Context) ([]int64, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT id FROM plans`)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var plans []int64
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		plans = append(plans, id)
	}
	return plans, rows.Err()
}
