package lang

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"unicode/utf8"

	"hookgate/internal/diag"
	"hookgate/internal/jsondoc"
	"hookgate/internal/yamlnode"
)

// run evaluates the program. Its error is for people.
func (p *program) run(s *Scope) (any, error) {
	if p.fast.Program == nil {
		return p.runPlain(s)
	}
	s.enter(p.space)
	if s.load(p.reads) {
		if p.only != nil {
			return s.env[p.only.name], nil
		}
		return p.exec(s, p.fast, s.env)
	}
	return p.runPlain(s)
}

// runPlain evaluates the program over the fully decoded event.
func (p *program) runPlain(s *Scope) (any, error) {
	return p.exec(s, p.plain, s.plainEnv())
}

func (p *program) exec(s *Scope, code code, env map[string]any) (any, error) {
	if code.metered {
		env[meterName] = &s.meter
		s.meter.start()
		s.meter.doc = s.doc
		s.meter.records = s.Records
		s.meter.at = s.Event.Time
		s.meter.source = s.Event.Source
		if p.space != nil {
			s.meter.links = p.space.links.Load()
			s.meter.place = &p.space.place
		}
	}
	value, err := s.vm.Run(code.Program, env)
	if err != nil {
		return nil, p.explainError(err)
	}
	if _, isByte := value.(byte); isByte {
		return nil, fmt.Errorf("%s: %w", brief(p.src.code), errByte)
	}
	return value, nil
}

// direct is the value in the parsed text that the expression is, where it is
// nothing but a path below data; none: it is null or missing. Where ok is false
// the expression must be evaluated.
func (p *program) direct(s *Scope) (v jsondoc.Value, ok bool) {
	if p.only == nil || p.only.root != "data" {
		return v, false
	}
	s.enter(p.space)
	return s.resolve(p.only)
}

// Predicate is an expression that is true or false.
type Predicate struct {
	p   *program
	c   *Compiler
	key string

	once  sync.Once // of parts: see joined
	parts []operand
}

// Predicate compiles a condition. An expression that can only give something
// else is an error; where the type is known at run time only, Eval checks it.
func (c *Compiler) Predicate(text yamlnode.Text) (*Predicate, diag.List) {
	return c.predicate(newSource(text, 0, len(text.Value)))
}

// Assertion compiles a condition that also sees output, the object that
// Scope.Output is. names are the keys that it can have.
func (c *Compiler) Assertion(text yamlnode.Text, names []string) (*Predicate, diag.List) {
	src := newSource(text, 0, len(text.Value))
	src.more = []Name{{Name: outputName, Keys: append([]string{}, names...)}}
	return c.predicate(src)
}

// outputName is what an assertion calls what the actions send.
const outputName = "output"

func (c *Compiler) predicate(src *source) (*Predicate, diag.List) {
	if fault, found := templateIn(src); found {
		return nil, diag.List{fault}
	}
	p, list := c.compile(src, false)
	if p == nil {
		return nil, list
	}
	if p.kind.Kind() != reflect.Bool && p.kind.Kind() != reflect.Interface {
		fault := src.fault(0, len(src.code), "expr-type", "compare it with something", "%q gives a %s, not true or false",
			src.key(), kindOfType(p.kind.String()))
		return nil, append(list, fault)
	}
	return &Predicate{p: p, c: c, key: src.key()}, list
}

// Eval says whether the event meets the condition. An error is a rule error:
// the condition could not be evaluated, or gave neither true nor false.
func (p *Predicate) Eval(s *Scope) (bool, error) {
	if p.p.necessary != nil {
		if s.enter(p.p.space); p.p.necessary.fails(s) {
			return false, nil
		}
	}
	value, err := p.p.run(s)
	if err != nil {
		return false, err
	}
	return p.verdict(value)
}

func (p *Predicate) verdict(value any) (bool, error) {
	if verdict, ok := value.(bool); ok {
		return verdict, nil
	}
	if value == nil {
		return false, fmt.Errorf("%s gave null, not true or false", p.key)
	}
	return false, fmt.Errorf("%s gave %s (%s), not true or false", p.key, brief(value), kindOf(value))
}

