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
