package locale

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/currency"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

// Round is a decimal number, in digits with an optional minus and point, with
// so many digits behind the point; a half goes away from zero. Negative digits
// round before the point: -2 to hundreds.
func Round(number string, digits int) string {
	minus, number := sign(number)
	whole, fraction, _ := strings.Cut(number, ".")
	keep := len(whole) + digits
	all := whole + fraction
	if digits >= len(fraction) {
		return minus + joined(whole, fraction+strings.Repeat("0", digits-len(fraction)))
	}
	if keep < 0 {
		return "0"
	}
	up := all[keep] >= '5'
	kept := []byte("0" + all[:keep])
	for i := len(kept) - 1; up; i-- {
		if up = kept[i] == '9'; up {
			kept[i] = '0'
		} else {
			kept[i]++
		}
	}
	text := string(kept)
	if digits < 0 {
		text, digits = text+strings.Repeat("0", -digits), 0
	}
	whole = strings.TrimLeft(text[:len(text)-digits], "0")
	text = joined(or(whole, "0"), text[len(text)-digits:])
	if strings.Trim(text, "0.") == "" {
		minus = ""
	}
	return minus + text
}

func sign(number string) (minus, rest string) {
	if rest, negative := strings.CutPrefix(number, "-"); negative {
		return "-", rest
	}
	return "", number
}

func joined(whole, fraction string) string {
	if fraction == "" {
		return whole
	}
	return whole + "." + fraction
}

// Number writes a decimal number, in digits with an optional minus and point,
// as the language does.
func (l *Locale) Number(number string) string {
	minus, number := sign(number)
	whole, fraction, _ := strings.Cut(number, ".")
	const size = 3
	most := size
	if l.sparse {
		most = size + 1
	}
	var b strings.Builder
	b.WriteString(minus)
	for i := range len(whole) {
		if i > 0 && (len(whole)-i)%size == 0 && len(whole) > most {
			b.WriteString(l.group)
		}
		b.WriteByte(whole[i])
	}
	if fraction != "" {
		b.WriteString(l.decimal + fraction)
	}
	return b.String()
}

// Money writes a decimal number as an amount of a currency, which ISO 4217
// calls so: with its digits, and with its sign where the language has one.
func (l *Locale) Money(number, code string) (string, error) {
	unit, err := currency.ParseISO(code)
	if err != nil {
		return "", fmt.Errorf("%q is no currency's code of three letters (ISO 4217), such as EUR", code)
	}
	scale, _ := currency.Standard.Rounding(unit)
	minus, digits := sign(Round(number, scale))
	name := message.NewPrinter(language.Make(l.tag)).Sprint(currency.Symbol(unit))
	digits = l.Number(digits)
	switch form := l.money; {
	case form == behind:
		return minus + digits + " " + name, nil
	case form == apart, lettered(name):
		return minus + name + " " + digits, nil
	}
	return minus + name + digits, nil
}

// lettered reports whether a currency's sign ends with a letter, as CHF does.
func lettered(name string) bool {
	last, _ := utf8.DecodeLastRuneInString(name)
	return unicode.IsLetter(last)
}

// Reading is what became of a text that should be a number.
type Reading int

// The readings.
const (
	Unreadable Reading = iota // it is no number
	Readable
	Ambiguous // it is one thing here and another elsewhere
)

// Read reads a number as people of the language write it, with a currency or
// without: 1.234,56 € in German. A sign that can stand only before a fraction
// is one: 12.5 has no thousands. The number is in digits, with an optional
// minus and point. Ambiguous is what has both meanings, as 1.250 in German has
// where it was typed by a program; it is read as the language does.
func (l *Locale) Read(text string) (string, Reading) {
	text, ok := bare(text)
	if !ok {
		return "", Unreadable
	}
	minus, text := sign(text)
	number, reading := l.digits(text)
	if reading == Unreadable {
		return "", Unreadable
	}
	whole, fraction, _ := strings.Cut(number, ".")
	return minus + joined(or(strings.TrimLeft(whole, "0"), "0"), fraction), reading
}

