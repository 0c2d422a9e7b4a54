package forms

import (
	"fmt"
	"html/template"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"hookgate/internal/contact"
	"hookgate/internal/diag"
	"hookgate/internal/markup"
	"hookgate/internal/yamlnode"
)

// fieldSettings is a field as the configuration file has it.
type fieldSettings struct {
	Type     yamlnode.Text   `yaml:"type" doc:"What the field holds." default:"text"`
	Required bool            `yaml:"required" doc:"Whether it must be filled in." default:"false"`
	Min      yamlnode.Text   `yaml:"min" doc:"The least: of a text its length, of a number its value, of a date the first day, of choices how many." example:"1"`
	Max      yamlnode.Text   `yaml:"max" doc:"The greatest: of a text its length, of a number its value, of a date the last day, of choices how many." example:"5000"`
	Pattern  yamlnode.Text   `yaml:"pattern" doc:"A regular expression that the whole text must match." example:"[A-Z]{2}[0-9]+"`
	Options  []yamlnode.Node `yaml:"options" doc:"What can be chosen: texts, or a value with a label that people read." example:"[small, { value: l, label: Large }]"`
	Multiple *yamlnode.Node  `yaml:"multiple" doc:"Whether several options, or several files, can be chosen." type:"bool" default:"false"`
	Region   yamlnode.Text   `yaml:"region" doc:"Of a tel: the country, as two letters, of numbers that are written without one." example:"DE"`
	Error    string          `yaml:"error" doc:"What visitors are told when the field is not right." example:"Please accept the privacy notice."`
	Label    yamlnode.Text   `yaml:"label" doc:"How messages and pages call the field, with links and emphasis as in Markdown; made from its name where left out." example:"I accept the [privacy notice](https://harrys-diner.example/privacy)."`
	Help     yamlnode.Text   `yaml:"help" doc:"A sentence under the label, with links and emphasis as in Markdown." example:"We answer within one working day."`

	Placeholder  yamlnode.Text        `yaml:"placeholder" doc:"An example inside of the empty field." example:"Ada Lovelace"`
	Rows         yamlnode.Placed[int] `yaml:"rows" doc:"The height of a text in lines." example:"6" min:"1" max:"50"`
	Autocomplete string               `yaml:"autocomplete" doc:"What browsers may fill in; guessed from type and name where left out." example:"given-name"`

	fileSettings
}

// Noun names the thing in messages.
func (fieldSettings) Noun() string { return "a field" }

// KeyHint helps with the names that HTML has for the same things.
func (fieldSettings) KeyHint(key string) string {
	switch key {
	case "minlength", "min_length":
		return `write "min"`
	case "maxlength", "max_length":
		return `write "max"`
	case "message":
		return `write "error"`
	case "values", "choices":
		return `write "options"`
	case "description", "hint", "help_text":
		return `write "help"`
	case "country", "default_region":
		return `write "region"`
	case "optional":
		return `fields are optional unless "required: true"`
	}
	return ""
}

func compileField(entry yamlnode.Field) (*field, diag.List) {
	var s fieldSettings
	list := entry.Value.Decode("a field", &s)
	name := pathOf(entry.Key.Value)
	fd := &field{
		name: entry.Key.Value, path: name.path, list: name.list, placeholder: s.Placeholder.Value,
		required: s.Required, custom: s.Error, complete: s.Autocomplete, kind: textKind,
	}
	list = append(list, s.told(fd)...)
	if !s.Type.IsZero() {
		known, ok := kindNamed(s.Type.Value)
		if !ok {
			list = append(list, s.Type.Diag("unknown-type", kindHint(s.Type.Value), "a field has no type %q", s.Type.Value))
			return fd, list // what follows depends on the type
		}
		fd.kind = known
	}
	list = append(list, s.compileFile(fd)...)
	list = append(list, s.options(fd)...)
	list = append(list, s.pattern(fd)...)
	list = append(list, s.bounds(fd)...)
	list = append(list, s.region(fd)...)
	list = append(list, s.oneFile(fd)...)
	return fd, append(list, s.looks(fd)...)
}

