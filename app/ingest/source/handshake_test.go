package source_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"hookgate/app/ingest/source"
	"hookgate/internal/jsondoc"
)

const onlyToken = "type: webhook\ntoken: " + token + "\n"

// What the header of a try tells is answered as its sender wants it; what is
// none is left to be an event.
func TestHandshake(t *testing.T) {
	t.Parallel()
	const subscribe = "?hub.mode=subscribe&hub.challenge=11%2B58&hub.verify_token="
	const hub = onlyToken + "challenge: { scheme: hub, verify_token: right }"
	for _, c := range []struct {
		name, source, method, query string
		headers                     map[string]string
		want                        *source.Answer
		err                         error
	}{
		{"HEAD", "type: sitejet\ntoken: " + token, "HEAD", "", nil, &source.Answer{}, nil},
		{"hub", hub, "GET", subscribe + "right", nil, plainAnswer("11+58"), nil},
		{"hub, wrong", hub, "GET", subscribe + "wrong", nil, nil, source.ErrBadVerifyToken},
		{"hub, none", hub, "GET", "?hub.mode=subscribe&hub.challenge=1", nil, nil, source.ErrBadVerifyToken},
		{"hub, not asked for", onlyToken, "GET", subscribe + "any", nil, plainAnswer("11+58"), nil},
		{"hub, by POST", hub, "POST", subscribe + "right", nil, nil, nil},
		{"hub, another mode", hub, "GET", "?hub.mode=denied&hub.challenge=1", nil, nil, nil},
		{"hub, to an address without a token", "type: webhook\nverify: { scheme: github, secret: x }", "GET", subscribe, nil, nil, nil},
		{"Sitejet has none", "type: sitejet\ntoken: " + token, "GET", subscribe, nil, nil, nil},
		{"Dropbox", onlyToken + "challenge: { scheme: dropbox }", "GET", "?challenge=a%20b", nil, plainAnswer("a b"), nil},
		{"Dropbox, an event", onlyToken + "challenge: { scheme: dropbox }", "POST", "?challenge=a", nil, nil, nil},
		{"Dropbox, not asked for", onlyToken, "GET", "?challenge=a", nil, nil, nil},
		{"Graph", onlyToken + "challenge: { scheme: microsoft-graph }", "POST", "?validationToken=Validation%3A+Testing", nil, plainAnswer("Validation: Testing"), nil},
		{"Graph, an event", onlyToken + "challenge: { scheme: microsoft-graph }", "POST", "", nil, nil, nil},
		{"Asana", onlyToken + "challenge: { scheme: asana }", "POST", "", map[string]string{"X-Hook-Secret": "s3"}, &source.Answer{Header: "X-Hook-Secret", Value: "s3"}, nil},
		{"Asana, an event", onlyToken + "challenge: { scheme: asana }", "POST", "", map[string]string{"X-Hook-Signature": "x"}, nil, nil},
		{"a broken query", hub, "GET", "?hub.mode=subscribe&hub.challenge=%zz", nil, nil, nil},
	} {
		got, err := MustCompile(t, c.source).Handshake(&source.Request{
			Method: c.method, URL: "https://hooks.example/in/s/" + token + c.query, Header: headers(c.headers),
		})
		if !errors.Is(err, c.err) || !sameAnswer(got, c.want) {
			t.Errorf("%s: got %+v, %v, want %+v, %v", c.name, got, err, c.want, c.err)
		}
	}
}

