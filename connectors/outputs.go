package connectors

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"

	"hookgate/internal/diag"
	"hookgate/internal/event"
	"hookgate/internal/jsondoc"
	"hookgate/internal/yamlnode"
	"hookgate/rules/lang"
)

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
	} else if body, err := DecodeJSON(a.Body); err == nil {
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
		return nil, diag.List{n.Diag("wrong-type", "such as { id: body.id }", `%q must be a mapping of names to expressions`, KeyName(n))}
	}
	var list diag.List
	var out Outputs
	for _, f := range n.Fields() {
		list = append(list, CheckName(f.Key)...)
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

// OutputsOf compiles outputs that ReadOutputs has checked before they were stored.
// One that is not understood any more is left out.
func OutputsOf(c *lang.Compiler, exprs map[string]string) Outputs {
	var out Outputs
	for _, name := range slices.Sorted(maps.Keys(exprs)) {
		if expr, faults := c.Expression(yamlnode.Plain(exprs[name])); faults.Err() == nil {
			out = append(out, output{name, expr})
		}
	}
	return out
}

// Names are those of the outputs, in the order in which they are written.
func (o Outputs) Names() []string {
	var names []string
	for _, one := range o {
		names = append(names, one.name)
	}
	return names
}

// Read gives the values; one that is not there is left out. Numbers, and true and false,
// stay what they are; lists and objects are texts.
func (o Outputs) Read(s *lang.Scope) map[string]event.Output {
	out := make(map[string]event.Output, len(o))
	for _, one := range o {
		text, err := one.expr.Text(s)
		if err != nil || text == "" {
			continue
		}
		switch value, err := one.expr.Eval(s); value.(type) {
		case bool, int, float64, json.Number:
			if err == nil && json.Valid([]byte(text)) {
				out[one.name] = event.ScalarOutput(text)
				continue
			}
		}
		out[one.name] = event.TextOutput(text)
	}
	return out
}

// NamePattern is what kinds, settings, actions, inputs and outputs can be called.
const NamePattern = `^[a-z][a-z0-9_]*$`

var nameForm = regexp.MustCompile(NamePattern)

// CheckName wants a name that expressions can speak of.
func CheckName(name yamlnode.Text) diag.List {
	if name.IsZero() || nameForm.MatchString(name.Value) {
		return nil
	}
	return diag.List{name.Diag("bad-name", "use small letters, digits and _", "%q cannot be a name here", name.Value)}
}

// DecodeJSON decodes one JSON value to plain data as expressions see it.
func DecodeJSON(text []byte) (any, error) {
	doc, err := jsondoc.Parse(text)
	if err != nil {
		return nil, err
	}
	defer doc.Release()
	return doc.Value(), nil
}
