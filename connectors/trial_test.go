package connectors_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"hookgate/connectors"
	"hookgate/test/fakesmtp"
)

func mustTester(t *testing.T, kind, settings string) connectors.Tester {
	t.Helper()
	tester, ok := mustConnector(t, kind, settings, testDeps(t)).(connectors.Tester)
	if !ok {
		t.Fatalf("%s cannot be tried", kind)
	}
	return tester
}

func TestTry_webhook(t *testing.T) {
	t.Parallel()
	var got string
	var header http.Header
	base := mustServe(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got, header = string(body), r.Header
		_, _ = io.WriteString(w, "thanks")
	})
	tester := mustTester(t, "webhook", "url: "+base+"/x\nheaders: { X-Key: abcdef }\nsigning_secret: abcdefgh")
	if trial := tester.Trial(); !trial.Message || !strings.Contains(trial.What, "POST") {
		t.Errorf("got %+v", trial)
	}
	tried, err := tester.Try(t.Context(), 4711)
	if err != nil || tried.Status != 200 || string(tried.Answer) != "thanks" {
		t.Errorf("got %+v, %v", tried, err)
	}
	if !strings.Contains(got, `"hookgate_test":true`) || header.Get("X-Key") != "abcdef" || header.Get("Webhook-Signature") == "" {
		t.Errorf("sent %s with %v", got, header)
	}
}

func TestTry_slack(t *testing.T) {
	t.Parallel()
	answer, path := "", ""
	base := mustServe(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		path = r.URL.Path + " " + string(body)
		_, _ = io.WriteString(w, answer)
	})
	bot := mustTester(t, "slack", "bot_token: xoxb-canary-0010\nchannel: '#leads'\napi_url: "+base+"/api")
	if bot.Trial().Message {
		t.Errorf("got %+v", bot.Trial())
	}
	answer = `{"ok":true,"user":"xoxb-canary-0010","team":"Agency"}`
	tried, err := bot.Try(t.Context(), 4711)
	if err != nil || tried.Said != "the token is that of [redacted] in Agency" || !strings.HasPrefix(path, "/api/auth.test") {
		t.Errorf("got %+v, %v by %s", tried, err, path)
	}
	answer = `{"ok":false,"error":"invalid_auth"}`
	if tried, err = bot.Try(t.Context(), 4711); outcome(err) != "permanent" || err.Error() != "Slack says invalid_auth" || tried.Said != "" {
		t.Errorf("got %+v, %v", tried, err)
	}
	hook := mustTester(t, "slack", "webhook_url: "+base+"/services/T0CANARY1/B0CANARY2/canaryKey0009")
	if !hook.Trial().Message {
		t.Errorf("got %+v", hook.Trial())
	}
	answer = "ok"
	if tried, err := hook.Try(t.Context(), 4711); err != nil || tried.Status != 200 || !strings.Contains(path, "This is a test") {
		t.Errorf("got %+v, %v by %s", tried, err, path)
	}
}

func TestTry_email(t *testing.T) {
	t.Parallel()
	s := mustMailServer(t, fakesmtp.Options{})
	good, ok := mustMail(t, mailSettings(t, s, ""), testDeps(t)).(connectors.Tester)
	if !ok || good.Trial().Message {
		t.Fatal("it has no harmless test")
	}
	if tried, err := good.Try(t.Context(), 1); err != nil || tried.Status != 250 || tried.Said != "signed in" {
		t.Errorf("got %+v, %v", tried, err)
	}
	bad := mustMail(t, mailSettings(t, s, ", user: someone, password: canary-wrong-0002"), testDeps(t)).(connectors.Tester)
	if tried, err := bad.Try(t.Context(), 1); outcome(err) != "permanent" || tried.Status != 535 || strings.Contains(err.Error(), "canary") {
		t.Errorf("got %+v, %v", tried, err)
	}
	if got := len(s.Messages()); got > 0 {
		t.Errorf("%d messages were sent", got)
	}
}

// A connection by recipe is tried with the login and the judgement of its
// deliveries, and what is said of it holds no secret.
func TestTry_recipe(t *testing.T) {
	t.Parallel()
	status, answer, refused := 0, "", 0
	base := mustServe(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet || r.Header.Get("Authorization") != "Bearer "+accessToken {
			t.Errorf("got %s with %v", r.Method, r.Header)
		}
		if refused > 0 { // once: the token has expired
			refused--
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = io.WriteString(w, `[{"errorCode":"INVALID_SESSION_ID","message":"Session expired"}]`)
			return
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, answer)
	})
	salesforce := mustTester(t, "salesforce", "login_url: "+tokenURL(base)+"\noauth: { client_id: me, client_secret: canary-sf-0203 }")
	if trial := salesforce.Trial(); trial.Message || trial.What != "logs in to Salesforce and asks for the API" {
		t.Errorf("got %+v", trial)
	}
	status, answer, refused = 200, `{"sobjects":"/services/data/v62.0/sobjects"}`, 1
	if tried, err := salesforce.Try(t.Context(), 4711); err != nil || tried.Said != "logged in to "+base || tried.Status != 200 {
		t.Errorf("got %+v, %v", tried, err)
	}
	status, answer = 503, accessToken+" canary-sf-0203"
	if tried, err := salesforce.Try(t.Context(), 4711); outcome(err) != "transient" || strings.Contains(err.Error()+string(tried.Answer), "canary") {
		t.Errorf("got %+v, %v", tried, err)
	}
	discord := mustServe(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"id":"1","name":"of canary-discord-0002 \u001b[31m"}`)
	})
	tried, err := mustTester(t, "discord", "webhook_url: "+discord+"/api/webhooks/1/canary-discord-0002").Try(t.Context(), 4711)
	if err != nil || tried.Said != "the webhook is of [redacted] [31m" || strings.Contains(string(tried.Answer), "canary") {
		t.Errorf("got %q, %s, %v", tried.Said, tried.Answer, err)
	}
}
