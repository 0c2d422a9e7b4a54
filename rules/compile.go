package rules

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"sync/atomic"

	"hookgate/internal/diag"
	"hookgate/internal/event"
	"hookgate/internal/yamlnode"
	"hookgate/rules/lang"
)

// rule is a compiled Rule.
type rule struct {
	name    string
	at      diag.Position
	from    []string
	events  []string         // nil: all
	forEach *lang.Expression // gives the elements, for each of which the rule is judged; nil: it is judged once
	when    *lang.Predicate
	then    []*action // sent whenever the rule matches
	// branches are asked in their order; the first that matches sends its actions, too.
	branches []*branch
	actions  []*action // those of then and of all branches, in the file's order
	reads    []string  // the kept tables that it looks up
	sets     []string  // those that it sets fields of
	chain    *chain    // nil: none of them comes after another
}

// branch is a compiled Branch.
type branch struct {
	name    string
	at      diag.Position
	when    *lang.Predicate // nil: it matches always
	actions []*action
	sends   []*action // what the rule sends with it: those of then, and its own
}

// action is a compiled Action.
type action struct {
	name       string  // identity: rule/connection, with #2 for the rule's second to that connection
	branch     *branch // that it stands in; nil: in then
	position   int     // in the rule's actions
	connection string
	at         diag.Position
	number     int // of the rule's actions to this connection, from 1
	when       *lang.Predicate
	key        *lang.Expression
	throttle   *throttle // nil: all go
	digest     *digest   // nil: each event is sent by itself
	inputs     []input
	moment     *moment  // nil: it begins when its event is accepted
	remember   *writing // it writes a record, and sends nothing
	step       string   // what others call it; "": nothing
	after      []need   // what it comes after
	words      string   // the same for people
	outputs    []string // the names of what it is answered, where they are known
	slot       int      // in the order of the chain
	flow       event.Flow
	length     atomic.Int64 // in bytes, of the last output, up to usualOutput
}

// usualOutput is how long an output is expected to be at most, in bytes.
const usualOutput = 16 << 10

// input is one key of an action.
type input struct {
	name     string
	prefix   []byte // the key as JSON, with its colon
	template *lang.Template
	required bool
	full     []string // the paths of what must not be empty in it
}

// NamePattern is the regular expression of what can be the name of a rule, a
// source, a form or a connection: it stands in URLs, metrics and on the command
// line. NameHint says it to people.
const (
	NamePattern = `^[A-Za-z0-9][A-Za-z0-9_.-]*$`
	NameHint    = "use letters, digits, _ . and -, the first a letter or digit"
)

var nameForm = regexp.MustCompile(NamePattern)

// IsName reports whether text has the form of a name.
func IsName(text string) bool { return nameForm.MatchString(text) }

// Compile compiles the rules and reports every fault in them. With an error in
// the list the Set must not be used.
func Compile(c *lang.Compiler, list []Rule, origins Origins, targets Targets) (*Set, diag.List) {
	c.AllowKept(true)
	defer c.AllowKept(false)
	b := builder{compiler: c, origins: origins, targets: targets, named: map[string]diag.Position{}}
	set := &Set{index: map[string]*listeners{}}
	for i := range list {
		set.rules = append(set.rules, b.rule(&list[i]))
		set.skip = append(set.skip, byte(event.Skipped))
	}
	set.buildIndex()
	set.noteTables()
	return set, b.list
}

type builder struct {
	compiler *lang.Compiler
	origins  Origins
	targets  Targets
	named    map[string]diag.Position // where each rule's name stands
	list     diag.List
}

func (b *builder) add(list ...diag.Diagnostic) { b.list = append(b.list, list...) }

func (b *builder) rule(in *Rule) *rule {
	out := &rule{name: in.Name.Value, at: in.Name.Pos()}
	b.name(in.Name)
	out.from = b.from(in)
	out.events = b.events(in)
	outside := b.compiler
	if !in.ForEach.IsZero() {
		var list diag.List
		out.forEach, list = b.compiler.List(in.ForEach)
		b.add(list...)
		b.compiler = outside.With(lang.Name{Name: lang.ItemName}, lang.Name{Name: lang.IndexName})
	}
	out.when = b.condition(in.When)
	b.sends(in)
	b.digestsIn(in)
	b.actions(in, out)
	b.compiler = outside
	return out
}

