package yamlnode

import (
	"encoding"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"hookgate/internal/diag"
)

// Decoder is implemented by types that read themselves from a Node.
type Decoder interface {
	DecodeNode(n Node) diag.List
}

// Decode fills the struct that into points to and reports every fault: keys
// it does not know (with the nearest that it does), missing required ones,
// values of the wrong type. noun names the thing in messages, with its
// article: "a rule". also lists keys that are allowed but decoded elsewhere.
//
// Fields are named by their tag, `yaml:"name"`, with options after it:
// required; single (one value stands for a list of one); rest (on a Node or
// []Field: takes every key that no other field names). Fields without a tag
// are left alone. The tags min, above and max bound a number, a duration or a
// size, and hint says what to do about one beyond; example shows what is meant where
// the value is of the wrong type. A field may be a string, bool, number,
// time.Duration, Text, Node, encoding.TextUnmarshaler, Decoder, struct, pointer,
// slice, or map with string keys.
func (n Node) Decode(noun string, into any, also ...string) diag.List {
	d := decoder{noun: noun, also: also}
	d.value(n, reflect.ValueOf(into).Elem(), options{})
	return d.list
}

// Nouns lets a struct type name itself in messages when it is decoded as a
// part of another: "a rule", "an action".
type Nouns interface{ Noun() string }

// Hinted lets a struct type give the hint for a key it does not have, where
// the nearest key by spelling is not what is meant.
type Hinted interface{ KeyHint(key string) string }

type options struct {
	required, single, rest bool
	within                 Range  // of the value, or of each in a list
	hint                   string // where it is not within
	example                string // as it is written
}

type decoder struct {
	noun string
	also []string
	list diag.List
}

var (
	nodeType     = reflect.TypeFor[Node]()
	textType     = reflect.TypeFor[Text]()
	durationType = reflect.TypeFor[time.Duration]()
)

func (d *decoder) fail(n Node, code, format string, args ...any) {
	d.list = append(d.list, n.Diag(code, "", format, args...))
}

func (d *decoder) value(n Node, v reflect.Value, opt options) {
	before := len(d.list)
	d.read(n, v, opt)
	if opt.within == (Range{}) || len(d.list) > before || v.Kind() == reflect.Slice || v.Kind() == reflect.Pointer {
		return // a part of v has been looked at
	}
	bounded, placed := held(v)
	if opt.within.holds(bounded) {
		return
	}
	d.list = append(d.list, n.Diag("bad-value", opt.hint, "%s must be %s", d.name(n), opt.within))
	if placed {
		v.SetZero()
	}
}

func (d *decoder) read(n Node, v reflect.Value, opt options) {
	if v.CanAddr() {
		switch x := v.Addr().Interface().(type) {
		case Decoder:
			d.list = append(d.list, x.DecodeNode(n)...)
			return
		case encoding.TextUnmarshaler:
			d.text(n, x)
			return
		}
	}
	switch {
	case v.Type() == nodeType:
		v.Set(reflect.ValueOf(n))
	case v.Type() == textType:
		if d.scalar(n, "a text") {
			v.Set(reflect.ValueOf(n.Text()))
		}
	case v.Type() == durationType:
		d.duration(n, v)
	case v.Kind() == reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		d.value(n, v.Elem(), opt)
	case v.Kind() == reflect.Struct:
		d.structure(n, v)
	case v.Kind() == reflect.Slice:
		d.slice(n, v, opt)
	case v.Kind() == reflect.Map:
		d.mapping(n, v)
	case v.Kind() == reflect.Interface:
		if x := n.Any(); x != nil {
			v.Set(reflect.ValueOf(x))
		}
	default:
		d.basic(n, v)
	}
}

// scalar reports whether n is a scalar, and complains where it is not.
func (d *decoder) scalar(n Node, want string) bool {
	switch n.Kind() {
	case Scalar:
		return true
	case Null:
		d.empty(n, want)
	case List:
		d.fail(n, "wrong-type", "%s must be %s, not a list", d.name(n), want)
	case Map:
		d.fail(n, "wrong-type", "%s must be %s, not a mapping", d.name(n), want)
	}
	return false
}

// empty complains about a key without a value, and says so when YAML took
// the value for a comment.
func (d *decoder) empty(n Node, want string) {
	pos := n.KeyPos()
	line := n.Line(pos.Line)
	if _, comment, found := strings.Cut(runesFrom(line, pos.Column+pos.Width), " #"); found {
		value := "#" + strings.TrimRight(comment, " }]")
		if !strings.HasPrefix(value, "# ") {
			diagnostic := n.Diag("empty-value", fmt.Sprintf("write %q in quotes", value), `%s is empty: " #" starts a YAML comment`, d.name(n))
			diagnostic.Position = pos
			diagnostic.Column = len([]rune(line)) - len([]rune(comment))
			diagnostic.Width = len([]rune(value))
			d.list = append(d.list, diagnostic)
			return
		}
	}
	diagnostic := n.Diag("empty-value", "", "%s is empty: it must be %s", d.name(n), want)
	diagnostic.Position = pos
	d.list = append(d.list, diagnostic)
}

