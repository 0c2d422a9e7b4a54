// Package ruletest runs the tests that stand under `tests` in the
// configuration: it asks ingest.Decide what becomes of an event that nobody has
// sent, and compares that with what is expected. Nothing is sent or stored.
package ruletest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"hookgate/app/ingest"
	"hookgate/internal/diag"
	"hookgate/internal/event"
	"hookgate/internal/yamlnode"
	"hookgate/rules"
	"hookgate/rules/lang"
)

// settings are one entry under tests, as it stands in the file.
type settings struct {
	Name      yamlnode.Text    `yaml:"name,required" doc:"What must hold. Names the test; unique."`
	At        yamlnode.Text    `yaml:"at" doc:"When the event comes; else the time at which the test is run." example:"2026-03-27T16:50"`
	Tables    yamlnode.Node    `yaml:"tables" doc:"What kept tables hold before the event: records by table and key. Others are empty." example:"{ websites: { \"7\": { status: Preparation } } }"`
	Event     eventSettings    `yaml:"event,required" doc:"The event that the rules are asked about."`
	Set       yamlnode.Node    `yaml:"set" doc:"Values of the event that are changed first, by their paths: website.status, items.0.name."`
	Answers   yamlnode.Node    `yaml:"answers" doc:"What steps are answered, by rule/step or rule/connection: { outputs: { id: 7 } }, { failed: the reason }, or { status: 201, body: { id: 7 } }, which its connection judges; a list is what its attempts are answered. All others are delivered, and have no outputs."`
	Expect    *[]yamlnode.Text `yaml:"expect,single" doc:"All that rules must send, in any order: rule/connection, or rule/connection#2 for a rule's second action to it. [] is nothing. A form's own reply is autoreply/connection; it is asked for only where it is named."`
	Unmatched bool             `yaml:"unmatched" doc:"No rule may match."`
	Assert    []yamlnode.Text  `yaml:"assert,single" doc:"Expressions that must be true. They see output, data, event, headers and query."`
	Later     []laterSettings  `yaml:"later" doc:"What is sent later: of the event, and of others that come then."`
}

// laterSettings are one entry under later.
type laterSettings struct {
	In     yamlnode.Text    `yaml:"in,required" doc:"So long after the test's event." type:"duration" example:"7d"`
	Event  yamlnode.Node    `yaml:"event" doc:"An event that comes then; none where it is left out."`
	Set    yamlnode.Node    `yaml:"set" doc:"Values of that event that are changed first."`
	Expect *[]yamlnode.Text `yaml:"expect,single" doc:"All that is sent since the part before."`
	Assert []yamlnode.Text  `yaml:"assert,single" doc:"Expressions that must be true then. output is what was sent since the part before."`
}

// Noun names a part of a test in messages.
func (*laterSettings) Noun() string { return "a later part of a test" }

// eventSettings is where a test's event comes from.
type eventSettings struct {
	Source  yamlnode.Text            `yaml:"source,required" doc:"The source or form that it comes from."`
	Type    yamlnode.Text            `yaml:"type" doc:"The type of the event, where it does not say so itself."`
	File    yamlnode.Text            `yaml:"file" doc:"A file with the body. A relative path starts at the folder of this file."`
	Data    yamlnode.Node            `yaml:"data" doc:"The body as JSON, or the fields that are posted to a form."`
	Sample  yamlnode.Text            `yaml:"sample" doc:"In place of a file: a sample that hookgate has of the source's sender, by its name (hookgate samples list)." example:"website_status_changed"`
	Headers map[string]yamlnode.Text `yaml:"headers" doc:"The request's headers. Rules do not see credentials, here either."`
	Query   map[string]yamlnode.Text `yaml:"query" doc:"The parameters of the URL."`
}

