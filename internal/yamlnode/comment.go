package yamlnode

import (
	"strings"

	"go.yaml.in/yaml/v4"

	"hookgate/internal/diag"
)

// Comment is one comment of a file.
type Comment struct {
	diag.Position
	Text string // behind the #, without blanks around it
	// From and To are the lines that it is about: its own or, where it has a
	// line for itself, the next one that is no comment; and all lines of a text
	// that begins there.
	From, To int
}

// Comments are the comments of the node's file that begin with prefix, in
// their order. What only looks like one, in a text, is none. They are looked for in
// the lines: the parser's nodes have the texts of comments, but not where they stand,
// and none that follows an opening bracket.
func (n Node) Comments(prefix string) []Comment {
	if n.doc == nil {
		return nil
	}
	var texts []extent
	n.extents(&texts)
	var list []Comment
	for i, line := range n.doc.lines {
		if c, ok := comment(line, prefix, i+1, texts); ok {
			c.File = n.doc.file
			c.From, c.To = n.subject(i+1, line, texts)
			list = append(list, c)
		}
	}
	return list
}

// comment finds the comment of one line.
func comment(line, prefix string, number int, texts []extent) (Comment, bool) {
	before := ' '
	column := 0
	for at, r := range line {
		column++
		if r != '#' || before != ' ' && before != '\t' || inText(texts, number, column) {
			before = r
			continue
		}
		text := strings.TrimSpace(line[at+1:])
		width := len([]rune(strings.TrimRight(line[at:], " \t")))
		return Comment{Position: diag.Position{Line: number, Column: column, Width: width}, Text: text}, strings.HasPrefix(text, prefix)
	}
	return Comment{}, false
}

// subject is which lines a comment in that line is about.
func (n Node) subject(number int, line string, texts []extent) (from, to int) {
	if strings.HasPrefix(strings.TrimSpace(line), "#") {
		for number++; number < len(n.doc.lines); number++ {
			if next := strings.TrimSpace(n.Line(number)); next != "" && next[0] != '#' {
				break
			}
		}
	}
	from, to = number, number
	for _, t := range texts {
		if t.line == from {
			to = max(to, t.lastLine)
		}
	}
	return from, to
}

// extent is where a text in quotes or a block stands.
type extent struct {
	line, column         int // its quote, or the sign | or >
	lastLine, lastColumn int
	block                bool
}

func inText(texts []extent, line, column int) bool {
	for _, t := range texts {
		switch {
		case line < t.line || line > t.lastLine:
		case t.block:
			return line > t.line
		case (line > t.line || column >= t.column) && (line < t.lastLine || column <= t.lastColumn):
			return true
		}
	}
	return false
}

// extents finds the texts below n. Aliases are not followed: what they stand
// for is found where it is written.
func (n Node) extents(into *[]extent) {
	if n.y == nil {
		return
	}
	if n.y.Kind == yaml.ScalarNode {
		if e, ok := n.extent(); ok {
			*into = append(*into, e)
		}
		return
	}
	for _, c := range n.y.Content {
		Node{y: c, doc: n.doc}.extents(into)
	}
}

func (n Node) extent() (extent, bool) {
	const quotes = yaml.DoubleQuotedStyle | yaml.SingleQuotedStyle
	e := extent{line: n.y.Line, column: n.y.Column, lastLine: n.y.Line, block: n.y.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0}
	switch {
	case e.block:
		e.lastLine = n.blockEnd()
	case n.y.Style&quotes != 0:
		if width := n.Text().Pos().Width; n.closed(width) {
			e.lastColumn = n.y.Column + width - 1
			return e, true
		}
		end := n.Text().At(len(n.y.Value), len(n.y.Value))
		e.lastLine, e.lastColumn = max(end.Line, e.line), end.Column
	default:
		end := n.Text().At(len(n.y.Value), len(n.y.Value))
		if e.lastLine = max(end.Line, e.line); e.lastLine == e.line {
			return e, false // a comment ends it
		}
		e.block = true // but for its first line: no comment can stand within it
	}
	return e, true
}

// closed reports whether a text in quotes ends in the line that it begins in.
func (n Node) closed(width int) bool {
	runes := []rune(runesFrom(n.Line(n.y.Line), n.y.Column))
	return width >= 2 && width <= len(runes) && runes[width-1] == runes[0]
}

// blockEnd is the last line of a block: the one before the first that stands
// further left than its text.
func (n Node) blockEnd() int {
	last, indent := n.y.Line, 0
	for number := n.y.Line + 1; number <= len(n.doc.lines); number++ {
		line := n.Line(number)
		if strings.TrimSpace(line) == "" {
			continue
		}
		depth := len(line) - len(strings.TrimLeft(line, " "))
		if indent == 0 {
			indent = depth
		}
		if depth < indent || depth == 0 || n.y.Value == "" {
			break
		}
		last = number
	}
	return last
}
