package lang

import (
	"cmp"
	"errors"
	"fmt"
	"html"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"hookgate/internal/jsondoc"
)

// fieldsFunction is fields(x) and fields(x, "html"): all that x holds, for
// people to read. Empty values are left out; where x is data itself, its keys
// keep the order in which they came.
func fieldsFunction(m *meter, args []any) (any, error) {
	form := "text"
	if len(args) == 0 || len(args) > 2 {
		return nil, limitf(`one value is needed, and "html" if it should be a table`)
	}
	if len(args) > 1 {
		form, _ = args[1].(string)
	}
	if form != "text" && form != "html" {
		return nil, limitf(`the form is "text" or "html"`)
	}
	t := &table{meter: m, words: m.place.words[m.source]}
	if err := t.add("", "", args[0], m.orderOf(args[0])); err != nil {
		return nil, err
	}
	result := t.text()
	if form == "html" {
		result = t.html()
	}
	if err := m.room("fields", len(result)); err != nil {
		return nil, err
	}
	return result, m.charge(result)
}

// orderOf is the JSON that v was decoded from, if that is the whole body.
func (m *meter) orderOf(v any) jsondoc.Value {
	object, ok := v.(map[string]any)
	if !ok || m.doc.Root().Kind() != jsondoc.Object {
		return jsondoc.Value{}
	}
	for _, key := range orderedKeys(m.doc.Root()) {
		if _, found := object[key]; !found {
			return jsondoc.Value{}
		}
	}
	return m.doc.Root()
}

// orderedKeys are the keys of an object, in its order.
func orderedKeys(v jsondoc.Value) []string {
	var list []string
	for key := range v.Fields() {
		list = append(list, jsondoc.ValidText(string(key)))
	}
	return list
}

// table are names and values for people.
type table struct {
	meter *meter
	words Words
	rows  []row
	size  int
}

type row struct{ name, value string }

// add adds what stands under name, at a path of Words. ref is the JSON that it
// came from; none: it is not known, and keys are sorted.
func (t *table) add(name, path string, v any, ref jsondoc.Value) error {
	if err := t.meter.tick(); err != nil {
		return err
	}
	switch x := v.(type) {
	case map[string]any:
		return t.object(name, path, x, ref)
	case []any:
		if plainList(x) {
			text, err := t.joined(x)
			if err != nil {
				return err
			}
			return t.row(name, text)
		}
		for i, item := range x {
			if err := t.add(under(name, fmt.Sprint(i+1)), path+".", item, jsondoc.Value{}); err != nil {
				return err
			}
		}
		return nil
	}
	return t.row(name, t.valueText(v))
}

// object adds what the members of x are, or x as a file.
func (t *table) object(name, path string, x map[string]any, ref jsondoc.Value) error {
	if text, isFile := fileText(x); isFile {
		return t.row(name, text)
	}
	for _, key := range t.keys(x, ref) {
		at := key
		if path != "" {
			at = path + "." + key
		}
		label := cmp.Or(t.words.Labels[at], humanKey(key))
		if err := t.add(under(name, label), at, x[key], ref.Member(key)); err != nil {
			return err
		}
	}
	return nil
}

func (t *table) row(name, value string) error {
	if strings.TrimSpace(value) == "" {
		return nil
	}
	t.rows = append(t.rows, row{name, value})
	t.size += len(name) + len(value)
	return t.meter.room("fields", t.size)
}

// keys are those of object in ref's order, and what ref lacks behind it.
func (t *table) keys(object map[string]any, ref jsondoc.Value) []string {
	var list []string
	for _, key := range orderedKeys(ref) {
		if _, found := object[key]; found && !slices.Contains(list, key) {
			list = append(list, key)
		}
	}
	if len(list) == len(object) {
		return list
	}
	return slices.Sorted(maps.Keys(object))
}