// Describe tells what an entry under tests can hold.
func Describe() yamlnode.Spec {
	s := yamlnode.Describe[settings]()
	value := yamlnode.Spec{Type: yamlnode.AnyType}
	s.Field("set").Type, s.Field("set").Item = yamlnode.MappingType, &value
	s.Field("assert").Item.Type = yamlnode.Expression
	s.Field("tables").Type, s.Field("tables").Item = yamlnode.MappingType, &yamlnode.Spec{
		Type: yamlnode.MappingType, Item: &yamlnode.Spec{Type: yamlnode.MappingType, Item: &value},
	}
	s.Field("answers").Type = yamlnode.MappingType
	s.Field("answers").Item = &yamlnode.Spec{Type: yamlnode.ObjectType, Fields: []yamlnode.Spec{
		{Name: "outputs", Doc: "It is delivered, and these are its outputs.", Type: yamlnode.MappingType, Item: &value},
		{Name: "failed", Doc: "It fails for good, and this is the reason.", Type: yamlnode.TextType},
		{Name: "status", Doc: "Its receiver answers with this status, 200 unless set: its connection judges that, and tries again as it does.", Type: yamlnode.WholeType},
		{Name: "headers", Doc: "Headers of that answer.", Type: yamlnode.MappingType, Item: &yamlnode.Spec{Type: yamlnode.TextType}},
		{Name: "body", Doc: "The body of that answer: a text, or what JSON is made of.", OneOf: []yamlnode.Spec{
			{Type: yamlnode.MappingType, Item: &value}, {Type: yamlnode.ListType, Item: &value}, {Type: yamlnode.TextType},
		}},
	}}
	one := *s.Field("answers").Item
	s.Field("answers").Item = &yamlnode.Spec{Type: yamlnode.ListType, Item: &one, Single: true}
	later := s.Field("later").Item
	later.Field("set").Type, later.Field("set").Item = yamlnode.MappingType, &value
	later.Field("assert").Item.Type = yamlnode.Expression
	coming, described := later.Field("event"), yamlnode.Describe[eventSettings]()
	coming.Type, coming.Fields = described.Type, described.Fields
	coming.Field("data").OneOf = []yamlnode.Spec{{Type: yamlnode.MappingType, Item: &value}, {Type: yamlnode.ListType, Item: &value}}
	s.Field("event").Field("data").OneOf = []yamlnode.Spec{{Type: yamlnode.MappingType, Item: &value}, {Type: yamlnode.ListType, Item: &value}}
	return s
}

// Noun names a test in messages.
func (*settings) Noun() string { return "a test" }

// KeyHint says what other tools' words for a test's keys are here.
func (*settings) KeyHint(key string) string {
	ours := map[string]string{
		"expects": "expect", "expected": "expect", "then": "expect", "deliveries": "expect", "asserts": "assert", "check": "assert",
		"given": "event", "input": "event", "request": "event", "with": "set", "title": "name", "description": "name", "records": "tables", "kept": "tables", "state": "tables",
	}[key]
	if ours == "" {
		return ""
	}
	return `did you mean "` + ours + `"?`
}

// Noun names a test's event in messages.
func (*eventSettings) Noun() string { return "a test's event" }

// KeyHint says what other tools' words for its keys are here.
func (*eventSettings) KeyHint(key string) string {
	ours := map[string]string{
		"from": "source", "form": "source", "path": "file", "fixture": "file", "example": "sample", "body": "data", "json": "data", "fields": "data",
	}[key]
	if ours == "" {
		return ""
	}
	return `did you mean "` + ours + `"?`
}

// Test is one entry under tests, compiled.
type Test struct {
	Name string
	At   diag.Position

	node        string // its path in the document
	source, typ string
	file        string // as it is written; "": data
	fileText    yamlnode.Text
	path        string // of the file
	data        []byte // JSON
	sample      string // the name of one; "": file or data
	headers     map[string]string
	query       map[string]any
	set         []ingest.Assignment
	expects     bool // expect is given
	expect      []string
	unmatched   bool
	asserts     []assertion

	answers map[string]lang.Answer // of steps, by name
	kept    []event.RecordWrite    // what tables hold before
	at      string                 // when the event comes; "": now
	event   bool                   // there is one
	in      string                 // of a later part: so long after the test's event
	later   []*Test
}

// assertion is one entry under assert.
type assertion struct {
	*lang.Predicate
	at diag.Position
}

// Compile reads the section tests of the configuration and reports every fault
// in it. set are its rules, which may have faults of their own, replies what
// forms answer themselves, by name, and origins its sources and forms. Files
// are found from the folder of the file that names them on; they are read when
// the tests run.
func Compile(section yamlnode.Node, c *lang.Compiler, set *rules.Set, replies map[string]*rules.Set, origins rules.Origins) ([]*Test, diag.List) {
	if section.Kind() == yamlnode.Null {
		return nil, nil
	}
	var entries []settings
	list := section.Decode("the file", &entries)
	b := builder{compiler: c, rules: set.Names(), steps: set.Steps(), stepActions: set.StepActions(), origins: origins, named: map[string]diag.Position{}, list: list}
	items := section.Items()
	tests := make([]*Test, 0, len(entries))
	for i := range entries {
		b.actions = set.Actions()
		if reply := replies[entries[i].Event.Source.Value]; reply != nil {
			b.actions = append(b.actions, reply.Actions()...)
		}
		tests = append(tests, b.test(&entries[i], items[i]))
	}
	return tests, b.list
}

