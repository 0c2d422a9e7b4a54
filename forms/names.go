package forms

import (
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
