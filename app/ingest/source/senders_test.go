package source_test

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"hash"
	"strconv"
	"strings"
	"time"
)

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
		"standard-webhooks, by Svix's names": {"scheme: standard-webhooks", func(key, body string, at time.Time) map[string]string {
			raw, err := base64.RawStdEncoding.DecodeString(key)
			if err != nil {
				return nil
			}
			return map[string]string{"svix-id": "msg_1", "svix-timestamp": seconds(at), "svix-signature": "v1," + b64MAC(string(raw), "msg_1."+seconds(at)+"."+body)}
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
		"hmac, a time of ISO 8601": {
			`scheme: hmac, header: X-Sig, timestamp_header: X-Time, signed: "{timestamp}{body}"`,
			func(key, body string, at time.Time) map[string]string {
				text := at.UTC().Format("2006-01-02T15:04:05.999Z07:00")
				return map[string]string{"X-Time": text, "X-Sig": hexMAC(key, text+body)}
			}, true,
		},
		"hmac, ISO 8601 with an offset": {
			`scheme: hmac, header: X-Sig, timestamp_header: X-Time, signed: "{timestamp}{body}"`,
			func(key, body string, at time.Time) map[string]string {
				text := at.In(time.FixedZone("", 7200)).Format("2006-01-02T15:04:05.999-0700")
				return map[string]string{"X-Time": text, "X-Sig": hexMAC(key, text+body)}
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
