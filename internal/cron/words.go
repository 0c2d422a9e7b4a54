package cron

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"hookgate/internal/locale"
)

// Words says in a language (de; any other is English) when the schedule comes,
// such as: every Monday at 08:00.
func (s *Schedule) Words(lang string) string {
	w := writer{names: locale.English()}
	if l, known := locale.Find(lang); known && strings.HasPrefix(l.Tag(), "de") {
		w = writer{names: l, german: true}
	}
	return strings.TrimSpace(s.days(w) + " " + s.times(w))
}

// writer writes in one language.
type writer struct {
	names  *locale.Locale
	german bool
}

// inGerman are the phrases, which stand in the code in English.
var inGerman = map[string]string{
	"and": "und", "every day": "täglich", "every minute": "jede Minute", "every %d minutes": "alle %d Minuten", "every hour": "jede Stunde", "every %d hours": "alle %d Stunden",
	"at %s": "um %s", "at minute %s": "zur Minute %s", "at minutes %s": "zu den Minuten %s", "%s of every hour": "%s jeder Stunde",
	"from %s to %s": "von %s bis %s", "%s to %s": "%s bis %s", "every %s": "%s", "on the %s": "am %s", "on the %s of the month": "am %s des Monats",
	"in %s": "im %s", "if it is a %s,": "wenn es ein %s ist,", "or": "oder", "on every 2nd day of the month": "an jedem 2. Tag des Monats",
}

func (w writer) say(text string, args ...any) string {
	if w.german {
		text = inGerman[text]
	}
	if len(args) == 0 {
		return text
	}
	return fmt.Sprintf(text, args...)
}

// list joins with commas, and with "and" before the last.
func (w writer) list(items []string) string { return join(items, w.say("and")) }

// either is a list of which one is meant.
func (w writer) either(items []string) string { return join(items, w.say("or")) }

func join(items []string, word string) string {
	last := len(items) - 1
	if last < 1 {
		return strings.Join(items, "")
	}
	return strings.Join(items[:last], ", ") + " " + word + " " + items[last]
}

// runs names the values, with from to where three or more follow each other.
func (w writer) runs(values []int, name func(int) string) (text string, ranges bool) {
	var items []string
	for i := 0; i < len(values); {
		end := i
		for end+1 < len(values) && values[end+1] == values[end]+1 {
			end++
		}
		if end-i >= 2 {
			items, ranges = append(items, w.say("%s to %s", name(values[i]), name(values[end]))), true
			i = end + 1
			continue
		}
		items = append(items, name(values[i]))
		i++
	}
	return w.list(items), ranges
}

func (w writer) ordinal(n int) string {
	if w.german {
		return strconv.Itoa(n) + "."
	}
	ending := "th"
	if n/10 != 1 && n%10 >= 1 && n%10 <= 3 {
		ending = [...]string{"st", "nd", "rd"}[n%10-1]
	}
	return strconv.Itoa(n) + ending
}

// spaced is the step of values that go from the field's first through all of
// it; 0 where they do not.
func spaced(values []int, size int) int {
	if len(values) < 2 || size%len(values) != 0 {
		return 0
	}
	step := size / len(values)
	for i, v := range values {
		if v != i*step {
			return 0
		}
	}
	return step
}

// mostTimes is how many times of a day are told one by one.
const mostTimes = 6

// rhythm is every how many hours it comes; 0: at some hours.
func rhythm(hour set) int {
	if each := spaced(hour.list(), 24); hour.star || each == 1 {
		return each
	}
	return 0
}

// isRun reports whether so many hours follow each other that nobody wants them
// listed.
func isRun(hours []int) bool {
	last := len(hours) - 1
	return last >= 3 && hours[last]-hours[0] == last
}

// times says at which times of a day.
func (s *Schedule) times(w writer) string {
	minutes, hours := s.minute.list(), s.hour.list()
	each := rhythm(s.hour)
	switch {
	case len(minutes) == 1 && each > 0:
		text := w.say("every hour")
		if each > 1 {
			text = w.say("every %d hours", each)
		}
		if minutes[0] == 0 {
			return text
		}
		return text + " " + w.say("at minute %s", strconv.Itoa(minutes[0]))
	case len(minutes) == 1 && isRun(hours):
		return w.say("every hour") + " " + w.say("from %s to %s", clockTime(hours[0], minutes[0]), clockTime(hours[len(hours)-1], minutes[0]))
	case len(minutes)*len(hours) <= mostTimes:
		var times []string
		for _, hour := range hours {
			for _, minute := range minutes {
				times = append(times, clockTime(hour, minute))
			}
		}
		return w.say("at %s", w.list(times))
	}
	return s.inHours(w, minutes, hours)
}

