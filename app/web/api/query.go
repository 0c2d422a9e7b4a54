package api

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"

	"hookgate/app/admin"
	"hookgate/internal/diag"
	"hookgate/internal/event"
	"hookgate/internal/yamlnode"
)

// parameters reads a query string; the first fault stays in err.
type parameters struct {
	values map[string][]string
	now    time.Time
	err    error
}

// newParameters refuses parameters that the route does not know: a misspelt
// filter must not select everything.
func newParameters(c *fiber.Ctx, now time.Time, known ...string) *parameters {
	p := &parameters{values: map[string][]string{}, now: now}
	for key, value := range c.Context().QueryArgs().All() {
		name := string(key)
		if !slices.Contains(known, name) && p.err == nil {
			p.err = badRequest("%s", unknownParameter(name, known))
		}
		p.values[name] = append(p.values[name], string(value))
	}
	return p
}

func unknownParameter(name string, known []string) string {
	message := fmt.Sprintf("there is no parameter %q", name)
	if hint := diag.DidYouMean(name, known); hint != "" {
		return message + ": " + hint
	}
	return message + "; there are " + strings.Join(known, ", ")
}

// fault keeps what is wrong with a value, unless another one was wrong before.
func (p *parameters) fault(err error) {
	if err != nil && p.err == nil {
		p.err = badRequest("%s", err)
	}
}

// text is the first value of a parameter, "" without one.
func (p *parameters) text(name string) string {
	if v := p.values[name]; len(v) > 0 {
		return v[0]
	}
	return ""
}

// headers are header fields, each written as Name: value.
func (p *parameters) headers(name string) map[string]string {
	var fields map[string]string
	for _, text := range p.values[name] {
		field, value, ok := strings.Cut(text, ":")
		if !ok && p.err == nil {
			p.err = badRequest("%s=%s is no header field such as X-Topic: paid", name, text)
		}
		if fields == nil {
			fields = map[string]string{}
		}
		fields[strings.TrimSpace(field)] = strings.TrimSpace(value)
	}
	return fields
}

// list is all values of a parameter, which may also be separated by commas.
func (p *parameters) list(name string) []string {
	var all []string
	for _, value := range p.values[name] {
		for part := range strings.SplitSeq(value, ",") {
			if part != "" {
				all = append(all, part)
			}
		}
	}
	return all
}

// time is a time (RFC 3339) or how long ago it was (24h, 7d).
func (p *parameters) time(name string) time.Time {
	text := p.text(name)
	if text == "" || p.err != nil {
		return time.Time{}
	}
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t
	}
	d, err := yamlnode.ParseDuration(text)
	switch {
	case err == nil:
		return p.now.Add(-d)
	case !errors.Is(err, yamlnode.ErrDuration):
		p.err = badRequest("%s=%s: %s", name, text, err)
		return time.Time{}
	}
	p.err = badRequest("%s=%s is neither a time like 2026-03-10T10:42:07Z nor a duration like 24h", name, text)
	return time.Time{}
}

// limit is the size of a page.
func (p *parameters) limit() int { return p.atMost(admin.DefaultLimit, admin.MaxLimit) }

// atMost is how much is asked for, and usual where nobody says.
func (p *parameters) atMost(usual, most int) int {
	text := p.text("limit")
	if text == "" || p.err != nil {
		return usual
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		p.err = badRequest("limit=%s is not a number from 1 to %d", text, most)
		return usual
	}
	return min(n, most)
}

// character is a single one, 0 without any.
func (p *parameters) character(name string) rune {
	text := p.text(name)
	r, size := utf8.DecodeRuneInString(text)
	if size != len(text) && p.err == nil {
		p.err = badRequest("%s=%s is more than one character", name, text)
	}
	if size == 0 {
		return 0
	}
	return r
}

// eventID reads an event's id.
func (p *parameters) eventID(name string) event.ID {
	text := p.text(name)
	if text == "" || p.err != nil {
		return 0
	}
	id, err := event.ParseID(text)
	if err != nil {
		p.err = badRequest("%s=%s is not an event's id", name, text)
	}
	return id
}

// auditID reads the number of a record.
func (p *parameters) auditID(name string) (id event.AuditID) {
	text := p.text(name)
	if text == "" || p.err != nil {
		return 0
	}
	if id.UnmarshalText([]byte(text)) != nil {
		p.err = badRequest("%s=%s is not the number of a record", name, text)
	}
	return id
}

// deliveryID reads a delivery's id.
func (p *parameters) deliveryID(name, text string) event.DeliveryID {
	if text == "" || p.err != nil {
		return 0
	}
	id, err := event.ParseDeliveryID(text)
	if err != nil {
		p.err = badRequest("%s=%s is not a delivery's id", name, text)
	}
	return id
}

// runID reads the id of a run.
func (p *parameters) runID(name string) event.RunID {
	text := p.text(name)
	if text == "" || p.err != nil {
		return 0
	}
	id, err := event.ParseRunID(text)
	if err != nil {
		p.err = badRequest("%s=%s is not a run's id", name, text)
	}
	return id
}

// yes reads what is so or not; it is not where it is not given.
func (p *parameters) yes(name string) bool {
	switch text := p.text(name); {
	case text == "true":
		return true
	case text != "" && text != "false" && p.err == nil:
		p.err = badRequest("%s=%s is not true or false", name, text)
	}
	return false
}

// oneOf reads states, each of which must be one of known.
func oneOf[T ~string](p *parameters, name string, known []T) []T {
	var states []T
	for _, text := range p.list(name) {
		state := T(text)
		if !slices.Contains(known, state) {
			p.fault(admin.UnknownState(text, known))
			return nil
		}
		states = append(states, state)
	}
	return states
}
