package forms_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"hookgate/forms"
)

// Promise: T8, T13.
func TestPageHeaders(t *testing.T) {
	t.Parallel()
	f := mustCompile(t, everything)
	headers := map[string]string{}
	for _, h := range forms.PageHeaders(f, forms.German) {
		headers[h.Name] = h.Value
	}
	policy := headers["Content-Security-Policy"]
	for _, part := range []string{
		"default-src 'none';", "base-uri 'none';", "form-action 'self' https://a.example https://c.example;", "frame-ancestors 'self' https://a.example",
	} {
		if !strings.Contains(policy, part) {
			t.Errorf("the policy has no %q: %s", part, policy)
		}
	}
	if headers["Content-Language"] != "de" || headers["Content-Type"] != "text/html; charset=utf-8" {
		t.Errorf("headers %v", headers)
	}
	if got := forms.PageHeaders(nil, forms.English); !strings.HasSuffix(got[2].Value, "form-action 'self'; frame-ancestors 'self'") {
		t.Errorf("without a form: %v", got)
	}

	// The policy allows the style of every page, and the pages need no more.
	pages := map[string]func(io.Writer) error{
		"thanks":   func(w io.Writer) error { return f.RenderThanks(w, forms.English, 1, "https://a.example/") },
		"error":    func(w io.Writer) error { return (*forms.Form)(nil).RenderError(w, forms.English, 429, "") },
		"problems": func(w io.Writer) error { return f.RenderProblems(w, forms.English, "/f/x", f.Submit(nil)) },
	}
	for name, render := range pages {
		var page bytes.Buffer
		if err := render(&page); err != nil {
			t.Fatal(err)
		}
		p := parse(t, page.Bytes())
		styles := p.find("style", "", "")
		if len(styles) != 1 {
			t.Fatalf("%s: %d styles", name, len(styles))
		}
		sum := sha256.Sum256([]byte(rawText(styles[0])))
		if hash := base64.StdEncoding.EncodeToString(sum[:]); !strings.Contains(policy, "style-src 'sha256-"+hash+"'") {
			t.Errorf("%s: the style's hash %s is not in %s", name, hash, policy)
		}
		for _, tag := range []string{"script", "link", "img", "iframe", "base"} {
			if len(p.find(tag, "", "")) > 0 {
				t.Errorf("%s: the page has a %s", name, tag)
			}
		}
		for n := range p.root.Descendants() {
			if n.Type == html.ElementNode && has(n, "style") {
				t.Errorf("%s: the policy forbids the style attribute of %s", name, n.Data)
			}
		}
	}
}
