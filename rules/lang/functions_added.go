package lang

import (
	"crypto/md5" //nolint:gosec // receivers ask for it as a name of records, not as protection
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"net/url"
)

// added are the functions that expr does not have.
var added = map[string]func(m *meter, args []any) (any, error){
	"md5":       func(_ *meter, args []any) (any, error) { return digest("md5", args, md5Hex) },
	"sha256":    func(_ *meter, args []any) (any, error) { return digest("sha256", args, sha256Hex) },
	"urlencode": urlencode,
	"merge":     merge,
	"fields":    fieldsFunction,
	"file_url":  fileURL,
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

// merge makes one object of several; of a key that stands in two the later
// one counts. null is an empty object.
func merge(m *meter, args []any) (any, error) {
	all := map[string]any{}
	for _, arg := range args {
		switch x := arg.(type) {
		case nil:
		case map[string]any:
			maps.Copy(all, x)
		default:
			return nil, limitf("merge needs objects, but got %s", kindOf(arg))
		}
	}
	return all, m.charge(all)
}