// name is how messages call the value: its key in quotes.
func (d *decoder) name(n Node) string {
	path := n.path
	if i := strings.LastIndexByte(path, '.'); i >= 0 {
		path = path[i+1:]
	}
	if path == "" {
		return "the file"
	}
	return fmt.Sprintf("%q", path)
}

func (d *decoder) text(n Node, x encoding.TextUnmarshaler) {
	want := "a text"
	if described, ok := x.(Described); ok && described.Describe().Type != "" {
		want = "a " + string(described.Describe().Type) // a size, a rate
	}
	if !d.scalar(n, want) {
		return
	}
	if err := x.UnmarshalText([]byte(n.Text().Value)); err != nil {
		d.fail(n, "bad-value", "%s: %s", d.name(n), err)
	}
}

func (d *decoder) duration(n Node, v reflect.Value) {
	if !d.scalar(n, "a duration") {
		return
	}
	length, err := ParseDuration(n.Text().Value)
	if err != nil {
		d.fail(n, "bad-value", "%s: %s", d.name(n), err)
		return
	}
	v.SetInt(int64(length))
}

func (d *decoder) basic(n Node, v reflect.Value) {
	want := map[reflect.Kind]string{reflect.String: "a text", reflect.Bool: "true or false", reflect.Float64: "a number"}[v.Kind()]
	if want == "" {
		want = "a whole number"
	}
	if !d.scalar(n, want) {
		return
	}
	if v.Kind() == reflect.String {
		v.SetString(n.Text().Value)
		return
	}
	if err := n.resolved().Load(v.Addr().Interface()); err != nil {
		d.fail(n, "wrong-type", "%s must be %s, not %q", d.name(n), want, n.Text().Written())
	}
}

func (d *decoder) slice(n Node, v reflect.Value, opt options) {
	if n.Kind() != List {
		if !opt.single || n.Kind() == Null {
			d.wrongShape(n, aList, listed(n, v.Type().Elem()))
			return
		}
		d.element(n, v, opt)
		return
	}
	if len(n.Items()) == 0 {
		v.Set(reflect.MakeSlice(v.Type(), 0, 0)) // an empty list is one that was written
	}
	for _, item := range n.Items() {
		d.element(item, v, opt)
	}
}

// element appends n to the slice v, unless nothing of it could be read, which is
// said: a list without one element that can be read is as if it were not there.
func (d *decoder) element(n Node, v reflect.Value, opt options) {
	element := reflect.New(v.Type().Elem()).Elem()
	before := len(d.list)
	if d.value(n, element, options{within: opt.within, hint: opt.hint}); len(d.list) > before && element.IsZero() {
		return
	}
	v.Set(reflect.Append(v, element))
}

func (d *decoder) mapping(n Node, v reflect.Value) {
	if n.Kind() != Map {
		d.wrongShape(n, "a mapping", "")
		return
	}
	v.Set(reflect.MakeMap(v.Type()))
	for _, f := range n.Fields() {
		element := reflect.New(v.Type().Elem()).Elem()
		d.value(f.Value, element, options{})
		v.SetMapIndex(reflect.ValueOf(f.Key.Value), element)
	}
}

// listed says how the mapping n is written as a list of items of that type.
func listed(n Node, item reflect.Type) string {
	if n.Kind() != Map {
		return ""
	}
	fields := n.Fields()
	named := item.Kind() == reflect.Struct && slices.ContainsFunc(members(item), func(m member) bool { return m.name == "name" })
	switch {
	case named && len(fields) > 0 && !slices.ContainsFunc(fields, func(f Field) bool { return f.Value.Kind() != Map }):
		return fmt.Sprintf(`write "- name: %s" in place of "%[1]s:"`, fields[0].Key.Value)
	case n.y.Style&yaml.FlowStyle != 0:
		return "put it in [ ]"
	}
	return `begin each of its items with "- "`
}

func (d *decoder) wrongShape(n Node, want, hint string) {
	if n.Kind() == Null {
		d.empty(n, want)
		return
	}
	d.list = append(d.list, n.Diag("wrong-type", hint, "%s must be %s", d.name(n), want))
}

const aList = "a list"
