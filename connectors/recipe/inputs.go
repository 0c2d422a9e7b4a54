package recipe

import (
	"errors"
	"fmt"
	"html"
	"strconv"
	"strings"

	"hookgate/connectors"
	"hookgate/internal/yamlnode"
)

// escapes are the mark-ups by name: a value must not be able to speak them.
func escapes() map[string]func(string) string {
	return map[string]func(string) string{
		"": nil, "html": html.EscapeString, "markdown": connectors.EscapeMarkdown, "slack": connectors.EscapeAngles, "google_chat": connectors.Inert,
		"telegram": func(text string) string { return html.EscapeString(connectors.SeparateMentions(text)) },
		"inert":    connectors.Inert,
	}
}

// chosen finds out which action a rendered one is, and the inputs in it.
func (r *Recipe) chosen(output map[string]any) (*Action, map[string]any, error) {
	var found *Action
	for _, a := range r.Actions {
		if _, named := output[a.Name]; !named {
			continue
		}
		if found != nil {
			return nil, nil, fmt.Errorf("it holds two actions, %s and %s", found.Name, a.Name)
		}
		found = a
	}
	if found == nil {
		if direct := r.direct(); direct != nil {
			return direct, output, nil
		}
		return nil, nil, errors.New("it holds none of the actions " + joined(r.actionNames()))
	}
	if inputs, isMap := output[found.Name].(map[string]any); isMap && len(output) == 1 {
		return found, inputs, nil
	}
	if found.Shorthand == "" {
		return nil, nil, fmt.Errorf("%s does not hold the action's inputs", found.Name)
	}
	inputs := map[string]any{}
	for key, value := range output {
		if key == found.Name {
			key = found.Shorthand
		}
		inputs[key] = value
	}
	return found, inputs, nil
}

func (r *Recipe) actionNames() []string {
	names := make([]string, len(r.Actions))
	for i, a := range r.Actions {
		names[i] = a.Name
	}
	return names
}

// values are the inputs as requests take them. An error says what can never be
// sent.
func (a *Action) values(given map[string]any, vendor string) (map[string]any, error) {
	for key := range given {
		if a.input(key) == nil {
			return nil, fmt.Errorf("%s has no input %q", a.Name, key)
		}
	}
	out := map[string]any{}
	for _, in := range a.Inputs {
		value, err := in.take(given[in.Name], vendor)
		if err != nil {
			return nil, err
		}
		if value == nil {
			value = in.value
		}
		if value == nil && in.Required {
			return nil, fmt.Errorf("%s is empty", in.Name)
		}
		out[in.Name] = value
	}
	return out, nil
}

// take turns a rendered value into one of the input's type. An empty text is
// no value, as is null.
func (in *Input) take(value any, vendor string) (any, error) {
	if text, isText := value.(string); isText && in.Type != yamlnode.AnyType && strings.TrimSpace(text) == "" {
		value = nil
	}
	if value == nil {
		return nil, nil //nolint:nilnil // no value is one of the values
	}
	switch in.Type {
	case yamlnode.NumberType:
		return in.number(value)
	case yamlnode.BoolType:
		return in.bool(value)
	case yamlnode.ListType:
		list, isList := value.([]any)
		if !isList {
			list = []any{value}
		}
		if in.Max > 0 && len(list) > in.Max {
			return nil, fmt.Errorf("%s has %d items, %d is the most", in.Name, len(list), in.Max)
		}
		return list, nil
	case yamlnode.MappingType:
		mapping, isMap := value.(map[string]any)
		switch {
		case !isMap:
			return nil, in.not("a mapping")
		case in.Max > 0:
			return in.fitEach(mapping, vendor)
		}
		return value, nil
	case yamlnode.AnyType:
		return value, nil
	default:
		return in.text(value, vendor)
	}
}

func (in *Input) not(want string) error { return fmt.Errorf("%s is not %s", in.Name, want) }

func (in *Input) text(value any, vendor string) (any, error) {
	switch value.(type) {
	case map[string]any, []any:
		return nil, in.not("a text")
	}
	text := plainText(value)
	if in.Type == yamlnode.EnumType {
		for _, option := range in.Values {
			if strings.EqualFold(option, strings.TrimSpace(text)) {
				return option, nil
			}
		}
		return nil, fmt.Errorf("%s is none of %s", in.Name, joined(in.Values))
	}
	return in.fit(text, vendor)
}

func (in *Input) number(value any) (any, error) {
	text, isText := value.(string)
	if !isText {
		switch value.(type) {
		case bool, map[string]any, []any:
			return nil, in.not("a number")
		}
		return value, nil
	}
	text = strings.TrimSpace(text)
	if n, err := strconv.Atoi(text); err == nil {
		return n, nil
	}
	if f, err := strconv.ParseFloat(text, 64); err == nil && f-f == 0 { // neither infinite nor NaN
		return f, nil
	}
	return nil, in.not("a number")
}

func (in *Input) bool(value any) (any, error) {
	switch x := value.(type) {
	case bool:
		return x, nil
	case string:
		switch strings.ToLower(strings.TrimSpace(x)) {
		case "true", "yes", "on", "1":
			return true, nil
		case "false", "no", "off", "0":
			return false, nil
		}
	}
	return nil, in.not("true or false")
}
