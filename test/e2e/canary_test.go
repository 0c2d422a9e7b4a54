package e2e

import (
	"bytes"
	"net/http"
	"os"
	"strings"
	"testing"

	"hookgate/test/lab"
)

// A unique token stands in every secret field. After good and bad traffic none
// of them may be found in any output, log, metric or file of the database.
//
// Promise: P22, T14.
func TestSecretsStayHidden(t *testing.T) {
	t.Parallel()
	// The receiver echoes what it was sent, secrets and all.
	sink := lab.NewSink(t, func(a lab.Arrival) lab.Answer {
		var echo strings.Builder
		_ = a.Header.Write(&echo)
		echo.WriteString(a.Path)
		if strings.Contains(string(a.Body), "fail") {
			return lab.Answer{Status: 500, Body: echo.String()}
		}
		return lab.Answer{Status: 400, Body: echo.String()}
	})
	canaries := map[string]string{
		"TOKEN": "canary-token-7f1c0a55e1", "SIGN_IN": "canary-verify-93be01d2aa", "BASIC": "canary-basic-5ad01f9c3b",
		"BEARER": "canary-bearer-0e2b7c61dd", "HEADER": "canary-header-b81f6602c4", "SIGN_OUT": "canary-signing-2c9d10ab77",
		"AUTH": "canary-auth-61f0c3de28", "PATH_PART": "canary-path-4410ffab9c", "BOT": "xoxb-canary-bot-8d7e11c0f5",
		"ADMIN": "canary-admin-90ab2cde31", "REFUSED": "canary-refused-17aa30be42", "CLOSED": "canary-closed-552be0aa19",
	}
	g := lab.New(t, `
sources:
  tok: { type: webhook, token: "${TOKEN}", dedupe: off }
  signed: { type: webhook, verify: { scheme: github, secret: "${SIGN_IN}" } }
  basic: { type: webhook, verify: { scheme: basic, user: ada, password: "${BASIC}" } }
  bearer: { type: webhook, verify: { scheme: bearer, secret: "${BEARER}" } }
connections:
  header: { type: webhook, url: "`+sink.URL+`/${PATH_PART}?key=${PATH_PART}", headers: { X-Api-Key: "${HEADER}" }, signing_secret: "${SIGN_OUT}", auth: { bearer: "${AUTH}" }, retry: { delays: [20ms] } }
  hook: { type: slack, webhook_url: "`+sink.URL+`/services/${PATH_PART}", retry: { delays: [20ms] } }
  bot: { type: slack, bot_token: "${BOT}", channel: "#x", api_url: "`+sink.URL+`/api", retry: { delays: [20ms] } }
  refused: { type: webhook, url: "http://10.255.255.1/${REFUSED}", retry: { delays: [20ms] } }
  closed: { type: webhook, url: "http://127.0.0.1:9/${CLOSED}", retry: { delays: [20ms] } }
rules:
  - name: all
    from: [tok, signed, basic, bearer]
    then:
      - { to: header, json: { say: "${{ data.say }}" } }
      - { to: hook, text: "${{ data.say }}" }
      - { to: bot, text: "${{ data.say }}" }
      - { to: refused, json: {} }
      - { to: closed, json: {} }
`)
	g.Extra = "  admin: { user: team, password: \"${ADMIN}\" }\n"
	for name, secret := range canaries {
		g.Env = append(g.Env, name+"="+secret)
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
	team := newVisitor(t, g)
	if code := team.logIn("team", canaries["ADMIN"]); code != http.StatusSeeOther {
		t.Fatalf("the login to the pages: %d", code)
	}
	pages := []string{"", "start", "events", "deliveries", "deliveries?state=failed", "forms", "connections", "rules", "routes", "playground", "playground?rule=all&when=data.say", "config", "config/change", "config/versions", "config/versions/1", "nothing"}
	for _, e := range g.Events() {
		for _, tab := range []string{"", "?tab=payload", "?tab=request", "?tab=replays"} {
			pages = append(pages, "events/"+e.ID+tab)
		}
	}
	for _, page := range pages {
		_, header, text := team.do(http.MethodGet, "/ui/"+page, nil)
		_ = header.Write(&outputs)
		outputs.WriteString(text)
	}
	for _, path := range []string{"sources", "rules", "connections", "status", "stats", "stats/quiet", "config", "config/change", "config/versions", "config/versions/1"} {
		note(g.Do(http.MethodGet, "/api/v1/"+path, nil, "Authorization", admin))
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