// sends checks that the rule and each of its branches send something, and that each
// branch can be reached.
func (b *builder) sends(in *Rule) {
	if in.Name.IsZero() {
		return
	}
	switch {
	case in.Then != nil && len(in.Then) == 0:
		b.add(in.Name.Diag("empty-value", "", "rule %q has no action under then", in.Name.Value))
	case in.Branches != nil && len(in.Branches) == 0:
		b.add(in.Name.Diag("empty-value", "leave branches out for none", "rule %q has no branch under branches", in.Name.Value))
	}
	lines := map[string]int{}
	for i := range in.Branches {
		one := &in.Branches[i]
		if one.Name.IsZero() { // missing: the decoder has said so
			continue
		}
		b.branchName(one, lines)
		if one.Then != nil && len(one.Then) == 0 {
			b.add(one.Name.Diag("empty-value", "", "branch %q has no action under then", one.Name.Value))
		}
		if before := max(i-1, 0); i > 0 && in.Branches[before].When.IsZero() {
			b.add(one.Name.Diag("unreachable-branch", fmt.Sprintf("give %q a when, or put it last", in.Branches[before].Name.Value),
				"branch %q is never taken: the one before it has no when", one.Name.Value))
		}
	}
}

func (b *builder) branchName(in *Branch, lines map[string]int) {
	name := in.Name
	if !IsName(name.Value) {
		b.add(name.Diag("bad-name", NameHint, "%q cannot be the name of a branch", name.Value))
		return
	}
	if line, twice := lines[name.Value]; twice {
		b.add(name.Diag("duplicate-name", "", "there is a branch %q already, in line %d", name.Value, line))
		return
	}
	lines[name.Value] = name.Pos().Line
}

// actions compiles those of then, and the branches with theirs.
func (b *builder) actions(in *Rule, out *rule) {
	steps, outside := b.steps(in), b.compiler
	for number, one := range in.Actions() {
		b.compiler = outside.With(steps.names(b, len(out.actions))...)
		a := b.action(one)
		a.step, a.words = one.Step.Value, one.After.Words()
		if target := b.targets[a.connection]; target.Outputs != nil {
			a.outputs, _ = target.Outputs(one.Inputs)
		}
		a.moment = b.moment(one)
		a.judgeLate()
		a.number, a.position = number, len(out.actions)
		a.name = event.ActionName(out.name, a.connection, number)
		if a.remember != nil {
			a.name = event.ActionName(out.name, RememberName, number)
		}
		out.actions = append(out.actions, a)
	}
	b.compiler = outside
	steps.link(out)
	rest := out.actions
	take := func(n int) (list []*action) {
		list, rest = rest[:n:n], rest[n:]
		return list
	}
	out.then = take(len(in.Then))
	for i := range in.Branches {
		one := &in.Branches[i]
		made := &branch{name: one.Name.Value, at: one.Name.Pos(), when: b.condition(one.When), actions: take(len(one.Then))}
		made.sends = slices.Concat(out.then, made.actions)
		for _, a := range made.actions {
			a.branch = made
		}
		out.branches = append(out.branches, made)
	}
}

func (b *builder) name(name yamlnode.Text) {
	if name.IsZero() { // missing: the decoder has said so
		return
	}
	if !IsName(name.Value) {
		b.add(name.Diag("bad-name", NameHint, "%q cannot be the name of a rule", name.Value))
		return
	}
	if first, twice := b.named[name.Value]; twice {
		b.add(name.Diag("duplicate-name", "", "there is a rule %q already, in %s", name.Value, first.LineFor(name.Pos())))
		return
	}
	b.named[name.Value] = name.Pos()
}

