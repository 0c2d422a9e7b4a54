package lang

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser"

	"hookgate/internal/diag"
)

// explainError words an error of the machine for people: which part of the
// expression, and what it met. It parses the expression again, for errors are
// rare and trees are large.
func (p *program) explainError(err error) error {
	var at *file.Error
	if !errors.As(err, &at) {
		return fmt.Errorf("%s: %s", brief(p.src.code), plainWords(err.Error()))
	}
	tree, parseErr := parser.Parse(p.src.code)
	if parseErr != nil {
		return errors.New(plainWords(at.Message))
	}
	f := faultFinder{spans: newSpans(p.src), at: at.Location}
	f.find(tree.Node)
	if limit, ok := isLimit(err); ok {
		return fmt.Errorf("%s: %s", f.part(), limit)
	}
	return errors.New(f.message(at.Message))
}

type faultFinder struct {
	spans  *spans
	at     file.Location
	node   ast.Node // the innermost one at the place
	access *ast.MemberNode
}

func (f *faultFinder) find(n ast.Node) {
	for _, c := range children(n) {
		f.find(*c)
	}
	if n.Location() != f.at {
		return
	}
	switch x := n.(type) {
	case *ast.ChainNode, *ast.PredicateNode, *ast.StringNode:
	case *ast.MemberNode:
		if f.access == nil {
			f.access = x
		}
		f.node = n
	case *ast.CallNode: // stands where its function's name does
		f.node = n
	default:
		if f.node == nil {
			f.node = n
		}
	}
}

// part is the source of the part at fault, cut to what fits in a line.
func (f *faultFinder) part() string {
	const most = 100
	text := f.spans.src.code
	if f.node != nil {
		text = f.spans.text(f.node)
	}
	text = strings.Join(strings.Fields(text), " ")
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return text
}

var (
	cannotFetch = regexp.MustCompile(`^cannot fetch (.*) from (.*)$`)
	outOfRange  = regexp.MustCompile(`^index out of range: (-?\d+) \(array length is (\d+)\)$`)
	badOperands = regexp.MustCompile(`^invalid operation: (.+) (\S+) (\S.*)$`)
	badType     = regexp.MustCompile(`^interface conversion: (?:interface \{\}|any) is (.+), not (.+)$`)
	badIn       = regexp.MustCompile(`^operator "in" not defined on (.*)$`)
	badArgument = regexp.MustCompile(`\(type (.*)\)$`)
)

// uncomputed is the type of a number that jsondoc.Compute leaves as it is written.
const uncomputed = "json.Number"

func (f *faultFinder) message(raw string) string {
	if f.access != nil {
		if text := f.accessMessage(raw); text != "" {
			return text
		}
	}
	part := f.part()
	if m := badType.FindStringSubmatch(raw); m != nil {
		return fmt.Sprintf("%s: needs %s, but got %s", part, kindOfType(m[2]), kindOfType(m[1]))
	}
	if m := badIn.FindStringSubmatch(raw); m != nil {
		return fmt.Sprintf(`%s: "in" needs a list or an object, but got %s`, part, kindOfType(m[1]))
	}
	if m := badOperands.FindStringSubmatch(raw); m != nil {
		if m[1] == uncomputed || m[3] == uncomputed {
			return part + ": a number in it is too large or too small to work with; as text it is whole: string(…)"
		}
		return fmt.Sprintf("%s: cannot work out %s %s %s", part, kindOfType(m[1]), m[2], kindOfType(m[3]))
	}
	switch {
	case strings.Contains(raw, "divide by zero"):
		return part + ": division by zero"
	case raw == "memory budget exceeded":
		return fmt.Sprintf("%s: its lists and objects have more than %d items", part, maxElements)
	case strings.HasPrefix(raw, "invalid argument for"):
		if m := badArgument.FindStringSubmatch(raw); m != nil {
			return fmt.Sprintf("%s: cannot take %s", part, kindOfType(m[1]))
		}
	case strings.Contains(raw, "call of reflect."), strings.Contains(raw, "reflect.Value."), strings.Contains(raw, "reflect: "):
		return part + ": cannot work with a value of this type"
	}
	return part + ": " + plainWords(raw)
}

// accessMessage words a failed access to a member.
func (f *faultFinder) accessMessage(raw string) string {
	base := f.spans.text(f.access.Node)
	if m := outOfRange.FindStringSubmatch(raw); m != nil {
		return fmt.Sprintf("%s has %s items, so it has no [%s]", base, m[2], m[1])
	}
	if strings.HasPrefix(raw, "invalid operation: int(") {
		return fmt.Sprintf("%s is a list or a text, whose items are chosen by number", base)
	}
	if strings.HasPrefix(raw, "reflect.Value.MapIndex") {
		return fmt.Sprintf("%s is an object, whose values are chosen by name", base)
	}
	m := cannotFetch.FindStringSubmatch(raw)
	if m == nil {
		return ""
	}
	key, last := m[1], base
	if i := strings.LastIndexByte(base, '.'); i >= 0 {
		last = base[i+1:]
	}
	if kindOfType(m[2]) != "null" {
		return fmt.Sprintf("%s is %s, so it has no %q", base, diag.A(kindOfType(m[2])), key)
	}
	remedy := last + "?." + key
	if _, named := f.access.Property.(*ast.StringNode); !named || !plainName(key) {
		remedy = last + "?.[…]"
	}
	return fmt.Sprintf("%s is null, so it has no %q (write %s)", base, key, remedy)
}

// plainName reports whether key can stand behind a dot.
func plainName(key string) bool {
	for i, c := range key {
		if c != '_' && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return key != ""
}
