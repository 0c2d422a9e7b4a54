package lang

import (
	"maps"
	"reflect"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/expr-lang/expr/builtin"
	"github.com/expr-lang/expr/conf"
)

// The functions that rewriting puts in. Their names cannot be spelt in an
// expression; each takes the meter first.
const (
	fnTick   = "\x00tick"   // (x): counts an iteration, gives x
	fnCharge = "\x00charge" // (x): accounts for x, gives x
	fnItems  = "\x00items"  // (list): refuses what is no list, or too long
	fnBound  = "\x00bound"  // (x): refuses lists that are too long
	fnFew    = "\x00few"    // (x): the same for uniq
	fnRange  = "\x00range"  // (from, to)
	fnMatch  = "\x00match"  // (text, pattern)
	fnPrefix = "\x00"       // before the name of a builtin that is replaced
)

// replaced are the builtins that would make more than maxText, show Go's
// spelling of values, or give an object's keys in a new order each time, as
// hookgate has them.
var replaced = map[string]func(m *meter, args []any) (any, error){
	"repeat":     repeat,
	"replace":    replace,
	"join":       join,
	"split":      split,
	"splitAfter": split,
	"string":     toText,
	"toJSON":     toJSON,
	"fromJSON":   fromJSON,
	"keys":       keys,
	"values":     values,
	"toPairs":    toPairs,
}

// functionsTable is what expr is told of the functions.
func functionsTable() conf.FunctionsTable {
	all := map[string]func(m *meter, args []any) (any, error){
		fnTick:   func(m *meter, args []any) (any, error) { return args[0], m.tick() },
		fnCharge: func(m *meter, args []any) (any, error) { return args[0], m.charge(args[0]) },
		fnItems:  items,
		fnBound:  func(_ *meter, args []any) (any, error) { return args[0], short(args[0], maxItems) },
		fnFew:    func(_ *meter, args []any) (any, error) { return args[0], short(args[0], maxUniq) },
		fnRange:  numbers,
		fnMatch:  match,
	}
	for name, f := range replaced {
		all[fnPrefix+name] = f
	}
	table := conf.FunctionsTable{}
	for name, f := range all {
		table[name] = &builtin.Function{Name: name, Func: func(args ...any) (any, error) {
			m, ok := args[0].(*meter)
			if !ok {
				return nil, limitf("cannot be called here")
			}
			return f(m, args[1:])
		}}
	}
	return table
}

// items passes a list that can be iterated.
func items(m *meter, args []any) (any, error) {
	switch args[0].(type) {
	case []any, []string, []int, []float64:
		return args[0], firstError(short(args[0], maxItems), m.clock())
	}
	return nil, limitf("needs a list, but got %s", kindOf(args[0]))
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// short refuses a list with more than limit items.
func short(v any, limit int) error {
	n := 0
	switch x := v.(type) {
	case []any:
		n = len(x)
	case nil, string, bool, int, float64, map[string]any:
	default:
		if r := reflect.ValueOf(v); r.Kind() == reflect.Slice {
			n = r.Len()
		}
	}
	if n > limit {
		return limitf("a list of %d items is too long here: %d is the most", n, limit)
	}
	return nil
}

// numbers is from..to.
func numbers(m *meter, args []any) (any, error) {
	from, ok1 := args[0].(int)
	to, ok2 := args[1].(int)
	if !ok1 || !ok2 {
		return nil, limitf("a range needs two integers, but got %s and %s", kindOf(args[0]), kindOf(args[1]))
	}
	if to < from {
		return []int{}, nil
	}
	if size := uint(to) - uint(from); size >= maxItems {
		return nil, limitf("a range of more than %d numbers is too long", maxItems)
	}
	list := make([]int, 0, to-from+1)
	for i := 0; i <= to-from; i++ {
		list = append(list, from+i)
	}
	return list, m.charge(list)
}

// pattern is a compiled regular expression and its size.
type pattern struct {
	re           *regexp.Regexp
	instructions int
}

// compilePattern gives an error for people.
func compilePattern(text string) (*pattern, error) {
	if len(text) > maxPattern {
		return nil, limitf("a regular expression of more than %d bytes is too long", maxPattern)
	}
	parsed, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return nil, limitf("not a regular expression: %s", strings.TrimPrefix(err.Error(), "error parsing regexp: "))
	}
	program, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		return nil, limitf("not a regular expression: %s", err)
	}
	if len(program.Inst) > maxPattern*4 {
		return nil, limitf("the regular expression is too large once its repetitions are written out")
	}
	re, err := regexp.Compile(text)
	if err != nil {
		return nil, limitf("not a regular expression: %s", err)
	}
	return &pattern{re: re, instructions: len(program.Inst)}, nil
}

// match is the operator matches. As in expr, nil matches nothing.
func match(m *meter, args []any) (any, error) {
	if args[0] == nil || args[1] == nil {
		return false, nil
	}
	text, ok := args[0].(string)
	if !ok {
		return nil, limitf("matches needs a text, but got %s", kindOf(args[0]))
	}
	p, ok := args[1].(*pattern)
	if !ok {
		source, isText := args[1].(string)
		if !isText {
			return nil, limitf("matches needs a text as its pattern, but got %s", kindOf(args[1]))
		}
		var err error
		if p, err = compilePattern(source); err != nil {
			return nil, err
		}
	}
	if p.instructions*len(text) > maxRegexWork {
		return nil, limitf("a text of %d bytes is too long for this regular expression", len(text))
	}
	if err := m.clock(); err != nil {
		return nil, err
	}
	return p.re.MatchString(text), nil
}

