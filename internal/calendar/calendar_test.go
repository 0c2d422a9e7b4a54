package calendar_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"hookgate/internal/calendar"
)

// must makes a calendar of how its definition is kept.
func must(t *testing.T, text string) *calendar.Calendar {
	t.Helper()
	var d calendar.Definition
	if err := json.Unmarshal([]byte(text), &d); err != nil {
		t.Fatal(err)
	}
	c, err := calendar.New(d)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	kept, err := json.Marshal(c.Definition())
	if err != nil || string(kept) != text {
		t.Errorf("kept %s as %s, %v", text, kept, err)
	}
	return c
}

func at(t *testing.T, text string) time.Time {
	t.Helper()
	when, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return when
}

const office = `{"days":["mon-fri"],"hours":["09:00-17:30"],"holidays":["01-01","05-01","12-25","12-26","2026-04-03","2026-04-06"],"timezone":"Europe/Berlin"}`

func TestNext(t *testing.T) {
	t.Parallel()
	night := `{"days":["fri-sat"],"hours":["22:00-06:00"],"holidays":["2026-03-28"],"timezone":"Europe/Berlin"}`
	for _, c := range []struct{ calendar, from, open, shut string }{
		{office, "2026-03-27T16:50:00+01:00", "2026-03-27T16:50:00+01:00", "2026-03-27T17:30:00+01:00"},
		{office, "2026-03-27T17:29:59.9+01:00", "2026-03-27T17:29:59.9+01:00", "2026-03-27T17:30:00+01:00"},
		{office, "2026-03-27T17:30:00+01:00", "2026-03-30T09:00:00+02:00", "2026-03-27T17:30:00+01:00"},
		{office, "2026-03-27T23:10:00.25Z", "2026-03-30T07:00:00Z", "2026-03-27T23:10:00.25Z"},
		{office, "2026-04-02T18:00:00+02:00", "2026-04-07T09:00:00+02:00", "2026-04-02T18:00:00+02:00"},
		{office, "2026-12-24T20:00:00+01:00", "2026-12-28T09:00:00+01:00", "2026-12-24T20:00:00+01:00"},
		// A night belongs to the day on which it begins: that of a holiday's eve goes into the holiday.
		{night, "2026-03-28T03:00:00+01:00", "2026-03-28T03:00:00+01:00", "2026-03-28T06:00:00+01:00"},
		{night, "2026-03-28T22:00:00+01:00", "2026-04-03T22:00:00+02:00", "2026-03-28T22:00:00+01:00"},
		{`{"days":["fri-mon"],"hours":["08:00-12:00","13:00-18:00"],"timezone":"UTC"}`, "2026-03-29T12:00:00Z", "2026-03-29T13:00:00Z", "2026-03-29T12:00:00Z"},
		{`{"days":["fri-mon"],"hours":["08:00-12:00","12:00-18:00"],"timezone":"UTC"}`, "2026-03-29T11:00:00Z", "2026-03-29T11:00:00Z", "2026-03-29T18:00:00Z"},
		// Nothing between two days that are open for the whole day.
		{`{"days":["mon-tue"],"timezone":"UTC"}`, "2026-03-30T11:00:00Z", "2026-03-30T11:00:00Z", "2026-04-01T00:00:00Z"},
		{`{"hours":["00:00-24:00"],"timezone":"UTC"}`, "2026-03-30T11:00:00Z", "2026-03-30T11:00:00Z", "0001-01-01T00:00:00Z"},
		// The hour that 29 March lacks, and the one that 25 October has twice.
		{`{"hours":["02:15-02:45"],"timezone":"Europe/Berlin"}`, "2026-03-28T03:00:00+01:00", "2026-03-30T02:15:00+02:00", "2026-03-28T03:00:00+01:00"},
		{`{"hours":["02:15-03:30"],"timezone":"Europe/Berlin"}`, "2026-03-29T00:00:00+01:00", "2026-03-29T02:00:00+01:00", "2026-03-29T00:00:00+01:00"},
		{`{"hours":["02:15-02:45"],"timezone":"Europe/Berlin"}`, "2026-10-25T02:45:00+02:00", "2026-10-25T02:15:00+01:00", "2026-10-25T02:45:00+02:00"},
		// The last day of a leap year that the zone's table does not reach.
		{office, "2044-12-30T17:30:00+01:00", "2045-01-02T09:00:00+01:00", "2044-12-30T17:30:00+01:00"},
		{`{"days":["mon-sun"],"hours":["08:00-09:00"],"timezone":"Europe/Berlin"}`, "2044-12-31T01:30:00+01:00", "2044-12-31T08:00:00+01:00", "2044-12-31T01:30:00+01:00"},
	} {
		cal := must(t, c.calendar)
		if got := cal.NextOpen(at(t, c.from)); !got.Equal(at(t, c.open)) {
			t.Errorf("%s: from %s it opens at %s, want %s", c.calendar, c.from, got.Format(time.RFC3339Nano), c.open)
		}
		if got := cal.NextClose(at(t, c.from)); !got.Equal(at(t, c.shut)) {
			t.Errorf("%s: from %s it closes at %s, want %s", c.calendar, c.from, got.Format(time.RFC3339Nano), c.shut)
		}
	}
}

