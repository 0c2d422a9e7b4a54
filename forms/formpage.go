package forms

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// formPage is what the template "form" shows. Again says that the visitor has
// sent it before.
type formPage struct {
	page
	Heading, Intro, Count, Action, Honeypot, Submit string
	Again                                           bool
	Captcha                                         *captchaWidget
	Problems                                        []summaryLine
	Fields                                          []control
	Hidden                                          []hiddenInput
	Files                                           bool // there is a file field: the post must be multipart
}

// summaryLine is one problem; ID is the control it links to, "" for none.
type summaryLine struct{ ID, Label, Message string }

// hiddenInput carries a posted value that has no visible control.
type hiddenInput struct{ Name, Value string }

// control is one visible field. Kind is the input's type, or textarea.
type control struct {
	ID, Name, Label, Optional, Problem string
	Empty                              string // the choice of nothing
	Kind, Mode, Complete, Value        string
	Help, Placeholder, Min, Max        string
	Rows                               int
	Required                           bool
	Options                            []option // of a select
	Choices                            []option // of a group of checkboxes
	Accept                             string   // of a file field
	Multiple                           bool     // of a file field
	Again                              string   // that files were chosen, and have to be once more
}

// option is one of several values.
type option struct {
	ID, Value, Label string
	Chosen           bool
}

// longText is the length, in characters, from which a text gets several lines.
const longText = 200

func (p *formPage) fill(f *Form, action string, r Result) {
	p.Action, p.Submit, p.Captcha = action, f.submit, f.captcha.widget()
	if p.Submit == "" {
		p.Submit = p.Say("send")
	}
	if f.byName[f.honeypot] == nil {
		p.Honeypot = f.honeypot
	}
	messages := map[string]string{}
	for _, problem := range r.Problems {
		messages[problem.Field] = problem.Message(p.Lang)
	}
	ids := map[string]string{}
	shown := map[string]bool{}
	for i, fd := range f.fields {
		if fd.kind == hiddenKind {
			continue
		}
		for row, path := range fd.shownAt(r.all) {
			id := fmt.Sprintf("field-%d", i+1)
			if row > 0 {
				id = fmt.Sprintf("field-%d-row-%d", i+1, row+1)
			}
			c := p.show(fd, path, id, r.all)
			c.wrong(messages[c.Name])
			ids[c.Name], shown[path.key()] = c.ID, true
			if len(c.Choices) > 0 {
				ids[c.Name] = c.Choices[0].ID
			}
			p.Fields = append(p.Fields, c)
		}
	}
	p.summarise(f, r.Problems, ids)
	p.Hidden = append(p.Hidden, f.carry(r.posted, shown)...)
	if r.Started != "" && !slices.ContainsFunc(p.Hidden, func(h hiddenInput) bool { return h.Name == startedField }) {
		p.Hidden = append(p.Hidden, hiddenInput{startedField, r.Started})
	}
}

// wrong marks the control with what is wrong with it. Where that is the file,
// there is no need to ask for it once more.
func (c *control) wrong(message string) {
	if c.Problem = message; message != "" {
		c.Again = ""
	}
}

// summarise lists the problems; ids are the controls by the fields' names.
func (p *formPage) summarise(f *Form, problems []Problem, ids map[string]string) {
	for _, problem := range problems {
		line := summaryLine{ID: ids[problem.Field], Label: problem.Field, Message: problem.Message(p.Lang)}
		if fd := f.declared(pathOf(problem.Field).path); fd != nil {
			line.Label = strings.TrimRight(fd.label, ".: ") // a sentence, as a checkbox may have, and a colon follows
		}
		p.Problems = append(p.Problems, line)
	}
}

