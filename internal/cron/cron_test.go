package cron_test

import (
	"errors"
	"flag"
	"strconv"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // the machine may have none

	"pgregory.net/rapid"

	"hookgate/internal/cron"
)

// whole has TestNext_isAWalkOfMinutes walk each minute of ten years, and not
// only those around the changes of the clocks in three.
var whole = flag.Bool("whole", false, "walk every minute of ten years")

func must(t testing.TB, text string) *cron.Schedule {
	t.Helper()
	s, err := cron.Parse(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return s
}

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	in, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return in
}

// TestNext has the days on which clocks are changed, and what others got wrong
// there: robfig/cron#541, node-cron#563, nats-server#8543.
func TestNext(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ cron, in, after, want string }{
		{"0 8 * * mon", "Europe/Berlin", "2026-03-10T14:30:00+01:00", "2026-03-16T08:00:00+01:00 2026-03-23T08:00:00+01:00 2026-03-30T08:00:00+02:00"},
		// A time that does not exist comes right after the gap, and once with those that are there.
		{"30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00+01:00", "2026-03-29T03:00:00+02:00 2026-03-30T02:30:00+02:00"},
		{"*/30 2-3 * * *", "Europe/Berlin", "2026-03-28T12:00:00+01:00", "2026-03-29T03:00:00+02:00 2026-03-29T03:30:00+02:00 2026-03-30T02:00:00+02:00"},
		// One that comes twice comes the first time, also where the second has begun.
		{"30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00+02:00", "2026-10-25T02:30:00+02:00 2026-10-26T02:30:00+01:00"},
		{"30 2 * * *", "Europe/Berlin", "2026-10-25T02:10:00+01:00", "2026-10-26T02:30:00+01:00"},
		// Real time runs through where the hour is *.
		{"*/30 * * * *", "Europe/Berlin", "2026-10-25T02:15:00+02:00", "2026-10-25T02:30:00+02:00 2026-10-25T02:00:00+01:00 2026-10-25T02:30:00+01:00 2026-10-25T03:00:00+01:00"},
		{"*/30 * * * *", "Europe/Berlin", "2026-03-29T01:15:00+01:00", "2026-03-29T01:30:00+01:00 2026-03-29T03:00:00+02:00"},
		{"30 */2 * * *", "Europe/Berlin", "2026-03-29T00:00:00+01:00", "2026-03-29T00:30:00+01:00 2026-03-29T04:30:00+02:00"},
		// Midnight is missing, and a change of half an hour, and a whole day that never was.
		{"0 0 * * *", "America/Sao_Paulo", "2018-11-03T12:00:00-03:00", "2018-11-04T01:00:00-02:00 2018-11-05T00:00:00-02:00"},
		{"15 2 * * *", "Australia/Lord_Howe", "2026-10-03T12:00:00+10:30", "2026-10-04T02:30:00+11:00 2026-10-05T02:15:00+11:00"},
		{"0 12 30 12 *", "Pacific/Apia", "2011-12-28T12:00:00-10:00", "2011-12-31T00:00:00+14:00 2012-12-30T12:00:00+14:00"},
		// Both days set: either will do.
		{"0 9 13 * fri", "UTC", "2026-03-10T00:00:00Z", "2026-03-13T09:00:00Z 2026-03-20T09:00:00Z 2026-03-27T09:00:00Z 2026-04-03T09:00:00Z 2026-04-10T09:00:00Z 2026-04-13T09:00:00Z"},
		{"0 9 */100,1-7 * mon", "UTC", "2026-03-10T00:00:00Z", ""},
		{"0 9 */2 * mon", "UTC", "2026-03-10T00:00:00Z", "2026-03-23T09:00:00Z 2026-04-13T09:00:00Z"},
		{"0 0 29 2 *", "UTC", "2096-03-01T00:00:00Z", "2104-02-29T00:00:00Z"},
		{"0 0 29 2 */6", "UTC", "2026-03-01T00:00:00Z", "2032-02-29T00:00:00Z 2048-02-29T00:00:00Z"},
		{"0 22-2/2 * * fri-mon", "UTC", "2026-03-13T22:00:00Z", "2026-03-14T00:00:00Z 2026-03-14T02:00:00Z 2026-03-14T22:00:00Z"},
		// The last day of a leap year that a zone's table does not reach.
		{"0 8 * * sat-sun", "Europe/Berlin", "2044-12-26T00:00:00+01:00", "2044-12-31T08:00:00+01:00 2045-01-01T08:00:00+01:00"},
		{"0 */12 * * *", "Europe/Berlin", "2044-12-31T01:00:00+01:00", "2044-12-31T12:00:00+01:00 2045-01-01T00:00:00+01:00"},
		{"0 0 1 nov-feb 7", "UTC", "2026-03-13T22:00:00Z", "2026-11-01T00:00:00Z 2026-11-08T00:00:00Z"},
	} {
		s, err := cron.Parse(c.cron)
		if c.want == "" {
			if err == nil {
				t.Errorf("%s is taken", c.cron)
			}
			continue
		}
		at, bad := time.Parse(time.RFC3339, c.after)
		if err != nil || bad != nil {
			t.Errorf("%s: %v, %v", c.cron, err, bad)
			continue
		}
		for want := range strings.FieldsSeq(c.want) {
			at = s.Next(at, zone(t, c.in))
			if got := at.Format(time.RFC3339); got != want {
				t.Errorf("%s in %s: got %s, want %s", c.cron, c.in, got, want)
			}
		}
	}
}

