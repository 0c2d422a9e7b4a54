package admin

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"hookgate/internal/event"
)

// Statistics are what came in and went out in the last time, in slots of the
// same length, the oldest first.
type Statistics struct {
	Since       time.Time  `json:"since"`
	StepSeconds int        `json:"step_seconds"`
	Slots       []StatSlot `json:"slots"`
}

// StatSlot is one of them. What came in last, and from other processes, is
// counted after half a minute.
type StatSlot struct {
	At       time.Time      `json:"at"` // when it begins
	Events   int            `json:"events"`
	Received map[string]int `json:"received,omitempty"` // the events by state
	Attempts int            `json:"attempts"`
	Failed   int            `json:"failed"` // of the attempts
}

// Quiet says of a source that it has sent nothing for longer than it is used to.
type Quiet struct {
	Source string    `json:"source"`
	Since  time.Time `json:"since"` // the first whole hour without an event
	// Usual is how many events it sent in as long a time, at the same time of
	// each of the last weeks, the nearest first.
	Usual []int `json:"usual"`
}

// trafficStore has counts of events and attempts.
type trafficStore interface {
	// LastTraffic is the last slot in which anything came from each source.
	LastTraffic(ctx context.Context) (map[string]int64, error)
	// LastEvents is the newest stored event of each of the sources.
	LastEvents(ctx context.Context, sources []string) (map[string]event.ID, error)
	Traffic(ctx context.Context, since, per int64) ([]event.TrafficCount, error)
}

// Arrivals are the counts of this process that are not stored yet.
type Arrivals interface{ Pending() []event.TrafficCount }

// statRange is a time that statistics tell of, in slots of event.HealthSlot.
type statRange struct{ long, step int64 }

const slotsADay = int64(24 * time.Hour / event.HealthSlot)

// statRanges are the times that there are statistics of.
var statRanges = map[string]statRange{
	"1h":  {slotsADay / 24, 1},
	"24h": {slotsADay, 2},
	"7d":  {7 * slotsADay, slotsADay / 24},
	"30d": {30 * slotsADay, slotsADay / 4},
}

// StatRanges are the names of the times that there are statistics of, the
// shortest first.
func StatRanges() []string {
	return slices.SortedFunc(maps.Keys(statRanges), func(a, b string) int { return int(statRanges[a].long - statRanges[b].long) })
}

// Statistics counts what came in and went out within the time of that name: "" is
// 24h.
func (s *Service) Statistics(ctx context.Context, name string) (Statistics, error) {
	if name == "" {
		name = "24h"
	}
	r, known := statRanges[name]
	if !known {
		return Statistics{}, refuse("there are no statistics of %q: take one of %s", name, strings.Join(StatRanges(), ", "))
	}
	last := event.HealthSlotAt(s.opt.Now()) / r.step * r.step
	first := last - r.long/r.step*r.step + r.step
	out := Statistics{Since: slotStart(first), StepSeconds: int(time.Duration(r.step) * event.HealthSlot / time.Second)}
	for slot := first; slot <= last; slot += r.step {
		out.Slots = append(out.Slots, StatSlot{At: slotStart(slot), Received: map[string]int{}})
	}
	counts, err := s.traffic(ctx, first, r.step)
	if err != nil {
		return Statistics{}, err
	}
	for _, c := range counts {
		n := (c.Slot - first) / r.step
		if c.Slot < first || n >= int64(len(out.Slots)) { // of a clock that is ahead
			continue
		}
		out.Slots[n].add(c)
	}
	return out, nil
}

func (s *StatSlot) add(c event.TrafficCount) {
	switch c.Of {
	case event.FromSource:
		s.Events += c.Count
		s.Received[c.Result] += c.Count
	case event.ToConnection:
		s.Attempts += c.Count
		if c.Result == string(event.Failed) {
			s.Failed += c.Count
		}
	}
}

func slotStart(slot int64) time.Time {
	return time.Unix(0, slot*int64(event.HealthSlot)).UTC()
}

