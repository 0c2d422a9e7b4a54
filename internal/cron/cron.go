// Package cron reads the five fields of a crontab, tells when they come next in
// a time zone, and says them in words.
//
// A clock that is put forward or back moves nothing out of the day: a time that
// does not exist comes at the first instant after the gap, and one that exists
// twice comes the first time. Where the field of the hour begins with *, real
// time runs through: such a schedule comes whenever the clock shows it.
package cron

import (
	"errors"
	"fmt"
	"math/bits"
	"strconv"
	"strings"
	"time"

	"hookgate/internal/diag"
	"hookgate/internal/yamlnode"
)

// Schedule is a crontab's five fields. It never changes and is safe for
// concurrent use.
type Schedule struct {
	text                              string
	minute, hour, dom, month, weekday set
}

// set is what one field allows: a bit for each value.
type set struct {
	values uint64
	star   bool // it begins with *: it does not say which days are meant
}

func (s set) has(value int) bool { return s.values&(1<<value) != 0 }

// list are the values in their order.
func (s set) list() []int {
	list := make([]int, 0, bits.OnesCount64(s.values))
	for rest := s.values; rest != 0; rest &= rest - 1 {
		list = append(list, bits.TrailingZeros64(rest))
	}
	return list
}

// String gives the five fields, with one space between them.
func (s *Schedule) String() string { return s.text }

// Error says what is wrong with a crontab, and where: From and To are bytes of
// the text.
type Error struct {
	From, To      int
	Message, Hint string
}

// Error implements error.
func (e *Error) Error() string { return e.Message }

// field is what is to be known of one of the five.
type field struct {
	name     string
	min, max int
	names    []string // of the values from min on
}

