package webhook_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"hookgate/connectors"
	"hookgate/internal/egress"
	"hookgate/rules/lang"
	"hookgate/test/connectortest"
)

func TestTester(t *testing.T) {
	t.Parallel()
	var got string
	var header http.Header
	base := connectortest.MustServe(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got, header = string(body), r.Header
		_, _ = io.WriteString(w, "thanks")
	})
	tester := connectortest.MustTester(t, "webhook", "url: "+base+"/x\nheaders: { X-Key: abcdef }\nsigning_secret: abcdefgh")
	if info := tester.TestInfo(); !info.Message || !strings.Contains(info.What, "POST") {
		t.Errorf("got %+v", info)
	}
	tried, err := tester.Test(t.Context(), 4711)
	if err != nil || tried.Status != 200 || string(tried.Answer) != "thanks" {
		t.Errorf("got %+v, %v", tried, err)
	}
	if !strings.Contains(got, `"hookgate_test":true`) || header.Get("X-Key") != "abcdef" || header.Get("Webhook-Signature") == "" {
		t.Errorf("sent %s with %v", got, header)
	}
}

// mustRecord is a receiver that hands over what it got, as text: the request
// line, the headers in question, a blank line, the body.
func mustRecord(t testing.TB, headers ...string) (base string, requests <-chan string) {
	t.Helper()
	got := make(chan string, 10)
	base = connectortest.MustServe(t, func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		text := r.Method + " " + r.RequestURI + "\n"
		for _, name := range headers {
			for _, value := range r.Header.Values(name) {
				text += name + ": " + value + "\n"
			}
		}
		got <- text + "\n" + string(body)
	})
	return base, got
}

