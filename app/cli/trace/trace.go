// Package trace shows how rules came to their results: one form for explain,
// for what is kept of an event, for tests and for the demo.
package trace

import (
	"fmt"
	"strings"

	"hookgate/app/cli/term"
	"hookgate/rules"
	"hookgate/rules/lang"
)

// View says how a trace is shown.
type View struct {
	Out *term.Screen
	// Width is how many columns there are; 0: whoever looks at it has no
	// terminal, and short rules may take up to 100.
	Width int
	// Lead is asked for what stands before each line; nil: nothing does.
	Lead func() string
	// Skipped leaves out rules that do not listen when it is false.
	Skipped bool
	// Outputs shows what the actions send, and Keys their ordering keys.
	Outputs, Keys bool
}

const (
	plainWidth = 80  // where nothing is known
	wideWidth  = 100 // of a short rule in a file or a pipe
	shortRule  = 8   // parts
	resultSize = 9   // columns of RESULT, with the space behind it
	partSize   = 40  // columns of a part, with the space behind it
	wrappedAt  = 44  // of a part at most where its rule's name stands above it
)

// ForScreen is the View of all that a trace has, at the screen's width.
func ForScreen(out *term.Screen, width int) View {
	return View{Out: out, Width: width, Skipped: true, Outputs: true}
}

// Table prints a table of the rules: RULE, RESULT, WHY.
func (v View) Table(traces []rules.Trace) {
	names, connections := v.columns(traces)
	v.println(v.Out.Strong.Render(term.Pad("RULE", names) + term.Pad("RESULT", resultSize) + "WHY"))
	v.rows(traces, names, connections)
}

// Rules prints the rules as Table does, without its head.
func (v View) Rules(traces []rules.Trace) {
	names, connections := v.columns(traces)
	v.rows(traces, names, connections)
}

// columns are the widths of the longest name of a rule, with the space behind
// it, and of a connection.
func (v View) columns(traces []rules.Trace) (names, connections int) {
	names = len("RULE")
	for i := range traces {
		if !v.Skipped && traces[i].Result == rules.Skipped {
			continue
		}
		names = max(names, term.Width(term.Clean(traces[i].Rule)))
		for a := range traces[i].Sends() {
			connections = max(connections, term.Width(term.Clean(label(*a))))
		}
	}
	return min(names, 38) + 2, connections
}

func (v View) rows(traces []rules.Trace, names, connections int) {
	for i := range traces {
		if v.Skipped || traces[i].Result != rules.Skipped {
			v.rule(&traces[i], names, connections)
		}
	}
}

// println prints a line without spaces at its end.
func (v View) println(text string) {
	if v.Lead != nil {
		text = v.Lead() + text
	}
	v.Out.Println(strings.TrimRight(text, " "))
}

// rule prints one rule: beside its name where that fits, else below it.
func (v View) rule(t *rules.Trace, names, connections int) {
	width, indent, size := v.Width, names+resultSize, partSize
	if width == 0 {
		if width = wideWidth; len(t.Parts) > shortRule {
			width = plainWidth
		}
	}
	why := v.why(t, connections)
	below := false
	for _, l := range why {
		below = below || indent+l.width(size) > width
	}
	before := term.Pad(term.Clean(t.Rule), names-2) + "  "
	head := v.Out.Name.Render(before) + v.result(t.Result)
	if below {
		indent, size = 4, 0
		for _, l := range why {
			size = max(size, min(l.partWidth()+1, wrappedAt))
		}
		v.println(head)
		head = ""
	}
	for _, l := range why {
		for _, text := range l.render(v.Out, size, width-indent) {
			if head == "" {
				head = strings.Repeat(" ", indent)
			}
			v.println(head + text)
			head = ""
		}
	}
}

// result is a rule's result in a word, as wide as its column.
func (v View) result(r string) string {
	word, style := r, v.Out.Dim
	switch r {
	case rules.Matched:
		word, style = "MATCH", v.Out.Good
	case rules.Failed:
		word, style = "ERROR", v.Out.Bad
	}
	return style.Render(word) + strings.Repeat(" ", max(1, resultSize-len(word)))
}