// Source is the condition as it is written.
func (p *Predicate) Source() string { return p.p.src.code }

// Expression is an expression that gives any value.
type Expression struct{ p *program }

// Expression compiles ordering_key, event_type, event_id and the like.
func (c *Compiler) Expression(text yamlnode.Text) (*Expression, diag.List) {
	src := newSource(text, 0, len(text.Value))
	if fault, found := templateIn(src); found {
		return nil, diag.List{fault}
	}
	p, list := c.compile(src, false)
	if p == nil {
		return nil, list
	}
	return &Expression{p: p}, list
}

// Eval gives the value: plain Go data as jsondoc.Doc.Value has it.
func (e *Expression) Eval(s *Scope) (any, error) { return e.p.run(s) }

// Text gives the value as text: "" for null, numbers without exponent, lists
// and objects as JSON.
func (e *Expression) Text(s *Scope) (string, error) {
	if v, ok := e.p.direct(s); ok {
		switch v.Kind() {
		case jsondoc.String:
			return jsondoc.ValidText(string(v.Text())), nil
		case jsondoc.Number, jsondoc.True, jsondoc.False:
			return string(v.Raw()), nil
		default: // run has their keys sorted
		}
	}
	value, err := e.p.run(s)
	if err != nil {
		return "", err
	}
	text, err := textOf(value, MaxOutput)
	if err != nil {
		return "", fmt.Errorf("%s: %w", e.p.src.code, err)
	}
	return text, nil
}

// List compiles for_each and the like: an expression that can only give something
// else than a list is an error.
func (c *Compiler) List(text yamlnode.Text) (*Expression, diag.List) {
	e, list := c.Expression(text)
	if e == nil {
		return nil, list
	}
	if kind := kindOfType(e.p.kind.String()); e.p.kind.Kind() != reflect.Interface && kind != "list" {
		src := e.p.src
		return nil, append(list, src.fault(0, len(src.code), "expr-type", "name the list in the event, such as data.items",
			"%q gives %s, not a list", src.key(), diag.A(kind)))
	}
	return e, list
}

// Items gives the items of the list that the expression is, as plain data; none where
// it is null. Anything else is an error.
func (e *Expression) Items(s *Scope) ([]any, error) {
	value, err := e.p.run(s)
	if err != nil {
		return nil, err
	}
	if value == nil {
		return nil, nil
	}
	if items, ok := value.([]any); ok {
		return items, nil
	}
	list := reflect.ValueOf(value)
	if list.Kind() != reflect.Slice {
		return nil, fmt.Errorf("%s gave %s (%s), not a list", e.p.src.key(), brief(value), kindOf(value))
	}
	items := make([]any, list.Len())
	for i := range items {
		items[i] = list.Index(i).Interface()
	}
	return items, nil
}

// Source is the expression as it is written.
func (e *Expression) Source() string { return e.p.src.code }

// At is where the expression stands in the configuration.
func (e *Expression) At() diag.Position { return e.p.src.whole() }

// templateIn finds a ${{ }} where a bare expression is wanted.
func templateIn(src *source) (diag.Diagnostic, bool) {
	from := strings.Index(src.code, "${{")
	if from < 0 {
		return diag.Diagnostic{}, false
	}
	if quotedAt(src.code, from) {
		return diag.Diagnostic{}, false
	}
	to := len(src.code)
	if end := templateEnd(src.code[from+3:]); end >= 0 {
		to = from + 3 + end + 2
	}
	return src.fault(from, to, "template-in-when", "drop the ${{ }}", "%q is already an expression", src.key()), true
}

// brief is a value as JSON, cut to what fits in a line.
func brief(v any) string {
	const most = 80
	text, err := appendJSON(nil, v, most*utf8.UTFMax)
	if err != nil && !errors.Is(err, ErrTooLarge) {
		return kindOf(v)
	}
	if runes := []rune(string(text)); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return string(text)
}

// isLimit finds the message of a bound that was hit.
func isLimit(err error) (string, bool) {
	if limit, ok := errors.AsType[*limitError](err); ok {
		return limit.message, true
	}
	return "", false
}
