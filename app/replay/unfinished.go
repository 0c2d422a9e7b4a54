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

// place is an action, for one element of its rule; chain are the actions of a rule that
// come after each other, for one element.
type (
	place struct {
		name    string
		element int
	}
	chain struct {
		rule    string
		element int
	}
)

// unfinished tells how what was made of an event stands by today's rules.
type unfinished struct {
	set     *rules.Set
	earlier map[place]Earlier
	goesOn  map[chain]bool // something of it is on its way
	begun   map[chain]bool // something of it was made
	left    map[chain]bool // something of it failed, or is new
}

// LeaveFinished takes out of an outcome what was delivered or is on its way: an action
// by itself, and a chain as a whole where it goes on by itself or has nothing left that
// failed. In a chain that goes on now each delivered step is noted as Done, so that
// what comes after it finds its answer. knows tells whether the rules that made the
// earlier deliveries had an action: one that they had not is unfinished. It reports
// whether anything is left.
func LeaveFinished(out *rules.Outcome, set *rules.Set, only string, before []Earlier, knows func(name string) bool) (left bool) {
	u := unfinished{set: set, earlier: map[place]Earlier{}, goesOn: map[chain]bool{}, begun: map[chain]bool{}, left: map[chain]bool{}}
	for _, b := range before { // the oldest first: what was delivered stays so
		if at := (place{b.Name, b.Element}); u.earlier[at].State != event.Delivered {
			u.earlier[at] = b
		}
	}
	for i := range out.Deliveries {
		u.note(&out.Deliveries[i], knows)
	}
	for i := range out.Deliveries {
		d := &out.Deliveries[i]
		waits := u.take(d)
		if only == "" || d.Rule == only {
			left = left || waits
		}
	}
	return left
}

// before is what was made of the delivery's action earlier.
func (u *unfinished) before(d *rules.Rendered) (b Earlier, found bool) {
	b, found = u.earlier[place{u.set.Identity(refOf(d)), d.Element}]
	return b, found
}

func (u *unfinished) note(d *rules.Rendered, knows func(name string) bool) {
	in := chain{d.Rule, d.Element}
	b, found := u.before(d)
	switch {
	case !found:
		u.left[in] = u.left[in] || !knows(u.set.Identity(refOf(d)))
		return
	case b.ended():
		u.left[in] = true
	case b.State != event.Delivered:
		u.goesOn[in] = true
	}
	u.begun[in] = true
}

// take takes the delivery out of the outcome, unless it is unfinished, and then reports
// that.
func (u *unfinished) take(d *rules.Rendered) (left bool) {
	b, found := u.before(d)
	if _, chained := u.set.Chain(refOf(d)); chained == 0 {
		if found && !b.ended() {
			leave(d)
		}
		return !d.Later || d.Joining != nil
	}
	in := chain{d.Rule, d.Element}
	switch {
	case u.goesOn[in] || u.begun[in] && !u.left[in]:
		leave(d)
		return false
	case found && b.State == event.Delivered:
		leave(d)
		d.Done = b.ID
		return false
	}
	return true
}

// ended reports that it has ended and was not delivered.
func (e *Earlier) ended() bool { return e.State == event.Failed || e.State == event.Cancelled }

// GoingOn counts the chains of an outcome that go on behind what was delivered.
func GoingOn(out *rules.Outcome, only string) int {
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
