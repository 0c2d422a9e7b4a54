package markup

import (
	"html"
	"strings"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// small is the parser of texts in which there is nothing but links, emphasis
// and lists.
var small = parser.NewParser(
	parser.WithBlockParsers(
		util.Prioritized(parser.NewListParser(), 300),
		util.Prioritized(parser.NewListItemParser(), 400),
		util.Prioritized(parser.NewParagraphParser(), 1000),
	),
	parser.WithInlineParsers(
		util.Prioritized(parser.NewLinkParser(), 200),
		util.Prioritized(parser.NewEmphasisParser(), 500),
	),
)

// Small is a text with links, emphasis and lists in it, as Markdown writes
// them; all else is text. The zero Small is empty.
type Small struct {
	source []byte
	root   ast.Node
}

// ReadSmall reads a text.
func ReadSmall(source string) (Small, error) {
	if err := bounded(source); err != nil {
		return Small{}, err
	}
	in := []byte(strings.TrimSpace(source))
	return Small{source: in, root: small.Parse(text.NewReader(in))}, nil
}

// Links are the addresses that it leads to.
func (s Small) Links() []string {
	var list []string
	s.walk(func(n ast.Node) {
		if link, ok := n.(*ast.Link); ok {
			list = append(list, string(link.Destination))
		}
	})
	return list
}

// IsLink reports whether an address may stand in a link: one of the web, of a
// mailbox or of a telephone.
func IsLink(address string) bool {
	for _, scheme := range []string{"https://", "http://", "mailto:", "tel:"} {
		if strings.HasPrefix(address, scheme) {
			return true
		}
	}
	return false
}

// Plain is the text without the marks.
func (s Small) Plain() string {
	var b strings.Builder
	s.walk(func(n ast.Node) {
		if text := b.String(); n.Type() == ast.TypeBlock && text != "" && !strings.HasSuffix(text, "\n") {
			b.WriteByte('\n')
		}
		b.WriteString(s.said(n))
	})
	return strings.TrimSpace(b.String())
}

// Line is the text as HTML within a line: paragraphs and lists are none.
func (s Small) Line() string { return s.render(false) }

// Blocks is the text as HTML of its own.
func (s Small) Blocks() string { return s.render(true) }

func (s Small) walk(visit func(n ast.Node)) {
	var down func(n ast.Node)
	down = func(n ast.Node) {
		visit(n)
		for c := n.FirstChild(); c != nil; c = c.NextSibling() {
			down(c)
		}
	}
	if s.root != nil {
		down(s.root)
	}
}

func (s Small) render(blocks bool) string {
	if s.root == nil {
		return ""
	}
	w := smallWriter{Small: s, blocks: blocks}
	w.children(s.root)
	return strings.TrimSpace(w.out.String())
}

// said is the text of a node itself.
func (s Small) said(n ast.Node) string {
	t, ok := n.(*ast.Text)
	if !ok {
		return ""
	}
	said := string(util.ResolveEntityNames(util.ResolveNumericReferences(util.UnescapePunctuations(t.Value(s.source)))))
	if t.SoftLineBreak() || t.HardLineBreak() {
		said += "\n"
	}
	return said
}

// smallWriter writes HTML.
type smallWriter struct {
	Small
	blocks bool
	out    strings.Builder
}

func (w *smallWriter) children(n ast.Node) {
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		w.node(c)
	}
}

func (w *smallWriter) node(n ast.Node) {
	switch x := n.(type) {
	case *ast.Text:
		w.out.WriteString(html.EscapeString(w.said(x)))
	case *ast.Emphasis:
		if x.Level > 1 {
			w.within("strong", x)
		} else {
			w.within("em", x)
		}
	case *ast.Link:
		if !IsLink(string(x.Destination)) {
			w.children(x)
			return
		}
		address := html.EscapeString(string(x.Destination))
		w.out.WriteString(`<a href="` + address + `" target="_blank" rel="noopener">`)
		w.children(x)
		w.out.WriteString("</a>")
	case *ast.Paragraph:
		w.block("p", x)
	case *ast.List:
		if x.IsOrdered() {
			w.block("ol", x)
		} else {
			w.block("ul", x)
		}
	case *ast.ListItem:
		w.block("li", x)
	default:
		w.children(n)
	}
}

func (w *smallWriter) within(tag string, n ast.Node) {
	w.out.WriteString("<" + tag + ">")
	w.children(n)
	w.out.WriteString("</" + tag + ">")
}

// block is within for what stands by itself; within a line it is text.
func (w *smallWriter) block(tag string, n ast.Node) {
	if w.blocks {
		w.within(tag, n)
		w.out.WriteByte('\n')
		return
	}
	if n.PreviousSibling() != nil {
		w.out.WriteByte('\n')
	}
	w.children(n)
}
