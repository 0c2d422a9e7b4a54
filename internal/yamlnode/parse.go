package yamlnode

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"hookgate/internal/diag"
)

// document is what the nodes of one file share.
type document struct {
	file     string
	lines    []string
	replaced map[*yaml.Node]string // scalars that Replace changed, with their text in the file
	// owners are, of what Join has made, the documents that its parts stand in.
	owners map[*yaml.Node]*document
}

// Parse reads one YAML document. On a syntax error the list says where; an
// empty document is a Null node.
func Parse(file string, content []byte) (Node, diag.List) {
	doc := &document{
		file:     file,
		lines:    diag.Lines(content),
		replaced: map[*yaml.Node]string{},
	}
	var root yaml.Node
	if err := yaml.Load(content, &root, yaml.WithUniqueKeys()); err != nil {
		if d, found := doc.controlCharacter(); found {
			return Node{}, diag.List{d}
		}
		return Node{}, doc.syntaxErrors(err)
	}
	n := Node{y: &root, doc: doc}
	if root.Kind == yaml.DocumentNode {
		if len(root.Content) == 0 {
			return Node{doc: doc}, nil
		}
		n.y = root.Content[0]
	}
	if size := 0; !doc.bounded(n.y, 0, &size) {
		return Node{}, diag.List{n.tooLarge()}
	}
	list := append(doc.duplicateKeys(n), doc.tags(n.y)...)
	return n, append(list, doc.swallowed(n.y, aliased(n.y, map[*yaml.Node]bool{}))...)
}

// controlCharacter finds the first sign that no YAML may hold; the parser does
// not say where it stands.
func (d *document) controlCharacter() (diag.Diagnostic, bool) {
	for i, line := range d.lines {
		column := 0
		for _, r := range line {
			column++
			if unicode.IsControl(r) && r != '\t' {
				out := diag.Diagnostic{Severity: diag.Error, Code: "yaml-syntax", Position: d.at(i+1, column)}
				out.Message, out.Hint = fmt.Sprintf("the control character %U stands here", r), "take it out"
				return out, true
			}
		}
	}
	return diag.Diagnostic{}, false
}

// standardTags are those of YAML itself, which say what a value is.
var standardTags = map[string]bool{
	"!!str": true, "!!int": true, "!!float": true, "!!bool": true, "!!null": true, "!!map": true, "!!seq": true, "!!binary": true, "!!timestamp": true, "!!merge": true,
}

// swallowed warns of what YAML takes out of a text without quotes: what follows
// a & (an anchor that no alias refers to), and what follows " #" where it holds
// a ${{ }}.
func (d *document) swallowed(y *yaml.Node, referred map[*yaml.Node]bool) diag.List {
	var list diag.List
	add := func(code, what string, column int, format string) {
		out := diag.Diagnostic{Severity: diag.Warning, Code: code, Position: d.at(y.Line, column), Message: fmt.Sprintf(format, what), Hint: "put the whole value in quotes"}
		out.Width = utf8.RuneCountInString(what)
		list = append(list, out)
	}
	if y.Kind == yaml.ScalarNode && y.Anchor != "" && !referred[y] {
		add("yaml-anchor", "&"+y.Anchor, y.Column, "YAML takes %s for an anchor, and nothing refers to it")
	}
	if y.Kind == yaml.ScalarNode && y.Style == 0 && strings.Contains(y.LineComment, "${{") && y.Line <= len(d.lines) {
		if before, _, found := strings.Cut(d.lines[y.Line-1], y.LineComment); found {
			add("yaml-comment", y.LineComment, utf8.RuneCountInString(before)+1, "YAML takes %q for a comment")
		}
	}
	for _, c := range y.Content {
		list = append(list, d.swallowed(c, referred)...)
	}
	return list
}

// aliased are the nodes that an alias refers to.
func aliased(y *yaml.Node, into map[*yaml.Node]bool) map[*yaml.Node]bool {
	if y.Alias != nil {
		into[y.Alias] = true
	}
	for _, c := range y.Content {
		aliased(c, into)
	}
	return into
}

