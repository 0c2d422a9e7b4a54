// Package markup turns texts with markup into others: HTML into text, Markdown
// into HTML and into what Slack reads.
package markup

import (
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// Text is HTML as text: blocks become lines, list items get a dash, links
// keep their address, and what is not shown is left out.
func Text(source string) string {
	var b strings.Builder
	z := html.NewTokenizer(strings.NewReader(source))
	hidden, link := 0, ""
	for {
		switch z.Next() {
		case html.ErrorToken:
			return tidy(b.String())
		case html.TextToken:
			if hidden == 0 {
				b.WriteString(oneLine.Replace(string(z.Text())))
			}
		case html.StartTagToken, html.SelfClosingTagToken:
			token := z.Token()
			switch token.DataAtom {
			case atom.Script, atom.Style, atom.Head, atom.Title:
				if token.Type == html.StartTagToken {
					hidden++
				}
			case atom.A:
				link = attribute(token, "href")
			case atom.Li:
				b.WriteString("\n- ")
			default:
				b.WriteString(lineBefore(token.DataAtom))
			}
		case html.EndTagToken:
			token := z.Token()
			switch token.DataAtom {
			case atom.Script, atom.Style, atom.Head, atom.Title:
				hidden = max(0, hidden-1)
			case atom.A:
				if strings.HasPrefix(link, "http") {
					b.WriteString(" (" + link + ")")
				}
				link = ""
			default:
				b.WriteString(lineBefore(token.DataAtom))
			}
		case html.CommentToken, html.DoctypeToken:
		}
	}
}

// lineBefore is what parts an element from the text around it.
func lineBefore(element atom.Atom) string {
	switch element {
	case atom.P, atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6, atom.Table, atom.Ul, atom.Ol, atom.Blockquote, atom.Pre:
		return "\n\n"
	case atom.Br, atom.Div, atom.Tr, atom.Hr, atom.Section, atom.Header, atom.Footer, atom.Article:
		return "\n"
	case atom.Td, atom.Th:
		return " "
	default:
		return ""
	}
}

// oneLine takes the source's own line ends out, which HTML shows as spaces.
var oneLine = strings.NewReplacer("\n", " ", "\r", " ", "\t", " ")

func attribute(token html.Token, name string) string {
	for _, a := range token.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// tidy takes spaces off the lines' ends and leaves at most one empty line
// between two others.
func tidy(text string) string {
	var lines []string
	empty := true
	for line := range strings.SplitSeq(text, "\n") {
		line = strings.Join(strings.Fields(line), " ")
		if line == "" && empty {
			continue
		}
		empty = line == ""
		lines = append(lines, line)
	}
	return strings.TrimSpace(strings.Join(lines, "\n"))
}
