package lang

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"hookgate/internal/contact"
)

var patternFunctions = []function{
	{
		name: "match", params: []param{text("text"), regularExpression("pattern"), integer("group").or("0")}, result: textResult,
		doc:     "The first part of a text that a regular expression matches, or one group of it; null where there is none.",
		example: `match("re: INV-204", "INV-(\\d+)", 1)`, value: `"204"`,
		call: func(m *meter, args []any) (any, error) {
			p, s, group, err := matching(m, "match", args)
			if err != nil {
				return nil, err
			}
			return groupOf(s, p.re.FindStringSubmatchIndex(s), group), nil
		},
	},
	{
		name: "match_all", params: []param{text("text"), regularExpression("pattern"), integer("group").or("0")}, result: listResult,
		doc:     "All parts of a text that a regular expression matches, or one group of each.",
		example: `match_all("A-1, B-22", "\\d+")`, value: `["1","22"]`,
		call: func(m *meter, args []any) (any, error) {
			p, s, group, err := matching(m, "match_all", args)
			if err != nil {
				return nil, err
			}
			if _, err := p.count(m, s); err != nil {
				return nil, err
			}
			list := []any{}
			for _, at := range p.re.FindAllStringSubmatchIndex(s, -1) {
				list = append(list, groupOf(s, at, group))
			}
			return list, nil
		},
	},
	{
		name: "replace_match", params: []param{text("text"), regularExpression("pattern"), text("new")}, result: textResult,
		doc:     "A text with another in the place of each part that a regular expression matches; $1 in it is the first group.",
		example: `replace_match("a1b2", "\\d", "")`, value: `"ab"`, more: []Example{{`replace_match("Lovelace, Ada", "(\\w+), (\\w+)", "$2 $1")`, `"Ada Lovelace"`}},
		call: func(m *meter, args []any) (any, error) {
			p, s, _, err := matching(m, "replace_match", args[:2])
			if err != nil {
				return nil, err
			}
			found, err := p.count(m, s)
			if err != nil {
				return nil, err
			}
			with := textOr(args[2], "")
			if err := m.room("replace_match", len(s)+found.matches*len(with)+found.bytes*strings.Count(with, "$")); err != nil {
				return nil, err
			}
			return p.re.ReplaceAllString(s, with), nil
		},
	},
	{
		name: "extract", params: []param{text("text"), oneOf("what", "email", "url", "number", "phone")},
		doc:     `The first e-mail address, link, number or telephone number in a text: "email", "url", "number" or "phone"; null where there is none.`,
		example: `extract("write to ada@x.de", "email")`, value: `"ada@x.de"`,
		more: []Example{{`extract("from 1,250.50 EUR on", "number")`, `1250.5`}, {`extract("see https://x.de/a.", "url")`, `"https://x.de/a"`}, {`extract("call 030 1234567!", "phone")`, `"030 1234567"`}},
		call: func(m *meter, args []any) (any, error) {
			s := textOr(args[0], "")
			switch what := textOr(args[1], ""); what {
			case "email":
				return firstEmail(s), nil
			case "url":
				return firstURL(s), nil
			case "number":
				return firstNumber(m, s)
			case "phone":
				return firstPhone(m, s)
			default:
				return nil, limitf("extract finds email, url, number or phone, not %q", what)
			}
		},
	},
}

// matching are the arguments of a function that matches, whose work is bounded.
func matching(m *meter, name string, args []any) (p *pattern, s string, group int, err error) {
	s = textOr(args[0], "")
	p, ok := args[1].(*pattern)
	if !ok {
		return nil, "", 0, limitf("%s needs a text as pattern, but got %s", name, kindOf(args[1]))
	}
	if len(args) > 2 {
		group = wholeOr(args[2], 0)
	}
	if group < 0 || group > p.re.NumSubexp() {
		return nil, "", 0, limitf("%s: the pattern has %d groups, so it has no group %d", name, p.re.NumSubexp(), group)
	}
	return p, s, group, firstError(p.fits(s), m.clock())
}

// fits refuses a text that is too long for the pattern.
func (p *pattern) fits(s string) error {
	if p.instructions*len(s) > maxRegexWork {
		return limitf("a text of %d bytes is too long for this regular expression", len(s))
	}
	return nil
}

func groupOf(s string, at []int, group int) any {
	if at == nil || at[2*group] < 0 {
		return nil
	}
	return s[at[2*group]:at[2*group+1]]
}

// matchCount is what a pattern matches of a text.
type matchCount struct{ matches, bytes int }

// stopped ends a search from inside.
type stopped struct{ err error }

// count counts the matches of a pattern. Each match may cost a look at all of
// the text, so the clock is looked at between them, which the functions that
// give all matches cannot: only what was counted in time is searched by them.
func (p *pattern) count(m *meter, s string) (found matchCount, err error) {
	const mostGroups = 200_000 // of all matches
	most := min(maxItems, mostGroups/(1+p.re.NumSubexp()))
	defer func() {
		if r := recover(); r != nil {
			stop, ours := r.(stopped)
			if !ours {
				panic(r)
			}
			err = stop.err
		}
	}()
	p.re.ReplaceAllStringFunc(s, func(match string) string {
		found.matches++
		found.bytes += len(match)
		if err := m.clock(); err != nil {
			panic(stopped{err})
		}
		if found.matches > most {
			panic(stopped{limitf("the pattern matches at more than %d places", most)})
		}
		return ""
	})
	return found, nil
}

