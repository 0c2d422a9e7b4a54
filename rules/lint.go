package rules

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"hookgate/internal/diag"
	"hookgate/internal/schema"
	"hookgate/rules/lang"
)

// Known has, by the name of a source or form, what is known of its events.
type Known map[string]schema.Source

// Lint reports what compiles and can yet hardly be meant: fields and values
// that no event has, conditions that contradict themselves, what is sent
// twice. list are the rules that set was compiled from, and faults the errors
// of the configuration: of a rule that has some, only what does not follow
// from them is said. All that it finds are warnings and advice.
func Lint(list []Rule, set *Set, origins Origins, known Known, faults diag.List) diag.List {
	l := linter{set: set, list: list, origins: origins, known: known, views: map[string]view{}}
	for i := range list {
		l.doubts = append(l.doubts, doubtsOf(i, faults))
	}
	for i := range list {
		l.rule(&list[i], set.rules[i], l.doubts[i])
	}
	l.twice()
	l.rememberedTwice()
	l.overtaking()
	return l.out
}

type linter struct {
	set     *Set
	list    []Rule
	origins Origins
	known   Known
	views   map[string]view     // by origin and types: many rules listen to the same
	doubts  []doubts            // of each rule
	fields  map[string][]string // see written; nil: not asked yet
	out     diag.List
}

// add takes warnings in, but for those of an input's default, which stands in
// no file.
func (l *linter) add(list ...diag.Diagnostic) {
	for _, d := range list {
		if d.Line > 0 {
			l.out = append(l.out, d)
		}
	}
}

func (l *linter) rule(in *Rule, r *rule, d doubts) {
	to := audience{rule: r}
	if !d.audience {
		to = l.audience(r)
	}
	tested := map[string]bool{}
	if r.when != nil {
		a := r.when.Analyse()
		l.analysis(&a, to)
		remember(tested, &a)
	}
	l.secrets(in.When)
	if r.forEach != nil {
		a := r.forEach.Analyse()
		l.analysis(&a, to)
		l.elements(in, r, &a, to)
	}
	l.secrets(in.ForEach)
	inBranch := map[*branch]map[string]bool{nil: tested}
	for i, b := range r.branches {
		l.secrets(in.Branches[i].When)
		inBranch[b] = l.branch(b, to, tested)
	}
	at := 0
	for _, one := range in.Actions() {
		a := r.actions[at]
		l.action(one, a, to, inBranch[a.branch], d)
		at++
	}
}

// branch warns of the condition of a branch, and gives the paths that have been looked
// at where its actions are sent.
func (l *linter) branch(b *branch, to audience, tested map[string]bool) map[string]bool {
	if b.when == nil {
		return tested
	}
	asked := maps.Clone(tested)
	analysis := b.when.Analyse()
	l.analysis(&analysis, to)
	remember(asked, &analysis)
	return asked
}

func (l *linter) action(in *Action, a *action, to audience, tested map[string]bool, d doubts) {
	asked := maps.Clone(tested)
	var when *lang.Analysis
	if a.when != nil {
		analysis := a.when.Analyse()
		when = &analysis
		l.analysis(when, to)
		l.outputs(a, nil, when)
		remember(asked, when)
	}
	if a.key != nil {
		analysis := a.key.Analyse()
		l.analysis(&analysis, to)
	}
	l.throttle(in, a, to)
	l.digest(in, a, to)
	l.delayedOrder(in)
	l.secrets(in.When)
	l.secrets(in.OrderingKey)
	for _, f := range in.Inputs {
		l.secretsBelow(f.Value)
	}
	if in.Remember != nil {
		l.secrets(in.Remember.Key)
		l.secretsBelow(in.Remember.Set)
	}
	for i := range a.inputs {
		if a.inputs[i].template == nil { // it has an error
			continue
		}
		analysis := a.inputs[i].template.Analyse()
		l.analysis(&analysis, to)
		l.outputs(a, when, &analysis)
		if d.any { // a condition that could not be read may see to it
			continue
		}
		for _, at := range a.inputs[i].full {
			l.blank(a.inputs[i].template, at, to, asked)
		}
	}
}

// remember notes the paths that a condition looks at.
func remember(paths map[string]bool, a *lang.Analysis) {
	for i := range a.Reads {
		paths[schema.Path(a.Reads[i].Keys()).String()] = true
	}
}