// texts reads the first n arguments of name as texts.
func texts(name string, args []any, n int) ([]string, error) {
	list := make([]string, n)
	for i := range list {
		text, ok := args[i].(string)
		if !ok {
			return nil, limitf("%s needs a text, but got %s", name, kindOf(args[i]))
		}
		list[i] = text
	}
	return list, nil
}

// count reads an optional integer argument.
func count(name string, args []any, i, otherwise int) (int, error) {
	if len(args) <= i {
		return otherwise, nil
	}
	n, ok := args[i].(int)
	if !ok {
		return 0, limitf("%s needs an integer, but got %s", name, kindOf(args[i]))
	}
	return n, nil
}

func repeat(m *meter, args []any) (any, error) {
	text, err := texts("repeat", args, 1)
	if err != nil {
		return nil, err
	}
	n, err := count("repeat", args, 1, 0)
	if err != nil {
		return nil, err
	}
	if n < 0 {
		return nil, limitf("repeat needs a number of times, not %d", n)
	}
	if n > maxText || len(text[0])*n > maxText {
		return nil, m.room("repeat", maxText+1)
	}
	result := strings.Repeat(text[0], n)
	return result, m.charge(result)
}

func replace(m *meter, args []any) (any, error) {
	text, err := texts("replace", args, 3)
	if err != nil {
		return nil, err
	}
	n, err := count("replace", args, 3, -1)
	if err != nil {
		return nil, err
	}
	found := strings.Count(text[0], text[1])
	if n >= 0 {
		found = min(found, n)
	}
	if err := m.room("replace", len(text[0])+found*(len(text[2])-len(text[1]))); err != nil {
		return nil, err
	}
	result := strings.Replace(text[0], text[1], text[2], n)
	return result, m.charge(result)
}

func join(m *meter, args []any) (any, error) {
	glue := ""
	if len(args) > 1 {
		text, err := texts("join", args[1:], 1)
		if err != nil {
			return nil, err
		}
		glue = text[0]
	}
	var list []string
	switch x := args[0].(type) {
	case []string:
		list = x
	case []any:
		if err := short(x, maxItems); err != nil {
			return nil, err
		}
		var err error
		if list, err = texts("join", x, len(x)); err != nil {
			return nil, err
		}
	default:
		return nil, limitf("join needs a list, but got %s", kindOf(args[0]))
	}
	size := len(glue) * len(list)
	for _, part := range list {
		size += len(part)
	}
	if err := m.room("join", size); err != nil {
		return nil, err
	}
	result := strings.Join(list, glue)
	return result, m.charge(result)
}

// split is split and splitAfter, which are told apart by a leading argument.
func split(m *meter, args []any) (any, error) {
	after, ok := args[0].(bool)
	if !ok {
		return nil, limitf("split cannot be called here")
	}
	args = args[1:]
	text, err := texts("split", args, 2)
	if err != nil {
		return nil, err
	}
	n, err := count("split", args, 2, -1)
	if err != nil {
		return nil, err
	}
	found := strings.Count(text[0], text[1])
	if text[1] == "" {
		found = utf8.RuneCountInString(text[0])
	}
	if n < 0 && found >= maxItems {
		return nil, limitf("split would make a list of more than %d items", maxItems)
	}
	if n >= maxItems {
		return nil, limitf("split into %d is too many: %d is the most", n, maxItems-1)
	}
	cut := strings.SplitN
	if after {
		cut = strings.SplitAfterN
	}
	list := cut(text[0], text[1], n)
	return list, m.charge(list)
}

func toText(m *meter, args []any) (any, error) {
	text, err := textOf(args[0])
	if err != nil {
		return nil, limitf("string: %s", err)
	}
	return text, m.charge(text)
}

func toJSON(m *meter, args []any) (any, error) {
	text, err := appendJSON(nil, args[0])
	if err != nil {
		return nil, limitf("toJSON: %s", err)
	}
	return string(text), m.charge(string(text))
}

func fromJSON(m *meter, args []any) (any, error) {
	text, err := texts("fromJSON", args, 1)
	if err != nil {
		return nil, err
	}
	doc, err := ParseDoc([]byte(text[0]))
	if err != nil {
		return nil, limitf("fromJSON: %s", err)
	}
	defer doc.Release()
	m.spent += len(text[0])
	return doc.Value(), m.charge(nil)
}

// fields reads an object and its keys, sorted.
func fields(m *meter, name string, v any) (map[string]any, []string, error) {
	object, ok := v.(map[string]any)
	if !ok {
		return nil, nil, limitf("%s needs an object, but got %s", name, kindOf(v))
	}
	if len(object) > maxItems {
		return nil, nil, limitf("an object of %d keys is too large here: %d is the most", len(object), maxItems)
	}
	return object, slices.Sorted(maps.Keys(object)), m.charge(object)
}

func keys(m *meter, args []any) (any, error) {
	_, names, err := fields(m, "keys", args[0])
	list := make([]any, len(names))
	for i, name := range names {
		list[i] = name
	}
	return list, err
}

func values(m *meter, args []any) (any, error) {
	object, names, err := fields(m, "values", args[0])
	list := make([]any, len(names))
	for i, name := range names {
		list[i] = object[name]
	}
	return list, err
}

func toPairs(m *meter, args []any) (any, error) {
	object, names, err := fields(m, "toPairs", args[0])
	list := make([]any, len(names))
	for i, name := range names {
		list[i] = []any{name, object[name]}
	}
	return list, err
}
