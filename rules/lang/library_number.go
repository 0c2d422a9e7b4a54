package lang

import (
	"math"
	"strconv"

	"hookgate/internal/locale"
)

var numberFunctions = []function{
	{
		name: "number", params: []param{anything("value"), language()},
		doc: "The number that a text says, with a currency or without, as the language writes it; what can be read in one way only is read so (12.5 in German). " +
			"What is no number gives null, and a whole number beyond 64 bits is an error.",
		example: `number("1.234,56 €", "de")`, value: `1234.56`,
		more: []Example{{`number(" 12 ")`, `12`}, {`number("1,250")`, `1250`}, {`number(data.budget, "de") * 2`, `2501`}, {`number("on request")`, `null`}},
		call: func(m *meter, args []any) (any, error) {
			l, err := m.localeOr(args[1])
			if err != nil {
				return nil, err
			}
			if s, isText := args[0].(string); isText {
				return numberIn(s, l)
			}
			n, err := readNumber(m, args[0])
			if err != nil {
				return nil, limitf("number: %s", err)
			}
			return n, nil
		},
	},
	{
		name: "format_number", params: []param{numeric("number"), integer("digits").or(""), language()}, result: textResult,
		doc:     "A number as the language writes it, rounded to so many digits behind the point.",
		example: `format_number(1234.5, 2)`, value: `"1,234.50"`, more: []Example{{`format_number(1234567, 0, "de")`, `"1.234.567"`}},
		call: func(m *meter, args []any) (any, error) {
			l, err := m.localeOr(args[2])
			if err != nil {
				return nil, err
			}
			digits, err := decimalOf("format_number", args[0])
			if err != nil {
				return nil, err
			}
			if args[1] != nil {
				if digits, err = rounded("format_number", digits, args[1], 0); err != nil {
					return nil, err
				}
			}
			return l.Number(digits), nil
		},
	},
	{
		name: "format_money", params: []param{numeric("amount"), text("currency").checked(isCurrency), language()}, result: textResult,
		doc:     "An amount as the language writes it, with the digits that the currency has. Spaces in it are plain ones.",
		example: `format_money(1234.5, "EUR", "de")`, value: `"1.234,50 €"`, more: []Example{{`format_money(1234.5, "EUR")`, `"€1,234.50"`}},
		call: func(m *meter, args []any) (any, error) {
			l, err := m.localeOr(args[2])
			if err != nil {
				return nil, err
			}
			digits, err := decimalOf("format_money", args[0])
			if err != nil {
				return nil, err
			}
			money, err := l.Money(digits, textOr(args[1], ""))
			if err != nil {
				return nil, limitf("format_money: %s", err)
			}
			return money, nil
		},
	},
	{
		name: "round_to", params: []param{numeric("number"), integer("digits")},
		doc:     "A number rounded to so many digits behind the point; a half goes away from zero. -2 rounds to hundreds.",
		example: `round_to(2.345, 2)`, value: `2.35`, more: []Example{{`round_to(1250, -2)`, `1300`}},
		call: func(_ *meter, args []any) (any, error) {
			digits, err := decimalOf("round_to", args[0])
			if err != nil {
				return nil, err
			}
			if digits, err = rounded("round_to", digits, args[1], -mostDigits); err != nil {
				return nil, err
			}
			n, ok := locale.Value(digits)
			if !ok {
				return nil, errTooLarge
			}
			return n, nil
		},
	},
	{
		name: "plural", params: []param{numeric("n"), text("one"), text("many")}, result: textResult,
		doc:     "One word for 1, the other for any other number.",
		example: `plural(2, "lead", "leads")`, value: `"leads"`, more: []Example{{`string(len(data.items)) + " " + plural(len(data.items), "item", "items")`, `"2 items"`}},
		call: func(_ *meter, args []any) (any, error) {
			if args[0] == 1 || args[0] == 1.0 {
				return args[1], nil
			}
			return args[2], nil
		},
	},
}

func isCurrency(code string) error {
	if _, err := locale.English().Money("1", code); err != nil {
		return limitf("format_money: %s", err)
	}
	return nil
}

// mostDigits are the digits that a decimal number has for sure.
const mostDigits = 15

// numberIn is the number that a text says; nil: it says none.
func numberIn(s string, l *locale.Locale) (any, error) {
	const longest = 100
	if len(s) > longest {
		return nil, nil
	}
	digits, reading := l.Read(s)
	if reading == locale.Unreadable {
		return nil, nil
	}
	n, ok := locale.Value(digits)
	if !ok {
		return nil, errTooLarge
	}
	return n, nil
}

// decimalOf is a number in digits.
func decimalOf(name string, v any) (string, error) {
	switch x := v.(type) {
	case int:
		return strconv.Itoa(x), nil
	case float64:
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return "", limitf("%s: %v is no number", name, x)
		}
		return strconv.FormatFloat(x, 'f', -1, 64), nil
	}
	return "", limitf("%s needs a number, but got %s", name, kindOf(v))
}

func rounded(name, digits string, to any, least int) (string, error) {
	n := wholeOr(to, 0)
	if n < least || n > mostDigits {
		return "", limitf("%s rounds to %d to %d digits, not %d", name, least, mostDigits, n)
	}
	return locale.Round(digits, n), nil
}

var numberBuiltins = []builtinDoc{
	{"int(value)", "The whole number that digits say; of a number what stands before its point. number reads what people write.", "error", `int("12")`, `12`},
	{"float(value)", "The number that digits with a point say. number reads what people write.", "error", `float("12.5")`, `12.5`},
	{"abs(number)", "The number without its minus.", "error", `abs(-5)`, `5`},
	{"ceil(number)", "The next whole number above.", "error", `ceil(2.1)`, `3`},
	{"floor(number)", "The next whole number below.", "error", `floor(2.9)`, `2`},
	{"round(number)", "The nearest whole number. round_to takes digits.", "error", `round(2.5)`, `3`},
	{"max(a, b, …)", "The greatest of some numbers or lists of them.", "null", `max([1, 3, 2])`, `3`},
	{"min(a, b, …)", "The least.", "null", `min(2, 1)`, `1`},
	{"mean(numbers)", "Their average.", "error", `mean([1, 2])`, `1.5`},
	{"median(numbers)", "The one in the middle.", "error", `median([1, 9, 2])`, `2`},
	{"sum(list, of?)", "The sum of numbers, or of what is made of each item.", "error", `sum(data.items, .price)`, `24.9`},
}
