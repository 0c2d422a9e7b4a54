package lang

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"time"

	"hookgate/internal/calendar"
	"hookgate/internal/jsondoc"
	"hookgate/internal/locale"
)

// Function is a function of the language, as people read about it.
type Function struct {
	Name      string    `json:"name"`
	Group     string    `json:"group"`
	Signature string    `json:"signature"`
	Doc       string    `json:"doc"`
	Null      string    `json:"null"` // what it gives where its first argument is null; error: it cannot be evaluated
	Examples  []Example `json:"examples"`
}

// OfNull says what the function makes of a first argument that is null.
func (f *Function) OfNull() string {
	if f.Null == "error" {
		return "A null first argument is an error."
	}
	return "A null first argument gives " + f.Null + "."
}

// Example is an expression, and its value as JSON.
type Example struct{ Code, Value string }

// MarshalJSON has the value as it is, not as a text.
func (e Example) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]json.RawMessage{"code": jsondoc.AppendString(nil, e.Code), "value": json.RawMessage(e.Value)})
}

// What the examples see.
const (
	ExampleData = `{"name": "Ada von Lovelace", "email": "Ada@Example.com", "phone": "030 1234567", "consent": true, "budget": "1.250,50", ` +
		`"message": "Hello,\nplease call me.", "items": [{"sku": "a", "price": 19.90}, {"sku": "b", "price": 5}], "brief": {"id": "fil_1", "name": "brief.pdf"}}`
	ExampleZone = "Europe/Berlin"
	ExampleLang = "en"
	// ExampleCalendar is called office.
	ExampleCalendar = `{"days": ["mon-fri"], "hours": ["09:00-17:30"], "timezone": "Europe/Berlin", "holidays": ["01-01", "12-25", "12-26", "2026-04-03", "2026-04-06"]}`
)

// Functions are all functions of the language, by group and then by name.
func Functions() []Function {
	var list []Function
	for _, g := range groups {
		var own []Function
		for i := range g.functions {
			own = append(own, g.functions[i].described(g.name))
		}
		for _, b := range g.builtins {
			own = append(own, b.described(g.name))
		}
		slices.SortFunc(own, func(a, b Function) int { return strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)) })
		list = append(list, own...)
	}
	return list
}

// group are the functions of one subject: ours, and expr's.
type group struct {
	name      string
	functions []function
	builtins  []builtinDoc
}

// groups is the library.
var groups = []group{
	{"Text", textFunctions, textBuiltins},
	{"Patterns", patternFunctions, nil},
	{"Markup", markupFunctions, nil},
	{"Missing values", emptyFunctions, nil},
	{"Numbers", numberFunctions, numberBuiltins},
	{"Time", timeFunctions, timeBuiltins},
	{"Calendars", calendarFunctions, nil},
	{"Lists", listFunctions, listBuiltins},
	{"Objects", objectFunctions, objectBuiltins},
	{"People", peopleFunctions, nil},
	{"Formats", formatFunctions, formatBuiltins},
	{"Tables", tableFunctions, nil},
}

// function is one of ours. Its arguments are checked before it is called: a
// null first one gives null, and so does one that cannot be read; those that
// are left out are nil.
type function struct {
	name    string
	params  []param
	result  reflect.Type // what it gives unless that is null; nil: any value
	doc     string
	null    string // what a null first argument gives, where that is not null
	example string
	value   string
	more    []Example
	numbers spelling
	guards  bool // a missing value is what it is about
	// own says that the function looks at its arguments itself.
	own  bool
	call func(m *meter, args []any) (any, error)
}

// spelling says what numbers in the arguments are to the function.
type spelling int

const (
	computedNumbers spelling = iota // it computes with them
	handedNumbers                   // they are in its result, as they are written
	writtenNumbers                  // it writes them out, as they are written
)

// The types of results.
var (
	textResult   = reflect.TypeFor[string]()
	wholeResult  = reflect.TypeFor[int]()
	boolResult   = reflect.TypeFor[bool]()
	listResult   = reflect.TypeFor[[]any]()
	objectResult = reflect.TypeFor[map[string]any]()
	timeResult   = reflect.TypeFor[time.Time]()
)

func (f *function) described(group string) Function {
	d := Function{
		Name: f.name, Group: group, Signature: f.signature(), Doc: f.doc, Null: f.null,
		Examples: append([]Example{{f.example, f.value}}, f.more...),
	}
	if d.Null == "" {
		d.Null = "null"
	}
	return d
}

func (f *function) signature() string {
	parts := make([]string, len(f.params))
	for i, p := range f.params {
		parts[i] = p.name
		switch {
		case p.rest:
			parts[i] += ", …"
		case p.otherwise != "":
			parts[i] += " = " + p.otherwise
		case p.optional:
			parts[i] += "?"
		}
	}
	return f.name + "(" + strings.Join(parts, ", ") + ")"
}

// resultType tells expr's checker what the function gives.
func (f *function) resultType([]reflect.Type) (reflect.Type, error) {
	if f.result == nil {
		return reflect.TypeFor[any](), nil
	}
	return f.result, nil
}

// builtinDoc is a function of expr's.
type builtinDoc struct{ signature, doc, null, example, value string }

func (b builtinDoc) described(group string) Function {
	name, _, _ := strings.Cut(b.signature, "(")
	return Function{
		Name: name, Group: group, Signature: b.signature, Doc: b.doc, Null: b.null, Examples: []Example{{b.example, b.value}},
	}
}

// added are the functions that expr does not have, by their names.
var added = byName()

func byName() map[string]*function {
	all := map[string]*function{}
	for _, g := range groups {
		for i := range g.functions {
			all[g.functions[i].name] = &g.functions[i]
		}
	}
	return all
}

// place is where an expression is evaluated.
type place struct {
	zone   *time.Location
	locale *locale.Locale
	words  map[string]Words // by source
	tables map[string]*Table

	calendars map[string]*calendar.Calendar // by name
}

// Words are what the events of a source are told to people in. What is "" is
// said in English, and a field without a label is called as its key is.
type Words struct {
	Labels  map[string]string `json:"labels,omitempty"` // by the path in data, its parts joined with dots; that of a list's items is ""
	Message string            `json:"message,omitempty"`
	Yes     string            `json:"yes,omitempty"`
	No      string            `json:"no,omitempty"`
}

// SetWords says by source what its events are told to people in.
func (c *Compiler) SetWords(words map[string]Words) { c.space.place.words = words }

// Location is the zone that SetPlace named.
func (c *Compiler) Location() *time.Location { return c.space.place.zone }

// SetPlace says in which zone times are that come without one, and in which
// language numbers and dates are written. Without it these are UTC and English.
func (c *Compiler) SetPlace(zone *time.Location, language string) {
	if zone != nil {
		c.space.place.zone = zone
	}
	if found, ok := locale.Find(language); ok {
		c.space.place.locale = found
	}
}