func TestWebhook_request(t *testing.T) {
	t.Parallel()
	const output = `{"json":{"a":1}}`
	for name, tc := range map[string]struct{ settings, output, want string }{
		"JSON":             {"", `{"json":{"website_id":9007199254740993,"title":"Harry's <Diner> & Co","n":null,"l":[1.50]}}`, "POST /hook\nContent-Type: application/json\n\n" + `{"website_id":9007199254740993,"title":"Harry's <Diner> & Co","n":null,"l":[1.50]}`},
		"JSON null":        {"", `{"json":null}`, "POST /hook\nContent-Type: application/json\n\nnull"},
		"form":             {"", `{"form":{"b":"ä &=","a":[1,2.50],"ok":true,"none":null}}`, "POST /hook\nContent-Type: application/x-www-form-urlencoded\n\na=1&a=2.50&b=%C3%A4+%26%3D&none=&ok=true"},
		"body":             {"", `{"body":"héllo"}`, "POST /hook\nContent-Type: text/plain; charset=utf-8\n\nhéllo"},
		"empty body":       {"", `{"body":""}`, "POST /hook\nContent-Type: text/plain; charset=utf-8\n\n"},
		"content type":     {"", `{"body":"<a/>","content_type":"application/xml"}`, "POST /hook\nContent-Type: application/xml\n\n<a/>"},
		"JSON as other":    {"", `{"json":{},"content_type":"application/vnd.api+json"}`, "POST /hook\nContent-Type: application/vnd.api+json\n\n{}"},
		"method":           {"method: put", output, "PUT /hook\nContent-Type: application/json\n\n{\"a\":1}"},
		"action's method":  {"method: put", `{"json":1,"method":"patch"}`, "PATCH /hook\nContent-Type: application/json\n\n1"},
		"GET":              {"", `{"method":"GET","query":{"id":1,"q":"a&b ü"}}`, "GET /hook?id=1&q=a%26b+%C3%BC\n\n"},
		"query, no body":   {"", `{"query":{"id":[1,2]}}`, "POST /hook?id=1&id=2\n\n"},
		"query appended":   {"url: BASE/hook?k=v", `{"json":1,"query":{"x":"y"}}`, "POST /hook?k=v&x=y\nContent-Type: application/json\n\n1"},
		"headers":          {"headers: { x-a: 'one', X-B: 'two' }", `{"json":1,"headers":{"x-b":"three","X-C":4}}`, "POST /hook\nContent-Type: application/json\nX-A: one\nX-B: three\nX-C: 4\n\n1"},
		"own content type": {"headers: { content-type: application/x-own }", `{"method":"DELETE"}`, "DELETE /hook\nContent-Type: application/x-own\n\n"},
		"bearer":           {"auth: { bearer: tok-en }", output, "POST /hook\nContent-Type: application/json\nAuthorization: Bearer tok-en\n\n{\"a\":1}"},
		"basic":            {"auth: { basic: { user: Aladdin, password: 'open sesame' } }", output, "POST /hook\nContent-Type: application/json\nAuthorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\n\n{\"a\":1}"},
		"own idempotency":  {"", `{"json":1,"headers":{"idempotency-key":"mine"}}`, "POST /hook\nContent-Type: application/json\nIdempotency-Key: mine\n\n1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			headers := []string{"Content-Type", "Authorization", "X-A", "X-B", "X-C"}
			if strings.Contains(tc.want, "Idempotency") {
				headers = append(headers, "Idempotency-Key")
			}
			base, requests := mustRecord(t, headers...)
			settings := tc.settings
			if !strings.HasPrefix(settings, "url:") {
				settings = "url: BASE/hook\n" + settings
			}
			c := connectortest.MustConnector(t, "webhook", strings.ReplaceAll(settings, "BASE", base), connectortest.Deps(t))
			if _, err := c.Deliver(t.Context(), connectortest.Delivery(tc.output)); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, <-requests); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestWebhook_identity(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		secret string
		signer func() (*standardwebhooks.Webhook, error)
	}{
		"base64": {"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", func() (*standardwebhooks.Webhook, error) {
			return standardwebhooks.NewWebhook("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
		}},
		"text": {"a plain text secret", func() (*standardwebhooks.Webhook, error) {
			return standardwebhooks.NewWebhookRaw([]byte("a plain text secret"))
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			signer, err := tc.signer()
			if err != nil {
				t.Fatal(err)
			}
			seen := make(chan http.Header, 2)
			base := connectortest.MustServe(t, func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				if err := signer.VerifyIgnoringTimestamp(body, r.Header); err != nil {
					t.Error(err)
				}
				seen <- r.Header
				w.WriteHeader(http.StatusServiceUnavailable)
			})
			deps := connectortest.Deps(t)
			now := connectortest.Clock
			deps.Now = func() time.Time { return now }
			c := connectortest.MustConnector(t, "webhook", "url: "+base+"\nsigning_secret: "+tc.secret, deps)
			var headers []http.Header
			for range 2 {
				if _, err := c.Deliver(t.Context(), connectortest.Delivery(`{"json":{"a":"ü"}}`)); connectortest.Outcome(err) != "transient" {
					t.Error(err)
				}
				headers = append(headers, <-seen)
				now = now.Add(5 * time.Minute)
			}
			id := connectortest.Delivery("").ID.String()
			for i, h := range headers {
				got := []string{h.Get("webhook-id"), h.Get("idempotency-key"), h.Get("webhook-timestamp"), h.Get("user-agent")}
				want := []string{id, id, fmt.Sprint(connectortest.Clock.Unix() + int64(i)*300), "hookgate/1.2.3"}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Error(diff)
				}
			}
			if headers[0].Get("webhook-signature") == headers[1].Get("webhook-signature") {
				t.Error("both attempts have the same signature")
			}
		})
	}
}

