package lang

import "reflect"

// escaped is v with escape applied to every text in it, at any depth: a value
// that keeps its type is as foreign to its place as one within a text. Keys
// stay as they are. What is shared with the scope is copied, not changed.
func escaped(v any, escape func(string) string) any {
	switch x := v.(type) {
	case string:
		return escape(x)
	case []any:
		list := make([]any, len(x))
		for i, item := range x {
			list[i] = escaped(item, escape)
		}
		return list
	case map[string]any:
		object := make(map[string]any, len(x))
		for key, item := range x {
			object[key] = escaped(item, escape)
		}
		return object
	}
	return escapedOther(v, escape)
}

// escapedOther is escaped for the lists and objects of other Go types that
// expr's functions give: []string from split, map[any][]any from groupBy.
func escapedOther(v any, escape func(string) string) any {
	if text, ok := v.([]byte); ok {
		return escape(string(text))
	}
	r := reflect.ValueOf(v)
	switch {
	case r.Kind() == reflect.Slice:
		list := make([]any, r.Len())
		for i := range list {
			list[i] = escaped(r.Index(i).Interface(), escape)
		}
		return list
	case r.Kind() == reflect.Map:
		object := make(map[any]any, r.Len())
		for _, key := range r.MapKeys() {
			object[key.Interface()] = escaped(r.MapIndex(key).Interface(), escape)
		}
		return object
	}
	return v
}
