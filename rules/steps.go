package rules

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"hookgate/internal/diag"
	"hookgate/internal/event"
	"hookgate/rules/lang"
)

// A rule in which actions come after each other has a chain. When its event is
// accepted ids are reserved for all of its actions, so that each has the same
// whatever happens in between, and what comes after nothing is made. What follows
// is made when something has ended, by the same rules: chain.follow decides what,
// from how everything stands.

// maxSteps bounds how many steps a rule has.
const maxSteps = 20

var stepForm = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// chain is the order of a rule's actions: nothing stands before what it comes after.
type chain struct {
	order []*action
}

// need is one step that an action comes after.
type need struct {
	of  *action
	end End
}

// standing is how an action of a chain stands.
type standing int

const (
	pending standing = iota // it has not begun, and may
	running                 // it is made, and has not ended
	delivered
	failed
	cancelled
	never // it is not made, and nothing that has happened makes it
)

// meets tells whether the step has ended as n wants; over: it cannot any more,
// unless somebody retries it by hand.
func (n *need) meets(s standing) (met, over bool) {
	if s == pending || s == running {
		return false, false
	}
	switch n.end {
	case WhenDelivered:
		met = s == delivered
	case WhenFailed:
		met = s == failed
	case WhenEnded:
		met = true
	}
	return met, !met
}

// follow goes through the actions. at says how one stands that what it comes after
// does not decide; next is called for each whose turn it is now, and says how it
// stands then.
func (c *chain) follow(at, next func(*action) (standing, error)) ([]standing, error) {
	stands := make([]standing, len(c.order))
	for i, a := range c.order {
		s, err := at(a)
		if err != nil {
			return nil, err
		}
		if s == pending {
			s, err = a.due(stands, next)
		}
		if err != nil {
			return nil, err
		}
		stands[i] = s
	}
	return stands, nil
}

// due is how an action stands that is not made.
func (a *action) due(stands []standing, next func(*action) (standing, error)) (standing, error) {
	ready := true
	for i := range a.after {
		met, over := a.after[i].meets(stands[a.after[i].of.slot])
		if over {
			return never, nil
		}
		ready = ready && met
	}
	if !ready {
		return pending, nil
	}
	return next(a)
}

// early tells whether the action can be sent at all, by what is known of its
// condition when its event is accepted.
func (a *action) early(sc *lang.Scope) (bool, error) {
	if a.when == nil || a.when.Late() {
		return true, nil
	}
	return a.when.Eval(sc) //nolint:wrapcheck // as it is for people
}

// begin makes what the rule sends at once, and reserves a place for the rest.
func (r *rule) begin(sc *lang.Scope, sends []*action, element int, out *Outcome, room *int) error {
	for _, a := range sends {
		if !a.atOnce() {
			continue
		}
		if err := a.remembered(r.name, sc, out); err != nil {
			return err
		}
	}
	base, flow := len(out.Deliveries), branchOf(r, sends)
	for _, a := range r.chain.order {
		out.Deliveries = append(out.Deliveries, Rendered{Rule: r.name, Connection: a.connection, Action: a.number, Element: element, Flow: flow | a.flow, Later: true})
	}
	sc.SetSteps(map[string]any{}, map[string]any{})
	defer sc.SetSteps(nil, nil)
	one := func(a *action) (standing, error) {
		made, sent, err := a.make(r.name, sc, room)
		if err != nil || !sent {
			return never, err
		}
		made.Element, made.Flow = element, flow|a.flow
		out.Deliveries[base+a.slot] = made
		return running, nil
	}
	_, err := r.chain.follow(func(a *action) (standing, error) {
		switch ok, err := a.early(sc); {
		case !slices.Contains(sends, a):
			return never, nil
		case err != nil || !ok:
			return never, err
		case len(a.after) > 0:
			return pending, nil
		}
		return one(a)
	}, one)
	return err
}

