package cli

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"hookgate/app/admin"
	"hookgate/app/cli/term"
	"hookgate/internal/event"
)

// eventLines gives a line for each event, its parts in columns:
//
//	10:42:07  evt_7Q2  sitejet  website_status_changed  Harry's Diner  billing ✓ 84 ms
func (s *session) eventLines(events []admin.Event) []string {
	clock := s.clockFormat(events)
	rows := make([][5]string, len(events))
	var widths [5]int
	for i, e := range events {
		rows[i] = [5]string{
			e.Time.Local().Format(clock), e.ID.String(),
			term.Clean(e.Source), term.Cut(term.Clean(e.Type), 40), term.Cut(term.Clean(e.Summary), 40),
		}
		for c, cell := range rows[i] {
			widths[c] = max(widths[c], term.Width(cell))
		}
	}
	lines := make([]string, len(events))
	for i := range events {
		var b strings.Builder
		for c, cell := range rows[i] {
			if widths[c] > 0 {
				b.WriteString(s.columnStyle(c).Render(term.Pad(cell, widths[c])) + "  ")
			}
		}
		b.WriteString(s.eventResult(&events[i]))
		lines[i] = strings.TrimRight(b.String(), " ")
	}
	return lines
}

// clockFormat leaves the date out when every event is of today.
func (s *session) clockFormat(events []admin.Event) string {
	today := s.now().Local().Format(time.DateOnly)
	for _, e := range events {
		if e.Time.Local().Format(time.DateOnly) != today {
			return time.DateTime
		}
	}
	return time.TimeOnly
}

func (s *session) columnStyle(column int) interface{ Render(...string) string } {
	switch column {
	case 0, 1:
		return s.out.Dim
	case 2:
		return s.out.Name
	case 4:
		return s.out.Strong
	}
	return plainText{}
}

// plainText renders without any style.
type plainText struct{}

// Render joins the texts as they are.
func (plainText) Render(texts ...string) string { return strings.Join(texts, " ") }

// eventResult says in a few words what became of an event.
func (s *session) eventResult(e *admin.Event) string {
	switch e.State {
	case event.Rejected:
		return s.out.Bad.Render("✗ rejected: " + term.Clean(e.Cause))
	case event.Duplicate:
		if e.DuplicateOf != nil {
			return s.out.Dim.Render("duplicate of " + e.DuplicateOf.String())
		}
		return s.out.Dim.Render("duplicate")
	case event.Spam:
		return s.out.Warn.Render("spam: " + term.Clean(e.Cause))
	case event.Routed, event.RuleError, event.NoMatch:
	}
	var parts []string
	if e.State == event.NoMatch {
		parts = append(parts, s.out.Dim.Render("no rule matched"))
	}
	for _, v := range e.Rules {
		if v.Result == "error" {
			parts = append(parts, s.out.Bad.Render("✗ rule error in "+term.Clean(v.Rule+": "+v.Message)))
		}
	}
	for _, d := range inOrder(e.Deliveries) {
		parts = append(parts, s.deliveryResult(&d))
	}
	if len(e.Deliveries) == 0 {
		for i := range e.Digests {
			parts = append(parts, s.gatheredResult(&e.Digests[i]))
		}
	}
	if len(parts) == 0 {
		return string(e.State)
	}
	return strings.Join(parts, "  ")
}

// inOrder gives an event's deliveries in the order of the rules.
func inOrder(deliveries []admin.Delivery) []admin.Delivery {
	return slices.SortedFunc(slices.Values(deliveries), func(a, b admin.Delivery) int { return cmp.Compare(a.ID, b.ID) })
}

// deliveryResult says in a few words where a delivery stands: billing ✓ 84 ms.
func (s *session) deliveryResult(d *admin.Delivery) string {
	name := term.Clean(d.Connection) + " "
	if d.Rule == event.AutoreplyRule {
		name += "(the form's reply) "
	}
	switch d.State {
	case event.Delivered:
		return strings.TrimRight(name+s.out.Good.Render("✓")+" "+tookOf(d), " ")
	case event.Failed:
		return name + s.out.Bad.Render("✗ failed: "+term.Clean(d.Error))
	case event.Retrying:
		text := "↻ retrying"
		if d.Next != nil {
			text += " at " + d.Next.Local().Format(time.TimeOnly)
		}
		if d.Error != "" {
			text += ": " + term.Clean(d.Error)
		}
		return name + s.out.Warn.Render(text)
	case event.Waiting:
		if d.WaitsFor != nil {
			return name + s.out.Warn.Render("… waiting for "+d.WaitsFor.String())
		}
		return name + "… waiting"
	case event.Cancelled:
		return name + s.out.Dim.Render("– cancelled")
	case event.Sending:
		return name + "… sending"
	case event.Scheduled:
		return name + "◷ scheduled, " + s.momentOf(d)
	case event.Held:
		return name + s.out.Warn.Render("… "+s.heldUntil(d))
	}
	return name + string(d.State)
}

// milliseconds writes a duration as people read it: 84 ms, 1.2 s.
func milliseconds(ms float64) string {
	switch {
	case ms < 10:
		return strconv.FormatFloat(ms, 'f', 1, 64) + " ms"
	case ms < 1000:
		return strconv.FormatFloat(ms, 'f', 0, 64) + " ms"
	}
	return strconv.FormatFloat(ms/1000, 'f', 1, 64) + " s"
}

// plural writes a count with its noun: 1 rule, 1,204 rules, 2 deliveries, 3 keys.
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	if stem, ok := strings.CutSuffix(noun, "ry"); ok {
		noun = stem + "rie"
	}
	if strings.HasSuffix(noun, "ch") {
		noun += "e"
	}
	return thousands(n) + " " + noun + "s"
}

// thousands writes a count with commas: 1,204.
func thousands(n int) string {
	text := strconv.Itoa(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// stateNames lists states for the help and for errors.
func stateNames[T ~string](states []T) string {
	names := make([]string, len(states))
	for i, state := range states {
		names[i] = string(state)
	}
	return strings.Join(names, ", ")
}

// parseStates reads the values of a --state flag.
func parseStates[T ~string](values []string, known []T) ([]T, error) {
	var states []T
	for _, value := range values {
		found := false
		for _, state := range known {
			if string(state) == value {
				states, found = append(states, state), true
			}
		}
		if !found {
			return nil, usageError("the states are "+stateNames(known), fmt.Errorf("there is no state %q", value))
		}
	}
	return states, nil
}