// walked are the zones of the walk: those that change at odd times, by odd
// amounts, twice in Ramadan, or not at all.
var walked = []string{
	"UTC", "Europe/Berlin", "Europe/London", "Europe/Dublin", "Europe/Moscow", "America/New_York", "America/St_Johns", "America/Sao_Paulo", "America/Santiago",
	"America/Havana", "America/Asuncion", "Atlantic/Azores", "Africa/Casablanca", "Africa/Cairo", "Asia/Beirut", "Asia/Tehran", "Asia/Kathmandu", "Asia/Gaza",
	"Australia/Lord_Howe", "Pacific/Apia",
}

// TestNext_isAWalkOfMinutes holds Next to what one sees who looks at a clock
// each minute: whether it shows what the fields say, or, where hours are named,
// whether it has for the first time reached what they say.
func TestNext_isAWalkOfMinutes(t *testing.T) {
	t.Parallel()
	plans := []string{
		"* * * * *", "*/15 * * * *", "*/15 0-23 * * *", "30 2 * * *", "0 0 * * *", "59 23 * * *", "15 1-3 * * *", "0 */2 * * *", "30 */6 * * sun",
		"0 0 1 * *", "45 0,1,2,3 13 * fri", "5 0 */2 3,10,11 sun", "0 3 29 2 *",
	}
	for _, name := range walked {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := zone(t, name)
			from := time.Date(2011, 6, 1, 0, 0, 0, 0, time.UTC)
			if *whole {
				walk(t, plans, in, from, from.AddDate(10, 0, 0))
				return
			}
			walk(t, plans, in, from, from.AddDate(0, 0, 40))
			const around = 40 * time.Hour
			for at := from.In(in); ; {
				_, change := at.ZoneBounds()
				if change.IsZero() || change.After(from.AddDate(3, 0, 0)) {
					break
				}
				walk(t, plans, in, change.Add(-around).Truncate(time.Minute), change.Add(around))
				at = change.In(in)
			}
		})
	}
}

