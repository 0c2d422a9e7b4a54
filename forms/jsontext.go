package forms

import (
	"bytes"
	"encoding/json"
	"strconv"
)

// appendJSON writes a value that was decoded from JSON or is a text; a value
// that JSON cannot hold (there is none in a body) becomes null.
func appendJSON(dst []byte, value any) []byte {
	switch v := value.(type) {
	case nil:
		return append(dst, "null"...)
	case bool:
		return strconv.AppendBool(dst, v)
	case json.Number:
		if v != "" {
			return append(dst, v...)
		}
	case []any:
		dst = append(dst, '[')
		for i, item := range v {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendJSON(dst, item)
		}
		return append(dst, ']')
	}
	var buf bytes.Buffer
	encoder := json.NewEncoder(&buf)
	encoder.SetEscapeHTML(false) // the text stays as short and readable as it was typed
	if err := encoder.Encode(value); err != nil {
		return append(dst, "null"...)
	}
	return append(dst, bytes.TrimSuffix(buf.Bytes(), []byte("\n"))...)
}

// plain is a posted value as text: what a text field makes of a JSON number.
func plain(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case string:
		return v
	default:
		return string(appendJSON(nil, v))
	}
}

func decimal(n int) string { return strconv.Itoa(n) }
