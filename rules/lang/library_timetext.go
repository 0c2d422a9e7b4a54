package lang

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"hookgate/internal/locale"
)

// The years that a time can be in.
const firstYear, lastYear = 1, 9999

// readTime is the time that a value says; nil: it says none. What says no zone
// is in loc, and all that is read is shown in it.
func readTime(v any, loc *time.Location) (any, error) {
	switch x := v.(type) {
	case nil:
		return nil, nil
	case time.Time:
		return x, nil
	case int:
		return sinceEpoch(int64(x), loc), nil
	case float64:
		if math.Abs(x) >= millis*1000 || x == math.Trunc(x) {
			return sinceEpoch(int64(x), loc), nil
		}
		whole, fraction := math.Modf(x)
		return time.Unix(int64(whole), int64(fraction*1e9)).In(loc), nil
	case json.Number:
		return nil, nil
	case string:
		if t, ok := timeIn(strings.TrimSpace(x), loc); ok {
			return t, nil
		}
		return nil, nil
	}
	return nil, limitf("needs a time, but got %s", kindOf(v))
}

// From these on, numbers are milliseconds, microseconds or nanoseconds. As
// seconds they would be in the year 5138 and later.
const millis, micros, nanos = 1e11, 1e14, 1e17

func sinceEpoch(n int64, loc *time.Location) any {
	t := time.Unix(n, 0)
	switch size := math.Abs(float64(n)); {
	case size >= nanos:
		t = time.Unix(0, n)
	case size >= micros:
		t = time.UnixMicro(n)
	case size >= millis:
		t = time.UnixMilli(n)
	}
	if t = t.In(loc); t.Year() < firstYear || t.Year() > lastYear {
		return nil
	}
	return t
}

var (
	dayBefore = regexp.MustCompile(`^[A-Za-z]{2,9},? `)
	dayStart  = regexp.MustCompile(`^(\d{4}-\d{1,2}-\d{1,2}|\d{4}/\d{1,2}/\d{1,2}|\d{1,2}\.\d{1,2}\.\d{4}|\d{8}|\d{1,2}\.? [A-Za-z]{3,9} \d{4}|[A-Za-z]{3,9} \d{1,2}, \d{4})(?:$|T|t|,? +|,? at )`)
	zoneEnd   = regexp.MustCompile(` ?(Z|z|UTC|GMT|UT|[+-]\d{2}(?::?\d{2})?)(?: \([A-Za-z ]+\))?$`)
	onlyClock = regexp.MustCompile(`^\d{4}(\d{2})?$`)
)

var dayLayouts = []string{"2006-1-2", "2006/1/2", "2.1.2006", "20060102", "2 Jan 2006", "2 January 2006", "Jan 2, 2006", "January 2, 2006"}

// timeIn reads a text as a time.
func timeIn(text string, loc *time.Location) (time.Time, bool) {
	const longest, date, seconds, milliseconds = 64, 8, 10, 13
	if len(text) > longest {
		return time.Time{}, false
	}
	if strings.Trim(text, "0123456789") == "" && (len(text) == seconds || len(text) == seconds-1 || len(text) == milliseconds) {
		n, err := strconv.ParseInt(text, 10, 64)
		t, ok := sinceEpoch(n, loc).(time.Time)
		return t, ok && err == nil
	}
	text = dayBefore.ReplaceAllStringFunc(text, func(word string) string { // Tue, but not March
		if strings.HasSuffix(word, ", ") {
			return ""
		}
		return word
	})
	text = strings.TrimSuffix(text, " Uhr")
	m := dayStart.FindStringSubmatch(text)
	if m == nil {
		return time.Time{}, false
	}
	day, ok := dayIn(m[1])
	if !ok {
		return time.Time{}, false
	}
	return onDay(day, strings.TrimSpace(text[len(m[0]):]), loc)
}

func dayIn(text string) (time.Time, bool) {
	if strings.Contains(text, ". ") {
		text = strings.Replace(text, ".", "", 1)
	}
	for _, layout := range dayLayouts {
		if day, err := time.Parse(layout, text); err == nil && day.Year() >= firstYear {
			return day, true
		}
	}
	return time.Time{}, false
}

// onDay is the time of day that rest says, with its zone or in loc.
func onDay(day time.Time, rest string, loc *time.Location) (time.Time, bool) {
	var at clock
	in := loc
	if rest != "" {
		if m := zoneEnd.FindStringSubmatchIndex(rest); m != nil && m[0] > 0 {
			offset, ok := offsetOf(rest[m[2]:m[3]])
			if !ok {
				return time.Time{}, false
			}
			in, rest = time.FixedZone("", offset), rest[:m[0]]
		}
		if onlyClock.MatchString(rest) { // 143000, as ISO 8601 has it in its short form
			rest = strings.TrimRight(rest[:2]+":"+rest[2:4]+":"+rest[4:], ":")
		}
		var ok bool
		if at, ok = readClock(rest); !ok {
			return time.Time{}, false
		}
	}
	t := at.on(day.Year(), day.Month(), day.Day(), in).In(loc)
	return t, t.Year() >= firstYear && t.Year() <= lastYear
}