func (b *builder) from(in *Rule) []string {
	var names []string
	for _, from := range in.From {
		if _, known := b.origins[from.Value]; !known {
			b.add(from.Diag("unknown-source", diag.DidYouMean(from.Value, slices.Sorted(maps.Keys(b.origins))),
				"no source or form is called %q", from.Value))
			continue
		}
		if !slices.Contains(names, from.Value) {
			names = append(names, from.Value)
		}
	}
	return names
}

// events checks the types against those that the rule's origins can have.
func (b *builder) events(in *Rule) []string {
	var known []string
	anyType := len(in.From) == 0
	for _, from := range in.From {
		types, found := b.origins[from.Value]
		anyType = anyType || !found || types == nil
		known = append(known, types...)
	}
	if in.Events != nil && len(in.Events) == 0 {
		b.add(in.Name.Diag("empty-value", "leave events out for all", "rule %q listens to no type of event", in.Name.Value))
	}
	var names []string
	for _, typ := range in.Events {
		if typ.Value == "" {
			b.add(typ.Diag("empty-value", "leave events out for all", "no event has an empty type"))
			continue
		}
		if !anyType && !slices.Contains(known, typ.Value) {
			b.add(typ.Diag("unknown-event", diag.DidYouMean(typ.Value, known), "%q has no event %q", in.From[0].Value, typ.Value))
			continue
		}
		if !slices.Contains(names, typ.Value) {
			names = append(names, typ.Value)
		}
	}
	return names
}

func (b *builder) condition(text yamlnode.Text) *lang.Predicate {
	if text.IsZero() {
		return nil
	}
	p, list := b.compiler.Predicate(text)
	b.add(list...)
	return p
}

func (b *builder) expression(text yamlnode.Text) *lang.Expression {
	e, list := b.compiler.Expression(text)
	b.add(list...)
	return e
}

func (b *builder) action(in *Action) *action {
	if in.Remember != nil {
		return b.remembers(in)
	}
	out := &action{connection: in.To.Value, at: in.To.Pos(), when: b.condition(in.When)}
	if in.Digest != nil {
		out.digest = b.digest(in)
		outside := b.compiler
		defer func() { b.compiler = outside }()
		b.compiler = outside.With(lang.Name{Name: lang.ItemsName, Late: true})
	}
	if !in.OrderingKey.IsZero() {
		out.key = b.expression(in.OrderingKey)
	}
	if in.Throttle != nil {
		out.throttle = b.throttle(in.Throttle)
	}
	target, known := b.targets[in.To.Value]
	if !known {
		if !in.To.IsZero() {
			b.add(in.To.Diag("unknown-connection", diag.DidYouMean(in.To.Value, slices.Sorted(maps.Keys(b.targets))),
				"no connection is called %q", in.To.Value))
		}
		out.inputs = b.templates(in.Inputs)
		return out
	}
	if target.Noun == "" {
		out.inputs = b.templates(in.Inputs)
		return out
	}
	out.inputs = b.inputs(in, target)
	if target.Check != nil {
		b.add(target.Check(in.Node, in.Inputs)...)
	}
	return out
}

// templates compiles what stands in an action whose connection is unknown, so
// that the faults of its expressions are reported in the same run.
func (b *builder) templates(fields []yamlnode.Field) []input {
	inputs := make([]input, 0, len(fields))
	for _, f := range fields {
		declared := lang.Input{Name: f.Key.Value, Kind: lang.ValueInput}
		t, list := b.compiler.Template(f.Value, declared)
		b.add(list...)
		inputs = append(inputs, newInput(declared, t))
	}
	return inputs
}

