package source_test

import (
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"hookgate/app/ingest/source"
)

// Vectors that the vendors themselves publish.
//
// Promise: T1.
func TestPublishedVectors(t *testing.T) {
	t.Parallel()
	slackBody := "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
	tests := []struct {
		scheme, secret, body string
		now                  time.Time
		header               map[string]string
		url                  string
	}{
		{
			scheme: "github", secret: "It's a Secret to Everybody", body: "Hello, World!",
			header: map[string]string{"X-Hub-Signature-256": "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"},
		},
		{
			scheme: "slack", secret: "8f742231b10e8888abcd99yyyzzz85a5", body: slackBody, now: time.Unix(1531420618, 0),
			header: map[string]string{"X-Slack-Request-Timestamp": "1531420618", "X-Slack-Signature": "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"},
		},
		{
			scheme: "standard-webhooks", secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", body: `{"test": 2432232314}`, now: time.Unix(1614265330, 0),
			header: map[string]string{"webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek", "webhook-timestamp": "1614265330", "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="},
		},
		{ // from the tests of HubSpot's client library for Python
			scheme: "hubspot", secret: "yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy", body: "{'example_field':'example_value'}", now: time.UnixMilli(1693657560000),
			header: map[string]string{"X-HubSpot-Request-Timestamp": "1693657560000", "X-HubSpot-Signature-v3": "K36dawei4A+QBNolUOqo7s91KQDWQ5MXZ/QufNYuk/Y="},
			url:    "https://www.example.com/webhook_uri",
		},
	}
	for _, tt := range tests {
		s := MustCompile(t, "type: webhook\nverify: { scheme: "+tt.scheme+", secret: "+strconv.Quote(tt.secret)+" }")
		r := &source.Request{Method: "POST", URL: tt.url, Header: headers(tt.header), Body: []byte(tt.body), Now: tt.now}
		if err := s.Authenticate(r); err != nil {
			t.Errorf("%s: %v", tt.scheme, err)
		}
		r.Body = []byte(tt.body + " ")
		if err := s.Authenticate(r); !errors.Is(err, source.ErrBadSignature) {
			t.Errorf("%s: a changed body gave %v", tt.scheme, err)
		}
	}
}

func (s sender) source(t *testing.T, secrets string) *source.Source {
	t.Helper()
	return MustCompile(t, "type: webhook\nverify: { "+s.config+", "+secrets+" }")
}

func (s sender) oneSecret() string {
	if strings.HasPrefix(s.config, "scheme: basic") {
		return "password: " + secretA
	}
	return "secret: " + secretA
}

func request(body string, header map[string]string) *source.Request {
	return &source.Request{Method: "POST", URL: address, Header: headers(header), Body: []byte(body), Now: now}
}

// wantReason asserts that authentication fails with a reason, and that the
// error shows nothing of the request's proof.
func wantReason(t *testing.T, s *source.Source, r *source.Request, header map[string]string, reason string) {
	t.Helper()
	err := s.Authenticate(r)
	if !errors.Is(err, source.ErrBadSignature) || !strings.Contains(err.Error(), reason) {
		t.Errorf("got %v, want %q", err, reason)
		return
	}
	for _, value := range header {
		if len(value) > 12 && strings.Contains(err.Error(), value) {
			t.Errorf("the error shows a header: %v", err)
		}
	}
	if strings.Contains(err.Error(), secretA) {
		t.Errorf("the error shows the secret: %v", err)
	}
}

func TestSchemes(t *testing.T) {
	t.Parallel()
	const body = `{"a":"ü"}`
	for name, sender := range senders() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := sender.source(t, sender.oneSecret())
			good := sender.sign(secretA, body, now)
			if err := s.Authenticate(request(body, good)); err != nil {
				t.Fatalf("a good request: %v", err)
			}
			wantReason(t, s, request(body, sender.sign(secretB, body, now)), nil, "")
			password := strings.Contains(sender.config, "basic") || strings.Contains(sender.config, "bearer")
			if !password {
				wantReason(t, s, request(body+" ", good), good, "does not match")
			}
			for header := range good {
				less := map[string]string{}
				for k, v := range good {
					if k != header {
						less[k] = v
					}
				}
				wantReason(t, s, request(body, less), less, "header "+header+" is missing")
				less[header] = "rubbish"
				wantReason(t, s, request(body, less), less, "")
			}
			if strings.HasPrefix(sender.config, "scheme: basic") {
				return
			}
			rotating := sender.source(t, "secrets: ["+secretB+", "+secretA+"]")
			if err := rotating.Authenticate(request(body, good)); err != nil {
				t.Errorf("during a key rotation: %v", err)
			}
		})
	}
}

