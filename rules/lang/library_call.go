package lang

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/expr-lang/expr/ast"

	"hookgate/internal/diag"
	"hookgate/internal/locale"
)

// param is what a function takes.
type param struct {
	name      string
	kind      paramKind
	optional  bool
	otherwise string // what stands for it where it is left out, as people read it
	rest      bool   // any number of them
	most      int    // bytes of a text; 0: maxText
	// check looks at a text that stands in the expression; nil: any will do.
	check func(text string) error
}

// paramKind is what a function takes for a parameter.
type paramKind int

const (
	anyParam      paramKind = iota
	textParam               // string
	numberParam             // int or float64, or a text that number reads
	wholeParam              // int
	listParam               // []any
	objectParam             // map[string]any
	timeParam               // time.Time, or what time reads
	patternParam            // *pattern
	calendarParam           // *calendar.Calendar
)

func (k paramKind) String() string {
	return [...]string{"a value", "a text", "a number", "a whole number", "a list", "an object", "a time", "a text", "the name of a calendar"}[k]
}

func anything(name string) param { return param{name: name} }
func text(name string) param     { return param{name: name, kind: textParam} }
func numeric(name string) param  { return param{name: name, kind: numberParam} }
func integer(name string) param  { return param{name: name, kind: wholeParam} }
func listOf(name string) param   { return param{name: name, kind: listParam} }
func object(name string) param   { return param{name: name, kind: objectParam} }
func moment(name string) param   { return param{name: name, kind: timeParam} }

func regularExpression(name string) param {
	return param{name: name, kind: patternParam, check: func(text string) error {
		_, err := compilePattern(text)
		return err
	}}
}

// or makes the parameter one that can be left out.
func (p param) or(otherwise string) param {
	p.optional, p.otherwise = true, otherwise
	return p
}

// checked has the texts that stand in an expression looked at.
func (p param) checked(check func(text string) error) param {
	p.check = check
	return p
}

// oneOf takes a text among some.
func oneOf(name string, values ...string) param {
	p := text(name)
	p.check = func(text string) error {
		if slices.Contains(values, text) {
			return nil
		}
		return limitf("%s is one of %s, not %q", name, strings.Join(values, ", "), text)
	}
	return p
}

func language() param {
	return text("lang").or("server.lang").checked(func(text string) error {
		_, err := localeNamed(text)
		return err
	})
}

func zone() param {
	return text("zone").or("server.timezone").checked(func(text string) error {
		_, err := zoneNamed(text)
		return err
	})
}

func localeNamed(tag string) (*locale.Locale, error) {
	if l, ok := locale.Find(tag); ok {
		return l, nil
	}
	return nil, limitf("the language %q is not known; these are: %s", tag, strings.Join(locale.Tags(), ", "))
}

// run calls the function with the arguments of an expression.
func (f *function) run(m *meter, given []any) (any, error) {
	if f.own {
		return f.call(m, given)
	}
	if len(given) > 0 && given[0] == nil && f.null == "" {
		return nil, nil
	}
	args := make([]any, max(len(given), len(f.params)))
	for i, v := range given {
		if i == 0 && v == nil {
			continue // the function knows what to make of it
		}
		p := &f.params[min(i, len(f.params)-1)]
		arg, err := p.argument(m, v)
		if err != nil {
			return nil, limitf("%s %s", f.name, err)
		}
		if arg == nil && v != nil {
			return nil, nil // it cannot be read
		}
		args[i] = arg
	}
	result, err := f.call(m, args)
	if err != nil {
		return nil, err
	}
	if text, isText := result.(string); isText {
		if err := m.room(f.name, len(text)); err != nil {
			return nil, err
		}
	}
	return result, m.charge(result)
}

// argument is v as the function takes it; nil: it cannot be read.
func (p *param) argument(m *meter, v any) (any, error) {
	if v == nil && (p.optional || p.kind == anyParam) {
		return nil, nil
	}
	if text, isText := v.(string); isText && len(text) > p.longest() {
		return nil, limitf("takes a text of at most %d KB", p.longest()>>10)
	}
	switch p.kind {
	case numberParam:
		return readNumber(m, v)
	case timeParam:
		return readTime(v, m.place.zone)
	case patternParam:
		return readPattern(p, v)
	case calendarParam:
		return readCalendar(m, v)
	case listParam:
		list, ok := listFrom(v)
		if !ok {
			return nil, p.wrong(kindOf(v))
		}
		return list, short(list, maxItems)
	case anyParam, textParam, wholeParam, objectParam:
	}
	return v, p.plain(v)
}

// plain refuses a value of another type than the parameter's.
func (p *param) plain(v any) error {
	ok := true
	switch p.kind {
	case textParam:
		_, ok = v.(string)
	case wholeParam:
		_, ok = v.(int)
	case objectParam:
		var object map[string]any
		if object, ok = v.(map[string]any); len(object) > maxItems {
			return limitf("takes an object of at most %d keys", maxItems)
		}
	case anyParam, numberParam, listParam, timeParam, patternParam, calendarParam:
	}
	if !ok {
		return p.wrong(kindOf(v))
	}
	return nil
}

// readPattern is a regular expression, which was compiled where it stands in
// the expression.
func readPattern(p *param, v any) (any, error) {
	switch x := v.(type) {
	case *pattern:
		return x, nil
	case string:
		compiled, err := compilePattern(x)
		if err != nil {
			return nil, limitf("cannot take the pattern: %s", err)
		}
		return compiled, nil
	}
	return nil, p.wrong(kindOf(v))
}