// fields are the five, in their order.
func fields() [5]field {
	return [5]field{
		{name: "minute", max: 59},
		{name: "hour", max: 23},
		{name: "day of the month", min: 1, max: 31},
		{name: "month", min: 1, max: 12, names: []string{"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}},
		{name: "day of the week", max: 7, names: []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat", "sun"}},
	}
}

// aFew says what a crontab consists of.
const aFew = "minute, hour, day of the month, month, day of the week: 0 8 * * mon is Monday at 08:00"

// part is a piece of the text, and where it begins.
type part struct {
	text string
	at   int
}

func (p part) fail(hint, format string, args ...any) *Error {
	return &Error{From: p.at, To: p.at + len(p.text), Message: fmt.Sprintf(format, args...), Hint: hint}
}

// split cuts at a separator, and keeps where each part begins.
func (p part) split(separator byte) []part {
	var parts []part
	begin := 0
	for i := 0; i <= len(p.text); i++ {
		if i == len(p.text) || p.text[i] == separator {
			parts = append(parts, part{text: p.text[begin:i], at: p.at + begin})
			begin = i + 1
		}
	}
	return parts
}

// words are the parts between blanks.
func words(text string) []part {
	var parts []part
	for rest := text; ; {
		rest = strings.TrimLeft(rest, " \t\r\n")
		if rest == "" {
			return parts
		}
		word := part{at: len(text) - len(rest)}
		end := strings.IndexAny(rest, " \t\r\n")
		if end < 0 {
			end = len(rest)
		}
		word.text, rest = rest[:end], rest[end:]
		parts = append(parts, word)
	}
}

// Parse reads a crontab's five fields: numbers, names, lists, ranges (which may
// run past the end: fri-mon), steps. Its errors are of type *Error.
func Parse(text string) (*Schedule, error) {
	given := words(text)
	if err := wrongForm(text, given); err != nil {
		return nil, err
	}
	s := &Schedule{}
	into := [5]*set{&s.minute, &s.hour, &s.dom, &s.month, &s.weekday}
	shown := make([]string, len(into))
	for i, f := range fields() {
		one, err := f.parse(given[i])
		if err != nil {
			return nil, err
		}
		*into[i], shown[i] = one, strings.ToLower(given[i].text)
	}
	if s.weekday.has(7) { // both 0 and 7 are Sunday
		s.weekday.values = s.weekday.values&^(1<<7) | 1
	}
	s.text = strings.Join(shown, " ")
	if (s.dom.star || s.weekday.star) && !s.hasDay() {
		return nil, given[2].fail("the month is the fourth field", "this never comes: no such month has such a day")
	}
	return s, nil
}

// Read is Parse of a value of config.yaml, whose faults say where they stand.
func Read(text yamlnode.Text) (*Schedule, diag.List) {
	s, err := Parse(text.Value)
	if fault, ok := errors.AsType[*Error](err); ok {
		return nil, diag.List{text.DiagAt(fault.From, fault.To, "bad-value", fault.Hint, "%s", fault.Message)}
	}
	return s, nil
}

// ReadZone reads the time zone of a value of config.yaml; usual where it is left out.
func ReadZone(text yamlnode.Text, usual *time.Location) (*time.Location, diag.List) {
	if text.IsZero() {
		return usual, nil
	}
	zone, err := time.LoadLocation(text.Value)
	if err != nil || text.Value == "" {
		return usual, diag.List{text.Diag("bad-value", "such as Europe/Berlin", `"timezone" is no name of the IANA database`)}
	}
	return zone, nil
}

// wrongForm tells what other programs' crontabs have and this has not.
func wrongForm(text string, given []part) error {
	whole := part{text: text}
	if len(given) == 0 {
		return whole.fail(aFew, "a cron has five fields, and this is empty")
	}
	first := given[0]
	if strings.HasPrefix(first.text, "@") {
		hint := aFew
		if form, known := nicknames[strings.ToLower(first.text)]; known {
			hint = "write " + form
		}
		return first.fail(hint, "%s is not understood here: a cron has five fields", first.text)
	}
	if name, zone, found := strings.Cut(first.text, "="); found && strings.HasSuffix(strings.ToUpper(name), "TZ") {
		return first.fail("write timezone: "+zone, "the time zone has a key of its own")
	}
	switch n := len(given); {
	case n == 6 || n == 7:
		five := make([]string, 5)
		for i := range five {
			five[i] = given[i+1].text
		}
		return first.fail("leave the seconds out: "+strings.ReplaceAll(strings.Join(five, " "), "?", "*"), "this has %d fields, and a cron has five: seconds and years are not among them", n)
	case n != 5:
		return whole.fail(aFew, "this has %s, and a cron has five", count(n))
	}
	return nil
}

func count(n int) string {
	if n == 1 {
		return "1 field"
	}
	return strconv.Itoa(n) + " fields"
}

// nicknames are what crontabs of others have for five fields.
var nicknames = map[string]string{
	"@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *", "@monthly": "0 0 1 * *", "@weekly": "0 0 * * sun",
	"@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@hourly": "0 * * * *",
	"@every": "*/15 * * * * for each quarter of an hour, in quotes",
}

// parse reads one field.
func (f field) parse(p part) (set, error) {
	out := set{star: strings.HasPrefix(p.text, "*")}
	for _, item := range p.split(',') {
		values, err := f.item(item)
		if err != nil {
			return set{}, err
		}
		out.values |= values
	}
	return out, nil
}

// item reads one of a list: a value, a range or *, and perhaps a step.
func (f field) item(p part) (uint64, error) {
	base, step, err := f.step(p)
	if err != nil {
		return 0, err
	}
	ends := base.split('-')
	from, to := f.min, f.max
	switch {
	case base.text == "*":
		if f.max == 7 {
			to = 6
		}
	case len(ends) > 2:
		return 0, base.fail("write it as 1-5", "this is no range")
	default:
		if from, err = f.value(ends[0]); err != nil {
			return 0, err
		}
		if to = from; len(ends) == 2 {
			if to, err = f.value(ends[1]); err != nil {
				return 0, err
			}
		} else if base.text != p.text {
			return 0, p.fail(fmt.Sprintf("write %s-%d/%d", base.text, f.max, step), "a step needs a range, or *, before it")
		}
	}
	return f.run(from, to, step), nil
}

// run are the values from one to another, around the end where that is before.
func (f field) run(from, to, step int) uint64 {
	size := f.max - f.min + 1
	if f.max == 7 {
		size = 7
		if to == 7 && from == 0 {
			from, to = 0, 6
		}
		from, to = from%7, to%7
	}
	length := to - from
	if length < 0 {
		length += size
	}
	var values uint64
	for i := 0; i <= length; i += step {
		values |= 1 << (f.min + (from-f.min+i)%size)
	}
	return values
}

// step cuts off what stands behind the stroke; 1 where there is none.
func (f field) step(p part) (base part, step int, err error) {
	halves := p.split('/')
	base, step = halves[0], 1
	if len(halves) == 1 {
		return base, step, nil
	}
	step, bad := strconv.Atoi(halves[1].text)
	if len(halves) > 2 || bad != nil || step < 1 {
		return base, 0, p.fail("write it as */15", "what stands behind the / must be a number from 1 on")
	}
	if most := f.max - f.min; step > most {
		hint := fmt.Sprintf("the step begins anew with each round of the field, and can be %d at most", most)
		return base, 0, p.fail(hint, "a step of %d is longer than the field of the %s", step, f.name)
	}
	return base, step, nil
}

// value reads a number or a name.
func (f field) value(p part) (int, error) {
	lower := strings.ToLower(p.text)
	for i, name := range f.names {
		if lower == name {
			return f.min + i, nil
		}
		if len(lower) > len(name) && strings.HasPrefix(lower, name) {
			return 0, p.fail("write "+name, "names are three letters long, and %q is longer", p.text)
		}
	}
	if n, err := strconv.Atoi(p.text); err == nil && n >= f.min && n <= f.max && p.text[0] != '+' && p.text[0] != '-' {
		return n, nil
	}
	hint := fmt.Sprintf("it is a number from %d to %d", f.min, f.max)
	if len(f.names) > 0 {
		hint += fmt.Sprintf(", or a name such as %s", f.names[1])
	}
	switch {
	case p.text == "":
		return 0, p.fail(hint, "the field of the %s lacks a value here", f.name)
	case strings.HasPrefix(p.text, "*"):
		hint = "write * alone, or */15"
	case p.text == "?":
		hint = "write *"
	case strings.ContainsAny(p.text, "LlWw#"):
		hint = "the first Monday is 1-7 here, with the rule's condition weekday(data.scheduled_for) == 1"
	}
	return 0, p.fail(hint, "%q is no %s", p.text, f.name)
}

// hasDay reports whether one of the months has one of the days of the month.
func (s *Schedule) hasDay() bool {
	for _, month := range s.month.list() {
		for _, day := range s.dom.list() {
			if time.Date(2024, time.Month(month), day, 0, 0, 0, 0, time.UTC).Day() == day { // a leap year
				return true
			}
		}
	}
	return false
}

// isDay reports whether the schedule comes on a day. Where both the day of the
// month and that of the week say which days are meant, either will do.
func (s *Schedule) isDay(t time.Time) bool {
	if !s.month.has(int(t.Month())) {
		return false
	}
	dom, weekday := s.dom.has(t.Day()), s.weekday.has(int(t.Weekday()))
	if s.dom.star || s.weekday.star {
		return dom && weekday
	}
	return dom || weekday
}