type builder struct {
	compiler *lang.Compiler
	actions  []string // that an event of the test's source can have
	steps    []string
	rules    []string
	// stepActions are the names of the steps' actions.
	stepActions map[string]string
	origins     rules.Origins
	named       map[string]diag.Position
	list        diag.List
}

func (b *builder) add(list ...diag.Diagnostic) { b.list = append(b.list, list...) }

func (b *builder) test(in *settings, n yamlnode.Node) *Test {
	t := &Test{node: n.Path(), Name: in.Name.Value, At: in.Name.Pos(), unmatched: in.Unmatched, event: true, at: in.At.Value}
	if _, ok := lang.ReadTime(t.at, time.UTC); !ok && !in.At.IsZero() {
		b.add(in.At.Diag("bad-value", "write it like 2026-03-27T16:50", "%q is no time", t.at))
	}
	b.name(in.Name)
	t.kept = b.tables(in.Tables)
	b.event(t, &in.Event)
	b.set(t, in.Set)
	b.answers(t, in.Answers)
	b.expect(t, in.Expect)
	if in.Unmatched && len(t.expect) > 0 {
		b.add(n.Get("unmatched").Diag("conflict", "keep one of them", `a test with "unmatched" can expect nothing`))
	}
	b.asserts(t, in.Assert)
	items := n.Get("later").Items()
	for i := range in.Later {
		t.later = append(t.later, b.laterPart(t, &in.Later[i], items[i]))
	}
	if n.Kind() == yamlnode.Map && n.Get("expect").IsZero() && n.Get("assert").IsZero() && !in.Unmatched {
		b.add(n.Diag("missing-key", "expect: [] says that nothing is sent", `a test needs "expect", "unmatched" or "assert"`))
	}
	return t
}

func (b *builder) asserts(t *Test, list []yamlnode.Text) {
	for _, text := range list {
		p, faults := b.compiler.Assertion(text, slices.Concat(b.actions, b.steps))
		b.add(faults...)
		t.asserts = append(t.asserts, assertion{p, text.Pos()})
	}
}

// laterPart compiles a part of a test that comes later.
func (b *builder) laterPart(of *Test, in *laterSettings, n yamlnode.Node) *Test {
	t := &Test{node: n.Path(), Name: of.Name, At: n.Pos(), in: in.In.Value, answers: of.answers, event: !in.Event.IsZero()}
	if _, err := rules.ParseDelay(t.in); err != nil && !in.In.IsZero() {
		b.add(in.In.Diag("bad-value", "write it like 10m, 2h or 7d", "in: %s", err))
	}
	if t.event {
		var e eventSettings
		b.add(in.Event.Decode("a test's event", &e)...)
		b.event(t, &e)
	}
	b.set(t, in.Set)
	b.expect(t, in.Expect)
	b.asserts(t, in.Assert)
	if n.Kind() == yamlnode.Map && n.Get("expect").IsZero() && n.Get("assert").IsZero() {
		b.add(n.Diag("missing-key", "expect: [] says that nothing is sent", `a later part needs "expect" or "assert"`))
	}
	return t
}

func (b *builder) name(name yamlnode.Text) {
	switch first, twice := b.named[name.Value]; {
	case name.IsZero(): // said by the decoder
	case strings.TrimSpace(name.Value) == "":
		b.add(name.Diag("empty-value", "", `"name" is empty`))
	case twice:
		b.add(name.Diag("duplicate-name", "", "there is a test %q already, in %s", name.Value, first.LineFor(name.Pos())))
	default:
		b.named[name.Value] = name.Pos()
	}
}