func TestWebhook_success(t *testing.T) {
	t.Parallel()
	for setting, success := range map[string]map[int]bool{
		"":                              {200: true, 204: true, 302: false, 404: false},
		"success: 204":                  {200: false, 204: true},
		"success: [200, '202-204']":     {200: true, 201: false, 203: true, 205: false},
		"success: [2xx, 409, 404]":      {299: true, 404: true, 409: true, 410: false},
		"success: 2XX":                  {250: true, 300: false},
		"success: ['300 - 399', '200']": {200: true, 302: true, 201: false},
	} {
		for status, want := range success {
			base := connectortest.MustServe(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
			c := connectortest.MustConnector(t, "webhook", "url: "+base+"\n"+setting, connectortest.Deps(t))
			if _, err := c.Deliver(t.Context(), connectortest.Delivery(`{"json":1}`)); (err == nil) != want {
				t.Errorf("%s: %d gave %v", setting, status, err)
			}
		}
	}
}

// What data can make of an action must not get out as another request.
func TestWebhook_hostileOutput(t *testing.T) {
	t.Parallel()
	for output, want := range map[string]string{
		`{"json":1,"headers":{"X-A":"b\r\nEvil: 1"}}`:          `the value of the header "X-A" holds a line break or another control character`,
		`{"json":1,"headers":{"X-A":["ok","b\nEvil: 1"]}}`:     `the value of the header "X-A" holds a line break or another control character`,
		`{"json":1,"headers":{"X-A":"\u0000"}}`:                `the value of the header "X-A" holds a line break or another control character`,
		`{"json":1,"headers":{"X A":"b"}}`:                     `the header "X A" is not a valid header name`,
		`{"json":1,"headers":{"":"b"}}`:                        `the header "" is not a valid header name`,
		`{"json":1,"headers":{"Host":"internal"}}`:             `the header "Host" cannot be set: it follows from the URL`,
		`{"json":1,"headers":{"Transfer-Encoding":"chunked"}}`: `the header "Transfer-Encoding" cannot be set: it belongs to the connection, not to the message`,
		`{"json":1,"headers":{"content-length":"0"}}`:          `the header "content-length" cannot be set: it belongs to the connection, not to the message`,
		`{"json":1,"headers":{"WEBHOOK-Id":"x"}}`:              `the header "WEBHOOK-Id" cannot be set: hookgate sets it itself`,
		`{"json":1,"headers":{"X":{"a":1}}}`:                   `headers.X is neither a text nor a list of texts`,
		`{"json":1,"headers":"X: 1"}`:                          `headers is not a mapping of names to texts`,
		`{"json":1,"method":"CONNECT"}`:                        `CONNECT is no method that can be used here`,
		`{"json":1,"method":"POST / HTTP/1.1\r\nX: y"}`:        `POST / HTTP/1.1 X: y is no method that can be used here`,
		`{"body":"x","content_type":"text/plain\r\nX: y"}`:     `content_type holds a line break or another control character`,
		`{"form":{"a":{"b":1}}}`:                               `form.a is neither a text nor a list of texts`,
		`{"form":[1]}`:                                         `form is not a mapping of names to texts`,
		`{"json":1,"query":{"a":[["b"]]}}`:                     `query.a is neither a text nor a list of texts`,
	} {
		base := connectortest.MustServe(t, func(http.ResponseWriter, *http.Request) { t.Errorf("%s: a request was made", output) })
		c := connectortest.MustConnector(t, "webhook", "url: "+base, connectortest.Deps(t))
		if _, err := c.Deliver(t.Context(), connectortest.Delivery(output)); !connectors.IsPermanent(err) || err.Error() != want {
			t.Errorf("%s: got %v, want %s", output, err, want)
		}
	}
}

func TestWebhook_settings(t *testing.T) {
	t.Parallel()
	for settings, want := range map[string]string{
		"type: webhook":                                                                        `error[missing-key] config.yaml:1:1: a webhook connection needs "url"`,
		"url: ftp://canary.example":                                                            `error[bad-url] config.yaml:1:6: "url" is no usable URL: its scheme is neither https nor http (write it like https://host/path)`,
		"url: https://u:canary@h.example":                                                      `error[bad-url] config.yaml:1:6: "url" is no usable URL: it holds a user or password (use auth: { basic: { user: …, password: … } })`,
		"url: h.example/canary":                                                                `error[bad-url] config.yaml:1:6: "url" is no usable URL: it has no scheme (write https:// before the host)`,
		"url: https://h.example\nmethod: HEAD":                                                 `error[bad-value] config.yaml:2:9: "HEAD" is no method that can be used here (it can be POST, PUT, PATCH, DELETE, GET)`,
		"url: https://h.example\nsuccess: [99]":                                                `error[bad-value] config.yaml:2:11: "success": "99" is no status: write 204, 200-299 or 2xx`,
		"url: https://h.example\nsuccess: 9xx":                                                 `error[bad-value] config.yaml:2:10: "success": "9xx" is no status: write 204, 200-299 or 2xx`,
		"url: https://h.example\nsuccess: 5-2":                                                 `error[bad-value] config.yaml:2:10: "success": "5-2" is no status: write 204, 200-299 or 2xx`,
		"url: https://h.example\nsuccess: 299-200":                                             `error[bad-value] config.yaml:2:10: "success": "299-200" is no status: write 204, 200-299 or 2xx`,
		"url: https://h.example\nheaders: { Host: canary }":                                    `error[bad-header] config.yaml:2:12: the header "Host" cannot be set: it follows from the URL`,
		"url: https://h.example\nheaders: { Webhook-ID: canary }":                              `error[bad-header] config.yaml:2:12: the header "Webhook-ID" cannot be set: hookgate sets it itself`,
		"url: https://h.example\nheaders: { Connection: canary }":                              `error[bad-header] config.yaml:2:12: the header "Connection" cannot be set: it belongs to the connection, not to the message`,
		"url: https://h.example\nheaders: { X: \"canary\\n1\" }":                               `error[bad-header] config.yaml:2:15: the value of the header "X" holds a line break or another control character`,
		"url: https://h.example\nheaders: { X: 1, x: canary }":                                 `error[duplicate-key] config.yaml:2:18: the header "x" stands twice here: case does not count`,
		"url: https://h.example\nheaders: { X: [canary] }":                                     `error[wrong-type] config.yaml:2:12: "X" must be a text, not a list`,
		"url: https://h.example\nauth: {}":                                                     `error[missing-key] config.yaml:2:1: auth needs "basic", "bearer" or "oauth2"`,
		"url: https://h.example\nauth: { basic: { user: canary } }":                            `error[missing-key] config.yaml:2:9: basic needs "password"`,
		"url: https://h.example\nauth: { bearer: \"can\\nary\" }":                              `error[bad-value] config.yaml:2:17: "bearer" is empty or holds a line break`,
		"url: https://h.example\nauth: { beerer: canary }":                                     `error[unknown-key] config.yaml:2:9: auth has no key "beerer" (did you mean "bearer"?)` + "\n" + `error[missing-key] config.yaml:2:1: auth needs "basic", "bearer" or "oauth2"`,
		"url: https://h.example\nauth: { bearer: canary, basic: { user: u, password: p } }":    `error[conflict] config.yaml:2:1: auth is either basic or bearer or oauth2, not several of them (keep one of them)`,
		"url: https://h.example\nheaders: { authorization: canary }\nauth: { bearer: canary }": `error[conflict] config.yaml:3:1: both auth and the header Authorization are set (keep one of them)`,
		"url: https://h.example\nauth: { basic: { user: 'a:canary', password: p } }":           `error[bad-value] config.yaml:2:24: "user" must not hold a colon`,
		"url: https://h.example\nsigning_secret: ''":                                           `error[bad-value] config.yaml:2:17: "signing_secret" is empty (leave the key out to send unsigned)`,
		"url: https://h.example\nsigning_secret: whsec_":                                       `error[bad-value] config.yaml:2:17: "signing_secret" starts with whsec_ but what follows is not base64`,
		"url: https://h.example\nsigning_secret: whsec_canary!":                                `error[bad-value] config.yaml:2:17: "signing_secret" starts with whsec_ but what follows is not base64`,
		"url: http://10.0.0.1/canary":                                                          `warn[private-address] config.yaml:1:6: "url" is not a public address: nothing can be sent there (allow it with outbound.allow_private)`,
		"url: https://h.example\nsecret: canary":                                               `error[unknown-key] config.yaml:2:1: a webhook connection has no key "secret" (did you mean "signing_secret"?)`,
	} {
		got := connectortest.Faults(t, "webhook", settings, connectortest.Deps(t))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s\n%s", settings, diff)
		}
		if strings.Contains(got, "canary") {
			t.Errorf("a secret shows in %s", got)
		}
	}
}

