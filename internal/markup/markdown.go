package markup

import (
	"bytes"
	"errors"
	"strconv"
	"strings"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	extast "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/renderer"
	"github.com/yuin/goldmark/renderer/html"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// The parsers of Markdown. HTML in it is text like any other, so that what
// comes of it holds no more than Markdown can say. Their order is goldmark's.
var (
	blocks = parser.NewParser(
		parser.WithBlockParsers(
			util.Prioritized(parser.NewSetextHeadingParser(), 100),
			util.Prioritized(parser.NewThematicBreakParser(), 200),
			util.Prioritized(parser.NewListParser(), 300),
			util.Prioritized(parser.NewListItemParser(), 400),
			util.Prioritized(parser.NewCodeBlockParser(), 500),
			util.Prioritized(parser.NewATXHeadingParser(), 600),
			util.Prioritized(parser.NewFencedCodeBlockParser(), 700),
			util.Prioritized(parser.NewBlockquoteParser(), 800),
			util.Prioritized(parser.NewParagraphParser(), 1000),
		),
		parser.WithInlineParsers(
			util.Prioritized(parser.NewCodeSpanParser(), 100),
			util.Prioritized(parser.NewLinkParser(), 200),
			util.Prioritized(parser.NewAutoLinkParser(), 300),
			util.Prioritized(parser.NewEmphasisParser(), 500),
			util.Prioritized(extension.NewStrikethroughParser(), 500),
			util.Prioritized(extension.NewLinkifyParser(), 999),
		),
		parser.WithParagraphTransformers(parser.DefaultParagraphTransformers()...),
	)
	pages = renderer.NewRenderer(renderer.WithNodeRenderers(
		util.Prioritized(html.NewRenderer(), 1000),
		util.Prioritized(extension.NewStrikethroughHTMLRenderer(), 500),
	))
)

// The bounds of a Markdown text: goldmark needs the square of some of them.
const (
	maxMarkdown = 50_000 // bytes
	maxNested   = 20     // marks of quotes and lists that begin one line
	maxBrackets = 1_000
	maxMarks    = 3_000 // * _ ~ and `
)

// ErrTooMuch is the error of a text that would take too long to read.
var ErrTooMuch = errors.New("the Markdown is too long, or nested too deep")

// bounded refuses a text that would take long to read.
func bounded(source string) error {
	if len(source) > maxMarkdown || strings.Count(source, "[") > maxBrackets {
		return ErrTooMuch
	}
	marks := 0
	for _, mark := range []string{"*", "_", "~", "`"} {
		marks += strings.Count(source, mark)
	}
	if marks > maxMarks {
		return ErrTooMuch
	}
	for line := range strings.Lines(source) {
		rest := strings.TrimLeft(line, "0123456789.)>-+* \t")
		begin := line[:len(line)-len(rest)]
		nested := 0
		for _, mark := range []string{">", "-", "+", "*", ".", ")"} {
			nested += strings.Count(begin, mark)
		}
		if nested > maxNested && !rule(begin) {
			return ErrTooMuch
		}
	}
	return nil
}

// rule reports whether a line is nothing but the marks of a thematic break.
func rule(line string) bool {
	marks := strings.Join(strings.Fields(line), "")
	return strings.Trim(marks, "-") == "" || strings.Trim(marks, "*") == ""
}

// HTML is Markdown as HTML. Tags in it are shown as they are written, and a
// link that would run a script leads nowhere.
func HTML(source string) (string, error) {
	if err := bounded(source); err != nil {
		return "", err
	}
	in := []byte(source)
	var out bytes.Buffer
	if err := pages.Render(&out, in, blocks.Parse(text.NewReader(in))); err != nil {
		return "", err //nolint:wrapcheck // the caller says what was rendered
	}
	return strings.TrimRight(out.String(), "\n"), nil
}

// Slack is Markdown in the form that Slack's texts have.
func Slack(source string) (string, error) {
	if err := bounded(source); err != nil {
		return "", err
	}
	in := []byte(source)
	s := slackWriter{source: in}
	s.blocks(blocks.Parse(text.NewReader(in)), "\n\n")
	return strings.TrimSpace(s.out.String()), nil
}

// slackWriter writes a tree of Markdown as a text of Slack's.
type slackWriter struct {
	source []byte
	out    strings.Builder
	bold   bool // the text is bold already
}

// blocks writes the children of n with gap between them.
func (s *slackWriter) blocks(n ast.Node, gap string) {
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		if c.PreviousSibling() != nil {
			s.out.WriteString(gap)
		}
		s.block(c)
	}
}

