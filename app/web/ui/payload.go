package ui

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"hookgate/app/admin"
	"hookgate/internal/jsondoc"
	"hookgate/internal/schema"
	"hookgate/rules"
)

// payloadLine is a line of an event's data, with who reads what stands there.
type payloadLine struct {
	Number int
	Text   string
	Class  string
	By     string
	path   string // of what begins on the line; "": nothing does
}

// Marked reports whether a rule reads any of the lines.
func (p eventPage) Marked() bool {
	return slices.ContainsFunc(p.Lines, func(l payloadLine) bool { return l.By != "" })
}

// mostLines is how many lines are told with their readers: more is shown as text.
const mostLines = 3000

// payloadLines are the lines of an event's data, marked where today's rules read
// them; nil where there is no JSON, or too much of it.
func (v *view) payloadLines(d *admin.EventDetail, uses []rules.Use) []payloadLine {
	doc, err := jsondoc.Parse(d.Data)
	if err != nil {
		return nil
	}
	defer doc.Release()
	var w lineWriter
	w.value("", "", nil, doc.Root())
	if w.full() {
		return nil
	}
	readers := map[string][]rules.Use{}
	for _, use := range uses {
		readers[use.Path] = append(readers[use.Path], use)
	}
	for i := range w.lines {
		l := &w.lines[i]
		l.Number = i + 1
		if found := readers[l.path]; l.path != "" && len(found) > 0 {
			l.Class, l.By = "hi", v.readBy(found)
			if decided(d.Why, found) {
				l.Class, l.By = "er bad", l.By+"; "+v.T("this decided")
			}
		}
	}
	return w.lines
}

// readBy says who reads a value.
func (v *view) readBy(uses []rules.Use) string {
	var said []string
	for _, part := range []rules.UsePart{rules.InCondition, rules.InKey, rules.InOutput} {
		var names []string
		for _, use := range uses {
			name := use.Connection
			if part == rules.InCondition {
				name = use.Rule
			}
			if use.Part == part && !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
		if len(names) > 0 {
			said = append(said, v.usedBy(part, strings.Join(names, ", ")))
		}
	}
	return strings.Join(said, "; ")
}

// usedBy says what the part of a rule makes of a value.
func (v *view) usedBy(part rules.UsePart, names string) string {
	switch part {
	case rules.InKey:
		return v.T("the ordering key of %s", names)
	case rules.InOutput:
		return v.T("in what goes to %s", names)
	case rules.InCondition:
	}
	return v.T("read by %s", names)
}

// decided reports whether a rule missed the event by the one part that asks for the
// value.
func decided(traces []rules.Trace, uses []rules.Use) bool {
	for i := range traces {
		t := &traces[i]
		for _, use := range uses {
			if t.NearMiss != nil && use.Rule == t.Rule && use.Part == rules.InCondition && names(t.NearMiss.Text, use.Path) {
				return true
			}
		}
	}
	return false
}

var itemOfList = regexp.MustCompile(`\[\d+\]`)

// names reports whether an expression has the path in its text, and not one that is
// longer.
func names(expression, path string) bool {
	text := itemOfList.ReplaceAllString(strings.ReplaceAll(expression, "?.", "."), schema.Items)
	for {
		_, behind, found := strings.Cut(text, path)
		if !found {
			return false
		}
		if next, _ := utf8.DecodeRuneInString(behind); next != '_' && !unicode.IsLetter(next) && !unicode.IsDigit(next) {
			return true
		}
		text = behind
	}
}

// lineWriter writes JSON in lines, as json.Indent does.
type lineWriter struct{ lines []payloadLine }

// full reports that there are too many lines to show: what else there is is not read.
func (w *lineWriter) full() bool { return len(w.lines) > mostLines }

func (w *lineWriter) add(text, path string) {
	w.lines = append(w.lines, payloadLine{Text: text, path: path})
}

// value writes a value behind what stands before it on its line.
func (w *lineWriter) value(indent, before string, at schema.Path, v jsondoc.Value) {
	const deeper = "  "
	if w.full() {
		return
	}
	open, end := "{", "}"
	switch {
	case v.Kind() == jsondoc.List:
		open, end = "[", "]"
	case v.Kind() != jsondoc.Object:
		w.add(indent+before+string(v.Raw()), at.String())
		return
	}
	if v.Len() == 0 {
		w.add(indent+before+open+end, at.String())
		return
	}
	w.add(indent+before+open, at.String())
	for item := range v.Items() {
		w.value(indent+deeper, "", append(slices.Clone(at), schema.Items), item)
		w.comma()
	}
	for key, member := range v.Fields() {
		w.value(indent+deeper, string(jsondoc.AppendString(nil, key))+": ", append(slices.Clone(at), string(key)), member)
		w.comma()
	}
	w.lines[len(w.lines)-1].Text = strings.TrimSuffix(w.lines[len(w.lines)-1].Text, ",")
	w.add(indent+end, "")
}

// comma ends the line of what another follows.
func (w *lineWriter) comma() {
	if !w.full() {
		w.lines[len(w.lines)-1].Text += ","
	}
}