func TestWebhook_names(t *testing.T) {
	t.Parallel()
	tls := httptest.NewUnstartedServer(http.NotFoundHandler())
	tls.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError) // it would tell of the handshake
	tls.StartTLS()
	t.Cleanup(tls.Close)
	for base, want := range map[string]string{
		tls.URL:                          "TLS: the certificate is signed by an unknown authority",
		"https://receiver.example/hook":  "no such host",
		"https://999.999.999.999/canary": "no such host",
	} {
		deps := connectortest.Deps(t)
		deps.Egress = egress.New(egress.Config{AllowPrivate: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, Resolver: mustKnowNothing(t)})
		c := connectortest.MustConnector(t, "webhook", "url: "+base, deps)
		if _, err := c.Deliver(t.Context(), connectortest.Delivery(`{"json":1}`)); connectortest.Outcome(err) != "transient" || err.Error() != want {
			t.Errorf("%s: got %v, want %s", base, err, want)
		}
	}
}

// mustKnowNothing is a resolver over a DNS server that knows no name.
func mustKnowNothing(t *testing.T) *net.Resolver {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	go func() {
		buf := make([]byte, 1500)
		for {
			n, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			if n < 12 {
				continue
			}
			buf[2] |= 0x80           // an answer (RFC 1035, section 4.1.1)
			buf[3] = buf[3]&0xf0 | 3 // NXDOMAIN
			buf[10], buf[11] = 0, 0  // no additional records
			_, _ = conn.WriteTo(buf[:n], from)
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
}

// A token is asked for once, sent with each request, renewed once when it is
// refused, and shown nowhere.
func TestWebhook_oauth2(t *testing.T) {
	t.Parallel()
	given, refuse := 0, true
	base := connectortest.MustServe(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/token" {
			if err := r.ParseForm(); err != nil || r.PostForm.Get("grant_type") != "client_credentials" || r.PostForm.Get("client_secret") != "canary-client-0021" ||
				r.PostForm.Get("scope") != "a b" || r.PostForm.Get("audience") != "https://api.example" {
				t.Errorf("token request: %v, %v", r.PostForm, err)
			}
			given++
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, `{"access_token":"canary-token-002`+string(rune('0'+given))+`","token_type":"Bearer","expires_in":3600}`)
			return
		}
		if refuse && r.Header.Get("Authorization") == "Bearer canary-token-0021" && given == 1 {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_, _ = io.WriteString(w, "got "+r.Header.Get("Authorization"))
	})
	c := connectortest.MustConnector(t, "webhook", "url: "+base+"/api\nauth: { oauth2: { token_url: "+base+"/token, client_id: hookgate, client_secret: canary-client-0021, scopes: [a, b], audience: 'https://api.example' } }", connectortest.Deps(t))
	for range 3 {
		receipt, err := c.Deliver(t.Context(), connectortest.Delivery(`{"json":1}`))
		if err != nil || string(receipt.Answer) != "got Bearer [redacted]" && string(receipt.Answer) != "got [redacted]" {
			t.Errorf("got %q, %v", receipt.Answer, err)
		}
	}
	if given != 2 {
		t.Errorf("%d tokens were given, want the first and its renewal", given)
	}
	refused := connectortest.MustServe(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, `{"error":"invalid_client","error_description":"not canary-client-0021"}`)
	})
	c = connectortest.MustConnector(t, "webhook", "url: "+base+"/api\nauth: { oauth2: { token_url: "+refused+"/token, client_id: hookgate, client_secret: canary-client-0021 } }", connectortest.Deps(t))
	if _, err := c.Deliver(t.Context(), connectortest.Delivery(`{"json":1}`)); connectortest.Outcome(err) != "permanent" || strings.Contains(err.Error(), "canary") {
		t.Errorf("got %v", err)
	}
}

