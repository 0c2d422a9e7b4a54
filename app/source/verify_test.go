package source_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"hookgate/app/source"
)

// Vectors that the vendors themselves publish.
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
		wantReason(t, s, request("{}", header), nil, "the timestamp is not a number")
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

// One Source serves all requests at once.
func TestConcurrently(t *testing.T) {
	t.Parallel()
	s := MustCompile(t, "type: webhook\nverify: { scheme: github, secrets: [x, y] }")
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			for j := range 100 {
				body := fmt.Sprint(i, j)
				r := request(body, map[string]string{"X-Hub-Signature-256": "sha256=" + hexMAC("y", body)})
				if err := s.Authenticate(r); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	group.Wait()
}

// Nobody without the secret gets in, whatever the headers hold.
func FuzzVerify(f *testing.F) {
	for name, sender := range senders() {
		if strings.HasPrefix(name, "basic") || strings.HasPrefix(name, "bearer") {
			continue
		}
		for _, value := range sender.sign(secretB, "{}", now) {
			f.Add(value, seconds(now), "id", []byte("{}"))
		}
	}
	var all []*source.Source
	for _, sender := range senders() {
		all = append(all, MustCompile(f, "type: webhook\nverify: { "+sender.config+", "+sender.oneSecret()+" }"))
	}
	f.Fuzz(func(t *testing.T, signature, timestamp, id string, body []byte) {
		header := func(name string) string {
			switch name = strings.ToLower(name); {
			case strings.Contains(name, "time"):
				return timestamp
			case strings.HasSuffix(name, "id"):
				return id
			}
			return signature
		}
		for _, s := range all {
			r := &source.Request{Method: "POST", URL: address, Header: header, Body: body, Now: now}
			if err := s.Authenticate(r); !errors.Is(err, source.ErrBadSignature) {
				t.Fatalf("%v", err)
			}
		}
	})
}

func BenchmarkAuthenticate(b *testing.B) {
	s := MustCompile(b, "type: webhook\nverify: { scheme: standard-webhooks, secret: "+secretA+" }")
	body := strings.Repeat("x", 1300)
	header := senders()["standard-webhooks"].sign(secretA, body, now)
	r := &source.Request{Header: func(name string) string { return header[name] }, Body: []byte(body), Now: now}
	b.ReportAllocs()
	for b.Loop() {
		if err := s.Authenticate(r); err != nil {
			b.Fatal(err)
		}
	}
}

// A token proves a body only where its secret, its algorithm, its issuer and
// its hash are right.
func TestNetlify(t *testing.T) {
	t.Parallel()
	const secret, body = "netlify-secret-0123456789", `{"id":"5"}`
	part := base64.RawURLEncoding.EncodeToString
	token := func(secret, head, claims string) string {
		signed := part([]byte(head)) + "." + part([]byte(claims))
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write([]byte(signed))
		return signed + "." + part(mac.Sum(nil))
	}
	const head = `{"alg":"HS256","typ":"JWT"}`
	digest := fmt.Sprintf("%x", sha256.Sum256([]byte(body)))
	claims := `{"iss":"netlify","sha256":"` + digest + `"}`
	good := token(secret, head, claims)
	s := MustCompile(t, "type: webhook\nverify: { scheme: netlify, secrets: [another-secret-0123456, "+secret+"] }")
	if !s.Secret("x-webhook-signature") {
		t.Error("the signature would be stored")
	}
	for _, c := range []struct{ name, header, want string }{
		{"good", good, ""},
		{"hash in capitals", token(secret, head, strings.Replace(claims, digest, strings.ToUpper(digest), 1)), ""},
		{"none", "", "missing"},
		{"another secret", token("x", head, claims), "does not match"},
		{"no algorithm", part([]byte(`{"alg":"none"}`)) + "." + part([]byte(claims)) + ".", "no JSON Web Token"},
		{"another algorithm", token(secret, `{"alg":"HS512"}`, claims), "no JSON Web Token"},
		{"what it does not understand", token(secret, `{"alg":"HS256","crit":["b64"],"b64":false}`, claims), "no JSON Web Token"},
		{"another issuer", token(secret, head, strings.Replace(claims, "netlify", "gotrue", 1)), "another issuer"},
		{"no hash", token(secret, head, `{"iss":"netlify"}`), "another body"},
		{"claims that are no object", token(secret, head, `"x"`), "no JSON Web Token"},
		{"cut", good[:len(good)-3], "does not match"},
		{"text", "a.b.c", "no JSON Web Token"},
		{"dots", "....", "no JSON Web Token"},
	} {
		err := s.Authenticate(&source.Request{Method: "POST", Header: headers(map[string]string{"X-Webhook-Signature": c.header}), Body: []byte(body), Now: time.Unix(0, 0)})
		if c.want == "" && err != nil || c.want != "" && (!errors.Is(err, source.ErrBadSignature) || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
	if err := s.Authenticate(&source.Request{Method: "POST", Header: headers(map[string]string{"X-Webhook-Signature": good}), Body: []byte(body + " ")}); !errors.Is(err, source.ErrBadSignature) {
		t.Errorf("a changed body: %v", err)
	}
}
