package yamlnode

import (
	"fmt"
	"reflect"
)

// Range is what a number, a duration or a size may be, each bound as it is
// written; "" is none.
type Range struct {
	Min, Max string // themselves allowed
	Above    string // itself not allowed; it stands in place of Min
}

// rangeOf reads the tags min, above and max.
func rangeOf(tag reflect.StructTag) Range {
	return Range{Min: tag.Get("min"), Max: tag.Get("max"), Above: tag.Get("above")}
}

// String continues "it must be"; "" where there is no bound.
func (r Range) String() string {
	switch {
	case r.Above != "" && r.Max != "":
		return fmt.Sprintf("more than %s and at most %s", r.Above, r.Max)
	case r.Above != "":
		return "more than " + r.Above
	case r.Min != "" && r.Max != "":
		return fmt.Sprintf("from %s to %s", r.Min, r.Max)
	case r.Min != "":
		return "at least " + r.Min
	case r.Max != "":
		return "at most " + r.Max
	}
	return ""
}

// holds reports whether v, which has been decoded, lies within.
func (r Range) holds(v reflect.Value) bool {
	value := magnitude(v)
	bound := func(text string) float64 {
		b := reflect.New(v.Type()).Elem()
		readTag(text, b)
		return magnitude(b)
	}
	return (r.Min == "" || value >= bound(r.Min)) && (r.Above == "" || value > bound(r.Above)) && (r.Max == "" || value <= bound(r.Max))
}

func magnitude(v reflect.Value) float64 {
	switch {
	case v.CanInt():
		return float64(v.Int())
	case v.CanUint():
		return float64(v.Uint())
	case v.CanFloat():
		return v.Float()
	}
	panic(fmt.Sprintf("yamlnode: a bound on a %s", v.Type()))
}

// Defaults fills the fields of the struct that into points to with what their
// tag default says, read as if it stood in the file. Structs within it are left
// alone. It panics where a tag does not fit its field.
func Defaults(into any) {
	v := reflect.ValueOf(into).Elem()
	for _, m := range members(v.Type()) {
		if text, found := v.Type().FieldByIndex(m.index).Tag.Lookup("default"); found {
			readTag(text, v.FieldByIndex(m.index))
		}
	}
}

// readTag decodes a tag's text into v.
func readTag(text string, v reflect.Value) {
	n, list := Parse("a tag", []byte(text))
	d := decoder{noun: "this"}
	if len(list) == 0 {
		d.value(n, v, options{})
	}
	if len(list)+len(d.list) > 0 {
		panic(fmt.Sprintf("yamlnode: the tag %q of a %s: %v", text, v.Type(), append(list, d.list...)))
	}
}