func (b *builder) event(t *Test, in *eventSettings) {
	t.source, t.typ, t.file, t.fileText = in.Source.Value, in.Type.Value, in.File.Value, in.File
	types, known := b.origins[in.Source.Value]
	if !known && !in.Source.IsZero() {
		b.add(in.Source.Diag("unknown-source", diag.DidYouMean(in.Source.Value, slices.Sorted(maps.Keys(b.origins))), "no source or form is called %q", in.Source.Value))
	}
	if !in.Type.IsZero() && known && types != nil && !slices.Contains(types, in.Type.Value) {
		b.add(in.Type.Diag("unknown-event", diag.DidYouMean(in.Type.Value, types), "%q has no event %q", in.Source.Value, in.Type.Value))
	}
	t.data = []byte("{}")
	if t.sample = in.Sample.Value; t.sample == "" && !in.Sample.IsZero() {
		b.add(in.Sample.Diag("empty-value", "hookgate samples list shows them", `"sample" is empty`))
	}
	switch {
	case !in.Sample.IsZero() && (!in.File.IsZero() || !in.Data.IsZero()):
		b.add(in.Sample.Diag("conflict", "keep one of them", `a test's event has "sample" beside "file" or "data"`))
	case !in.File.IsZero() && !in.Data.IsZero():
		b.add(in.Data.Diag("conflict", "keep one of them", `a test's event has both "file" and "data"`))
	case !in.Data.IsZero():
		t.data = b.json(in.Data)
	}
	if t.path = t.file; t.file != "" && !filepath.IsAbs(t.file) {
		t.path = filepath.Join(filepath.Dir(in.File.Pos().File), t.file)
	}
	t.headers, t.query = map[string]string{}, map[string]any{}
	for name, value := range in.Headers {
		t.headers[name] = value.Value
	}
	for name, value := range in.Query {
		t.query[name] = value.Value
	}
}

// json is a value of the file as JSON text.
func (b *builder) json(n yamlnode.Node) []byte {
	text, list := appendJSON(nil, n)
	b.add(list...)
	return text
}

func (b *builder) set(t *Test, n yamlnode.Node) {
	if n.Kind() == yamlnode.Null {
		return
	}
	if n.Kind() != yamlnode.Map {
		b.add(n.Diag("wrong-type", "such as { website.status: Done }", `"set" must be a mapping of paths`))
		return
	}
	for _, f := range n.Fields() {
		t.set = append(t.set, ingest.Assignment{Path: f.Key.Value, Value: b.json(f.Value)})
	}
}

func (b *builder) expect(t *Test, names *[]yamlnode.Text) {
	if names == nil {
		return
	}
	t.expects = true
	for _, name := range *names {
		if action, isStep := b.stepActions[name.Value]; isStep && !slices.Contains(b.actions, name.Value) {
			name.Value = action
		}
		switch {
		case !slices.Contains(b.actions, name.Value):
			b.add(name.Diag("unknown-action", b.hint(name.Value), "no rule has the action %q", name.Value))
		case slices.Contains(t.expect, name.Value):
			b.add(name.Diag("duplicate-name", "an action sends once for an event", "%q is expected twice", name.Value))
		default:
			t.expect = append(t.expect, name.Value)
		}
	}
}

// hint says which action may be meant.
func (b *builder) hint(name string) string {
	rule, _, full := strings.Cut(name, "/")
	var of []string
	for _, a := range b.actions {
		if strings.HasPrefix(a, rule+"/") {
			of = append(of, a)
		}
	}
	switch near := diag.DidYouMean(name, b.actions); {
	case near != "":
		return near
	case len(of) > 0:
		return fmt.Sprintf("%s has %s", rule, strings.Join(of, ", "))
	case !full:
		return "write rule/connection"
	}
	return diag.DidYouMean(rule, b.rules)
}

// appendJSON writes a value of the configuration as JSON, in the order of its
// keys.
func appendJSON(dst []byte, n yamlnode.Node) ([]byte, diag.List) {
	var list diag.List
	switch n.Kind() {
	case yamlnode.Map:
		dst = append(dst, '{')
		for i, f := range n.Fields() {
			if i > 0 {
				dst = append(dst, ',')
			}
			key, _ := encode(f.Key.Value)
			var faults diag.List
			dst, faults = appendJSON(append(append(dst, key...), ':'), f.Value)
			list = append(list, faults...)
		}
		return append(dst, '}'), list
	case yamlnode.List:
		dst = append(dst, '[')
		for i, item := range n.Items() {
			if i > 0 {
				dst = append(dst, ',')
			}
			var faults diag.List
			dst, faults = appendJSON(dst, item)
			list = append(list, faults...)
		}
		return append(dst, ']'), list
	case yamlnode.Scalar, yamlnode.Null:
	}
	text, err := encode(n.Any())
	if err != nil {
		return append(dst, "null"...), diag.List{n.Diag("bad-value", "", "JSON has no %s", n.Text().Written())}
	}
	return append(dst, text...), nil
}

// encode writes v as JSON; an error is a number that JSON lacks.
func encode(v any) ([]byte, error) {
	var buf bytes.Buffer
	e := json.NewEncoder(&buf)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSpace(buf.Bytes()), nil
}
