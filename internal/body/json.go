package body

import (
	"bytes"
	"fmt"
	"net/http"
	"unicode/utf8"
)

// jsonText is the body as UTF-8 text that may be JSON and is not too much.
func jsonText(raw []byte, params map[string]string, lim Limits) ([]byte, error) {
	text, err := toUTF8(raw, params["charset"])
	if err != nil {
		return nil, err
	}
	if !utf8.Valid(text) {
		return nil, notUTF8(text)
	}
	// There are no more values than this, commas and brackets inside texts and
	// all. How deep they nest, jsondoc.Parse looks after.
	most := 1 + bytes.Count(text, []byte(",")) + bytes.Count(text, []byte("{")) + bytes.Count(text, []byte("["))
	if most > lim.Values && countValues(text) > lim.Values {
		return nil, tooMany(lim.Values, fmt.Sprintf("the JSON text has more than %d values", lim.Values))
	}
	return text, nil
}

// countValues counts the values of a JSON text, at most one too many for every
// list and object. Of a text with a fault it counts at least what stands
// before the fault.
func countValues(text []byte) int {
	values, inText := 1, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case inText && c == '\\':
			i++
		case c == '"':
			inText = !inText
		case inText:
		case c == ',', c == '[', c == '{':
			values++
		}
	}
	return values
}

func notUTF8(text []byte) *Error {
	at := 0
	for at < len(text) {
		r, size := utf8.DecodeRune(text[at:])
		if r == utf8.RuneError && size <= 1 {
			break
		}
		at += size
	}
	return jsonError(text, at, fmt.Sprintf("the byte 0x%02X is not UTF-8", text[at]),
		"send UTF-8, or name the charset in the Content-Type, such as charset=iso-8859-1")
}

// jsonError places a fault at a byte of text.
func jsonError(text []byte, at int, message, hint string) *Error {
	line, column := position(text, at)
	return &Error{
		Status: http.StatusBadRequest, Line: line, Column: column, Hint: hint,
		Message: fmt.Sprintf("invalid JSON at line %d, column %d: %s", line, column, message),
	}
}

// position gives line and column, both from 1, the column in characters.
func position(text []byte, at int) (line, column int) {
	before := text[:min(at, len(text))]
	start := bytes.LastIndexByte(before, '\n') + 1
	return bytes.Count(before, []byte("\n")) + 1, utf8.RuneCount(before[start:]) + 1
}