// why are the lines beside a rule's name.
func (v View) why(t *rules.Trace, connections int) []line {
	var lines []line
	switch {
	case t.Result == rules.Skipped, len(t.Parts) == 0 && t.Reason != "" && len(t.Branches) == 0:
		return []line{{text: t.Reason}}
	case len(t.Elements) > 0:
		return v.elements(t, connections)
	case len(t.Parts) == 0 && t.Error == "" && len(t.Branches) == 0:
		lines = append(lines, line{text: "it has no condition"})
	}
	lines = append(lines, partLines(t.Parts, 0)...)
	failed := t.Result == rules.Failed
	for _, b := range t.Branches {
		failed = failed && !hasError(b.Parts)
		lines = append(lines, branchLines(&b)...)
	}
	if len(t.Branches) > 0 && t.Reason != "" {
		lines = append(lines, line{text: t.Reason, tone: dim})
	}
	for _, a := range t.Actions {
		failed = failed && !hasError(a.Parts)
	}
	if failed && !hasError(t.Parts) {
		lines = append(lines, line{text: t.Error, tone: bad})
	}
	for _, a := range t.Actions {
		lines = append(lines, v.action(&a, t.Result == rules.Failed, connections)...)
	}
	return lines
}

// shownElements is how many elements are shown, each with its parts.
const shownElements = 20

// elements are the lines of a rule with for_each: how many match, and each.
func (v View) elements(t *rules.Trace, connections int) []line {
	matched := 0
	for i := range t.Elements {
		if t.Elements[i].Result == rules.Matched {
			matched++
		}
	}
	noun := "elements"
	if len(t.Elements) == 1 {
		noun = "element"
	}
	lines := []line{{text: fmt.Sprintf("%d of %d %s", matched, len(t.Elements), noun)}}
	if t.Result == rules.Failed {
		lines = []line{{text: t.Error, tone: bad}}
	}
	for i := range t.Elements {
		if i == shownElements {
			return append(lines, line{text: fmt.Sprintf("… and %d more", len(t.Elements)-i), tone: dim})
		}
		one := &t.Elements[i]
		word, tone := "no", dim
		switch one.Result {
		case rules.Matched:
			word, tone = "match", good
		case rules.Failed:
			word, tone = "error", bad
		}
		lines = append(lines, line{lead: fmt.Sprintf("[%d] ", i), text: word, tone: tone})
		if one.Reason == "" && len(one.Parts)+len(one.Branches)+len(one.Actions) == 0 {
			continue
		}
		for _, l := range v.why(one, connections) {
			if l.text == "it has no condition" || one.Result == rules.Failed && l.text == one.Error {
				continue
			}
			l.depth++
			lines = append(lines, l)
		}
	}
	return lines
}

// branchLines are those of a branch: what became of it, and why.
func branchLines(b *rules.BranchTrace) []line {
	l := line{lead: b.Name + ": ", text: b.Result, tone: dim}
	switch b.Result {
	case rules.Matched:
		l.tone = good
		if len(b.Parts) == 0 {
			l.text = "match: no other did"
		}
	case rules.Failed:
		l.tone = bad
	}
	return append([]line{l}, partLines(b.Parts, 1)...)
}

// hasError reports whether a part tells why it could not be evaluated.
func hasError(parts []lang.Part) bool {
	for _, p := range parts {
		if p.Verdict == lang.Failed {
			return true
		}
	}
	return false
}

// label is what an action is called below its rule: the connection, with #2
// for the second to it.
func label(a rules.ActionTrace) string {
	if a.Step != "" {
		return a.Step + " (" + a.To + ")"
	}
	if at := strings.LastIndexByte(a.Name, '/'); at >= 0 {
		return a.Name[at+1:]
	}
	return a.To
}
