package replay

import (
	"cmp"
	"slices"
	"time"

	"hookgate/app/ingest"
	"hookgate/internal/event"
	"hookgate/rules"
)

// Prepare makes of an outcome what a run stores: deliveries that nobody holds,
// numbered from first. With a rule named, only what that rule sends is made,
// and the others count as skipped. Delays count from the event's time.
func Prepare(e *event.Event, out rules.Outcome, only string, names []string, newIDs func(n int) event.ID, now time.Time) event.Replayed {
	if only != "" {
		out = restrict(out, only, names)
	}
	r := event.Replayed{Replay: event.Replay{Event: e.ID, Results: out.Results, Errors: out.Errors}}
	r.Deliveries = ingest.Deliveries(e, &out, now)
	r.First, r.Reserved = ingest.Number(r.Deliveries, len(out.Deliveries), newIDs)
	r.Gathers = ingest.Gathers(e, &out, now)
	ingest.NumberGathers(r.Gathers, r.First)
	for i := range out.Deliveries {
		if d := &out.Deliveries[i]; d.Done != 0 {
			r.Done = append(r.Done, event.Done{Of: d.Done, Delivery: event.Delivery{
				ID: r.First + event.DeliveryID(i), Event: e.ID, Rule: d.Rule, Action: d.Action, Element: d.Element, Connection: d.Connection, State: event.Delivered, Flow: d.Flow,
			}})
		}
	}
	r.Made = len(r.Deliveries)
	return r
}

// longOver is how long ago a moment is when a replay leaves it out: a reminder
// of last year helps nobody.
const longOver = time.Hour

// LeavePast takes out of an outcome what had its moment long ago, and counts it.
func LeavePast(out *rules.Outcome, only string, now time.Time) (left int) {
	for i := range out.Deliveries { // each keeps its number, by which a chain finds it
		d := &out.Deliveries[i]
		past := d.Wait != nil && d.Err == "" && !d.Later && now.Sub(d.Moment) > longOver
		if past && (only == "" || d.Rule == only) {
			left++
		}
		d.Later = d.Later || past
	}
	return left
}

// restrict leaves of an outcome what one rule said.
func restrict(out rules.Outcome, only string, names []string) rules.Outcome {
	kept := rules.Outcome{Results: slices.Clone(out.Results)}
	for i := range kept.Results {
		if names[i] != only {
			kept.Results[i] = byte(event.Skipped)
		}
	}
	for _, v := range out.Errors {
		if v.Rule == only {
			kept.Errors = append(kept.Errors, v)
		}
	}
	for i := range out.Deliveries {
		if out.Deliveries[i].Rule == only {
			kept.Deliveries = append(kept.Deliveries, out.Deliveries[i])
		}
	}
	return kept
}

// Route counts the deliveries of a rule to a connection.
type Route struct {
	Rule       string `json:"rule"`
	Connection string `json:"connection"`
	Deliveries int    `json:"deliveries"`
	Failing    int    `json:"failing,omitempty"` // of them: those that could not be rendered
}

// Routes counts what would be sent.
type Routes map[[2]string]*Route

// Add counts the deliveries of one event; only as in Prepare.
func (r Routes) Add(out *rules.Outcome, only string) {
	for i := range out.Deliveries {
		d := &out.Deliveries[i]
		if d.Later && d.Joining == nil || only != "" && d.Rule != only {
			continue
		}
		key := [2]string{d.Rule, d.Connection}
		if r[key] == nil {
			r[key] = &Route{Rule: d.Rule, Connection: d.Connection}
		}
		r[key].Deliveries++
		if d.Err != "" {
			r[key].Failing++
		}
	}
}

// Merge adds counts of another part.
func (r Routes) Merge(list []Route) {
	for _, other := range list {
		key := [2]string{other.Rule, other.Connection}
		if r[key] == nil {
			r[key] = &Route{Rule: other.Rule, Connection: other.Connection}
		}
		r[key].Deliveries += other.Deliveries
		r[key].Failing += other.Failing
	}
}

// List gives the counts by rule and connection.
func (r Routes) List() []Route {
	list := make([]Route, 0, len(r))
	for _, route := range r {
		list = append(list, *route)
	}
	slices.SortFunc(list, func(a, b Route) int {
		return cmp.Or(cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Connection, b.Connection))
	})
	return list
}
