package forms

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"hookgate/app/diag"
	"hookgate/app/yamlpos"
)

// settings is a form as the configuration file has it.
type settings struct {
	Origins   []yamlpos.Text `yaml:"origins,single"`
	Fields    yamlpos.Node   `yaml:"fields,required"`
	Honeypot  *yamlpos.Text  `yaml:"honeypot"`
	Redirect  yamlpos.Text   `yaml:"redirect"`
	Lang      yamlpos.Text   `yaml:"lang"`
	RateLimit *yamlpos.Rate  `yaml:"rate_limit"`
	MaxBody   yamlpos.Node   `yaml:"max_body"`
}

// Noun names the thing in messages.
func (settings) Noun() string { return "a form" }

// KeyHint helps with keys that users of other form services write.
func (settings) KeyHint(key string) string {
	switch key {
	case "_next", "next", "success", "thanks":
		return `write "redirect"`
	case "language", "locale":
		return `write "lang"`
	case "cors", "domains", "allowed_origins":
		return `write "origins"`
	case "rate", "limit":
		return `write "rate_limit"`
	}
	return ""
}

func (s *settings) apply(f *Form) diag.List {
	var list diag.List
	for _, text := range s.Origins {
		if text.IsZero() {
			continue // Decode has complained
		}
		origin, problem := parseOrigin(text.Value)
		if problem != "" {
			list = append(list, text.Diag("bad-origin", originHint(text.Value), "%q is not an origin: %s", text.Value, problem))
			continue
		}
		if !slices.Contains(f.origins, origin) {
			f.origins = append(f.origins, origin)
		}
	}
	if !s.Redirect.IsZero() {
		to, ok := parseTarget(s.Redirect.Value)
		if !ok {
			list = append(list, s.Redirect.Diag("bad-redirect", "write a whole address, https://example.com/thanks, or a path, /thanks",
				"%q is nowhere to redirect to", s.Redirect.Value))
		}
		f.redirect = to
	}
	if !s.Lang.IsZero() {
		f.lang = Lang(s.Lang.Value)
		if !f.lang.known() {
			list = append(list, s.Lang.Diag("bad-value", "", `"lang" must be en or de, not %q`, s.Lang.Value))
		}
	}
	if s.RateLimit != nil && s.RateLimit.Count > 0 {
		f.rate = *s.RateLimit
	}
	list = append(list, s.size(f)...)
	list = append(list, s.fields(f)...)
	if s.Honeypot != nil {
		f.honeypot = s.Honeypot.Value
		if f.honeypot != "" && f.byName[f.honeypot] != nil {
			list = append(list, s.Honeypot.Diag("bad-value", "choose a name that no field has", `the honeypot %q is a field of the form: every filled-in form would be spam`, f.honeypot))
		}
	}
	return list
}

func (s *settings) size(f *Form) diag.List {
	if s.MaxBody.IsZero() {
		return nil
	}
	var size yamlpos.Size
	if s.MaxBody.Kind() != yamlpos.Scalar {
		return diag.List{s.MaxBody.Diag("wrong-type", "", `"max_body" must be a size`)}
	}
	if err := size.UnmarshalText([]byte(s.MaxBody.Text().Value)); err != nil {
		return diag.List{s.MaxBody.Diag("bad-value", "", `"max_body": %s`, err)}
	}
	if size < 1 {
		return diag.List{s.MaxBody.Diag("bad-value", "", `"max_body" must be more than nothing`)}
	}
	f.maxBody = int64(size)
	return nil
}

func (s *settings) fields(f *Form) diag.List {
	n := s.Fields
	if n.Kind() == yamlpos.Scalar && n.Text().Value == "any" {
		f.any = true
		return nil
	}
	if n.IsZero() {
		return nil // Decode has complained
	}
	declared := n.Fields()
	if len(declared) == 0 {
		return diag.List{n.Diag("wrong-type", `write "fields: any" to keep whatever is posted`, `"fields" must name the form's fields`)}
	}
	var list diag.List
	f.byName = make(map[string]*field, len(declared))
	for _, entry := range declared {
		list = append(list, checkName(entry.Key)...)
		fd, faults := compileField(entry)
		list = append(list, faults...)
		f.fields = append(f.fields, fd)
		f.byName[fd.name] = fd
	}
	return list
}

