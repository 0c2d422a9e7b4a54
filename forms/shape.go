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
		for _, part := range append(fd.parents(), fd.shape()...) {
			if s.Find(part.Path) == nil {
				s.Fields = append(s.Fields, part)
			}
		}
	}
	if !f.refuse && s.Find(shape.Path{extraKey}) == nil {
		s.Fields = append(s.Fields, shape.Field{Path: shape.Path{extraKey}, Types: []string{shape.Null, shape.Object}})
	}
	slices.SortStableFunc(s.Fields, func(a, b shape.Field) int { return slices.Compare(a.Path, b.Path) })
	return []shape.Shape{s}
}

// at is where the field stands in data.
func (fd *field) at() shape.Path {
	path := make(shape.Path, len(fd.path))
	for i, part := range fd.path {
		if path[i] = part; i > 0 && part == "" {
			path[i] = shape.Items
		}
	}
	return path
}

// parents are the objects and lists that the field stands in.
func (fd *field) parents() []shape.Field {
	var list []shape.Field
	path := fd.at()
	for i := 1; i < len(path); i++ {
		types := []string{shape.Null, shape.Object}
		switch {
		case path[i] == shape.Items:
			types = []string{shape.List, shape.Null}
		case path[i-1] == shape.Items:
			types = []string{shape.Object}
		}
		list = append(list, shape.Field{Path: path[:i:i], Types: types})
	}
	return list
}

// shape is the field itself and, of several choices, what stands in its list.
func (fd *field) shape() []shape.Field {
	f := shape.Field{Path: fd.at()}
	switch fd.kind {
	case numberKind:
		f.Types = []string{shape.Number}
	case checkboxKind:
		f.Types = []string{shape.Bool}
	case textKind, emailKind, telKind, urlKind, dateKind, selectKind, hiddenKind:
		f.Types = []string{shape.Text}
	case fileKind:
		return fd.fileShape()
	default:
		return []shape.Field{f}
	}
	list := []shape.Field{f}
	choice := &list[0]
	if fd.multi() || fd.list {
		list = append(list, shape.Field{Path: append(fd.at(), shape.Items), Types: f.Types})
		if fd.multi() {
			list[1].Types = []string{shape.Text}
		}
		list[0].Types = []string{shape.List}
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

// fileShape is a file, or a list of files, with what is known of each.
func (fd *field) fileShape() []shape.Field {
	path, types := fd.at(), []string{shape.Object}
	var list []shape.Field
	if fd.file.multiple {
		list = append(list, shape.Field{Path: path, Types: []string{shape.List}})
		path = append(fd.at(), shape.Items)
	} else if !fd.required {
		types = []string{shape.Null, shape.Object}
	}
	list = append(list, shape.Field{Path: path, Types: types})
	for _, key := range []string{"id", "name", "sha256", "size", "type"} {
		part := shape.Field{Path: append(slices.Clone(path), key), Types: []string{shape.Text}}
		if key == "size" {
			part.Types = []string{shape.Number}
		}
		list = append(list, part)
	}
	return list
}
