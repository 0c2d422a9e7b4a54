package admin

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode"

	"hookgate/internal/event"
	"hookgate/internal/yamlnode"
)

// QueryPart is one part of a query as it is understood, and the query without it.
type QueryPart struct{ Name, Value, Without string }

// ReadQuery understands what is typed into the search of the page Events: words with a
// colon are filters (source: type: state: rule: connection: delivery: key: since: until:),
// where: begins a condition of the rules' language that goes to the end, and everything
// else is text that an event holds.
func ReadQuery(text string, now time.Time) (s event.Search, parts []QueryPart, err error) {
	rest := text
	if before, where, found := cutWhere(text); found {
		rest, s.Where = before, strings.TrimSpace(where)
		parts = append(parts, QueryPart{"where", s.Where, strings.TrimSpace(before)})
	}
	var words []string
	fields := queryFields(rest)
	for i, field := range fields {
		name, value, filter := strings.Cut(field, ":")
		without := strings.Join(slices.Concat(fields[:i], fields[i+1:]), " ")
		if s.Where != "" {
			without += " where:" + s.Where
		}
		if !filter || value == "" {
			words = append(words, field)
			continue
		}
		value = strings.Trim(value, `"`)
		known, err := readFilter(&s, name, value, now)
		if err != nil {
			return s, parts, err
		}
		if !known {
			words = append(words, field)
			continue
		}
		parts = append(parts, QueryPart{name, value, without})
	}
	s.Text = strings.Join(words, " ")
	return s, parts, nil
}

// cutWhere splits a query at its condition.
func cutWhere(text string) (before, where string, found bool) {
	if strings.HasPrefix(text, "where:") {
		return "", text[len("where:"):], true
	}
	return strings.Cut(text, " where:")
}

// queryFields splits a query at spaces, but for those in quotes.
func queryFields(text string) []string {
	quoted := false
	return strings.FieldsFunc(text, func(r rune) bool {
		if r == '"' {
			quoted = !quoted
		}
		return !quoted && unicode.IsSpace(r)
	})
}

// readFilter reads one filter of a query into s; known is false where name is
// none.
func readFilter(s *event.Search, name, value string, now time.Time) (known bool, err error) {
	switch name {
	case "source":
		s.Source = value
	case "type":
		s.Type = value
	case "rule":
		s.Rule = value
	case "connection":
		s.Connection = value
	case "key":
		s.Key = value
	case "delivery":
		if !slices.Contains(event.DeliveryStates(), event.DeliveryState(value)) {
			return true, UnknownState(value, event.DeliveryStates())
		}
		s.Deliveries = append(s.Deliveries, event.DeliveryState(value))
	case "state":
		if !slices.Contains(event.States(), event.State(value)) {
			return true, UnknownState(value, event.States())
		}
		s.States = append(s.States, event.State(value))
	case "since":
		s.Since, err = ReadMoment(name, value, now)
	case "until":
		s.Until, err = ReadMoment(name, value, now)
	default:
		return false, nil
	}
	return true, err
}

// UnknownState refuses a state that is none of those.
func UnknownState[T ~string](text string, known []T) error {
	return refuse("there is no state %q; there are %s", text, Joined(known))
}

// ReadMoment reads a day, a time, or how long ago it was, of what is called so.
func ReadMoment(name, text string, now time.Time) (time.Time, error) {
	for _, layout := range []string{time.DateOnly, "2006-01-02T15:04", time.RFC3339} {
		if at, err := time.ParseInLocation(layout, text, now.Location()); err == nil {
			return at, nil
		}
	}
	ago, err := yamlnode.ParseDuration(text)
	if err != nil {
		return time.Time{}, refuse("%s: %q is no time: write 30d, 12h, or 2026-11-24", name, text)
	}
	return now.Add(-ago), nil
}

// checkQuery is why a query cannot be searched for.
func (s *Service) checkQuery(ctx context.Context, query string) error {
	f, _, err := ReadQuery(query, s.opt.Now())
	if err != nil {
		return err
	}
	return s.checkSearch(ctx, f)
}

// checkSearch is why something cannot be searched for. The list itself says so, of the
// newest event that its filters select: none is looked into for a condition or a text.
func (s *Service) checkSearch(ctx context.Context, f event.Search) error {
	if _, err := newQuery(f.Where, f.Text); err != nil {
		return err
	}
	f.Where, f.Text, f.Limit = "", "", 1
	_, err := s.Events(ctx, f)
	return err
}