func walk(t *testing.T, plans []string, in *time.Location, from, until time.Time) {
	t.Helper()
	schedules, next, fields := make([]*cron.Schedule, len(plans)), make([]time.Time, len(plans)), make([]plain, len(plans))
	for i, text := range plans {
		schedules[i], fields[i] = must(t, text), read(text)
		next[i] = schedules[i].Next(from, in)
	}
	furthest := wall(from, in)
	for at := from.Add(time.Minute); at.Before(until); at = at.Add(time.Minute) {
		now := wall(at, in)
		for i := range plans {
			comes := fields[i].shows(now)
			if !fields[i].star {
				comes = fields[i].reached(furthest, now)
			}
			if comes != next[i].Equal(at) {
				t.Fatalf("%s at %s: a walk says %v, Next said %s", plans[i], at.In(in), comes, next[i])
			}
			if comes {
				next[i] = schedules[i].Next(at, in)
			}
		}
		if now.After(furthest) {
			furthest = now
		}
	}
}

// wall is what a clock in the zone shows.
func wall(at time.Time, in *time.Location) time.Time {
	at = at.In(in)
	return time.Date(at.Year(), at.Month(), at.Day(), at.Hour(), at.Minute(), 0, 0, time.UTC)
}

// plain are five fields, read anew in the simplest way.
type plain struct {
	field [5]uint64
	star  bool // of the hour
	both  bool // the day of the month and of the week have to be right, not one of them
}

func read(text string) plain {
	var p plain
	words := strings.Fields(strings.NewReplacer("sun", "0", "fri", "5").Replace(text))
	for i, word := range words {
		for item := range strings.SplitSeq(word, ",") {
			base, step, found := strings.Cut(item, "/")
			by := 1
			if found {
				by, _ = strconv.Atoi(step)
			}
			low, high, ranged := strings.Cut(base, "-")
			from, _ := strconv.Atoi(low)
			to, _ := strconv.Atoi(high)
			if !ranged {
				to = from
			}
			if base == "*" {
				from, to = []int{0, 0, 1, 1, 0}[i], []int{59, 23, 31, 12, 6}[i]
			}
			for v := from; v <= to; v += by {
				p.field[i] |= 1 << v
			}
		}
	}
	p.star = words[1][0] == '*'
	p.both = words[2][0] == '*' || words[4][0] == '*'
	return p
}

func (p *plain) shows(now time.Time) bool {
	has := func(i, v int) bool { return p.field[i]>>v&1 == 1 }
	if !has(0, now.Minute()) || !has(1, now.Hour()) || !has(3, int(now.Month())) {
		return false
	}
	day, weekday := has(2, now.Day()), has(4, int(now.Weekday()))
	return p.both && day && weekday || !p.both && (day || weekday)
}

// reached reports whether a time that the fields name lies between what clocks
// have shown at most and what they show now.
func (p *plain) reached(furthest, now time.Time) bool {
	for at := furthest.Add(time.Minute); !at.After(now); at = at.Add(time.Minute) {
		if p.shows(at) {
			return true
		}
	}
	return false
}

