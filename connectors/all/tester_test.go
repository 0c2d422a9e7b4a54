package all_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"hookgate/test/connectortest"
)

// A connection by recipe is tried with the login and the judgement of its
// deliveries, and what is said of it holds no secret.
func TestTester(t *testing.T) {
	t.Parallel()
	status, answer, refused := 0, "", 0
	base := connectortest.MustServe(t, func(w http.ResponseWriter, r *http.Request) {
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
	salesforce := connectortest.MustTester(t, "salesforce", "login_url: "+tokenURL(base)+"\noauth: { client_id: me, client_secret: canary-sf-0203 }")
	if info := salesforce.TestInfo(); info.Message || info.What != "logs in to Salesforce and asks for the API" {
		t.Errorf("got %+v", info)
	}
	status, answer, refused = 200, `{"sobjects":"/services/data/v62.0/sobjects"}`, 1
	if tried, err := salesforce.Test(t.Context(), 4711); err != nil || tried.Said != "logged in to "+base || tried.Status != 200 {
		t.Errorf("got %+v, %v", tried, err)
	}
	status, answer = 503, accessToken+" canary-sf-0203"
	if tried, err := salesforce.Test(t.Context(), 4711); connectortest.Outcome(err) != "transient" || strings.Contains(err.Error()+string(tried.Answer), "canary") {
		t.Errorf("got %+v, %v", tried, err)
	}
	discord := connectortest.MustServe(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"id":"1","name":"of canary-discord-0002 \u001b[31m"}`)
	})
	tried, err := connectortest.MustTester(t, "discord", "webhook_url: "+discord+"/api/webhooks/1/canary-discord-0002").Test(t.Context(), 4711)
	if err != nil || tried.Said != "the webhook is of [redacted] [31m" || strings.Contains(string(tried.Answer), "canary") {
		t.Errorf("got %q, %s, %v", tried.Said, tried.Answer, err)
	}
}
