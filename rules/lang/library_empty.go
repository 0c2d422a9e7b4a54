package lang

import "strings"

var emptyFunctions = []function{
	{
		name: "coalesce", params: []param{{name: "value", rest: true}}, numbers: handedNumbers, guards: true, null: "the next value",
		doc:     "The first of some values that is not empty: not null, no blank text, no empty list or object.",
		example: `coalesce("", " ", "x")`, value: `"x"`, more: []Example{{`coalesce(data.company, data.name)`, `"Ada von Lovelace"`}},
		call: func(_ *meter, args []any) (any, error) {
			for _, v := range args {
				if !isEmpty(v) {
					return v, nil
				}
			}
			return nil, nil
		},
	},
	{
		name: "is_empty", params: []param{anything("value")}, result: boolResult, guards: true, null: "true",
		doc:     "Whether a value is null, a blank text, or a list or an object with nothing in it. 0 and false are not empty.",
		example: `is_empty("  ")`, value: `true`, more: []Example{{`is_empty(0)`, `false`}},
		call: func(_ *meter, args []any) (any, error) { return isEmpty(args[0]), nil },
	},
	{
		name: "compact", params: []param{anything("value")}, numbers: handedNumbers,
		doc:     "A list or an object without what is empty in it.",
		example: `compact(["a", nil, ""])`, value: `["a"]`, more: []Example{{`compact({"a": 1, "b": ""})`, `{"a":1}`}},
		call: func(_ *meter, args []any) (any, error) {
			if object, ok := args[0].(map[string]any); ok {
				kept := make(map[string]any, len(object))
				for key, v := range object {
					if !isEmpty(v) {
						kept[key] = v
					}
				}
				return kept, nil
			}
			list, ok := listFrom(args[0])
			if !ok {
				return nil, limitf("compact needs a list or an object, but got %s", kindOf(args[0]))
			}
			if err := short(list, maxItems); err != nil {
				return nil, err
			}
			kept := []any{}
			for _, v := range list {
				if !isEmpty(v) {
					kept = append(kept, v)
				}
			}
			return kept, nil
		},
	},
}

func isEmpty(v any) bool {
	switch x := v.(type) {
	case nil:
		return true
	case string:
		return strings.TrimSpace(x) == ""
	case map[string]any:
		return len(x) == 0
	case bool, int, float64:
		return false
	}
	list, ok := listFrom(v)
	return ok && len(list) == 0
}