func (l *linter) analysis(a *lang.Analysis, to audience) {
	l.add(a.Faults...)
	l.columns(a)
	for i := range a.Reads {
		if r := &a.Reads[i]; r.Root == "data" && !r.Guarded && !l.length(r, to) {
			l.field(r, to)
		}
	}
	for i := range a.Tests {
		if r := &a.Tests[i]; r.Root == "data" {
			l.test(r, to)
		}
	}
	for i := range a.Lists {
		if c := &a.Lists[i]; c.Read.Root == "data" {
			l.wholeList(c, to)
		}
	}
	for i := range a.Compares {
		switch c := &a.Compares[i]; c.Read.Root {
		case "data":
			l.types(c, to)
			l.values(c, to)
		case "event":
			l.meta(c, to)
		}
	}
}

// audience is what a rule listens to, and what is known of it.
type audience struct {
	rule    *rule
	origins []string // the sources and forms; nil where that is in doubt
	types   []string // that can come; nil: any
	views   []view
}

// view is what is known of the events of one origin that a rule listens to.
type view struct {
	name, sender     string
	form             bool
	documented, seen schema.Payload
}

func (l *linter) audience(r *rule) audience {
	to := audience{rule: r, origins: r.from, types: r.events}
	anyType := false
	for _, name := range r.from {
		key := name + "\x00" + strings.Join(r.events, "\x00")
		v, made := l.views[key]
		if !made {
			o := l.known[name]
			v = view{
				name: name, sender: o.Sender, form: o.Form,
				documented: schema.Merge(schema.Of(o.Documented, r.events)), seen: schema.Merge(schema.Of(o.Seen, r.events)),
			}
			l.views[key] = v
		}
		to.views = append(to.views, v)
		anyType = anyType || l.origins[name] == nil
		if r.events == nil {
			to.types = append(to.types, l.origins[name]...)
		}
	}
	if anyType && r.events == nil {
		to.types = nil
	}
	return to
}

// events is how many events of these origins were looked at, and names is how
// messages call them.
func (a *audience) events() (n int, names string) {
	for i := range a.views {
		n += a.views[i].seen.Events
		names = strings.Trim(names+" and "+a.views[i].name, " ")
	}
	return n, strings.TrimPrefix(names, "and ")
}

// none begins a message about what no event had.
func (a *audience) none() string {
	n, names := a.events()
	if n == 1 {
		return "the last " + names + " event had no"
	}
	return fmt.Sprintf("none of the last %d %s events had", n, names)
}

// meta checks comparisons of event.type and event.source.
func (l *linter) meta(c *lang.Compare, to audience) {
	if len(c.Read.Steps) != 1 {
		return
	}
	var possible []string
	switch c.Read.Steps[0].Key {
	case "type":
		possible = to.types
	case "source":
		possible = to.origins
	}
	if possible == nil || !equality(c.Operator) {
		return
	}
	for _, literal := range c.Literals {
		text, ok := literal.Value.(string)
		if !ok || slices.Contains(possible, text) {
			continue
		}
		hint := diag.DidYouMean(text, possible)
		if hint == "" {
			hint = "it can be " + quoted(possible)
		}
		l.add(literal.Place.Warn("unseen-value", hint, "%s is never %q in this rule", c.Read.Place.Text(), text))
	}
}

func equality(operator string) bool { return operator == "==" || operator == "!=" || operator == "in" }

// quoted lists texts, a few of them.
func quoted(texts []string) string {
	const most = 14
	parts := make([]string, 0, most)
	for _, t := range texts {
		if len(parts) == most {
			parts = append(parts, "…")
			break
		}
		parts = append(parts, fmt.Sprintf("%q", t))
	}
	return strings.Join(parts, ", ")
}

// doubts is what the errors of a rule leave unknown of it.
type doubts struct {
	any      bool // it has an error somewhere
	audience bool // what it listens to
}

// doubtsOf reads what is in doubt of the rule at position i from the paths of
// the configuration's errors.
func doubtsOf(i int, faults diag.List) doubts {
	var d doubts
	path := fmt.Sprintf("rules[%d]", i)
	for j := range faults {
		rest, own := strings.CutPrefix(faults[j].Path, path)
		if faults[j].Severity != diag.Error || !own {
			continue
		}
		d.any = true
		if rest == "" || under(rest, ".from") || under(rest, ".events") {
			d.audience = true
		}
	}
	return d
}

// under reports whether path is that of the key or of what is below it.
func under(path, key string) bool {
	rest, found := strings.CutPrefix(path, key)
	return found && (rest == "" || rest[0] == '.' || rest[0] == '[')
}
