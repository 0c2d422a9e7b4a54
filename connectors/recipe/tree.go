package recipe

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"hookgate/connectors"
	"hookgate/internal/yamlnode"
	"hookgate/rules/lang"
)

// tree is a YAML value whose leaves may hold ${{ }}. A key or an item whose
// value is one ${{ }} that gives null is left out, for receivers take null for
// an order to clear the value; a null that is written out stays.
type tree struct {
	keys   [][]byte // of a mapping, as JSON with the colon
	names  []string
	inner  []*tree // of a mapping or list
	leaf   *lang.Template
	isList bool
}

// tree compiles n; nil where it is not there.
func (b *builder) tree(c *lang.Compiler, n yamlnode.Node) *tree {
	if n.IsZero() {
		return nil
	}
	t := &tree{}
	switch n.Kind() {
	case yamlnode.Map:
		for _, f := range n.Fields() {
			key, err := json.Marshal(f.Key.Value)
			if err != nil { // a string always marshals
				continue
			}
			t.keys = append(t.keys, append(key, ':'))
			t.names = append(t.names, f.Key.Value)
			t.inner = append(t.inner, b.tree(c, f.Value))
		}
	case yamlnode.List:
		t.isList = true
		for _, item := range n.Items() {
			t.inner = append(t.inner, b.tree(c, item))
		}
	case yamlnode.Scalar, yamlnode.Null:
		leaf, list := c.Template(n, lang.Input{Kind: lang.ValueInput})
		b.add(list...)
		t.leaf = leaf
	}
	return t
}

// appendJSON appends the rendered tree. left reports that there is nothing to
// append, for the tree is a ${{ }} that gave null.
func (t *tree) appendJSON(dst []byte, s *lang.Scope) (out []byte, left bool, err error) {
	if t.leaf != nil {
		start := len(dst)
		dst, _, err = t.leaf.AppendJSON(dst, s)
		if err != nil {
			return dst, false, err
		}
		if !t.leaf.Static() && string(dst[start:]) == "null" {
			return dst[:start], true, nil
		}
		return dst, false, nil
	}
	open, end := byte('{'), byte('}')
	if t.isList {
		open, end = '[', ']'
	}
	dst = append(dst, open)
	first := true
	for i, inner := range t.inner {
		start := len(dst)
		if !first {
			dst = append(dst, ',')
		}
		if !t.isList {
			dst = append(dst, t.keys[i]...)
		}
		if dst, left, err = inner.appendJSON(dst, s); err != nil {
			return dst, false, err
		}
		if left {
			dst = dst[:start]
			continue
		}
		first = false
	}
	return append(dst, end), false, nil
}

// value is the rendered tree as plain data, with numbers as they are written.
// nil: there is none.
func (t *tree) value(s *lang.Scope) (any, error) {
	if t == nil {
		return nil, nil //nolint:nilnil // nothing written is no value
	}
	text, left, err := t.appendJSON(nil, s)
	if err != nil || left {
		return nil, err
	}
	return connectors.DecodeJSON(text)
}

// pairs are the rendered tree's values under their names. A mapping or list
// inside makes names such as items[0][price].
func (t *tree) pairs(s *lang.Scope) (map[string]string, error) {
	value, err := t.value(s)
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	switch x := value.(type) {
	case nil:
	case map[string]any:
		for name, inner := range x {
			flatten(out, name, inner)
		}
	default:
		return nil, errors.New("this is not a mapping")
	}
	return out, nil
}

func flatten(out map[string]string, name string, value any) {
	switch x := value.(type) {
	case map[string]any:
		for key, inner := range x {
			flatten(out, name+"["+key+"]", inner)
		}
	case []any:
		for i, inner := range x {
			flatten(out, name+"["+strconv.Itoa(i)+"]", inner)
		}
	default:
		out[name] = plainText(x)
	}
}

// plainText is a scalar as text: "" for null, numbers as they are written.
func plainText(value any) string {
	switch x := value.(type) {
	case nil:
		return ""
	case string:
		return x
	case float64:
		return strconv.FormatFloat(x, 'f', -1, 64)
	}
	return fmt.Sprint(value)
}

// renderText renders a template that gives text. It is an error where one of
// its ${{ }} has no value and required is set.
func renderText(t *lang.Template, s *lang.Scope, required bool) (string, error) {
	if t == nil {
		return "", nil
	}
	raw, missing, err := t.AppendJSON(nil, s)
	if err != nil {
		return "", err
	}
	if required && len(missing) > 0 {
		return "", fmt.Errorf("%s is missing", missing[0])
	}
	var text string
	if err := json.Unmarshal(raw, &text); err != nil {
		return "", errors.New("this is not a text")
	}
	return text, nil
}
