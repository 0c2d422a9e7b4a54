package trial

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/valyala/fastjson"

	"hookgate/internal/body"
)

// Assignment changes one value: Path are names and list indexes with dots,
// Value is JSON text.
type Assignment struct {
	Path  string
	Value []byte
}

// ParseAssignment reads path=value. The value is JSON, or else a text.
func ParseAssignment(text string) (Assignment, error) {
	path, value, ok := strings.Cut(text, "=")
	if !ok || path == "" {
		return Assignment{}, errors.New("write path=value")
	}
	a := Assignment{Path: path, Value: []byte(value)}
	if fastjson.Validate(value) != nil {
		var arena fastjson.Arena
		a.Value = arena.NewString(value).MarshalTo(nil)
	}
	return a, nil
}

// SetJSON changes values of a JSON text and leaves the rest, with the order of
// its keys and the digits of its numbers, as it is.
func SetJSON(text []byte, set []Assignment) ([]byte, error) {
	if len(set) == 0 {
		return text, nil
	}
	root, err := fastjson.ParseBytes(text)
	if err != nil {
		return nil, fmt.Errorf("this is no JSON: %w", err)
	}
	for _, a := range set {
		value, err := fastjson.ParseBytes(a.Value)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", a.Path, err)
		}
		if err := setValue(root, strings.Split(a.Path, "."), value); err != nil {
			return nil, fmt.Errorf("%s: %w", a.Path, err)
		}
	}
	return root.MarshalTo(nil), nil
}

// setValue goes down the path, making the objects that are missing.
func setValue(at *fastjson.Value, path []string, value *fastjson.Value) error {
	name, rest := path[0], path[1:]
	switch at.Type() {
	case fastjson.TypeObject:
	case fastjson.TypeArray:
		if i, err := strconv.Atoi(name); err != nil || i < 0 || i > len(at.GetArray()) {
			return fmt.Errorf("%q is no index of a list of %d", name, len(at.GetArray()))
		}
	default:
		return fmt.Errorf("%q is below a %s", name, at.Type())
	}
	if len(rest) == 0 {
		at.Set(name, value)
		return nil
	}
	next := at.Get(name)
	if next == nil || next.Type() == fastjson.TypeNull {
		var a fastjson.Arena
		next = a.NewObject()
		at.Set(name, next)
	}
	return setValue(next, rest, value)
}

// setFields changes what is posted to a form: a path of one name replaces all
// that is posted under it, a longer one a value within it.
func setFields(fields []body.Field, set []Assignment) ([]body.Field, error) {
	for _, a := range set {
		name, rest, deeper := strings.Cut(a.Path, ".")
		if exact := slices.ContainsFunc(fields, func(f body.Field) bool { return f.Name == a.Path }); exact {
			name, deeper = a.Path, false
		}
		text := a.Value
		if deeper {
			before, err := json.Marshal(fieldValue(fields, name))
			if err != nil {
				return nil, fmt.Errorf("%s: %w", a.Path, err)
			}
			if text, err = SetJSON(before, []Assignment{{Path: rest, Value: a.Value}}); err != nil {
				return nil, fmt.Errorf("%s.%w", name, err)
			}
		}
		decoder := json.NewDecoder(bytes.NewReader(text))
		decoder.UseNumber()
		var value any
		if err := decoder.Decode(&value); err != nil {
			return nil, fmt.Errorf("%s: %w", a.Path, err)
		}
		fields = slices.DeleteFunc(slices.Clone(fields), func(f body.Field) bool { return f.Name == name })
		fields = append(fields, body.Field{Name: name, Value: value})
	}
	return fields, nil
}

// fieldValue is what is posted under a name: an empty object where there is
// nothing.
func fieldValue(fields []body.Field, name string) any {
	for _, f := range fields {
		if f.Name == name && f.Value != nil {
			return f.Value
		}
	}
	return map[string]any{}
}
