package forms_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hookgate/forms"
	"hookgate/internal/body"
	"hookgate/internal/yamlnode"
)

var (
	key  = []byte("0123456789abcdef0123456789abcdef")
	noon = time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)
)

func judge(t *testing.T, f *forms.Form, now time.Time, posted ...body.Field) string {
	t.Helper()
	r := f.Submit(posted)
	if len(r.Problems) > 0 {
		t.Fatalf("problems %v", r.Problems)
	}
	return f.Judge(&r, &forms.Visit{Key: key, Now: now})
}

func TestJudge_blocklist(t *testing.T) {
	t.Parallel()
	f := mustCompile(t, `
fields: { name: {}, email: { type: email }, site: { type: url }, text: {} }
max_links: 1
blocklist:
  words: ["casino*", "buy now", "C++"]
  domains: [spam.example, "@BÜCHER.example"]
`)
	for _, c := range []struct{ field, text, want string }{
		{"text", "A casino night", `the word "casino"`},
		{"text", "CASINOS!", `the word "CASINOS"`},
		{"name", "Buy \n NOW", "the word \"Buy \\n NOW\""},
		{"text", "we write C++", `the word "C++"`},
		{"text", "Kasino, my casi no, buy nowadays, xcasino", ""},
		{"other", "a casino", `the word "casino"`},
		{"email", "bot@spam.example", "an address at spam.example"},
		{"email", "bot@mail.SPAM.example", "an address at spam.example"},
		{"email", "ada@notspam.example", ""},
		{"email", "ada@bücher.example", "an address at xn--bcher-kva.example"},
		{"text", "see https://www.spam.example/x?y", "a link to spam.example"},
		{"text", "see www.spam.example.", "a link to spam.example"},
		{"text", "we had spam.example in our inbox", ""},
		{"text", "http://a.example", ""},
		{"text", "http://a.example https://b.example", "max_links: 2 links, more than 1"},
		{"text", `<a href="http://a.example">x</a> [url=b]`, "max_links: 3 links, more than 1"},
		{"site", "https://a.example/http://b/http://c", ""},
		{"text", "nothing at all", ""},
	} {
		got := judge(t, f, noon, fields(c.field, c.text)...)
		if (c.want == "") != (got == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s %q: got %q, want %q", c.field, c.text, got, c.want)
		}
	}
	nested := body.Field{Name: "deep", Value: map[string]any{"a": []any{"x", map[string]any{"b": "casino"}}}}
	if got := judge(t, f, noon, nested); !strings.Contains(got, "casino") {
		t.Errorf("nested in JSON: %q", got)
	}
}

func TestJudge_disposable(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("list.txt", "# throw-away\nmailinator.com\n\n Trash.Example # a comment\n")
	write("bad.txt", "mailinator.com\nhttps://no/domain\n")
	load := func(text string) (*forms.Form, error) {
		n, list := yamlnode.Parse(filepath.Join(dir, "config.yaml"), []byte(text))
		if list.Err() != nil {
			t.Fatal(list.Err())
		}
		f, list := forms.Compile(yamlnode.Plain("contact"), n)
		return f, list.Err()
	}
	f, err := load("fields: any\nblocklist: { disposable: list.txt }")
	if err != nil {
		t.Fatal(err)
	}
	for text, spam := range map[string]bool{
		"bot@mailinator.com": true, "bot@x.trash.example": true, "Bot <bot@mailinator.com>": true, "ada@example.com": false, "mailinator.com is bad": false,
	} {
		for _, field := range []string{"mail", "_replyto"} {
			if got := judge(t, f, noon, fields(field, text)...); (got != "") != spam {
				t.Errorf("%s %q: %q", field, text, got)
			}
		}
	}
	for file, want := range map[string]string{"bad.txt": "bad.txt, line 2: this is no domain", "none.txt": "is not there", "..": "is not there"} {
		if _, err := load("fields: any\nblocklist: { disposable: " + file + " }"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", file, err)
		}
	}
}

