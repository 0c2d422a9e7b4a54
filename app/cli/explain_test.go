package cli_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"
)

// agency is the configuration of the sessions that the documentation prints.
func agency(t *testing.T) (config, sample string) {
	t.Helper()
	config = writeConfig(t, fixture(t, "agency.yaml"))
	sample = filepath.Join(filepath.Dir(config), "fixtures", "website_status_changed.json")
	text, err := os.ReadFile(filepath.Join("..", "ingest", "samples", "files", "sitejet", "website_status_changed.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Dir(sample), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(sample, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return config, sample
}

func TestExplain(t *testing.T) {
	t.Parallel()
	config, sample := agency(t)
	for name, c := range map[string]struct {
		stdin string
		args  []string
		code  int
	}{
		"session":  {args: []string{sample, "--source", "sitejet"}},
		"set":      {args: []string{sample, "--source", "sitejet", "--set", "previousStatus=Interest", "--set", "website.status=Preparation", "-v"}},
		"error":    {args: []string{sample, "--source", "sitejet", "--set", "website=null"}},
		"form":     {args: []string{"-", "--source", "contact"}, stdin: `name=Ada&email=ada%40example.com&message=Hi&consent=on&budget=7000`},
		"refused":  {args: []string{"-", "--source", "contact"}, stdin: `{"name": "Ada", "email": "ada@"}`, code: 1},
		"rejected": {args: []string{"-", "--source", "sitejet"}, stdin: "{\"a\": 1,\n}", code: 1},
		"spam":     {args: []string{"-", "--source", "contact"}, stdin: `name=Bot&email=bot%40example.com&message=Hi&consent=on&_gotcha=x`},
		"type":     {args: []string{"-", "--source", "sitejet", "--type", "website_created"}, stdin: `{}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := runWith(t, c.stdin, append([]string{"explain", "-c", config}, c.args...)...)
			if got.code != c.code || got.errOut != "" {
				t.Errorf("exit status %d, want %d; stderr %q", got.code, c.code, got.errOut)
			}
			golden(t, "explain_"+name, strings.ReplaceAll(got.out, filepath.Dir(config)+"/", ""))
		})
	}
}

func TestExplain_usage(t *testing.T) {
	t.Parallel()
	config, sample := agency(t)
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{sample}, "one of contact, quote, sitejet"},
		{[]string{sample, "--source", "sitjet"}, `did you mean "sitejet"?`},
		{[]string{"gone.json", "--source", "sitejet"}, "no such file"},
		{[]string{sample, "--source", "sitejet", "--set", "website.title.x=1"}, `--set website.title.x: "x" is below a text`},
		{[]string{sample, "--source", "sitejet", "--set", "x"}, "write path=value"},
		{[]string{sample, "--source", "sitejet", "--header", "x"}, "has no colon"},
		{nil, "wants a file (or -)"},
	} {
		got := run(t, append([]string{"explain", "-c", config}, c.args...)...)
		if got.code != 2 || !strings.Contains(got.errOut, c.want) {
			t.Errorf("%v: %+v, want status 2 and %q", c.args, got, c.want)
		}
	}
}

func TestExplain_json(t *testing.T) {
	t.Parallel()
	config, sample := agency(t)
	got := run(t, "explain", sample, "--source", "sitejet", "--json", "-c", config)
	var x struct {
		Source, Type, Summary string
		Matched               int
		Data                  map[string]any
		Rules                 []struct {
			Rule, Result, Reason string
			Parts                []struct {
				Text, Verdict, Note string
				At                  struct{ Line, Column, Width int }
			}
			Actions []struct {
				Name   string
				Sent   bool
				Output json.RawMessage
				Key    string `json:"ordering_key"`
			}
		}
	}
	if err := json.Unmarshal([]byte(got.out), &x); err != nil {
		t.Fatalf("%v: %s", err, got.out)
	}
	if x.Matched != 2 || len(x.Rules) != 4 || x.Summary != "Harry's Diner · Publish → Done" || x.Data["previousStatus"] != "Publish" {
		t.Errorf("got %+v", x)
	}
	first := x.Rules[0].Parts[0]
	if first.Note != `it is "Publish"` || first.At.Line == 0 || first.At.Width != len(first.Text) {
		t.Errorf("the first part is %+v", first)
	}
	if a := x.Rules[1].Actions[0]; a.Name != "activate-subscription/billing" || a.Key != "321654" || len(a.Output) == 0 {
		t.Errorf("the action is %+v", a)
	}
}

// A filter of 30 parts stays within 80 columns, and each part keeps its verdict.
func TestExplain_longFilter(t *testing.T) {
	t.Parallel()
	parts := make([]string, 30)
	for i := range parts {
		parts[i] = fmt.Sprintf(`data.website.custom_fields_of_the_agency.field_%02d == "the value %02d"`, i, i)
	}
	config := writeConfig(t, `version: 1
sources: { shop: { type: webhook, token: fedcba98765432100123 } }
connections: { billing: { type: webhook, url: https://billing.example/ } }
rules:
  - name: a-rule-with-quite-a-long-name
    from: shop
    when: `+strings.Join(parts, "\n      or ")+`
    then: [{ to: billing, json: { long: "${{ repeat('abc ', 60) }}" } }]
`)
	body := `{"website": {"custom_fields_of_the_agency": {"field_29": "the value 29", "field_07": "` + strings.Repeat("long ", 30) + `"}}}`
	got := runWith(t, body, "explain", "-", "-c", config)
	for line := range strings.Lines(got.out) {
		if n := utf8.RuneCountInString(strings.TrimRight(line, "\n")); n > 80 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
	if n := strings.Count(got.out, "false  it is"); got.code != 0 || n != 29 || strings.Count(got.out, "true\n") != 1 {
		t.Errorf("%d parts were false in\n%s", n, got.out)
	}
}

// An event that the server has kept: its own trace where the server has one,
// else what the rules of the file say.
func TestExplain_kept(t *testing.T) {
	t.Parallel()
	const why = `,"why":[{"rule":"one","result":"error","error":"data.x is null","at":{"file":"/srv/config.yaml","line":1,"column":1,"width":7},
		"parts":[{"text":"data.x.y","depth":0,"verdict":"error","error":"data.x is null"}]},{"rule":"two","result":"skipped","reason":"listens to shop"}],
		"judged_by":{"config":"7f3a91c","since":"2026-03-10T09:00:00Z","in_force":true,"known":true,"gone":[{"connection":"crm","type":"mytool"}]}`
	event := func(why string) string {
		return `{"id":"evt_7q2","time":"2026-03-10T10:42:07Z","source":"shop","type":"order","state":"no_match",` +
			`"rules":[{"rule":"one","result":"error"}],"request":{"method":"POST","content_type":"application/json"},"body":"{\"x\":1}"` + why + `}`
	}
	server := serveAPI(t, map[string][]answer{
		"GET /api/v1/events/evt_7q2": {{200, event(why)}, {200, event("")}, {200, event(why)}},
		"GET /api/v1/events/evt_7q3": {{404, `{"title":"Not Found","status":404}`}},
	})
	got := server.run(t, "explain", "evt_7q2")
	if got.code != 0 || strings.Count(got.out, "data.x is null") != 2 || !strings.Contains(got.out, "error[rule-error] /srv/config.yaml:1:1: one") ||
		!strings.Contains(got.out, "judged by the rules of config 7f3a91c (in force)") || !strings.Contains(got.out, "The connection crm had the type mytool, which") ||
		!strings.Contains(got.out, "0 of 2 rules match. What was sent: hookgate events show evt_7q2") {
		t.Errorf("its own trace: %+v", got)
	}
	if got := server.run(t, "explain", "evt_7q3"); got.code != 5 || !strings.Contains(got.errOut, "no event evt_7q3") {
		t.Errorf("unknown: %+v", got)
	}
	rules := "version: 1\nsources: { shop: { type: webhook, token: fedcba98765432100123 } }\n" +
		"connections: { hook: { type: webhook, url: https://billing.example/ } }\n" +
		"rules: [{ name: now, from: shop, when: data.x == 1, then: [{ to: hook, json: 1 }] }]\n"
	if err := os.WriteFile(server.config, []byte(rules), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := server.run(t, "explain", "evt_7q2"); got.code != 0 || !strings.Contains(got.out, "MATCH    data.x == 1") || !strings.Contains(got.errOut, "rules have changed") {
		t.Errorf("after the rules changed: %+v", got)
	}
	if got := server.run(t, "explain", "evt_7q2", "--set", "x=2"); got.code != 0 || !strings.Contains(got.out, "false  it is 2") {
		t.Errorf("with --set: %+v", got)
	}
	if n := len(server.got()); n != 4 || server.got()[0].Method != http.MethodGet {
		t.Errorf("%d requests", n)
	}
}

// What explain and test say of a post is what the server does with it: the body
// of a form builder becomes flat fields, and what the form's spam rules take
// for spam reaches no rule.
func TestExplain_asTheServer(t *testing.T) {
	t.Parallel()
	tally, err := os.ReadFile(filepath.Join("..", "..", "forms", "builder", "samples", "tally.json"))
	if err != nil {
		t.Fatal(err)
	}
	config := writeConfig(t, `version: 1
forms:
  lead: { via: webhook, format: tally, token: 0123456789abcdef, fields: any }
  contact: { fields: { message: {} }, max_links: 1, min_time: 3s, captcha: { type: turnstile, secret: hush, sitekey: x } }
connections: { sink: { type: webhook, url: "https://sink.example/" } }
rules:
  - { name: r, from: [lead, contact], then: [{ to: sink, json: "${{ data }}" }] }
tests:
  - name: flat fields
    event: { source: lead, file: tally.json }
    expect: r/sink
    assert: [data.Email == "ann@example.com", data.data == nil, query.submission_id != nil]
  - name: too many links
    event: { source: contact, data: { message: "https://a.example https://b.example" } }
    expect: []
  - name: a person
    event: { source: contact, data: { message: "https://a.example" } }
    expect: r/sink
`)
	if err := os.WriteFile(filepath.Join(filepath.Dir(config), "tally.json"), tally, 0o600); err != nil {
		t.Fatal(err)
	}
	var said struct {
		Data    map[string]any
		Spam    string
		Matched int
	}
	got := runWith(t, string(tally), "explain", "-c", config, "-", "--source", "lead", "--json")
	if err := json.Unmarshal([]byte(got.out), &said); err != nil || said.Data["Email"] != "ann@example.com" || said.Data["data"] != nil || said.Matched != 1 {
		t.Errorf("a builder's post: %v, %s%s", err, got.out, got.errOut)
	}
	got = runWith(t, "message=https%3A%2F%2Fa.example+https%3A%2F%2Fb.example", "explain", "-c", config, "-", "--source", "contact", "--json")
	said.Matched = 0
	if err := json.Unmarshal([]byte(got.out), &said); err != nil || said.Spam != "max_links: 2 links, more than 1" || said.Matched != 0 {
		t.Errorf("too many links: %v, %s%s", err, got.out, got.errOut)
	}
	if got := run(t, "test", "-c", config); got.code != 0 {
		t.Errorf("tests: %+v", got)
	}
}
