package lang

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/gosimple/unidecode"
	"golang.org/x/text/cases"
	xlanguage "golang.org/x/text/language"
	"golang.org/x/text/unicode/norm"
)

var textFunctions = []function{
	{
		name: "title", params: []param{text("text")}, result: textResult,
		doc:     "A text whose words begin with a capital letter and go on in small ones.",
		example: `title("harry's DINER")`, value: `"Harry's Diner"`,
		call: func(m *meter, args []any) (any, error) {
			return cases.Title(xlanguage.Make(m.place.locale.Tag())).String(textOr(args[0], "")), nil
		},
	},
	{
		name: "capitalize", params: []param{text("text")}, result: textResult,
		doc:     "A text that begins with a capital letter; the rest stays as it is.",
		example: `capitalize("neuer Auftrag")`, value: `"Neuer Auftrag"`,
		call: func(_ *meter, args []any) (any, error) {
			s := textOr(args[0], "")
			first, size := utf8.DecodeRuneInString(s)
			if size == 0 {
				return s, nil
			}
			return string(unicode.ToTitle(first)) + s[size:], nil
		},
	},
	{
		name: "truncate", params: []param{text("text"), integer("length"), text("end").or(`"…"`)}, result: textResult,
		doc:     "A text of at most so many characters, with the end at its end where something was cut off.",
		example: `truncate("Guten Morgen", 6)`, value: `"Guten…"`, more: []Example{{`truncate("Ada", 6)`, `"Ada"`}},
		call: truncate,
	},
	{
		name: "slug", params: []param{text("text").upTo(10)}, result: textResult,
		doc:     "A text as a part of an address: small letters, digits and hyphens. What has neither letters nor digits gives null.",
		example: `slug("Müller & Söhne")`, value: `"mueller-soehne"`,
		call: func(_ *meter, args []any) (any, error) { return slug(textOr(args[0], "")), nil },
	},
	{
		name: "ascii", params: []param{text("text").upTo(100)}, result: textResult,
		doc:     "A text in the letters of English: ä is ae, é is e, and other alphabets are written as they sound.",
		example: `ascii("Jürgen Łoś")`, value: `"Juergen Los"`,
		call: func(_ *meter, args []any) (any, error) { return ascii(textOr(args[0], "")), nil },
	},
	{
		name: "mask", params: []param{text("text"), integer("show").or("4")}, result: textResult,
		doc:     "Four dots and the last characters of a text, never more than half of it: for what others may know by its end and not read.",
		example: `mask("DE89370400440532013000")`, value: `"••••3000"`,
		call: func(_ *meter, args []any) (any, error) {
			const shown = 4
			runes := []rune(textOr(args[0], ""))
			show := min(max(wholeOr(args[1], shown), 0), len(runes)/2)
			return "••••" + string(runes[len(runes)-show:]), nil
		},
	},
	{
		name: "pad_left", params: []param{anything("value"), integer("length"), text("fill").or(`" "`)}, result: textResult, numbers: writtenNumbers,
		doc:     "A value as a text of at least so many characters, filled up on the left.",
		example: `pad_left(7, 4, "0")`, value: `"0007"`,
		call: func(m *meter, args []any) (any, error) { return pad(m, "pad_left", args, true) },
	},
	{
		name: "pad_right", params: []param{anything("value"), integer("length"), text("fill").or(`" "`)}, result: textResult, numbers: writtenNumbers,
		doc:     "The same, filled up on the right.",
		example: `pad_right("ab", 4, ".")`, value: `"ab.."`,
		call: func(m *meter, args []any) (any, error) { return pad(m, "pad_right", args, false) },
	},
	{
		name: "lines", params: []param{text("text")}, result: listResult,
		doc:     "The lines of a text.",
		example: `lines(data.message)`, value: `["Hello,","please call me."]`,
		call: func(_ *meter, args []any) (any, error) {
			s := strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(textOr(args[0], ""))
			return pieces("lines", func(yield func(string) bool) {
				for line := range strings.Lines(s) {
					if !yield(strings.TrimSuffix(line, "\n")) {
						return
					}
				}
			})
		},
	},
	{
		name: "words", params: []param{text("text")}, result: listResult,
		doc:     "The words of a text, without the spaces between them.",
		example: `words(" Guten  Morgen ")`, value: `["Guten","Morgen"]`,
		call: func(_ *meter, args []any) (any, error) {
			return pieces("words", strings.FieldsSeq(textOr(args[0], "")))
		},
	},
}

