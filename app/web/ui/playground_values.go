package ui

import (
	"bytes"
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"hookgate/internal/schema"
)

// seenField is a field of what comes in, with values that it had.
type seenField struct {
	Path   string
	Values []seenValue
	More   bool // there are others
}

// seenValue is a value, and where the playground is with a condition that asks for it.
type seenValue struct{ Text, Link string }

const (
	// seenFields is how many fields are offered, and seenValues how many values of each.
	seenFields, seenValues = 12, 6
	// seenLength is how long a value may be that a condition would ask for.
	seenLength = 60
)

// seenIn are the fields of the rule's source with the values that they had: those first
// that the condition reads, then those that have some few. Where they cannot be told, the page goes without.
func (u *UI) seenIn(c *fiber.Ctx, p *playgroundPage) []seenField {
	if len(p.Rule.From) == 0 {
		return nil
	}
	name := p.Rule.From[0]
	known, err := u.cfg.Service.Fields(c.UserContext(), name, false)
	if missing(err) {
		known, err = u.cfg.Service.Fields(c.UserContext(), name, true)
	}
	if err != nil {
		u.cfg.Logger.WarnContext(c.UserContext(), "the values of fields cannot be told", "source", name, "error", err)
		return nil
	}
	list := fieldsSeen(&known, p.Rule.Events)
	slices.SortStableFunc(list, func(a, b *schema.Field) int {
		return worth(b, p.When) - worth(a, p.When)
	})
	address, err := url.ParseQuery(string(c.Context().QueryArgs().QueryString()))
	if err != nil {
		return nil
	}
	address.Set("rule", p.Rule.Name)
	address.Set("of", p.Rule.Name)
	var out []seenField
	for _, f := range list {
		one := seenField{Path: f.Path.String(), More: f.More}
		for _, raw := range f.Examples {
			literal, text, ok := literalOf(raw)
			if !ok {
				continue
			}
			if len(one.Values) == seenValues {
				one.More = true
				break
			}
			address.Set("when", asking(p.When, one.Path, literal))
			one.Values = append(one.Values, seenValue{text, prefix + "/playground?" + address.Encode()})
		}
		if len(one.Values) > 0 && len(out) < seenFields {
			out = append(out, one)
		}
	}
	return out
}

// fieldsSeen are the fields of the events that a rule listens to, each once; those in
// lists are left out, for there is no one value to compare.
func fieldsSeen(known *schema.Source, types []string) []*schema.Field {
	var list []*schema.Field
	have := map[string]bool{}
	for i := range known.Seen {
		payload := &known.Seen[i]
		if len(types) > 0 && !slices.Contains(types, payload.Type) {
			continue
		}
		for k := range payload.Fields {
			f := &payload.Fields[k]
			if path := f.Path.String(); !have[path] && plainPath.MatchString(path) {
				have[path] = true
				list = append(list, f)
			}
		}
	}
	return list
}

// plainPath is a path that stands in a condition as it is.
var plainPath = regexp.MustCompile(`^data(\.[A-Za-z_][A-Za-z0-9_]*)+$`)

// worth is how much a field is worth looking at: one that the condition reads, one that
// has some few values, another.
func worth(f *schema.Field, when string) int {
	switch {
	case strings.Contains(when, f.Path.String()):
		return 2
	case len(f.Examples) > 1 && !f.More:
		return 1
	}
	return 0
}

// literalOf is a value as it stands in a condition, and as people read it; ok is false
// for one that is masked, cut, or no text, number or truth.
func literalOf(raw json.RawMessage) (literal, text string, ok bool) {
	if len(raw) == 0 || len(raw) > seenLength || bytes.ContainsAny(raw, "…•[{") || bytes.IndexByte(raw, '\\') >= 0 || string(raw) == "null" {
		return "", "", false
	}
	literal = string(raw)
	return literal, strings.Trim(literal, `"`), true
}

// asking is a condition that asks, besides what it asks, for a value of a path: in the
// place of the value that it asks for of that path, where it does so once.
func asking(when, path, literal string) string {
	compared := regexp.MustCompile(`(^|[^\w.])` + regexp.QuoteMeta(path) + `\s*==\s*("[^"\\]*"|[\w.-]+)`)
	if at := compared.FindAllStringSubmatchIndex(when, -1); len(at) == 1 {
		return when[:at[0][4]] + literal + when[at[0][5]:]
	}
	asked := path + " == " + literal
	trimmed := strings.TrimSpace(when)
	switch {
	case trimmed == "":
		return asked
	case joined.MatchString(trimmed):
		return "(" + trimmed + ") and " + asked
	}
	return trimmed + " and " + asked
}

// joined finds what binds weaker than and.
var joined = regexp.MustCompile(`\bor\b|\|\||\?`)