// show makes the control of a field at its place. Values that it has no room
// for are kept hidden.
func (p *formPage) show(fd *field, path fieldPath, id string, all *entries) control {
	values, again := all.texts(path), all.hasFiles(path)
	if len(values) > 1 && fd.single() {
		values = []string{values[all.byPath[path.key()].last()]} // the one that counts: who corrects it need not fight the others
	}
	c := fd.control(id, values)
	c.Name = fd.called(path)
	c.Empty = p.Say("choose")
	if fd.isFile() {
		p.Files = true
		if c.Help == "" {
			c.Help = fd.fileHelp(p.Lang)
		}
		if again {
			c.Again = p.Say("again")
		}
	}
	if !fd.required {
		c.Optional = p.Say("optional")
	}
	if !fd.single() && c.single() && len(values) > 1 {
		for _, v := range values[1:] {
			p.Hidden = append(p.Hidden, hiddenInput{c.Name, v})
		}
	}
	return c
}

// shownAt is where the field has a control: where it is repeated, one for every
// row that was posted, and one for the first where there is none.
func (fd *field) shownAt(all *entries) []fieldPath {
	places := fd.places(all)
	if len(places) > 0 {
		return places
	}
	first := slices.Clone(fd.path)
	for i, part := range first {
		if i > 0 && part == "" {
			first[i] = "0"
		}
	}
	return []fieldPath{first}
}

// texts are the posted values of a place as texts.
func (es *entries) texts(path fieldPath) []string {
	e := es.byPath[path.key()]
	if e == nil {
		return nil
	}
	values := make([]string, len(e.values))
	for i, v := range e.values {
		values[i] = plain(v)
	}
	return values
}

// hasFiles reports whether files were posted for the place.
func (es *entries) hasFiles(path fieldPath) bool {
	e := es.byPath[path.key()]
	return e != nil && len(e.files) > 0
}

// carry keeps what was posted besides the visible fields: undeclared and
// hidden ones, and where to go next. Not kept are traps, captcha answers
// (these serve once), and JSON that an HTML form cannot post.
func (f *Form) carry(posted []keptField, shown map[string]bool) []hiddenInput {
	var inputs []hiddenInput
	for _, post := range posted {
		if post.path != nil && shown[post.path.key()] {
			continue
		}
		value := post.Value
		if list, one := value.([]any); one && len(list) == 1 {
			value = list[0]
		}
		text, ok := normal(value).(string)
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
	return len(c.Choices) == 0 && c.Kind != string(checkboxKind) && c.Kind != string(fileKind)
}

// control is how the field looks with these values.
func (fd *field) control(id string, values []string) control {
	c := control{ID: id, Name: fd.name, Label: fd.label, Kind: string(fd.kind), Required: fd.required, Help: fd.help, Placeholder: fd.placeholder, Complete: fd.completion(), Rows: fd.rows}
	if len(values) > 0 {
		c.Value = values[0]
	}
	switch fd.kind {
	case checkboxKind:
		if fd.multi() {
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
		if fd.multi() {
			c.Choices = choose(id, fd.options, values)
			break
		}
		c.Options = choose(id, fd.options, values[:min(1, len(values))])
	case numberKind:
		// An input of type number drops a value that it cannot read.
		c.Kind, c.Mode = "text", "decimal"
	case dateKind:
		day, ok := parseDay(c.Value)
		if ok {
			c.Value = day.Format(time.DateOnly)
		} else if c.Value != "" {
			c.Kind = "text"
		}
		c.Min, c.Max = fd.min.written(), fd.max.written()
	case emailKind, telKind, urlKind:
	case fileKind:
		// A browser cannot be given the file back.
		c.Value, c.Accept, c.Multiple = "", fd.file.htmlAccept(), fd.file.multiple
	case textKind, hiddenKind:
		if fd.rows > 0 || strings.Contains(c.Value, "\n") || len(c.Value) > longText || fd.max != nil && fd.max.number > longText {
			c.Kind = "textarea"
		}
		if c.Rows == 0 {
			c.Rows = 6
		}
	}
	return c
}

func choose(id string, options []choice, values []string) []option {
	list := make([]option, len(options))
	for i, o := range options {
		list[i] = option{ID: fmt.Sprintf("%s-%d", id, i+1), Value: o.value, Label: o.label, Chosen: slices.Contains(values, o.value)}
	}
	return list
}