// branchOf notes the branch of what a rule sends.
func branchOf(r *rule, sends []*action) event.Flow {
	if len(sends) == 0 || sends[len(sends)-1].branch == nil {
		return 0
	}
	return event.Flow(0).InBranch(slices.Index(r.branches, sends[len(sends)-1].branch) + 1)
}

// Next is an action whose turn it is. Its place in the chain is that of its id.
type Next struct {
	Place int
	Asked
}

// Chain tells where in its chain an action stands, and how many ids the chain has;
// 0: its rule has none.
func (s *Set) Chain(ref Ref) (place, length int) {
	r, a := s.find(ref)
	if a == nil || r.chain == nil {
		return 0, 0
	}
	return a.slot, len(r.chain.order)
}

// ChainOf are the ids of the chain that the delivery of an action stands in, by place;
// none: its rule has no chain.
func (s *Set) ChainOf(ref Ref, id event.DeliveryID) (ids []event.DeliveryID) {
	place, length := s.Chain(ref)
	for n := range length {
		ids = append(ids, id+event.DeliveryID(n-place))
	}
	return ids
}

// Follow asks and renders what comes next in the chain of an action. made is what
// there is of it, by place; nil: it is not made.
func (s *Set) Follow(sc *lang.Scope, ref Ref, flow event.Flow, made []*event.Progress) (list []Next, err error) {
	r, a := s.find(ref)
	if a == nil || r.chain == nil || len(made) != len(r.chain.order) {
		return nil, fmt.Errorf("%w: %s", ErrNoAction, event.ActionName(ref.Rule, ref.Connection, ref.Action))
	}
	leave, err := r.enter(sc, ref)
	if err != nil {
		return nil, err
	}
	defer leave()
	r.know(sc, made)
	defer sc.SetSteps(nil, nil)
	sends := r.taken(flow)
	room := MaxOutputs
	_, err = r.chain.follow(func(a *action) (standing, error) { return r.stands(sc, a, sends, made[a.slot]) }, func(a *action) (standing, error) {
		next, ok := a.next(r.name, sc, &room)
		if !ok {
			return never, nil
		}
		next.Place, next.Element, next.Flow = a.slot, ref.Element, flow&^(event.Followed|event.Follows)|a.flow
		list = append(list, next)
		return running, nil
	})
	return list, err
}

// stands is how an action of a chain stands by what is made of it.
func (r *rule) stands(sc *lang.Scope, a *action, sends []*action, made *event.Progress) (standing, error) {
	if made != nil {
		return standingOf(made.State), nil
	}
	if len(a.after) == 0 || !slices.Contains(sends, a) {
		return never, nil
	}
	if ok, err := a.early(sc); err != nil || !ok {
		return never, nil //nolint:nilerr // it was true when the event was accepted, or it was no rule's match
	}
	return pending, nil
}

func standingOf(state event.DeliveryState) standing {
	switch state {
	case event.Delivered:
		return delivered
	case event.Failed:
		return failed
	case event.Cancelled:
		return cancelled
	case event.Waiting, event.Sending, event.Retrying, event.Held, event.Scheduled:
	}
	return running
}

// next asks and renders an action whose turn it is; false: it is not sent, and
// nothing is kept of it.
func (a *action) next(rule string, sc *lang.Scope, room *int) (n Next, ok bool) {
	if a.remember != nil {
		n.Asked = a.ask(rule, sc)
		n.Rule, n.Connection, n.Action = rule, a.connection, a.number
		return n, true
	}
	made, sent, err := a.make(rule, sc, room)
	switch {
	case err != nil:
		n.Asked = Asked{Rendered: Rendered{Rule: rule, Connection: a.connection, Action: a.number, Output: []byte("{}"), Err: "when: " + err.Error()}, Sent: true}
	case sent:
		n.Asked = Asked{Rendered: made, Sent: true}
	case a.when.Late():
		n.Asked = Asked{Rendered: Rendered{Rule: rule, Connection: a.connection, Action: a.number, Output: []byte("{}")}, Reason: unmet(a.when.Explain(sc))}
	default:
		return n, false
	}
	return n, true
}

