package admin

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"hookgate/internal/event"
	"hookgate/internal/yamlnode"
)

// Pace is about how long deliveries take at a rate: that by which their connection goes
// now, or of the run that sends them; and how long events take at the rate of their
// replay. Connections go beside each other, so the slowest pace is that of all. One
// without a rate has none, for how long its receiver takes is not known; nor has one that
// is paused or closed.
type Pace struct {
	Connection string `json:"connection,omitempty"` // whose rate it is; "": that of the run, for all
	Rate       string `json:"rate"`
	Count      int    `json:"count"`   // so many go at it: deliveries, of a replay's rate events
	Seconds    int    `json:"seconds"` // from the first to the last
}

// AddPace adds n deliveries at a rate to paces, of which the slowest comes first. Without a
// rate it adds nothing.
func AddPace(list []Pace, connection string, n int, rate yamlnode.Rate) []Pace {
	if n < 1 || rate.Count < 1 {
		return list
	}
	if i := slices.IndexFunc(list, func(p Pace) bool { return p.Connection == connection }); i >= 0 {
		n += list[i].Count
		list = slices.Delete(list, i, i+1)
	}
	took := float64(n-1) * rate.Per.Seconds() / float64(rate.Count)
	list = append(list, Pace{connection, rate.String(), n, int(math.Ceil(took))})
	slices.SortStableFunc(list, func(a, b Pace) int { return cmp.Compare(b.Seconds, a.Seconds) })
	return list
}

// Slowest is the pace of all; nil where no rate has them wait.
func Slowest(list []Pace) *Pace {
	if len(list) == 0 || list[0].Seconds == 0 {
		return nil
	}
	return &list[0]
}

// About is how long it takes, as people say it.
func (p *Pace) About() string {
	d := time.Duration(p.Seconds) * time.Second
	switch {
	case d < 100*time.Second:
		return fmt.Sprintf("%d s", p.Seconds)
	case d < 100*time.Minute:
		return fmt.Sprintf("%.0f min", d.Minutes())
	case d < 48*time.Hour:
		return fmt.Sprintf("%.0f h", d.Hours())
	}
	return fmt.Sprintf("%.0f d", d.Hours()/24)
}

// paces are those of the deliveries that f selects, count of them; run is the rate of all.
func (s *Service) paces(ctx context.Context, f event.DeliveryFilter, count int, run yamlnode.Rate) ([]Pace, error) {
	list, rate := AddPace(nil, "", count, run), s.opt.Workers.Rate
	if f.Connection != "" {
		return AddPace(list, f.Connection, count, rate(f.Connection)), nil
	}
	if !slices.ContainsFunc(s.inForce().connectionNames(), func(name string) bool { return rate(name).Count > 0 }) {
		return list, nil
	}
	counts, err := s.store.CountEach(ctx, f)
	if err != nil {
		return nil, fmt.Errorf("cannot count the deliveries: %w", err)
	}
	for _, connection := range slices.Sorted(maps.Keys(counts)) { // of two that take as long, always the same is said
		list = AddPace(list, connection, counts[connection], rate(connection))
	}
	return list, nil
}