// told reads what the field is called and what is said about it.
func (s *fieldSettings) told(fd *field) diag.List {
	label, list := readTold(s.Label)
	help, faults := readTold(s.Help)
	fd.label, fd.labelled = label.Plain(), label.Plain() != ""
	fd.written, fd.help = template.HTML(label.Line()), template.HTML(help.Line()) //nolint:gosec // what markup writes is escaped
	if fd.label == "" {
		fd.label = humanName(fd.path)
		fd.written = template.HTML(template.HTMLEscapeString(fd.label)) //nolint:gosec // as above
	}
	return append(list, faults...)
}

// readTold reads a text that visitors are told.
func readTold(from yamlnode.Text) (markup.Small, diag.List) {
	told, err := markup.ReadSmall(from.Value)
	if err != nil {
		return told, diag.List{from.Diag("bad-value", "", "this cannot be shown: %s", err)}
	}
	var list diag.List
	for _, link := range told.Links() {
		if !markup.IsLink(link) {
			list = append(list, from.Diag("bad-url", "such as https://www.example.com/privacy, mailto: or tel:", "%q is no whole address to link to", link))
		}
	}
	return told, list
}

func (s *fieldSettings) pattern(fd *field) diag.List {
	if s.Pattern.IsZero() {
		return nil
	}
	if !fd.kind.lengths() {
		return diag.List{s.Pattern.Diag("bad-value", "", `%s field has no "pattern"`, fd.kind.noun())}
	}
	if _, err := regexp.Compile(s.Pattern.Value); err != nil {
		return diag.List{s.Pattern.Diag("bad-pattern", "", "the pattern is no regular expression: %s", strings.TrimPrefix(err.Error(), "error parsing regexp: "))}
	}
	// The group keeps alternatives inside of the anchors.
	full, err := regexp.Compile(`\A(?:` + s.Pattern.Value + `)\z`)
	if err != nil {
		return diag.List{s.Pattern.Diag("bad-pattern", "", "the pattern is too large")}
	}
	fd.pattern = full
	return nil
}

func (s *fieldSettings) bounds(fd *field) diag.List {
	var list diag.List
	var faults diag.List
	fd.min, faults = compileBound(s.Min, "min", fd)
	list = append(list, faults...)
	fd.max, faults = compileBound(s.Max, "max", fd)
	list = append(list, faults...)
	if fd.min != nil && fd.max != nil && (fd.min.number > fd.max.number || fd.min.day.After(fd.max.day)) {
		list = append(list, s.Min.Diag("bad-value", "", `"min" (%s) is more than "max" (%s)`, fd.min.text, fd.max.text))
	}
	return list
}

func compileBound(text yamlnode.Text, key string, fd *field) (*bound, diag.List) {
	if text.IsZero() {
		return nil, nil
	}
	b := &bound{text: text.Value}
	var err error
	var want string
	k := fd.kind
	switch {
	case k.lengths() || fd.multi():
		want = "a whole number of characters"
		if fd.multi() {
			want = "a whole number of choices"
		}
		var n int
		n, err = strconv.Atoi(text.Value)
		if n < 0 {
			err = strconv.ErrRange
		}
		b.number = float64(n)
	case k == integerKind:
		want = "a whole number"
		var n int
		n, err = strconv.Atoi(text.Value)
		b.number = float64(n)
	case k == numberKind:
		want = "a number"
		b.number, err = strconv.ParseFloat(text.Value, 64)
		if math.IsNaN(b.number) || math.IsInf(b.number, 0) {
			err = strconv.ErrRange
		}
	case k == dateKind:
		want = "a date like 2026-12-31"
		b.day, err = time.Parse(time.DateOnly, text.Value)
	default:
		return nil, diag.List{text.Diag("bad-value", "", "%s field has no %q", k.noun(), key)}
	}
	if err != nil {
		return nil, diag.List{text.Diag("bad-value", "", "%q of %s field must be %s, not %q", key, k.noun(), want, text.Value)}
	}
	return b, nil
}