func (s *slackWriter) block(n ast.Node) {
	switch x := n.(type) {
	case *ast.Heading:
		s.marked("*", x)
	case *ast.ThematicBreak:
		s.out.WriteString("———")
	case *ast.CodeBlock:
		s.code(x.Lines())
	case *ast.FencedCodeBlock:
		s.code(x.Lines())
	case *ast.Blockquote:
		s.indented("> ", "> ", x)
	case *ast.List:
		s.list(x)
	default:
		s.inline(n)
	}
}

func (s *slackWriter) list(list *ast.List) {
	number := list.Start
	for item := list.FirstChild(); item != nil; item = item.NextSibling() {
		mark := "• "
		if list.IsOrdered() {
			mark = strconv.Itoa(number) + ". "
			number++
		}
		if item.PreviousSibling() != nil {
			s.out.WriteByte('\n')
		}
		s.indented(mark, "    ", item)
	}
}

// indented writes the blocks in n with first before their first line and then
// before each other.
func (s *slackWriter) indented(first, then string, n ast.Node) {
	inner := slackWriter{source: s.source, bold: s.bold}
	inner.blocks(n, "\n")
	s.out.WriteString(first + strings.ReplaceAll(inner.out.String(), "\n", "\n"+then))
}

func (s *slackWriter) code(lines *text.Segments) {
	s.out.WriteString("```\n" + escapeSlack(string(lines.Value(s.source))) + "```")
}

func (s *slackWriter) inline(n ast.Node) {
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		s.span(c)
	}
}

func (s *slackWriter) span(n ast.Node) {
	switch x := n.(type) {
	case *ast.Text:
		s.text(string(x.Value(s.source)), x.IsRaw())
		if x.SoftLineBreak() || x.HardLineBreak() {
			s.out.WriteByte('\n')
		}
	case *ast.String:
		s.text(string(x.Value), x.IsRaw())
	case *ast.CodeSpan:
		s.marked("`", x)
	case *ast.Emphasis:
		if x.Level > 1 {
			s.marked("*", x)
		} else {
			s.marked("_", x)
		}
	case *extast.Strikethrough:
		s.marked("~", x)
	case *ast.Link:
		s.link(string(x.Destination), x)
	case *ast.Image:
		s.link(string(x.Destination), x)
	case *ast.AutoLink:
		address := string(x.URL(s.source))
		if x.AutoLinkType == ast.AutoLinkEmail {
			address = "mailto:" + strings.TrimPrefix(address, "mailto:")
		}
		s.address(address, escapeSlack(string(x.Label(s.source))))
	default:
		s.inline(n)
	}
}

// text writes a text, whose escapes and entities are still Markdown's unless
// it is raw.
func (s *slackWriter) text(value string, raw bool) {
	if !raw {
		plain := util.UnescapePunctuations([]byte(value))
		value = string(util.ResolveEntityNames(util.ResolveNumericReferences(plain)))
	}
	s.out.WriteString(escapeSlack(value))
}

// marked writes what is in n between two marks. Bold in bold has one pair.
func (s *slackWriter) marked(mark string, n ast.Node) {
	if mark == "*" {
		if s.bold {
			s.inline(n)
			return
		}
		s.bold = true
		defer func() { s.bold = false }()
	}
	s.out.WriteString(mark)
	s.inline(n)
	s.out.WriteString(mark)
}

func (s *slackWriter) link(destination string, n ast.Node) {
	inner := slackWriter{source: s.source, bold: true}
	inner.inline(n)
	address := string(util.UnescapePunctuations([]byte(destination)))
	if !strings.HasPrefix(address, "http://") && !strings.HasPrefix(address, "https://") && !strings.HasPrefix(address, "mailto:") {
		s.out.WriteString(inner.out.String()) // Slack links nothing else
		return
	}
	s.address(address, inner.out.String())
}

// address writes a link with a label, which is escaped, unless it says the same.
func (s *slackWriter) address(address, label string) {
	address = strings.NewReplacer("|", "%7C", ">", "%3E", "<", "%3C", "\n", "").Replace(address)
	s.out.WriteString("<" + address)
	if label != "" && label != address {
		s.out.WriteString("|" + strings.ReplaceAll(label, "|", "¦"))
	}
	s.out.WriteString(">")
}

// escapeSlack writes the three characters that Slack reads as its own.
func escapeSlack(text string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(text)
}