func (b *builder) inputs(in *Action, target lang.Action) []input {
	names := slices.DeleteFunc(ActionKeys(), func(key string) bool { return key == "remember" })
	for _, i := range target.Inputs {
		names = append(names, i.Name)
	}
	var inputs []input
	given := map[string]bool{}
	for _, f := range in.Inputs {
		i := slices.IndexFunc(target.Inputs, func(i lang.Input) bool { return i.Name == f.Key.Value })
		if i < 0 {
			b.add(yamlnode.UnknownKey(f.Key, target.Noun, slices.Clone(names), in))
			inputs = append(inputs, b.templates([]yamlnode.Field{f})...)
			continue
		}
		declared := target.Inputs[i]
		given[declared.Name] = true
		t, list := b.compiler.Template(f.Value, declared)
		b.add(list...)
		if declared.Check != nil {
			b.add(declared.Check(f.Value)...)
		}
		one := newInput(declared, t)
		one.required = one.required || declared.NotEmpty && !anyGiven(in.Inputs, declared.Unless)
		one.full = notEmpty(declared, one.required, f.Value)
		inputs = append(inputs, one)
	}
	for _, declared := range target.Inputs {
		switch {
		case given[declared.Name]:
		case declared.Required:
			b.add(yamlnode.MissingKey(in.Node, declared.Name, "", target.Noun))
		case declared.Default != "" && !slices.ContainsFunc(declared.Unless, func(other string) bool { return given[other] }):
			t, list := b.compiler.Default(declared)
			b.add(list...)
			inputs = append(inputs, newInput(declared, t))
		}
	}
	return inputs
}

// anyGiven reports whether one of the names is among the fields.
func anyGiven(fields []yamlnode.Field, names []string) bool {
	return slices.ContainsFunc(fields, func(f yamlnode.Field) bool { return slices.Contains(names, f.Key.Value) })
}

// notEmpty are the paths of the values that nothing is sent without: the
// input itself, if it is needed, and those of its fields that are.
func notEmpty(declared lang.Input, needed bool, n yamlnode.Node) []string {
	var paths []string
	if needed {
		paths = append(paths, n.Path())
	}
	for _, in := range declared.Fields {
		if value := n.Get(in.Name); in.NotEmpty && !value.IsZero() {
			paths = append(paths, value.Path())
		}
	}
	return paths
}

// KeyHint says what other tools' words for an action's keys are here.
func (*Action) KeyHint(key string) string {
	ours := map[string]string{
		"filter": "when", "if": "when", "condition": "when", "on": "when", "connection": "to", "target": "to", "key": "ordering_key",
		"wait": "delay", "sleep": "delay", "after_time": "delay", "at": "delay_until", "until": "delay_until", "schedule": "delay_until",
		"during": "only_during", "calendar": "only_during", "business_hours": "only_during", "hours": "only_during",
	}[key]
	switch {
	case slices.Contains([]string{"needs", "depends_on", "require", "requires", "previous"}, key):
		return "after: NAME, the step of another action of the rule"
	case slices.Contains([]string{"on_failure", "on_error", "fallback", "catch", "error_handler"}, key):
		return "write another action that comes after: { NAME: failed }"
	case slices.Contains([]string{"continue_on_error", "always", "finally"}, key):
		return "after: { NAME: ended } goes on however NAME ends"
	case slices.Contains([]string{"name", "id", "step_id"}, key):
		return "step: NAME names an action for those that come after it"
	case slices.Contains([]string{"once", "unique", "dedupe", "run_once"}, key):
		return "throttle: { key: …, within: 365d } lets one go in that time"
	case slices.Contains([]string{"rate_limit", "limit", "at_most"}, key):
		return "throttle: { times: 3, within: 1h } holds the others back; rate_limit on the connection makes it slower and loses none"
	case slices.Contains([]string{"debounce", "quiet", "settle"}, key):
		return "digest: { key: …, quiet: 5m } sends once, when nothing more has come for that long"
	case slices.Contains([]string{"batch", "group", "group_by", "aggregate", "collect", "bundle", "group_wait", "buffer", "summary"}, key):
		return "digest: { key: …, wait: 10m } gathers events and sends one for all of them"
	case slices.Contains([]string{"for_each", "foreach", "loop", "each"}, key):
		return "for_each is a key of the rule"
	case slices.Contains([]string{"if_else", "else", "switch", "branches", "otherwise"}, key):
		return "branches is a key of the rule"
	case ours == "":
		return ""
	}
	return `did you mean "` + ours + `"?`
}
