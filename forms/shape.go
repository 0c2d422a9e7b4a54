package forms

import (
	"encoding/json"
	"slices"

	"hookgate/app/event"
	"hookgate/app/shape"
)

// Shape is what the events of the form look like by its declared fields; none
// with `fields: any`. It is Complete: what is not declared is kept apart.
func (f *Form) Shape() []shape.Shape {
	if f.any {
		return nil
	}
	s := shape.Shape{Type: event.FormSubmitted, Complete: true}
	for _, fd := range f.fields {
		s.Fields = append(s.Fields, fd.shape()...)
	}
	if s.Find(shape.Path{extraKey}) == nil {
		s.Fields = append(s.Fields, shape.Field{Path: shape.Path{extraKey}, Types: []string{shape.Null, shape.Object}})
	}
	slices.SortStableFunc(s.Fields, func(a, b shape.Field) int { return slices.Compare(a.Path, b.Path) })
	return []shape.Shape{s}
}

// shape is the field itself and, where several options may be chosen, what stands in its list.
func (fd *field) shape() []shape.Field {
	f := shape.Field{Path: shape.Path{fd.name}}
	switch fd.kind {
	case numberKind:
		f.Types = []string{shape.Number}
	case checkboxKind:
		f.Types = []string{shape.Bool}
	case textKind, emailKind, telKind, urlKind, dateKind, selectKind, hiddenKind:
		f.Types = []string{shape.Text}
	default:
		return []shape.Field{f}
	}
	list := []shape.Field{f}
	choice := &list[0]
	if fd.multi() {
		list[0].Types = []string{shape.List}
		list = append(list, shape.Field{Path: shape.Path{fd.name, shape.Items}, Types: []string{shape.Text}})
		choice = &list[1]
	}
	for _, option := range fd.options {
		choice.Values = append(choice.Values, option.value)
		if text, err := json.Marshal(option.value); err == nil { // a text always does
			choice.Examples = append(choice.Examples, text)
		}
	}
	if !fd.required && fd.kind != checkboxKind && !fd.multi() {
		list[0].Types = append([]string{shape.Null}, list[0].Types...)
		slices.Sort(list[0].Types)
	}
	return list
}