// digits reads what has digits and signs between them only.
func (l *Locale) digits(text string) (string, Reading) {
	comma, point := strings.Count(text, ","), strings.Count(text, ".")
	decimal := l.decimal
	reading := Readable
	switch {
	case comma > 0 && point > 0: // the one that comes last parts the fraction
		decimal = text[strings.LastIndexAny(text, ",."):][:1]
		if comma > 1 && point > 1 {
			return "", Unreadable
		}
	case comma+point > 1: // several of one sign part thousands
		decimal = other(text[strings.IndexAny(text, ",."):][:1])
	case comma+point == 1:
		at := strings.IndexAny(text, ",.")
		mark := text[at : at+1]
		if !thousands(text, at) {
			decimal = mark
		} else if mark != decimal {
			reading = Ambiguous
		}
	}
	whole, fraction, found := strings.Cut(text, decimal)
	if fraction == "-" || fraction == "–" { // 1.250,-
		fraction, found = "", false
	}
	whole, ok := ungrouped(whole, other(decimal))
	if !ok || !allDigits(fraction) || found == (fraction == "") || whole+fraction == "" {
		return "", Unreadable
	}
	return joined(or(whole, "0"), fraction), reading
}

func other(mark string) string {
	if mark == "," {
		return "."
	}
	return ","
}

// thousands reports whether the sign at that place may part thousands.
func thousands(text string, at int) bool {
	const size = 3
	return at > 0 && at <= size && len(text)-at-1 == size && allDigits(text[at+1:]) && text[0] != '0'
}

// ungrouped takes the signs between thousands out.
func ungrouped(whole, mark string) (string, bool) {
	for _, m := range []string{mark, " ", "'", "’"} {
		groups := strings.Split(whole, m)
		if len(groups) == 1 {
			continue
		}
		for i, g := range groups {
			const size = 3
			if !allDigits(g) || i > 0 && len(g) != size || i == 0 && (g == "" || len(g) > size) {
				return "", false
			}
		}
		return strings.Join(groups, ""), true
	}
	return whole, allDigits(whole)
}

func allDigits(text string) bool { return strings.Trim(text, "0123456789") == "" }

// bare takes a currency and spaces off, and writes the minus as one.
func bare(text string) (string, bool) {
	text = withoutCurrency(plainSpace(text))
	negative := false
	for _, mark := range []string{"-", "−", "–"} {
		if rest, ok := strings.CutPrefix(text, mark); ok {
			text, negative = withoutCurrency(rest), true
			break
		}
	}
	text = strings.TrimPrefix(text, "+")
	if text == "" || text[0] == '-' {
		return "", false
	}
	if negative {
		text = "-" + text
	}
	return text, true
}

func withoutCurrency(text string) string {
	return code(strings.TrimFunc(text, func(r rune) bool { return unicode.Is(unicode.Sc, r) || unicode.IsSpace(r) }))
}

// code takes a currency's code of three letters off one end.
func code(text string) string {
	const size = 3
	if len(text) <= size {
		return text
	}
	if isCode(text[:size]) {
		return strings.TrimSpace(text[size:])
	}
	if end := text[len(text)-size:]; isCode(end) {
		return strings.TrimSpace(text[:len(text)-size])
	}
	return text
}

func isCode(text string) bool {
	_, err := currency.ParseISO(text)
	return err == nil
}

// Value is a number in digits as Go has it: an int where it is whole and fits,
// else a float64. A whole number that does not fit is none.
func Value(number string) (any, bool) {
	if !strings.Contains(number, ".") {
		n, err := strconv.Atoi(number)
		return n, err == nil
	}
	f, err := strconv.ParseFloat(number, 64)
	return f, err == nil
}
