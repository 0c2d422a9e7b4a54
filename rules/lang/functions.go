package lang

import (
	"reflect"
	"regexp"
	"regexp/syntax"
	"strings"

	"github.com/expr-lang/expr/builtin"
	"github.com/expr-lang/expr/conf"
)

// The functions that rewriting puts in. Their names cannot be spelt in an
// expression; each takes the meter first.
const (
	fnTick     = "\x00tick"     // (x): counts an iteration, gives x
	fnCharge   = "\x00charge"   // (x): accounts for x, gives x
	fnItems    = "\x00items"    // (list): refuses what is no list, or too long
	fnBound    = "\x00bound"    // (x): refuses lists that are too long
	fnFew      = "\x00few"      // (x): the same for uniq
	fnBrief    = "\x00brief"    // (text): refuses a text that is no date for its length
	fnRange    = "\x00range"    // (from, to)
	fnMatch    = "\x00matches"  // (text, pattern)
	fnSeen     = "\x00seen"     // (branch, x): tells a CoverageProbe, gives x
	fnPart     = "\x00part"     // (x, from, to): x[from:to]
	fnItem     = "\x00item"     // (x, key): x[key]; it has no meter
	fnCompute  = "\x00compute"  // (x): numbers to compute with in place of those as they are written
	fnAdd      = "\x00add"      // (a, b)
	fnSubtract = "\x00subtract" // (a, b)
	fnMultiply = "\x00multiply" // (a, b)
	fnPower    = "\x00power"    // (a, b)
	fnDivide   = "\x00divide"   // (a, b)
	fnNegate   = "\x00negate"   // (a)
	fnSum      = "\x00sum"      // (list)
	fnPrefix   = "\x00"         // before the name of a builtin that is replaced
)

// replaced are the builtins that would make more than maxText, show Go's
// spelling of values, give an object's keys in a new order each time, make an
// object that other functions do not take for one, or count the bytes of a
// text, as hookgate has them.
var replaced = map[string]func(m *meter, args []any) (any, error){
	"repeat":      repeat,
	"replace":     replace,
	"join":        join,
	"split":       split,
	"splitAfter":  split,
	"string":      toText,
	"toJSON":      toJSON,
	"fromJSON":    fromJSON,
	"keys":        keys,
	"values":      values,
	"toPairs":     toPairs,
	"fromPairs":   fromPairs,
	"indexOf":     indexOf,
	"lastIndexOf": lastIndexOf,
	"int":         toInt,
	"float":       toFloat,
	"duration":    duration,
	"abs":         abs,
}

// functionsTable is what expr is told of the functions.
func functionsTable() conf.FunctionsTable {
	all := map[string]func(m *meter, args []any) (any, error){
		fnTick:     func(m *meter, args []any) (any, error) { return args[0], m.tick() },
		fnCharge:   func(m *meter, args []any) (any, error) { return args[0], m.charge(args[0]) },
		fnItems:    items,
		fnBound:    func(_ *meter, args []any) (any, error) { return args[0], short(args[0], maxItems) },
		fnFew:      func(_ *meter, args []any) (any, error) { return args[0], short(args[0], maxUniq) },
		fnBrief:    func(_ *meter, args []any) (any, error) { return args[0], briefText(args[0]) },
		fnRange:    numbers,
		fnMatch:    matches,
		fnSeen:     seen,
		fnPart:     slice,
		fnCompute:  func(_ *meter, args []any) (any, error) { return computed(args[0]) },
		fnAdd:      add,
		fnSubtract: subtract,
		fnMultiply: multiply, fnPower: power,
		fnDivide: divide,
		fnNegate: negate,
		fnSum:    sum,
	}
	for name, f := range replaced {
		all[fnPrefix+name] = f
	}
	table := conf.FunctionsTable{}
	for name, f := range added {
		all[fnPrefix+name] = f.run
		table[fnTyped+name] = &builtin.Function{Name: name, Validate: f.resultType}
	}
	for name, f := range all {
		table[name] = &builtin.Function{Name: name, Func: func(args ...any) (any, error) {
			m, ok := args[0].(*meter)
			if !ok {
				return nil, limitf("cannot be called here")
			}
			return f(m, args[1:])
		}}
	}
	table[fnItem] = &builtin.Function{Name: fnItem, Func: item}
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

// briefText refuses a text that is longer than any date is.
func briefText(v any) error {
	const most = 1_000
	if text, ok := v.(string); ok && len(text) > most {
		return limitf("a text of %d bytes is no date", len(text))
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

// matches is the operator matches. As in expr, nil matches nothing.
func matches(m *meter, args []any) (any, error) {
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
	if err := firstError(p.fits(text), m.clock()); err != nil {
		return nil, err
	}
	return p.re.MatchString(text), nil
}
