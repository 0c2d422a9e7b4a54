// Package calendar tells when something is open: on which days, at which hours,
// in which zone, and not on holidays. It is pure: whoever asks says what time it
// is.
package calendar

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// Definition is what a calendar is made from, and what is kept of one.
type Definition struct {
	Days     []Days  `json:"days,omitempty"`     // nil: every day
	Hours    []Hours `json:"hours,omitempty"`    // nil: the whole day
	Holidays []Date  `json:"holidays,omitempty"` // closed, whatever day they are
	Zone     string  `json:"timezone"`           // a name of the IANA database
}

// Calendar is open while the clocks of its zone show a time that is within its
// hours, on one of its days that is no holiday. Hours that pass midnight belong
// to the day on which they begin. It never changes.
type Calendar struct {
	definition Definition
	zone       *time.Location
	days       [7]bool // by time.Weekday
	hours      []Hours // in the order in which they begin
	holidays   map[Date]bool
}

// ErrNeverOpen says that no time is left at which a calendar is open.
var ErrNeverOpen = errors.New("it is never open")

// horizon is how far ahead an opening is looked for, in days: a 29 February that
// is a Monday can be 40 years away.
const horizon = 41 * 366

const (
	daySeconds  = 24 * 60 * 60
	dayMinutes  = 24 * 60
	daysOfAWeek = 7
)

// New makes a calendar. The error is ErrNeverOpen, or says that there is no such
// zone.
func New(d Definition) (*Calendar, error) {
	zone, err := time.LoadLocation(d.Zone)
	if err != nil {
		return nil, fmt.Errorf("load the zone of a calendar: %w", err)
	}
	c := &Calendar{definition: d, zone: zone, holidays: map[Date]bool{}, hours: slices.Clone(d.Hours)}
	if d.Days == nil {
		d.Days = []Days{{From: time.Sunday, To: time.Saturday}}
	}
	if d.Hours == nil {
		c.hours = []Hours{{From: 0, To: dayMinutes}}
	}
	slices.SortFunc(c.hours, func(a, b Hours) int { return a.From - b.From })
	for _, days := range d.Days {
		for day := range days.all() {
			c.days[day] = true
		}
	}
	for _, date := range d.Holidays {
		c.holidays[date] = true
	}
	if len(c.hours) == 0 || !slices.Contains(c.days[:], true) || c.alwaysHoliday() {
		return nil, ErrNeverOpen
	}
	return c, nil
}

// alwaysHoliday reports whether each day of the year is a holiday every year.
func (c *Calendar) alwaysHoliday() bool {
	const leapYear, daysOfIt = 2024, 366
	for day := range daysOfIt {
		_, month, day := time.Date(leapYear, time.January, 1+day, 0, 0, 0, 0, time.UTC).Date()
		if !c.holidays[Date{Month: month, Day: day}] {
			return false
		}
	}
	return true
}

// Definition is what the calendar was made from.
func (c *Calendar) Definition() Definition { return c.definition }

// Zone is the zone whose clocks it goes by.
func (c *Calendar) Zone() *time.Location { return c.zone }

// Open reports whether the calendar is open at t.
func (c *Calendar) Open(t time.Time) bool { return c.openAt(c.shown(t)) }

// NextOpen is the first time from t on at which the calendar is open: t itself
// where it is. It is zero where there is none within 41 years.
func (c *Calendar) NextOpen(t time.Time) time.Time { return c.next(t, c.nextStart) }

// NextClose is the first time from t on at which the calendar is closed: t itself
// where it is. It is zero where there is none within 41 years.
func (c *Calendar) NextClose(t time.Time) time.Time { return c.next(t, c.nextEnd) }

// shown is what the clocks of the zone show at t, as seconds since 1970 of clocks
// that never change.
func (c *Calendar) shown(t time.Time) int64 {
	_, offset := t.In(c.zone).Zone()
	return t.Unix() + int64(offset)
}

// next finds the first time from t on for which the clocks show what find is
// after. Between two changes of the clocks they go as time does, so each such
// period is searched on its own: a change can begin in the middle of hours.
func (c *Calendar) next(t time.Time, find func(shown, last int64) (int64, bool)) time.Time {
	const tooMany = 200 // periods: no zone changes its clocks that often in 41 years
	limit := t.AddDate(0, 0, horizon)
	for range tooMany {
		local := t.In(c.zone)
		_, offset := local.Zone()
		_, end := Period(local)
		if end.IsZero() || end.After(limit) {
			end = limit
		}
		from := t.Unix() + int64(offset)
		if at, found := find(from, end.Unix()+int64(offset)-1); found {
			return t.Add(time.Duration(at-from)*time.Second - sinceSecond(t, at > from)).In(t.Location())
		}
		if !end.Before(limit) {
			return time.Time{}
		}
		t = end.In(t.Location())
	}
	return time.Time{}
}

// sinceSecond is what of t is beyond its full second, where that is to be cut.
func sinceSecond(t time.Time, cut bool) time.Duration {
	if !cut {
		return 0
	}
	return time.Duration(t.Nanosecond())
}

