package lang

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/expr-lang/expr/builtin"
	"github.com/expr-lang/expr/vm/runtime"

	"hookgate/internal/jsondoc"
	"hookgate/internal/yamlnode"
)

// errTooLarge is the end of a computation with whole numbers that expr would
// let wrap round.
var errTooLarge = limitf("the result is too large for a whole number, which has 64 bits")

// errByte is for what expr gives for one character of a text behind ?.
var errByte = errors.New("one character of a text is written [0:1], not [0]")

// computed has numbers to compute with in place of those as they are written.
func computed(v any) (any, error) {
	if _, isByte := v.(byte); isByte {
		return nil, limitf("%s", errByte)
	}
	return jsondoc.Compute(v), nil
}

// item is x[key]: an item of a list, a value of an object, a character of a
// text. expr gives the byte of a text.
func item(args ...any) (any, error) {
	text, isText := args[0].(string)
	at, isInt := args[1].(int)
	if !isText || !isInt {
		return runtime.Fetch(args[0], args[1]), nil
	}
	length := utf8.RuneCountInString(text)
	if at < -length || at >= length {
		return nil, limitf("the text has %d characters, so it has no [%d]", length, at)
	}
	if at < 0 {
		at += length
	}
	return sliceText(text, at, at+1), nil
}

// whole reads two whole numbers.
func whole(a, b any) (x, y int, ok bool) {
	x, isInt := a.(int)
	y, areInts := b.(int)
	return x, y, isInt && areInts
}

func isWhole(v any) bool { _, is := v.(int); return is }

func add(m *meter, args []any) (any, error) {
	if x, y, ok := whole(args[0], args[1]); ok {
		if sum := x + y; (sum > x) == (y > 0) {
			return sum, nil
		}
		return nil, errTooLarge
	}
	result := runtime.Add(args[0], args[1])
	return result, m.charge(result)
}

func subtract(_ *meter, args []any) (any, error) {
	if x, y, ok := whole(args[0], args[1]); ok {
		if difference := x - y; (difference < x) == (y > 0) {
			return difference, nil
		}
		return nil, errTooLarge
	}
	return runtime.Subtract(args[0], args[1]), nil
}

func multiply(_ *meter, args []any) (any, error) {
	if x, y, ok := whole(args[0], args[1]); ok {
		if product, fits := product(x, y); fits {
			return product, nil
		}
		return nil, errTooLarge
	}
	result := runtime.Multiply(args[0], args[1])
	if d, isDuration := result.(time.Duration); isDuration && !fitsDuration(d, args) {
		return nil, limitf("the duration is too long")
	}
	return result, nil
}

// power is a ** b: of whole numbers a whole one, where expr's goes by way of a number
// with a fraction and loses digits.
func power(_ *meter, args []any) (any, error) {
	base, exponent, ok := whole(args[0], args[1])
	if !ok || exponent < 0 {
		for _, arg := range args {
			if _, number := arg.(float64); !number && !isWhole(arg) {
				return nil, fmt.Errorf("invalid operation: %T ** %T", args[0], args[1]) // as expr says it of *
			}
		}
		return runtime.Exponent(args[0], args[1]), nil
	}
	result, fits := 1, true
	for ; exponent > 0 && fits; exponent >>= 1 {
		if exponent&1 == 1 {
			result, fits = product(result, base)
		}
		if exponent > 1 && fits {
			base, fits = product(base, base)
		}
	}
	if !fits {
		return nil, errTooLarge
	}
	return result, nil
}

// divide is a / b, which is never without a result.
func divide(_ *meter, args []any) (any, error) {
	if isZero(args[1]) {
		return nil, limitf("division by zero")
	}
	return runtime.Divide(args[0], args[1]), nil
}

func isZero(v any) bool { return v == any(0) || v == any(0.0) }

func product(x, y int) (int, bool) {
	z := x * y
	if x == 0 || y == 0 {
		return 0, true
	}
	return z, z/y == x && (x != -1 || y != math.MinInt) && (y != -1 || x != math.MinInt)
}

// fitsDuration reports whether a product of a duration is right.
func fitsDuration(d time.Duration, args []any) bool {
	want := 1.0
	for _, arg := range args {
		switch x := arg.(type) {
		case time.Duration:
			want *= float64(x)
		case int:
			want *= float64(x)
		case float64:
			want *= x
		}
	}
	return math.Abs(want-float64(d)) <= math.Abs(want)/2
}

func negate(_ *meter, args []any) (any, error) {
	if n, ok := args[0].(int); ok && n == math.MinInt {
		return nil, errTooLarge
	}
	return runtime.Negate(args[0]), nil
}

// sum adds the items of a list, as + does.
func sum(m *meter, args []any) (any, error) {
	total := any(0)
	list, ok := args[0].([]any)
	if !ok {
		list = anyList(args[0])
	}
	for _, item := range list {
		var err error
		if total, err = add(m, []any{item, total}); err != nil {
			return nil, err
		}
	}
	return total, nil
}

// anyList is a list of one of the other types that functions give.
func anyList(v any) []any {
	var list []any
	switch x := v.(type) {
	case []int:
		for _, n := range x {
			list = append(list, n)
		}
	case []float64:
		for _, n := range x {
			list = append(list, n)
		}
	case []string:
		for _, text := range x {
			list = append(list, text)
		}
	}
	return list
}

// toInt is int(x): what is behind the point is cut off.
func toInt(_ *meter, args []any) (any, error) {
	switch x := args[0].(type) {
	case int:
		return x, nil
	case float64:
		if x >= math.MinInt64 && x < math.MaxInt64 {
			return int(x), nil
		}
		return nil, errTooLarge
	case string:
		n, err := strconv.Atoi(x)
		if err != nil {
			return nil, limitf("int reads the digits of a whole number, and this is %s: write number(…)", brief(x))
		}
		return n, nil
	}
	return nil, limitf("cannot take %s", kindOf(args[0]))
}

func abs(_ *meter, args []any) (any, error) {
	switch x := args[0].(type) {
	case int:
		if x == math.MinInt {
			return nil, errTooLarge
		}
		return max(x, -x), nil
	case float64:
		return math.Abs(x), nil
	}
	return nil, limitf("cannot take %s", kindOf(args[0]))
}

// toFloat is float(x).
func toFloat(_ *meter, args []any) (any, error) {
	switch x := args[0].(type) {
	case nil, bool, []any, map[string]any:
		return nil, limitf("cannot take %s", kindOf(x))
	case string:
		n, err := strconv.ParseFloat(x, 64)
		if err != nil {
			return nil, limitf("float reads digits with a point, and this is %s: write number(…)", brief(x))
		}
		return n, nil
	}
	return builtin.Float(args[0]), nil
}

// duration is duration(text): what Go reads, and days and weeks.
func duration(_ *meter, args []any) (any, error) {
	text, err := texts("duration", args, 1)
	if err != nil {
		return nil, err
	}
	d, err := time.ParseDuration(text[0])
	if err == nil {
		return d, nil
	}
	rest, negative := strings.CutPrefix(text[0], "-")
	if d, err = yamlnode.ParseDuration(rest); err != nil {
		return nil, limitf(`%s is no duration, such as "90m", "1h30m", "2d" or "1w"`, brief(text[0]))
	}
	if negative {
		d = -d
	}
	return d, nil
}
