package forms

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"hookgate/internal/diag"
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
	Label    string          `yaml:"label" doc:"How messages and pages call the field; made from its name where left out." example:"Your name"`
	Help     string          `yaml:"help" doc:"A sentence under the label." example:"We answer within one working day."`

	Placeholder  yamlnode.Text `yaml:"placeholder" doc:"An example inside of the empty field." example:"Ada Lovelace"`
	Rows         yamlnode.Text `yaml:"rows" doc:"The height of a text in lines, from 1 to 50." type:"whole number" example:"6"`
	Autocomplete string        `yaml:"autocomplete" doc:"What browsers may fill in; guessed from type and name where left out." example:"given-name"`

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
		name: entry.Key.Value, path: name.path, list: name.list, label: s.Label, help: s.Help, placeholder: s.Placeholder.Value,
		required: s.Required, custom: s.Error, complete: s.Autocomplete, kind: textKind,
	}
	if fd.label == "" {
		fd.label = humanName(fd.path)
	}
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

func (s *fieldSettings) pattern(fd *field) diag.List {
	if s.Pattern.IsZero() {
		return nil
	}
	if !fd.kind.lengths() {
		return diag.List{s.Pattern.Diag("bad-value", "", `a %s field has no "pattern"`, fd.kind)}
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
		return nil, diag.List{text.Diag("bad-value", "", "a %s field has no %q", k, key)}
	}
	if err != nil {
		return nil, diag.List{text.Diag("bad-value", "", "%q of a %s field must be %s, not %q", key, k, want, text.Value)}
	}
	return b, nil
}

// looks reads what is about the field's look alone.
func (s *fieldSettings) looks(fd *field) diag.List {
	var list diag.List
	if !s.Placeholder.IsZero() && !fd.kind.lengths() && fd.kind != numberKind {
		list = append(list, s.Placeholder.Diag("bad-value", `write "help"`, `a %s field shows no "placeholder"`, fd.kind))
	}
	if s.Rows.IsZero() {
		return list
	}
	n, err := strconv.Atoi(s.Rows.Value)
	switch {
	case fd.kind != textKind:
		list = append(list, s.Rows.Diag("bad-value", "", `a %s field has no "rows"`, fd.kind))
	case err != nil || n < 1 || n > maxRows:
		list = append(list, s.Rows.Diag("bad-value", "", `"rows" must be a whole number from 1 to %d`, maxRows))
	}
	fd.rows = n
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
