package rules

import (
	"slices"

	"hookgate/internal/diag"
	"hookgate/rules/lang"
)

// Actions are the names of all actions, rule/connection, in the file's order.
func (s *Set) Actions() []string {
	var names []string
	for _, r := range s.rules {
		for _, a := range r.actions {
			if a.remember != nil {
				continue
			}
			names = append(names, a.name)
		}
	}
	return names
}

// Branch names the branch that an action stands in, by the action's name; "": it stands
// in none.
func (s *Set) Branch(name string) string {
	for _, r := range s.rules {
		for _, a := range r.actions {
			if a.name == name && a.branch != nil {
				return a.branch.name
			}
		}
	}
	return ""
}

// Coverage watches which rules, actions, and branches of their expressions events
// exercise. It is not for concurrent use.
type Coverage struct {
	set   *Set
	rules []ruleCoverage
}

type ruleCoverage struct {
	matched  bool
	when     *lang.CoverageProbe // nil: it has none
	forEach  *lang.CoverageProbe // nil: it has none
	branches []branchCoverage
	actions  []actionCoverage
}

type branchCoverage struct {
	taken bool
	when  *lang.CoverageProbe
}

type actionCoverage struct {
	sent   bool
	when   *lang.CoverageProbe
	probes []namedProbe // of the key and the inputs
}

type namedProbe struct {
	key string
	*lang.CoverageProbe
}

// Coverage starts to watch: nothing is covered yet.
func (s *Set) Coverage() *Coverage {
	c := &Coverage{set: s, rules: make([]ruleCoverage, len(s.rules))}
	for i, r := range s.rules {
		of := &c.rules[i]
		of.when = probeOf(r.when)
		if r.forEach != nil {
			of.forEach = r.forEach.Probe()
		}
		for _, b := range r.branches {
			of.branches = append(of.branches, branchCoverage{when: probeOf(b.when)})
		}
		for _, a := range r.actions {
			of.actions = append(of.actions, a.coverage())
		}
	}
	return c
}

func (a *action) coverage() actionCoverage {
	c := actionCoverage{when: probeOf(a.when)}
	for _, k := range a.keys() {
		c.probes = append(c.probes, namedProbe{k.name, k.of.Probe()})
	}
	for _, in := range a.inputs {
		c.probes = append(c.probes, namedProbe{in.name, in.template.Probe()})
	}
	return c
}

// namedKey is an expression that tells things apart, and what it is the key of.
type namedKey struct {
	name string
	of   *lang.Expression
}

// keys are those that the action has.
func (a *action) keys() (list []namedKey) {
	add := func(name string, of *lang.Expression) {
		if of != nil {
			list = append(list, namedKey{name, of})
		}
	}
	add("ordering_key", a.key)
	if a.throttle != nil {
		add("throttle", a.throttle.key)
	}
	if a.digest != nil {
		add("digest", a.digest.key)
	}
	return list
}

func probeOf(p *lang.Predicate) *lang.CoverageProbe {
	if p == nil {
		return nil
	}
	return p.Probe()
}

// Observe marks what one event exercises. It judges as Match does.
func (c *Coverage) Observe(sc *lang.Scope) {
	for _, i := range c.set.candidates(sc.Event.Source, sc.Event.Type) {
		c.rules[i].observe(c.set.rules[i], sc)
	}
}

func (c *ruleCoverage) observe(r *rule, sc *lang.Scope) {
	if r.forEach == nil {
		c.observeOne(r, sc)
		return
	}
	c.forEach.Run(sc)
	elements, err := r.forEach.Items(sc)
	if err != nil {
		return
	}
	defer sc.SetElement(nil, -1)
	limit := newElementLimit(0)
	for i, item := range elements {
		sc.SetElement(item, i)
		if c.observeOne(r, sc); limit.check(0) != nil {
			return
		}
	}
}

func (c *ruleCoverage) observeOne(r *rule, sc *lang.Scope) {
	if !holds(r.when, c.when, sc) {
		return
	}
	sends := r.then
	for i, b := range r.branches {
		if of := &c.branches[i]; holds(b.when, of.when, sc) {
			of.taken, sends = true, b.sends
			break
		}
	}
	if len(sends) == 0 {
		return
	}
	c.matched = true
	for _, a := range sends {
		of := &c.actions[a.position]
		if !holds(a.when, of.when, sc) {
			continue
		}
		of.sent = true
		if a.digest != nil { // as if it were the only one in it
			sc.SetItems([]any{sc.Item()})
		}
		for _, p := range of.probes {
			p.Run(sc)
		}
		sc.SetItems(nil)
	}
}

// holds reports whether the condition is met, and has its probe see how.
func holds(when *lang.Predicate, probe *lang.CoverageProbe, sc *lang.Scope) bool {
	if when == nil {
		return true
	}
	probe.Run(sc)
	ok, err := when.Eval(sc)
	return ok && err == nil
}

