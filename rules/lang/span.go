package lang

import (
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser/lexer"
)

// spans finds the source text of a node. expr's location covers one token (an
// operator, a name), so the text is that of all tokens below the node, with
// the brackets that belong to them.
type spans struct {
	src    *source
	tokens []lexer.Token
	at     map[int]int // index of the token that starts at a rune
}

func newSpans(src *source) *spans {
	s := &spans{src: src, at: map[int]int{}}
	// Only what was parsed is asked about, so there is no error here.
	s.tokens, _ = lexer.Lex(file.NewSource(src.code))
	for i, t := range s.tokens {
		s.at[t.From] = i
	}
	return s
}

// of gives the bytes of the node in the code; the whole code where it cannot tell.
func (s *spans) of(n ast.Node) (from, to int) {
	lo, hi := len(s.tokens), -1
	s.cover(n, &lo, &hi)
	if hi < 0 || !s.balance(&lo, &hi) {
		return 0, len(s.src.code)
	}
	from, _ = s.src.bytes(s.tokens[lo].Location)
	_, to = s.src.bytes(s.tokens[hi].Location)
	return from, to
}

// text is the source text of the node.
func (s *spans) text(n ast.Node) string {
	from, to := s.of(n)
	return strings.TrimSpace(s.src.code[from:to])
}

func (s *spans) cover(n ast.Node, lo, hi *int) {
	if _, conditional := n.(*ast.ConditionalNode); !conditional { // its location is that of the token behind it
		if i, ok := s.at[n.Location().From]; ok {
			last := s.end(n, i)
			if _, let := n.(*ast.VariableDeclaratorNode); let && i > 0 {
				i--
			}
			*lo, *hi = min(*lo, i), max(*hi, last)
		}
	}
	first, last := len(s.tokens), -1
	for _, c := range children(n) {
		s.cover(*c, &first, &last)
	}
	if first > 0 && first < len(s.tokens) && s.tokens[first-1].Is(lexer.Operator, "if") {
		if _, conditional := n.(*ast.ConditionalNode); conditional {
			first--
		}
	}
	*lo, *hi = min(*lo, first), max(*hi, last)
}

// end is the last token that belongs to the node itself, whose own is i.
func (s *spans) end(n ast.Node, i int) int {
	next := min(i+1, len(s.tokens)-1)
	switch x := n.(type) {
	case *ast.CallNode, *ast.BuiltinNode:
		if s.tokens[next].Is(lexer.Bracket, "(") {
			return s.match(next)
		}
	case *ast.PointerNode:
		if x.Name != "" {
			return next
		}
	}
	if s.tokens[i].Kind == lexer.Bracket {
		return s.match(i)
	}
	return i
}

// match is the token that closes the bracket at i, or i itself.
func (s *spans) match(i int) int {
	depth := 0
	for j := i; j < len(s.tokens); j++ {
		switch {
		case s.tokens[j].Is(lexer.Bracket, "(", "[", "{"):
			depth++
		case s.tokens[j].Is(lexer.Bracket, ")", "]", "}"):
			if depth--; depth == 0 {
				return j
			}
		}
	}
	return i
}

// balance widens the range until every bracket in it has its partner.
func (s *spans) balance(lo, hi *int) bool {
	depth, lowest := 0, 0
	for j := *lo; j <= *hi; j++ {
		switch {
		case s.tokens[j].Is(lexer.Bracket, "(", "[", "{"):
			depth++
		case s.tokens[j].Is(lexer.Bracket, ")", "]", "}"):
			depth--
			lowest = min(lowest, depth)
		}
	}
	for missing := -lowest; missing > 0; {
		if *lo--; *lo < 0 {
			return false
		}
		switch {
		case s.tokens[*lo].Is(lexer.Bracket, "(", "[", "{"):
			missing--
		case s.tokens[*lo].Is(lexer.Bracket, ")", "]", "}"):
			missing++
		}
	}
	for missing := depth - lowest; missing > 0; {
		if *hi++; *hi >= len(s.tokens) {
			return false
		}
		switch {
		case s.tokens[*hi].Is(lexer.Bracket, "(", "[", "{"):
			missing++
		case s.tokens[*hi].Is(lexer.Bracket, ")", "]", "}"):
			missing--
		}
	}
	return true
}