func TestParse_faults(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ cron, at, message, hint string }{
		{"", "", "a cron has five fields, and this is empty", "minute, hour"},
		{"0 8 * *", "0 8 * *", "this has 4 fields, and a cron has five", "minute, hour"},
		{"@daily", "@daily", "@daily is not understood here: a cron has five fields", "write 0 0 * * *"},
		{"@every 5m", "@every", "@every is not understood here: a cron has five fields", "write */15"},
		{"@sometimes", "@sometimes", "@sometimes is not understood here: a cron has five fields", "minute, hour"},
		{"TZ=Europe/Berlin 0 8 * * *", "TZ=Europe/Berlin", "the time zone has a key of its own", "write timezone: Europe/Berlin"},
		{"0 0 8 * * MON", "0", "this has 6 fields, and a cron has five: seconds and years are not among them", "leave the seconds out: 0 8 * * MON"},
		{"0 0 8 ? * MON 2026", "0", "this has 7 fields, and a cron has five: seconds and years are not among them", "leave the seconds out: 0 8 * * MON"},
		{"0 24 * * *", "24", `"24" is no hour`, "it is a number from 0 to 23"},
		{"60 * * * *", "60", `"60" is no minute`, "it is a number from 0 to 59"},
		{"0 8 0 * *", "0", `"0" is no day of the month`, "it is a number from 1 to 31"},
		{"0 8 * * monday", "monday", `names are three letters long, and "monday" is longer`, "write mon"},
		{"0 8 * * mo", "mo", `"mo" is no day of the week`, "it is a number from 0 to 7, or a name such as mon"},
		{"0 8 * maerz *", "maerz", `"maerz" is no month`, "it is a number from 1 to 12, or a name such as feb"},
		{"0 8 ? * mon", "?", `"?" is no day of the month`, "write *"},
		{"0 8 L * *", "L", `"L" is no day of the month`, "with the rule's condition weekday"},
		{"0 8 * * 1#1", "1#1", `"1#1" is no day of the week`, "with the rule's condition weekday"},
		{"*/90 * * * *", "*/90", "a step of 90 is longer than the field of the minute", "begins anew"},
		{"*/0 * * * *", "*/0", "what stands behind the / must be a number from 1 on", "write it as */15"},
		{"5/15 * * * *", "5/15", "a step needs a range, or *, before it", "write 5-59/15"},
		{"1-2-3 * * * *", "1-2-3", "this is no range", "write it as 1-5"},
		{"1,,3 * * * *", "", "the field of the minute lacks a value here", "it is a number"},
		{"-5 * * * *", "", "the field of the minute lacks a value here", "it is a number"},
		{"0 0 30 2 *", "30", "this never comes: no such month has such a day", "the month is the fourth field"},
		{"0 0 31 4,6,9,11 *", "31", "this never comes: no such month has such a day", "the month is the fourth field"},
	} {
		_, err := cron.Parse(c.cron)
		var fault *cron.Error
		if !errors.As(err, &fault) {
			t.Errorf("%q: got %v", c.cron, err)
			continue
		}
		if got := c.cron[fault.From:fault.To]; got != c.at || fault.Message != c.message || !strings.Contains(fault.Hint, c.hint) {
			t.Errorf("%q: got %q: %s (%s)", c.cron, got, fault.Message, fault.Hint)
		}
	}
}

func TestWords(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ cron, en, de string }{
		{"0 8 * * mon", "every Monday at 08:00", "montags um 08:00"},
		{"0 17 * * mon-fri", "Monday to Friday at 17:00", "montags bis freitags um 17:00"},
		{"30 9,17 * * *", "every day at 09:30 and 17:30", "täglich um 09:30 und 17:30"},
		{"* * * * *", "every minute", "jede Minute"},
		{"*/15 * * * *", "every 15 minutes", "alle 15 Minuten"},
		{"*/15 9-17 * * 1-5", "Monday to Friday every 15 minutes from 09:00 to 17:59", "montags bis freitags alle 15 Minuten von 09:00 bis 17:59"},
		{"0 * * * *", "every hour", "jede Stunde"},
		{"5 */2 * * *", "every 2 hours at minute 5", "alle 2 Stunden zur Minute 5"},
		{"5,35 * * * *", "at minutes 5 and 35 of every hour", "zu den Minuten 5 und 35 jeder Stunde"},
		{"0 9-17 * * *", "every hour from 09:00 to 17:00", "jede Stunde von 09:00 bis 17:00"},
		{"0 8 1,15 * *", "on the 1st and 15th of the month at 08:00", "am 1. und 15. des Monats um 08:00"},
		{"0 8 1 jan,jul *", "on the 1st in January and July at 08:00", "am 1. im Jänner und Juli um 08:00"},
		{"0 8 13 * fri", "on the 13th of the month and every Friday at 08:00", "am 13. des Monats und freitags um 08:00"},
		{"0 8 */2 * fri", "on every 2nd day of the month, if it is a Friday, at 08:00", "an jedem 2. Tag des Monats, wenn es ein Freitag ist, um 08:00"},
		{"0 8 * jun-aug sat,sun", "every Saturday and Sunday from June to August at 08:00", "samstags und sonntags von Juni bis August um 08:00"},
		{"*/7 * * * *", "at minutes 0, 7, 14, 21, 28, 35, 42, 49 and 56 of every hour", "zu den Minuten 0, 7, 14, 21, 28, 35, 42, 49 und 56 jeder Stunde"},
		{"0 8 * jan,jun-aug *", "every day in January and June to August at 08:00", "täglich im Jänner und Juni bis August um 08:00"},
		{"0 22,23 * * fri-mon", "Monday and Friday to Sunday at 22:00 and 23:00", "montags und freitags bis sonntags um 22:00 und 23:00"},
	} {
		s := must(t, c.cron)
		if got := s.Words("en"); got != c.en {
			t.Errorf("%s: got %q, want %q", c.cron, got, c.en)
		}
		if got := s.Words("de-AT"); got != c.de {
			t.Errorf("%s: got %q, want %q", c.cron, got, c.de)
		}
	}
}

