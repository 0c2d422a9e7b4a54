// Package trace shows how rules came to their results, at 80 columns.
package trace

import (
	"strings"

	"hookgate/app/cli/screen"
	"hookgate/rules"
	"hookgate/rules/lang"
)

const (
	columns    = 80
	partColumn = 44 // the width of a test, where what was found stands beside it
)

// Verdict is a rule's result in a word or two.
func Verdict(out *screen.Screen, t *rules.Trace) string {
	switch {
	case t.Result == rules.Failed:
		return out.Bad.Render("error: " + screen.Clean(t.Error))
	case t.Result == rules.Matched && len(t.Parts) == 0:
		return out.Good.Render("match") + out.Dim.Render("  it has no condition")
	case t.Result == rules.Matched:
		return out.Good.Render("match")
	case t.Result == rules.Skipped:
		return out.Dim.Render("skipped  " + screen.Clean(t.Reason))
	}
	return out.Dim.Render("no match")
}

// Parts prints the tests of a condition, each with what was found beside it
// where that fits, else below.
func Parts(out *screen.Screen, parts []lang.Part, indent int) {
	for _, p := range parts {
		part(out, p, strings.Repeat(" ", indent))
	}
}

func part(out *screen.Screen, p lang.Part, indent string) {
	text := strings.Repeat("  ", p.Depth) + screen.Clean(p.Text)
	sign, note := " ", ""
	switch p.Verdict {
	case lang.True:
		sign = out.Good.Render("✓")
	case lang.False:
		sign, note = out.Bad.Render("✗"), p.Note
	case lang.Failed:
		sign, note = out.Bad.Render("!"), p.Error+p.Note
	case lang.NotEvaluated:
		sign, note = out.Dim.Render("–"), "not evaluated"
	}
	lead, note := indent+sign+" ", screen.Clean(note)
	room := columns - len(indent) - 2
	switch {
	case note == "":
		out.Println(lead + text)
	case screen.Width(text) <= partColumn && partColumn+2+screen.Width(note) <= room:
		out.Println(lead + screen.Pad(text, partColumn) + "  " + out.Dim.Render(note))
	default:
		out.Println(lead + text)
		out.Println(indent + "  " + out.Dim.Render(screen.Cut(note, room)))
	}
}
