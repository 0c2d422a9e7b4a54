package config

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"

	"hookgate/internal/diag"
	"hookgate/internal/yamlnode"
	"hookgate/rules"
)

// RuleText is the section rules as it is kept with the events that it judged, a
// part for each file that has one, in the order in which their rules are read. It
// holds nothing of the other sections, and so no secret of the environment.
type RuleText []RulePart

// RulePart is the section rules of one file.
type RulePart struct {
	File string // the path of the file
	Line int    // of its first line in the file, from 1
	Text string
	// Blank: a blank line is behind it in the file, which a patch of its last line
	// needs to find its place. It is not kept.
	Blank bool `json:"-"`
}

// MarshalJSON writes one part as it is, and several as a list: what is stored
// of a configuration in one file is read by versions that know of no others, and
// what they would judge by half is not read by them.
func (t RuleText) MarshalJSON() ([]byte, error) {
	if len(t) == 1 {
		return json.Marshal(t[0])
	}
	return json.Marshal([]RulePart(t))
}

// UnmarshalJSON reads what MarshalJSON writes.
func (t *RuleText) UnmarshalJSON(text []byte) error {
	if bytes.HasPrefix(bytes.TrimSpace(text), []byte("[")) {
		return json.Unmarshal(text, (*[]RulePart)(t))
	}
	*t = make(RuleText, 1)
	return json.Unmarshal(text, &(*t)[0])
}

// rulePart cuts the section out of a file. Where it cannot stand alone (it
// uses an anchor of another section, or shares a line with one) it is written
// anew, and only the place where it begins is the file's. has is false where the
// file has none.
func rulePart(f sourceFile) (out RulePart, has bool) {
	root, content := f.root, f.content
	out.File = f.path
	section := root.Get("rules")
	if section.Kind() == yamlnode.Null {
		return out, false
	}
	out.Line = max(1, section.KeyPos().Line)
	if text := ruleLines(root, content); text != "" {
		alone, list := yamlnode.Parse(f.path, []byte(text))
		if list.Err() == nil && len(alone.Fields()) == 1 && reflect.DeepEqual(alone.Get("rules").Any(), section.Any()) {
			out.Text = text
			behind := strings.SplitN(strings.ReplaceAll(string(content), "\r\n", "\n"), "\n", out.Line+strings.Count(text, "\n"))
			out.Blank = strings.HasPrefix(behind[len(behind)-1], "\n")
			return out, true
		}
	}
	out.Text = "rules: " + section.Flow() + "\n"
	return out, true
}

// ruleLines are the lines from the key rules to the next key of the file,
// without the comments that belong to that. "" where the key does not begin a
// line of its own.
func ruleLines(root yamlnode.Node, content []byte) string {
	first, next := 0, -1
	for _, f := range root.Fields() {
		pos := f.Key.Pos()
		switch {
		case f.Key.Value == "rules" && pos.Column == 1:
			first = pos.Line
		case first > 0 && next < 0:
			next = pos.Line
		}
	}
	lines := strings.Split(strings.ReplaceAll(string(content), "\r\n", "\n"), "\n")
	if next < 0 {
		next = len(lines) + 1
	}
	if first == 0 || next <= first || next > len(lines)+1 {
		return ""
	}
	lines = lines[first-1 : next-1]
	for len(lines) > 1 && (strings.TrimSpace(lines[len(lines)-1]) == "" || strings.HasPrefix(lines[len(lines)-1], "#")) {
		lines = lines[:len(lines)-1]
	}
	return strings.Join(lines, "\n") + "\n"
}

// Rules decodes the section again, with the places that it had in its files.
func (t RuleText) Rules() ([]rules.Rule, diag.List) {
	var list diag.List
	var roots []yamlnode.Node
	for _, part := range t {
		root, faults := yamlnode.Parse(part.File, []byte(strings.Repeat("\n", max(0, part.Line-1))+part.Text))
		list = append(list, faults...)
		roots = append(roots, root)
	}
	if len(roots) == 0 || list.Err() != nil {
		return nil, list
	}
	p := interpolator{report: newReport("", nil), faulty: map[diag.Position]bool{}, needed: map[string]bool{}}
	section := yamlnode.Join(roots...).Get("rules")
	p.forbid(section, "rules")
	list = append(list, p.list...)
	var decoded []rules.Rule
	if section.Kind() != yamlnode.Null {
		list = append(list, section.Decode("the file", &decoded)...)
	}
	return decoded, list
}