// tags reports what YAML takes for a tag (!name) and is meant as text: the
// language has none. The value is then what was written.
func (d *document) tags(y *yaml.Node) diag.List {
	var list diag.List
	if tag := y.Tag; tag == "!" || y.Style&yaml.TaggedStyle != 0 && !standardTags[y.ShortTag()] {
		tag = strings.Replace(tag, "tag:yaml.org,2002:", "!!", 1)
		written := diag.Diagnostic{Severity: diag.Error, Code: "yaml-tag", Position: d.at(y.Line, y.Column), Hint: "put the whole value in quotes"}
		written.Width, written.Message = utf8.RuneCountInString(tag), fmt.Sprintf("YAML takes %s for a tag", tag)
		list = append(list, written)
		if y.Kind == yaml.ScalarNode {
			y.Value = strings.TrimSpace(tag + " " + y.Value)
		}
		y.Style, y.Tag = y.Style&^yaml.TaggedStyle, ""
		if y.Kind == yaml.ScalarNode {
			y.Tag = "!!str"
		}
	}
	for _, c := range y.Content {
		list = append(list, d.tags(c)...)
	}
	return list
}

func (d *document) syntaxErrors(err error) diag.List {
	if all, ok := errors.AsType[*yaml.LoadErrors](err); ok {
		var list diag.List
		for _, e := range all.Errors {
			list = append(list, d.syntaxError(e))
		}
		return list
	}
	if one, ok := errors.AsType[*yaml.LoadError](err); ok {
		return diag.List{d.syntaxError(one)}
	}
	return diag.List{{Severity: diag.Error, Code: "yaml-syntax", Position: diag.Position{File: d.file}, Message: err.Error()}}
}

// at is a place in the file. What the parser notices or adds at the end of the
// file (the empty value after "---") it puts behind the last line; here it is
// in that line.
func (d *document) at(line, column int) diag.Position {
	if line > len(d.lines) {
		line, column = len(d.lines), 1
	}
	return diag.Position{File: d.file, Line: max(1, line), Column: max(1, column), Width: 1}
}

func (d *document) syntaxError(e *yaml.LoadError) diag.Diagnostic {
	out := diag.Diagnostic{
		Severity: diag.Error, Code: "yaml-syntax", Message: e.Message,
		Position: d.at(e.Mark.Line, e.Mark.Column),
	}
	if begun := e.ContextMark; begun.Line > 0 && begun.Line <= len(d.lines) {
		if opening := runesFrom(d.lines[begun.Line-1], begun.Column); opening != "" && strings.ContainsRune(`"'{[`, rune(opening[0])) {
			out.Position = d.at(begun.Line, begun.Column) // where it was opened tells more than where the file ends
		}
	}
	if strings.Contains(e.Message, "single document") {
		out.Line, out.Column, out.Width = d.secondDocument(), 1, len(separator)
	}
	if strings.Contains(e.Message, "tab") {
		out.Hint = "indent with spaces, YAML allows no tabs"
	}
	return out
}

// separator is the line that ends a document and begins the next.
const separator = "---"

// secondDocument is the line on which the file's second document begins; the
// parser says only that there is one. Within a text in quotes or a block, no
// line begins with the separator (YAML 1.2.2, 9.1.2).
func (d *document) secondDocument() int {
	begun := false
	for i, line := range d.lines {
		text := strings.TrimSpace(line)
		switch {
		case line == separator || strings.HasPrefix(line, separator+" ") || strings.HasPrefix(line, separator+"\t"):
			if begun {
				return i + 1
			}
			begun = true
		case text != "" && text[0] != '#' && text[0] != '%':
			begun = true
		}
	}
	return 1
}

// duplicateKeys reports keys that stand twice in one mapping: loading into a
// Node lets them pass, and the second would silently win.
func (d *document) duplicateKeys(n Node) diag.List {
	var list diag.List
	switch n.Kind() {
	case Map:
		seen := map[string]int{}
		for _, f := range n.Fields() {
			if line, twice := seen[f.Key.Value]; twice {
				list = append(list, f.Key.Diag("duplicate-key", "", "%q stands twice here, first in line %d", f.Key.Value, line))
			} else {
				seen[f.Key.Value] = f.Key.Pos().Line
			}
			list = append(list, d.duplicateKeys(f.Value)...)
		}
	case List:
		for _, item := range n.Items() {
			list = append(list, d.duplicateKeys(item)...)
		}
	case Null, Scalar:
	}
	return list
}