// offsetOf is how far a zone is east of UTC, in seconds.
func offsetOf(text string) (int, bool) {
	for _, layout := range []string{"-07:00", "-0700", "-07"} {
		if t, err := time.Parse(layout, text); err == nil {
			_, offset := t.Zone()
			return offset, true
		}
	}
	return 0, text != "" && text[0] != '+' && text[0] != '-'
}

var amountPart = regexp.MustCompile(`^\s*(\d{1,9})\s*(mo|y|w|d|h|m|s)`)

// amount is how much later.
type amount struct {
	months, days, seconds int
}

// readAmount reads 1mo, 2w, 1d 12h, or one of them behind a minus.
func readAmount(text string) (a amount, ok bool) {
	rest, negative := strings.CutPrefix(strings.TrimSpace(text), "-")
	rest = strings.TrimPrefix(rest, "+")
	const yearMonths, weekDays, minute, hour = 12, 7, 60, 3600
	for strings.TrimSpace(rest) != "" {
		m := amountPart.FindStringSubmatch(rest)
		if m == nil {
			return amount{}, false
		}
		n, err := strconv.Atoi(m[1])
		if err != nil {
			return amount{}, false
		}
		switch m[2] {
		case "y":
			a.months += n * yearMonths
		case "mo":
			a.months += n
		case "w":
			a.days += n * weekDays
		case "d":
			a.days += n
		case "h":
			a.seconds += n * hour
		case "m":
			a.seconds += n * minute
		case "s":
			a.seconds += n
		}
		rest, ok = rest[len(m[0]):], true
	}
	if negative {
		a = amount{-a.months, -a.days, -a.seconds}
	}
	return a, ok && a.small()
}

// small reports whether the amount is within the years that there are.
func (a amount) small() bool {
	const years, yearMonths, yearDays = lastYear, 12, 366
	const seconds = int(math.MaxInt64 / time.Second)
	return max(a.months, -a.months) <= years*yearMonths && max(a.days, -a.days) <= years*yearDays && max(a.seconds, -a.seconds) <= seconds
}

func checkAmount(text string) error {
	if _, ok := readAmount(text); !ok {
		return limitf(`%q is no length of time, such as "3d", "1mo" or "-2h 30m"`, text)
	}
	return nil
}

func addTime(t time.Time, text string) (any, error) {
	a, ok := readAmount(text)
	if !ok {
		return nil, checkAmount(text)
	}
	if a.months != 0 || a.days != 0 {
		t = addCalendar(t, a.months, a.days)
	}
	if t = t.Add(time.Duration(a.seconds) * time.Second); t.Year() < firstYear || t.Year() > lastYear {
		return nil, limitf("add_time: the year %d is too far away", t.Year())
	}
	return t, nil
}

// timeBetween counts whole units from a to b.
func timeBetween(a, b time.Time, unit string) (any, error) {
	if b.Before(a) {
		n, err := timeBetween(b, a, unit)
		if count, ok := n.(int); ok {
			return -count, err
		}
		return n, err
	}
	const minute, hour, week, quarter, year = 60, 3600, 7, 3, 12
	seconds := int(b.Unix() - a.Unix())
	if b.Nanosecond() < a.Nanosecond() {
		seconds--
	}
	switch unit {
	case "second":
		return seconds, nil
	case "minute":
		return seconds / minute, nil
	case "hour":
		return seconds / hour, nil
	case "day":
		return daysBetween(a, b), nil
	case "week":
		return daysBetween(a, b) / week, nil
	case "month":
		return monthsBetween(a, b), nil
	case "quarter":
		return monthsBetween(a, b) / quarter, nil
	case "year":
		return monthsBetween(a, b) / year, nil
	}
	return nil, limitf("a unit is one of %s, not %q", strings.Join(allUnits, ", "), unit)
}

func daysBetween(a, b time.Time) int {
	b = b.In(a.Location())
	const day = 24 * time.Hour
	days := int(midnightUTC(b).Sub(midnightUTC(a)) / day)
	if days > 0 && addCalendar(a, 0, days).After(b) {
		days--
	}
	return days
}

func midnightUTC(t time.Time) time.Time {
	year, month, day := t.Date()
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
}

func monthsBetween(a, b time.Time) int {
	b = b.In(a.Location())
	const year = 12
	months := (b.Year()-a.Year())*year + int(b.Month()) - int(a.Month())
	if months > 0 && addCalendar(a, months, 0).After(b) {
		months--
	}
	return months
}

