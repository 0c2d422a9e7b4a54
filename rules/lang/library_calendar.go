package lang

import (
	"maps"
	"slices"

	"github.com/expr-lang/expr/ast"

	"hookgate/internal/calendar"
	"hookgate/internal/diag"
	"hookgate/internal/yamlnode"
)

// maxOpenDays is how many open days can be added.
const maxOpenDays = 10_000

var calendarFunctions = []function{
	{
		name: "is_open", params: []param{calendarNamed(), moment("time")}, result: boolResult,
		doc:     "Whether a calendar is open at a time: a name of the section calendars of config.yaml. A time that is null or cannot be read gives null.",
		example: `is_open("office", "2026-03-27 16:50")`, value: `true`,
		more: []Example{{`is_open("office", "2026-04-03 10:00")`, `false`}},
		call: func(_ *meter, args []any) (any, error) {
			if args[1] == nil {
				return nil, nil
			}
			return calendarOf(args[0]).Open(timeOf(args[1])), nil
		},
	},
	{
		name: "next_open", params: []param{calendarNamed(), moment("time")}, result: timeResult,
		doc:     "The first time from a time on at which a calendar is open: that time itself where it is.",
		example: `next_open("office", "2026-03-27 17:50")`, value: `"2026-03-30T09:00:00+02:00"`,
		call: func(_ *meter, args []any) (any, error) {
			if args[1] == nil {
				return nil, nil
			}
			if t := calendarOf(args[0]).NextOpen(timeOf(args[1])); !t.IsZero() {
				return t, nil
			}
			return nil, nil
		},
	},
	{
		name: "add_open_days", params: []param{calendarNamed(), moment("time"), integer("n")}, result: timeResult,
		doc: "A time so many days later on which a calendar opens, or earlier where n is less than 0, at the same time of day in the calendar's zone. " +
			"The day of the time itself does not count.",
		example: `add_open_days("office", "2026-04-02 10:00", 3)`, value: `"2026-04-09T10:00:00+02:00"`,
		more: []Example{{`format_time(add_open_days("office", "2026-03-28", 1), "EEEE")`, `"Monday"`}},
		call: func(_ *meter, args []any) (any, error) {
			n := wholeOr(args[2], 0)
			if n > maxOpenDays || n < -maxOpenDays {
				return nil, limitf("add_open_days takes at most %d days", maxOpenDays)
			}
			if args[1] == nil {
				return nil, nil
			}
			if t := calendarOf(args[0]).AddDays(timeOf(args[1]), n); !t.IsZero() {
				return t, nil
			}
			return nil, nil
		},
	},
}

func calendarNamed() param { return param{name: "calendar", kind: calendarParam} }

// calendarOf is an argument that was found by its name.
func calendarOf(arg any) *calendar.Calendar {
	c, _ := arg.(*calendar.Calendar)
	return c
}

// SetCalendars says which calendars there are, by name. One that is nil has
// faults of its own.
func (c *Compiler) SetCalendars(calendars map[string]*calendar.Calendar) {
	c.space.place.calendars = calendars
}

// Calendar is the calendar with the name. It is nil where that has faults, and
// where there is none, which is the fault.
func (c *Compiler) Calendar(name yamlnode.Text) (*calendar.Calendar, diag.List) {
	found, known := c.space.place.calendars[name.Value]
	if !known {
		return nil, diag.List{name.Diag(unknownCalendar, c.space.place.calendarHint(name.Value), "no calendar is called %q", name.Value)}
	}
	return found, nil
}

const unknownCalendar = "unknown-calendar"

func (p *place) calendarHint(name string) string {
	if len(p.calendars) == 0 {
		return "write one into the section calendars"
	}
	return diag.DidYouMean(name, slices.Sorted(maps.Keys(p.calendars)))
}

// calendar checks the name of a calendar that stands in an expression.
func (c *calls) calendar(arg *ast.StringNode) {
	if _, known := c.place.calendars[arg.Value]; !known {
		from, to := newSpans(c.src).of(arg)
		c.list = append(c.list, c.src.fault(from, to, unknownCalendar, c.place.calendarHint(arg.Value), "no calendar is called %q", arg.Value))
	}
}

// readCalendar finds a calendar by a name that was computed.
func readCalendar(m *meter, v any) (any, error) {
	name, ok := v.(string)
	if !ok {
		return nil, limitf("needs the name of a calendar, but got %s", kindOf(v))
	}
	found := m.place.calendars[name]
	if found == nil {
		return nil, limitf("finds no calendar that is called %s", brief(name))
	}
	return found, nil
}