// longest is how many bytes a text may have.
func (p *param) longest() int {
	if p.most > 0 {
		return p.most
	}
	return maxText
}

// upTo bounds the text, in KB, for a function that needs much for each byte.
func (p param) upTo(most int) param {
	p.most = most << 10
	return p
}

// wrong says what the parameter is, where something else was given.
func (p *param) wrong(got string) error {
	if strings.HasSuffix(p.kind.String(), " "+p.name) {
		return limitf("needs %s, but got %s", p.kind, got)
	}
	return limitf("needs %s as %s, but got %s", p.kind, p.name, got)
}

// readNumber is a number, or what a text says in the server's language.
func readNumber(m *meter, v any) (any, error) {
	switch x := v.(type) {
	case int, float64:
		return x, nil
	case json.Number:
		return nil, limitf("cannot take %s: it is too large a number", brief(x))
	case string:
		return numberIn(x, m.place.locale)
	}
	return nil, limitf("needs a number, but got %s", kindOf(v))
}

// calls checks the arguments of our functions: how many there are, and of
// those whose type or text is known whether the function takes them.
type calls struct {
	src   *source
	place *place
	list  diag.List
}

func (c *calls) visit(n ast.Node) {
	if call, ok := n.(*ast.CallNode); ok {
		if f := calledFunction(call); f != nil && !f.own {
			c.call(call, f)
		}
	}
	for _, child := range children(n) {
		c.visit(*child)
	}
}

// fnTyped stands before the name of a function whose result has a type.
const fnTyped = "\x01"

// calledFunction is the function of ours that is called; nil: another.
func calledFunction(call *ast.CallNode) *function {
	callee, ok := call.Callee.(*ast.IdentifierNode)
	if !ok {
		return nil
	}
	return added[strings.TrimPrefix(callee.Value, fnTyped)]
}

// typed has the calls of our functions checked for what they give. Their own
// names are not in the checker's scope: they are good names for variables.
func typed(n ast.Node) {
	if call, ok := n.(*ast.CallNode); ok && calledFunction(call) != nil {
		if callee, ok := call.Callee.(*ast.IdentifierNode); ok {
			callee.Value = fnTyped + callee.Value
		}
	}
	for _, child := range children(n) {
		typed(*child)
	}
}

func (c *calls) fault(n ast.Node, hint, format string, args ...any) {
	spans := newSpans(c.src)
	from, to := spans.of(n)
	c.list = append(c.list, c.src.fault(from, to, "expr-type", hint, format, args...))
}

func (c *calls) call(call *ast.CallNode, f *function) {
	least, most := 0, len(f.params)
	for _, p := range f.params {
		if p.rest {
			most = len(call.Arguments)
		}
		if !p.optional && !p.rest {
			least++
		}
	}
	if got := len(call.Arguments); got < least || got > most {
		c.fault(call, "write "+f.signature(), "%s takes %s, not %d", f.name, countOf(least, most, f), got)
		return
	}
	for i, arg := range call.Arguments {
		c.argument(arg, f, &f.params[min(i, len(f.params)-1)])
	}
}

// countOf is how many arguments a function takes.
func countOf(least, most int, f *function) string {
	word := "arguments"
	switch {
	case f.params[len(f.params)-1].rest:
		return fmt.Sprintf("at least %d %s", least, word)
	case least != most:
		return fmt.Sprintf("%d to %d %s", least, most, word)
	case least == 1:
		word = "argument"
	}
	return fmt.Sprintf("%d %s", least, word)
}

func (c *calls) argument(arg ast.Node, f *function, p *param) {
	t := arg.Type()
	if _, null := arg.(*ast.NilNode); null || t == nil {
		return
	}
	if !p.takes(t) {
		c.fault(arg, "write "+f.signature(), "%s %s", f.name, p.wrong(kindOfType(t.String())))
		return
	}
	text, ok := arg.(*ast.StringNode)
	switch {
	case ok && p.kind == calendarParam:
		c.calendar(text)
	case ok && p.check != nil:
		if err := p.check(text.Value); err != nil {
			c.fault(arg, "", "%s", err)
		}
	}
}

// takes reports whether a value of a type can be the argument.
func (p *param) takes(t reflect.Type) bool {
	kind := t.Kind()
	if kind == reflect.Interface {
		return true
	}
	isNumber := kind == reflect.Int || kind == reflect.Float64
	switch p.kind {
	case anyParam:
		return true
	case textParam, patternParam, calendarParam:
		return kind == reflect.String
	case numberParam:
		return isNumber || kind == reflect.String
	case wholeParam:
		return kind == reflect.Int
	case listParam:
		return kind == reflect.Slice || kind == reflect.Array
	case objectParam:
		return kind == reflect.Map
	case timeParam:
		return isNumber || kind == reflect.String || t == reflect.TypeFor[time.Time]()
	}
	return false
}

// textOr is an argument that may be left out.
func textOr(arg any, otherwise string) string {
	if text, ok := arg.(string); ok {
		return text
	}
	return otherwise
}

func wholeOr(arg any, otherwise int) int {
	if n, ok := arg.(int); ok {
		return n
	}
	return otherwise
}

// localeOr is the locale of an argument, or the server's.
func (m *meter) localeOr(arg any) (*locale.Locale, error) {
	if tag, ok := arg.(string); ok {
		return localeNamed(tag)
	}
	return m.place.locale, nil
}
