package calendar

import (
	"cmp"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"time"
)

// Days are the days of a week from one to another, both included. They may pass
// the end of the week.
type Days struct{ From, To time.Weekday }

// dayNames are the days as they are written, by time.Weekday.
var dayNames = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

func (d Days) all() iter.Seq[time.Weekday] {
	return func(yield func(time.Weekday) bool) {
		for day := d.From; yield(day) && day != d.To; {
			day = (day + 1) % daysOfAWeek
		}
	}
}

// UnmarshalText reads mon, or mon-fri.
func (d *Days) UnmarshalText(text []byte) error {
	first, last, isRange := cut(string(text))
	from, ok := dayNamed(first)
	to := from
	if isRange {
		var known bool
		to, known = dayNamed(last)
		ok = ok && known
	}
	if !ok {
		return errors.New("days are written like mon-fri or [mon, wed, sat], and they are mon, tue, wed, thu, fri, sat, sun")
	}
	*d = Days{From: from, To: to}
	return nil
}

// MarshalText writes what UnmarshalText reads.
func (d Days) MarshalText() ([]byte, error) {
	if d.From == d.To {
		return []byte(dayNames[d.From]), nil
	}
	return []byte(dayNames[d.From] + "-" + dayNames[d.To]), nil
}

func dayNamed(text string) (time.Weekday, bool) {
	for day := time.Sunday; day <= time.Saturday; day++ {
		if strings.EqualFold(text, dayNames[day]) || strings.EqualFold(text, day.String()) {
			return day, true
		}
	}
	return 0, false
}

// Hours are a part of a day, in minutes from its midnight. To is not included,
// and at most 24:00; where it is not after From it is on the day that follows.
type Hours struct{ From, To int }

// length is how many minutes they are.
func (h Hours) length() int {
	if h.To <= h.From {
		return h.To + dayMinutes - h.From
	}
	return h.To - h.From
}

// UnmarshalText reads 09:00-17:30.
func (h *Hours) UnmarshalText(text []byte) error {
	first, last, isRange := cut(string(text))
	from, good := minutes(first)
	to, fine := minutes(last)
	switch {
	case !isRange || !good || !fine || from == dayMinutes:
		return errors.New("hours are written like 09:00-17:30, or 22:00-06:00 for a night")
	case from == to:
		return fmt.Errorf("from %s to %s is no time; the whole day is 00:00-24:00", first, last)
	}
	*h = Hours{From: from, To: to}
	return nil
}

// MarshalText writes what UnmarshalText reads.
func (h Hours) MarshalText() ([]byte, error) {
	return fmt.Appendf(nil, "%02d:%02d-%02d:%02d", h.From/60, h.From%60, h.To/60, h.To%60), nil
}

// minutes reads a time of day, of which 24:00 is the end.
func minutes(text string) (int, bool) {
	hour, minute, found := strings.Cut(text, ":")
	h, err := strconv.ParseUint(hour, 10, 8)
	m, bad := strconv.ParseUint(minute, 10, 8)
	total := int(h)*60 + int(m)
	return total, found && err == nil && bad == nil && len(minute) == 2 && m < 60 && total <= dayMinutes
}

// cut reads two ends with a hyphen or a dash between them.
func cut(text string) (from, to string, found bool) {
	from, to, found = strings.Cut(strings.ReplaceAll(text, "–", "-"), "-")
	return strings.TrimSpace(from), strings.TrimSpace(to), found
}

// Date is a day of one year, or of each where Year is 0.
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

// UnmarshalText reads 12-25, which is every year, or 2026-04-03.
func (d *Date) UnmarshalText(text []byte) error {
	day, layout := string(text), time.DateOnly
	if len(day) == len("12-25") {
		day = "2024-" + day // a leap year, for 02-29
	}
	t, err := time.Parse(layout, day)
	if err != nil {
		return errors.New("a holiday is written like 12-25, which is every year, or 2026-04-03")
	}
	*d = Date{Month: t.Month(), Day: t.Day()}
	if len(text) > len("12-25") {
		d.Year = t.Year()
	}
	return nil
}

// MarshalText writes what UnmarshalText reads.
func (d Date) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// String is the date as it is written.
func (d Date) String() string {
	if d.Year == 0 {
		return fmt.Sprintf("%02d-%02d", d.Month, d.Day)
	}
	return fmt.Sprintf("%04d-%02d-%02d", d.Year, d.Month, d.Day)
}

// Compare orders dates; one of each year comes before all others.
func (d Date) Compare(other Date) int {
	return cmp.Or(d.Year-other.Year, int(d.Month-other.Month), d.Day-other.Day)
}

// Over reports whether the day is before that of t, as t shows it. A day of each
// year is never over.
func (d Date) Over(t time.Time) bool {
	year, month, day := t.Date()
	return d.Year > 0 && d.Compare(Date{Year: year, Month: month, Day: day}) < 0
}