// inHours says at which minutes, and from when to when.
func (s *Schedule) inHours(w writer, minutes, hours []int) string {
	var text string
	step := spaced(minutes, 60)
	switch {
	case step == 1:
		text = w.say("every minute")
	case step > 1:
		text = w.say("every %d minutes", step)
	case len(minutes) == 1:
		text = w.say("at minute %s", strconv.Itoa(minutes[0]))
	default:
		named, _ := w.runs(minutes, strconv.Itoa)
		text = w.say("at minutes %s", named)
	}
	if len(hours) == 24 {
		if step == 0 {
			text = w.say("%s of every hour", text)
		}
		return text
	}
	var spans []string
	for i := 0; i < len(hours); i++ {
		from := hours[i]
		for i+1 < len(hours) && hours[i+1] == hours[i]+1 {
			i++
		}
		spans = append(spans, w.say("from %s to %s", clockTime(from, 0), clockTime(hours[i], 59)))
	}
	return text + " " + w.list(spans)
}

func clockTime(hour, minute int) string { return fmt.Sprintf("%02d:%02d", hour, minute) }

// days says on which days; "" is any, where the times alone say enough.
func (s *Schedule) days(w writer) string {
	months := s.month.list()
	inMonths := ""
	if len(months) < 12 {
		name := func(n int) string { return w.names.Month(time.Month(n), false) }
		named, _ := w.runs(months, name)
		inMonths = w.say("in %s", named)
		if last := len(months) - 1; last >= 2 && months[last]-months[0] == last {
			inMonths = w.say("from %s to %s", name(months[0]), name(months[last]))
		}
	}
	dom, weekday := s.daysOfMonth(w, inMonths == ""), s.weekdays(w)
	var text string
	switch {
	case dom != "" && weekday != "" && (s.dom.star || s.weekday.star):
		text = dom + ", " + w.say("if it is a %s,", w.either(s.weekdayNames(w)))
	case dom != "" && weekday != "":
		text = dom + " " + w.say("and") + " " + weekday
	case dom+weekday != "":
		text = dom + weekday
	case s.fewTimes():
		text = w.say("every day")
	}
	return strings.TrimSpace(text + " " + inMonths)
}

// fewTimes reports whether the times of the day are told one by one: others
// say of themselves that they come again.
func (s *Schedule) fewTimes() bool {
	minutes, hours := s.minute.list(), s.hour.list()
	again := len(minutes) == 1 && (rhythm(s.hour) > 0 || isRun(hours))
	return len(minutes)*len(hours) <= mostTimes && !again
}

func (s *Schedule) daysOfMonth(w writer, ofMonth bool) string {
	days := s.dom.list()
	if len(days) == 31 {
		return ""
	}
	if s.dom.star && len(days) == 16 { // */2
		return w.say("on every 2nd day of the month")
	}
	named, _ := w.runs(days, w.ordinal)
	if ofMonth {
		return w.say("on the %s of the month", named)
	}
	return w.say("on the %s", named)
}

// weekdayNames are the days of the week, Sunday last.
func (s *Schedule) weekdayNames(w writer) []string {
	var names []string
	for _, day := range s.mondayFirst() {
		names = append(names, w.names.Weekday(time.Weekday(day%7), false))
	}
	return names
}

func (s *Schedule) mondayFirst() []int {
	var days []int
	for day := 1; day <= 7; day++ {
		if s.weekday.has(day % 7) {
			days = append(days, day)
		}
	}
	return days
}

func (s *Schedule) weekdays(w writer) string {
	days := s.mondayFirst()
	if len(days) == 7 {
		return ""
	}
	named, ranges := w.runs(days, func(day int) string {
		name := w.names.Weekday(time.Weekday(day%7), false)
		if w.german {
			return strings.ToLower(name) + "s"
		}
		return name
	})
	if ranges {
		return named
	}
	return w.say("every %s", named)
}
