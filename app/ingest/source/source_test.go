package source_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hookgate/app/ingest/source"
	"hookgate/internal/body"
	"hookgate/internal/diag"
	"hookgate/internal/yamlnode"
	"hookgate/rules/lang"
)

const token = "0123456789abcdef01"

// compile compiles the source that text describes, under the name "s".
func compile(text string) (*source.Source, diag.List) {
	n, list := yamlnode.Parse("config.yaml", []byte(text))
	if len(list) > 0 {
		return nil, list
	}
	return source.Compile(yamlnode.Plain("s"), n, lang.NewCompiler())
}

// MustCompile compiles a source that has no fault.
func MustCompile(t interface {
	Helper()
	Fatalf(format string, args ...any)
}, text string,
) *source.Source {
	t.Helper()
	s, list := compile(text)
	if list.Err() != nil {
		t.Fatalf("Compile: %v\n%s", list, text)
	}
	return s
}

// headers makes a Request's Header.
func headers(kv map[string]string) func(string) string {
	return func(name string) string {
		for k, v := range kv {
			if strings.EqualFold(k, name) {
				return v
			}
		}
		return ""
	}
}

// MustIdentify gives type and id of an event.
func MustIdentify(t *testing.T, s *source.Source, in body.Input, header map[string]string) (typ, id string) {
	t.Helper()
	in.JSONField = s.JSONField()
	c, err := body.Decode(in, body.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Doc.Release()
	sc := lang.NewScope(c.Doc, lang.Meta{ID: "evt_1", Source: s.Name}, header, nil)
	defer sc.Release()
	typ, id, err = s.Identify(sc)
	if err != nil {
		t.Fatal(err)
	}
	return typ, id
}

func TestSitejet(t *testing.T) {
	t.Parallel()
	s := MustCompile(t, "type: sitejet\ntoken: "+token)
	want := []string{"website_created", "website_status_changed", "log_created", "todo_created", "website_todo_assignee_changed", "domain_created"}
	if diff := cmp.Diff(want, s.EventTypes()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"POST", "PUT"}, s.Methods()); diff != "" {
		t.Error(diff)
	}
	if by := s.Repeats(); by.Window != 0 {
		t.Error("sitejet repeats are told apart without being asked to", by)
	}
	if !s.TokenInPath() || s.Token().Reveal() != token || s.Name != "s" || s.Type != "sitejet" {
		t.Errorf("%+v", s)
	}
	for _, tt := range []struct {
		token string
		want  error
	}{{token, nil}, {"", source.ErrBadToken}, {token + "x", source.ErrBadToken}, {token[1:], source.ErrBadToken}} {
		if err := s.Authenticate(&source.Request{Token: tt.token}); !errors.Is(err, tt.want) {
			t.Errorf("token %q: %v", tt.token, err)
		}
	}
}

func TestSitejetFixtures(t *testing.T) {
	t.Parallel()
	s := MustCompile(t, "type: sitejet\ntoken: "+token)
	files, err := filepath.Glob("../samples/files/sitejet/*.json")
	if err != nil || len(files) != 7 {
		t.Fatal(files, err)
	}
	seen := map[string]bool{}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		typ, id := MustIdentify(t, s, body.Input{Raw: raw}, nil)
		seen[typ] = true
		if id != "" {
			t.Errorf("%s: id %q", file, id)
		}
	}
	for _, typ := range s.EventTypes() {
		if !seen[typ] {
			t.Errorf("no fixture of %s, or its type was not found", typ)
		}
	}
	for _, raw := range []string{`[]`, `{}`, `"x"`, `{"event":null}`} {
		if typ, _ := MustIdentify(t, s, body.Input{Raw: []byte(raw)}, nil); typ != source.FallbackType {
			t.Errorf("%s: type %q", raw, typ)
		}
	}
}

