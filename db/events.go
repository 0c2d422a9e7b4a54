package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
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
	rows, err := s.read.QueryContext(ctx, `SELECT `+eventColumns+`CASE WHEN length(content) <= `+c.value(listedContent)+` THEN content END FROM `+s.eventsTable(f)+c.where()+eventOrder(f)+` LIMIT `+c.value(limitOr(f.Limit)), c.args...)
	if err != nil {
		return nil, fmt.Errorf("list events: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var events []event.Event
	for rows.Next() {
		e, err := s.scanEvent(ctx, rows, listedContent)
		if err != nil {
			return nil, fmt.Errorf("list events: %w", err)
		}
		events = append(events, e)
	}
	return events, rows.Err()
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
	e, err := s.scanEvent(ctx, s.read.QueryRowContext(ctx, `SELECT `+eventColumns+`content FROM events WHERE id = ?1`, int64(id)), 0)
	if errors.Is(err, sql.ErrNoRows) {
		return e, fmt.Errorf("event %s: %w", id, event.ErrNotFound)
	}
	return e, err
}

type scanner interface{ Scan(into ...any) error }

// scanEvent reads a row of eventColumns and the content; the latter is left
// out where it is NULL or, with a limit other than 0, larger.
func (s *Store) scanEvent(ctx context.Context, row scanner, limit int) (event.Event, error) {
	var (
		e                  event.Event
		received, state    int64
		seen               int64
		results, ruleError string
		blob               []byte
	)
	err := row.Scan(&e.ID, &e.Source, &e.Form, &e.Type, &received, &state, &e.Cause, &e.DuplicateOf, &e.Plan, &results, &ruleError, &seen, &blob)
	if err != nil {
		return e, err
	}
	e.ReceivedAt = time.UnixMicro(received).UTC()
	if state < 0 || int(state) >= len(states) {
		return e, fmt.Errorf("event %s: unknown state %d", e.ID, state)
	}
	e.State = states[state]
	e.Results, e.Read = []byte(results), seen != 0
	if len(blob) > 0 && (limit == 0 || unpackedSize(blob) <= limit) {
		content, err := unpack(blob)
		if err != nil {
			return e, fmt.Errorf("event %s: %w", e.ID, err)
		}
		if err := readContent(content, &e); err != nil {
			return e, fmt.Errorf("event %s: %w", e.ID, err)
		}
	}
	return e, s.addVerdicts(ctx, &e, ruleError)
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
