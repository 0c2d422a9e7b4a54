package forms

import (
	"maps"
	"slices"
	"strconv"
)

// node is data under construction: a value, or an object whose keys keep the
// order of their coming. rows says that it is a list whatever its indexes, named
// that its keys are the names of fields and it is none, however they look.
type node struct {
	value any
	leaf  bool
	rows  bool
	named bool
	keys  []string
	kids  map[string]*node
}

// set puts a value where the path says; false where another value is in the way.
func (n *node) set(path fieldPath, value any) bool {
	at := n
	for _, part := range path {
		if at.leaf {
			return false
		}
		next := at.kids[part]
		if next == nil {
			if at.kids == nil {
				at.kids = map[string]*node{}
			}
			next = &node{}
			at.kids[part] = next
			at.keys = append(at.keys, part)
		}
		at = next
	}
	if at.leaf || at.kids != nil {
		return false
	}
	at.leaf, at.value = true, value
	return true
}

// keep sets a value that must not be lost where the path is taken: of
// a=1&a[b]=2 the second is under its whole name, "a[b]"; of a[b]=2&a=1 the
// second joins the object, under the empty key.
func (n *node) keep(path fieldPath, value any) {
	if n.set(path, value) || len(path) > 1 && n.set(fieldPath{path.name()}, value) {
		return
	}
	n.set(append(slices.Clone(path), ""), value)
}

// list marks what stands at the path as a list of rows.
func (n *node) list(path fieldPath) {
	at := n
	for _, part := range path {
		if at = at.kids[part]; at == nil {
			return
		}
	}
	at.rows = !at.leaf
}

func (n *node) empty() bool { return !n.leaf && len(n.keys) == 0 }

// graft puts another node under a key.
func (n *node) graft(key string, kid *node) {
	if n.kids == nil {
		n.kids = map[string]*node{}
	}
	n.kids[key] = kid
	n.keys = append(n.keys, key)
}

// append writes n as JSON.
func (n *node) append(dst []byte) []byte {
	if n.leaf {
		return appendJSON(dst, n.value)
	}
	if !n.named && (n.rows || n.indexed()) {
		dst = append(dst, '[')
		for i, key := range n.ordered() {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = n.kids[key].append(dst)
		}
		return append(dst, ']')
	}
	dst = append(dst, '{')
	for i, key := range n.keys {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(appendJSON(dst, key), ':')
		dst = n.kids[key].append(dst)
	}
	return append(dst, '}')
}

// indexed reports whether the keys are the indexes from 0, without a gap.
func (n *node) indexed() bool {
	for i := range n.keys {
		if n.kids[strconv.Itoa(i)] == nil {
			return false
		}
	}
	return len(n.keys) > 0
}

// ordered are the keys by their indexes.
func (n *node) ordered() []string {
	return slices.SortedFunc(slices.Values(n.keys), func(a, b string) int {
		x, _ := index(a)
		y, _ := index(b)
		return x - y
	})
}

func sortedKeys(m map[string]any) []string { return slices.Sorted(maps.Keys(m)) }
