package body

import (
	"bytes"
	"encoding/json"
)

// Field is one field of a form post. Names are as they were sent, brackets
// and all; a name may come more than once.
type Field struct {
	Name string
	// Value is a string. Of a JSON post it may also be nil, a bool, a
	// json.Number, a []any or a map[string]any. Of a file it is the file's name.
	Value any
	File  bool
}

// Fields reads a form post: form-encoded, multipart, or a JSON object. The
// fields come in the order in which they were sent; of a key that stands
// twice in a JSON object, both do. Its errors are *Error.
func Fields(in Input, lim Limits) ([]Field, error) {
	raw, err := unpack(in, lim)
	if err != nil {
		return nil, err
	}
	kind, params := mediaType(in.ContentType)
	if len(raw) == 0 {
		return nil, nil
	}
	var pairs []pair
	switch {
	case kind == jsonKind, (kind == textKind || kind == unsaid || kind == formKind) && startsWith(raw, "{"):
		return jsonFields(raw, params, lim)
	case kind == formKind:
		pairs, err = urlencoded(raw, params, lim)
	case kind == multipartKind:
		pairs, err = multipartPairs(raw, params, lim)
	default:
		fault := unsupported()
		fault.Hint = "send application/x-www-form-urlencoded, multipart/form-data or application/json"
		return nil, fault
	}
	if err != nil {
		return nil, err
	}
	fields := make([]Field, len(pairs))
	for i, p := range pairs {
		fields[i] = Field{Name: p.name, Value: string(p.value)}
		if p.file != nil {
			fields[i].Value, fields[i].File = p.file.name, true
		}
	}
	return fields, nil
}

func jsonFields(raw []byte, params map[string]string, lim Limits) ([]Field, error) {
	content, err := Content{Raw: raw}.json(params, lim)
	if err != nil {
		return nil, err
	}
	content.Doc.Release()
	if !startsWith(content.JSON, "{") {
		return nil, malformed("a form post in JSON must be an object", `send {"field": "value"}`)
	}
	decoder := json.NewDecoder(bytes.NewReader(content.JSON))
	decoder.UseNumber()
	if _, err := decoder.Token(); err != nil {
		return nil, unreadable(err)
	}
	var fields []Field
	for decoder.More() {
		if len(fields) >= lim.Keys {
			return nil, tooManyKeys(lim)
		}
		key, err := decoder.Token()
		if err != nil {
			return nil, unreadable(err)
		}
		name, _ := key.(string) // a key is a string: the text was parsed before
		field := Field{Name: name}
		if err := decoder.Decode(&field.Value); err != nil {
			return nil, unreadable(err)
		}
		fields = append(fields, field)
	}
	return fields, nil
}

// unreadable is for text that one parser took and the other did not.
func unreadable(err error) *Error {
	return malformed("invalid JSON: "+err.Error(), "")
}
