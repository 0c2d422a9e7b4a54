package config

import (
	"errors"
	"strings"
	"time"
	"unicode/utf8"

	"hookgate/internal/calendar"
	"hookgate/internal/diag"
	"hookgate/internal/yamlnode"
)

// maxHolidays is how many holidays a calendar can have: they are stored with the
// rules that ask for it.
const maxHolidays = 5000

// Calendar is a named calendar. *calendar.Calendar is nil where it has a fault.
type Calendar struct {
	*calendar.Calendar
	Name yamlnode.Text
	// lastHoliday is where the last holiday of one year stands.
	lastHoliday diag.Diagnostic
}

// calendarKeys are the keys of a calendar.
type calendarKeys struct {
	Days     []calendar.Days  `yaml:"days,single" doc:"The days on which it opens, one range or a list; every day unless set." example:"mon-fri"`
	Hours    []calendar.Hours `yaml:"hours,single" doc:"The hours within which it is open, one or a list; they may pass midnight, and belong to the day on which they begin. The whole day unless set." example:"09:00-17:30"`
	Timezone yamlnode.Text    `yaml:"timezone" doc:"The zone of its hours and days: a name of the IANA database; server.timezone unless set." example:"Europe/Berlin"`
	Holidays holidays         `yaml:"holidays" doc:"The days on which it stays closed: a list of MM-DD, which is every year, and YYYY-MM-DD, or a text file with one on each line." example:"[01-01, 12-25, 2026-04-03]"`
}

// DescribeCalendar tells what a calendar can hold.
func DescribeCalendar() yamlnode.Spec { return yamlnode.Describe[calendarKeys]() }

// Noun is what messages call it.
func (calendarKeys) Noun() string { return "a calendar" }

// KeyHint names the word of this language for the same thing in another.
func (calendarKeys) KeyHint(key string) string {
	switch key {
	case "times", "time", "open", "opening_hours":
		return `did you mean "hours"?`
	case "zone", "tz":
		return `did you mean "timezone"?`
	case "weekdays", "day", "weekday":
		return `did you mean "days"?`
	case "except", "closed", "exclude":
		return `did you mean "holidays"?`
	}
	return ""
}

// holidays are dates, or the file that holds them.
type holidays struct {
	dates []holiday
	file  yamlnode.Text
}

// holiday is a date and a fault that could be found with it, for its place.
type holiday struct {
	calendar.Date
	place diag.Diagnostic
}

// Describe implements yamlnode.Described.
func (holidays) Describe() yamlnode.Spec {
	item := yamlnode.Spec{Type: yamlnode.TextType}
	return yamlnode.Spec{Type: yamlnode.ListType, Item: &item, Single: true}
}

// DecodeNode implements yamlnode.Decoder.
func (h *holidays) DecodeNode(n yamlnode.Node) diag.List {
	if n.Kind() == yamlnode.Scalar {
		one := holiday{place: n.Diag("", "", "")}
		if err := one.UnmarshalText([]byte(n.Text().Value)); err == nil {
			h.dates = []holiday{one}
		} else {
			h.file = n.Text()
		}
		return nil
	}
	var texts []yamlnode.Text
	list := n.Decode("a calendar", &texts)
	for _, text := range texts {
		date := holiday{place: text.Diag("", "", "")}
		if err := date.UnmarshalText([]byte(text.Value)); err != nil {
			list = append(list, text.Diag("bad-value", "", "%s", err))
			continue
		}
		h.dates = append(h.dates, date)
	}
	return list
}

// readCalendars reads the calendars, with the files of their holidays. A relative
// path starts at the folder of the file that it stands in.
func (doc *Config) readCalendars(n yamlnode.Node, report *Report) diag.List {
	named, list := entries(n, "a calendar", names{})
	for _, e := range named {
		c := Calendar{Name: e.Name}
		list = append(list, c.decode(doc, e.Node, report)...)
		doc.Calendars = append(doc.Calendars, c)
	}
	return list
}

// CalendarsByName are the calendars; one with a fault is nil.
func (doc *Config) CalendarsByName() map[string]*calendar.Calendar {
	all := map[string]*calendar.Calendar{}
	for _, c := range doc.Calendars {
		all[c.Name.Value] = c.Calendar
	}
	return all
}