// fileText is how a form's file is shown.
func fileText(object map[string]any) (string, bool) {
	name, isName := object["name"].(string)
	size, isSize := object["size"].(int)
	_, isFile := object["sha256"].(string)
	if !isName || !isSize || !isFile {
		return "", false
	}
	const kilo = 1024
	switch {
	case size >= kilo*kilo:
		return fmt.Sprintf("%s (%.1f MB)", name, float64(size)/kilo/kilo), true
	case size >= kilo:
		return fmt.Sprintf("%s (%d KB)", name, size/kilo), true
	}
	return fmt.Sprintf("%s (%d bytes)", name, size), true
}

// plainList reports whether all of a list fits in one line.
func plainList(list []any) bool {
	return !slices.ContainsFunc(list, func(v any) bool {
		switch x := v.(type) {
		case map[string]any:
			_, isFile := fileText(x)
			return !isFile
		case []any:
			return true
		}
		return false
	})
}

// joined is all of a list in one line.
func (t *table) joined(list []any) (string, error) {
	var texts []string
	size := 0
	for _, v := range list {
		text := t.valueText(v)
		if object, ok := v.(map[string]any); ok {
			text, _ = fileText(object)
		}
		if text != "" {
			texts = append(texts, text)
		}
		if size += len(text); size > maxText {
			return "", t.meter.room("fields", size)
		}
	}
	return strings.Join(texts, ", "), nil
}

func (t *table) valueText(v any) string {
	switch x := v.(type) {
	case nil:
		return ""
	case bool:
		if x {
			return cmp.Or(t.words.Yes, "yes")
		}
		return cmp.Or(t.words.No, "no")
	}
	text, err := textOf(v, maxText)
	if err != nil && !errors.Is(err, ErrTooLarge) { // what is too large, row refuses
		return ""
	}
	return text
}

func under(name, key string) string {
	if name == "" {
		return key
	}
	return name + " / " + key
}

// humanKey makes a name for people from a key: first_name is First name.
func humanKey(key string) string {
	spaced := strings.TrimSpace(strings.Map(func(r rune) rune {
		if r == '_' || r == '-' || unicode.IsControl(r) {
			return ' '
		}
		return r
	}, key))
	first, size := utf8.DecodeRuneInString(spaced)
	if size == 0 {
		return key
	}
	return string(unicode.ToUpper(first)) + spaced[size:]
}

// text has a line for each row, the values under each other where the names
// are short enough; a value of several lines stands below its name.
func (t *table) text() string {
	const most = 24
	width := 0
	for _, r := range t.rows {
		if n := utf8.RuneCountInString(r.name); n <= most {
			width = max(width, n)
		}
	}
	var b strings.Builder
	for _, r := range t.rows {
		value := strings.TrimSpace(strings.ReplaceAll(r.value, "\r\n", "\n"))
		switch {
		case r.name == "":
			b.WriteString(value + "\n")
		case strings.Contains(value, "\n"):
			b.WriteString(r.name + ":\n    " + strings.ReplaceAll(value, "\n", "\n    ") + "\n")
		default:
			gap := max(0, width-utf8.RuneCountInString(r.name))
			b.WriteString(r.name + ":" + strings.Repeat(" ", gap+1) + value + "\n")
		}
	}
	return strings.TrimRight(b.String(), "\n")
}

// html is a table of two columns, with styles where mail programs look for them.
func (t *table) html() string {
	var b strings.Builder
	b.WriteString(`<table style="border-collapse:collapse;font-family:sans-serif">`)
	for _, r := range t.rows {
		value := html.EscapeString(strings.TrimSpace(strings.ReplaceAll(r.value, "\r\n", "\n")))
		b.WriteString(`<tr><th style="text-align:left;vertical-align:top;padding:4px 16px 4px 0">` + html.EscapeString(r.name) +
			`</th><td style="padding:4px 0">` + strings.ReplaceAll(value, "\n", "<br>") + `</td></tr>`)
	}
	b.WriteString(`</table>`)
	return b.String()
}
