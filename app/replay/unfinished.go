package replay

import (
	"hookgate/internal/event"
	"hookgate/rules"
)

// Earlier is what was made of an event before: a delivery, or its place in a digest.
type Earlier struct {
	Name    string // rules.Set.Identity of its action
	Element int
	ID      event.DeliveryID
	State   event.DeliveryState
}

// LeaveFinished takes out of an outcome what was delivered or is on its way: an action
// by itself, and a chain as a whole where it goes on by itself or has nothing left that
// failed. In a chain that goes on now each delivered step is noted as Done, so that
// what comes after it finds its answer. knows tells whether the rules that made the
// earlier deliveries had an action: one that they had not is unfinished. It reports
// whether anything is left.
func LeaveFinished(out *rules.Outcome, set *rules.Set, only string, before []Earlier, knows func(name string) bool) (left bool) {
	type place struct {
		name    string
		element int
	}
	type group struct { // the actions of a chain, for one element
		rule    string
		element int
	}
	of := map[place]Earlier{}
	for _, b := range before { // the oldest first: what was delivered stays so
		if at := (place{b.Name, b.Element}); of[at].State != event.Delivered {
			of[at] = b
		}
	}
	goesOn, fails, begun := map[group]bool{}, map[group]bool{}, map[group]bool{}
	at := func(d *rules.Rendered) (Earlier, bool) {
		b, found := of[place{set.Identity(refOf(d)), d.Element}]
		return b, found
	}
	for i := range out.Deliveries {
		d := &out.Deliveries[i]
		in := group{d.Rule, d.Element}
		b, found := at(d)
		begun[in] = begun[in] || found
		switch {
		case !found:
			fails[in] = fails[in] || !knows(set.Identity(refOf(d)))
		case b.State == event.Failed || b.State == event.Cancelled:
			fails[in] = true
		case b.State != event.Delivered:
			goesOn[in] = true
		}
	}
	for i := range out.Deliveries {
		d := &out.Deliveries[i]
		in := group{d.Rule, d.Element}
		b, found := at(d)
		_, chained := set.Chain(refOf(d))
		wasDelivered := found && b.State == event.Delivered
		switch {
		case chained > 0 && (goesOn[in] || begun[in] && !fails[in]):
			leave(d)
		case chained > 0 && wasDelivered:
			leave(d)
			d.Done = b.ID
		case chained == 0 && found && b.State != event.Failed && b.State != event.Cancelled:
			leave(d)
		case only == "" || d.Rule == only:
			left = left || !d.Later || d.Joining != nil || chained > 0
		}
	}
	return left
}

// GoingOn counts the chains of an outcome that go on behind what was delivered.
func GoingOn(out *rules.Outcome, only string) int {
	type chain struct {
		rule    string
		element int
	}
	found := map[chain]bool{}
	for i := range out.Deliveries {
		if d := &out.Deliveries[i]; d.Done != 0 && (only == "" || d.Rule == only) {
			found[chain{d.Rule, d.Element}] = true
		}
	}
	return len(found)
}

// leave takes one delivery out of an outcome. It keeps its number.
func leave(d *rules.Rendered) { d.Later, d.Joining = true, nil }

func refOf(d *rules.Rendered) rules.Ref {
	return rules.Ref{Rule: d.Rule, Connection: d.Connection, Action: d.Action, Element: d.Element}
}
