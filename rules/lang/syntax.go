package lang

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser/lexer"

	"hookgate/internal/diag"
)

// strangers are operators that other languages have, and what to write here.
var strangers = map[string]string{
	"=": "write == to compare", "&": "write and", "|": `write or`, "<>": "write != for not equal",
	"===": "write == to compare", "!==": "write != for not equal",
}

// strangeWords are the same for words. They are names here, so they are looked
// at only where an expression does not parse.
var strangeWords = map[string]string{
	"AND": "write and", "And": "write and", "OR": "write or", "Or": "write or", "NOT": "write not", "Not": "write not",
	"IN": "write in", "is": "write == to compare", "IS": "write == to compare", "equals": "write == to compare",
	"LIKE": "write contains, startsWith, endsWith or matches", "like": "write contains, startsWith, endsWith or matches",
	"CONTAINS": "write contains", "includes": "write contains",
}

// syntaxFault words a syntax error.
func (s *source) syntaxFault(err error) diag.Diagnostic {
	var at *file.Error
	if !errors.As(err, &at) {
		return s.fault(0, len(s.code), "expr-syntax", "", "%s", err)
	}
	if strings.Contains(at.Message, "exceeds maximum allowed nodes") {
		return s.fault(0, len(s.code), "expr-limit", "split it into several rules", "the expression has more than %d parts", maxNodes)
	}
	if d, ok := s.stranger(at.From); ok {
		return d
	}
	from, to := s.bytes(at.Location)
	message, hint := syntaxMessage(at.Message)
	if strings.HasPrefix(strings.ToLower(strings.TrimSpace(s.code)), "if ") && hint == "" {
		hint = `leave out the word "if"`
	}
	if i := openQuote(s.code); i >= 0 && strings.Contains(at.Message, "literal not terminated") {
		from, to = i, i+1
	}
	if from >= len(s.code) { // point at the end of what is there
		from, to = len(strings.TrimRight(s.code, " \n")), len(s.code)
		from = max(0, from-1)
	}
	return s.fault(from, max(to, from+1), "expr-syntax", hint, "%s", message)
}

// stranger looks for an operator of another language at or before the place
// where expr gave up: it may have read a lone | as its pipe.
func (s *source) stranger(gaveUp int) (diag.Diagnostic, bool) {
	tokens, err := lexer.Lex(file.NewSource(s.code))
	if err != nil {
		return diag.Diagnostic{}, false
	}
	declared := false
	for i, t := range tokens {
		switch {
		case t.Is(lexer.Operator, "let"):
			declared = true
			continue
		case t.Kind == lexer.Identifier && t.From <= gaveUp && strangeWords[t.Value] != "" && !afterDot(tokens[:i]):
			from, to := s.bytes(t.Location)
			return s.fault(from, to, "expr-syntax", strangeWords[t.Value], "%q is not an operator", t.Value), true
		case t.Kind != lexer.Operator || t.From > gaveUp:
			continue
		case calledOperator(tokens, i):
			from, to := s.bytes(t.Location)
			hint := "write x " + t.Value + ` "…"`
			if given := s.calledArguments(tokens, i+1); len(given) == 2 {
				hint = "write " + given[0] + " " + t.Value + " " + given[1]
			}
			return s.fault(from, to, "expr-syntax", hint, "%q is an operator, not a function", t.Value), true
		case t.Value == "|" && i+1 < len(tokens) && tokens[i+1].Kind == lexer.Identifier && i > 0 && !roots[tokens[i+1].Value]:
			before, _ := s.bytes(t.Location)
			from, to := s.bytes(tokens[i+1].Location)
			if piped(tokens[i+1:]) {
				continue
			}
			return s.fault(from, to, "expr-syntax", filterHint(strings.TrimSpace(s.code[:before]), tokens[i+1].Value),
				"%q stands behind | without parentheses", tokens[i+1].Value), true
		case t.Value == "=" && declared:
			declared = false
			continue
		case t.Value == "|" && piped(tokens[i+1:]):
			continue
		}
		word, loc := t.Value, t.Location
		if next := tokens[min(i+1, len(tokens)-1)]; next.Kind == lexer.Operator && next.From == t.To && strangers[word+next.Value] != "" {
			word, loc.To = word+next.Value, next.To
		}
		if hint := strangers[word]; hint != "" {
			from, to := s.bytes(loc)
			return s.fault(from, to, "expr-syntax", hint, "%q is not an operator", word), true
		}
	}
	return diag.Diagnostic{}, false
}

// afterDot reports whether a key follows, not a name of its own.
func afterDot(before []lexer.Token) bool {
	if len(before) == 0 {
		return false
	}
	last := before[len(before)-1]
	return last.Is(lexer.Operator, ".") || last.Is(lexer.Operator, "?.")
}

// piped reports whether a function call follows, as it must behind a pipe.
func piped(rest []lexer.Token) bool {
	return len(rest) > 1 && rest[0].Kind == lexer.Identifier && rest[1].Is(lexer.Bracket, "(")
}

var unexpected = regexp.MustCompile(`unexpected token (\w+)(?:\((".*")\))?`)

// syntaxMessage makes expr's message readable.
func syntaxMessage(message string) (text, hint string) {
	if m := unexpected.FindStringSubmatch(message); m != nil {
		switch {
		case m[1] == "EOF":
			return "the expression ends too early", ""
		case m[1] == "String":
			return fmt.Sprintf("unexpected text %s", m[2]), ""
		case m[2] == `"elif"` || m[2] == `"then"`:
			return fmt.Sprintf("unexpected %s", m[2]), "write cond ? a : b"
		case m[2] == `"="`:
			return `"=" is not an operator`, "write == to compare, matches for a pattern"
		case m[2] == `","`:
			return `unexpected ","`, "a list is written in brackets: [1, 2]"
		}
		return fmt.Sprintf("unexpected %s", m[2]), ""
	}
	switch {
	case strings.HasPrefix(message, "unrecognized character"):
		_, char, _ := strings.Cut(message, "'")
		char = strings.TrimSuffix(char, "'")
		hint := ""
		if strings.Contains("“”„‟«»‘’‚", char) {
			hint = `write straight quotes: "`
		} else if char == "~" {
			hint = "write matches for a pattern"
		}
		return fmt.Sprintf("%q is not part of the language", char), hint
	case strings.Contains(message, "literal not terminated"):
		return "a text lacks its closing quote", ""
	case strings.Contains(message, "unexpected end of expression"):
		return "the expression ends too early", ""
	case strings.HasPrefix(message, "invalid integer literal"), strings.Contains(message, "literal is too large"):
		return "the number is too large", "numbers are 64-bit integers or decimals"
	case strings.Contains(message, "cannot be mixed"):
		return "?? cannot be mixed with other operators", "put parentheses around it: (a ?? b) == c"
	}
	return plainWords(message), ""
}

var goWords = regexp.MustCompile(`map\[(?:string|interface \{\})\](?:\[\])?interface \{\}|\[\]interface \{\}|\[\](?:string|int|float64)|` +
	`\binterface \{\}|<nil>|\b(?:json\.Number|time\.Time|time\.Duration|float64|uint8|int64|bool|string|int|nil)\b`)

// plainWords replaces the names of Go's types in a message.
func plainWords(message string) string {
	message = strings.TrimPrefix(message, "reflect: ")
	return strings.TrimSpace(goWords.ReplaceAllStringFunc(message, func(name string) string {
		if name == "interface {}" {
			return "any value"
		}
		return kindOfType(name)
	}))
}
