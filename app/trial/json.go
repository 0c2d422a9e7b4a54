package trial

import (
	"bytes"
	"encoding/json"

	"hookgate/internal/diag"
	"hookgate/internal/yamlnode"
)

// appendJSON writes a value of the configuration as JSON, in the order of its
// keys.
func appendJSON(dst []byte, n yamlnode.Node) ([]byte, diag.List) {
	var list diag.List
	switch n.Kind() {
	case yamlnode.Map:
		dst = append(dst, '{')
		for i, f := range n.Fields() {
			if i > 0 {
				dst = append(dst, ',')
			}
			key, _ := encode(f.Key.Value)
			var faults diag.List
			dst, faults = appendJSON(append(append(dst, key...), ':'), f.Value)
			list = append(list, faults...)
		}
		return append(dst, '}'), list
	case yamlnode.List:
		dst = append(dst, '[')
		for i, item := range n.Items() {
			if i > 0 {
				dst = append(dst, ',')
			}
			var faults diag.List
			dst, faults = appendJSON(dst, item)
			list = append(list, faults...)
		}
		return append(dst, ']'), list
	case yamlnode.Scalar, yamlnode.Null:
	}
	text, err := encode(n.Any())
	if err != nil {
		return append(dst, "null"...), diag.List{n.Diag("bad-value", "", "JSON has no %s", n.Text().Written())}
	}
	return append(dst, text...), nil
}

// encode writes v as JSON; an error is a number that JSON lacks.
func encode(v any) ([]byte, error) {
	var buf bytes.Buffer
	e := json.NewEncoder(&buf)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSpace(buf.Bytes()), nil
}
