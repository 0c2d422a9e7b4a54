package lang

import (
	"math"
	"reflect"
	"strings"
	"unicode/utf8"
)

// slice is x[from:to] of a text or a list. Of a text it counts characters, as
// len does: expr counts bytes, and would cut an ä in two.
func slice(m *meter, args []any) (any, error) {
	from, okFrom := orBound(args[1], 0)
	to, okTo := orBound(args[2], math.MaxInt)
	if !okFrom || !okTo {
		return nil, limitf("a part goes from one whole number to another: x[0:10]")
	}
	if text, isText := args[0].(string); isText {
		out := sliceText(text, from, to)
		return out, m.charge(out)
	}
	list := reflect.ValueOf(args[0])
	if !list.IsValid() || list.Kind() != reflect.Slice {
		return nil, limitf("only a text or a list has parts, not %s", kindOf(args[0]))
	}
	from, to = within(from, to, list.Len())
	return list.Slice3(from, to, to).Interface(), m.clock()
}

func sliceText(text string, from, to int) string {
	if from < 0 || to < 0 {
		from, to = within(from, to, utf8.RuneCountInString(text))
	}
	if to <= from {
		return ""
	}
	text = text[offset(text, from):]
	return text[:offset(text, to-from)]
}

// orBound is one end of a part, otherwise where it is left out.
func orBound(arg any, otherwise int) (int, bool) {
	if arg == nil {
		return otherwise, true
	}
	n, ok := arg.(int)
	return n, ok
}

// within turns ends that count from the end into those that do not, and keeps
// both inside.
func within(from, to, length int) (int, int) {
	if from < 0 {
		from += length
	}
	if to < 0 {
		to += length
	}
	to = min(max(to, 0), length)
	return min(max(from, 0), to), to
}

// offset is the byte at which the n-th character of text starts.
func offset(text string, n int) int {
	if n == 0 {
		return 0
	}
	for i := range text {
		if n == 0 {
			return i
		}
		n--
	}
	return len(text)
}

// indexOf is where a text has another first, in characters; -1: nowhere.
func indexOf(m *meter, args []any) (any, error) { return index(m, "indexOf", strings.Index, args) }

// lastIndexOf is where it has it last.
func lastIndexOf(m *meter, args []any) (any, error) {
	return index(m, "lastIndexOf", strings.LastIndex, args)
}

func index(m *meter, name string, find func(text, part string) int, args []any) (any, error) {
	given, err := texts(name, args, 2)
	if err != nil {
		return nil, err
	}
	at := find(given[0], given[1])
	if at > 0 {
		at = utf8.RuneCountInString(given[0][:at])
	}
	return at, m.clock()
}
