package e2e

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"hookgate/test/lab"
)

func digest(secret, text string) []byte {
	h := hmac.New(sha256.New, []byte(secret))
	h.Write([]byte(text))
	return h.Sum(nil)
}

func inHex(secret, text string) string { return hex.EncodeToString(digest(secret, text)) }
func inBase64(secret, text string) string {
	return base64.StdEncoding.EncodeToString(digest(secret, text))
}

// scheme is one sender's way to sign, written down here a second time and
// independently of the product, from the senders' documentation.
type scheme struct {
	name string
	// headers returns names and values in turn for a body signed at a time.
	headers func(secret, url, body string, at time.Time) []string
	timed   bool // the signature is good for five minutes only
}

var schemes = []scheme{
	{"github", func(s, _, b string, _ time.Time) []string {
		return []string{"X-Hub-Signature-256", "sha256=" + inHex(s, b), "X-GitHub-Event", "push", "X-GitHub-Delivery", "d-1"}
	}, false},
	{"stripe", func(s, _, b string, at time.Time) []string {
		return []string{"Stripe-Signature", fmt.Sprintf("t=%d,v1=%s,v1=00ff,v0=abc", at.Unix(), inHex(s, fmt.Sprintf("%d.%s", at.Unix(), b)))}
	}, true},
	{"shopify", func(s, _, b string, _ time.Time) []string {
		return []string{"X-Shopify-Hmac-Sha256", inBase64(s, b), "X-Shopify-Topic", "orders/create"}
	}, false},
	{"slack", func(s, _, b string, at time.Time) []string {
		return []string{"X-Slack-Request-Timestamp", fmt.Sprint(at.Unix()), "X-Slack-Signature", "v0=" + inHex(s, fmt.Sprintf("v0:%d:%s", at.Unix(), b))}
	}, true},
	{"typeform", func(s, _, b string, _ time.Time) []string {
		return []string{"Typeform-Signature", "sha256=" + inBase64(s, b)}
	}, false},
	{"tally", func(s, _, b string, _ time.Time) []string {
		return []string{"Tally-Signature", inBase64(s, b)}
	}, false},
	{"webflow", func(s, _, b string, at time.Time) []string {
		ms := fmt.Sprint(at.UnixMilli())
		return []string{"x-webflow-timestamp", ms, "x-webflow-signature", inHex(s, ms+":"+b)}
	}, true},
	{"wpforms", func(s, _, b string, at time.Time) []string {
		return []string{"X-WPForms-Webhook-Signature", fmt.Sprintf("t=%d,v=%s", at.Unix(), inHex(s, fmt.Sprintf("%d.%s", at.Unix(), b)))}
	}, true},
	{"formspree", func(s, _, b string, at time.Time) []string {
		return []string{"Formspree-Signature", fmt.Sprintf("t=%d,v1=%s", at.Unix(), inHex(s, fmt.Sprintf("%d.%s", at.Unix(), b)))}
	}, true},
	{"netlify", func(s, _, b string, _ time.Time) []string {
		sum := sha256.Sum256([]byte(b))
		part := base64.RawURLEncoding.EncodeToString
		signed := part([]byte(`{"typ":"JWT","alg":"HS256"}`)) + "." + part(fmt.Appendf(nil, `{"iss":"netlify","sha256":"%x"}`, sum))
		return []string{"X-Webhook-Signature", signed + "." + part(digest(s, signed))}
	}, false},
	{"hubspot", func(s, url, b string, at time.Time) []string {
		ms := fmt.Sprint(at.UnixMilli())
		return []string{"X-HubSpot-Request-Timestamp", ms, "X-HubSpot-Signature-v3", inBase64(s, "POST"+url+b+ms)}
	}, true},
	{"standard-webhooks", func(s, _, b string, at time.Time) []string {
		key, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(s, "whsec_"))
		sum := inBase64(string(key), fmt.Sprintf("msg_1.%d.%s", at.Unix(), b))
		return []string{"webhook-id", "msg_1", "webhook-timestamp", fmt.Sprint(at.Unix()), "webhook-signature", "v1,AAAA v1," + sum}
	}, true},
}

func secretOf(name string) (old, current string) {
	if name == "standard-webhooks" {
		return "whsec_b2xkLW9sZC1vbGQtb2xkLW9sZC1vbGQ=", "whsec_bmV3LW5ldy1uZXctbmV3LW5ldy1uZXc="
	}
	return "old-secret-of-" + name + "-0123", "new-secret-of-" + name + "-0123"
}

