package lang

import (
	"slices"
	"strings"
	"sync"
	"time"

	"hookgate/internal/calendar"
)

var timeFunctions = []function{
	{
		name: "time", params: []param{anything("value"), zone()}, result: timeResult,
		doc: "The time that a value says, in a zone: ISO 8601, 10.03.2026 14:30, the date of a mail, seconds or milliseconds since 1970. " +
			"What says no zone is in that zone. What is no time, or reads as two (10/03/2026), gives null.",
		example: `time("2026-03-10")`, value: `"2026-03-10T00:00:00+01:00"`,
		more: []Example{
			{`time("10.03.2026 14:30")`, `"2026-03-10T14:30:00+01:00"`},
			{`time(1773149400)`, `"2026-03-10T14:30:00+01:00"`},
			{`time("Tue, 10 Mar 2026 13:30:00 GMT")`, `"2026-03-10T14:30:00+01:00"`},
			{`time("2026-03-10T13:30:00Z", "America/New_York")`, `"2026-03-10T09:30:00-04:00"`},
			{`time("soon") ?? "later"`, `"later"`},
		},
		call: func(m *meter, args []any) (any, error) {
			loc, err := m.zoneOr(args[1])
			if err != nil {
				return nil, err
			}
			t, err := readTime(args[0], loc)
			if err != nil {
				return nil, limitf("time %s", err)
			}
			if at, ok := t.(time.Time); ok {
				return at.In(loc), nil
			}
			return nil, nil
		},
	},
	{
		name: "format_time", params: []param{moment("time"), text("pattern").checked(checkPattern), language(), zone()}, result: textResult,
		doc: "A time in the letters of Unicode: yyyy, yy; MMMM, MMM, MM, M; EEEE, EEE; dd, d; HH, H, hh, h, a; mm; ss; SSS; XXX (+01:00), Z (+0100), z (CET); " +
			"ww (week); q (quarter). What stands in ' ' stays as it is.",
		example: `format_time("2026-03-10", "EEEE, d. MMMM", "de")`, value: `"Dienstag, 10. März"`,
		more: []Example{{`format_time("2026-03-10T13:30:00Z", "h:mm a 'in' z")`, `"2:30 PM in CET"`}, {`format_time("2026-03-10T13:30:00Z", "dd.MM.yyyy HH:mm")`, `"10.03.2026 14:30"`}},
		call: func(m *meter, args []any) (any, error) {
			l, err := m.localeOr(args[2])
			if err != nil {
				return nil, err
			}
			t, err := m.localTime(args[0], args[3])
			if err != nil {
				return nil, err
			}
			return formatTime(t, textOr(args[1], ""), l)
		},
	},
	{
		name: "add_time", params: []param{moment("time"), text("amount").checked(checkAmount)}, result: timeResult,
		doc: "A time so much later, or earlier behind a minus: years (y), months (mo), weeks (w) and days (d) by the calendar, hours (h), minutes (m) and seconds (s) by the clock. " +
			"A day that the month lacks is its last one.",
		example: `add_time("2026-01-31", "1mo")`, value: `"2026-02-28T00:00:00+01:00"`,
		more: []Example{{`add_time("2026-03-28 09:00", "1d")`, `"2026-03-29T09:00:00+02:00"`}, {`add_time("2026-03-10 09:00", "-1w 2h")`, `"2026-03-03T07:00:00+01:00"`}},
		call: func(_ *meter, args []any) (any, error) {
			return addTime(timeOf(args[0]), textOr(args[1], ""))
		},
	},
	{
		name: "at", params: []param{moment("time"), text("clock").checked(checkClock)}, result: timeResult,
		doc:     "The time of day on the day of a time. An hour that a day lacks, when clocks go forward, is the first moment after it.",
		example: `at("2026-03-10", "09:00")`, value: `"2026-03-10T09:00:00+01:00"`,
		call: func(_ *meter, args []any) (any, error) {
			t := timeOf(args[0])
			clock, ok := readClock(textOr(args[1], ""))
			if !ok {
				return nil, checkClock(textOr(args[1], ""))
			}
			return clock.on(t.Year(), t.Month(), t.Day(), t.Location()), nil
		},
	},
	{
		name: "start_of", params: []param{moment("time"), unit(calendarUnits)}, result: timeResult,
		doc:     "The beginning of the minute, hour, day, week (Monday), month, quarter or year that a time is in.",
		example: `start_of("2026-03-10 14:30", "month")`, value: `"2026-03-01T00:00:00+01:00"`,
		call: func(_ *meter, args []any) (any, error) { return startOf(timeOf(args[0]), unitOf(args[1])) },
	},
	{
		name: "end_of", params: []param{moment("time"), unit(calendarUnits)}, result: timeResult,
		doc:     "The last millisecond of it.",
		example: `end_of("2026-03-10", "month")`, value: `"2026-03-31T23:59:59.999+02:00"`,
		call: func(_ *meter, args []any) (any, error) {
			start, err := startOf(timeOf(args[0]), unitOf(args[1]))
			if err != nil {
				return nil, err
			}
			return next(start, unitOf(args[1])).Add(-time.Millisecond), nil
		},
	},
	{
		name: "time_between", params: []param{moment("from"), moment("to"), unit(allUnits)}, result: wholeResult,
		doc:     "How many whole seconds, minutes, hours, days, weeks, months or years lie between two times; less than 0 where the second is earlier. Days and more are those of the calendar.",
		example: `time_between("2026-03-01", "2026-03-10", "days")`, value: `9`,
		call: func(m *meter, args []any) (any, error) {
			if args[1] == nil {
				return nil, nil
			}
			return timeBetween(timeOf(args[0]), timeOf(args[1]).In(m.place.zone), unitOf(args[2]))
		},
	},
	{
		name: "weekday", params: []param{moment("time")}, result: wholeResult,
		doc:     "The day of the week: 1 is Monday, 7 is Sunday.",
		example: `weekday("2026-03-10")`, value: `2`,
		call: func(_ *meter, args []any) (any, error) { return isoWeekday(timeOf(args[0])), nil },
	},
}

