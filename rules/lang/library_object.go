package lang

import (
	"cmp"
	"maps"
	"slices"
)

var objectFunctions = []function{
	{
		name: "only", params: []param{object("object"), {name: "key", rest: true}}, result: objectResult, numbers: handedNumbers,
		doc:     "An object with those keys of it, or with those of a list.",
		example: `only(data, "name", "phone")`, value: `{"name":"Ada von Lovelace","phone":"030 1234567"}`,
		call: func(_ *meter, args []any) (any, error) {
			object, names, err := keysOf("only", args)
			kept := map[string]any{}
			for _, name := range names {
				if v, ok := object[name]; ok {
					kept[name] = v
				}
			}
			return kept, err
		},
	},
	{
		name: "omit", params: []param{object("object"), {name: "key", rest: true}}, result: objectResult, numbers: handedNumbers,
		doc:     "An object without those keys.",
		example: `omit({"a": 1, "consent": true}, "consent")`, value: `{"a":1}`,
		call: func(_ *meter, args []any) (any, error) {
			object, names, err := keysOf("omit", args)
			kept := maps.Clone(object)
			maps.DeleteFunc(kept, func(key string, _ any) bool { return slices.Contains(names, key) })
			return kept, err
		},
	},
	{
		name: "merge", params: []param{{name: "object", rest: true}}, numbers: handedNumbers, own: true, null: "{}",
		doc:     "One object of several; of a key that stands in two the later value counts.",
		example: `merge({"a": 1}, {"a": 2, "b": 3})`, value: `{"a":2,"b":3}`, more: []Example{{`merge(nil, {"a": 1})`, `{"a":1}`}},
		call: merge,
	},
	{
		name: "headline", params: []param{object("event")}, result: textResult,
		doc:     "What an event is called for people: of a form \"New message\" in the form's language, of another source its type; and where it came from.",
		example: `headline(event)`, value: `"website_status_changed (sitejet)"`,
		call: headline,
	},
	{
		name: "fields", params: []param{anything("value"), text("form").or(`"text"`)}, numbers: writtenNumbers, own: true, null: `""`,
		doc:     "All that a value holds for people to read, a line for each name, without what is empty; the fields of a form are called as their labels say. The form \"html\" makes a table, in which values are escaped already: `${{ raw(fields(data, \"html\")) }}`.",
		example: `fields(only(data, "name", "items"))`, value: `"Items / 1 / Price: 19.90\nItems / 1 / Sku:   a\nItems / 2 / Price: 5\nItems / 2 / Sku:   b\nName:              Ada von Lovelace"`,
		call: fieldsFunction,
	},
}

// headline is what an event is called.
func headline(m *meter, args []any) (any, error) {
	event, _ := args[0].(map[string]any)
	kind, source := textOr(event["type"], ""), textOr(event["source"], "")
	if kind == formSubmitted {
		kind = cmp.Or(m.place.words[source].Message, "New message")
	}
	return kind + " (" + source + ")", nil
}

// formSubmitted is the type of forms' events.
const formSubmitted = "form_submitted"

// keysOf are the object of only and omit, and the keys: texts, or lists of them.
func keysOf(name string, args []any) (map[string]any, []string, error) {
	object, _ := args[0].(map[string]any)
	var names []string
	for _, arg := range args[1:] {
		keys, isList := listFrom(arg)
		if !isList {
			keys = []any{arg}
		}
		for _, key := range keys {
			s, ok := key.(string)
			if !ok {
				return nil, nil, limitf("%s needs texts as keys, but got %s", name, kindOf(key))
			}
			names = append(names, s)
		}
		const most = 1_000
		if len(names) > most {
			return nil, nil, limitf("%s takes at most %d keys", name, most)
		}
	}
	return object, names, nil
}

var objectBuiltins = []builtinDoc{
	{"keys(object)", "The keys, sorted.", "error", `keys({"b": 1, "a": 2})`, `["a","b"]`},
	{"values(object)", "The values, in the order of their keys.", "error", `values({"b": 1, "a": 2})`, `[2,1]`},
	{"toPairs(object)", "A list of pairs of key and value.", "error", `toPairs({"a": 1})`, `[["a",1]]`},
	{"fromPairs(list)", "An object of such pairs.", "error", `fromPairs([["a", 1]])`, `{"a":1}`},
}
