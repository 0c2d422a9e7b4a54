package yamlnode

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// With is the text of the file, of which n is the whole, with another text in the
// place of the scalar part: in the quotes or the block that it has, where they can
// hold it. All else stays as it is written. ok is false where nothing is sure to
// stay the same: part is no scalar that is written out there, or the file has
// anchors, so that what is changed may also stand elsewhere.
func (n Node) With(part Node, text string) (content string, ok bool) {
	if part.y == nil || part.y.Kind != yaml.ScalarNode || part.y.Line == 0 || part.y.Style&yaml.TaggedStyle != 0 || anchored(n.y) {
		return "", false
	}
	from, to, last := part.written()
	lines := n.doc.lines
	first := part.y.Line
	behind := lines[last-1]
	if part.y.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
		behind = lines[first-1]
	}
	for _, w := range part.ways(text) {
		own := []string{lines[first-1][:from] + w[0] + behind[to:]}
		content = strings.Join(slices.Concat(lines[:first-1], own, w[1:], lines[last:]), "\n")
		if root, list := Parse(n.doc.file, []byte(content)); list.Err() == nil && sameBut(n.y, root.y, part.y, text) {
			return content, true
		}
	}
	return "", false
}

// Lines are the first and the last line of a scalar with the key that it stands under.
func (n Node) Lines() (first, last int) {
	_, _, last = n.written()
	return n.KeyPos().Line, last
}

// anchored reports whether something is written to stand in several places.
func anchored(y *yaml.Node) bool {
	return y.Anchor != "" || y.Kind == yaml.AliasNode || slices.ContainsFunc(y.Content, anchored)
}

// sameBut reports whether b is what a is, but for the scalar at part, which is the
// text.
func sameBut(a, b, part *yaml.Node, text string) bool {
	if a == part {
		return b.Kind == yaml.ScalarNode && b.Value == text && (b.ShortTag() == "!!str" || b.ShortTag() == a.ShortTag())
	}
	if b == nil || a.Kind != b.Kind || a.ShortTag() != b.ShortTag() || a.Value != b.Value || len(a.Content) != len(b.Content) {
		return false
	}
	for i := range a.Content {
		if !sameBut(a.Content[i], b.Content[i], part, text) {
			return false
		}
	}
	return true
}

// blockSigns are what begins a block.
var blockSigns = regexp.MustCompile(`^[|>][-+0-9]*`)

// written is where a scalar stands: from that byte of its first line to that of its
// last, both without what is behind it. Of a block to is the end of its signs.
func (n Node) written() (from, to, last int) {
	line := n.Line(n.y.Line)
	from = len(line) - len(runesFrom(line, n.y.Column))
	switch style := n.y.Style; {
	case style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		return from, from + len(blockSigns.FindString(line[from:])), n.blockEnd()
	case style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0:
		return n.quoted(from)
	}
	if strings.HasPrefix(line[from:], n.y.Value) {
		return from, from + len(n.y.Value), n.y.Line
	}
	end := n.Text().At(len(n.y.Value), len(n.y.Value)) // it goes on in other lines
	line = n.Line(end.Line)
	return from, len(line) - len(runesFrom(line, end.Column)), end.Line
}

// quoted is written for a scalar in quotes.
func (n Node) quoted(from int) (first, to, last int) {
	at := from + 1
	for last = n.y.Line; last <= len(n.doc.lines); last++ {
		line, quote := n.Line(last), n.Line(n.y.Line)[from]
		for ; at < len(line); at++ {
			switch {
			case quote == '"' && line[at] == '\\', quote == '\'' && strings.HasPrefix(line[at:], "''"):
				at++
			case line[at] == quote:
				return from, at + 1, last
			}
		}
		at = 0
	}
	return from, len(n.Line(n.y.Line)), n.y.Line
}

// ways are how a text could stand in the scalar's place, the likest first: the rest
// of its line, and lines below it.
func (n Node) ways(text string) [][]string {
	var list [][]string
	switch style := n.y.Style; {
	case style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		list = append(list, n.block(text))
	case style&yaml.SingleQuotedStyle != 0 && !strings.Contains(text, "\n"):
		list = append(list, []string{"'" + strings.ReplaceAll(text, "'", "''") + "'"})
	case style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0:
	case strings.Contains(text, "\n"):
		list = append(list, n.block(text))
	case !yesOrNo(text):
		list = append(list, []string{text})
	}
	return append(list, []string{strconv.Quote(text)})
}

// block is a text as a literal block, indented as the one that the scalar is, or
// below its key.
func (n Node) block(text string) []string {
	indent := n.KeyPos().Column + 1
	if n.y.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 && strings.TrimSpace(n.y.Value) != "" {
		indent = newWalker(n).indent
	}
	body, ended := strings.CutSuffix(text, "\n")
	lines := []string{"|-"}
	if ended {
		lines[0] = "|"
	}
	for line := range strings.SplitSeq(body, "\n") {
		if line != "" {
			line = strings.Repeat(" ", indent) + line
		}
		lines = append(lines, line)
	}
	return lines
}