// Every scheme: good, rotated, tampered, unsigned, with another secret, late.
//
// Promise: T1.
func TestSignatures(t *testing.T) {
	t.Parallel()
	config := "sources:\n"
	for _, s := range schemes {
		old, current := secretOf(s.name)
		config += fmt.Sprintf("  %s: { type: webhook, dedupe: off, verify: { scheme: %s, secrets: [\"%s\", \"%s\"] } }\n", s.name, s.name, current, old)
	}
	g := lab.Start(t, config+"connections: {}\nrules: []\n")
	for _, s := range schemes {
		t.Run(s.name, func(t *testing.T) {
			old, current := secretOf(s.name)
			path, body, now := "/in/"+s.name, `{"type":"x","data":{"type":"x"}}`, time.Now()
			post := func(secret, body, sentBody string, at time.Time) int {
				header := append(s.headers(secret, g.URL+path, body, at), "Content-Type", "application/json")
				return g.Do(http.MethodPost, path, []byte(sentBody), header...).Status
			}
			wrong := "wrong-secret-0123456789"
			if s.name == "standard-webhooks" {
				wrong = "whsec_d3Jvbmctd3Jvbmctd3Jvbmctd3Jvbmc="
			}
			late := http.StatusAccepted
			if s.timed {
				late = http.StatusUnauthorized
			}
			for _, c := range []struct {
				what string
				got  int
				want int
			}{
				{"signed", post(current, body, body, now), 202},
				{"signed with the old secret", post(old, body, body, now), 202},
				{"signed with another secret", post(wrong, body, body, now), 401},
				{"tampered", post(current, body, body+" ", now), 401},
				{"four minutes old", post(current, body, body, now.Add(-4*time.Minute)), 202},
				{"an hour old", post(current, body, body, now.Add(-time.Hour)), late},
				{"from the future", post(current, body, body, now.Add(time.Hour)), late},
				{"unsigned", g.PostJSON(path, []byte(body)).Status, 401},
			} {
				if c.got != c.want {
					t.Errorf("%s: status %d, want %d", c.what, c.got, c.want)
				}
			}
		})
	}
}

// The schemes that are no signature, and the one with every part set by hand.
func TestOtherCredentials(t *testing.T) {
	t.Parallel()
	g := lab.Start(t, `
sources:
  own:
    type: webhook
    dedupe: off
    verify: { scheme: hmac, header: X-Sig, prefix: "v0=", encoding: hex, secret: own-secret-0123456789 }
  basic: { type: webhook, dedupe: off, verify: { scheme: basic, user: ada, password: pass-word-0123 } }
  bearer: { type: webhook, dedupe: off, verify: { scheme: bearer, secret: bearer-secret-0123 } }
connections: {}
rules: []
`)
	login := func(user, password string) string {
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
	}
	for _, c := range []struct {
		path, header, value string
		want                int
	}{
		{"/in/own", "X-Sig", "v0=" + inHex("own-secret-0123456789", "{}"), 202},
		{"/in/own", "X-Sig", inHex("own-secret-0123456789", "{}"), 401},
		{"/in/own", "X-Sig", "v0=", 401},
		{"/in/basic", "Authorization", login("ada", "pass-word-0123"), 202},
		{"/in/basic", "Authorization", login("ada", "wrong"), 401},
		{"/in/basic", "Authorization", "Basic %%%", 401},
		{"/in/bearer", "Authorization", "Bearer bearer-secret-0123", 202},
		{"/in/bearer", "Authorization", "Bearer bearer-secret-012", 401},
		{"/in/bearer", "Authorization", "bearer-secret-0123", 401},
	} {
		r := g.Do(http.MethodPost, c.path, []byte("{}"), "Content-Type", "application/json", c.header, c.value)
		if r.Status != c.want {
			t.Errorf("%s with %s: %s: status %d, want %d", c.path, c.header, c.value, r.Status, c.want)
		}
	}
}

// A repeat of the same id within the window is one event.
//
// Promise: P6.
func TestDuplicates(t *testing.T) {
	t.Parallel()
	sink := lab.NewSink(t, nil)
	g := lab.Start(t, strings.Replace(echo(sink.URL), "dedupe: off", "event_id: data.id", 1)+"")
	first := g.Accepted(g.PostJSON(echoPath, []byte(`{"id":"a"}`)))
	again := g.Accepted(g.PostJSON(echoPath, []byte(`{"id":"a","more":1}`)))
	other := g.Accepted(g.PostJSON(echoPath, []byte(`{"id":"b"}`)))
	if first != again || first == other {
		t.Errorf("ids %s, %s, %s: want the first two the same, the third another", first, again, other)
	}
	g.Settled(other)
	sink.Await(t, 2)
	kept := g.Events("--state", "duplicate")
	if len(kept) != 1 || kept[0].DuplicateOf != first {
		t.Errorf("kept duplicates: %+v, want one of %s", kept, first)
	}
	if n := sink.Count(); n != 2 {
		t.Errorf("%d deliveries, want 2", n)
	}
}