func (c *Calendar) decode(doc *Config, n yamlnode.Node, report *Report) diag.List {
	var keys calendarKeys
	list := n.Decode("a calendar", &keys)
	definition := calendar.Definition{Days: keys.Days, Hours: keys.Hours, Zone: doc.Server.Timezone}
	if !keys.Timezone.IsZero() {
		definition.Zone = keys.Timezone.Value
		if _, err := time.LoadLocation(definition.Zone); err != nil || definition.Zone == "" {
			list = append(list, keys.Timezone.Diag("bad-value", "such as Europe/Berlin", `"timezone" is no name of the IANA database`))
		}
	}
	if !keys.Holidays.file.IsZero() {
		list = append(list, keys.Holidays.read(doc, report)...)
	}
	if len(keys.Holidays.dates) > maxHolidays {
		list = append(list, n.Get("holidays").Diag("bad-value", "leave out the years that are over", "a calendar can have at most %d holidays", maxHolidays))
	}
	last := calendar.Date{}
	for _, h := range keys.Holidays.dates {
		definition.Holidays = append(definition.Holidays, h.Date)
		if h.Compare(last) > 0 {
			last, c.lastHoliday = h.Date, h.place
		}
	}
	if list.Err() != nil {
		return list
	}
	made, err := calendar.New(definition)
	switch {
	case errors.Is(err, calendar.ErrNeverOpen):
		return append(list, neverOpen(c.Name, n))
	case err != nil: // server.timezone, which is said there
		return list
	}
	c.Calendar = made
	return list
}

// neverOpen is the fault of a calendar with nothing left in it.
func neverOpen(name yamlnode.Text, n yamlnode.Node) diag.Diagnostic {
	for _, key := range []string{"days", "hours"} {
		if part := n.Get(key); part.Kind() == yamlnode.List && len(part.Items()) == 0 {
			return part.Diag("never-open", "leave it out for all "+key, "the calendar %q is never open", name.Value)
		}
	}
	return n.Get("holidays").Diag("never-open", "", "the calendar %q is never open: all its days are holidays", name.Value)
}

// read fills in the dates of the file: one on each line, behind which can stand
// what it is. A # begins a comment.
func (h *holidays) read(doc *Config, report *Report) diag.List {
	path := pathOf(h.file)
	report.Parts.Files = append(report.Parts.Files, path)
	content, err := readFile(path)
	switch {
	case err != nil:
		return diag.List{h.file.Diag("bad-file", "write a list of dates such as [12-25, 2026-04-03], or the name of a file with one on each line", "the file of holidays can't be read: %s", reason(err))}
	case !utf8.Valid(content):
		return diag.List{h.file.Diag("bad-file", "", "the file of holidays is no text in UTF-8")}
	}
	report.Files[path] = content
	doc.parts = append(doc.parts, content)
	var list diag.List
	for i, line := range diag.Lines(content) {
		text, _, _ := strings.Cut(strings.TrimPrefix(line, "\uFEFF"), "#")
		words := strings.Fields(text)
		if len(words) == 0 {
			continue
		}
		date := holiday{place: diag.Diagnostic{
			Severity: diag.Error, Path: h.file.Path(),
			Position: diag.Position{File: path, Line: i + 1, Column: 1 + utf8.RuneCountInString(line[:strings.Index(line, words[0])]), Width: utf8.RuneCountInString(words[0])},
		}}
		if err := date.UnmarshalText([]byte(words[0])); err != nil {
			date.place.Code, date.place.Message = "bad-value", err.Error()
			list = append(list, date.place)
			continue
		}
		h.dates = append(h.dates, date)
	}
	if len(h.dates)+len(list) == 0 {
		list = append(list, h.file.Diag("bad-file", "write a date such as 12-25 or 2026-04-03 on each line", "the file of holidays holds no date"))
	}
	return list
}

// HolidaysEnd warns of calendars of which the last holiday of one year was before
// now: nobody has written down those to come.
func (doc *Config) HolidaysEnd(now time.Time) diag.List {
	var list diag.List
	for _, c := range doc.Calendars {
		if c.Calendar == nil {
			continue
		}
		last, dated := c.LastHoliday()
		if !dated || !last.Over(now.In(c.Zone())) {
			continue
		}
		d := c.lastHoliday
		d.Severity, d.Code, d.Hint = diag.Warning, "holidays-end", "add those to come; MM-DD is a holiday every year"
		d.Message = "the last dated holiday of the calendar \"" + c.Name.Value + "\" is over"
		list = append(list, d)
	}
	return list
}
