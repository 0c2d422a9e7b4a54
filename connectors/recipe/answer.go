package recipe

import (
	"net/http"
	"strings"

	"hookgate/internal/diag"
	"hookgate/internal/yamlnode"
	"hookgate/rules/lang"
)

// Answer is what came back for a request.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// AnswerNames is what expressions about an answer can speak of.
func AnswerNames() []lang.Name {
	return []lang.Name{{Name: "status"}, {Name: "headers"}, {Name: "body"}, {Name: "text"}}
}

// Values are the answer under these names: headers in lower case, the body
// decoded where it is JSON, else as a text, nil where it is empty.
func (a Answer) Values() map[string]any {
	headers := make(map[string]any, len(a.Header))
	for name, list := range a.Header {
		headers[strings.ToLower(name)] = strings.Join(list, ", ")
	}
	text := string(a.Body)
	values := map[string]any{"status": a.Status, "headers": headers, "text": text, "body": any(text)}
	if len(a.Body) == 0 {
		values["body"] = nil
	} else if body, err := decodeJSON(a.Body); err == nil {
		values["body"] = body
	}
	return values
}

// Outputs are values that are read from an answer, such as the id of what was
// made.
type Outputs []output

type output struct {
	name string
	expr *lang.Expression
}

// ReadOutputs compiles a mapping of names to expressions, of which c says what
// they can speak of.
func ReadOutputs(c *lang.Compiler, n yamlnode.Node) (Outputs, diag.List) {
	if n.IsZero() {
		return nil, nil
	}
	if n.Kind() != yamlnode.Map {
		return nil, diag.List{n.Diag("wrong-type", "such as { id: body.id }", `%q must be a mapping of names to expressions`, keyOf(n))}
	}
	var list diag.List
	var out Outputs
	for _, f := range n.Fields() {
		list = append(list, checkName(f.Key)...)
		if f.Value.Kind() != yamlnode.Scalar {
			list = append(list, f.Value.Diag("wrong-type", "such as body.id", "%q must be an expression", f.Key.Value))
			continue
		}
		expr, faults := c.Expression(f.Value.Text())
		list = append(list, faults...)
		out = append(out, output{name: f.Key.Value, expr: expr})
	}
	return out, list
}

// keyOf is the key that a node stands under.
func keyOf(n yamlnode.Node) string {
	path := n.Text().Path()
	return path[strings.LastIndexByte(path, '.')+1:]
}

// Names are those of the outputs, in the order in which they are written.
func (o Outputs) Names() []string {
	var names []string
	for _, one := range o {
		names = append(names, one.name)
	}
	return names
}

// Read gives the values; one that is not there is left out.
func (o Outputs) Read(s *lang.Scope) map[string]string {
	out := make(map[string]string, len(o))
	for _, one := range o {
		if text, err := one.expr.Text(s); err == nil && text != "" {
			out[one.name] = text
		}
	}
	return out
}
