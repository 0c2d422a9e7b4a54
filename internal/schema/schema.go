// Package schema tells what the JSON of a source's events looks like: which
// paths there are, of which types, how often, with which values. A Shape comes
// from events that were seen, or from what a sender documents.
package schema

import (
	"encoding/json"
	"slices"
	"strings"
)

// The types of values, in the words of the rules' messages.
const (
	Text   = "text"
	Number = "number"
	Bool   = "true or false"
	Null   = "null"
	List   = "list"
	Object = "object"
)

// Field is what is known of one path.
type Field struct {
	Path  Path     `json:"path"`
	Types []string `json:"types,omitempty"` // sorted; none: it can be anything
	Seen  int      `json:"seen,omitempty"`  // in how many of the events it stands, null counted
	// Examples are values in the order of their coming, as JSON; those of
	// secrets are masked, long ones cut.
	Examples []json.RawMessage `json:"examples,omitempty"`
	More     bool              `json:"more,omitempty"` // there are values that are not among the Examples
	// Lengths are how many items the longest lists had, the longest first.
	Lengths []int `json:"lengths,omitempty"`
	// Values are all the texts that the sender documents for the path; none:
	// it documents no list of them.
	Values []string `json:"values,omitempty"`
	// Labels are what people may know a value by: the German name of a status.
	Labels map[string]Label `json:"labels,omitempty"`
}

// Label says what a text that is no value stands for.
type Label struct {
	Value    string `json:"value"`
	Language string `json:"language"` // German
}

// Is reports whether the path can have a value of that type.
func (f *Field) Is(kind string) bool { return len(f.Types) == 0 || slices.Contains(f.Types, kind) }

// Nullable reports whether the path is known to be null at times.
func (f *Field) Nullable() bool { return slices.Contains(f.Types, Null) }

// Payload is what is known of the events of one type.
type Payload struct {
	Type   string `json:"type"`
	Events int    `json:"events"` // how many were looked at; 0: it is documented
	// Complete says of a documented shape that the sender publishes all of it:
	// what is not in it is not sent.
	Complete bool    `json:"complete,omitempty"`
	Fields   []Field `json:"fields"`
}

// Find is the field at that path, nil if it is not known.
func (s *Payload) Find(p Path) *Field {
	for i := range s.Fields {
		if slices.Equal(s.Fields[i].Path, p) {
			return &s.Fields[i]
		}
	}
	return nil
}

// Children are the next steps that are known below the path.
func (s *Payload) Children(p Path) []string {
	var names []string
	for i := range s.Fields {
		if below := s.Fields[i].Path; len(below) == len(p)+1 && slices.Equal(below[:len(p)], p) {
			names = append(names, below[len(p)])
		}
	}
	return names
}

// Source is what is known of one source or form.
type Source struct {
	Name string `json:"name"`
	Form bool   `json:"form,omitempty"`
	// Sender is who documents the shapes: Sitejet. "" where nobody does.
	Sender     string    `json:"sender,omitempty"`
	Documented []Payload `json:"documented"` // by type
	Seen       []Payload `json:"seen"`       // by type, the most frequent first
}

// Events is how many events were looked at.
func (o *Source) Events() int {
	n := 0
	for i := range o.Seen {
		n += o.Seen[i].Events
	}
	return n
}

// Of is the part of the shapes that is about these types; none: all of them.
func Of(shapes []Payload, types []string) []Payload {
	if len(types) == 0 {
		return shapes
	}
	var list []Payload
	for _, s := range shapes {
		if slices.Contains(types, s.Type) {
			list = append(list, s)
		}
	}
	return list
}

// Merge is one shape for all of them: what can come from a rule's point of view
// when it listens to several types. It is Complete if each of them is.
func Merge(shapes []Payload) Payload {
	out := Payload{Complete: len(shapes) > 0}
	at := map[string]int{}
	for _, s := range shapes {
		out.Events += s.Events
		out.Complete = out.Complete && s.Complete
		for _, f := range s.Fields {
			key := f.Path.String()
			i, known := at[key]
			if !known {
				at[key] = len(out.Fields)
				out.Fields = append(out.Fields, Field{
					Path: f.Path, Types: slices.Clone(f.Types), Seen: f.Seen, Examples: slices.Clone(f.Examples), More: f.More, Lengths: slices.Clone(f.Lengths),
					Values: f.Values, Labels: f.Labels,
				})
				continue
			}
			out.Fields[i].merge(&f)
		}
	}
	out.sort()
	return out
}

func (f *Field) merge(other *Field) {
	if len(f.Types) > 0 && len(other.Types) > 0 {
		for _, t := range other.Types {
			f.addType(t)
		}
	} else {
		f.Types = nil
	}
	f.Seen += other.Seen
	f.More = f.More || other.More
	for _, n := range other.Lengths {
		f.addLength(n)
	}
	for _, e := range other.Examples {
		f.addExample(e)
	}
	if len(f.Values) == 0 || len(other.Values) == 0 {
		f.Values, f.Labels = nil, nil
		return
	}
	for _, v := range other.Values {
		if !slices.Contains(f.Values, v) {
			f.Values = append(slices.Clone(f.Values), v)
		}
	}
}

func (f *Field) addType(kind string) {
	if i, known := slices.BinarySearch(f.Types, kind); !known {
		f.Types = slices.Insert(f.Types, i, kind)
	}
}

// addLength notes that a list had so many items, if it is among the longest.
func (f *Field) addLength(n int) {
	i, _ := slices.BinarySearchFunc(f.Lengths, n, func(a, b int) int { return b - a })
	if f.Lengths = slices.Insert(f.Lengths, i, n); len(f.Lengths) > MaxLengths {
		f.Lengths = f.Lengths[:MaxLengths]
	}
}

// addExample keeps a value that is not there yet, as long as there is room.
func (f *Field) addExample(e json.RawMessage) {
	for _, known := range f.Examples {
		if string(known) == string(e) {
			return
		}
	}
	if len(f.Examples) >= maxExamples {
		f.More = true
		return
	}
	f.Examples = append(f.Examples, e)
}

func (s *Payload) sort() {
	slices.SortStableFunc(s.Fields, func(a, b Field) int { return slices.Compare(a.Path, b.Path) })
}

// HasText reports whether the text is among the Examples.
func (f *Field) HasText(text string) bool { return slices.Contains(f.Texts(), text) }

// Texts are the Examples that are texts.
func (f *Field) Texts() []string {
	var list []string
	for _, e := range f.Examples {
		var text string
		if strings.HasPrefix(string(e), `"`) && json.Unmarshal(e, &text) == nil {
			list = append(list, text)
		}
	}
	return list
}