// know puts into the scope what the steps of the chain were answered.
func (r *rule) know(sc *lang.Scope, made []*event.Progress) {
	sc.SetSteps(stepValues(r.steps(made)))
}

// steps is what there is of the chain's steps, by their names.
func (r *rule) steps(made []*event.Progress) map[string]*event.Progress {
	list := map[string]*event.Progress{}
	for _, a := range r.chain.order {
		if p := made[a.slot]; a.step != "" && p != nil {
			list[a.step] = p
		}
	}
	return list
}

// stepValues are what expressions see of steps.
func stepValues(steps map[string]*event.Progress) (outputs, errs map[string]any) {
	outputs, errs = map[string]any{}, map[string]any{}
	for step, p := range steps {
		switch p.State {
		case event.Delivered:
			outputs[step] = OutputValues(p.Outputs)
		case event.Failed:
			errs[step] = p.Error
		case event.Waiting, event.Sending, event.Retrying, event.Held, event.Scheduled, event.Cancelled:
		}
	}
	return outputs, errs
}

// taken are the actions that the rule sends, by the branch that was taken.
func (r *rule) taken(flow event.Flow) []*action {
	if n := flow.Branch(); n > 0 && n <= len(r.branches) {
		return r.branches[n-1].sends
	}
	return r.then
}

// steps reads which of a rule's actions come after which, and gives the names that
// the expressions of each can speak of. It is asked before the actions are
// compiled.
type steps struct {
	in     []*Action
	branch []string // where each stands
	byName map[string]int
	needs  [][]int
}

func (b *builder) steps(in *Rule) *steps {
	s := &steps{byName: map[string]int{}}
	used := false
	for _, a := range in.Actions() {
		s.in, s.branch = append(s.in, a), append(s.branch, in.BranchOf(a))
		used = used || !a.Step.IsZero() || a.After != nil
	}
	if !used {
		return nil
	}
	b.stepNames(s)
	s.needs = make([][]int, len(s.in))
	for i, a := range s.in {
		b.conflicts(a)
		for _, p := range a.After {
			if of, ok := b.predecessor(s, i, p); ok && b.unfollowed(s, of, p) {
				s.needs[i] = append(s.needs[i], of)
			}
		}
	}
	b.circle(s)
	return s
}

// stepNames notes the steps' names.
func (b *builder) stepNames(s *steps) {
	for i, a := range s.in {
		name := a.Step
		before, twice := s.byName[name.Value]
		switch {
		case name.IsZero():
		case !stepForm.MatchString(name.Value):
			b.add(name.Diag("bad-name", "use small and capital letters, digits and _, the first a letter: outputs."+"NAME is how templates speak of it", "%q cannot be the name of a step", name.Value))
		case twice:
			b.add(name.Diag("duplicate-name", "", "there is a step %q already, in line %d", name.Value, s.in[before].Step.Pos().Line))
		default:
			s.byName[name.Value] = i
		}
	}
	if len(s.byName) > maxSteps {
		for i, a := range s.in {
			if s.byName[a.Step.Value] == i && !a.Step.IsZero() {
				b.add(a.Step.Diag("bad-value", "make two rules of it", "a rule has at most %d steps, and this has %d", maxSteps, len(s.byName)))
				return
			}
		}
	}
}

// conflicts refuses what does not go together with after.
func (b *builder) conflicts(a *Action) {
	if !a.Step.IsZero() && a.Remember != nil {
		b.add(a.Step.Diag("conflict", "leave it out", "an action that remembers sends nothing, so nothing comes after it"))
	}
}

