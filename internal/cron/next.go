package cron

import (
	"time"

	"hookgate/internal/calendar"
)

// horizon is how far Next looks. A 29 February that has to be one day of the
// week can be 40 years away.
const horizon = 50

// Next is the first time after t at which the schedule comes in a zone; zero
// where there is none.
func (s *Schedule) Next(t time.Time, in *time.Location) time.Time {
	if s.hour.star {
		return s.nextShown(t, in)
	}
	for from := clock(t, in).Truncate(time.Minute); ; {
		wall, found := s.from(from.Add(time.Minute))
		if !found {
			return time.Time{}
		}
		if at := reached(wall, in); at.After(t) {
			return at.In(in)
		}
		from = wall // the clock was put back, and shows it again
	}
}

// nextShown is the next time at which the clock shows what the fields say.
func (s *Schedule) nextShown(t time.Time, in *time.Location) time.Time {
	from := clock(t, in).Truncate(time.Minute).Add(time.Minute)
	for at := t.In(in); ; {
		wall, found := s.from(from)
		if !found {
			return time.Time{}
		}
		_, offset := at.Zone()
		next := wall.Add(-time.Duration(offset) * time.Second)
		_, end := calendar.Period(at)
		if end.IsZero() || next.Before(end) {
			return next.In(in)
		}
		at = end.In(in)
		from = clock(at, in)
		if cut := from.Truncate(time.Minute); cut.Before(from) {
			from = cut.Add(time.Minute)
		}
	}
}

// clock is what a clock in the zone shows, as a time of UTC: without changes.
func clock(t time.Time, in *time.Location) time.Time {
	t = t.In(in)
	_, offset := t.Zone()
	return t.UTC().Add(time.Duration(offset) * time.Second)
}

// reached is the first time at which a clock in the zone shows wall, or later.
func reached(wall time.Time, in *time.Location) time.Time {
	const widest = 48 * time.Hour // no clock is, or was put, so far from UTC
	for at := wall.Add(-widest).In(in); ; {
		begin, end := calendar.Period(at)
		_, offset := at.Zone()
		shown := wall.Add(-time.Duration(offset) * time.Second)
		if end.IsZero() || shown.Before(end) {
			if shown.Before(begin) { // no clock has shown it
				return begin
			}
			return shown
		}
		at = end.In(in)
	}
}

// from is the first minute at or after wall that the fields name, on a clock
// that is never put forward or back.
func (s *Schedule) from(wall time.Time) (time.Time, bool) {
	for last := wall.Year() + horizon; wall.Year() <= last; {
		if !s.month.has(int(wall.Month())) {
			wall = time.Date(wall.Year(), wall.Month()+1, 1, 0, 0, 0, 0, time.UTC)
			continue
		}
		if s.isDay(wall) {
			if at, found := s.onDay(wall); found {
				return at, true
			}
		}
		wall = time.Date(wall.Year(), wall.Month(), wall.Day()+1, 0, 0, 0, 0, time.UTC)
	}
	return time.Time{}, false
}

// onDay is the first minute at or after wall, on its day.
func (s *Schedule) onDay(wall time.Time) (time.Time, bool) {
	year, month, day := wall.Date()
	first := wall.Minute()
	for hour := wall.Hour(); hour < 24; hour++ {
		if s.hour.has(hour) {
			for minute := first; minute < 60; minute++ {
				if s.minute.has(minute) {
					return time.Date(year, month, day, hour, minute, 0, 0, time.UTC), true
				}
			}
		}
		first = 0
	}
	return time.Time{}, false
}

// Shift is what a change of the clocks does to a schedule on one day.
type Shift struct {
	// Wall is the time, as clocks show it, that does not exist or comes twice;
	// its zone means nothing.
	Wall  time.Time
	Twice bool
	At    time.Time // when the schedule comes all the same
}

// Shifts are what the changes of the clocks between two times do to a schedule,
// the first of each change.
func (s *Schedule) Shifts(from, until time.Time, in *time.Location) []Shift {
	if s.hour.star {
		return nil
	}
	var list []Shift
	for at := from.In(in); ; {
		_, change := calendar.Period(at)
		if change.IsZero() || change.After(until) {
			return list
		}
		before, after := clock(change.Add(-1), in).Add(1), clock(change, in)
		first, last := before, after // what is left out
		if after.Before(before) {
			first, last = after, before // what comes twice
		}
		if wall, found := s.from(first); found && wall.Before(last) {
			list = append(list, Shift{Wall: wall, Twice: after.Before(before), At: reached(wall, in).In(in)})
		}
		at = change.In(in)
	}
}