// What the body of a try tells is answered; an event that looks like it is none.
func TestHandshakeBody(t *testing.T) {
	t.Parallel()
	const slack = "type: webhook\nverify: { scheme: slack, secret: 8f742231b10e8888abcd99yyyzzz85a5 }"
	const zoom = onlyToken + "challenge: { scheme: zoom, secret: geheim }"
	const monday = onlyToken + "challenge: { scheme: monday }"
	const tried = `{"token":"x","challenge":"3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P","type":"url_verification"}`
	for _, c := range []struct {
		name, source, text string
		want               *source.Answer
	}{
		{"a try", slack, tried, plainAnswer("3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P")},
		{"an event", slack, `{"type":"event_callback","challenge":"x"}`, nil},
		{"no text", slack, `{"type":"url_verification","challenge":7}`, nil},
		{"another sender", onlyToken, tried, nil},
		{"Zoom", zoom, `{"event":"endpoint.url_validation","payload":{"plainToken":"qgg8vlvZRS6UYooatFL8Aw"}}`, &source.Answer{
			ContentType: "application/json",
			Body:        `{"encryptedToken":"` + hexMAC("geheim", "qgg8vlvZRS6UYooatFL8Aw") + `","plainToken":"qgg8vlvZRS6UYooatFL8Aw"}`,
		}},
		{"Zoom, what would be a signature", zoom, `{"event":"endpoint.url_validation","payload":{"plainToken":"v0:1700000000:{}"}}`, nil},
		{"Zoom, an event", zoom, `{"event":"meeting.started","payload":{"plainToken":"x"}}`, nil},
		{"Monday", monday, `{"challenge":"3eZ\"b"}`, &source.Answer{ContentType: "application/json", Body: `{"challenge":"3eZ\"b"}`}},
		{"Monday, an event", monday, `{"event":{"type":"create_pulse"},"challenge":"x"}`, nil},
		{"Monday, not asked for", onlyToken, `{"challenge":"x"}`, nil},
	} {
		doc, err := jsondoc.Parse([]byte(c.text))
		if err != nil {
			t.Fatal(err)
		}
		if got := MustCompile(t, c.source).HandshakeBody(doc); !sameAnswer(got, c.want) {
			t.Errorf("%s: got %+v, want %+v", c.name, got, c.want)
		}
		doc.Release()
	}
}

func TestPing(t *testing.T) {
	t.Parallel()
	const woo = "type: webhook\nverify: { scheme: hmac, secret: x, encoding: base64, header: X-WC-Webhook-Signature }"
	for _, c := range []struct {
		name, source, method, body, signature string
		want                                  bool
	}{
		{"a ping", woo, http.MethodPost, "webhook_id=5", "", true},
		{"signed", woo, http.MethodPost, "webhook_id=5", "AAAA", false},
		{"by PUT", woo, http.MethodPut, "webhook_id=5", "", false},
		{"more than that", woo, http.MethodPost, "webhook_id=5&a=1", "", false},
		{"no number", woo, http.MethodPost, "webhook_id=", "", false},
		{"another sender", strings.Replace(woo, "X-WC", "X-GH", 1), http.MethodPost, "webhook_id=5", "", false},
		{"nothing is signed", onlyToken, http.MethodPost, "webhook_id=5", "", false},
	} {
		r := &source.Request{Method: c.method, Body: []byte(c.body), Header: headers(map[string]string{"X-WC-Webhook-Signature": c.signature})}
		if got := MustCompile(t, c.source).Ping(r) != nil; got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

func TestHandshake_faults(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"challenge: { scheme: hub }":                       "",
		"challenge: dropbox":                               "wrong-type",
		"challenge: {}":                                    "missing-key",
		"challenge: { scheme: dropboks }":                  "unknown-scheme",
		"challenge: { scheme: hub, verify_token: '' }":     "empty-value",
		"challenge: { scheme: zoom }":                      "missing-key",
		"challenge: { scheme: zoom, secret: '' }":          "empty-value",
		"challenge: { scheme: dropbox, verify_token: abc}": "unknown-key",
	} {
		_, list := compile(onlyToken + text)
		if want == "" && len(list) > 0 || want != "" && (len(list) != 1 || list[0].Code != want) {
			t.Errorf("%s: %v, want %s", text, list, want)
		}
	}
	_, list := compile("type: webhook\nverify: { scheme: github, secret: x }\nchallenge: { scheme: hub }")
	if len(list) != 1 || list[0].Code != "missing-key" {
		t.Errorf("an address that anyone could subscribe: %v", list)
	}
}

func plainAnswer(body string) *source.Answer {
	return &source.Answer{ContentType: "text/plain; charset=utf-8", Body: body}
}

func sameAnswer(a, b *source.Answer) bool {
	return a == nil && b == nil || a != nil && b != nil && *a == *b
}
