package connectors

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"hookgate/internal/diag"
	"hookgate/internal/yamlnode"
)

// JSONType is the media type of JSON.
const JSONType = "application/json"

// ReadTexts reads an object of texts. Numbers and booleans become text with the
// digits they have, a list stands for several values, null for an empty text.
// Nothing at all, or null, is no value.
func ReadTexts(key string, raw json.RawMessage) (map[string][]string, error) {
	if len(raw) == 0 {
		return nil, nil //nolint:nilnil // an absent mapping is an empty one, and a nil map reads as such
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var fields map[string]any
	if err := decoder.Decode(&fields); err != nil {
		return nil, fmt.Errorf("%s is not a mapping of names to texts", key)
	}
	out := make(map[string][]string, len(fields))
	for name, value := range fields {
		list, isList := value.([]any)
		if !isList {
			list = []any{value}
		}
		for _, item := range list {
			text, ok := scalarText(item)
			if !ok {
				return nil, fmt.Errorf("%s.%s is neither a text nor a list of texts", key, name)
			}
			out[name] = append(out[name], text)
		}
	}
	return out, nil
}

func scalarText(value any) (string, bool) {
	switch x := value.(type) {
	case nil:
		return "", true
	case string:
		return x, true
	case json.Number:
		return x.String(), true
	case bool:
		if x {
			return "true", true
		}
		return "false", true
	}
	return "", false
}

// Templated reports whether a text may become something else when rendered.
func Templated(n yamlnode.Node) bool {
	return n.Kind() == yamlnode.Scalar && strings.Contains(n.Text().Value, "${{")
}

// CheckTexts wants a mapping from names to texts or lists of texts.
func CheckTexts(n yamlnode.Node) diag.List {
	if Templated(n) {
		return nil // a ${{ }} that gives the mapping
	}
	if n.Kind() != yamlnode.Map {
		return diag.List{n.Diag("wrong-type", "", "%q must be a mapping of names to texts", KeyName(n))}
	}
	var list diag.List
	for _, f := range n.Fields() {
		if f.Value.Kind() == yamlnode.Map || slices.ContainsFunc(f.Value.Items(), nested) {
			list = append(list, f.Value.Diag("wrong-type", "", "%q must be a text or a list of texts", f.Key.Value))
		}
	}
	return list
}

func nested(n yamlnode.Node) bool { return n.Kind() == yamlnode.Map || n.Kind() == yamlnode.List }

// CheckHeaderText wants a text that stays in one line.
func CheckHeaderText(n yamlnode.Node) diag.List {
	if strings.ContainsAny(n.Text().Value, "\r\n") {
		return diag.List{n.Diag("bad-header", "write it in one line", "%q holds a line break", KeyName(n))}
	}
	return nil
}

// Field is the field with that key.
func Field(fields []yamlnode.Field, key string) (yamlnode.Field, bool) {
	for _, f := range fields {
		if f.Key.Value == key {
			return f, true
		}
	}
	return yamlnode.Field{}, false
}
