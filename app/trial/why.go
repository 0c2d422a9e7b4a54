package trial

import (
	"strings"

	"hookgate/internal/diag"
	"hookgate/rules/lang"
)

// whyNot tells which parts made a condition false, each with its value, and
// the place of the first:
//
//	data.website.status in ["Assign"] was false (it is "Done")
func whyNot(parts []lang.Part) (string, diag.Position) {
	var texts []string
	var at diag.Position
	for _, p := range deciding(parts, lang.False) {
		text := p.Text + " was false"
		if p.Note != "" {
			text += " (" + p.Note + ")"
		}
		if texts = append(texts, text); at.Line == 0 {
			at = p.At
		}
	}
	if len(texts) == 0 { // there was no time to tell
		return "its condition was false", at
	}
	return strings.Join(texts, ", "), at
}

// because tells which parts made a condition true.
func because(parts []lang.Part) string {
	var texts []string
	for _, p := range deciding(parts, lang.True) {
		text := p.Text + " was true"
		if p.Note != "" {
			text += " (" + p.Note + ")"
		}
		texts = append(texts, text)
	}
	if len(texts) == 0 {
		return ": it has no condition"
	}
	return " because " + strings.Join(texts, ", ")
}

// deciding are the tests with the verdict that are not below a group with the
// other one: of a condition that came to the verdict, those that made it so.
func deciding(parts []lang.Part, verdict lang.Verdict) []lang.Part {
	var list []lang.Part
	skip := -1 // the depth of a group of the other verdict; -1: none
	for i, p := range parts {
		if skip >= 0 && p.Depth > skip {
			continue
		}
		skip = -1
		group := i+1 < len(parts) && parts[i+1].Depth > p.Depth
		switch {
		case p.Verdict != verdict && group:
			skip = p.Depth
		case p.Verdict == verdict && !group:
			list = append(list, p)
		}
	}
	return list
}
