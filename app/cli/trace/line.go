package trace

import (
	"strings"

	"hookgate/app/cli/term"
	"hookgate/rules/lang"
)

// tone is how a line or its verdict stands out.
type tone int

const (
	plain tone = iota
	good
	bad
	dim
)

// line is one line of WHY: a part with its verdict and what was found, or a
// text alone.
type line struct {
	depth   int
	lead    string // before the text, on its first line only: → billing
	text    string
	verdict string
	note    string
	group   bool // its parts follow: it may be cut
	tone    tone // of the verdict, or of the text where there is none
}

// width is how many columns the line takes when a part has size of them.
func (l line) width(size int) int {
	if l.verdict == "" {
		return 0 // a text alone can be wrapped anywhere
	}
	w := l.partWidth()
	if l.group {
		w = min(w, size-1)
	}
	return max(w+1, size) + term.Width(l.tail())
}

// partWidth is how many columns the part itself takes; a text alone is none.
func (l line) partWidth() int {
	if l.verdict == "" {
		return 0
	}
	return 2*l.depth + term.Width(term.Clean(l.lead)) + term.Width(term.Clean(l.text))
}

// tail is what stands behind the part.
func (l line) tail() string {
	if l.note == "" {
		return l.verdict
	}
	return l.verdict + "  " + term.Clean(l.note)
}

// render gives the line in room columns, as several where it does not fit.
func (l line) render(out *term.Screen, size, room int) []string {
	indent := strings.Repeat(" ", 2*l.depth)
	lead := term.Clean(l.lead)
	if l.verdict == "" {
		return l.renderText(out, indent, lead, room)
	}
	text := lead + term.Clean(l.text)
	if l.group {
		text = term.Cut(text, size-1-len(indent))
	}
	if max(term.Width(indent+text)+1, size)+term.Width(l.tail()) <= room {
		return []string{term.Pad(indent+text, size-1) + " " + l.styledTail(out)}
	}
	var lines []string
	for i, part := range term.Wrap(text, max(room-len(indent)-2, 20)) {
		if i > 0 {
			part = "  " + part
		}
		lines = append(lines, indent+part)
	}
	for i, part := range term.Wrap(l.tail(), max(room-len(indent)-4, 20)) {
		if i == 0 {
			part = l.verdictIn(out, part)
		} else {
			part = out.Dim.Render(part)
		}
		lines = append(lines, indent+"    "+part)
	}
	return lines
}

// renderText wraps a line that has no verdict.
func (l line) renderText(out *term.Screen, indent, lead string, room int) []string {
	hang := strings.Repeat(" ", term.Width(lead))
	var lines []string
	for i, part := range term.Wrap(term.Clean(l.text), max(room-len(indent)-len(hang), 20)) {
		before := hang
		if i == 0 {
			before = lead
		}
		lines = append(lines, indent+before+l.style(out, part))
	}
	return lines
}

func (l line) style(out *term.Screen, text string) string {
	switch l.tone {
	case good:
		return out.Good.Render(text)
	case bad:
		return out.Bad.Render(text)
	case dim:
		return out.Dim.Render(text)
	case plain:
	}
	return text
}

func (l line) styledTail(out *term.Screen) string {
	if l.note == "" {
		return l.style(out, l.verdict)
	}
	return l.style(out, l.verdict) + "  " + out.Dim.Render(term.Clean(l.note))
}

// verdictIn gives the verdict at the beginning of text its colour.
func (l line) verdictIn(out *term.Screen, text string) string {
	rest, ok := strings.CutPrefix(text, l.verdict)
	if !ok {
		return text
	}
	if rest == "" {
		return l.style(out, l.verdict)
	}
	return l.style(out, l.verdict) + out.Dim.Render(rest)
}

// partLines are the tests of a condition.
func partLines(parts []lang.Part, depth int) []line {
	lines := make([]line, len(parts))
	for i, p := range parts {
		l := line{depth: depth + p.Depth, text: p.Text, verdict: string(p.Verdict)}
		l.group = i+1 < len(parts) && parts[i+1].Depth > p.Depth
		switch p.Verdict {
		case lang.True:
			l.tone, l.note = good, p.Note
		case lang.False:
			l.tone, l.note = bad, p.Note
		case lang.Failed:
			l.tone, l.note = bad, p.Error+p.Note
			if l.group { // the part below says why
				l.note = ""
			}
		case lang.NotEvaluated:
			l.note = p.Note
			l.tone = dim
		}
		lines[i] = l
	}
	return lines
}
