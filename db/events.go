package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"hookgate/internal/event"
)

// pageLimit is how many records a list has when its filter names no limit.
const pageLimit = 50

const eventColumns = `id, source, form, type, received, state, coalesce(cause, ''), coalesce(duplicate_of, 0), plan, verdicts, coalesce(errors, ''), seen, `

// listedContent is how large the request and body of an event may be, packed
// and unpacked, in bytes, to be part of a list: a page of events of 10 MB each
// would not fit into memory.
const listedContent = 128 << 10

// Events lists the events that f selects, newest first unless f says
// otherwise. Those with a large
// body lack their request and body.
func (s *Store) Events(ctx context.Context, f event.Filter) ([]event.Event, error) {
	if keyOnly(f) {
		ids, err := s.nextOfKey(ctx, f)
		if err != nil || len(ids) == 0 {
			return nil, err
		}
		f = event.Filter{IDs: ids, Limit: f.Limit, OldestFirst: f.OldestFirst}
	}
	c, err := s.eventConditions(ctx, f)
	if err != nil {
		return nil, err
	}
	query := `SELECT ` + eventColumns + `CASE WHEN length(content) <= ` + c.value(listedContent) + ` THEN content END FROM ` + s.eventsTable(f) + c.where() + eventOrder(f) + ` LIMIT ` + c.value(limitOr(f.Limit))
	stored, _, err := s.storedEvents(ctx, query, c.args, math.MaxInt)
	if err != nil {
		return nil, fmt.Errorf("list events: %w", err)
	}
	events := make([]event.Event, len(stored))
	for i := range stored {
		if events[i], err = s.eventOf(ctx, &stored[i], listedContent); err != nil {
			return nil, fmt.Errorf("list events: %w", err)
		}
	}
	return events, nil
}

// eventsTable is the table of events, with the index that those which f selects are to
// be read by, where a planner takes another: of a form's posts one that says their
// states, lest each spam be looked up to find what is none.
func (s *Store) eventsTable(f event.Filter) string {
	rare := len(f.States) > 0 && !slices.ContainsFunc(f.States, func(state event.State) bool { return stateNumber(state) < rareState || state == event.RuleError })
	if f.FormsOnly && f.Source != "" && len(f.IDs) == 0 && f.Key == "" && f.Connection == "" && len(f.Deliveries) == 0 && !rare {
		return "events" + s.dialect.byForm
	}
	return "events"
}

// Event returns one event; event.ErrNotFound if there is none.
func (s *Store) Event(ctx context.Context, id event.ID) (event.Event, error) {
	var stored storedEvent
	err := stored.scan(s.read.QueryRowContext(ctx, `SELECT `+eventColumns+`content FROM events WHERE id = ?1`, int64(id)))
	if errors.Is(err, sql.ErrNoRows) {
		return event.Event{}, fmt.Errorf("event %s: %w", id, event.ErrNotFound)
	}
	if err != nil {
		return event.Event{}, fmt.Errorf("event %s: %w", id, err)
	}
	return s.eventOf(ctx, &stored, 0)
}

type scanner interface{ Scan(into ...any) error }

// storedEvent is a row of eventColumns and the content as it is stored.
type storedEvent struct {
	event           event.Event // what can be read without asking for more
	received, state int64
	seen            int64
	results, failed string
	blob            []byte
}

// scan reads the row.
func (r *storedEvent) scan(row scanner) error {
	e := &r.event
	return row.Scan(&e.ID, &e.Source, &e.Form, &e.Type, &r.received, &r.state, &e.Cause, &e.DuplicateOf, &e.Plan, &r.results, &r.failed, &r.seen, &r.blob)
}

// storedEvents are the rows that query selects, of which each has eventColumns and the
// content, up to the one with which their contents have more than most bytes; more
// reports that it left some out. What is made of them is made when the rows are closed:
// whoever keeps rows open keeps a connection from others and the log of SQLite from
// being reset.
func (s *Store) storedEvents(ctx context.Context, query string, args []any, most int) (stored []storedEvent, more bool, err error) {
	rows, err := s.read.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, false, err
	}
	defer func() { _ = rows.Close() }()
	for bytes := 0; rows.Next(); {
		if bytes > most {
			return stored, true, nil
		}
		stored = append(stored, storedEvent{})
		r := &stored[len(stored)-1]
		if err := r.scan(rows); err != nil {
			return nil, false, err
		}
		bytes += len(r.blob)
	}
	return stored, false, rows.Err()
}

