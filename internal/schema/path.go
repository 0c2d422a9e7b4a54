package schema

import (
	"errors"
	"strconv"
	"strings"
)

// Items is the step from a list to what stands in it.
const Items = "[]"

// Path is a way into data: keys, and Items for what stands in a list.
type Path []string

// String is the path as rules write it: data.website.domains[], data["1.3"].
func (p Path) String() string {
	var b strings.Builder
	b.WriteString("data")
	for _, step := range p {
		switch {
		case step == Items:
			b.WriteString(Items)
		case plain(step):
			b.WriteByte('.')
			b.WriteString(step)
		default:
			b.WriteByte('[')
			b.WriteString(strconv.Quote(step))
			b.WriteByte(']')
		}
	}
	return b.String()
}

// plain reports whether a key can stand behind a dot.
func plain(key string) bool {
	for i, c := range key {
		letter := c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return key != ""
}

// MarshalText implements encoding.TextMarshaler: it is String.
func (p Path) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

var errPath = errors.New("not a path such as data.website.domains[]")

// UnmarshalText reads what MarshalText wrote.
func (p *Path) UnmarshalText(text []byte) error {
	rest, ok := strings.CutPrefix(string(text), "data")
	if !ok {
		return errPath
	}
	*p = Path{}
	for rest != "" {
		switch {
		case strings.HasPrefix(rest, Items):
			*p, rest = append(*p, Items), rest[len(Items):]
		case rest[0] == '.':
			end := strings.IndexAny(rest[1:], ".[") + 1
			if end == 0 {
				end = len(rest)
			}
			*p, rest = append(*p, rest[1:end]), rest[end:]
		case strings.HasPrefix(rest, `["`):
			quoted, err := strconv.QuotedPrefix(rest[1:])
			if err != nil || !strings.HasPrefix(rest[1+len(quoted):], "]") {
				return errPath
			}
			key, err := strconv.Unquote(quoted)
			if err != nil {
				return errPath
			}
			*p, rest = append(*p, key), rest[len(quoted)+2:]
		default:
			return errPath
		}
	}
	return nil
}
