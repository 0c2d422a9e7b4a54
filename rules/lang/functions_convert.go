package lang

import (
	"errors"
	"maps"
	"slices"

	"hookgate/internal/jsondoc"
)

func toText(m *meter, args []any) (any, error) {
	text, err := textOf(args[0], maxSpent)
	if errors.Is(err, ErrTooLarge) {
		return nil, errSpent
	}
	if err != nil {
		return nil, limitf("string: %s", err)
	}
	return text, m.charge(text)
}

func toJSON(m *meter, args []any) (any, error) {
	text, err := appendJSON(nil, args[0], maxText)
	if errors.Is(err, ErrTooLarge) {
		return nil, m.room("toJSON", len(text))
	}
	if err != nil {
		return nil, limitf("toJSON: %s", err)
	}
	return string(text), m.charge(string(text))
}

func fromJSON(m *meter, args []any) (any, error) {
	text, err := texts("fromJSON", args, 1)
	if err != nil {
		return nil, err
	}
	doc, err := jsondoc.Parse([]byte(text[0]))
	if err != nil {
		return nil, limitf("fromJSON: %s", err)
	}
	defer doc.Release()
	m.spent += len(text[0])
	return doc.Value(), m.charge(nil)
}

// fields reads an object and its keys, sorted.
func fields(m *meter, name string, v any) (map[string]any, []string, error) {
	object, ok := v.(map[string]any)
	if !ok {
		return nil, nil, limitf("%s needs an object, but got %s", name, kindOf(v))
	}
	if len(object) > maxItems {
		return nil, nil, limitf("an object of %d keys is too large here: %d is the most", len(object), maxItems)
	}
	return object, slices.Sorted(maps.Keys(object)), m.charge(object)
}

func keys(m *meter, args []any) (any, error) {
	_, names, err := fields(m, "keys", args[0])
	list := make([]any, len(names))
	for i, name := range names {
		list[i] = name
	}
	return list, err
}

func values(m *meter, args []any) (any, error) {
	object, names, err := fields(m, "values", args[0])
	list := make([]any, len(names))
	for i, name := range names {
		list[i] = object[name]
	}
	return list, err
}

func toPairs(m *meter, args []any) (any, error) {
	object, names, err := fields(m, "toPairs", args[0])
	list := make([]any, len(names))
	for i, name := range names {
		list[i] = []any{name, object[name]}
	}
	return list, err
}

// fromPairs makes an object of a list of names and values, as toPairs gives
// them; of a name that stands twice the later value counts.
func fromPairs(m *meter, args []any) (any, error) {
	list, ok := args[0].([]any)
	if !ok {
		return nil, limitf("fromPairs needs a list, but got %s", kindOf(args[0]))
	}
	if err := short(args[0], maxItems); err != nil {
		return nil, err
	}
	object := make(map[string]any, len(list))
	for _, item := range list {
		pair, ok := item.([]any)
		if !ok || len(pair) != 2 {
			return nil, limitf("fromPairs needs pairs of a name and a value, but got %s", kindOf(item))
		}
		name, ok := pair[0].(string)
		if !ok {
			return nil, limitf("fromPairs needs texts as names, but got %s", kindOf(pair[0]))
		}
		object[name] = pair[1]
	}
	return object, m.charge(object)
}

// merge makes one object of several; of a key that stands in two the later
// one counts. null is an empty object.
func merge(m *meter, args []any) (any, error) {
	all := map[string]any{}
	for _, arg := range args {
		switch x := arg.(type) {
		case nil:
		case map[string]any:
			maps.Copy(all, x)
		default:
			return nil, limitf("merge needs objects, but got %s", kindOf(arg))
		}
	}
	return all, m.charge(all)
}
