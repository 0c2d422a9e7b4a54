package diag

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"unicode"

	"github.com/charmbracelet/x/ansi"
)

// maxColumns is how much of a source line is shown, in columns of a terminal.
const maxColumns = 100

// ellipsis stands where a line is cut.
const ellipsis = "…"

// The colours, as SGR sequences (ECMA-48, 8.3.117).
const (
	reset  = "\x1b[0m"
	bold   = "\x1b[1m"
	red    = "\x1b[1;31m"
	yellow = "\x1b[1;33m"
	cyan   = "\x1b[1;36m"
	dim    = "\x1b[2m"
)

// Render writes the list for people: a line that says what is wrong and
// where, the line of the file, and below it the place, underlined, with the
// hint. files holds the text of each file by the name that positions give it;
// a diagnostic whose file is not there gets no source line. What could move
// the cursor of a terminal is written as a visible sign.
func Render(w io.Writer, list List, files map[string][]byte, color bool) error {
	r := renderer{out: bufio.NewWriter(w), color: color, files: map[string][]string{}}
	for _, d := range list {
		if _, split := r.files[d.File]; !split && files[d.File] != nil {
			r.files[d.File] = Lines(files[d.File])
		}
		r.diagnostic(d)
	}
	return r.out.Flush()
}

// breaks are the signs that end a line for the YAML reader: those of YAML 1.1,
// which it follows (yaml.org/spec/1.1, 5.4).
var breaks = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\u0085", "\n", "\u2028", "\n", "\u2029", "\n")

// Lines splits a file into the lines that positions count.
func Lines(text []byte) []string {
	return strings.Split(breaks.Replace(string(text)), "\n")
}

type renderer struct {
	out   *bufio.Writer
	color bool
	files map[string][]string
}

func (r *renderer) paint(color, text string) string {
	if !r.color || text == "" {
		return text
	}
	return color + text + reset
}

// printf cannot fail: the buffer keeps the first error for Flush.
func (r *renderer) printf(format string, args ...any) { _, _ = fmt.Fprintf(r.out, format, args...) }

func (r *renderer) diagnostic(d Diagnostic) {
	severity := red
	switch d.Severity {
	case Warning:
		severity = yellow
	case Advice:
		severity = cyan
	case Error:
	}
	r.printf("%s", r.paint(severity, string(d.Severity)+"["+visible(d.Code)+"]"))
	if place := visible(d.String()); place != "" {
		r.printf(" %s:", place)
	}
	r.printf(" %s\n", r.paint(bold, visible(d.Message)))
	line, found := r.line(d.Position)
	hint := visible(d.Hint)
	if !found {
		if hint != "" {
			r.printf("  %s\n", hint)
		}
		return
	}
	text, pad, marks := excerpt(line, d.Column, d.Width)
	number := fmt.Sprintf("%4d", d.Line)
	r.printf("%s %s\n", r.paint(dim, number+" |"), text)
	r.printf("%s %s%s", r.paint(dim, strings.Repeat(" ", len(number))+" |"), pad, r.paint(severity, marks))
	if hint != "" {
		r.printf(" %s", hint)
	}
	r.printf("\n")
}

func (r *renderer) line(p Position) (string, bool) {
	lines := r.files[p.File]
	if p.Line < 1 || p.Line > len(lines) {
		return "", false
	}
	return lines[p.Line-1], true
}

// excerpt is the part of the line to show, what to write under it before the
// underline, and the underline. Column counts from 1 and width in characters.
func excerpt(line string, column, width int) (text, pad, marks string) {
	runes := []rune(visible(line))
	from := max(0, min(column-1, len(runes)))
	to := max(from, min(from+max(1, width), len(runes)))
	before, marked, after := string(runes[:from]), string(runes[from:to]), string(runes[to:])
	if columns(before)+columns(marked)+columns(after) > maxColumns {
		before, marked, after = cut(untab(before), untab(marked), untab(after))
	}
	return before + marked + after, padding(before), strings.Repeat("^", max(1, columns(marked)))
}

// cut shortens a line that is too long, so that the marked part and what
// stands around it remain.
func cut(before, marked, after string) (string, string, string) {
	const lead = maxColumns / 3
	if w := columns(marked); w > maxColumns*2/3 {
		marked, after = ansi.Truncate(marked, maxColumns*2/3, ""), ellipsis
	}
	room := maxColumns - columns(marked)
	keep := max(lead, room-columns(after)) // what after does not need is given to before
	if w := columns(before); w > keep {
		before = ellipsis + ansi.TruncateLeft(before, w-keep+1, "")
	}
	room -= columns(before)
	if columns(after) > room {
		after = ansi.Truncate(after, max(1, room), ellipsis)
	}
	return before, marked, after
}

// columns is how wide a terminal shows the text, with a tab as one.
func columns(text string) int {
	return ansi.StringWidth(text) + strings.Count(text, "\t")
}

func untab(text string) string { return strings.ReplaceAll(text, "\t", " ") }

// padding is as wide as text in any terminal: tabs stay tabs.
func padding(text string) string {
	parts := strings.Split(text, "\t")
	for i, part := range parts {
		parts[i] = strings.Repeat(" ", columns(part))
	}
	return strings.Join(parts, "\t")
}

// Obeyed reports a character that a terminal obeys rather than shows: control
// characters, and Unicode's format characters, among them those that change the
// direction of text.
func Obeyed(r rune) bool {
	const zeroWidthJoiner = '\u200d' // holds emoji together
	return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) && r != zeroWidthJoiner || r == '\u2028' || r == '\u2029'
}

// visible replaces what is obeyed, but for the tab, by a sign of one column, so
// that what stands behind it stays in its column.
func visible(text string) string {
	return strings.Map(func(r rune) rune {
		if r != '\t' && Obeyed(r) {
			return '␦' // U+2426, symbol for substitute form two
		}
		return r
	}, text)
}