func checkName(key yamlpos.Text) diag.List {
	switch {
	case strings.TrimSpace(key.Value) == "" || len(key.Value) > maxName:
		return diag.List{key.Diag("bad-name", "", "a field's name has 1 to %d bytes", maxName)}
	case key.Value == extraKey:
		return diag.List{key.Diag("bad-name", "choose another name", "data.extra holds the fields that are not declared, no field can have its name")}
	}
	return nil
}

// fieldSettings is a field as the configuration file has it.
type fieldSettings struct {
	Type     yamlpos.Text   `yaml:"type"`
	Required bool           `yaml:"required"`
	Min      yamlpos.Text   `yaml:"min"`
	Max      yamlpos.Text   `yaml:"max"`
	Pattern  yamlpos.Text   `yaml:"pattern"`
	Options  []yamlpos.Text `yaml:"options"`
	Error    string         `yaml:"error"`
	Label    string         `yaml:"label"`
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
	case "optional":
		return `fields are optional unless "required: true"`
	}
	return ""
}

func compileField(entry yamlpos.Field) (*field, diag.List) {
	var s fieldSettings
	list := entry.Value.Decode("a field", &s)
	fd := &field{name: entry.Key.Value, label: s.Label, required: s.Required, custom: s.Error, kind: textKind}
	if fd.label == "" {
		fd.label = humanName(fd.name)
	}
	if !s.Type.IsZero() {
		known, ok := kindNamed(s.Type.Value)
		if !ok {
			list = append(list, s.Type.Diag("unknown-type", kindHint(s.Type.Value), "a field has no type %q", s.Type.Value))
			return fd, list // what follows depends on the type
		}
		fd.kind = known
	}
	list = append(list, s.options(fd)...)
	list = append(list, s.pattern(fd)...)
	list = append(list, s.bounds(fd)...)
	return fd, list
}

func (s *fieldSettings) options(fd *field) diag.List {
	var list diag.List
	if len(s.Options) > 0 && fd.kind != selectKind && fd.kind != checkboxKind {
		list = append(list, s.Options[0].Diag("bad-value", `write "type: select"`, `a %s field has no "options"`, fd.kind))
	}
	for _, option := range s.Options {
		switch {
		case slices.Contains(fd.options, option.Value):
			list = append(list, option.Diag("bad-value", "", "%q stands twice in the options", option.Value))
		case option.Value == "":
			list = append(list, option.Diag("bad-value", "leave out \"required\" to allow no choice", "an option cannot be empty"))
		}
		fd.options = append(fd.options, option.Value)
	}
	if fd.kind == selectKind && len(s.Options) == 0 {
		list = append(list, s.Type.Diag("missing-key", "options: [small, large]", `a select field needs "options"`))
	}
	return list
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
	fd.min, faults = compileBound(s.Min, "min", fd.kind)
	list = append(list, faults...)
	fd.max, faults = compileBound(s.Max, "max", fd.kind)
	list = append(list, faults...)
	if fd.min != nil && fd.max != nil && (fd.min.number > fd.max.number || fd.min.day.After(fd.max.day)) {
		list = append(list, s.Min.Diag("bad-value", "", `"min" (%s) is more than "max" (%s)`, fd.min.text, fd.max.text))
	}
	return list
}

func compileBound(text yamlpos.Text, key string, k kind) (*bound, diag.List) {
	if text.IsZero() {
		return nil, nil
	}
	b := &bound{text: text.Value}
	var err error
	var want string
	switch {
	case k.lengths():
		want = "a whole number of characters"
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

// humanName makes a label from a field's name: first_name is "First name".
func humanName(name string) string {
	spaced := strings.TrimSpace(strings.Map(func(r rune) rune {
		if r == '_' || r == '-' {
			return ' '
		}
		return r
	}, strings.TrimSuffix(name, "[]")))
	for i, r := range spaced {
		return fmt.Sprintf("%s%s", strings.ToUpper(string(r)), spaced[i+len(string(r)):])
	}
	return name
}
