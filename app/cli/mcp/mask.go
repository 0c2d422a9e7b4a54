package mcp

import (
	"cmp"
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// hidden stands for a value that may be a person's.
const hidden = "•••"

// An address of e-mail, a number that can be dialled or is an account, and an
// IP address are hidden wherever they stand.
var patterns = []*regexp.Regexp{
	regexp.MustCompile(`[\p{L}0-9._%+'-]+@[\p{L}0-9.-]+`),
	regexp.MustCompile(`\b[A-Z]{2}\d{2}(?: ?[0-9A-Z]{4}){3,7}(?: ?[0-9A-Z]{1,3})?\b`),
	regexp.MustCompile(`\b\d{1,3}(?:\.\d{1,3}){3}\b`),
	regexp.MustCompile(`(?:\+|\b00?)[\d ()/.-]{6,}\d`),
}

// personal are words in the names of fields whose values are a person's.
var personal = []string{
	"name", "mail", "phone", "tel", "mobile", "mobil", "handy", "fax", "address", "adresse", "street", "strasse", "straße", "city", "ort",
	"zip", "plz", "postal", "birth", "geburt", "iban", "bic", "card", "message", "nachricht", "comment", "kommentar", "note", "text",
	"title", "company", "firma", "ip", "user", "agent", "cookie", "referer", "password", "token", "secret", "url", "domain", "signature",
}

// payload are the keys of hookgate's own output below which what senders wrote
// stands under their own names.
var payload = map[string]bool{"data": true, "output": true, "body": true, "raw": true, "query": true, "headers": true}

// mask hides what may be personal in the output of a command: e-mail addresses
// and the like wherever they are, the values of fields whose names say so, and
// those values again wherever they stand. Words such as a status stay, which
// rules are about.
func mask(value any) any {
	m := masker{values: map[string]bool{}}
	value = m.any("", value, false)
	var pairs []string
	for _, text := range slices.SortedFunc(maps.Keys(m.values), func(a, b string) int { return len(b) - len(a) }) {
		pairs = append(pairs, text, hidden)
	}
	return replaceIn(value, strings.NewReplacer(pairs...))
}

// masker masks, and notes what it masked.
type masker struct{ values map[string]bool }

// leastRepeated is the length from which a masked value is looked for elsewhere:
// shorter ones are parts of other words.
const leastRepeated = 3

// hide is what stands in place of a value.
func (m masker) hide(text string) string {
	if len(text) >= leastRepeated {
		m.values[text] = true
	}
	return hidden
}

// any masks a value under a key; within says that it is a part of a payload.
func (m masker) any(key string, value any, within bool) any {
	switch v := value.(type) {
	case string:
		return m.text(key, v, within)
	case json.Number:
		if within && isPersonal(key) && len(v) >= leastRepeated {
			return m.hide(string(v))
		}
	case []any:
		for i := range v {
			v[i] = m.any(key, v[i], within)
		}
	case map[string]any:
		m.object(v, within)
	}
	return value
}

// about are the keys of what is said of one field, which another key names.
var about = map[string]bool{"value": true, "note": true, "examples": true, "values": true}

// object masks an object. Where it tells of a field, by its path or as a part
// of a condition, that field's name says what the values beside it are.
func (m masker) object(object map[string]any, within bool) {
	field := ""
	for _, key := range []string{"path", "text"} {
		if text, ok := object[key].(string); ok && !within {
			field = cmp.Or(field, lastField(text))
		}
	}
	for key, item := range object {
		if field != "" && about[key] {
			object[key] = m.any(field, item, true)
			continue
		}
		object[key] = m.any(key, item, within || payload[key])
	}
}

func (m masker) text(key, text string, within bool) string {
	switch {
	case text == "":
		return text
	case key == "summary": // a person or a company, and what changed
		who, change, ok := strings.Cut(text, " · ")
		if m.hide(who); ok {
			return hidden + " · " + change
		}
		return hidden
	case payload[key]:
		if masked, ok := m.inner(text); ok {
			return masked
		}
	case within && isPersonal(key):
		return m.hide(text)
	}
	for _, p := range patterns {
		text = p.ReplaceAllStringFunc(text, m.hide)
	}
	return text
}

// inner masks a text that is JSON itself.
func (m masker) inner(text string) (string, bool) {
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	var value any
	if decoder.Decode(&value) != nil {
		return "", false
	}
	masked, err := json.Marshal(m.any("", value, true))
	return string(masked), err == nil
}

// replaceIn replaces in every text of a value.
func replaceIn(value any, with *strings.Replacer) any {
	switch v := value.(type) {
	case string:
		return with.Replace(v)
	case []any:
		for i := range v {
			v[i] = replaceIn(v[i], with)
		}
	case map[string]any:
		for key := range v {
			v[key] = replaceIn(v[key], with)
		}
	}
	return value
}

var fieldName = regexp.MustCompile(`data(?:\??\.[\pL\d_]+|\[[^\]]*\])+`)

// lastField is the last name of the first path below data in a text.
func lastField(text string) string {
	path := fieldName.FindString(text)
	at := strings.LastIndexAny(path, ".[")
	return strings.Trim(path[at+1:], `"']`)
}

// isPersonal reports whether the name of a field says that its values are a
// person's. Names are compared by their words: eventType has no "ip".
func isPersonal(key string) bool {
	for _, word := range words(key) {
		for _, p := range personal {
			if word == p || len(p) > 3 && strings.HasSuffix(word, p) || len(p) > 3 && strings.HasPrefix(word, p) {
				return true
			}
		}
	}
	return false
}

// words splits a name at _ and -, and before capital letters.
func words(key string) []string {
	var out []string
	start := 0
	runes := []rune(key)
	cut := func(end int) {
		if end > start {
			out = append(out, strings.ToLower(string(runes[start:end])))
		}
	}
	for i, r := range runes {
		switch {
		case !unicode.IsLetter(r) && !unicode.IsDigit(r):
			cut(i)
			start = i + 1
		case unicode.IsUpper(r) && i > start && !unicode.IsUpper(runes[i-1]):
			cut(i)
			start = i
		}
	}
	cut(len(runes))
	return out
}
