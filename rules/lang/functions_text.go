package lang

import (
	"crypto/md5" //nolint:gosec // receivers ask for it as a name of records, not as protection
	"crypto/sha256"
	"encoding/hex"
	"math"
	"net/url"
	"reflect"
	"strings"
	"unicode/utf8"
)

// texts reads the first n arguments of name as texts.
func texts(name string, args []any, n int) ([]string, error) {
	list := make([]string, n)
	for i := range list {
		text, ok := args[i].(string)
		if !ok {
			return nil, limitf("%s needs a text, but got %s", name, kindOf(args[i]))
		}
		list[i] = text
	}
	return list, nil
}

// count reads an optional integer argument.
func count(name string, args []any, i, otherwise int) (int, error) {
	if len(args) <= i {
		return otherwise, nil
	}
	n, ok := args[i].(int)
	if !ok {
		return 0, limitf("%s needs an integer, but got %s", name, kindOf(args[i]))
	}
	return n, nil
}

func repeat(m *meter, args []any) (any, error) {
	text, err := texts("repeat", args, 1)
	if err != nil {
		return nil, err
	}
	n, err := count("repeat", args, 1, 0)
	if err != nil {
		return nil, err
	}
	if n < 0 {
		return nil, limitf("repeat needs a number of times, not %d", n)
	}
	if n > maxText || len(text[0])*n > maxText {
		return nil, m.room("repeat", maxText+1)
	}
	result := strings.Repeat(text[0], n)
	return result, m.charge(result)
}

func replace(m *meter, args []any) (any, error) {
	text, err := texts("replace", args, 3)
	if err != nil {
		return nil, err
	}
	n, err := count("replace", args, 3, -1)
	if err != nil {
		return nil, err
	}
	found := strings.Count(text[0], text[1])
	if n >= 0 {
		found = min(found, n)
	}
	if err := m.room("replace", len(text[0])+found*(len(text[2])-len(text[1]))); err != nil {
		return nil, err
	}
	result := strings.Replace(text[0], text[1], text[2], n)
	return result, m.charge(result)
}

func join(m *meter, args []any) (any, error) {
	glue := ""
	if len(args) > 1 {
		text, err := texts("join", args[1:], 1)
		if err != nil {
			return nil, err
		}
		glue = text[0]
	}
	var list []string
	switch x := args[0].(type) {
	case []string:
		list = x
	case []any:
		if err := short(x, maxItems); err != nil {
			return nil, err
		}
		var err error
		if list, err = texts("join", x, len(x)); err != nil {
			return nil, limitf("%s; join_text takes any values", err)
		}
	default:
		return nil, limitf("join needs a list, but got %s", kindOf(args[0]))
	}
	size := len(glue) * len(list)
	for _, part := range list {
		size += len(part)
	}
	if err := m.room("join", size); err != nil {
		return nil, err
	}
	result := strings.Join(list, glue)
	return result, m.charge(result)
}

// split is split and splitAfter, which are told apart by a leading argument.
func split(m *meter, args []any) (any, error) {
	after, ok := args[0].(bool)
	if !ok {
		return nil, limitf("split cannot be called here")
	}
	args = args[1:]
	text, err := texts("split", args, 2)
	if err != nil {
		return nil, err
	}
	n, err := count("split", args, 2, -1)
	if err != nil {
		return nil, err
	}
	found := strings.Count(text[0], text[1])
	if text[1] == "" {
		found = utf8.RuneCountInString(text[0])
	}
	if n < 0 && found >= maxItems {
		return nil, limitf("split would make a list of more than %d items", maxItems)
	}
	if n >= maxItems {
		return nil, limitf("split into %d is too many: %d is the most", n, maxItems-1)
	}
	cut := strings.SplitN
	if after {
		cut = strings.SplitAfterN
	}
	list := cut(text[0], text[1], n)
	return list, m.charge(list)
}

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

func md5Hex(text string) string {
	sum := md5.Sum([]byte(text)) //nolint:gosec // as above
	return hex.EncodeToString(sum[:])
}

func sha256Hex(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// digest is a text's digest in lower-case hexadecimal digits.
func digest(name string, args []any, of func(string) string) (any, error) {
	if len(args) != 1 {
		return nil, limitf("%s needs one text", name)
	}
	text, err := texts(name, args, 1)
	if err != nil {
		return nil, err
	}
	return of(text[0]), nil
}

// urlencode writes a text as a value of a URL's query.
func urlencode(m *meter, args []any) (any, error) {
	if len(args) != 1 {
		return nil, limitf("urlencode needs one text")
	}
	text, err := texts("urlencode", args, 1)
	if err != nil {
		return nil, err
	}
	const longest = 3 // characters for a byte
	if err := m.room("urlencode", longest*len(text[0])); err != nil {
		return nil, err
	}
	encoded := url.QueryEscape(text[0])
	return encoded, m.charge(encoded)
}
