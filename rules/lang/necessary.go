package lang

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/expr-lang/expr/ast"

	"hookgate/internal/jsondoc"
)

// necessary is what a condition begins with, where that is a comparison of a
// static path with texts, alone or before `and`: data.status == "Done", or
// event.type in ["created", "changed"]. Where the path holds another text, the
// condition is false, whatever follows. Most rules are about another event, so
// this costs least where there are most of them; it says nothing of the others,
// and what it says is what evaluation would say.
type necessary struct {
	path  *path
	texts []string
}

// findNecessary is the necessary comparison of a condition; nil: it has none.
func findNecessary(space *space, n ast.Node) *necessary {
	for {
		binary, ok := n.(*ast.BinaryNode)
		if !ok {
			return nil
		}
		switch binary.Operator {
		case "and", "&&":
			n = binary.Left
		case "==":
			if found := compared(space, binary.Left, []ast.Node{binary.Right}); found != nil {
				return found
			}
			return compared(space, binary.Right, []ast.Node{binary.Left})
		case "in":
			if list, ok := binary.Right.(*ast.ArrayNode); ok {
				return compared(space, binary.Left, list.Nodes)
			}
			return nil
		default:
			return nil
		}
	}
}

func compared(space *space, n ast.Node, with []ast.Node) *necessary {
	root, steps, ok := staticPath(n, false)
	if !ok || root != "data" && (root != "event" || len(steps) != 1 || !slices.Contains(eventFields, steps[0].key)) {
		return nil
	}
	texts := make([]string, 0, len(with))
	for _, n := range with {
		text, ok := n.(*ast.StringNode)
		// A byte that is no UTF-8 is read as U+FFFD, so that texts of it are
		// not compared as they came.
		if !ok || strings.ContainsRune(text.Value, utf8.RuneError) {
			return nil
		}
		texts = append(texts, text.Value)
	}
	return &necessary{path: space.add(root, steps), texts: texts}
}

// fails reports whether the path holds another text than those, or nothing. It
// is false where only evaluation can tell.
func (n *necessary) fails(s *Scope) bool {
	if n.path.root == "event" {
		field, _ := s.eventField(n.path.rest[0].key)
		return !slices.Contains(n.texts, field)
	}
	value, ok := s.resolve(n.path)
	switch {
	case !ok:
		return false
	case value.Kind() == jsondoc.None:
		return true
	case value.Kind() != jsondoc.String:
		return false
	}
	text := value.Text()
	return !slices.ContainsFunc(n.texts, func(one string) bool { return one == string(text) })
}