// Promise: T1.
func TestTolerance(t *testing.T) {
	t.Parallel()
	const body = `{}`
	for name, sender := range senders() {
		if !sender.timed {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := sender.source(t, sender.oneSecret())
			base := now.Truncate(time.Second)
			for _, tt := range []struct {
				off    time.Duration
				reason string
			}{
				{0, ""},
				{5 * time.Minute, ""},
				{-5 * time.Minute, ""},
				{5*time.Minute + time.Second, "more than 5m0s ahead"},
				{-5*time.Minute - time.Second, "more than 5m0s old"},
				{-24 * 365 * time.Hour, "old"},
				{24 * 365 * time.Hour, "ahead"},
			} {
				header := sender.sign(secretA, body, base.Add(tt.off))
				r := request(body, header)
				r.Now = base
				if tt.reason == "" {
					if err := s.Authenticate(r); err != nil {
						t.Errorf("%v off: %v", tt.off, err)
					}
					continue
				}
				wantReason(t, s, r, header, tt.reason)
			}
		})
	}
}

func TestOddTimestamps(t *testing.T) {
	t.Parallel()
	s := MustCompile(t, "type: webhook\nverify: { scheme: slack, secret: "+secretA+" }")
	for _, ts := range []string{"x", "-1", "1e9", "99999999999999999999", "9223372036854775807", " 1", "1773139327.5"} {
		header := map[string]string{"X-Slack-Request-Timestamp": ts, "X-Slack-Signature": "v0=" + hexMAC(secretA, "v0:"+ts+":{}")}
		wantReason(t, s, request("{}", header), nil, "the timestamp is neither a number nor a time")
	}
	stripe := MustCompile(t, "type: webhook\nverify: { scheme: stripe, secret: "+secretA+" }")
	wantReason(t, stripe, request("{}", map[string]string{"Stripe-Signature": "v1=" + hexMAC(secretA, ".{}")}), nil, "the signed timestamp is missing")
	wantReason(t, stripe, request("{}", map[string]string{"Stripe-Signature": "t=" + seconds(now)}), nil, "no signature of the expected form")
	// The first t counts: a second one cannot make an old request fresh.
	old := seconds(now.Add(-time.Hour))
	wantReason(t, stripe, request("{}", map[string]string{"Stripe-Signature": "t=" + old + ",v1=" + hexMAC(secretA, old+".{}") + ",t=" + seconds(now)}), nil, "old")
	own := MustCompile(t, "type: webhook\nverify: { scheme: stripe, secret: "+secretA+", tolerance: 2h }")
	if err := own.Authenticate(request("{}", map[string]string{"Stripe-Signature": "t=" + old + ",v1=" + hexMAC(secretA, old+".{}")})); err != nil {
		t.Errorf("a tolerance of one's own: %v", err)
	}
}

// The signature is over the bytes as they came, not over what they unpack to.
func TestStandardWebhooksLibrary(t *testing.T) {
	t.Parallel()
	const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	wh, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		t.Fatal(err)
	}
	raw := "\x1f\x8b\x08not really gzip"
	signature, err := wh.Sign("msg_1", now, []byte(raw))
	if err != nil {
		t.Fatal(err)
	}
	s := MustCompile(t, "type: webhook\nverify: { scheme: standard-webhooks, secrets: [whsec_AAAA, "+secret+"] }")
	header := map[string]string{"webhook-id": "msg_1", "webhook-timestamp": seconds(now), "webhook-signature": signature}
	r := request(raw, header)
	r.ContentEncoding = "gzip"
	if err := s.Authenticate(r); err != nil {
		t.Error(err)
	}
}

func TestTokenBesideSignature(t *testing.T) {
	t.Parallel()
	s := MustCompile(t, "type: webhook\ntoken: "+token+"\nverify: { scheme: github, secret: x }")
	r := request("{}", map[string]string{"X-Hub-Signature-256": "sha256=" + hexMAC("x", "{}")})
	if err := s.Authenticate(r); !errors.Is(err, source.ErrBadToken) {
		t.Error(err)
	}
	r.Token = token
	if err := s.Authenticate(r); err != nil {
		t.Error(err)
	}
	r.Body = []byte("[]")
	if err := s.Authenticate(r); !errors.Is(err, source.ErrBadSignature) {
		t.Error(err)
	}
	without := MustCompile(t, "type: webhook\nverify: { scheme: github, secret: x }")
	r = request("{}", map[string]string{"X-Hub-Signature-256": "sha256=" + hexMAC("x", "{}")})
	r.Token = "surplus"
	if err := without.Authenticate(r); !errors.Is(err, source.ErrBadToken) {
		t.Error("a token where there is none:", err)
	}
}

func TestNone(t *testing.T) {
	t.Parallel()
	s, list := compile("type: webhook\nverify: { scheme: none }")
	if list.Err() != nil {
		t.Fatal(list)
	}
	if err := s.Authenticate(request("{}", nil)); err != nil {
		t.Error(err)
	}
}
