package jsondoc

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/valyala/fastjson"
)

// Member is the value under key in an object, nil when there is none. The last
// of several counts, so fastjson's own Get, which takes the first, won't do.
func Member(object *fastjson.Value, key string) *fastjson.Value {
	o, err := object.Object()
	if err != nil {
		return nil
	}
	var found *fastjson.Value
	o.Visit(func(k []byte, v *fastjson.Value) {
		if string(k) == key {
			found = v
		}
	})
	return found
}

// Decode makes plain Go data that does not share memory with the parser.
func Decode(v *fastjson.Value) any {
	if v == nil {
		return nil
	}
	switch v.Type() {
	case fastjson.TypeString:
		text, err := v.StringBytes()
		if err != nil {
			return nil
		}
		return ValidText(string(text))
	case fastjson.TypeNumber:
		return decodeNumber(v)
	case fastjson.TypeTrue:
		return true
	case fastjson.TypeFalse:
		return false
	case fastjson.TypeArray:
		return decodeList(v)
	case fastjson.TypeObject:
		return decodeObject(v)
	default:
		return nil
	}
}

// ValidText has U+FFFD for every byte that is no UTF-8, as encoding/json reads it.
func ValidText(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return string([]rune(s))
}

func decodeList(v *fastjson.Value) any {
	items, err := v.Array()
	if err != nil {
		return nil
	}
	list := make([]any, len(items))
	for i, item := range items {
		list[i] = Decode(item)
	}
	return list
}

func decodeObject(v *fastjson.Value) any {
	o, err := v.Object()
	if err != nil {
		return nil
	}
	fields := make(map[string]any, o.Len())
	o.Visit(func(k []byte, v *fastjson.Value) {
		fields[ValidText(string(k))] = Decode(v)
	})
	return fields
}

// decodeNumber keeps what is written as an integer exact: int where it fits,
// else its digits.
func decodeNumber(v *fastjson.Value) any {
	if n, ok := Integer(v); ok {
		return int(n)
	}
	raw := string(v.MarshalTo(nil))
	if strings.ContainsAny(raw, ".eE") {
		if f, err := strconv.ParseFloat(raw, 64); err == nil && !math.IsInf(f, 0) {
			return f
		}
	}
	return json.Number(raw)
}

// Integer is the value of a number that is written as an integer and is in the
// range of int64. fastjson makes a costly error of any other number, so that is
// asked only where neither of the quick readings tells: a kind of zero.
func Integer(v *fastjson.Value) (int64, bool) {
	if n := v.GetInt64(); n != 0 {
		return n, true
	}
	if v.GetFloat64() != 0 {
		return 0, false
	}
	n, err := v.Int64()
	return n, err == nil
}