var timeBuiltins = []builtinDoc{
	{"date(text, layout?, zone?)", "The time that a text says, in Go's layouts; without a zone it is in UTC, whatever server.timezone says. time reads more, in the server's zone.", "error", `date("2026-03-10").Format("02.01.2006")`, `"10.03.2026"`},
	{"duration(text)", `A length of time: "90m", "1h30m", "2d", "1w". A time plus a duration is a time.`, "error", `duration("2d").Hours()`, `48`},
	{"timezone(name)", "A zone, for the method In of times.", "error", `date("2026-03-10T12:00:00Z").In(timezone("Asia/Tokyo")).Hour()`, `21`},
}

// The units of time. Each may be in the plural.
var (
	calendarUnits = []string{"minute", "hour", "day", "week", "month", "quarter", "year"}
	allUnits      = []string{"second", "minute", "hour", "day", "week", "month", "quarter", "year"}
)

func unit(units []string) param {
	return text("unit").checked(func(text string) error {
		if slices.Contains(units, unitOf(text)) {
			return nil
		}
		return limitf("a unit is one of %s, not %q", strings.Join(units, ", "), text)
	})
}

func unitOf(arg any) string { return strings.TrimSuffix(textOr(arg, ""), "s") }

// timeOf is an argument that was read as a time.
func timeOf(arg any) time.Time {
	t, _ := arg.(time.Time)
	return t
}

// zoneOr is the zone of an argument, or the server's.
func (m *meter) zoneOr(arg any) (*time.Location, error) {
	if name, ok := arg.(string); ok {
		return zoneNamed(name)
	}
	return m.place.zone, nil
}

// localTime is a time in the zone of an argument; without one it stays in the
// zone that it has.
func (m *meter) localTime(t, zone any) (time.Time, error) {
	if zone == nil {
		return timeOf(t), nil
	}
	loc, err := m.zoneOr(zone)
	if err != nil {
		return time.Time{}, err
	}
	return timeOf(t).In(loc), nil
}

