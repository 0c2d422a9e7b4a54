package app_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"testing"

	"hookgate/app"
)

const hooked = `version: 1
server: { listen: "LISTEN" }
outbound: { allow_private: [127.0.0.0/8] }
forms:
  quote: { via: webhook, token: 0123456789abcdef, format: wix, fields: any, dedupe: body 10m }
  lead:
    via: webhook
    format: tally
    verify: { scheme: tally, secret: hush }
    fields: { Email: { type: email, required: true }, Budget: { type: number } }
connections: { sink: { type: webhook, url: "SINK" } }
rules:
  - { name: r, from: [quote, lead], then: [{ to: sink, json: { data: "${{ data }}", form: "${{ query.form_id }}", type: "${{ event.type }}" } }] }
`

// Posts of form builders become flat data, proven by a token or a signature;
// repeats are recognised, and a value that does not fit loses no lead.
func TestFormHook(t *testing.T) {
	t.Parallel()
	target, got := sink(t)
	a := mustRun(t, mustWriteConfig(t, t.TempDir(), strings.NewReplacer("LISTEN", freePort(t), "SINK", target).Replace(hooked)))
	send := func(path, body string, headers ...string) (int, string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+a.Addr()+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		for i := 0; i < len(headers); i += 2 {
			req.Header.Set(headers[i], headers[i+1])
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		var answer struct{ ID string }
		_ = json.NewDecoder(res.Body).Decode(&answer)
		if res.Header.Get("Access-Control-Allow-Origin") != "" || res.Header.Get("Location") != "" {
			t.Errorf("%s: headers %v", path, res.Header)
		}
		return res.StatusCode, answer.ID
	}
	wix, err := os.ReadFile("../forms/builder/samples/wix.json")
	if err != nil {
		t.Fatal(err)
	}
	tally, err := os.ReadFile("../forms/builder/samples/tally.json")
	if err != nil {
		t.Fatal(err)
	}
	mac := hmac.New(sha256.New, []byte("hush"))
	mac.Write(tally)
	signature := base64.StdEncoding.EncodeToString(mac.Sum(nil))

	status, first := send("/f/quote/0123456789abcdef", string(wix))
	if status != http.StatusOK || first == "" {
		t.Errorf("status %d, id %q", status, first)
	}
	if body := <-got; !strings.Contains(body, `"data":{"email":"ann@example.com","first_name":"Ann","comp_kz1":"x"}`) && !strings.Contains(body, `"email":"ann@example.com"`) || !strings.Contains(body, `"form":"f1"`) || !strings.Contains(body, `"type":"form_submitted"`) {
		t.Errorf("sent %s", body)
	}
	if status, again := send("/f/quote/0123456789abcdef", string(wix)); status != http.StatusOK || again != first {
		t.Errorf("a repeat: %d, %q, want %q", status, again, first)
	}
	if status, _ := send("/f/lead", string(tally), "Tally-Signature", signature); status != http.StatusOK {
		t.Errorf("signed: %d", status)
	}
	if body := <-got; !strings.Contains(body, `"Email":"ann@example.com"`) || !strings.Contains(body, `"Budget":"Large"`) || !strings.Contains(body, `"Topics":["Web","Print"]`) {
		t.Errorf("sent %s", body)
	}
	for path, want := range map[string]int{"/f/lead": http.StatusUnauthorized, "/f/quote": http.StatusForbidden, "/f/quote/0123456789abcdeX": http.StatusForbidden, "/f/nothing/0123456789abcdef": http.StatusForbidden} {
		if status, _ := send(path, string(tally)); status != want {
			t.Errorf("%s: %d, want %d", path, status, want)
		}
	}
	if status, _ := send("/f/quote/0123456789abcdef", `{"a":`); status != http.StatusBadRequest {
		t.Errorf("broken: %d", status)
	}
}

func TestFormHook_faults(t *testing.T) {
	t.Parallel()
	for form, want := range map[string]string{
		"{ via: webhook, fields: any }":                                            "missing-key",
		"{ via: mail, fields: any }":                                               "bad-value",
		"{ via: webhook, token: short, fields: any }":                              "weak-secret",
		"{ via: webhook, token: 0123456789abcdef, format: taly, fields: any }":     "unknown-type",
		"{ via: webhook, token: 0123456789abcdef, redirect: /x, fields: any }":     "conflict",
		"{ token: 0123456789abcdef, fields: any }":                                 "conflict",
		"{ via: webhook, token: 0123456789abcdef, fields: { a: { type: file } } }": "conflict",
		"{ via: webhook, verify: { scheme: nothing, secret: x }, fields: any }":    "unknown-scheme",
	} {
		_, report, err := app.Load(mustWriteConfig(t, t.TempDir(), "version: 1\nforms:\n  f: "+form+"\n"))
		if err == nil || report.List[0].Code != want {
			t.Errorf("%s: %v, want %s", form, report.List, want)
		}
	}
}
