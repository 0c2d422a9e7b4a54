package forms

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"hookgate/internal/body"
)

// maxNesting bounds the brackets in a name; a name with more is one key.
const maxNesting = 8

// fieldPath is where a field stands in data: address[city] is address, city.
// "" stands for any index: items[][qty] is items, "", qty.
type fieldPath []string

// parsedName is a field's name, taken apart. list says that it ended with []:
// the field is always a list.
type parsedName struct {
	path fieldPath
	list bool
}

// pathOf takes a name apart. One whose brackets do not pair up is one key.
func pathOf(name string) parsedName {
	open := strings.IndexByte(name, '[')
	if open <= 0 || !strings.HasSuffix(name, "]") || strings.Count(name, "[") > maxNesting {
		return parsedName{path: fieldPath{name}}
	}
	path := fieldPath{name[:open]}
	for rest := name[open:]; rest != ""; {
		end := strings.IndexByte(rest, ']')
		if rest[0] != '[' || end < 0 || strings.IndexByte(rest[1:end], '[') >= 0 {
			return parsedName{path: fieldPath{name}}
		}
		path = append(path, rest[1:end])
		rest = rest[end+1:]
	}
	if path[len(path)-1] == "" {
		return parsedName{path: path[:len(path)-1], list: true}
	}
	return parsedName{path: path}
}

// key tells paths apart.
func (p fieldPath) key() string { return strings.Join(p, "\x00") }

// pattern is the key with every index taken for any.
func (p fieldPath) pattern() string {
	general := make(fieldPath, len(p))
	for i, part := range p {
		if _, ok := index(part); i == 0 || !ok {
			general[i] = part
		}
	}
	return general.key()
}

// name is the path as a form's field is called.
func (p fieldPath) name() string {
	if len(p) == 1 {
		return p[0]
	}
	return p[0] + "[" + strings.Join(p[1:], "][") + "]"
}

// index is the number that a part of a path is.
func index(part string) (int, bool) {
	n, err := strconv.Atoi(part)
	return n, err == nil && n >= 0 && n < maxFields && strconv.Itoa(n) == part
}

// declared is the field that stands there, nil if none does.
func (f *Form) declared(path fieldPath) *field {
	if fd := f.byPath[path.key()]; fd != nil || len(path) == 1 {
		return fd
	}
	if fd := f.byPath[path.pattern()]; fd != nil {
		return fd
	}
	return f.listOf(path)
}

// listOf is the field whose values a page numbers: pics[0] and pics[1] are two
// files of the field pics. Dropzone and many scripts post lists so. A field
// that has one value is not meant by it, but for a file: there the number is
// the script's habit.
func (f *Form) listOf(path fieldPath) *field {
	last := len(path) - 1
	if _, ok := index(path[last]); !ok || last == 0 {
		return nil
	}
	fd := f.byPath[path[:last].key()]
	if fd == nil {
		fd = f.byPath[path[:last].pattern()]
	}
	if fd == nil || fd.single() || fd.kind == checkboxKind && !fd.multi() {
		return nil
	}
	return fd
}

// place is where in data what is posted at the path belongs: at its field's, if
// the path's last part is a number that the field does not have.
func (f *Form) place(path fieldPath) fieldPath {
	if f.byPath[path.key()] == nil && len(path) > 1 && f.byPath[path.pattern()] == nil && f.listOf(path) != nil {
		return path[:len(path)-1]
	}
	return path
}

// counters number the rows of a post whose names leave that to the reader:
// every items[][qty] is a row of its own, as PHP has it.
type counters map[string]int

func (c counters) number(path fieldPath) fieldPath {
	numbered := make(fieldPath, 0, len(path))
	for i, part := range path {
		n, given := index(part)
		switch at := numbered.key(); {
		case i == 0:
		case part == "":
			part = strconv.Itoa(c[at])
			c[at]++
		case given:
			c[at] = max(c[at], n+1)
		}
		numbered = append(numbered, part)
	}
	return numbered
}

// flatten takes an object of a JSON post apart where fields are declared
// inside of it, so that each is found under the name that it has in HTML.
func flatten(path fieldPath, p body.Field, yield func(fieldPath, body.Field)) {
	under := func(part string, v any) {
		next := append(append(fieldPath{}, path...), part)
		flatten(next, body.Field{Name: next.name(), Value: v}, yield)
	}
	switch v := p.Value.(type) {
	case map[string]any:
		for _, key := range sortedKeys(v) {
			under(key, v[key])
		}
		return
	case []any:
		for _, item := range v {
			if _, ok := item.(map[string]any); !ok {
				yield(path, p)
				return
			}
		}
		for i, item := range v {
			under(strconv.Itoa(i), item)
		}
		return
	}
	yield(path, p)
}

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
