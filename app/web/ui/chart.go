package ui

import (
	"slices"
	"time"

	"hookgate/app/admin"
)

// sparkBar is a bar of a small picture of counts; measures across are percents.
type sparkBar struct {
	X, Width  string
	Y, Height int
	Class     string
}

// sparkHeight is that of the picture in pixels.
const sparkHeight = 28

// spark draws a bar of the class for each number.
func spark(list []int, class string) []sparkBar {
	most := highest(list)
	bars := make([]sparkBar, len(list))
	for i, n := range list {
		height, of := 1, "f-none"
		if n > 0 {
			height, of = max(3, n*(sparkHeight-1)/most), class
		}
		bars[i] = barAt(i, len(list), sparkHeight-height, height, of)
	}
	return bars
}

// highest is the greatest of the numbers, at least 1.
func highest(list []int) int {
	most := 1
	for _, n := range list {
		most = max(most, n)
	}
	return most
}

// barAt is the bar number i of n.
func barAt(i, n, y, height int, class string) sparkBar {
	step := 100 / float64(max(1, n))
	return sparkBar{X: percent(float64(i) * step), Width: percent(step * .72), Y: y, Height: height, Class: class}
}

// chart is the picture of what came in and of what failed on its way out.
type chart struct {
	Title     string
	Top, Half string // at the scale
	Bars      []sparkBar
	Marks     []time.Time // under it
	Day       bool        // the marks are days
	Label     string      // what it shows, for who does not see it
	Rows      []admin.StatSlot
}

// The places in the chart, in pixels from its top, as its style sheet has them:
// the highest bar begins at chartTop, and stands on chartAxis; what failed hangs
// below.
const (
	chartTop, chartAxis = 12, 122
	failedTop           = 126
	failedHeight        = 40
	chartMarks          = 7
)

// chartTitle says what one bar is, by the time that the chart shows.
func (l language) chartTitle(name string) string {
	switch name {
	case "1h":
		return l.text("Events in 5 minutes")
	case "7d":
		return l.text("Events in an hour")
	case "30d":
		return l.text("Events in 6 hours")
	}
	return l.text("Events in 10 minutes")
}

func (l language) chart(name string, s *admin.Statistics) *chart {
	out := &chart{Title: l.chartTitle(name), Day: name == "7d" || name == "30d"}
	events, failed := make([]int, len(s.Slots)), make([]int, len(s.Slots))
	sum, lost := 0, 0
	for i := range s.Slots {
		slot := &s.Slots[i]
		events[i], failed[i] = slot.Events, slot.Failed
		sum, lost = sum+slot.Events, lost+slot.Failed
		if slot.Events > 0 || slot.Attempts > 0 {
			out.Rows = append(out.Rows, *slot)
		}
	}
	top := round(highest(events))
	out.Top, out.Half = l.number(top), l.number((top+1)/2)
	lostMost := highest(failed)
	for i := range s.Slots {
		if n := events[i]; n > 0 {
			height := max(2, n*(chartAxis-chartTop)/top)
			out.Bars = append(out.Bars, barAt(i, len(s.Slots), chartAxis-height, height, "f-ink"))
		}
		if n := failed[i]; n > 0 {
			out.Bars = append(out.Bars, barAt(i, len(s.Slots), failedTop, max(3, n*failedHeight/lostMost), "f-bad"))
		}
	}
	for i := range chartMarks {
		if len(s.Slots) > 0 {
			out.Marks = append(out.Marks, s.Slots[i*(len(s.Slots)-1)/(chartMarks-1)].At)
		}
	}
	out.Label = l.text("%d events came in, and %d attempts failed. The table below has the numbers.", sum, lost)
	return out
}

// round is the next number that has an even half and is easy to read.
func round(n int) int {
	for unit := 1; ; unit *= 10 {
		for _, f := range []int{2, 4, 6, 8, 10} {
			if n <= f*unit {
				return f * unit
			}
		}
	}
}

// strip draws the half hours of a connection's last day: calm where all went
// well, in the colour of what did not.
func strip(list []admin.Window) []sparkBar {
	bars := make([]sparkBar, len(list))
	for i, w := range list {
		class := "f-none"
		switch {
		case w.Failed > 0 && 2*w.Failed >= w.Attempts:
			class = "f-bad"
		case w.Failed > 0:
			class = "f-warn"
		case w.Attempts > 0:
			class = "f-calm"
		}
		bars[i] = barAt(i, len(list), 3, 12, class)
	}
	return bars
}

// Strip are the bars of a connection's last day.
func (v *view) Strip(c admin.Connection) []sparkBar { return strip(c.HalfHours) }

// Period is the name of a time that the chart shows.
func (v *view) Period(name string) string {
	switch name {
	case "1h":
		return v.T("1 h")
	case "7d":
		return v.T("7 d")
	case "30d":
		return v.T("30 d")
	}
	return v.T("24 h")
}

// QuietUsual says what is usual for a source that is quiet.
func (v *view) QuietUsual(q admin.Quiet) string {
	least, most := slices.Min(q.Usual), slices.Max(q.Usual)
	if least == most {
		return v.T("At this time of the last four weeks it was %d events each.", least)
	}
	return v.T("At this time of the last four weeks it was %d to %d events.", least, most)
}