// predecessor finds the step that action i comes after: one of the rule's then, or
// of its own branch.
func (b *builder) predecessor(s *steps, i int, p Predecessor) (int, bool) {
	of, found := s.byName[p.Step.Value]
	switch {
	case !found:
		names := slices.Sorted(maps.Keys(s.byName))
		hint := diag.DidYouMean(p.Step.Value, names)
		if hint == "" && len(names) > 0 {
			hint = "the steps of the rule are " + strings.Join(names, ", ")
		} else if hint == "" {
			hint = "give the action that comes first a name: step: " + p.Step.Value
		}
		b.add(p.Step.Diag("unknown-step", hint, "the rule has no step %q", p.Step.Value))
	case s.branch[of] != "" && s.branch[of] != s.branch[i]:
		b.add(p.Step.Diag("unknown-step", "an action comes after steps of its own branch, or of the rule's then", "the step %q is in the branch %q, which may not be taken", p.Step.Value, s.branch[of]))
	default:
		return of, true
	}
	return 0, false
}

// circle reports, at each of its places, a circle of steps that come after each
// other, and takes it apart.
func (b *builder) circle(s *steps) {
	before := s.before()
	reported := false
	for i, a := range s.in {
		if !before[i][i] {
			continue
		}
		round := []string{}
		for j, other := range s.in {
			if before[i][j] && before[j][i] {
				round = append(round, other.Step.Value)
			}
		}
		slices.Sort(round)
		for _, p := range a.After {
			if slices.Contains(round, p.Step.Value) {
				b.add(p.Step.Diag("after-cycle", "leave one of them out", "%s come after each other in a circle", strings.Join(round, ", ")))
				reported = true
			}
		}
	}
	if reported {
		clear(s.needs)
	}
}

// before tells which actions stand before each.
func (s *steps) before() [][]bool {
	n := len(s.in)
	before := make([][]bool, n)
	for i := range before {
		before[i] = make([]bool, n)
		for _, of := range s.needs[i] {
			before[i][of] = true
		}
	}
	for k := range n {
		for i := range n {
			for j := range n {
				before[i][j] = before[i][j] || before[i][k] && before[k][j]
			}
		}
	}
	return before
}

// names are what the expressions of action i can speak of beside its event.
func (s *steps) names(b *builder, i int) []lang.Name {
	if s == nil || len(s.needs[i]) == 0 {
		return nil
	}
	keys, of := []string{}, map[string][]string{}
	for j, is := range s.before()[i] {
		name := s.in[j].Step.Value
		if !is || name == "" {
			continue
		}
		keys = append(keys, name)
		if target := b.targets[s.in[j].To.Value]; target.Outputs != nil {
			if outputs, known := target.Outputs(s.in[j].Inputs); known {
				of[name] = outputs
			}
		}
	}
	slices.Sort(keys)
	return []lang.Name{
		{Name: lang.OutputsName, Keys: keys, Of: of, Late: true},
		{Name: lang.ErrorsName, Keys: keys, Late: true},
	}
}

// link gives the compiled actions their order and what they come after. A rule
// without a word of these has no chain, and pays nothing.
func (s *steps) link(r *rule) {
	if s == nil || !slices.ContainsFunc(s.needs, func(n []int) bool { return len(n) > 0 }) {
		return
	}
	before := s.before()
	r.chain = &chain{}
	placed := make([]bool, len(s.in))
	for range s.in {
		for i, a := range r.actions {
			if placed[i] || slices.Contains(unplaced(before[i], placed), true) {
				continue
			}
			placed[i] = true
			if a.remember == nil || len(s.needs[i]) > 0 {
				a.slot = len(r.chain.order)
				r.chain.order = append(r.chain.order, a)
			}
		}
	}
	for i, a := range r.actions {
		for _, p := range s.in[i].After {
			of := r.actions[s.byName[p.Step.Value]]
			a.after = append(a.after, need{of, p.End})
			a.flow |= event.Follows
			of.flow |= event.Followed
		}
	}
}

// unplaced are those of list that are not placed yet.
func unplaced(list, placed []bool) []bool {
	left := make([]bool, len(list))
	for i := range list {
		left[i] = list[i] && !placed[i]
	}
	return left
}
