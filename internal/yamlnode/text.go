package yamlnode

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"hookgate/internal/diag"
)

// Text is a scalar that can tell where each part of it stands in the file.
// The zero Text is "not there".
type Text struct {
	Value string
	node  Node
}

// Plain makes a Text that stands in no file: for values made in code and tests.
func Plain(value string) Text { return Text{Value: value} }

// Text returns a scalar's text; a Null, List or Map has none.
func (n Node) Text() Text {
	if y := n.resolved(); y != nil && y.Kind == yaml.ScalarNode {
		return Text{Value: y.Value, node: n}
	}
	return Text{node: n}
}

// Values are the texts of a list; empty where it is.
func Values(list []Text) []string {
	out := make([]string, len(list))
	for i, t := range list {
		out[i] = t.Value
	}
	return out
}

// IsZero reports whether the scalar is not in the document at all.
func (t Text) IsZero() bool { return t.node.y == nil && t.Value == "" }

// String returns the value.
func (t Text) String() string { return t.Value }

// Written is the value as it stands in the file, before Replace: what messages
// may repeat, for what Replace put in can be a secret.
func (t Text) Written() string {
	if t.node.doc != nil {
		if original, ok := t.node.doc.replaced[t.node.resolved()]; ok {
			return original
		}
	}
	return t.Value
}

// Path is where the scalar stands in the document.
func (t Text) Path() string { return t.node.path }

// Diag makes an error about the whole scalar.
func (t Text) Diag(code, hint, format string, args ...any) diag.Diagnostic {
	return diag.Diagnostic{
		Severity: diag.Error, Code: code, Path: t.Path(), Position: t.Pos(),
		Message: fmt.Sprintf(format, args...), Hint: hint,
	}
}

// DiagAt makes an error about the bytes from to to of the value.
func (t Text) DiagAt(from, to int, code, hint, format string, args ...any) diag.Diagnostic {
	d := t.Diag(code, hint, format, args...)
	d.Position = t.At(from, to)
	return d
}

// Pos is the place of the whole scalar, with its quotes.
func (t Text) Pos() diag.Position {
	y := t.node.y
	if y == nil {
		return diag.Position{}
	}
	pos := t.node.doc.at(y.Line, y.Column)
	switch {
	case y.Kind != yaml.ScalarNode:
	case y.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		pos.Width = 1
	case y.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0:
		pos.Width = quotedWidth(t.node.Line(y.Line), y.Column, y.Style&yaml.DoubleQuotedStyle != 0)
	default:
		raw := y.Value
		if original, ok := t.node.doc.replaced[y]; ok {
			raw = original
		}
		rest := runesFrom(t.node.Line(y.Line), y.Column)
		pos.Width = max(1, min(utf8.RuneCountInString(raw), utf8.RuneCountInString(strings.TrimRight(rest, " "))))
	}
	return pos
}

// At is the place of the bytes from to to of the value. In a scalar that
// Replace changed it is the place of the whole scalar.
func (t Text) At(from, to int) diag.Position {
	y := t.node.y
	if y == nil || y.Kind != yaml.ScalarNode {
		return t.Pos()
	}
	if _, changed := t.node.doc.replaced[y]; changed {
		return t.Pos()
	}
	from = max(0, min(from, len(t.Value)))
	to = max(from, min(to, len(t.Value)))
	w := newWalker(t.node)
	w.advance(t.Value[:from])
	pos := t.node.doc.at(w.line, w.column)
	part := t.Value[from:to]
	if i := strings.IndexByte(part, '\n'); i >= 0 {
		part = part[:i]
	}
	w.advance(part)
	if w.line == pos.Line {
		pos.Width = max(1, w.column-pos.Column)
	} else {
		pos.Width = max(1, utf8.RuneCountInString(runesFrom(t.node.Line(pos.Line), pos.Column)))
	}
	return pos
}

// walker follows a scalar's value through its text in the file.
type walker struct {
	node   Node
	style  yaml.Style
	line   int
	column int // from 1, in runes
	indent int // of a block scalar
}

func newWalker(n Node) *walker {
	w := &walker{node: n, style: n.y.Style, line: n.y.Line, column: n.y.Column}
	switch {
	case w.block():
		w.line++
		for l := w.line; l <= len(n.doc.lines); l++ {
			if text := n.Line(l); strings.TrimSpace(text) != "" {
				w.indent = len(text) - len(strings.TrimLeft(text, " "))
				break
			}
		}
		w.column = w.indent + 1
	case w.style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0:
		w.column++
	}
	return w
}

func (w *walker) block() bool { return w.style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 }

// advance moves over a part of the value.
func (w *walker) advance(part string) {
	rest := runesFrom(w.node.Line(w.line), w.column)
	for _, r := range part {
		if (r == '\n' || r == ' ') && strings.TrimSpace(rest) == "" {
			w.nextLine(r)
			rest = runesFrom(w.node.Line(w.line), w.column)
			continue
		}
		width := w.width(rest)
		w.column += width
		rest = runesFrom(rest, width+1)
	}
}

// nextLine moves to where the value goes on: the very next line in a literal,
// the next line that is not blank where lines are folded.
func (w *walker) nextLine(r rune) {
	w.line++
	if !w.block() || (w.style&yaml.FoldedStyle != 0 && r == ' ') {
		for w.line < len(w.node.doc.lines) && strings.TrimSpace(w.node.Line(w.line)) == "" {
			w.line++
		}
	}
	w.column = w.indent + 1
	if !w.block() {
		text := w.node.Line(w.line)
		w.column = len(text) - len(strings.TrimLeft(text, " ")) + 1
	}
}

// width is how many characters of the file make the next one of the value.
func (w *walker) width(rest string) int {
	switch {
	case w.style&yaml.SingleQuotedStyle != 0 && strings.HasPrefix(rest, "''"):
		return 2
	case w.style&yaml.DoubleQuotedStyle != 0 && strings.HasPrefix(rest, `\`) && len(rest) > 1:
		switch rest[1] {
		case 'x':
			return 4
		case 'u':
			return 6
		case 'U':
			return 10
		}
		return 2
	}
	return 1
}

// runesFrom is the part of line from the given column on.
func runesFrom(line string, column int) string {
	for i := range line {
		if column--; column == 0 {
			return line[i:]
		}
	}
	return ""
}

// quotedWidth is the width of the quoted scalar that starts at column.
func quotedWidth(line string, column int, double bool) int {
	runes := []rune(runesFrom(line, column))
	for i := 1; i < len(runes); i++ {
		switch {
		case double && runes[i] == '\\':
			i++
		case double && runes[i] == '"':
			return i + 1
		case !double && runes[i] == '\'':
			if i+1 < len(runes) && runes[i+1] == '\'' {
				i++
				continue
			}
			return i + 1
		}
	}
	return max(1, len(runes))
}