// A time token says when the visitor got the form, and nobody can make one.
func TestJudge_minTime(t *testing.T) {
	t.Parallel()
	f := mustCompile(t, "fields: { name: {} }\nmin_time: 3s")
	token := f.Started(key, noon)
	other, list := forms.Compile(yamlnode.Plain("other"), mustParse(t, "fields: any\nmin_time: 3s"))
	if list.Err() != nil {
		t.Fatal(list.Err())
	}
	for name, c := range map[string]struct {
		token string
		after time.Duration
		want  string
	}{
		"in time":          {token, 3 * time.Second, ""},
		"much later":       {token, 6 * 24 * time.Hour, ""},
		"at once":          {token, 800 * time.Millisecond, "filled in within 800ms, less than 3s"},
		"too late":         {token, 8 * 24 * time.Hour, "older than 7 days"},
		"before":           {token, -time.Hour, "filled in within 0s"},
		"none":             {"", time.Hour, "no time token"},
		"another time":     {"0" + token, time.Hour, "not ours"},
		"another form's":   {other.Started(key, noon), time.Hour, "not ours"},
		"another server's": {f.Started([]byte("x"), noon), time.Hour, "not ours"},
		"made up":          {"abc.def", time.Hour, "not ours"},
		"no number":        {".", time.Hour, "not ours"},
	} {
		got := judge(t, f, noon.Add(c.after), fields("name", "Ada", "_started", c.token)...)
		if (c.want == "") != (got == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
	if r := f.Submit(fields("_started", token)); strings.Contains(string(r.Data), "_started") {
		t.Errorf("the token is data: %s", r.Data)
	}
	script, err := f.StartedScript(key, noon)
	if err != nil || !strings.Contains(script, token) || !strings.Contains(script, `[data-form=\"contact\"]`) {
		t.Errorf("script %s, %v", script, err)
	}
	if !f.Timed() || mustCompile(t, "fields: any").Timed() {
		t.Error("a form needs a token or not, the wrong way round")
	}
}

func mustParse(t *testing.T, text string) yamlnode.Node {
	t.Helper()
	n, list := yamlnode.Parse("config.yaml", []byte(text))
	if list.Err() != nil {
		t.Fatal(list.Err())
	}
	return n
}

func TestJudge_captcha(t *testing.T) {
	t.Parallel()
	for vendor, field := range map[string]string{"turnstile": "cf-turnstile-response", "hcaptcha": "h-captcha-response", "recaptcha": "g-recaptcha-response"} {
		f := mustCompile(t, "fields: { name: {} }\ncaptcha: { type: "+vendor+", secret: geheim, sitekey: public-key }")
		if got := judge(t, f, noon, fields("name", "Ada")...); got != "captcha: no answer was sent" {
			t.Errorf("%s: %q", vendor, got)
		}
		r := f.Submit(fields("name", "Ada", field, "answer"))
		if got := f.Judge(&r, &forms.Visit{Key: key, Now: noon}); got != "" || f.CaptchaAnswer(&r) != "answer" || strings.Contains(string(r.Data), "answer") {
			t.Errorf("%s: %q, answer %q, data %s", vendor, got, f.CaptchaAnswer(&r), r.Data)
		}
		if c := f.Captcha(); !strings.HasPrefix(c.VerifyURL, "https://") || c.Secret.Reveal() != "geheim" {
			t.Errorf("%s: %+v", vendor, c)
		}
		// The pages show it, and the policy allows what it loads.
		_, page := hosted(t, f, forms.English)
		snippet, err := f.Snippet(forms.PlainSnippet, "", "https://hooks.example/f/contact")
		if err != nil {
			t.Fatal(err)
		}
		for _, html := range []string{page, snippet} {
			if !strings.Contains(html, `data-sitekey="public-key"`) || strings.Contains(html, "geheim") {
				t.Errorf("%s: not shown, or its secret is: %s", vendor, html)
			}
		}
		script := parse(t, []byte(page)).find("script", "", "")
		policy := ""
		for _, h := range forms.PageHeaders(f, forms.English) {
			if h.Name == "Content-Security-Policy" {
				policy = h.Value
			}
		}
		host := strings.Join(strings.Split(get(script[0], "src"), "/")[:3], "/")
		if !strings.Contains(policy, "script-src ") || !strings.Contains(policy, "frame-src https://") {
			t.Errorf("%s: policy %s for %s", vendor, policy, host)
		}
	}
	f := mustCompile(t, "fields: { name: {} }\ncaptcha: { type: turnstile, secret: s, verify_url: 'http://127.0.0.1:9/verify' }")
	if got := f.Captcha().VerifyURL; got != "http://127.0.0.1:9/verify" {
		t.Errorf("verify_url %s", got)
	}
	if _, page := hosted(t, f, forms.English); strings.Contains(page, "<script") {
		t.Error("a captcha without its public key is shown")
	}
	_, warnings := compile(t, "fields: any\ncaptcha: { type: turnstile, secret: s }")
	if len(warnings) != 1 || warnings[0].Code != "no-sitekey" || warnings.Err() != nil {
		t.Errorf("without its public key: %v", warnings)
	}
}

func TestForm_Snippet_timed(t *testing.T) {
	t.Parallel()
	f := mustCompile(t, "fields: { name: {} }\nmin_time: 3s")
	text, err := f.Snippet(forms.PlainSnippet, "", "https://hooks.example/f/contact")
	if err != nil || !strings.Contains(text, `name="_started" value="" data-form="contact"`) || !strings.Contains(text, `src="https://hooks.example/f/contact/started.js"`) {
		t.Errorf("%v\n%s", err, text)
	}
}