// looks reads what is about the field's look alone.
func (s *fieldSettings) looks(fd *field) diag.List {
	var list diag.List
	if !s.Placeholder.IsZero() && !fd.kind.lengths() && !fd.kind.numeric() {
		list = append(list, s.Placeholder.Diag("bad-value", `write "help"`, `%s field shows no "placeholder"`, fd.kind.noun()))
	}
	if fd.rows = s.Rows.Value; !s.Rows.IsZero() && fd.kind != textKind {
		list = append(list, s.Rows.Diag("bad-value", "", `%s field has no "rows"`, fd.kind.noun()))
	}
	return list
}

// humanName makes a label from a field's name: first_name is "First name", and
// address[city] is "City".
func humanName(path fieldPath) string {
	spaced := strings.TrimSpace(strings.Map(func(r rune) rune {
		if r == '_' || r == '-' {
			return ' '
		}
		return r
	}, path[len(path)-1]))
	for i, r := range spaced {
		return fmt.Sprintf("%s%s", strings.ToUpper(string(r)), spaced[i+len(string(r)):])
	}
	return path[0]
}

// kind is the type of a field, named as in HTML.
type kind string

// The kinds.
const (
	textKind     kind = "text"
	emailKind    kind = "email"
	telKind      kind = "tel"
	urlKind      kind = "url"
	numberKind   kind = "number"
	integerKind  kind = "integer"
	dateKind     kind = "date"
	checkboxKind kind = "checkbox"
	selectKind   kind = "select"
	hiddenKind   kind = "hidden"
	fileKind     kind = "file"
)

// kinds is the order in which messages list them.
var kinds = []kind{textKind, emailKind, telKind, urlKind, numberKind, integerKind, dateKind, checkboxKind, selectKind, hiddenKind, fileKind}

func kindNamed(name string) (kind, bool) {
	return kind(name), slices.Contains(kinds, kind(name))
}

// kindHint is the hint for a type that does not exist.
func kindHint(name string) string {
	switch strings.ToLower(name) {
	case "textarea", "string", "str":
		return `write "text": it takes several lines too`
	case "phone", "telephone":
		return `write "tel"`
	case "mail", "e-mail":
		return `write "email"`
	case "int", "whole", "count":
		return `write "integer"`
	case "float", "decimal", "range":
		return `write "number"`
	case "bool", "boolean":
		return `write "checkbox"`
	case "multiselect", "multi-select", "multi_select", "select-multiple":
		return `write "type: select" with "multiple: true"`
	case "radio", "enum", "choice":
		return `write "select"`
	case "upload", "attachment", "image", "files":
		return `write "file"`
	case "link", "uri", "website":
		return `write "url"`
	}
	names := make([]string, len(kinds))
	for i, k := range kinds {
		names[i] = string(k)
	}
	if hint := diag.DidYouMean(name, names); hint != "" {
		return hint
	}
	return "the types are " + strings.Join(names, ", ")
}

// single reports whether the field has one value, however often it is posted. Of
// a checkbox no other value says anything.
func (fd *field) single() bool {
	return !fd.list && !fd.multi() && !fd.isFile() && fd.kind != checkboxKind
}

// lengths reports whether min and max count characters.
func (k kind) lengths() bool {
	switch k {
	case textKind, emailKind, telKind, urlKind, hiddenKind:
		return true
	case numberKind, integerKind, dateKind, checkboxKind, selectKind, fileKind:
		return false
	}
	return false
}

// noun is the kind with its article.
func (k kind) noun() string { return diag.A(string(k)) }

// numeric reports whether the field holds a number.
func (k kind) numeric() bool { return k == numberKind || k == integerKind }

// choice is one of a field's options: what is posted, and what people read.
type choice struct{ value, label string }