// plain says whether a calendar is open by what a wall clock and a wall calendar
// show, and nothing else.
func plain(d calendar.Definition, zone *time.Location, t time.Time) bool {
	local := t.In(zone)
	minute := local.Hour()*60 + local.Minute()
	begins := func(year int, month time.Month, day int) bool {
		noon := time.Date(year, month, day, 12, 0, 0, 0, time.UTC)
		for _, h := range d.Holidays {
			if h.Month == noon.Month() && h.Day == noon.Day() && (h.Year == 0 || h.Year == noon.Year()) {
				return false
			}
		}
		return slices.ContainsFunc(d.Days, func(days calendar.Days) bool {
			return (noon.Weekday()-days.From+7)%7 <= (days.To-days.From+7)%7
		})
	}
	year, month, day := local.Date()
	for _, h := range d.Hours {
		overnight := h.To <= h.From
		if begins(year, month, day) && minute >= h.From && (overnight || minute < h.To) {
			return true
		}
		if overnight && begins(year, month, day-1) && minute < h.To {
			return true
		}
	}
	return false
}

// Over the days on which the clocks of many zones change, when it opens and when
// it closes is what a walk of minutes finds.
func TestNext_walk(t *testing.T) {
	t.Parallel()
	for _, around := range []struct{ zone, day string }{
		{"Europe/Berlin", "2026-03-29T01:00:00Z"},
		{"Europe/Berlin", "2026-10-25T01:00:00Z"},
		{"America/New_York", "2026-03-08T07:00:00Z"},
		{"America/New_York", "2026-11-01T06:00:00Z"},
		{"Australia/Lord_Howe", "2026-04-04T15:00:00Z"},
		{"Australia/Lord_Howe", "2026-10-03T15:30:00Z"}, // half an hour
		{"America/Sao_Paulo", "2018-11-04T03:00:00Z"},
		{"America/Sao_Paulo", "2018-02-18T02:00:00Z"}, // midnight
		{"Pacific/Apia", "2011-12-30T10:00:00Z"},
		{"Asia/Tehran", "2022-03-21T20:30:00Z"}, // a day is missing
		{"Africa/Casablanca", "2026-02-15T02:00:00Z"},
		{"Asia/Kathmandu", "2026-03-29T01:00:00Z"},
		{"UTC", "2026-03-29T01:00:00Z"},
	} {
		zone, err := time.LoadLocation(around.zone)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(around.zone+" "+around.day, func(t *testing.T) {
			t.Parallel()
			middle := at(t, around.day)
			random := rand.New(rand.NewPCG(1, uint64(middle.Unix())))
			for range 6 {
				walk(t, random, zone, middle)
			}
		})
	}
}

func walk(t *testing.T, random *rand.Rand, zone *time.Location, middle time.Time) {
	t.Helper()
	d := calendar.Definition{Zone: zone.String()}
	for range 1 + random.IntN(3) {
		from := random.IntN(24 * 4)
		d.Hours = append(d.Hours, calendar.Hours{From: from * 15, To: (from + 1 + random.IntN(90)) % 96 * 15})
		d.Days = append(d.Days, calendar.Days{From: time.Weekday(random.IntN(7)), To: time.Weekday(random.IntN(7))})
	}
	holiday := middle.AddDate(0, 0, random.IntN(6)-3)
	d.Holidays = []calendar.Date{{Month: holiday.Month(), Day: holiday.Day()}, {Year: holiday.Year() + random.IntN(2), Month: holiday.Month(), Day: 1 + random.IntN(28)}}
	cal, err := calendar.New(d)
	if err != nil {
		return
	}
	text, _ := json.Marshal(d)
	const days = 3
	end := middle.AddDate(0, 0, days)
	open, shut := cal.NextOpen(end), cal.NextClose(end)
	for at := end; at.After(middle.AddDate(0, 0, -days)); at = at.Add(-time.Minute) {
		if plain(d, zone, at) {
			open = at
		} else {
			shut = at
		}
		if got := cal.Open(at); got != open.Equal(at) {
			t.Fatalf("%s: %s: open is %t", text, at.In(zone), got)
		}
		if got := cal.NextOpen(at); !got.Equal(open) {
			t.Fatalf("%s: from %s it opens at %s, the walk found %s", text, at.In(zone), got, open)
		}
		if got := cal.NextClose(at); !got.Equal(shut) {
			t.Fatalf("%s: from %s it closes at %s, the walk found %s", text, at.In(zone), got, shut)
		}
	}
}

