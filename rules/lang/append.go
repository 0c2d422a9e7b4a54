package lang

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"hookgate/internal/jsondoc"
)

// MaxOutput bounds, in bytes, what one action sends: a text with quotes is
// longer in JSON than it came, and a value can be passed on several times.
const MaxOutput = 16 << 20

// ErrTooLarge is in the chain of an error about more than that.
var ErrTooLarge = fmt.Errorf("what is sent would be larger than %d MB", MaxOutput>>20)

// appendJSON appends v, plain data as expressions make it, as JSON. Object
// keys are sorted; < > & stay as they are; invalid UTF-8 becomes U+FFFD. It
// ends with ErrTooLarge soon after dst is longer than most.
func appendJSON(dst []byte, v any, most int) ([]byte, error) {
	w := writer{dst: dst, most: most}
	err := w.value(v)
	return w.dst, err
}

// writer writes values as JSON.
type writer struct {
	dst    []byte
	most   int                 // bytes of dst; more is ErrTooLarge
	escape func(string) string // of every text for people, but for keys; nil: none
}

// value writes v. A few names of a large value make a list of any size, so the
// bound is checked behind each value.
func (w *writer) value(v any) error {
	err := w.plain(v)
	if err == nil && len(w.dst) > w.most {
		err = ErrTooLarge
	}
	return err
}

func (w *writer) plain(v any) error {
	switch x := v.(type) {
	case nil:
		w.dst = append(w.dst, "null"...)
	case string:
		w.text(x)
	case bool:
		w.dst = strconv.AppendBool(w.dst, x)
	case int:
		w.dst = strconv.AppendInt(w.dst, int64(x), 10)
	case float64:
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return fmt.Errorf("%v is not a number that JSON can hold", x)
		}
		w.dst = jsondoc.AppendFloat(w.dst, x)
	case json.Number:
		w.dst = append(w.dst, x...)
	case byte:
		w.dst = append(w.dst, "null"...)
		return errByte
	case []any:
		return w.list(x)
	case map[string]any:
		return w.object(x)
	case time.Time:
		w.dst = jsondoc.AppendString(w.dst, x.Format(time.RFC3339Nano))
	case fmt.Stringer: // a duration, weekday, month or time zone
		w.dst = jsondoc.AppendString(w.dst, x.String())
	default:
		return w.other(v)
	}
	return nil
}

func (w *writer) text(text string) {
	if w.escape != nil {
		text = w.escape(text)
	}
	w.dst = jsondoc.AppendString(w.dst, text)
}

func (w *writer) list(list []any) error {
	w.dst = append(w.dst, '[')
	for i, item := range list {
		if i > 0 {
			w.dst = append(w.dst, ',')
		}
		if err := w.value(item); err != nil {
			return err
		}
	}
	w.dst = append(w.dst, ']')
	return nil
}

func (w *writer) object(object map[string]any) error {
	w.dst = append(w.dst, '{')
	for i, key := range slices.Sorted(maps.Keys(object)) {
		if i > 0 {
			w.dst = append(w.dst, ',')
		}
		w.dst = append(jsondoc.AppendString(w.dst, key), ':')
		if text, isText := object[key].(string); isText && forPrograms(key) {
			w.dst = jsondoc.AppendString(w.dst, text)
			continue
		}
		if err := w.value(object[key]); err != nil {
			return err
		}
	}
	w.dst = append(w.dst, '}')
	return nil
}

// forPrograms tells by the name of a key that people do not read the text there:
// an address, an ID, a colour or a time, in which an escape would be an error.
func forPrograms(key string) bool {
	key = strings.ToLower(key)
	return slices.ContainsFunc([]string{"url", "link", "color", "_id", "_icon", "timestamp"}, func(end string) bool {
		return strings.HasSuffix(key, end)
	})
}

// other writes the other types that expr's functions return: lists of texts or
// numbers, groups under keys of any type, small integers, bytes.
func (w *writer) other(v any) error {
	r := reflect.ValueOf(v)
	switch {
	case r.Kind() == reflect.Slice && r.Type().Elem().Kind() == reflect.Uint8:
		w.text(string(r.Bytes()))
	case r.Kind() == reflect.Slice:
		list := make([]any, r.Len())
		for i := range list {
			list[i] = r.Index(i).Interface()
		}
		return w.list(list)
	case r.Kind() == reflect.Map:
		object := make(map[string]any, r.Len())
		for _, key := range r.MapKeys() {
			text, err := textOf(key.Interface(), w.most)
			if err != nil {
				return err
			}
			object[text] = r.MapIndex(key).Interface()
		}
		return w.object(object)
	case r.CanInt():
		w.dst = strconv.AppendInt(w.dst, r.Int(), 10)
	case r.CanUint():
		w.dst = strconv.AppendUint(w.dst, r.Uint(), 10)
	default:
		w.dst = append(w.dst, "null"...)
		return fmt.Errorf("%s is not a value", kindOf(v))
	}
	return nil
}

// textOf is v as text: "" for nil, numbers without exponent, lists and
// objects as JSON of at most most bytes; more is ErrTooLarge.
func textOf(v any, most int) (string, error) {
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
	text, err := appendJSON(nil, v, most)
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
