package term

import (
	"fmt"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"hookgate/internal/diag"
)

// Clean makes one line of text from outside harmless: control characters
// (terminal escapes among them) and characters that reorder text are shown as
// escapes such as \x1b, line breaks as \n.
func Clean(text string) string { return clean(text, false) }

// CleanBlock is Clean for text of several lines: it keeps line breaks and tabs.
func CleanBlock(text string) string { return clean(text, true) }

func clean(text string, block bool) string {
	if strings.IndexFunc(text, diag.Obeyed) < 0 {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		switch {
		case !diag.Obeyed(r), block && (r == '\n' || r == '\t'):
			b.WriteRune(r)
		case block && r == '\r':
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r < 0x100:
			fmt.Fprintf(&b, `\x%02x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

// Width is the number of columns that text takes.
func Width(text string) int { return ansi.StringWidth(text) }

// Cut shortens text to width columns, with … at its end when something is missing.
func Cut(text string, width int) string { return ansi.Truncate(text, width, "…") }

// Pad fills text with spaces up to width columns.
func Pad(text string, width int) string {
	return text + strings.Repeat(" ", max(0, width-Width(text)))
}

// Wrap breaks text into lines of at most width columns: at a space, after a
// comma or slash, or, where there is none of these, anywhere. Styled text is
// not for it.
func Wrap(text string, width int) []string {
	var lines []string
	for Width(text) > width {
		end := breakAt(text, max(width, 2)) // the widest character takes two
		lines = append(lines, strings.TrimRight(text[:end], " "))
		text = strings.TrimLeft(text[end:], " ")
	}
	return append(lines, text)
}

// breakAt is the length in bytes of the first line of text.
func breakAt(text string, width int) int {
	last, columns := 0, 0
	for i, r := range text {
		if columns += Width(string(r)); columns > width {
			if r == ' ' || last == 0 {
				return i
			}
			return last
		}
		if r == ' ' || r == ',' || r == '/' {
			last = i + 1
		}
	}
	return len(text)
}

// Indent writes prefix before every line of text.
func Indent(text, prefix string) string {
	return prefix + strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "\n"+prefix)
}
