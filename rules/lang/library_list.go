package lang

import (
	"crypto/sha256"
	"encoding/binary"
	"reflect"
	"strings"

	"hookgate/internal/jsondoc"
)

var listFunctions = []function{
	{
		name: "join_text", params: []param{listOf("list"), text("separator").or(`", "`), text("last").or("separator")}, result: textResult, numbers: writtenNumbers, null: `""`,
		doc:     "The values of a list as one text, whatever they are, without those that are empty; the last one may have a separator of its own.",
		example: `join_text(["a", 2, nil, "c"], ", ", " und ")`, value: `"a, 2 und c"`, more: []Example{{`join_text(map(data.items, .sku))`, `"a, b"`}},
		call: joinText,
	},
	{
		name: "chunk", params: []param{listOf("list"), integer("size")}, result: listResult, numbers: handedNumbers,
		doc:     "A list as a list of lists with so many items each.",
		example: `chunk([1, 2, 3], 2)`, value: `[[1,2],[3]]`,
		call: func(_ *meter, args []any) (any, error) {
			list, size := itemsOf(args[0]), wholeOr(args[1], 0)
			if size < 1 {
				return nil, limitf("chunk needs at least 1 item in each list, not %d", size)
			}
			parts := []any{}
			for len(list) > 0 {
				n := min(size, len(list))
				parts, list = append(parts, list[:n:n]), list[n:]
			}
			return parts, nil
		},
	},
	{
		name: "difference", params: []param{listOf("a"), listOf("b")}, result: listResult, numbers: handedNumbers,
		doc:     "The items of a list that another one lacks.",
		example: `difference(["a", "b", "c"], ["b"])`, value: `["a","c"]`,
		call: func(m *meter, args []any) (any, error) { return chosen(m, args, false) },
	},
	{
		name: "intersection", params: []param{listOf("a"), listOf("b")}, result: listResult, numbers: handedNumbers,
		doc:     "The items of a list that another one has, too.",
		example: `intersection(["a", "b"], ["b", "c"])`, value: `["b"]`,
		call: func(m *meter, args []any) (any, error) { return chosen(m, args, true) },
	},
	{
		name: "pick", params: []param{listOf("list"), anything("by")}, numbers: handedNumbers,
		doc:     "One item of a list, always the same for the same value: whose turn it is, without chance.",
		example: `pick(["ada", "grace"], "order 7")`, value: `"ada"`,
		call: func(_ *meter, args []any) (any, error) {
			list := itemsOf(args[0])
			if len(list) == 0 {
				return nil, nil
			}
			by, err := textOf(jsondoc.Compute(args[1]), maxText)
			if err != nil {
				return nil, limitf("pick: %s", err)
			}
			sum := sha256.Sum256([]byte(by))
			return list[binary.BigEndian.Uint64(sum[:])%uint64(len(list))], nil
		},
	},
}