// nextStart finds the first time from shown to last that is open.
func (c *Calendar) nextStart(shown, last int64) (int64, bool) {
	if c.openAt(shown) {
		return shown, true
	}
	for day := floor(shown); day*daySeconds <= last; day++ {
		if !c.openOn(day) {
			continue
		}
		for _, h := range c.hours {
			if at := day*daySeconds + int64(h.From)*60; at > shown {
				return at, at <= last
			}
		}
	}
	return 0, false
}

// nextEnd finds the first time from shown to last that is closed.
func (c *Calendar) nextEnd(shown, last int64) (int64, bool) {
	for shown <= last {
		end, open := c.until(shown)
		if !open {
			return shown, true
		}
		shown = end
	}
	return 0, false
}

func (c *Calendar) openAt(shown int64) bool {
	_, open := c.until(shown)
	return open
}

// until is the end of the hours that a time is within, of several the last.
func (c *Calendar) until(shown int64) (end int64, open bool) {
	today := floor(shown)
	for day := today - 1; day <= today; day++ {
		if !c.openOn(day) {
			continue
		}
		for _, h := range c.hours {
			from := day*daySeconds + int64(h.From)*60
			to := from + int64(h.length())*60
			if from <= shown && shown < to {
				end, open = max(end, to), true
			}
		}
	}
	return end, open
}

// openOn reports whether hours begin on a day, counted since 1970.
func (c *Calendar) openOn(day int64) bool {
	t := time.Unix(day*daySeconds, 0).UTC()
	return c.days[t.Weekday()] && !c.holiday(t)
}

// holiday reports whether the date that t shows is a holiday.
func (c *Calendar) holiday(t time.Time) bool {
	if len(c.holidays) == 0 {
		return false
	}
	year, month, day := t.Date()
	return c.holidays[Date{Month: month, Day: day}] || c.holidays[Date{Year: year, Month: month, Day: day}]
}

// floor is the day of a time, counted since 1970.
func floor(shown int64) int64 {
	day := shown / daySeconds
	if shown%daySeconds < 0 {
		day--
	}
	return day
}

// AddDays is t after n more days on which the calendar opens, or before as many
// where n is negative, at the same time of day in its zone. The day of t does not
// count. It is zero where there are not so many within 41 years.
func (c *Calendar) AddDays(t time.Time, n int) time.Time {
	local := t.In(c.zone)
	day, step := floor(c.shown(t)), int64(1)
	if n < 0 {
		n, step = -n, -1
	}
	for left := horizon; n > 0; left-- {
		if left == 0 {
			return time.Time{}
		}
		if day += step; c.openOn(day) {
			n--
		}
	}
	year, month, date := time.Unix(day*daySeconds, 0).UTC().Date()
	hour, minute, second := local.Clock()
	return Wall(year, month, date, hour, minute, second, local.Nanosecond(), c.zone).In(t.Location())
}

// OpenSince is when the opening began that now is within, but not before from. It
// is zero where the calendar is closed.
func (c *Calendar) OpenSince(from, now time.Time) time.Time {
	if !c.Open(now) {
		return time.Time{}
	}
	for {
		from = c.NextOpen(from)
		closes := c.NextClose(from)
		if closes.IsZero() || closes.After(now) {
			return from
		}
		from = closes
	}
}

// Holidays are the days from that of from to that of to on which the calendar
// would open if they were no holidays.
func (c *Calendar) Holidays(from, to time.Time) []Date {
	var list []Date
	last := floor(c.shown(to))
	for day := floor(c.shown(from)); day <= last && len(list) < daysOfAWeek*2; day++ {
		t := time.Unix(day*daySeconds, 0).UTC()
		if c.days[t.Weekday()] && c.holiday(t) {
			year, month, date := t.Date()
			list = append(list, Date{Year: year, Month: month, Day: date})
		}
	}
	return list
}

// LastHoliday is the last of the holidays that are dates of one year; false where
// there are none.
func (c *Calendar) LastHoliday() (Date, bool) {
	last := Date{}
	for d := range c.holidays {
		if d.Year > 0 && d.Compare(last) > 0 {
			last = d
		}
	}
	return last, last.Year > 0
}

// Wall is the moment at which the clocks of a zone show that time. Of a time
// that they show twice it is the first; one that they leave out is the moment
// at which they go forward. Values beyond their range count on, as in time.Date.
func Wall(year int, month time.Month, day, hour, minute, second, nano int, loc *time.Location) time.Time {
	shown := time.Date(year, month, day, hour, minute, second, nano, time.UTC)
	const before, after = -24 * time.Hour, 24 * time.Hour
	var first time.Time
	for _, near := range []time.Duration{before, after} {
		_, offset := shown.Add(near).In(loc).Zone()
		t := shown.Add(-time.Duration(offset) * time.Second).In(loc)
		if _, got := t.Zone(); got == offset {
			return t
		}
		if near == before {
			first = t
		}
	}
	if start, _ := Period(first); !start.IsZero() {
		return start.In(loc)
	}
	return first
}

// Period is from when until when the clocks of t's zone go without a change, t
// within; a zero time where they always did, or always will. It is ZoneBounds,
// which ends a year beyond the zone's table after 365 days: at the last day of a
// leap year such an end is over.
func Period(t time.Time) (begin, end time.Time) {
	begin, end = t.ZoneBounds()
	if !end.IsZero() && !end.After(t) {
		end = end.Add(24 * time.Hour)
	}
	return begin, end
}
