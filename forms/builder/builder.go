// Package builder reads what form builders send by webhook: each has a shape of
// its own, and all become a flat list of fields, named as a person would name
// them. Nothing is refused: what does not look as expected is taken as it is.
package builder

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Field is one answer: under its label, or under its key where there is none.
// Value is what encoding/json makes of it, with numbers as json.Number.
type Field struct {
	Name  string
	Value any
}

// Submission is what a builder sent. Meta is what is known of it besides:
// form_name, form_id, submission_id, page and the like, as far as they came.
type Submission struct {
	Fields []Field
	Meta   map[string]any
}

// Format is the shape of one builder's webhooks.
type Format struct {
	Name string
	// EventID is the expression by which repeats are recognised in what was
	// sent; "" where the builder gives no id.
	EventID string
	// Subject says that the id is that of the submission and not of the event: a
	// submission that is edited is sent again under it, and where it is a row of
	// one site's database, other sites have the same. Then a repeat has the same
	// content as well.
	Subject bool
	read    func(body object) (Submission, bool)
}

// Formats lists the formats there are, by name.
func Formats() []Format {
	return []Format{ // name, event id, whether that is the subject's, reader
		{"cf7", "", false, plain()},
		{"elementor", "", false, elementor},
		{"fluentforms", "", false, fluentForms},
		{"formbricks", `headers["webhook-id"]`, false, formbricks},
		{"formie", "", false, formie},
		{"formspree", "", false, formspree},
		{"generic", "", false, plain()},
		{"gravityforms", "data.id", true, gravityForms},
		{"jotform", "data.submissionID", true, jotform},
		{"netlify", "data.id", true, netlify},
		{"sitejet", "", false, plain()},
		{"tally", "data.eventId", false, tally},
		{"typeform", "data.event_id", false, typeform},
		{"webflow", "data.payload?.id ?? data._id", true, webflow},
		{"wix", "", false, wix},
		{"wpforms", "", false, wpForms},
	}
}

// Find is the format with that name.
func Find(name string) (Format, bool) {
	all := Formats()
	if i := slices.IndexFunc(all, func(f Format) bool { return f.Name == name }); i >= 0 {
		return all[i], true
	}
	return Format{}, false
}

// Read takes the fields out of JSON text. What is no object, or not of the
// format, is read as generic: every key is a field.
func (f Format) Read(text []byte) Submission {
	body, ok := parse(text)
	if !ok {
		var value any
		if decode(text, &value) == nil && value != nil {
			return Submission{Fields: []Field{{"value", value}}}
		}
		return Submission{}
	}
	s, ok := f.read(body)
	if !ok {
		s = Submission{Fields: body.fields(nil)}
	}
	s.Fields = tidy(s.Fields)
	return s
}

// tidy gives every field a name of its own that is not taken for another's
// part: brackets would nest it.
func tidy(fields []Field) []Field {
	seen, repeats := map[string]bool{}, map[string]int{}
	for i := range fields {
		name := strings.TrimSpace(strings.NewReplacer("[", "(", "]", ")").Replace(fields[i].Name))
		if name == "" {
			name = "field"
		}
		own := name
		for seen[name] {
			repeats[own]++
			name = fmt.Sprintf("%s (%d)", own, repeats[own]+1)
		}
		seen[name] = true
		fields[i].Name = name
	}
	return fields
}

// object is a JSON object in the order of its keys.
type object []member

type member struct {
	key string
	raw json.RawMessage
}

// parse reads an object; of a key that stands twice both are there.
func parse(text []byte) (object, bool) {
	d := json.NewDecoder(bytes.NewReader(text))
	if start, err := d.Token(); err != nil || start != json.Delim('{') {
		return nil, false
	}
	o := object{}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, false
		}
		m := member{}
		m.key, _ = key.(string)
		if err := d.Decode(&m.raw); err != nil {
			return nil, false
		}
		o = append(o, m)
	}
	_, err := d.Token() // the closing brace
	return o, err == nil
}

func decode(text []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	return d.Decode(into)
}

func (m member) value() any {
	var v any
	if decode(m.raw, &v) != nil {
		return nil
	}
	return v
}

func (o object) get(key string) (json.RawMessage, bool) {
	for _, m := range o {
		if m.key == key {
			return m.raw, true
		}
	}
	return nil, false
}

// object is the object under a key.
func (o object) object(key string) (object, bool) {
	raw, ok := o.get(key)
	if !ok {
		return nil, false
	}
	return parse(raw)
}

// list is the list of objects under a key.
func (o object) list(key string) ([]object, bool) {
	raw, ok := o.get(key)
	var items []json.RawMessage
	if !ok || json.Unmarshal(raw, &items) != nil {
		return nil, false
	}
	var list []object
	for _, item := range items {
		if inner, ok := parse(item); ok {
			list = append(list, inner)
		}
	}
	return list, true
}

func (o object) value(key string) any {
	raw, ok := o.get(key)
	if !ok {
		return nil
	}
	return member{raw: raw}.value()
}

func (o object) text(key string) string {
	text, _ := o.value(key).(string)
	return text
}

// fields are the members but those that leave says; nil: none.
func (o object) fields(leave func(key string) bool) []Field {
	var list []Field
	for _, m := range o {
		if leave == nil || !leave(m.key) {
			list = append(list, Field{m.key, m.value()})
		}
	}
	return list
}

// rest is the object without some keys.
func (o object) rest(without ...string) map[string]any {
	m := map[string]any{}
	for _, f := range o.fields(oneOf(without...)) {
		m[f.Name] = f.Value
	}
	return m
}

// meta collects what is there of the wanted: pairs of our name and theirs.
func (o object) meta(pairs ...string) map[string]any {
	m := map[string]any{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if v := o.value(pairs[i+1]); v != nil && v != "" {
			m[pairs[i]] = v
		}
	}
	return m
}

// oneOf reports whether a key is in a list.
func oneOf(keys ...string) func(string) bool {
	return func(key string) bool { return slices.Contains(keys, key) }
}