// choiceSettings is an option that is written as a mapping.
type choiceSettings struct {
	Value yamlnode.Text `yaml:"value,required" doc:"What is posted, and stands in data." example:"l"`
	Label string        `yaml:"label" doc:"What people read; the value where left out." example:"Large"`
}

// Noun names the thing in messages.
func (choiceSettings) Noun() string { return "an option" }

// allows reports whether value is one of the options.
func (fd *field) allows(value string) bool {
	return slices.ContainsFunc(fd.options, func(c choice) bool { return c.value == value })
}

// multi reports whether several of the options may be chosen: the value is a
// list in data then, possibly an empty one.
func (fd *field) multi() bool {
	return fd.multiple || fd.kind == checkboxKind && len(fd.options) > 0
}

func (s *fieldSettings) options(fd *field) diag.List {
	var list diag.List
	if len(s.Options) > 0 && fd.kind != selectKind && fd.kind != checkboxKind {
		list = append(list, s.Options[0].Diag("bad-value", `write "type: select"`, `%s field has no "options"`, fd.kind.noun()))
	}
	for _, node := range s.Options {
		var one choiceSettings
		if node.Kind() == yamlnode.Map {
			list = append(list, node.Decode("an option", &one)...)
		} else {
			one.Value = node.Text()
		}
		text := one.Value
		switch {
		case node.Kind() == yamlnode.List:
			list = append(list, node.Diag("wrong-type", "write small, or { value: s, label: Small }", "an option is a text, or a value with a label"))
		case fd.allows(text.Value):
			list = append(list, text.Diag("bad-value", "", "%q stands twice in the options", text.Value))
		case text.Value == "" && node.Kind() != yamlnode.Map:
			list = append(list, node.Diag("bad-value", "leave out \"required\" to allow no choice", "an option cannot be empty"))
		}
		if one.Label == "" {
			one.Label = text.Value
		}
		fd.options = append(fd.options, choice{text.Value, one.Label})
	}
	if fd.kind == selectKind && len(s.Options) == 0 {
		list = append(list, s.Type.Diag("missing-key", "options: [small, large]", `a select field needs "options"`))
	}
	return append(list, s.multiple(fd)...)
}

func (s *fieldSettings) multiple(fd *field) diag.List {
	if s.Multiple == nil {
		return nil
	}
	switch text := s.Multiple.Text(); {
	case s.Multiple.Kind() != yamlnode.Scalar || text.Value != "true" && text.Value != "false":
		return diag.List{s.Multiple.Diag("wrong-type", "", `"multiple" must be true or false`)}
	case fd.kind == checkboxKind:
		return diag.List{s.Multiple.Diag("bad-value", "leave it out", `a checkbox with "options" is a group of boxes already`)}
	case fd.isFile():
		s.several(fd.file, text.Value == "true")
	case fd.kind != selectKind:
		return diag.List{s.Multiple.Diag("bad-value", "", `%s field has no "multiple"`, fd.kind.noun())}
	case text.Value == "true":
		fd.multiple = true
	}
	return nil
}

// region reads the country that a telephone number without one belongs to.
func (s *fieldSettings) region(fd *field) diag.List {
	if s.Region.IsZero() {
		return nil
	}
	region := strings.ToUpper(s.Region.Value)
	switch {
	case fd.kind != telKind:
		return diag.List{s.Region.Diag("bad-value", "", `%s field has no "region"`, fd.kind.noun())}
	case !contact.IsRegion(region):
		return diag.List{s.Region.Diag("bad-value", "such as DE, AT, GB or US", "%q is no country's code of two letters (ISO 3166)", s.Region.Value)}
	}
	fd.region = region
	return nil
}

// readTel checks a telephone number. With a region it must be one that can be
// dialled, and is given in the form that programs dial: +4940123456. Whether
// the number is assigned is not asked: new ranges would be refused.
func (fd *field) readTel(text string) (string, bool) {
	if fd.region == "" {
		return text, contact.IsPhone(text)
	}
	dialled, ok := contact.Dial(text, fd.region)
	if !ok {
		return text, false
	}
	return dialled, true
}