func TestWebhook_cloudevents(t *testing.T) {
	t.Parallel()
	var got map[string]any
	var kind string
	base := connectortest.MustServe(t, func(_ http.ResponseWriter, r *http.Request) {
		kind = r.Header.Get("Content-Type")
		if err := json.NewDecoder(r.Body).Decode(&got); err != nil {
			t.Error(err)
		}
	})
	settings := "url: " + base + "\nformat: cloudevents"
	d := connectortest.Delivery(`{"json":{"a":1},"type":"website_status_changed","source":"/sitejet"}`)
	d.Created = connectortest.Clock
	if _, err := connectortest.MustConnector(t, "webhook", settings, connectortest.Deps(t)).Deliver(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"specversion": "1.0", "id": d.ID.String(), "source": "/sitejet", "type": "website_status_changed", "time": "2026-03-10T09:42:07Z",
		"datacontenttype": "application/json", "data": map[string]any{"a": 1.0},
	}
	if diff := cmp.Diff(want, got); diff != "" || kind != "application/cloudevents+json" {
		t.Errorf("%s\n%s", kind, diff)
	}
	if _, err := connectortest.MustConnector(t, "webhook", settings, connectortest.Deps(t)).Deliver(t.Context(), connectortest.Delivery(`{"body":"x","type":"t","source":"s"}`)); connectortest.Outcome(err) != "permanent" {
		t.Errorf("a text: got %v", err)
	}
	action := connectortest.MustKind(t, "webhook").ActionFor(connectortest.MustParse(t, settings))
	if got := connectortest.CheckAction(t, action, "body: x"); !strings.Contains(got, "needs json") {
		t.Errorf("got %s", got)
	}
	for _, in := range action.Inputs {
		if in.Default == "" {
			continue
		}
		if _, list := lang.NewCompiler().Default(in); len(list) > 0 {
			t.Errorf("%s: %v", in.Name, list)
		}
	}
}