func TestIdentifyDefaults(t *testing.T) {
	t.Parallel()
	tests := []struct {
		scheme, raw string
		header      map[string]string
		typ, id     string
	}{
		{"standard-webhooks", `{"type":"invoice.paid"}`, map[string]string{"webhook-id": "msg_1"}, "invoice.paid", "msg_1"},
		{"github", `{"action":"opened"}`, map[string]string{"x-github-event": "issues", "x-github-delivery": "72d3"}, "issues", "72d3"},
		{"stripe", `{"id":"evt_9","type":"charge.failed"}`, nil, "charge.failed", "evt_9"},
		{"shopify", `{"id":820982911946154508}`, map[string]string{"x-shopify-topic": "orders/create", "x-shopify-webhook-id": "b54"}, "orders/create", "b54"},
		{"slack", `{"type":"event_callback","event":{"type":"app_mention"},"event_id":"Ev1"}`, nil, "app_mention", "Ev1"},
		{"slack", `{"type":"url_verification","challenge":"x"}`, nil, "url_verification", ""},
		{"typeform", `{"event_id":"01H","event_type":"form_response"}`, nil, "form_response", "01H"},
		{"tally", `{"eventId":"a4c","eventType":"FORM_RESPONSE"}`, nil, "FORM_RESPONSE", "a4c"},
		{"webflow", `{"triggerType":"form_submission","payload":{"id":"1"}}`, nil, "form_submission", ""},
		{"wpforms", `{"a":"b"}`, nil, "webhook", ""},
		{"formspree", `{"a":"b"}`, nil, "webhook", ""},
		{"hubspot", `[{"subscriptionType":"contact.creation"}]`, nil, "webhook", ""},
		{"stripe", `[1]`, nil, "webhook", ""},
	}
	for _, tt := range tests {
		s := MustCompile(t, "type: webhook\nverify: { scheme: "+tt.scheme+", secret: c2VjcmV0 }")
		typ, id := MustIdentify(t, s, body.Input{Raw: []byte(tt.raw)}, tt.header)
		if typ != tt.typ || id != tt.id {
			t.Errorf("%s %s: %q %q, want %q %q", tt.scheme, tt.raw, typ, id, tt.typ, tt.id)
		}
	}
}