// traffic are the counts since the slot: those that are stored, by as many slots
// as step says, and this process's own.
func (s *Service) traffic(ctx context.Context, since, step int64) ([]event.TrafficCount, error) {
	list, err := s.store.Traffic(ctx, since, step)
	if err != nil {
		return nil, fmt.Errorf("cannot tell what came in: %w", err)
	}
	own := s.opt.Arrivals.Pending()
	for _, c := range s.opt.Workers.Pending().Counts {
		own = append(own,
			event.TrafficCount{Of: event.ToConnection, Name: c.Connection, Slot: c.Slot, Result: string(event.Delivered), Count: c.Attempts - c.Failed},
			event.TrafficCount{Of: event.ToConnection, Name: c.Connection, Slot: c.Slot, Result: string(event.Failed), Count: c.Failed})
	}
	return append(list, own...), nil
}

const (
	// quietWeeks is how many weeks are looked back, and usualAtLeast how many
	// events a source sent in each of them, for silence to be no chance: of a
	// source that sends five at random an hour stays empty once in 150 times,
	// and four weeks agree.
	quietWeeks, usualAtLeast = 4, 5
	slotsAnHour              = slotsADay / 24
	hoursAWeek               = 7 * 24
)

// QuietSources are the sources and forms in force that have sent nothing for at
// least one whole hour, while they sent some events in as long a time, at the
// same time of each of the last four weeks. Of one that is younger than that
// nothing is said.
func (s *Service) QuietSources(ctx context.Context) ([]Quiet, error) {
	hour := event.HealthSlotAt(s.opt.Now()) / slotsAnHour
	counts, err := s.traffic(ctx, (hour-(quietWeeks+1)*hoursAWeek)*slotsAnHour, slotsAnHour)
	if err != nil {
		return nil, err
	}
	hours := map[string]map[int64]int{} // by source
	for _, c := range counts {
		if c.Of != event.FromSource || c.Count == 0 {
			continue
		}
		if hours[c.Name] == nil {
			hours[c.Name] = map[int64]int{}
		}
		hours[c.Name][c.Slot/slotsAnHour] += c.Count
	}
	list := []Quiet{}
	inForce := s.inForce()
	for _, name := range slices.Concat(inForce.Sources, inForce.Forms) {
		if q := quiet(name, hours[name], hour); q != nil {
			list = append(list, *q)
		}
	}
	return list, nil
}

// quiet judges one source by its events in each hour; nil: it is as usual.
func quiet(name string, hours map[int64]int, now int64) *Quiet {
	last := int64(0)
	for hour := range hours {
		last = max(last, hour)
	}
	if last == 0 || last+1 >= now { // nothing yet, or not one whole hour without
		return nil
	}
	q := &Quiet{Source: name, Since: slotStart((last + 1) * slotsAnHour)}
	for week := int64(1); week <= quietWeeks; week++ {
		sum := 0
		for hour := last + 1; hour < now; hour++ {
			sum += hours[hour-week*hoursAWeek]
		}
		if sum < usualAtLeast {
			return nil
		}
		q.Usual = append(q.Usual, sum)
	}
	return q
}

// halfHours is how many of them a day has.
const halfHours = 48

// strips are the attempts of each connection in the last halfHours half hours,
// the oldest first.
func (s *Service) strips(ctx context.Context) (map[string][]Window, error) {
	const step = slotsADay / halfHours
	first := event.HealthSlotAt(s.opt.Now())/step - halfHours + 1
	counts, err := s.traffic(ctx, first*step, step)
	if err != nil {
		return nil, err
	}
	strips := map[string][]Window{}
	for _, c := range counts {
		n := c.Slot/step - first
		if c.Of != event.ToConnection || n < 0 || n >= halfHours {
			continue
		}
		if strips[c.Name] == nil {
			strips[c.Name] = make([]Window, halfHours)
		}
		strips[c.Name][n].Attempts += c.Count
		if c.Result == string(event.Failed) {
			strips[c.Name][n].Failed += c.Count
		}
	}
	return strips, nil
}