func TestWebhook_successExpression(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		status        int
		body, outcome string
		want          string
	}{
		{200, `{"ok":true}`, "delivered", ""},
		{409, `{"ok":true}`, "delivered", ""},
		{200, `{"ok":false,"why":"no such plan"}`, "permanent", `the answer does not meet success: 200 OK: {"ok":false,"why":"no such plan"}`},
		{503, `{"ok":false}`, "transient", `503 Service Unavailable: {"ok":false}`},
		{400, `{"ok":false}`, "permanent", `400 Bad Request: {"ok":false}`},
		{200, `down`, "permanent", `success could not be judged: `},
	} {
		base := connectortest.MustServe(t, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(tc.status)
			_, _ = io.WriteString(w, tc.body)
		})
		_, err := connectortest.MustConnector(t, "webhook", "url: "+base+"\nsuccess: body.ok == true and status < 500", connectortest.Deps(t)).Deliver(t.Context(), connectortest.Delivery(`{"json":1}`))
		if connectortest.Outcome(err) != tc.outcome || err != nil && !strings.HasPrefix(err.Error(), tc.want) {
			t.Errorf("%d %s: got %s, %v", tc.status, tc.body, connectortest.Outcome(err), err)
		}
	}
	got := connectortest.Faults(t, "webhook", "url: https://h.example\nsuccess: bdy.ok == true and status == 200", connectortest.Deps(t))
	if !strings.Contains(got, `error[expr-name] config.yaml:2:10: unknown name "bdy"`) {
		t.Errorf("got %s", got)
	}
}

