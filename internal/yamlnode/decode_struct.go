package yamlnode

import (
	"reflect"
	"slices"
	"sort"
	"strings"

	"hookgate/internal/diag"
)

// member is one tagged field of a struct.
type member struct {
	name  string
	index []int
	options
}

func members(t reflect.Type) []member {
	var list []member
	for _, f := range reflect.VisibleFields(t) {
		tag, tagged := f.Tag.Lookup("yaml")
		if !tagged {
			continue
		}
		parts := strings.Split(tag, ",")
		list = append(list, member{name: parts[0], index: f.Index, options: options{
			required: slices.Contains(parts[1:], "required"),
			single:   slices.Contains(parts[1:], "single"),
			rest:     slices.Contains(parts[1:], "rest"),
			within:   rangeOf(f.Tag), hint: f.Tag.Get("hint"), example: f.Tag.Get("example"),
		}})
	}
	return list
}

func (d *decoder) structure(n Node, v reflect.Value) {
	noun := d.noun
	if x, ok := reflect.TypeAssert[Nouns](v.Addr()); ok {
		noun = x.Noun()
	}
	if n.Kind() != Map {
		d.wrongShape(n, "a mapping", "")
		return
	}
	known := members(v.Type())
	rest := slices.IndexFunc(known, func(m member) bool { return m.rest })
	var left []Field
	given := map[string]bool{}
	for _, f := range n.Fields() {
		i := slices.IndexFunc(known, func(m member) bool { return !m.rest && m.name == f.Key.Value })
		switch {
		case i >= 0:
			given[f.Key.Value] = true
			inner := decoder{noun: "this"}
			inner.value(f.Value, v.FieldByIndex(known[i].index), known[i].options)
			d.list = append(d.list, exemplified(inner.list, f.Value, known[i].example)...)
		case rest >= 0:
			left = append(left, f)
		case !slices.Contains(d.also, f.Key.Value):
			d.unknown(f.Key, noun, v, known)
		}
	}
	if rest >= 0 {
		v.FieldByIndex(known[rest].index).Set(reflect.ValueOf(left))
	}
	for _, m := range known {
		if m.required && !given[m.name] {
			d.list = append(d.list, MissingKey(n, m.name, "", noun))
		}
	}
}

// exemplified gives what is said of a value's type the example as its hint, unless it has one.
func exemplified(list diag.List, n Node, example string) diag.List {
	for i := range list {
		wrong := list[i].Code == "wrong-type" || list[i].Code == "empty-value"
		if wrong && list[i].Path == n.path && list[i].Hint == "" && example != "" {
			list[i].Hint = "such as " + example
		}
	}
	return list
}

func (d *decoder) unknown(key Text, noun string, v reflect.Value, known []member) {
	names := slices.Clone(d.also)
	for _, m := range known {
		names = append(names, m.name)
	}
	d.list = append(d.list, UnknownKey(key, noun, names, v.Addr().Interface()))
}

// maxListed is how many names a hint lists at most.
const maxListed = 32

// UnknownKey is the error for a key that noun does not have. The hint is the
// nearest of names, what hinted says of the key, or the list of names.
func UnknownKey(key Text, noun string, names []string, hinted any) diag.Diagnostic {
	hint, meant := diag.DidYouMean(key.Value, names), diag.Suggest(key.Value, names)
	if meant == "" {
		meant = key.Value // and no other
	}
	if h, ok := hinted.(Hinted); ok && h.KeyHint(key.Value) != "" {
		hint, meant = h.KeyHint(key.Value), ""
		for _, name := range names {
			if hint == diag.Meant(name) {
				meant = name
			}
		}
	}
	if hint == "" && len(names) > 0 && len(names) <= maxListed {
		sort.Strings(names)
		hint = "it has " + strings.Join(names, ", ")
	}
	d := key.Diag("unknown-key", hint, "%s has no key %q", noun, key.Value)
	d.Key = meant
	return d
}

// MissingKey is the error that noun, the mapping n, lacks a key.
func MissingKey(n Node, key, hint, noun string) diag.Diagnostic {
	d := n.Diag("missing-key", hint, "%s needs %q", noun, key)
	d.Key = key
	return d
}
