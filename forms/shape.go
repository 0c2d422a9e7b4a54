package forms

import (
	"encoding/json"
	"slices"

	"hookgate/internal/event"
	"hookgate/internal/schema"
)

// Shape is what the events of the form look like by its declared fields; none
// with `fields: any`. It is Complete: what is not declared is kept apart.
func (f *Form) Shape() []schema.Payload {
	if f.any {
		return nil
	}
	s := schema.Payload{Type: event.FormSubmitted, Complete: true}
	for _, fd := range f.fields {
		for _, part := range append(fd.parents(), fd.shape()...) {
			if s.Find(part.Path) == nil {
				s.Fields = append(s.Fields, part)
			}
		}
	}
	if !f.refuse && s.Find(schema.Path{extraKey}) == nil {
		s.Fields = append(s.Fields, schema.Field{Path: schema.Path{extraKey}, Types: []string{schema.Null, schema.Object}})
	}
	slices.SortStableFunc(s.Fields, func(a, b schema.Field) int { return slices.Compare(a.Path, b.Path) })
	return []schema.Payload{s}
}

// at is where the field stands in data.
func (fd *field) at() schema.Path {
	path := make(schema.Path, len(fd.path))
	for i, part := range fd.path {
		if path[i] = part; i > 0 && part == "" {
			path[i] = schema.Items
		}
	}
	return path
}

// parents are the objects and lists that the field stands in.
func (fd *field) parents() []schema.Field {
	var list []schema.Field
	path := fd.at()
	for i := 1; i < len(path); i++ {
		types := []string{schema.Null, schema.Object}
		switch {
		case path[i] == schema.Items:
			types = []string{schema.List, schema.Null}
		case path[i-1] == schema.Items:
			types = []string{schema.Object}
		}
		list = append(list, schema.Field{Path: path[:i:i], Types: types})
	}
	return list
}

// shape is the field itself and, of several choices, what stands in its list.
func (fd *field) shape() []schema.Field {
	f := schema.Field{Path: fd.at()}
	switch fd.kind {
	case numberKind, integerKind:
		f.Types = []string{schema.Number}
	case checkboxKind:
		f.Types = []string{schema.Bool}
	case textKind, emailKind, telKind, urlKind, dateKind, selectKind, hiddenKind:
		f.Types = []string{schema.Text}
	case fileKind:
		return fd.fileShape()
	default:
		return []schema.Field{f}
	}
	list := []schema.Field{f}
	choice := &list[0]
	if fd.multi() || fd.list {
		list = append(list, schema.Field{Path: append(fd.at(), schema.Items), Types: f.Types})
		if fd.multi() {
			list[1].Types = []string{schema.Text}
		}
		list[0].Types = []string{schema.List}
		choice = &list[1]
	}
	for _, option := range fd.options {
		choice.Values = append(choice.Values, option.value)
		if text, err := json.Marshal(option.value); err == nil { // a text always does
			choice.Examples = append(choice.Examples, text)
		}
	}
	if !fd.required && fd.kind != checkboxKind && !fd.multi() {
		list[0].Types = append([]string{schema.Null}, list[0].Types...)
		slices.Sort(list[0].Types)
	}
	return list
}

// fileShape is a file, or a list of files, with what is known of each.
func (fd *field) fileShape() []schema.Field {
	path, types := fd.at(), []string{schema.Object}
	var list []schema.Field
	if fd.file.multiple {
		list = append(list, schema.Field{Path: path, Types: []string{schema.List}})
		path = append(fd.at(), schema.Items)
	} else if !fd.required {
		types = []string{schema.Null, schema.Object}
	}
	list = append(list, schema.Field{Path: path, Types: types})
	for _, key := range []string{"id", "name", "sha256", "size", "type"} {
		part := schema.Field{Path: append(slices.Clone(path), key), Types: []string{schema.Text}}
		if key == "size" {
			part.Types = []string{schema.Number}
		}
		list = append(list, part)
	}
	return list
}