// Covered counts what was exercised and what there is.
type Covered struct {
	Seen  int `json:"seen"`
	Total int `json:"total"`
}

func (c *Covered) add(seen bool) {
	if c.Total++; seen {
		c.Seen++
	}
}

// Gap is something that no event exercised: a rule that never matched, a branch
// that was never taken, an action that was never sent, a side that an expression
// never took.
type Gap struct {
	Rule    string        `json:"rule"`
	Branch  string        `json:"branch,omitempty"` // of the rule; "" for the rule itself
	Action  string        `json:"action,omitempty"` // rule/connection; "" for the rule itself
	Key     string        `json:"key,omitempty"`    // when, ordering_key, or the action's own; "": the whole
	Outcome lang.Outcome  `json:"way,omitempty"`    // never taken; with Key
	Never   bool          `json:"never,omitempty"`  // neither this branch nor the other one was
	Text    string        `json:"text,omitempty"`
	At      diag.Position `json:"at,omitzero"`
}

// CoverageReport is what a Coverage comes to.
type CoverageReport struct {
	Rules    Covered `json:"rules"`
	Branches Covered `json:"branches"`
	Actions  Covered `json:"actions"`
	Sides    Covered `json:"sides"` // of tests, ?: and ??
	Gaps     []Gap   `json:"gaps"`
}

// Percent is the part of all that was exercised, rounded down, so that 100 is
// all of it.
func (r *CoverageReport) Percent() int {
	total := r.Rules.Total + r.Branches.Total + r.Actions.Total + r.Sides.Total
	if total == 0 {
		return 100
	}
	return 100 * (r.Rules.Seen + r.Branches.Seen + r.Actions.Seen + r.Sides.Seen) / total
}

// Report tells what was exercised and what was not, in the file's order. What
// follows from a gap is counted and not listed: of a rule that never matched,
// its actions.
func (c *Coverage) Report() CoverageReport {
	out := CoverageReport{Gaps: []Gap{}}
	for i, r := range c.set.rules {
		of := &c.rules[i]
		out.Rules.add(of.matched)
		if !of.matched {
			out.Gaps = append(out.Gaps, Gap{Rule: r.name, At: r.at})
		}
		out.sides(Gap{Rule: r.name, Key: "for_each"}, of.forEach, true)
		out.sides(Gap{Rule: r.name, Key: "when"}, of.when, reached(of.when) || of.matched)
		taken := map[*branch]bool{nil: of.matched}
		for j, b := range r.branches {
			out.branch(r, b, &of.branches[j], of.matched)
			taken[b] = of.branches[j].taken
		}
		for j, a := range r.actions {
			out.action(r, a, &of.actions[j], taken[a.branch])
		}
	}
	return out
}

// reached reports whether an event came to the expression at all.
func reached(p *lang.CoverageProbe) bool {
	return p != nil && slices.ContainsFunc(p.Branches, func(s lang.Branch) bool { return s.Seen })
}

func (r *CoverageReport) branch(of *rule, b *branch, c *branchCoverage, matched bool) {
	r.Branches.add(c.taken)
	if !c.taken && matched {
		r.Gaps = append(r.Gaps, Gap{Rule: of.name, Branch: b.name, At: b.at})
	}
	r.sides(Gap{Rule: of.name, Branch: b.name, Key: "when"}, c.when, matched && c.taken)
}

// action counts one of which reached says that some event came to it.
func (r *CoverageReport) action(of *rule, a *action, c *actionCoverage, reached bool) {
	r.Actions.add(c.sent)
	if !c.sent && reached {
		r.Gaps = append(r.Gaps, Gap{Rule: of.name, Action: a.name, At: a.at})
	}
	r.sides(Gap{Rule: of.name, Action: a.name, Key: "when"}, c.when, reached)
	for _, p := range c.probes {
		r.sides(Gap{Rule: of.name, Action: a.name, Key: p.key}, p.CoverageProbe, c.sent)
	}
}

// sides counts those of an expression, and lists the gaps in them where the
// expression was reached. Of a place that was never reached itself it lists one.
func (r *CoverageReport) sides(of Gap, p *lang.CoverageProbe, list bool) {
	if p == nil {
		return
	}
	for i := 0; i+1 < len(p.Branches); i += 2 {
		first, second := p.Branches[i], p.Branches[i+1]
		r.Sides.add(first.Seen)
		r.Sides.add(second.Seen)
		neither := !first.Seen && !second.Seen
		for _, branch := range p.Branches[i : i+2] {
			if branch.Seen || !list || (neither && branch.Outcome != first.Outcome) {
				continue
			}
			gap := of
			gap.Outcome, gap.Never, gap.Text, gap.At = branch.Outcome, neither, branch.Text, branch.At
			r.Gaps = append(r.Gaps, gap)
		}
	}
}