// firstEmail is the first address in a text; nil: there is none.
func firstEmail(s string) any {
	const longest = 254
	for from := 0; ; {
		at := strings.IndexByte(s[from:], '@')
		if at < 0 {
			return nil
		}
		at += from
		start := max(from, at-longest)
		local := s[start:at]
		local = local[lastOutside(local, inLocal):]
		domain := s[at+1 : min(len(s), at+1+longest)]
		domain = domain[:firstOutside(domain, inDomain)]
		if address := strings.TrimLeft(local, ".") + "@" + strings.Trim(domain, ".-"); contact.IsEmail(address) {
			return address
		}
		from = at + 1
	}
}

func inLocal(r rune) bool {
	return r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune(".!#$%&'*+/=?^_{|}~`-", r))
}

func inDomain(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) || r == '.' || r == '-' }

// firstOutside is where the first character stands that is not in.
func firstOutside(s string, in func(rune) bool) int {
	if i := strings.IndexFunc(s, func(r rune) bool { return !in(r) }); i >= 0 {
		return i
	}
	return len(s)
}

// lastOutside is where what is behind the last such character begins.
func lastOutside(s string, in func(rune) bool) int {
	i := strings.LastIndexFunc(s, func(r rune) bool { return !in(r) })
	if i < 0 {
		return 0
	}
	_, size := utf8.DecodeRuneInString(s[i:])
	return i + size
}

// firstURL is the first link in a text; nil: there is none.
func firstURL(s string) any {
	start := -1
	lower := strings.ToLower(s)
	if len(lower) != len(s) { // a letter has another length in small
		lower = s
	}
	for _, begin := range []string{"https://", "http://", "www."} {
		if i := strings.Index(lower, begin); i >= 0 && (start < 0 || i < start) {
			start = i
		}
	}
	if start < 0 {
		return nil
	}
	link := s[start:]
	link = link[:firstOutside(link, func(r rune) bool { return !unicode.IsSpace(r) && !strings.ContainsRune("<>\"`{}|\\^“”„", r) })]
	for link != "" {
		switch last := link[len(link)-1]; {
		case strings.IndexByte(".,;:!?'*_", last) >= 0,
			last == ')' && strings.Count(link, ")") > strings.Count(link, "("),
			last == ']' && !strings.Contains(link, "["):
			link = link[:len(link)-1]
			continue
		}
		break
	}
	return link
}

// runs are the parts of a text that consist of digits and some signs, with
// where each begins.
func runs(m *meter, s, signs string, found func(at int, run string) bool) error {
	in := func(r rune) bool { return r >= '0' && r <= '9' || strings.ContainsRune(signs, r) }
	for at := 0; at < len(s); {
		start := strings.IndexFunc(s[at:], in)
		if start < 0 {
			return nil
		}
		start += at
		end := start + firstOutside(s[start:], in)
		if found(start, s[start:end]) {
			return nil
		}
		if err := m.tick(); err != nil {
			return err
		}
		at = end
	}
	return nil
}

// firstNumber is the first number in a text, as the server's language reads it.
func firstNumber(m *meter, s string) (result any, err error) {
	var tooLarge error
	err = runs(m, s, ".,'’-", func(at int, run string) bool {
		negative := strings.HasPrefix(run, "-") && !glued(s[:at])
		run = strings.Trim(run, ".,'’-")
		if negative {
			run = "-" + run
		}
		result, tooLarge = numberIn(run, m.place.locale)
		return result != nil || tooLarge != nil
	})
	return result, firstError(err, tooLarge)
}

// firstPhone is the first telephone number in a text: with a country's code,
// with a 0 at its beginning, or in the form that Americans write.
func firstPhone(m *meter, s string) (result any, err error) {
	err = runs(m, s, "+()-–/. ", func(at int, run string) bool {
		const fewest, most = 6, 15
		trimmed := strings.TrimLeft(run, ")-–/. ")
		at += len(run) - len(trimmed)
		number := strings.TrimRight(trimmed, "(+-–/. ")
		if !strings.Contains(number, "(") {
			number = strings.TrimRight(number, ")")
		}
		digits := len(number) - len(strings.Map(notDigit, number))
		if digits >= fewest && digits <= most && !glued(s[:at]) && phoneForm.MatchString(number) && !dayForm.MatchString(number) {
			result = number
		}
		return result != nil
	})
	return result, err
}

var (
	phoneForm = regexp.MustCompile(`^(?:\+|\(?0|\(?[2-9]\d\d\)?[ .-]?\d{3}[ .-]\d{4}$)`)
	dayForm   = regexp.MustCompile(`^\d{1,2}\.\d{1,2}\.\d{4}`)
)

// glued reports whether what follows a text goes on with a word.
func glued(before string) bool {
	last, _ := utf8.DecodeLastRuneInString(before)
	return unicode.IsLetter(last) || unicode.IsDigit(last)
}

func notDigit(r rune) rune {
	if r >= '0' && r <= '9' {
		return -1
	}
	return r
}