func TestShifts(t *testing.T) {
	t.Parallel()
	in := zone(t, "Europe/Berlin")
	from := time.Date(2026, 1, 1, 0, 0, 0, 0, in)
	for text, want := range map[string]string{
		"30 2 * * *":        "2026-03-29 02:30 false 03:00 2026-10-25 02:30 true 02:30",
		"0 3 * * *":         "",
		"59 1 * * *":        "",
		"*/15 * * * *":      "",
		"*/15 0-23 * * mon": "",
		"0 2 * mar *":       "2026-03-29 02:00 false 03:00",
	} {
		var got []string
		for _, s := range must(t, text).Shifts(from, from.AddDate(1, 0, 0), in) {
			got = append(got, s.Wall.Format("2006-01-02 15:04"), strconv.FormatBool(s.Twice), s.At.Format("15:04"))
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: got %s, want %s", text, strings.Join(got, " "), want)
		}
	}
}

// TestParse_anything holds Parse and Words to ending on any text, and what is
// taken to coming at some time, in order.
func TestParse_anything(t *testing.T) {
	t.Parallel()
	in := zone(t, "America/St_Johns")
	field := rapid.StringMatching(`(\*|[0-9]{1,2}|[0-9]-[0-9]{1,2}|mon|fri-sun|jan)(/[0-9]{1,2})?(,[0-9]{1,2})?`)
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOfN(field, 5, 5).Draw(t, "fields"), " ")
		s, err := cron.Parse(text)
		if err != nil {
			var fault *cron.Error
			if !errors.As(err, &fault) || fault.From < 0 || fault.To > len(text) || fault.From > fault.To || fault.Hint == "" {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		at := time.Unix(rapid.Int64Range(0, 1<<32).Draw(t, "after"), 0)
		first := s.Next(at, in)
		second := s.Next(first, in)
		if !first.After(at) || !second.After(first) {
			t.Fatalf("%q after %s: %s, %s", text, at, first, second)
		}
		for _, lang := range []string{"en", "de", "xx"} {
			if words := s.Words(lang); words == "" || strings.Contains(words, "%!") || strings.Contains(words, "  ") {
				t.Fatalf("%q: %q", text, words)
			}
		}
		if again, err := cron.Parse(s.String()); err != nil || again.Next(at, in) != first {
			t.Fatalf("%q is not %q", s, text)
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add("0 8 * * mon-fri")
	f.Add("*/15 22-2/2 1,15 jan-feb 7")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := cron.Parse(text)
		if fault, ok := errors.AsType[*cron.Error](err); ok {
			_ = text[fault.From:fault.To]
			return
		}
		if s.Next(time.Unix(0, 0), time.UTC).IsZero() {
			t.Fatalf("%q never comes", text)
		}
	})
}

func BenchmarkNext(b *testing.B) {
	s, in := must(b, "30 2 * * mon"), zone(b, "Europe/Berlin")
	at := time.Unix(1<<30, 0)
	for b.Loop() {
		at = s.Next(at, in)
	}
}