// eventOf is the event of a row; its request and body are left out where the content is
// NULL or, with a limit other than 0, larger.
func (s *Store) eventOf(ctx context.Context, r *storedEvent, limit int) (event.Event, error) {
	e := r.event
	e.ReceivedAt = time.UnixMicro(r.received).UTC()
	if r.state < 0 || int(r.state) >= len(states) {
		return e, fmt.Errorf("event %s: unknown state %d", e.ID, r.state)
	}
	e.State = states[r.state]
	e.Results, e.Read = []byte(r.results), r.seen != 0
	if len(r.blob) > 0 && (limit == 0 || unpackedSize(r.blob) <= limit) {
		content, err := unpack(r.blob)
		if err != nil {
			return e, fmt.Errorf("event %s: %w", e.ID, err)
		}
		if err := readContent(content, &e); err != nil {
			return e, fmt.Errorf("event %s: %w", e.ID, err)
		}
	}
	return e, s.addVerdicts(ctx, &e, r.failed)
}

// addVerdicts gives the stored letters the names of their rules.
func (s *Store) addVerdicts(ctx context.Context, e *event.Event, ruleErrors string) error {
	all, failed, err := s.verdicts(ctx, e.Plan, e.Results, ruleErrors)
	if err != nil {
		return fmt.Errorf("event %s: %w", e.ID, err)
	}
	e.Verdicts, e.Errors = all, failed
	return nil
}

func limitOr(limit int) int {
	if limit <= 0 {
		return pageLimit
	}
	return limit
}

// conditions builds a WHERE clause with numbered parameters.
type conditions struct {
	dialect dialect
	terms   []string
	args    []any
}

func (s *Store) conditions() *conditions { return &conditions{dialect: s.dialect} }

// value adds a parameter and returns its name in the query.
func (c *conditions) value(v any) string {
	c.args = append(c.args, v)
	return fmt.Sprintf("?%d", len(c.args))
}

func (c *conditions) add(term string) { c.terms = append(c.terms, term) }

func (c *conditions) equal(column, value string) {
	if value != "" {
		c.add(column + " = " + c.value(value))
	}
}

// among selects the rows of which column is one of the numbers.
func (c *conditions) among(column string, list []int64) { c.add(c.isAmong(column, list)) }

func (c *conditions) isAmong(column string, list []int64) string {
	return fmt.Sprintf(c.dialect.among, column, c.value(c.dialect.numbers(list)))
}

// numbersOf are IDs as the database has them.
func numbersOf[ID ~int64](ids []ID) []int64 {
	list := make([]int64, len(ids))
	for i, id := range ids {
		list[i] = int64(id)
	}
	return list
}

// states selects events by state. An event of which one rule failed while
// another matched is routed; who looks for rule errors means it too.
func (c *conditions) states(list []event.State) {
	if len(list) == 0 {
		return
	}
	numbers, rare := make([]int64, len(list)), true
	for i, state := range list {
		numbers[i] = stateNumber(state)
		rare = rare && numbers[i] >= rareState
	}
	if slices.Contains(list, event.RuleError) && !slices.Contains(list, event.Routed) {
		c.add("(" + c.isAmong("state", numbers) + " OR state = 0 AND errors IS NOT NULL)")
		return
	}
	c.among("state", numbers)
	if rare {
		c.add("state >= 2") // the literal of the index
	}
}

// idRange bounds the ids, which grow with time, by time and by cursor.
func (c *conditions) idRange(since time.Time, before int64) {
	if !since.IsZero() {
		c.add("id >= " + c.value(int64(event.FirstIDAt(since))))
	}
	if before > 0 {
		c.add("id < " + c.value(before))
	}
}

func (c *conditions) where() string {
	if len(c.terms) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(c.terms, " AND ")
}
