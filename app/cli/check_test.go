package cli_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func mustWriteConfig(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(path, []byte("version: 1\nsources: { s: { type: webhook, token: 0123456789abcdef0123 } }\n"+text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// What a reload would refuse is not valid for check: it runs the tests.
func TestCheck_testsFail(t *testing.T) {
	t.Parallel()
	const rest = `connections: { a: { type: webhook, url: https://a.example/ } }
rules: [{ name: r, from: s, when: data.n == 1, then: [{ to: a, json: {} }] }]
tests: [{ name: one, event: { source: s, data: { n: N } }, expect: [r/a] }]
`
	if got := run(t, "check", "-c", mustWriteConfig(t, strings.Replace(rest, "N", "1", 1))); got.code != 0 {
		t.Errorf("a test that passes: got %+v", got)
	}
	path := mustWriteConfig(t, strings.Replace(rest, "N", "2", 1))
	if got := run(t, "check", "-c", path); got.code != 1 || !strings.Contains(got.errOut, "error[test-failed]") || !strings.Contains(got.errOut, `"one"`) {
		t.Errorf("got %+v, want exit 1 and the test", got)
	}
	if got := run(t, "check", "--json", "-c", path); got.code != 1 || !strings.Contains(got.out, `"ok": false`) || !strings.Contains(got.out, "test-failed") {
		t.Errorf("--json: got %+v", got)
	}
}

// A database whose address is known to be wrong is not asked, and no part of
// it, which can be one of the password, is shown.
func TestCheck_badDatabaseURL(t *testing.T) {
	t.Parallel()
	for _, url := range []string{
		"postgres://u:c4n@ryword@127.0.0.1:1/db", "postgres://u:c4n/aryword@127.0.0.1:1/db", "postgres://u:12?c4naryword@127.0.0.1:1/db",
		"postgres://u:c4n%ZZaryword@127.0.0.1:1/db", "postgres://u:c4naryword@127.0.0.1:1x/db",
		"postgres://u:c4n#aryword@127.0.0.1:1/db", "postgres://u:p@127.0.0.1:1/db?sslmode=c4naryword", "c4naryword",
	} {
		for _, args := range [][]string{{"check"}, {"check", "--json"}, {"serve"}} {
			path := mustWriteConfig(t, "storage: { url: \"${DB}\" }\n")
			if err := os.WriteFile(filepath.Join(filepath.Dir(path), ".env"), []byte("DB='"+url+"'\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			got := run(t, append(args, "-c", path)...)
			said := got.errOut + got.out
			if got.code != 3 || strings.Contains(said, "c4n") || strings.Contains(said, "aryword") || strings.Contains(said, "lookup") {
				t.Errorf("%v %s: got %d\n%s", args, url, got.code, said)
			}
		}
	}
}

// A file of another kind is no database; an empty one is one to be.
func TestCheck_fileAsDatabase(t *testing.T) {
	t.Parallel()
	for content, want := range map[string]string{"": "", "short": "is no SQLite database", strings.Repeat("a text, longer than a page's head\n", 40): "is no SQLite database"} {
		path := filepath.Join(t.TempDir(), "h.db")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		got := run(t, "check", "-c", mustWriteConfig(t, "storage: { path: '"+path+"' }\n"))
		if (got.code == 0) != (want == "") || !strings.Contains(got.errOut, want) || strings.Contains(got.errOut, "no such table") || strings.Contains(got.errOut, "not looked at") {
			t.Errorf("%.20q: got %+v", content, got)
		}
	}
}

// A directory is no database.
func TestCheck_directoryAsDatabase(t *testing.T) {
	t.Parallel()
	got := run(t, "check", "-c", mustWriteConfig(t, "storage: { path: '"+t.TempDir()+"' }\n"))
	if got.code != 3 || !strings.Contains(got.errOut, "error[bad-file]") || !strings.Contains(got.errOut, "is a directory") {
		t.Errorf("got %+v", got)
	}
}

// What beginners write gets its place, its cause and the remedy, as they see
// them: no such mistake is green. MISTAKE stands where the table says.
func TestCheck_mistakes(t *testing.T) {
	t.Parallel()
	const when = "rules: [{ name: r, from: s, then: [{ to: a, text: x }], when: MISTAKE }]"
	const text = "rules:\n  - name: r\n    from: s\n    then:\n      - to: a\n        text: MISTAKE\n"
	const block = "rules:\n  - name: r\n    from: s\n    when: MISTAKE\n    then: [{ to: a, text: x }]\n"
	for _, tt := range []struct{ config, mistake, want string }{
		{when, `data.website.title`, `warn[type-mismatch] config.yaml:4:63: data.website.title is a text, not true or false: the rule fails; compare it: data.website.title != nil, or data.website.title == …`},
		{block, `data.website.title in "Done"`, `error[expr-type] config.yaml:7:33: "in" needs a list, and this is a text; write data.website.title == "Done", or in ["Done", …]`},
		{when, `data.website.title.length > 3`, `warn[unseen-field] config.yaml:4:82: no event is known to have data.website.title.length; write len(data.website.title)`},
		{block, `event == "website_created"`, `error[expr-type] config.yaml:7:11: "event" is an object, and equal to no single value; write event.type`},
		{block, `event.type == ["website_created"]`, `error[expr-type] config.yaml:7:17: event.type is a text, and equal to no list; write event.type in ["website_created"]`},
		{block, `data.website.status == ["Done"]`, `warn[type-mismatch] config.yaml:7:11: == compares with the whole list: no single value of data.website.status is equal to it; write data.website.status in ["Done"]`},
		{block, `data.a == "x" or "y"`, `error[expr-type] config.yaml:7:28: "y" alone is not true or false; write data.a in ["x", "y"]`},
		{block, `startsWith(data.x, "H")`, `error[expr-syntax] config.yaml:7:11: "startsWith" is an operator, not a function; write data.x startsWith "H"`},
		{block, `!data.x`, `error[yaml-tag] config.yaml:7:11: YAML takes !data.x for a tag; put the whole value in quotes`},
		{block, `! data.x`, `error[yaml-tag] config.yaml:7:11: YAML takes ! for a tag; put the whole value in quotes`},
		{block, `!!data.x`, `error[yaml-tag] config.yaml:7:11: YAML takes !!data.x for a tag; put the whole value in quotes`},
		{block, `"Done" == data.x`, `error[yaml-syntax] config.yaml:7:18: to YAML the value ends before this; put the whole value in quotes: '"Done" == data.x'`},
		{block, `'Done' == data.x`, `error[yaml-syntax] config.yaml:7:18: to YAML the value ends before this; put the whole value in quotes: '…'`},
		{block, `if data.x == 1`, `error[expr-syntax] config.yaml:7:24: the expression ends too early; leave out the word "if"`},
		{text, `""`, `error[empty-value] config.yaml:9:15: the text of a message to Slack is empty; write what the message says`},
		{text, `*Neu*`, `error[yaml-syntax] config.yaml:9:15: YAML takes a * that begins a value for an alias; put the whole value in quotes`},
		{text, `&x Neu`, `warn[yaml-anchor] config.yaml:9:15: YAML takes &x for an anchor, and nothing refers to it; put the whole value in quotes`},
		{text, `Neu #1 ${{ data.x }}`, `warn[yaml-comment] config.yaml:9:19: YAML takes "#1 ${{ data.x }}" for a comment; put the whole value in quotes`},
		{text, `[Neu] ${{ data.x }}`, `error[yaml-syntax] config.yaml:9:21: to YAML the value ends before this; put the whole value in quotes: '[Neu] ${{ data.x }}'`},
		{text, `> 5 neue`, `error[yaml-syntax] config.yaml:9:17: YAML takes a > or | that begins a value for a block of lines; put the whole value in quotes`},
		{text, `- Neu`, `error[yaml-syntax] config.yaml:9:15: YAML takes a - that begins a value for a list; put the whole value in quotes`},
		{text, `@here Neu`, "error[yaml-syntax] config.yaml:9:15: found character that cannot start any token; put a text that begins with @, ` or % in quotes"},
		{text, `Neu: ${{ data.x }}`, `error[yaml-syntax] config.yaml:9:18: mapping values are not allowed in this context; put a text that holds ": " in quotes, and check the indentation`},
		{text, `{{ data.x }}`, `error[wrong-type] config.yaml:9:9: "text" must be a text, not a mapping; write ${{ … }} to put a value in`},
		{text, `a ${data.x}`, `warn[literal-braces] config.yaml:9:17: "${data.x}" is sent as it stands; write ${{ data.x }}`},
		{text, `a {{1.title}}`, `warn[literal-braces] config.yaml:9:17: "{{1.title}}" is sent as it stands; write ${{ data.title }}`},
		{text, `a {{ $json.x }}`, `warn[literal-braces] config.yaml:9:17: "{{ $json.x }}" is sent as it stands; write ${{ data.x }}`},
		{text, `a {data.x}`, `warn[literal-braces] config.yaml:9:17: "{data.x}" is sent as it stands; write ${{ data.x }}`},
		{text, `data.website.title`, `warn[literal-braces] config.yaml:9:15: "data.website.title" is sent as it stands; write ${{ data.website.title }}`},
		{text, `a ${{ data.x | upcase }}`, `error[expr-syntax] config.yaml:9:30: "upcase" stands behind | without parentheses; write upper(data.x)`},
		{"rules:\n  - name: r\n    from: s\n    then:\n      to: a\n      text: MISTAKE\n", `x`, `error[wrong-type] config.yaml:7:5: "then" must be a list; `},
	} {
		path := mustWriteConfig(t, "connections: { a: { type: slack, webhook_url: https://hooks.example/x } }\n"+strings.Replace(tt.config, "MISTAKE", tt.mistake, 1))
		if err := os.WriteFile(path, []byte(strings.Replace(string(mustReadFile(t, path)), "type: webhook, token", "type: sitejet, token", 1)), 0o600); err != nil {
			t.Fatal(err)
		}
		var got struct {
			Diagnostics []struct {
				Severity, Code, File, Message, Hint string
				Line, Column                        int
			}
		}
		out := run(t, "check", "--json", "-c", path)
		if err := json.Unmarshal([]byte(out.out), &got); err != nil {
			t.Fatal(err, out)
		}
		var all strings.Builder
		for _, d := range got.Diagnostics {
			fmt.Fprintf(&all, "%s[%s] %s:%d:%d: %s; %s\n", d.Severity, d.Code, filepath.Base(d.File), d.Line, d.Column, d.Message, d.Hint)
		}
		if !strings.HasPrefix(all.String(), tt.want) || strings.HasSuffix(tt.want, "; ") && strings.Contains(all.String(), "; \n") {
			t.Errorf("%s\ngot  %s\nwant %s", tt.mistake, all.String(), tt.want)
		}
	}
}

func mustReadFile(t *testing.T, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}