// What outputs name is read from the answer of a delivery that got through: as
// recipes have it, with what is not there left out and no secret in it. A read
// of a failed answer, or one that keeps a missing value, breaks it.
func TestWebhook_outputs(t *testing.T) {
	t.Parallel()
	const outputs = "\noutputs: { id: body.id, url: 'headers[\"location\"]', nothing: body.no.such, key: text, list: body.tags }"
	long := `{"id":"` + strings.Repeat("x", 80<<10) + `"}` // longer than what is kept of an answer
	for _, tc := range []struct {
		status        int
		body, success string
		outcome       string
		want          map[string]string
	}{
		{201, `{"id":12345678901234567890,"tags":["a"]}`, "2xx", "delivered", map[string]string{"id": "12345678901234567890", "url": "/v1/7", "key": `{"id":12345678901234567890,"tags":["a"]}`, "list": `["a"]`}},
		{200, `ok canary-webhook-key-07`, "2xx", "delivered", map[string]string{"url": "/v1/7", "key": "ok [redacted]"}},
		{204, ``, "2xx", "delivered", map[string]string{"url": "/v1/7"}},
		{400, `{"id":7}`, "2xx", "permanent", nil},
		{200, `{"id":7}`, "body.id == 8", "permanent", nil},
		{200, `{"id":8}`, `body.id == 8 and headers["location"] startsWith "/v1" and text != ""`, "delivered", map[string]string{"id": "8", "url": "/v1/7", "key": `{"id":8}`}},
		{200, long, "len(body.id) > 1000", "delivered", map[string]string{"id": strings.Repeat("x", 1000) + "…", "url": "/v1/7", "key": long[:1000] + "…"}},
	} {
		base := connectortest.MustServe(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "/v1/7")
			w.WriteHeader(tc.status)
			_, _ = io.WriteString(w, tc.body)
		})
		settings := "url: " + base + "\nheaders: { X-Key: canary-webhook-key-07 }\nsuccess: '" + tc.success + "'" + outputs
		receipt, err := connectortest.MustConnector(t, "webhook", settings, connectortest.Deps(t)).Deliver(t.Context(), connectortest.Delivery(`{"json":1}`))
		var got map[string]string
		for name, o := range receipt.Outputs {
			if got == nil {
				got = map[string]string{}
			}
			if got[name] = o.String(); o.IsText() == (name == "id" && !strings.Contains(tc.body, "xxx")) { // ids are numbers, all else is text
				t.Errorf("%s: the output %s is %#v", tc.body, name, o)
			}
		}
		if diff := cmp.Diff(tc.want, got); diff != "" || connectortest.Outcome(err) != tc.outcome {
			t.Errorf("%d %.50s: %s, %v\n%s", tc.status, tc.body, connectortest.Outcome(err), err, diff)
		}
	}
}

// An answer of which a part is missing cannot be judged by its body: another
// try is due. To take the fragment for the receiver's word would end it.
func TestWebhook_answerThatBreaksOff(t *testing.T) {
	t.Parallel()
	base := connectortest.MustServe(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = io.WriteString(w, `{"ok":tr`)
	})
	for success, want := range map[string]string{"body.ok == true": "transient", "status == 200": "delivered", "2xx": "delivered"} {
		_, err := connectortest.MustConnector(t, "webhook", "url: "+base+"\nsuccess: "+success+"\noutputs: { id: body.id }", connectortest.Deps(t)).Deliver(t.Context(), connectortest.Delivery(`{"json":1}`))
		if connectortest.Outcome(err) != want {
			t.Errorf("%s: got %s, %v", success, connectortest.Outcome(err), err)
		}
	}
}

