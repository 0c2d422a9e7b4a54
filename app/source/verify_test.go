package source_test

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
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

// now is the time of the requests that the tests sign.
var now = time.Date(2026, 3, 10, 10, 42, 7, 500_000_000, time.UTC)

const (
	address = "https://hooks.example/in/s?a=%2Fb%20c"
	secretA = "c2VjcmV0LWE" // base64 of secret-a, without padding
	secretB = "c2VjcmV0LWI"
)

func mac(algorithm func() hash.Hash, key, message string) []byte {
	m := hmac.New(algorithm, []byte(key))
	m.Write([]byte(message))
	return m.Sum(nil)
}

func hexMAC(key, message string) string { return hex.EncodeToString(mac(sha256.New, key, message)) }

func b64MAC(key, message string) string {
	return base64.StdEncoding.EncodeToString(mac(sha256.New, key, message))
}

// sender signs as one scheme's documentation says.
type sender struct {
	config string // of verify, without the secret
	sign   func(key, body string, at time.Time) map[string]string
	timed  bool
}

func seconds(at time.Time) string { return strconv.FormatInt(at.Unix(), 10) }
func millis(at time.Time) string  { return strconv.FormatInt(at.UnixMilli(), 10) }

func pairs(header, key string) func(secret, body string, at time.Time) map[string]string {
	return func(secret, body string, at time.Time) map[string]string {
		return map[string]string{header: "t=" + seconds(at) + "," + key + "=" + hexMAC(secret, seconds(at)+"."+body)}
	}
}

func plain(header string, sign func(secret, body string) string) func(secret, body string, at time.Time) map[string]string {
	return func(secret, body string, _ time.Time) map[string]string {
		return map[string]string{header: sign(secret, body)}
	}
}

func senders() map[string]sender {
	return map[string]sender{
		"standard-webhooks": {"scheme: standard-webhooks", func(key, body string, at time.Time) map[string]string {
			raw, err := base64.RawStdEncoding.DecodeString(key)
			if err != nil {
				return nil
			}
			signature := b64MAC(string(raw), "msg_1."+seconds(at)+"."+body)
			return map[string]string{"webhook-id": "msg_1", "webhook-timestamp": seconds(at), "webhook-signature": "v1a,xx v1,AAAA v1," + signature}
		}, true},
		"github": {"scheme: github", plain("X-Hub-Signature-256", func(key, body string) string { return "sha256=" + hexMAC(key, body) }), false},
		"stripe": {"scheme: stripe", func(key, body string, at time.Time) map[string]string {
			h := pairs("Stripe-Signature", "v1")(key, body, at)
			h["Stripe-Signature"] += ",v1=" + strings.Repeat("0", 64) + ",v0=ff"
			return h
		}, true},
		"shopify": {"scheme: shopify", plain("X-Shopify-Hmac-Sha256", b64MAC), false},
		"slack": {"scheme: slack", func(key, body string, at time.Time) map[string]string {
			return map[string]string{"X-Slack-Request-Timestamp": seconds(at), "X-Slack-Signature": "v0=" + hexMAC(key, "v0:"+seconds(at)+":"+body)}
		}, true},
		"typeform": {"scheme: typeform", plain("Typeform-Signature", func(key, body string) string { return "sha256=" + b64MAC(key, body) }), false},
		"tally":    {"scheme: tally", plain("Tally-Signature", b64MAC), false},
		"webflow": {"scheme: webflow", func(key, body string, at time.Time) map[string]string {
			return map[string]string{"x-webflow-timestamp": millis(at), "x-webflow-signature": hexMAC(key, millis(at)+":"+body)}
		}, true},
		"wpforms":   {"scheme: wpforms", pairs("X-WPForms-Webhook-Signature", "v"), true},
		"formspree": {"scheme: formspree", pairs("Formspree-Signature", "v1"), true},
		"hubspot": {"scheme: hubspot", func(key, body string, at time.Time) map[string]string {
			return map[string]string{"X-HubSpot-Request-Timestamp": millis(at), "X-HubSpot-Signature-v3": b64MAC(key, "POST"+address+body+millis(at))}
		}, true},
		"hubspot, URL decoded": {"scheme: hubspot", func(key, body string, at time.Time) map[string]string {
			url := "https://hooks.example/in/s?a=/b%20c"
			return map[string]string{"X-HubSpot-Request-Timestamp": millis(at), "X-HubSpot-Signature-v3": b64MAC(key, "POST"+url+body+millis(at))}
		}, true},
		"hmac, sha1": {"scheme: hmac, header: X-Sig, algorithm: sha1", plain("X-Sig", func(key, body string) string {
			return hex.EncodeToString(mac(sha1.New, key, body))
		}), false},
		"hmac, all keys": {
			`scheme: hmac, header: X-Sig, algorithm: sha512, encoding: base64, secret_encoding: base64, prefix: "p:", separator: ";", signed: "{method}|{url}|{id}|{timestamp}|{body}|", id_header: X-Id, timestamp_header: X-Time, timestamp_unit: ms, tolerance: 5m`,
			func(key, body string, at time.Time) map[string]string {
				raw, err := base64.RawStdEncoding.DecodeString(key)
				if err != nil {
					return nil
				}
				sum := mac(sha512.New, string(raw), "POST|"+address+"|7|"+millis(at)+"|"+body+"|")
				return map[string]string{"X-Id": "7", "X-Time": millis(at), "X-Sig": "q:xx; p:" + base64.URLEncoding.EncodeToString(sum)}
			}, true,
		},
		"hmac, pairs": {
			`scheme: hmac, header: X-Sig, separator: "&", signature_key: sig, timestamp_key: ts, signed: "{timestamp}{body}"`,
			func(key, body string, at time.Time) map[string]string {
				return map[string]string{"X-Sig": "ts=" + seconds(at) + "&sig=" + hexMAC(key, seconds(at)+body)}
			}, true,
		},
		"basic": {"scheme: basic, user: ann", func(key, _ string, _ time.Time) map[string]string {
			return map[string]string{"Authorization": "Basic " + base64.StdEncoding.EncodeToString([]byte("ann:"+key))}
		}, false},
		"bearer": {"scheme: bearer", func(key, _ string, _ time.Time) map[string]string {
			return map[string]string{"Authorization": "bearer " + key}
		}, false},
		"bearer, own header": {"scheme: bearer, header: X-Key", func(key, _ string, _ time.Time) map[string]string {
			return map[string]string{"X-Key": key}
		}, false},
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