func truncate(_ *meter, args []any) (any, error) {
	s, end, length := textOr(args[0], ""), textOr(args[2], "…"), wholeOr(args[1], 0)
	if length < 0 {
		return nil, limitf("truncate needs a number of characters, not %d", length)
	}
	if utf8.RuneCountInString(s) <= length {
		return s, nil
	}
	room := length - utf8.RuneCountInString(end)
	if room < 0 {
		return sliceText(end, 0, length), nil
	}
	return strings.TrimRightFunc(sliceText(s, 0, room), unicode.IsSpace) + end, nil
}

// german are the letters that German writes with two where it has to.
var german = strings.NewReplacer("ä", "ae", "ö", "oe", "ü", "ue", "Ä", "Ae", "Ö", "Oe", "Ü", "Ue", "ß", "ss", "ẞ", "SS", "€", "EUR")

func ascii(s string) string { return unidecode.Unidecode(german.Replace(norm.NFC.String(s))) }

// slug gives nil where nothing is left.
func slug(s string) any {
	s = strings.ToLower(ascii(s))
	s = strings.NewReplacer("'", "", "’", "").Replace(s)
	parts := strings.FieldsFunc(s, func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') })
	if len(parts) == 0 {
		return nil
	}
	return strings.Join(parts, "-")
}

func pad(m *meter, name string, args []any, left bool) (any, error) {
	s, err := scalarText(name, args[0])
	if err != nil {
		return nil, err
	}
	fill := []rune(textOr(args[2], " "))
	missing := wholeOr(args[1], 0) - utf8.RuneCountInString(s)
	switch {
	case len(fill) == 0:
		return nil, limitf("%s needs a text to fill up with", name)
	case missing <= 0:
		return s, nil
	case missing > maxText:
		return nil, m.room(name, missing)
	}
	filled := string(slices.Repeat(fill, missing/len(fill)+1)[:missing])
	if left {
		return filled + s, nil
	}
	return s + filled, nil
}

// scalarText is a value as text that is neither a list nor an object.
func scalarText(name string, v any) (string, error) {
	if kind := kindOf(v); kind == "list" || kind == "object" {
		return "", limitf("%s needs a text or a number, but got %s", name, kind)
	}
	return textOf(v, maxText)
}

// pieces is a list of texts, which is not too long.
func pieces(name string, each func(yield func(string) bool)) (any, error) {
	list := []any{}
	for s := range each {
		if len(list) == maxItems {
			return nil, limitf("%s would make a list of more than %d items", name, maxItems)
		}
		list = append(list, s)
	}
	return list, nil
}

// textBuiltins are those of expr.
var textBuiltins = []builtinDoc{
	{"upper(text)", "A text in capital letters.", "error", `upper("Ada")`, `"ADA"`},
	{"lower(text)", "A text in small letters.", "error", `lower(data.email)`, `"ada@example.com"`},
	{"trim(text, chars?)", "A text without the spaces, or those characters, at its ends.", "error", `trim(" Ada ")`, `"Ada"`},
	{"trimPrefix(text, prefix)", "A text without what it begins with.", "error", `trimPrefix("RE: Offer", "RE: ")`, `"Offer"`},
	{"trimSuffix(text, suffix)", "A text without what it ends with.", "error", `trimSuffix("logo.svg", ".svg")`, `"logo"`},
	{"hasPrefix(text, prefix)", "Whether a text begins with another; as startsWith.", "error", `hasPrefix("INV-204", "INV")`, `true`},
	{"hasSuffix(text, suffix)", "Whether a text ends with another; as endsWith.", "error", `hasSuffix("a.pdf", ".pdf")`, `true`},
	{"split(text, separator, n?)", "The parts of a text, at most n of them.", "error", `split("a,b", ",")[0]`, `"a"`},
	{"splitAfter(text, separator, n?)", "The parts of a text, each with the separator behind it.", "error", `splitAfter("a,b", ",")`, `["a,","b"]`},
	{"replace(text, old, new, n?)", "A text with another in the place of each old, or of the first n. replace_match takes a pattern.", "error", `replace("a b", " ", "_")`, `"a_b"`},
	{"repeat(text, n)", "A text so many times.", "error", `repeat("ab", 2)`, `"abab"`},
	{"indexOf(text, part)", "The place of the first part, in characters from 0; -1 where there is none.", "error", `indexOf("Grün", "n")`, `3`},
	{"lastIndexOf(text, part)", "The place of the last part.", "error", `lastIndexOf("a/b/c", "/")`, `3`},
	{"len(value)", "How many characters a text has, or items a list, or keys an object.", "error", `len("Grün")`, `4`},
	{"string(value)", "A value as text; of a list or an object its JSON.", `""`, `string(12.0)`, `"12"`},
	{"type(value)", "The name of a value's type: string, int, float, bool, array, map, nil.", `"nil"`, `type(1.5)`, `"float"`},
}
