package body

import (
	"fmt"
	"strconv"

	"hookgate/internal/jsondoc"
)

// tree is data under construction: a text, JSON text as it is, or an object
// that keeps its keys in order. Nothing more is needed to hold what forms and
// XML say.
type tree struct {
	text   []byte // of a leaf
	isJSON bool   // text is JSON text already
	object bool
	closed bool // an object that is one value, such as a file: no field is put into it
	list   bool // of same-named values; items are under no key
	keys   []string
	items  []*tree
	byKey  map[string]int // index in items, for objects
	next   int            // the index that the next [] gets
}

func leaf(text []byte) *tree { return &tree{text: text} }

func newObject() *tree { return &tree{object: true, byKey: map[string]int{}} }

// open reports whether fields can be put into t.
func (t *tree) open() bool { return t.object && !t.closed }

func (t *tree) child(key string) *tree {
	if i, ok := t.byKey[key]; ok {
		return t.items[i]
	}
	return nil
}

// add puts value under key. What comes repeatedly becomes a list.
func (t *tree) add(key string, value *tree) {
	i, ok := t.byKey[key]
	if !ok {
		t.byKey[key] = len(t.items)
		t.keys = append(t.keys, key)
		t.items = append(t.items, value)
		return
	}
	if !t.items[i].list {
		t.items[i] = &tree{list: true, items: []*tree{t.items[i]}}
	}
	t.items[i].items = append(t.items[i].items, value)
}

// indexed reports whether the keys of an object are the indexes 0 to n-1, so
// that it is a list that was written as items[0], items[1].
func (t *tree) indexed() bool {
	for i := range t.items {
		if _, ok := t.byKey[strconv.Itoa(i)]; !ok {
			return false
		}
	}
	return len(t.items) > 0
}

// appendJSON writes the tree. At the root, keys that look like indexes do not
// make a list: they are the names of a form's fields.
func (t *tree) appendJSON(dst []byte, depth int, root bool) ([]byte, error) {
	if !t.list && !t.object {
		if t.isJSON {
			return append(dst, t.text...), nil
		}
		return jsondoc.AppendString(dst, t.text), nil
	}
	if depth <= 0 {
		return dst, errTooDeep
	}
	indexed := t.object && !root && t.indexed()
	opening, closing := byte('{'), byte('}')
	if t.list || indexed {
		opening, closing = '[', ']'
	}
	dst = append(dst, opening)
	for i, item := range t.items {
		if i > 0 {
			dst = append(dst, ',')
		}
		switch {
		case indexed:
			item = t.child(strconv.Itoa(i))
		case t.object:
			dst = append(jsondoc.AppendString(dst, []byte(t.keys[i])), ':')
		}
		var err error
		if dst, err = item.appendJSON(dst, depth-1, false); err != nil {
			return dst, err
		}
	}
	return append(dst, closing), nil
}

// json is the whole tree as JSON text.
func (t *tree) json(lim Limits) ([]byte, error) {
	out, err := t.appendJSON(nil, lim.Depth, true)
	if err != nil {
		return nil, malformed(fmt.Sprintf("the body nests deeper than %d levels", lim.Depth), "")
	}
	return out, nil
}
