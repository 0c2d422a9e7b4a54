package lang

import (
	"bytes"
	"regexp/syntax"
	"slices"
	"unicode/utf8"
)

// simplePattern is a regular expression that asks no more than whether a text
// is, begins with, ends with or holds another one, as many do: `@example\.com$`,
// `.*@example\.com$`, `^Harry`. To search costs less than a tenth of what the
// machine of regular expressions takes.
type simplePattern struct {
	text         []byte
	begins, ends bool // the text stands at the beginning, at the end
}

// simplify finds the simple pattern that an expression is; nil: it is none.
func simplify(re *syntax.Regexp) *simplePattern {
	parts := []*syntax.Regexp{re}
	if re.Op == syntax.OpConcat {
		parts = slices.Clone(re.Sub)
	}
	// Where it may match anywhere, what stands for any text before or after
	// changes nothing about whether it matches.
	if len(parts) > 1 && isAnything(parts[0]) {
		parts = parts[1:]
	}
	if len(parts) > 1 && isAnything(parts[len(parts)-1]) {
		parts = parts[:len(parts)-1]
	}
	s := &simplePattern{}
	if len(parts) > 1 && parts[0].Op == syntax.OpBeginText {
		s.begins, parts = true, parts[1:]
	}
	if len(parts) > 1 && parts[len(parts)-1].Op == syntax.OpEndText {
		s.ends, parts = true, parts[:len(parts)-1]
	}
	// utf8.RuneError in a pattern also matches what is no UTF-8.
	if len(parts) != 1 || parts[0].Op != syntax.OpLiteral || parts[0].Flags&syntax.FoldCase != 0 || slices.Contains(parts[0].Rune, utf8.RuneError) {
		return nil
	}
	s.text = []byte(string(parts[0].Rune))
	return s
}

// isAnything reports whether an expression is .* in any of its forms: it
// matches the empty text too.
func isAnything(re *syntax.Regexp) bool {
	return re.Op == syntax.OpStar && (re.Sub[0].Op == syntax.OpAnyCharNotNL || re.Sub[0].Op == syntax.OpAnyChar)
}

// match reports whether the expression matches text.
func (s *simplePattern) match(text []byte) bool {
	switch {
	case s.begins && s.ends:
		return bytes.Equal(text, s.text)
	case s.begins:
		return bytes.HasPrefix(text, s.text)
	case s.ends:
		return bytes.HasSuffix(text, s.text)
	}
	return bytes.Contains(text, s.text)
}