func TestAddDays(t *testing.T) {
	t.Parallel()
	cal := must(t, office)
	for _, c := range []struct {
		from string
		n    int
		want string
	}{
		{"2026-03-27T14:30:00+01:00", 1, "2026-03-30T14:30:00+02:00"},
		{"2026-03-28T20:00:00+01:00", 1, "2026-03-30T20:00:00+02:00"},
		{"2026-04-02T10:00:00+02:00", 1, "2026-04-07T10:00:00+02:00"},
		{"2026-04-07T10:00:00+02:00", -1, "2026-04-02T10:00:00+02:00"},
		{"2026-03-27T14:30:00+01:00", 0, "2026-03-27T14:30:00+01:00"},
		{"2026-03-27T23:30:00Z", 5, "2026-04-07T00:30:00+02:00"}, // it is Saturday in Berlin
		{"2026-03-27T14:30:00+01:00", 1_000_000, "0001-01-01T00:00:00Z"},
	} {
		if got := cal.AddDays(at(t, c.from), c.n); !got.Equal(at(t, c.want)) {
			t.Errorf("%s and %d days: got %s, want %s", c.from, c.n, got, c.want)
		}
	}
}

func TestHolidays(t *testing.T) {
	t.Parallel()
	cal := must(t, office)
	got := fmt.Sprint(cal.Holidays(at(t, "2026-03-27T10:00:00+01:00"), at(t, "2026-05-04T10:00:00+02:00")))
	if want := "[2026-04-03 2026-04-06 2026-05-01]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	last, known := cal.LastHoliday()
	if !known || last.String() != "2026-04-06" || last.Over(at(t, "2026-04-06T20:00:00Z")) || !last.Over(at(t, "2026-04-07T00:00:00Z")) {
		t.Errorf("the last dated one is %s, %t", last, known)
	}
	if _, known := must(t, `{"holidays":["12-25"],"timezone":"UTC"}`).LastHoliday(); known {
		t.Error("what is every year has no end")
	}
}

func TestNew_neverOpen(t *testing.T) {
	t.Parallel()
	all := calendar.Definition{Zone: "UTC"}
	for day := range 366 {
		_, month, date := time.Date(2024, time.January, 1+day, 0, 0, 0, 0, time.UTC).Date()
		all.Holidays = append(all.Holidays, calendar.Date{Month: month, Day: date})
	}
	for name, d := range map[string]calendar.Definition{
		"no days": {Zone: "UTC", Days: []calendar.Days{}}, "no hours": {Zone: "UTC", Hours: []calendar.Hours{}}, "holidays": all,
	} {
		if _, err := calendar.New(d); !errors.Is(err, calendar.ErrNeverOpen) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	// With one day a year, and that on one day of the week, it can take long.
	all.Days = []calendar.Days{{From: time.Monday, To: time.Monday}}
	all.Holidays = slices.DeleteFunc(all.Holidays, func(d calendar.Date) bool { return d.Month == time.February && d.Day == 29 })
	cal, err := calendar.New(all)
	if err != nil {
		t.Fatal(err)
	}
	if got := cal.NextOpen(at(t, "2072-03-01T00:00:00Z")); !got.Equal(at(t, "2112-02-29T00:00:00Z")) {
		t.Errorf("got %s", got)
	}
	if _, err := calendar.New(calendar.Definition{Zone: "Europe/Berln"}); err == nil {
		t.Error("a zone that is none is taken")
	}
}

func TestUnmarshalText(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"mon": "mon", "Monday": "mon", "MON-FRI": "mon-fri", "sat – sun": "sat-sun", "fri-mon": "fri-mon",
		"": "", "mo-fr": "", "mon-": "", "mon-fri-sun": "", "weekdays": "",
	} {
		var d calendar.Days
		check(t, text, d.UnmarshalText([]byte(text)), d, want)
	}
	for text, want := range map[string]string{
		"09:00-17:30": "09:00-17:30", "9:00 – 17:30": "09:00-17:30", "22:00-06:00": "22:00-06:00", "18:00-24:00": "18:00-24:00", "00:00-24:00": "00:00-24:00",
		"": "", "9-17": "", "09:00": "", "09:00-09:00": "", "24:00-06:00": "", "09:00-25:00": "", "09:60-10:00": "", "-1:00-2:00": "", "09:00-24:01": "", "9am-5pm": "", "09:0-17:00": "",
	} {
		var h calendar.Hours
		check(t, text, h.UnmarshalText([]byte(text)), h, want)
	}
	for text, want := range map[string]string{
		"12-25": "12-25", "02-29": "02-29", "2026-04-03": "2026-04-03",
		"": "", "25-12": "", "2026-02-29": "", "2026-4-3": "", "03.04.2026": "", "4-3": "", "12-25 ": "",
	} {
		var d calendar.Date
		check(t, text, d.UnmarshalText([]byte(text)), d, want)
	}
}

func check(t *testing.T, text string, err error, v interface{ MarshalText() ([]byte, error) }, want string) {
	t.Helper()
	got, _ := v.MarshalText()
	if (err != nil) != (want == "") || want != "" && string(got) != want {
		t.Errorf("%T %q: got %s, %v, want %q", v, text, got, err, want)
	}
}