var listBuiltins = []builtinDoc{
	{"first(list)", "The first item.", "null", `first(["a", "b"])`, `"a"`},
	{"last(list)", "The last item.", "null", `last(["a", "b"])`, `"b"`},
	{"get(value, key)", "What stands under a key, or at a place; null where there is nothing.", "null", `get(data.items, 7)`, `null`},
	{"take(list, n)", "The first n items.", "error", `take([1, 2, 3], 2)`, `[1,2]`},
	{"filter(list, condition)", "The items for which a condition holds; `.price` in it is the item's.", "error", `map(filter(data.items, .price > 10), .sku)`, `["a"]`},
	{"map(list, expression)", "What is made of each item.", "error", `map(data.items, .sku)`, `["a","b"]`},
	{"any(list, condition)", "Whether it holds for some item.", "error", `any(data.items, .price > 10)`, `true`},
	{"all(list, condition)", "Whether it holds for each item.", "error", `all(data.items, .price > 10)`, `false`},
	{"none(list, condition)", "Whether it holds for no item.", "error", `none(data.items, .sku == "c")`, `true`},
	{"one(list, condition)", "Whether it holds for exactly one.", "error", `one(data.items, .sku == "a")`, `true`},
	{"count(list, condition?)", "For how many it holds.", "error", `count(data.items, .price < 10)`, `1`},
	{"find(list, condition)", "The first item for which it holds; null where there is none.", "error", `find(data.items, .sku == "b").price`, `5`},
	{"findIndex(list, condition)", "The place of that item; null where there is none.", "error", `findIndex(data.items, .sku == "b")`, `1`},
	{"findLast(list, condition)", "The last such item.", "error", `findLast(data.items, .price > 1).sku`, `"b"`},
	{"findLastIndex(list, condition)", "The place of the last such item.", "error", `findLastIndex(data.items, .price > 1)`, `1`},
	{"reduce(list, expression, start?)", "One value of all items: #acc is what was made so far, # the item.", "error", `reduce([1, 2, 3], #acc * #, 1)`, `6`},
	{"groupBy(list, expression)", "An object of lists: the items by what the expression gives for them.", "error", `len(groupBy(data.items, .sku))`, `2`},
	{"sortBy(list, expression, order?)", `The items by what the expression gives; "desc" turns them round.`, "error", `map(sortBy(data.items, .price), .sku)`, `["b","a"]`},
	{"sort(list, order?)", "The items in their order.", "[]", `sort([3, 1, 2])`, `[1,2,3]`},
	{"reverse(list)", "The items the other way round.", "error", `reverse([1, 2])`, `[2,1]`},
	{"uniq(list)", "The items, each once.", "error", `uniq([1, 1, 2])`, `[1,2]`},
	{"concat(a, b, …)", "One list of several.", "error", `concat([1], [2])`, `[1,2]`},
	{"flatten(list)", "One list of the lists in it.", "error", `flatten([[1], [2, 3]])`, `[1,2,3]`},
	{"join(list, separator?)", "The texts of a list as one. join_text takes any values.", "error", `join(["a", "b"], "-")`, `"a-b"`},
}

// itemsOf is an argument that was taken as a list.
func itemsOf(arg any) []any {
	list, _ := arg.([]any)
	return list
}

// listFrom is any of the lists that functions give.
func listFrom(v any) ([]any, bool) {
	if list, ok := v.([]any); ok {
		return list, true
	}
	if v == nil || reflect.TypeOf(v).Kind() != reflect.Slice {
		return nil, false
	}
	r := reflect.ValueOf(v)
	list := make([]any, r.Len())
	for i := range list {
		list[i] = r.Index(i).Interface()
	}
	return list, true
}

func joinText(m *meter, args []any) (any, error) {
	separator := textOr(args[1], ", ")
	last := textOr(args[2], separator)
	var texts []string
	size := 0
	for _, v := range itemsOf(args[0]) {
		if isEmpty(v) {
			continue
		}
		s, err := textOf(v, maxText)
		if err != nil {
			return nil, limitf("join_text: %s", err)
		}
		texts = append(texts, s)
		if size += len(s) + len(separator); size > maxText {
			return nil, m.room("join_text", size)
		}
	}
	if n := len(texts); n > 1 {
		return strings.Join(texts[:n-1], separator) + last + texts[n-1], nil
	}
	return strings.Join(texts, separator), nil
}

// chosen are the items of one list that the other has, or lacks.
func chosen(m *meter, args []any, has bool) (any, error) {
	known := map[string]bool{}
	size := 0
	key := func(v any) (string, error) {
		s, err := appendJSON(nil, jsondoc.Compute(v), maxText)
		if size += len(s); err != nil {
			return "", limitf("a value cannot be compared: %s", err)
		}
		if size > maxSpent {
			return "", errSpent
		}
		return string(s), m.tick()
	}
	for _, v := range itemsOf(args[1]) {
		k, err := key(v)
		if err != nil {
			return nil, err
		}
		known[k] = true
	}
	kept := []any{}
	for _, v := range itemsOf(args[0]) {
		k, err := key(v)
		if err != nil {
			return nil, err
		}
		if known[k] == has {
			kept = append(kept, v)
		}
	}
	return kept, nil
}
