package yamlnode

import (
	"encoding"
	"reflect"
	"strings"
)

// Type is what may stand at a place of the configuration.
type Type string

// The types. An Object has known keys, a Mapping any. An Expression is text in
// the rules' language. Anything takes every shape.
const (
	TextType     Type = "text"
	BoolType     Type = "bool"
	NumberType   Type = "number"
	WholeType    Type = "whole number"
	DurationType Type = "duration"
	SizeType     Type = "size"
	RateType     Type = "rate"
	EnumType     Type = "enum"
	Expression   Type = "expression"
	ListType     Type = "list"
	MappingType  Type = "map"
	ObjectType   Type = "object"
	AnyType      Type = "any"
)

// Spec describes what may stand at one place, for people and for editors. It
// is either made by Describe from the struct that Decode fills, or by hand by
// those who decode by hand.
type Spec struct {
	Name     string // the key; "" where the place has none
	Doc      string // one or two sentences
	Type     Type
	Values   []string // of an EnumType
	Secret   bool
	Required bool
	Default  string // as it is written; "" where there is none
	Within   Range
	Example  string // as it is written
	Single   bool   // a list may be written as its one item
	Fields   []Spec // of an ObjectType: its keys
	Open     bool   // an object may have other keys too
	Item     *Spec  // of a ListType or MappingType: each value; nil is any
	OneOf    []Spec // if set, the place takes any one of these
	By       string // the key whose value is the Name of the one in OneOf; "" where the shape tells
	Env      bool   // ${NAME} serves in it and below
	Template bool   // ${{ }} serves in it and below
	Names    string // of a MappingType: a regular expression of what its keys can be; "" is any
}

// Field is the key with that name, nil where there is none. It may be changed
// to say more than the struct can.
func (s *Spec) Field(name string) *Spec {
	for i := range s.Fields {
		if s.Fields[i].Name == name {
			return &s.Fields[i]
		}
	}
	return nil
}

// Described is implemented by types with a DecodeNode or UnmarshalText of
// their own, to say what they accept. It is called on a zero value. Of types
// that do not, those with a method Reveal() string are secret texts, and the
// others are texts or, with DecodeNode, anything.
type Described interface{ Describe() Spec }

// Describe tells what Decode accepts into a T. Beside the names and options of
// the tag yaml, these tags of a field count: doc, example, default, the bounds
// min, above and max (in a list of each item), and values,
// a list with commas that makes the field an enum; also type, which names a
// Type where Go's says too little, as in type:"expression", or says secret.
func Describe[T any]() Spec { return describe(reflect.TypeFor[T](), false) }

// revealer is how a secret looks to this package, which knows none by name.
type revealer interface{ Reveal() string }

func describe(t reflect.Type, single bool) Spec {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t {
	case nodeType:
		return Spec{Type: AnyType}
	case textType:
		return Spec{Type: TextType}
	case durationType:
		return Spec{Type: DurationType}
	}
	pointer := reflect.PointerTo(t)
	switch x := reflect.New(t).Interface().(type) {
	case Described:
		return x.Describe()
	case revealer:
		return Spec{Type: TextType, Secret: true}
	}
	switch {
	case pointer.Implements(reflect.TypeFor[Decoder]()):
		return Spec{Type: AnyType}
	case pointer.Implements(reflect.TypeFor[encoding.TextUnmarshaler]()):
		return Spec{Type: TextType}
	}
	return describeKind(t, single)
}

func describeKind(t reflect.Type, single bool) Spec {
	switch t.Kind() {
	case reflect.Struct:
		return describeStruct(t)
	case reflect.Slice:
		item := describe(t.Elem(), false)
		return Spec{Type: ListType, Item: &item, Single: single, Secret: item.Secret}
	case reflect.Map:
		item := describe(t.Elem(), false)
		return Spec{Type: MappingType, Item: &item, Secret: item.Secret}
	case reflect.String:
		return Spec{Type: TextType}
	case reflect.Bool:
		return Spec{Type: BoolType}
	case reflect.Float32, reflect.Float64:
		return Spec{Type: NumberType}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return Spec{Type: WholeType}
	default:
		return Spec{Type: AnyType}
	}
}

func describeStruct(t reflect.Type) Spec {
	s := Spec{Type: ObjectType}
	for _, m := range members(t) {
		if m.rest {
			s.Open = true
			continue
		}
		f := t.FieldByIndex(m.index)
		one := describe(f.Type, m.single)
		one.Name, one.Required = m.name, m.required
		one.tags(f.Tag)
		s.Fields = append(s.Fields, one)
	}
	return s
}

// tags takes over what a field's tags say.
func (s *Spec) tags(tag reflect.StructTag) {
	if doc, found := tag.Lookup("doc"); found {
		s.Doc = doc
	}
	if example, found := tag.Lookup("example"); found {
		s.Example = example
	}
	if value, found := tag.Lookup("default"); found {
		s.Default = value
	}
	inner := s // of a list, bounds, values and type speak of the items
	if s.Type == ListType {
		inner = s.Item
	}
	if r := rangeOf(tag); r != (Range{}) {
		inner.Within = r
	}
	if values, found := tag.Lookup("values"); found {
		inner.Type, inner.Values = EnumType, strings.Split(values, ",")
	}
	switch typ := tag.Get("type"); typ {
	case "":
	case "secret":
		s.Secret, inner.Secret = true, true
	default:
		inner.Type = Type(typ)
	}
}

// Describe implements Described.
func (Size) Describe() Spec { return Spec{Type: SizeType, Example: "10MB"} }

// Describe implements Described.
func (Rate) Describe() Spec { return Spec{Type: RateType, Example: "5/s"} }
