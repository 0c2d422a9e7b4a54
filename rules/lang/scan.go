package lang

import "strings"

// templateEnd finds the }} that closes an expression, past the texts and
// brackets in it; -1 when there is none.
func templateEnd(s string) int {
	depth := 0
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case '"', '\'', '`':
			if i = closingQuote(s, i); i < 0 {
				return -1
			}
		case '{', '[', '(':
			depth++
		case ']', ')':
			depth--
		case '}':
			if depth <= 0 && strings.HasPrefix(s[i:], "}}") {
				return i
			}
			depth--
		}
	}
	return -1
}

// closingQuote finds the quote that ends the text which starts at i.
func closingQuote(s string, i int) int {
	quote := s[i]
	for i++; i < len(s); i++ {
		switch {
		case s[i] == quote:
			return i
		case s[i] == '\\' && quote != '`':
			i++
		}
	}
	return -1
}

// quotedAt reports whether the byte at stands inside a text of the expression.
func quotedAt(s string, at int) bool {
	for i := 0; i < at; i++ {
		if s[i] == '"' || s[i] == '\'' || s[i] == '`' {
			if i = closingQuote(s, i); i < 0 || i > at {
				return i > at
			}
		}
	}
	return false
}

// openQuote is where a text starts that does not end; -1 when there is none.
func openQuote(code string) int {
	for i := 0; i < len(code); i++ {
		if code[i] == '"' || code[i] == '\'' || code[i] == '`' {
			end := closingQuote(code, i)
			if end < 0 {
				return i
			}
			i = end
		}
	}
	return -1
}
