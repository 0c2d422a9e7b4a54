package lang

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"time"

	"hookgate/internal/jsondoc"
)

// appendJSON appends v, plain data as expressions make it, as JSON. Object
// keys are sorted; < > & stay as they are; invalid UTF-8 becomes U+FFFD.
func appendJSON(dst []byte, v any) ([]byte, error) {
	switch x := v.(type) {
	case nil:
		return append(dst, "null"...), nil
	case string:
		return jsondoc.AppendString(dst, x), nil
	case bool:
		return strconv.AppendBool(dst, x), nil
	case int:
		return strconv.AppendInt(dst, int64(x), 10), nil
	case float64:
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return dst, fmt.Errorf("%v is not a number that JSON can hold", x)
		}
		return jsondoc.AppendFloat(dst, x), nil
	case json.Number:
		return append(dst, x...), nil
	case byte:
		return append(dst, "null"...), errByte
	case []any:
		return appendList(dst, x)
	case map[string]any:
		return appendObject(dst, x)
	case time.Time:
		return jsondoc.AppendString(dst, x.Format(time.RFC3339Nano)), nil
	case fmt.Stringer: // a duration, weekday, month or time zone
		return jsondoc.AppendString(dst, x.String()), nil
	}
	return appendOther(dst, v)
}

func appendList(dst []byte, list []any) ([]byte, error) {
	var err error
	dst = append(dst, '[')
	for i, item := range list {
		if i > 0 {
			dst = append(dst, ',')
		}
		if dst, err = appendJSON(dst, item); err != nil {
			return dst, err
		}
	}
	return append(dst, ']'), nil
}

func appendObject(dst []byte, object map[string]any) ([]byte, error) {
	var err error
	dst = append(dst, '{')
	for i, key := range slices.Sorted(maps.Keys(object)) {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(jsondoc.AppendString(dst, key), ':')
		if dst, err = appendJSON(dst, object[key]); err != nil {
			return dst, err
		}
	}
	return append(dst, '}'), nil
}

// appendOther appends the other types that expr's functions return: lists of
// texts or numbers, groups under keys of any type, small integers, bytes.
func appendOther(dst []byte, v any) ([]byte, error) {
	r := reflect.ValueOf(v)
	switch {
	case r.Kind() == reflect.Slice && r.Type().Elem().Kind() == reflect.Uint8:
		return jsondoc.AppendString(dst, string(r.Bytes())), nil
	case r.Kind() == reflect.Slice:
		list := make([]any, r.Len())
		for i := range list {
			list[i] = r.Index(i).Interface()
		}
		return appendList(dst, list)
	case r.Kind() == reflect.Map:
		object := make(map[string]any, r.Len())
		for _, key := range r.MapKeys() {
			text, err := textOf(key.Interface())
			if err != nil {
				return dst, err
			}
			object[text] = r.MapIndex(key).Interface()
		}
		return appendObject(dst, object)
	case r.CanInt():
		return strconv.AppendInt(dst, r.Int(), 10), nil
	case r.CanUint():
		return strconv.AppendUint(dst, r.Uint(), 10), nil
	}
	return append(dst, "null"...), fmt.Errorf("%s is not a value", kindOf(v))
}

// textOf is v as text: "" for nil, numbers without exponent, lists and
// objects as JSON.
func textOf(v any) (string, error) {
	switch x := v.(type) {
	case nil:
		return "", nil
	case string:
		return x, nil
	case int:
		return strconv.Itoa(x), nil
	case []byte:
		return string(x), nil
	case time.Time:
		return x.Format(time.RFC3339Nano), nil
	case fmt.Stringer:
		return x.String(), nil
	}
	text, err := appendJSON(nil, v)
	return string(text), err
}

// kindOf is what people call v's type: "text", "number", "null" and so on.
func kindOf(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case string:
		return "text"
	case bool:
		return "true or false"
	case int, float64, json.Number:
		return "number"
	case []any, []string, []int, []float64:
		return "list"
	case map[string]any, map[any][]any:
		return "object"
	case time.Time:
		return "date"
	case time.Duration:
		return "duration"
	}
	return kindOfType(fmt.Sprintf("%T", v))
}

// kindOfType translates a Go type name, as expr's messages have them.
func kindOfType(name string) string {
	switch name {
	case "<nil>", "nil":
		return "null"
	case "string":
		return "text"
	case "bool":
		return "true or false"
	case "int", "float64", "json.Number", "uint8", "int64":
		return "number"
	case "[]interface {}", "[]string", "[]int", "[]any", "[]float64", "array":
		return "list"
	case "map[string]interface {}", "map[interface {}][]interface {}", "map[string]any", "map":
		return "object"
	case "time.Time":
		return "date"
	case "time.Duration":
		return "duration"
	}
	return "function"
}
