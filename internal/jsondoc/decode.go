package jsondoc

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Decode makes plain Go data that does not share memory with the Doc, as
// Doc.Value has it.
func Decode(v Value) any {
	switch v.Kind() {
	case String:
		return ValidText(string(v.Text()))
	case Number:
		return decodeNumber(v)
	case True:
		return true
	case False:
		return false
	case List:
		list := make([]any, 0, v.Len())
		for item := range v.Items() {
			list = append(list, Decode(item))
		}
		return list
	case Object:
		fields := make(map[string]any, v.Len())
		for key, item := range v.Fields() {
			fields[ValidText(string(key))] = Decode(item)
		}
		return fields
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

// decodeNumber keeps a number as it is written: int and float64 where they are
// written so by us too, else its characters.
func decodeNumber(v Value) any {
	raw := v.Raw()
	if n, ok := Integer(v); ok && raw[0] != '-' || n < 0 {
		return int(n)
	}
	if f, ok := float(string(raw)); ok {
		var own [32]byte
		if string(AppendFloat(own[:0], f)) == string(raw) {
			return f
		}
	}
	return json.Number(raw)
}

// Integer is the value of a number that is written as an integer and is in the
// range of int64.
func Integer(v Value) (int64, bool) {
	if v.Kind() != Number {
		return 0, false
	}
	n, err := strconv.ParseInt(string(v.Raw()), 10, 64)
	return n, err == nil
}

// float is the number where a float64 can hold it: it is not too large, and is
// 0 only where it is written as 0.
func float(raw string) (float64, bool) {
	if !strings.ContainsAny(raw, ".eE") {
		return 0, false
	}
	f, err := strconv.ParseFloat(raw, 64)
	if err != nil || math.IsInf(f, 0) {
		return 0, false
	}
	mantissa, _, _ := strings.Cut(strings.ToLower(raw), "e")
	return f, f != 0 || !strings.ContainsAny(mantissa, "123456789")
}

// Compute makes numbers to compute with of those that v, plain data, keeps as
// they are written: int and float64. What neither can hold stays as it is. v is
// not changed: what differs is copied.
func Compute(v any) any {
	switch x := v.(type) {
	case json.Number:
		if n, err := strconv.Atoi(string(x)); err == nil {
			return n
		}
		if f, ok := float(string(x)); ok {
			return f
		}
	case []any:
		return computeList(x)
	case map[string]any:
		return computeObject(x)
	case map[any][]any: // of groupBy
		return computeGroups(x)
	}
	return v
}

// spelled reports whether there is a number in v that Compute changes, or may.
func spelled(v any) bool {
	switch x := v.(type) {
	case json.Number:
		return true
	case []any:
		return slices.ContainsFunc(x, spelled)
	case map[string]any:
		for _, item := range x {
			if spelled(item) {
				return true
			}
		}
	}
	return false
}

func computeList(list []any) any {
	at := slices.IndexFunc(list, spelled)
	if at < 0 {
		return list
	}
	out := slices.Clone(list)
	for i := at; i < len(out); i++ {
		out[i] = Compute(out[i])
	}
	return out
}

func computeObject(object map[string]any) any {
	if !spelled(object) {
		return object
	}
	out := make(map[string]any, len(object))
	for key, item := range object {
		out[key] = Compute(item)
	}
	return out
}

func computeGroups(groups map[any][]any) any {
	out := make(map[any][]any, len(groups))
	for key, list := range groups {
		out[key], _ = computeList(list).([]any)
	}
	return out
}
