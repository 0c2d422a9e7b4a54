package config

import (
	"reflect"
	"strings"

	"hookgate/internal/diag"
	"hookgate/internal/yamlnode"
	"hookgate/rules"
)

// RuleText is the section rules as it is kept with the events that it judged.
// It holds nothing of the other sections, and so no secret of the environment.
type RuleText struct {
	File string // the path of the configuration
	Line int    // of its first line in the file, from 1
	Text string
}

// ruleText cuts the section out of the file. Where it cannot stand alone (it
// uses an anchor of another section, or shares a line with one) it is written
// anew, and only the place where it begins is the file's.
func ruleText(root yamlnode.Node, path string, content []byte) RuleText {
	out := RuleText{File: path, Line: 1, Text: "rules: []\n"}
	section := root.Get("rules")
	if section.Kind() == yamlnode.Null {
		return out
	}
	out.Line = max(1, section.KeyPos().Line)
	if text := ruleLines(root, content); text != "" {
		alone, list := yamlnode.Parse(path, []byte(text))
		if list.Err() == nil && len(alone.Fields()) == 1 && reflect.DeepEqual(alone.Get("rules").Any(), section.Any()) {
			out.Text = text
			return out
		}
	}
	out.Text = "rules: " + section.Flow() + "\n"
	return out
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

// Rules decodes the section again, with the places that it had in the file.
func (t RuleText) Rules() ([]rules.Rule, diag.List) {
	content := strings.Repeat("\n", max(0, t.Line-1)) + t.Text
	root, list := yamlnode.Parse(t.File, []byte(content))
	if list.Err() != nil {
		return nil, list
	}
	p := interpolator{report: newReport(t.File, []byte(content)), faulty: map[diag.Position]bool{}, needed: map[string]bool{}}
	section := root.Get("rules")
	p.forbid(section, "rules")
	list = append(list, p.list...)
	var decoded []rules.Rule
	if section.Kind() != yamlnode.Null {
		list = append(list, section.Decode("the file", &decoded)...)
	}
	return decoded, list
}
