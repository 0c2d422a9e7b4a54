package markup_test

import (
	"strings"
	"testing"
	"time"

	"hookgate/internal/markup"
	"hookgate/test/lab"
)

func TestSlack(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"**a**":                            "*a*",
		"*a* and __b__ and ~~c~~":          "_a_ and *b* and ~c~",
		"# Title **x**\n\nText":            "*Title x*\n\nText",
		"[site](https://x.de/a|b)":         "<https://x.de/a%7Cb|site>",
		"[**bold** & <b>](https://x.de)":   "<https://x.de|bold &amp; &lt;b&gt;>",
		"[bad](javascript:alert(1))":       "bad",
		"https://x.de/?a=1 and <ada@x.de>": "<https://x.de/?a=1> and <mailto:ada@x.de|ada@x.de>",
		"- a\n- b\n    - c":                "• a\n• b\n    • c",
		"3. a\n4. b":                       "3. a\n4. b",
		"> a\n> b":                         "> a\n> b",
		"`a < b`":                          "`a &lt; b`",
		"```go\na < b\n```":                "```\na &lt; b\n```",
		"1 < 2 & \\*no\\* &auml;":          "1 &lt; 2 &amp; *no* ä",
		"<script>x</script>":               "&lt;script&gt;x&lt;/script&gt;",
		"<!channel> <@U123>":               "&lt;!channel&gt; &lt;@U123&gt;",
		"![logo](https://x.de/l.png)":      "<https://x.de/l.png|logo>",
		"a\n\n---\n\nb":                    "a\n\n———\n\nb",
		"":                                 "",
	} {
		if got, err := markup.Slack(in); err != nil || got != want {
			t.Errorf("%q\ngot  %q, %v\nwant %q", in, got, err, want)
		}
	}
}

func TestHTML(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"**a** *b*":                  "<p><strong>a</strong> <em>b</em></p>",
		"<b onclick=x>":              "<p>&lt;b onclick=x&gt;</p>",
		"[a](javascript:alert(1))":   `<p><a href="">a</a></p>`,
		"[a](https://x.de?a=1&b=\")": "<p><a href=\"https://x.de?a=1&amp;b=%22\">a</a></p>",
		"- a\n- b":                   "<ul>\n<li>a</li>\n<li>b</li>\n</ul>",
		"# a":                        "<h1>a</h1>",
		"<!-- a -->\n\n&amp;":        "<p>&lt;!-- a --&gt;</p>\n<p>&amp;</p>",
		"":                           "",
	} {
		got, err := markup.HTML(in)
		if err != nil || got != want {
			t.Errorf("%q\ngot  %q, %v\nwant %q", in, got, err, want)
		}
	}
}

func TestText(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"<p>Hello <b>Ada</b>,<br>see <a href='https://x.de'>this</a>.</p><ul><li>a<li>b</ul>": "Hello Ada,\nsee this (https://x.de).\n\n- a\n- b",
		"<style>x</style>a &amp; b": "a & b",
		"no markup":                 "no markup",
	} {
		if got := markup.Text(in); got != want {
			t.Errorf("%q\ngot  %q\nwant %q", in, got, want)
		}
	}
}

// What is made to cost much is refused, or costs little. Without bounded it
// takes an hour.
func TestMarkdown_hostile(t *testing.T) { //nolint:paralleltest // it measures time
	const allowed = 10 * time.Second // milliseconds as a rule; without bounded an hour and more
	for _, part := range []string{
		"[", "![", "*a ", "**a", "> ", ">", "- ", "* ", "- * ", "+ ", "`", "<a ", "&lt", "[a](", "~~", "_a_", "a**b", "1. ", "\\", "[a]: x\n", "<a><b>", "http://x ", "-\n", "    a\n", "> - ", "> > > > > >\n",
	} {
		for _, size := range []int{1_000, 10_000, 1_000_000} {
			in := strings.Repeat(part, size/len(part))
			var err, other error
			took := lab.CPU(func() {
				_, err = markup.Slack(in)
				_, other = markup.HTML(in)
			})
			if (err == nil) != (other == nil) {
				t.Errorf("%q: %v, %v", part, err, other)
			}
			if size == 1_000_000 && err == nil {
				t.Errorf("%q: a text of 1 MB is read", part)
			}
			if took > allowed {
				t.Errorf("%q: %d bytes took %v", part, size, took)
			}
		}
	}
}

func TestSmall(t *testing.T) {
	t.Parallel()
	for in, want := range map[string][3]string{
		"I accept the [privacy notice](https://x.de/p).": {
			`I accept the <a href="https://x.de/p" target="_blank" rel="noopener">privacy notice</a>.`,
			`<p>I accept the <a href="https://x.de/p" target="_blank" rel="noopener">privacy notice</a>.</p>`, "I accept the privacy notice.",
		},
		"**a** *b* first_name 5 * 3": {"<strong>a</strong> <em>b</em> first_name 5 * 3", "<p><strong>a</strong> <em>b</em> first_name 5 * 3</p>", "a b first_name 5 * 3"},
		"We ask for\n\n- a\n- b":     {"We ask for\na\nb", "<p>We ask for</p>\n<ul><li>a</li>\n<li>b</li>\n</ul>", "We ask for\na\nb"},
		"# a <b> `c` ![d](e) &amp;":  {"# a &lt;b&gt; `c` d &amp;", "<p># a &lt;b&gt; `c` d &amp;</p>", "# a <b> `c` d &"},
		"> a\n---":                   {"&gt; a\n---", "<p>&gt; a\n---</p>", "> a\n---"},
		"":                           {},
	} {
		s, err := markup.ReadSmall(in)
		if got := [3]string{s.Line(), s.Blocks(), s.Plain()}; err != nil || got != want {
			t.Errorf("%q\ngot  %q, %v\nwant %q", in, got, err, want)
		}
	}
	s, err := markup.ReadSmall("[a](https://x.de) [b](javascript:alert)")
	if got := strings.Join(s.Links(), " "); err != nil || got != "https://x.de javascript:alert" {
		t.Errorf("got %q, %v", got, err)
	}
	if got := (markup.Small{}).Blocks() + (markup.Small{}).Plain(); got != "" {
		t.Errorf("got %q", got)
	}
	if _, err := markup.ReadSmall(strings.Repeat("[", 5_000)); err == nil {
		t.Error("what costs much is read")
	}
}
