package e2e

import (
	"bytes"
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"

	"hookgate/test/fakeoidc"
	"hookgate/test/lab"
)

// A unique token stands in every secret field, and in a connection of every kind.
// After good and bad traffic none of them may be found in any output, log, metric or
// file of the database, on any page or in any answer of the API: the tables of routes
// are walked, so that a new one cannot be forgotten.
//
// Promise: P22, T14.
func TestSecretsStayHidden(t *testing.T) {
	t.Parallel()
	login := fakeoidc.Start(t)
	// The receiver echoes what it was sent, secrets and all.
	sink := lab.NewSink(t, func(a lab.Arrival) lab.Answer {
		var echo strings.Builder
		_ = a.Header.Write(&echo)
		echo.WriteString(a.Path + "?" + a.Query + "\n" + string(a.Body))
		if strings.Contains(string(a.Body), "fail") {
			return lab.Answer{Status: 500, Body: echo.String()}
		}
		return lab.Answer{Status: 400, Body: echo.String()}
	})
	env := map[string]string{} // of variables that are more than their canary
	canaries := map[string]string{
		"TOKEN": "canary-token-7f1c0a55e1", "SIGN_IN": "canary-verify-93be01d2aa", "BASIC": "canary-basic-5ad01f9c3b",
		"BEARER": "canary-bearer-0e2b7c61dd", "HEADER": "canary-header-b81f6602c4", "SIGN_OUT": "canary-signing-2c9d10ab77",
		"AUTH": "canary-auth-61f0c3de28", "PATH_PART": "canary-path-4410ffab9c", "BOT": "xoxb-canary-bot-8d7e11c0f5",
		"ADMIN": "canary-admin-90ab2cde31", "REFUSED": "canary-refused-17aa30be42", "CLOSED": "canary-closed-552be0aa19",
		"CAPTCHA": "canary-captcha-c07de1f94a", "QUOTE": "canary-quote-31b8f6a0d2", "TALLY": "canary-tally-8e40cc1b57",
		"OAUTH": "canary-oauth-f2d90b63ae", "OAUTH_URL": "canary-tokens-46ae08d1c5", "OIDC": fakeoidc.ClientSecret,
	}
	g := lab.New(t, `
sources:
  tok: { type: webhook, token: "${TOKEN}", dedupe: off }
  slow: { type: webhook, token: 0123456789abcdef }
  signed: { type: webhook, verify: { scheme: github, secret: "${SIGN_IN}" } }
  basic: { type: webhook, verify: { scheme: basic, user: ada, password: "${BASIC}" } }
  bearer: { type: webhook, verify: { scheme: bearer, secret: "${BEARER}" } }
forms:
  contact: { fields: { name: { type: text }, email: { type: email }, message: { type: text }, brief: { type: file, accept: [pdf] } }, max_links: 1, rate_limit: 1000/m }
  guarded: { fields: { name: { type: text } }, captcha: { type: turnstile, sitekey: public, secret: "${CAPTCHA}", verify_url: "`+sink.URL+`/verify" } }
  quote: { via: webhook, fields: { name: { type: text } }, token: "${QUOTE}" }
  tally: { via: webhook, format: tally, fields: { name: { type: text } }, verify: { scheme: tally, secret: "${TALLY}" } }
tables:
  seen: { keep: 400d }
connections:
  header: { type: webhook, url: "`+sink.URL+`/${PATH_PART}?key=${PATH_PART}", headers: { X-Api-Key: "${HEADER}" }, signing_secret: "${SIGN_OUT}", auth: { bearer: "${AUTH}" }, retry: { delays: [20ms] } }
  hook: { type: slack, webhook_url: "`+sink.URL+`/services/${PATH_PART}", retry: { delays: [20ms] } }
  bot: { type: slack, bot_token: "${BOT}", channel: "#x", api_url: "`+sink.URL+`/api", retry: { delays: [20ms] } }
  refused: { type: webhook, url: "http://10.255.255.1/${REFUSED}", retry: { delays: [20ms] } }
  closed: { type: webhook, url: "http://127.0.0.1:9/${CLOSED}", retry: { delays: [20ms] } }
  oauth: { type: webhook, url: "`+sink.URL+`", auth: { oauth2: { token_url: "`+sink.URL+`/${OAUTH_URL}", client_id: hookgate, client_secret: "${OAUTH}" } }, retry: { delays: [20ms] } }
`+everyKind(t, canaries, env)+`rules:
  - name: all
    from: [tok, signed, basic, bearer, contact, guarded, quote, tally]
    then:
      - { to: header, json: { say: "${{ data.say }}" } }
      - { to: hook, text: "${{ data.say }}" }
      - { to: bot, text: "${{ data.say }}" }
      - { to: refused, json: {} }
      - { to: closed, json: {} }
      - { to: oauth, json: {} }
  - name: later
    from: slow
    when: data.say != ""
    then:
      - { to: header, delay: 7d, json: { say: "${{ data.say }}" } }
      - { to: hook, digest: { wait: 1d }, text: "${{ len(items) }}" }
      - { remember: { table: seen, key: data.say, set: { said: "${{ data.say }}" } } }
`)
	g.Extra = fmt.Sprintf("  admin: { user: team, password: \"${ADMIN}\", oidc: { issuer: %q, client_id: %s, client_secret: \"${OIDC}\", domains: [agency.example] } }\n", login.Issuer, fakeoidc.ClientID)
	for name, secret := range canaries {
		g.Env = append(g.Env, name+"="+cmp.Or(env[name], secret))
	}
	g.Start()

	var outputs bytes.Buffer
	note := func(r lab.Reply) { _ = r.Header.Write(&outputs); outputs.WriteString(r.Body) }
	call := func(args ...string) {
		r := g.CLI(args...)
		outputs.WriteString(r.Stdout + r.Stderr)
	}
	tok := "/in/tok/" + canaries["TOKEN"]
	for _, say := range []string{"good", "fail"} {
		r := g.PostJSON(tok, []byte(`{"say":"`+say+`"}`))
		note(r)
		g.Settled(g.Accepted(r))
	}
	note(g.PostJSON(tok, []byte(`{"say":`)))
	note(g.PostJSON(tok+"/more", []byte(`{}`)))
	note(g.Do(http.MethodPut, tok+"x", []byte(`{}`)))
	note(g.Do(http.MethodDelete, tok, nil))
	note(g.Do(http.MethodPost, "/in/signed", []byte(`{}`), "Content-Type", "application/json", "X-Hub-Signature-256", "sha256="+inHex(canaries["SIGN_IN"], "{}")))
	note(g.Do(http.MethodPost, "/in/signed", []byte(`{}`), "X-Hub-Signature-256", "sha256="+canaries["SIGN_IN"]))
	note(g.Do(http.MethodPost, "/in/bearer", []byte(`{}`), "Content-Type", "application/json", "Authorization", "Bearer "+canaries["BEARER"]))
	note(g.Do(http.MethodPost, "/in/bearer", []byte(`{}`), "Authorization", "Bearer "+canaries["BEARER"]+"x"))
	admin := "Basic dGVhbTpjYW5hcnktYWRtaW4tOTBhYjJjZGUzMQ=="
	note(g.Do(http.MethodGet, "/metrics", nil, "Authorization", admin))
	note(g.Do(http.MethodGet, "/api/v1/events", nil, "Authorization", admin))
	for _, ev := range g.Events() {
		g.Settled(ev.ID)
		call("events", "show", ev.ID)
		call("events", "show", ev.ID, "--json")
	}
	for _, args := range [][]string{
		{"check"},
		{"check", "--json"},
		{"events", "list"},
		{"events", "list", "--json"},
		{"deliveries", "list"},
		{"deliveries", "list", "--json"},
		{"-v", "events", "list"},
		{"reload"},
	} {
		call(args...)
	}
	for _, d := range g.Deliveries() {
		call("deliveries", "show", d.ID)
		call("deliveries", "show", d.ID, "--json")
	}
	attached(t, g, "Ada")
	g.Do(http.MethodPost, "/f/contact", []byte("name=seo&message=http%3A%2F%2Fa.example+http%3A%2F%2Fb.example"), "Content-Type", "application/x-www-form-urlencoded")
	note(g.Do(http.MethodPost, "/f/guarded", []byte("name=Ada&cf-turnstile-response=x"), "Content-Type", "application/x-www-form-urlencoded"))
	note(g.PostJSON("/f/quote/"+canaries["QUOTE"], []byte(`{"name":"Ada"}`)))
	note(g.PostJSON("/f/quote/"+canaries["QUOTE"]+"x", []byte(`{"name":"Ada"}`)))
	note(g.Do(http.MethodPost, "/f/tally", []byte(`{}`), "Content-Type", "application/json", "Tally-Signature", canaries["TALLY"]))
	note(g.Do(http.MethodGet, "/f/guarded", nil))
	for _, form := range []string{"contact", "guarded", "quote", "tally"} {
		for _, ev := range g.Events("--source", form) { // what they wait for are breakers
			call("events", "show", ev.ID)
		}
	}
	g.Accepted(g.PostJSON("/in/slow/0123456789abcdef", []byte(`{"say":"good"}`)))
	team := newVisitor(t, g)
	if code := team.logIn("team", canaries["ADMIN"]); code != http.StatusSeeOther {
		t.Fatalf("the login to the pages: %d", code)
	}
	csrf := team.csrf()
	for _, name := range []string{"header", "hook", "bot", "refused", "closed", "oauth"} {
		code, header, text := team.do(http.MethodPost, "/ui/connections/"+name+"/test", url.Values{"csrf": {csrf}})
		_ = header.Write(&outputs)
		outputs.WriteString(text)
		if code >= http.StatusInternalServerError {
			t.Errorf("the test of %s: %d", name, code)
		}
		call("connections", "test", name)
	}
	call("deliveries", "retry", "--failed", "--first", "1", "--yes")
	call("replay", g.Events("--source", "tok")[0].ID, "--yes")
	call("tokens", "list")
	see := func(path string, code int, header http.Header, text string) {
		if code >= http.StatusBadRequest {
			t.Errorf("%s: %d %.300s", path, code, text)
		}
		_ = header.Write(&outputs)
		outputs.WriteString(text)
	}
	get := func(path string) (int, http.Header, string) {
		r := g.Do(http.MethodGet, path, nil, "Authorization", admin)
		return r.Status, r.Header, r.Body
	}
	known := idsOf(t, get)
	for _, path := range addresses(t, pageRoutes(http.MethodGet), pageAddresses(known), unseenPages) {
		code, header, text := team.do(http.MethodGet, path, nil)
		see(path, code, header, text)
	}
	for _, path := range []string{"/ui/nothing", "/ui/login/nothing", "/ui/login/oidc/callback?state=x&code=y", "/ui/playground?rule=all&when=data.say"} {
		_, header, text := team.do(http.MethodGet, path, nil)
		see(path, 0, header, text)
	}
	for _, path := range addresses(t, apiRoutes(t, get), apiAddresses(known), unseenAnswers) {
		code, header, text := get(path)
		see(path, code, header, text)
	}
	bad := strings.Replace(g.Header(), "version: 1", "version: 1\nnonsense: \"${ADMIN}\"\n", 1) +
		"sources:\n  tok: { type: webhook, token: \"${TOKEN}\", what: \"${TOKEN}\" }\nconnections:\n  c: { type: webhook, url: \"${BOT}\", timeout: \"${AUTH}\" }\n"
	g.WriteConfig(bad)
	call("check")
	call("check", "--json")
	call("reload")
	g.Stop()
	outputs.WriteString(g.Stdout() + g.Stderr())
	for _, file := range g.DatabaseFiles() {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		outputs.Write(data)
	}
	if outputs.Len() < 10_000 {
		t.Errorf("only %d bytes of output were searched", outputs.Len())
	}
	for name, secret := range canaries {
		if at := bytes.Index(outputs.Bytes(), []byte(secret)); at >= 0 {
			t.Errorf("%s was found: …%q…", name, outputs.Bytes()[max(0, at-150):min(outputs.Len(), at+60)])
		}
	}
}