func TestWebhook_outputFaults(t *testing.T) {
	t.Parallel()
	for written, want := range map[string]string{
		"outputs: [id]":                     `error[wrong-type] config.yaml:2:1: "outputs" must be a mapping of names to expressions (such as { id: body.id })`,
		"outputs: { id: bdy.id }":           `error[expr-name] config.yaml:2:16: unknown name "bdy" (did you mean "body"?)`,
		"outputs: { id: [body.id] }":        `error[wrong-type] config.yaml:2:12: "id" must be an expression (such as body.id)`,
		"outputs: { ID: body.id }":          `error[bad-name] config.yaml:2:12: "ID" cannot be a name here (use small letters, digits and _)`,
		"outputs: { id: '${{ body.id }}' }": `error[template-in-when] config.yaml:2:17: "id" is already an expression (drop the ${{ }})`,
		"success: [2xx, body.ok]":           `error[bad-value] config.yaml:2:16: "success": "body.ok" is no status: write 204, 200-299 or 2xx (an expression stands alone, without other values beside it)`,
		"success: fine":                     `error[bad-value] config.yaml:2:10: "success": "fine" is no status: write 204, 200-299 or 2xx (or an expression over the answer: body.ok == true)`,
	} {
		if got := connectortest.Faults(t, "webhook", "url: https://h.example\n"+written, connectortest.Deps(t)); got != want {
			t.Errorf("%s\n got %s\nwant %s", written, got, want)
		}
	}
}

// The receiver wants a certificate, and its own is signed by an authority that
// only the setting names.
func TestWebhook_clientCertificate(t *testing.T) {
	t.Parallel()
	own := httptest.NewTLSServer(nil)
	pair := own.TLS.Certificates[0]
	own.Close()
	dir := t.TempDir()
	key, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, kind string, content []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: content}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	cert, keyPath := write("cert.pem", "CERTIFICATE", pair.Certificate[0]), write("key.pem", "PRIVATE KEY", key)
	base := mutual(t, pair)
	files := "tls: { cert: " + cert + ", key: " + keyPath + ", ca: " + cert + " }"
	receipt, err := connectortest.MustConnector(t, "webhook", "url: "+base+"\n"+files, connectortest.Deps(t)).Deliver(t.Context(), connectortest.Delivery(`{"json":1}`))
	if err != nil || !strings.Contains(string(receipt.Answer), "Acme Co") {
		t.Errorf("got %q, %v", receipt.Answer, err)
	}
	if _, err := connectortest.MustConnector(t, "webhook", "url: "+base+"\ntls: { ca: "+cert+" }", connectortest.Deps(t)).Deliver(t.Context(), connectortest.Delivery(`{"json":1}`)); connectortest.Outcome(err) != "transient" {
		t.Errorf("without a certificate: got %v", err)
	}
	for settings, want := range map[string]string{
		"tls: { cert: " + cert + " }":                      `error[missing-key] config.yaml:2:1: tls needs both "cert" and "key", or neither`,
		"tls: { cert: missing.pem, key: " + keyPath + " }": `error[bad-file] config.yaml:2:14: the certificate and its key cannot be used: there is no such file`,
		"tls: { ca: " + keyPath + " }":                     `error[bad-file] config.yaml:2:12: the file holds no certificate in PEM form (it starts with -----BEGIN CERTIFICATE-----)`,
	} {
		if diff := cmp.Diff(want, connectortest.Faults(t, "webhook", "url: https://h.example\n"+settings, connectortest.Deps(t))); diff != "" {
			t.Error(diff)
		}
	}
}

// mutual is a receiver with the certificate of pair that wants one of its own.
func mutual(t *testing.T, pair tls.Certificate) string {
	t.Helper()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.TLS.PeerCertificates[0].Subject.String())
	}))
	server.TLS = &tls.Config{Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequireAnyClientCert, MinVersion: tls.VersionTLS12}
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	server.StartTLS()
	t.Cleanup(server.Close)
	return server.URL
}
