package connectors_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"hookgate/connectors"
	"hookgate/internal/egress"
)

// mustRecord is a receiver that hands over what it got, as text: the request
// line, the headers in question, a blank line, the body.
func mustRecord(t testing.TB, headers ...string) (base string, requests <-chan string) {
	t.Helper()
	got := make(chan string, 10)
	base = mustServe(t, func(_ http.ResponseWriter, r *http.Request) {
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
			c := mustConnector(t, "webhook", strings.ReplaceAll(settings, "BASE", base), testDeps(t))
			if _, err := c.Deliver(t.Context(), delivery(tc.output)); err != nil {
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
			base := mustServe(t, func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				if err := signer.VerifyIgnoringTimestamp(body, r.Header); err != nil {
					t.Error(err)
				}
				seen <- r.Header
				w.WriteHeader(http.StatusServiceUnavailable)
			})
			deps := testDeps(t)
			now := clock
			deps.Now = func() time.Time { return now }
			c := mustConnector(t, "webhook", "url: "+base+"\nsigning_secret: "+tc.secret, deps)
			var headers []http.Header
			for range 2 {
				if _, err := c.Deliver(t.Context(), delivery(`{"json":{"a":"ü"}}`)); outcome(err) != "transient" {
					t.Error(err)
				}
				headers = append(headers, <-seen)
				now = now.Add(5 * time.Minute)
			}
			id := delivery("").ID.String()
			for i, h := range headers {
				got := []string{h.Get("webhook-id"), h.Get("idempotency-key"), h.Get("webhook-timestamp"), h.Get("user-agent")}
				want := []string{id, id, fmt.Sprint(clock.Unix() + int64(i)*300), "hookgate/1.2.3"}
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
			base := mustServe(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
			c := mustConnector(t, "webhook", "url: "+base+"\n"+setting, testDeps(t))
			if _, err := c.Deliver(t.Context(), delivery(`{"json":1}`)); (err == nil) != want {
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
		base := mustServe(t, func(http.ResponseWriter, *http.Request) { t.Errorf("%s: a request was made", output) })
		c := mustConnector(t, "webhook", "url: "+base, testDeps(t))
		if _, err := c.Deliver(t.Context(), delivery(output)); !connectors.IsPermanent(err) || err.Error() != want {
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
		"url: https://h.example\nsecret: canary":                                               `error[unknown-key] config.yaml:2:1: a webhook connection has no key "secret" (it has auth, concurrency, format, headers, method, outputs, rate_limit, retry, signing_secret, success, timeout, tls, type, url)`,
	} {
		got := faults(t, "webhook", settings, testDeps(t))
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
		deps := testDeps(t)
		deps.Egress = egress.New(egress.Config{AllowPrivate: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, Resolver: mustKnowNothing(t)})
		c := mustConnector(t, "webhook", "url: "+base, deps)
		if _, err := c.Deliver(t.Context(), delivery(`{"json":1}`)); outcome(err) != "transient" || err.Error() != want {
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
