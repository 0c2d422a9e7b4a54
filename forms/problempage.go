package forms

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"hookgate/app/body"
)

// problemPage is what the template "problems" shows.
type problemPage struct {
	page
	Heading, Count, Action, Honeypot string
	Problems                         []summaryLine
	Fields                           []control
	Hidden                           []hiddenInput
}

// summaryLine is one problem; ID is the control it links to, "" for none.
type summaryLine struct{ ID, Label, Message string }

// hiddenInput carries a posted value that has no visible control.
type hiddenInput struct{ Name, Value string }

// control is one visible field. Kind is the input's type, or textarea.
type control struct {
	ID, Name, Label, Optional, Problem string
	Kind, Mode, Complete, Value        string
	Required                           bool
	Options                            []option // of a select
	Choices                            []option // of a group of checkboxes
}

// option is one of several values.
type option struct {
	ID, Value string
	Chosen    bool
}

// longText is the length, in characters, from which a text gets several lines.
const longText = 200

func (p *problemPage) fill(f *Form, r Result) {
	messages := map[string]string{}
	for _, problem := range r.Problems {
		messages[problem.Field] = problem.Message(p.Lang)
	}
	ids := map[string]string{}
	rest := r.posted
	for i, fd := range f.fields {
		if fd.kind == hiddenKind {
			continue
		}
		var values []string
		values, rest = f.take(fd, rest)
		c := fd.control(fmt.Sprintf("field-%d", i+1), values)
		c.Problem = messages[fd.name]
		if !fd.required {
			c.Optional = p.Say("optional")
		}
		ids[fd.name] = c.ID
		if len(c.Choices) > 0 {
			ids[fd.name] = c.Choices[0].ID
		}
		p.Fields = append(p.Fields, c)
		if c.single() && len(values) > 1 {
			for _, v := range values[1:] {
				p.Hidden = append(p.Hidden, hiddenInput{fd.name, v})
			}
		}
	}
	for _, problem := range r.Problems {
		line := summaryLine{ID: ids[problem.Field], Label: problem.Field, Message: problem.Message(p.Lang)}
		if fd := f.byName[problem.Field]; fd != nil {
			line.Label = fd.label
		}
		p.Problems = append(p.Problems, line)
	}
	p.Hidden = append(p.Hidden, f.carry(rest)...)
}

// take are the posted values of a field as texts, and the posted fields that
// are left.
func (f *Form) take(fd *field, posted []body.Field) (values []string, rest []body.Field) {
	for _, post := range posted {
		if name, _ := f.nameOf(post.Name); name != fd.name {
			rest = append(rest, post)
			continue
		}
		list, ok := post.Value.([]any)
		if !ok {
			list = []any{post.Value}
		}
		for _, v := range list {
			values = append(values, plain(normal(v)))
		}
	}
	return values, rest
}

// carry keeps what was posted besides the visible fields: undeclared and
// hidden ones, and where to go next. Not kept are traps, captcha answers
// (these serve once), and JSON that an HTML form cannot post.
func (f *Form) carry(posted []body.Field) []hiddenInput {
	var inputs []hiddenInput
	for _, post := range posted {
		text, ok := post.Value.(string)
		once := strings.HasSuffix(post.Name, "-response") || post.Name == "altcha"
		if !ok || f.trap(post.Name) || (once && f.controls(post.Name)) || len(text) > maxValue || len(post.Name) > maxName {
			continue
		}
		inputs = append(inputs, hiddenInput{post.Name, text})
	}
	return inputs
}

// single reports whether the control can show no more than one value.
func (c *control) single() bool {
	return len(c.Choices) == 0 && c.Kind != string(checkboxKind)
}

// control is how the field looks with these values.
func (fd *field) control(id string, values []string) control {
	c := control{ID: id, Name: fd.name, Label: fd.label, Kind: string(fd.kind), Required: fd.required}
	if len(values) > 0 {
		c.Value = values[0]
	}
	switch fd.kind {
	case checkboxKind:
		if fd.group() {
			c.Choices = choose(id, fd.options, values)
			break
		}
		e := &entry{}
		for _, v := range values {
			e.values = append(e.values, v)
		}
		if checked, _ := fd.readCheckbox(e); checked != true {
			c.Value = ""
		}
	case selectKind:
		c.Options = choose(id, fd.options, values[:min(1, len(values))])
	case numberKind:
		// An input of type number drops a value that it cannot read.
		c.Kind, c.Mode = "text", "decimal"
	case dateKind:
		if _, err := time.Parse(time.DateOnly, c.Value); err != nil && c.Value != "" {
			c.Kind = "text"
		}
	case emailKind, telKind, urlKind:
		c.Complete = string(fd.kind)
	case textKind, hiddenKind:
		if strings.Contains(c.Value, "\n") || len(c.Value) > longText || fd.max != nil && fd.max.number > longText {
			c.Kind = "textarea"
		}
	}
	return c
}

func choose(id string, options, values []string) []option {
	list := make([]option, len(options))
	for i, text := range options {
		list[i] = option{ID: fmt.Sprintf("%s-%d", id, i+1), Value: text, Chosen: slices.Contains(values, text)}
	}
	return list
}
