package forms_test

import (
	"bytes"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"hookgate/forms"
	"hookgate/internal/body"
)

// parsed is an HTML page with the questions that tests have.
type parsed struct{ root *html.Node }

func parse(t testing.TB, page []byte) parsed {
	t.Helper()
	root, err := html.Parse(bytes.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	return parsed{root}
}

// find are the elements with that tag and, if attr is not "", that attribute.
func (p parsed) find(tag, attr, value string) []*html.Node {
	var list []*html.Node
	for n := range p.root.Descendants() {
		if n.Type == html.ElementNode && (tag == "" || n.Data == tag) && (attr == "" || get(n, attr) == value) {
			list = append(list, n)
		}
	}
	return list
}

func get(n *html.Node, attr string) string {
	for _, a := range n.Attr {
		if a.Key == attr {
			return a.Val
		}
	}
	return ""
}

func has(n *html.Node, attr string) bool {
	for _, a := range n.Attr {
		if a.Key == attr {
			return true
		}
	}
	return false
}

func text(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		}
	}
	return strings.TrimSpace(b.String())
}

func problems(t testing.TB, f *forms.Form, lang forms.Lang, posted []body.Field) parsed {
	t.Helper()
	r := f.Submit(posted)
	if len(r.Problems) == 0 {
		t.Fatal("the post has no problems")
	}
	var page bytes.Buffer
	if err := f.RenderProblems(&page, lang, "/f/contact", r); err != nil {
		t.Fatal(err)
	}
	return parse(t, page.Bytes())
}

func rawText(n *html.Node) string {
	if n.FirstChild == nil {
		return ""
	}
	return n.FirstChild.Data
}