// written are the letters of a pattern, with how each is written.
var written = map[string]func(t time.Time, l *locale.Locale) string{
	"yyyy": func(t time.Time, _ *locale.Locale) string { return fmt.Sprintf("%04d", t.Year()) },
	"y":    func(t time.Time, _ *locale.Locale) string { return strconv.Itoa(t.Year()) },
	"yy":   layout("06"),
	"MMMM": func(t time.Time, l *locale.Locale) string { return l.Month(t.Month(), false) },
	"MMM":  func(t time.Time, l *locale.Locale) string { return l.Month(t.Month(), true) },
	"MM":   layout("01"), "M": layout("1"), "dd": layout("02"), "d": layout("2"),
	"EEEE": func(t time.Time, l *locale.Locale) string { return l.Weekday(t.Weekday(), false) },
	"EEE":  func(t time.Time, l *locale.Locale) string { return l.Weekday(t.Weekday(), true) },
	"E":    func(t time.Time, l *locale.Locale) string { return l.Weekday(t.Weekday(), true) },
	"HH":   layout("15"),
	"H":    func(t time.Time, _ *locale.Locale) string { return strconv.Itoa(t.Hour()) },
	"hh":   layout("03"), "h": layout("3"), "a": layout("PM"), "mm": layout("04"), "m": layout("4"), "ss": layout("05"), "s": layout("5"),
	"SSS": func(t time.Time, _ *locale.Locale) string {
		return fmt.Sprintf("%03d", t.Nanosecond()/int(time.Millisecond))
	},
	"XXX": layout("Z07:00"), "ZZ": layout("-07:00"), "Z": layout("-0700"), "ZZZ": layout("-0700"), "z": layout("MST"),
	"w":  func(t time.Time, _ *locale.Locale) string { return strconv.Itoa(week(t)) },
	"ww": func(t time.Time, _ *locale.Locale) string { return fmt.Sprintf("%02d", week(t)) },
	"q":  func(t time.Time, _ *locale.Locale) string { return strconv.Itoa((int(t.Month())-1)/3 + 1) },
	"D":  func(t time.Time, _ *locale.Locale) string { return strconv.Itoa(t.YearDay()) },
}

func layout(form string) func(time.Time, *locale.Locale) string {
	return func(t time.Time, _ *locale.Locale) string { return t.Format(form) }
}

func week(t time.Time) int {
	_, n := t.ISOWeek()
	return n
}

// slips are the letters of other languages for ours.
var slips = map[byte]string{'Y': "yyyy is the year", 'D': "dd is the day of the month", 'u': "yyyy is the year", 'e': "EEE is the day of the week", 'c': "EEE is the day of the week", 'L': "MM is the month", 'Q': "q is the quarter"}

func formatTime(t time.Time, pattern string, l *locale.Locale) (any, error) {
	var b strings.Builder
	err := patternParts(pattern, func(text string, letters bool) error {
		if !letters {
			b.WriteString(text)
			return nil
		}
		write := written[text]
		if write == nil {
			hint := slips[text[0]]
			if hint == "" {
				hint = "text stands in ' '"
			}
			return limitf("format_time: %q says nothing in a pattern; %s", text, hint)
		}
		b.WriteString(write(t, l))
		return nil
	})
	if err != nil {
		return nil, err
	}
	return b.String(), nil
}

func checkPattern(pattern string) error {
	_, err := formatTime(time.Time{}, pattern, locale.English())
	return err
}

// patternParts gives the parts of a pattern: letters of one kind, and text.
func patternParts(pattern string, part func(text string, letters bool) error) error {
	const longest = 1_000
	if len(pattern) > longest {
		return limitf("format_time: a pattern of more than %d bytes is too long", longest)
	}
	for pattern != "" {
		text, letters, size := nextPart(pattern)
		if size == 0 {
			return limitf("format_time: a ' in the pattern lacks its other one")
		}
		if err := part(text, letters); err != nil {
			return err
		}
		pattern = pattern[size:]
	}
	return nil
}

// nextPart is the first part of a pattern and its size there; 0: it does not end.
func nextPart(pattern string) (text string, letters bool, size int) {
	first := pattern[0]
	switch {
	case first == '\'':
		end := strings.IndexByte(pattern[1:], '\'')
		if end < 0 {
			return "", false, 0
		}
		return cmp.Or(pattern[1:1+end], "'"), false, end + 2
	case isLetter(rune(first)):
		size = len(pattern) - len(strings.TrimLeft(pattern, string(first)))
		return pattern[:size], true, size
	}
	size = firstOutside(pattern, func(r rune) bool { return r != '\'' && !isLetter(r) })
	return pattern[:size], false, size
}

func isLetter(r rune) bool { return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' }