// zones are those that were asked for: to read one is to read a file.
var zones sync.Map

func zoneNamed(name string) (*time.Location, error) {
	if loc, ok := zones.Load(name); ok {
		if known, ok := loc.(*time.Location); ok {
			return known, nil
		}
	}
	loc, err := time.LoadLocation(name)
	if err != nil || name == "" || name == "Local" {
		return nil, limitf("%q is no name of the IANA database, such as Europe/Berlin", name)
	}
	zones.Store(name, loc)
	return loc, nil
}

func isoWeekday(t time.Time) int {
	const sunday = 7
	if t.Weekday() == time.Sunday {
		return sunday
	}
	return int(t.Weekday())
}

// clock is a time of day.
type clock struct{ hour, minute, second, nano int }

func (c clock) on(year int, month time.Month, day int, loc *time.Location) time.Time {
	return calendar.Wall(year, month, day, c.hour, c.minute, c.second, c.nano, loc)
}

func clockOf(t time.Time) clock { return clock{t.Hour(), t.Minute(), t.Second(), t.Nanosecond()} }

// readClock reads 09:00, 9:00, 09:00:30, 9:30 PM.
func readClock(text string) (clock, bool) {
	text = strings.ToUpper(strings.Replace(text, ",", ".", 1))
	for _, layout := range []string{"15:04:05", "15:04", "3:04:05 PM", "3:04 PM", "3:04:05PM", "3:04PM"} {
		if t, err := time.Parse(layout, text); err == nil {
			return clockOf(t), true
		}
	}
	return clock{}, false
}

func checkClock(text string) error {
	if _, ok := readClock(text); !ok {
		return limitf("%q is no time of day, such as 09:00", text)
	}
	return nil
}

// startOf is the beginning of the unit that t is in.
func startOf(t time.Time, unit string) (time.Time, error) {
	year, month, day := t.Date()
	midnight := func(year int, month time.Month, day int) time.Time { return clock{}.on(year, month, day, t.Location()) }
	const monthsOfQuarter = 3
	switch unit {
	case "minute":
		return t.Truncate(time.Minute), nil
	case "hour": // zones are apart by quarters of an hour, too
		return t.Add(-time.Duration(t.Minute())*time.Minute - time.Duration(t.Second())*time.Second - time.Duration(t.Nanosecond())), nil
	case "day":
		return midnight(year, month, day), nil
	case "week":
		return midnight(year, month, day+1-isoWeekday(t)), nil
	case "month":
		return midnight(year, month, 1), nil
	case "quarter":
		return midnight(year, month-(month-1)%monthsOfQuarter, 1), nil
	case "year":
		return midnight(year, time.January, 1), nil
	}
	return time.Time{}, limitf("a unit is one of %s, not %q", strings.Join(calendarUnits, ", "), unit)
}

// next is the beginning of the unit after the one that begins at start.
func next(start time.Time, unit string) time.Time {
	const week, quarter, year = 7, 3, 12
	switch unit {
	case "minute":
		return start.Add(time.Minute)
	case "hour":
		return start.Add(time.Hour)
	case "day":
		return addCalendar(start, 0, 1)
	case "week":
		return addCalendar(start, 0, week)
	case "month":
		return addCalendar(start, 1, 0)
	case "quarter":
		return addCalendar(start, quarter, 0)
	default:
		return addCalendar(start, year, 0)
	}
}

// addCalendar adds months and then days, at the same time of day. A day that
// the month lacks is its last one.
func addCalendar(t time.Time, months, days int) time.Time {
	year, month, day := t.Date()
	first := time.Date(year, month+time.Month(months), 1, 0, 0, 0, 0, time.UTC)
	last := first.AddDate(0, 1, -1).Day()
	return clockOf(t).on(first.Year(), first.Month(), min(day, last)+days, t.Location())
}
