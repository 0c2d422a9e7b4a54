package recipe

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"hookgate/connectors"
	"hookgate/connectors/oauth"
	"hookgate/internal/diag"
	"hookgate/internal/yamlnode"
	"hookgate/rules/lang"
)

// Values are the settings of one connection, checked.
type Values struct {
	// Secrets are the texts in them that must not be shown.
	Secrets []string
	// URLs are the addresses in them, for the caller to check.
	URLs []URL
	all  map[string]any
}

// URL is a setting that is an address.
type URL struct {
	Node   yamlnode.Node // the connection itself where the address is a default
	Value  string
	Secret bool
}

// Values reads a connection's settings. Keys in also are left alone. With an
// error in the list the Values must not be used. No message repeats a value.
func (r *Recipe) Values(n yamlnode.Node, also ...string) (*Values, diag.List) {
	rd := reader{noun: r.Noun(), connection: n, values: &Values{all: map[string]any{}}}
	rd.mapping(n, r.Settings, rd.values.all, also)
	return rd.values, rd.list
}

type reader struct {
	noun       string
	connection yamlnode.Node
	values     *Values
	list       diag.List
}

func (rd *reader) add(list ...diag.Diagnostic) { rd.list = append(rd.list, list...) }

// mapping reads settings into out. also are keys that are decoded elsewhere.
func (rd *reader) mapping(n yamlnode.Node, settings []*Setting, out map[string]any, also []string) {
	names := append([]string(nil), also...)
	for _, s := range settings {
		names = append(names, s.Name)
	}
	for _, f := range n.Fields() {
		if !slices.Contains(names, f.Key.Value) {
			rd.add(yamlnode.UnknownKey(f.Key, rd.noun, append([]string(nil), names...), nil))
		}
	}
	for _, s := range settings {
		value := n.Get(s.Name)
		switch {
		case !value.IsZero():
			if got, ok := rd.value(value, s); ok {
				out[s.Name] = got
			}
		case s.otherwise != nil:
			rd.fallback(s, out)
		case s.Required:
			rd.add(yamlnode.MissingKey(n, s.Name, s.Doc, rd.noun))
		}
	}
}

// fallback fills in a default.
func (rd *reader) fallback(s *Setting, out map[string]any) {
	scope := lang.NewValues(map[string]any{"settings": rd.values.all})
	raw, _, err := s.otherwise.AppendJSON(nil, scope)
	if err != nil {
		if rd.list.Err() == nil { // else what it is made of is faulty itself
			rd.add(rd.connection.Diag("missing-key", "set it", "%s needs %q: it does not follow from the other settings", rd.noun, s.Name))
		}
		return
	}
	value, err := connectors.DecodeJSON(raw)
	if err != nil || value == nil {
		return
	}
	out[s.Name] = value
	if text, isText := value.(string); isText && s.kind == "url" {
		rd.values.URLs = append(rd.values.URLs, URL{Node: rd.connection, Value: text, Secret: s.Secret})
	}
}

// value reads one setting. ok is false where it cannot be used.
func (rd *reader) value(n yamlnode.Node, s *Setting) (value any, ok bool) {
	switch s.Type {
	case yamlnode.ObjectType:
		if n.Kind() != yamlnode.Map {
			rd.wrong(n, s, "a mapping")
			return nil, false
		}
		inner := map[string]any{}
		outer := rd.noun
		rd.noun = s.Name
		rd.mapping(n, s.keys, inner, nil)
		rd.noun = outer
		return inner, true
	case yamlnode.ListType, yamlnode.MappingType:
		want := yamlnode.List
		if s.Type == yamlnode.MappingType {
			want = yamlnode.Map
		}
		if n.Kind() != want {
			rd.wrong(n, s, diag.A(string(s.Type)))
			return nil, false
		}
		value = n.Any()
		rd.hide(s, value)
		return value, true
	case yamlnode.BoolType, yamlnode.NumberType:
		return rd.plain(n, s)
	default:
		var text string
		if faults := n.Decode("this", &text); faults.Err() != nil {
			rd.add(faults...)
			return nil, false
		}
		return rd.text(n, s, text)
	}
}

// plain reads a number or true and false.
func (rd *reader) plain(n yamlnode.Node, s *Setting) (any, bool) {
	value := n.Any()
	switch value.(type) {
	case bool:
		if s.Type == yamlnode.BoolType {
			return value, true
		}
	case int, float64:
		if s.Type == yamlnode.NumberType {
			return value, true
		}
	}
	want := "a number"
	if s.Type == yamlnode.BoolType {
		want = "true or false"
	}
	rd.wrong(n, s, want)
	return nil, false
}

func (rd *reader) wrong(n yamlnode.Node, s *Setting, want string) {
	rd.add(n.Diag("wrong-type", "", "%q must be %s", s.Name, want))
}

// text checks a setting that is written as text.
func (rd *reader) text(n yamlnode.Node, s *Setting, text string) (any, bool) {
	bad := func(hint, what string) (any, bool) {
		rd.add(n.Diag("bad-value", hint, "%q %s", s.Name, what))
		return nil, false
	}
	rd.hide(s, text)
	switch {
	case strings.TrimSpace(text) == "" && (s.Required || s.kind == "url"):
		return bad("", "is empty")
	case s.kind == "enum" && !slices.Contains(s.Values, text):
		return bad("it can be "+joined(s.Values), "is none of the values that it can be")
	case s.pattern != nil && !s.pattern.MatchString(text):
		return bad(s.hint, "does not look as it should")
	}
	switch s.kind {
	case "url":
		rd.values.URLs = append(rd.values.URLs, URL{Node: n, Value: text, Secret: s.Secret})
	case "private_key":
		if _, err := oauth.ParseKey(text); err != nil {
			return bad("it starts with -----BEGIN PRIVATE KEY-----", "is "+err.Error())
		}
	case "json":
		var object map[string]any
		if err := json.Unmarshal([]byte(text), &object); err != nil {
			return bad("give the content of the file, by NAME_FILE say", "is not a JSON object")
		}
		for _, inner := range object {
			rd.hide(s, inner)
		}
		return object, true
	}
	return text, true
}

// hide keeps the texts of a secret setting in mind.
func (rd *reader) hide(s *Setting, value any) {
	if !s.Secret {
		return
	}
	switch x := value.(type) {
	case string:
		if text := strings.TrimSpace(x); text != "" {
			rd.values.Secrets = append(rd.values.Secrets, text)
		}
	case []any:
		for _, inner := range x {
			rd.hide(s, inner)
		}
	case map[string]any:
		for _, inner := range x {
			rd.hide(s, inner)
		}
	}
}

// errAuth reports that a login cannot be made of the settings.
var errAuth = errors.New("the login cannot be made of the settings")