func TestIdentifyOwn(t *testing.T) {
	t.Parallel()
	s := MustCompile(t, "type: webhook\ntoken: "+token+"\nevent_type: data.kind\nevent_id: data.id")
	if typ, id := MustIdentify(t, s, body.Input{Raw: []byte(`{"kind":"a\nb","id":9007199254740993}`)}, nil); typ != "a?b" || id != "9007199254740993" {
		t.Errorf("%q %q", typ, id)
	}
	long := strings.Repeat("ä", 200)
	typ, id := MustIdentify(t, s, body.Input{Raw: []byte(`{"kind":"` + long + `","id":"` + long + `"}`)}, nil)
	_, other := MustIdentify(t, s, body.Input{Raw: []byte(`{"kind":"x","id":"` + long + `2"}`)}, nil)
	if typ != long[:200] || len(id) > 100 || id == other {
		t.Errorf("%q %q %q", typ, id, other)
	}
	c, err := body.Decode(body.Input{Raw: []byte(`[1]`)}, body.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Doc.Release()
	sc := lang.NewScope(c.Doc, lang.Meta{}, nil, nil)
	defer sc.Release()
	typ, id, err = s.Identify(sc)
	if typ != source.FallbackType || id != "" || err == nil || !strings.Contains(err.Error(), "event_type: ") || !strings.Contains(err.Error(), "event_id: ") {
		t.Errorf("%q %q %v", typ, id, err)
	}
}

func TestGitHubForm(t *testing.T) {
	t.Parallel()
	s := MustCompile(t, "type: webhook\nverify: { scheme: github, secret: x }")
	c, err := body.Decode(body.Input{
		ContentType: "application/x-www-form-urlencoded", JSONField: s.JSONField(),
		Raw: []byte("payload=%7B%22action%22%3A%22opened%22%7D"),
	}, body.DefaultLimits())
	if err != nil || string(c.JSON) != `{"action":"opened"}` {
		t.Fatal(string(c.JSON), err)
	}
	c.Doc.Release()
}

func TestDedupe(t *testing.T) {
	t.Parallel()
	const week = 7 * 24 * time.Hour
	for text, want := range map[string]source.Repeats{
		"":                                           {},
		"dedupe: off":                                {},
		"dedupe: body 10m":                           {Window: 10 * time.Minute, Content: true},
		"event_id: data.id":                          {Window: week, ID: true},
		"event_id: data.id\ndedupe: 24h":             {Window: 24 * time.Hour, ID: true},
		"event_id: data.id\ndedupe: off":             {ID: true},
		"event_id: data.id\ndedupe: body 1d":         {Window: 24 * time.Hour, Content: true},
		"verify: { scheme: stripe, secret: x }":      {Window: week, ID: true},
		"verify: { scheme: formspree, secret: x }":   {},
		"verify: { scheme: bearer, secret: secret }": {},
		// Netlify's is the id of a deploy, whose states are events of their own.
		"verify: { scheme: netlify, secret: x }":                        {Window: week, ID: true, Content: true},
		"verify: { scheme: netlify, secret: x }\ndedupe: body 1d":       {Window: 24 * time.Hour, Content: true},
		"verify: { scheme: netlify, secret: x }\nevent_id: data.own_id": {Window: week, ID: true},
	} {
		s := MustCompile(t, "type: webhook\ntoken: "+token+"\n"+text)
		if by := s.Repeats(); by != want {
			t.Errorf("%q: %+v, want %+v", text, by, want)
		}
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	s := MustCompile(t, "type: webhook\ntoken: "+token+"\nmethods: [POST, GET, POST]\nrate_limit: 100/m")
	if diff := cmp.Diff([]string{"POST", "GET"}, s.Methods()); diff != "" {
		t.Error(diff)
	}
	if !s.Allows("GET") || s.Allows("PUT") || s.RateLimit() != (yamlnode.Rate{Count: 100, Per: time.Minute}) || s.EventTypes() != nil {
		t.Errorf("%+v", s)
	}
	if s := MustCompile(t, "type: webhook\ntoken: "+token+"\nmethods: GET"); s.Allows("POST") {
		t.Error("a single method is a list of one")
	}
}

// Promise: T14.
func TestSecretHeaders(t *testing.T) {
	t.Parallel()
	s := MustCompile(t, "type: webhook\nverify: { scheme: bearer, secret: x, header: X-My-Proof }")
	for name, want := range map[string]bool{
		"Authorization": true, "cookie": true, "x-my-proof": true, "X-My-Proof": true, "stripe-signature": true, "X-Hub-Signature-256": true,
		"x-shopify-hmac-sha256": true, "x-api-key": true, "X-Auth-Token": true, "proxy-authorization": true,
		"webhook-id": false, "x-github-delivery": false, "x-github-event": false, "content-type": false, "user-agent": false, "webhook-timestamp": false, "x-shopify-topic": false,
	} {
		if got := s.Secret(name); got != want {
			t.Errorf("Secret(%q) = %v", name, got)
		}
	}
}

func TestKindsAndSchemes(t *testing.T) {
	t.Parallel()
	var kinds []string
	for _, k := range source.Kinds() {
		kinds = append(kinds, k.Name)
		if k.Doc == "" {
			t.Errorf("%s has no description", k.Name)
		}
	}
	if diff := cmp.Diff([]string{"sitejet", "webhook", "schedule", "manual"}, kinds); diff != "" {
		t.Error(diff)
	}
	want := []string{"standard-webhooks", "github", "stripe", "shopify", "slack", "typeform", "tally", "webflow", "wpforms", "formspree", "netlify", "hubspot", "hmac", "basic", "bearer", "none"}
	if diff := cmp.Diff(want, source.Schemes()); diff != "" {
		t.Error(diff)
	}
}
