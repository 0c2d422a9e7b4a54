package config

import (
	"strings"
)

// reference is one ${…} in a scalar's text.
type reference struct {
	from, to   int // its bytes, with the braces
	name       string
	fallback   string // after :-
	hasDefault bool
	fault      string // not "": it can't be read, and why
	escaped    bool   // $${: stands for ${
}

// references finds every ${NAME}, ${NAME:-default} and $${ in text. A
// template, ${{ … }}, is left alone with all that is in it, and so is $${{.
func references(text string) []reference {
	var list []reference
	for i := 0; i < len(text); {
		rest := text[i:]
		switch {
		case strings.HasPrefix(rest, "$${{"):
			i += len("$${{")
		case strings.HasPrefix(rest, "$${"):
			list = append(list, reference{from: i, to: i + len("$${"), escaped: true})
			i += len("$${")
		case strings.HasPrefix(rest, "${{"):
			i += templateLength(rest)
		case strings.HasPrefix(rest, "${"):
			r := parseReference(rest)
			r.from, r.to = r.from+i, r.to+i
			list = append(list, r)
			i = r.to
		default:
			next := strings.IndexByte(rest[1:], '$')
			if next < 0 {
				return list
			}
			i += 1 + next
		}
	}
	return list
}

// parseReference reads the ${…} that text starts with.
func parseReference(text string) reference {
	end := strings.IndexByte(text, '}')
	if end < 0 {
		return reference{to: len("${"), fault: "has no closing }"}
	}
	r := reference{to: end + 1}
	inner := text[len("${"):end]
	r.name, r.fallback, r.hasDefault = strings.Cut(inner, ":-")
	switch {
	case r.hasDefault && strings.Contains(r.fallback, "${"):
		r.fault = "has a default that holds another ${"
	case !isName(r.name):
		r.fault = "does not hold a name"
	}
	return r
}

// isName reports whether text can name a variable (POSIX.1-2017, 8.1, with
// lower-case letters).
func isName(text string) bool {
	for i, c := range []byte(text) {
		letter := c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return text != ""
}

// templateLength is the length of the ${{ … }} that text starts with, or all
// of text where it does not end. A }} in a string or closing an inner brace
// does not end it.
func templateLength(text string) int {
	depth, quote := 0, byte(0)
	for i := len("${{"); i < len(text); i++ {
		c := text[i]
		switch {
		case quote != 0:
			if c == '\\' && quote != '`' {
				i++
			} else if c == quote {
				quote = 0
			}
		case c == '"', c == '\'', c == '`':
			quote = c
		case c == '{':
			depth++
		case c == '}' && depth > 0:
			depth--
		case c == '}' && i+1 < len(text) && text[i+1] == '}':
			return i + 2
		}
	}
	return len(text)
}
