package source_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hookgate/internal/diag"
)

func TestCompileFaults(t *testing.T) {
	t.Parallel()
	const hook = "type: webhook\ntoken: 0123456789abcdef\n"
	tests := []struct {
		text string
		want []string // code line:column message
	}{
		{"token: x", []string{`missing-key 0:0 a source needs "type"`}},
		{"type: sitjet", []string{`unknown-type 1:7 there is no source type "sitjet"`}},
		{"type: mailchimp", []string{`unknown-type 1:7 there is no source type "mailchimp"`}},
		{"- x", []string{`wrong-type 1:1 the source "s" must be a mapping`}},
		{"type: sitejet", []string{`missing-key 1:1 a sitejet source needs "token"`}},
		{"type: sitejet\ntoken: short", []string{`weak-secret 2:8 "token" is too short: it needs at least 16 characters`}},
		{"type: sitejet\ntoken: \"\"", []string{`weak-secret 2:8 "token" is too short: it needs at least 16 characters`}},
		{"type: sitejet\ntoken: 0123456789/abcdef", []string{`bad-value 2:8 "token" stands in a URL: only letters, digits and - _ . ~ are allowed`}},
		{"type: sitejet\ntoken: 0123456789abcdef\nverify: {}", []string{`unknown-key 3:1 a sitejet source has no key "verify"`}},
		{"type: sitejet\ntoken: 0123456789abcdef\ndedupe: 24h", []string{`bad-value 3:9 "dedupe" needs an event id, and this source has none`}},
		{"type: webhook", []string{`missing-key 1:1 a webhook source needs "verify" or "token": anyone could send to it`}},
		{"type: webhook\nverify: {}\nevnt_id: x", []string{`unknown-key 3:1 a webhook source has no key "evnt_id"`, `missing-key 2:1 "verify" needs "scheme"`}},
		{hook + "secret: x", []string{`unknown-key 3:1 a webhook source has no key "secret"`}},
		{hook + "methods: \"\"", []string{`bad-value 3:10 a source cannot accept the method ""`}},
		{hook + "methods: [~]", []string{`empty-value 3:11 "methods[0]" is empty: it must be a text`}},
		{hook + "methods: { a: b }", []string{`wrong-type 3:1 "methods" must be a text, not a mapping`}},
		{hook + "methods: [post, FETCH]", []string{`bad-value 3:11 a source cannot accept the method "post"`, `bad-value 3:17 a source cannot accept the method "FETCH"`}},
		{hook + "methods: []", []string{`empty-value 3:1 "methods" is empty: nothing would be accepted`}},
		{hook + "dedupe: sometimes", []string{`bad-value 3:9 "dedupe" is not understood`}},
		{hook + "dedupe: body", []string{`bad-value 3:9 "dedupe" is not understood`}},
		{hook + "dedupe: body -5m", []string{`bad-value 3:9 "dedupe": a duration cannot be negative`}},
		{hook + "dedupe: body 99999999d", []string{`bad-value 3:9 "dedupe": this is too long, a duration is at most 36500d`}},
		{hook + "dedupe: body 0s", []string{`bad-value 3:9 "dedupe" is not understood`}},
		{hook + "rate_limit: fast", []string{`bad-value 3:13 "rate_limit": a rate is written like 5/s, 100/m or 1000/h`}},
		{hook + "verify: github", []string{`wrong-type 3:9 "verify" must be a mapping`}},
		{hook + "verify: { scheme: githb, secret: x }", []string{`unknown-scheme 3:19 there is no scheme "githb"`}},
		{hook + "verify: { scheme: github }", []string{`missing-key 3:1 "verify" needs "secret"`}},
		{hook + "verify: { scheme: github, secret: \"\" }", []string{`empty-value 3:35 the secret is empty: it would verify what anyone can sign`}},
		{hook + "verify: { scheme: github, secrets: [a, \"\"] }", []string{`empty-value 3:40 the secret is empty: it would verify what anyone can sign`}},
		{hook + "verify: { scheme: github, secrets: [] }", []string{`empty-value 3:27 "secrets" is empty`}},
		{hook + "verify: { scheme: github, secret: a, secrets: [b] }", []string{`bad-value 3:38 "secret" and "secrets" exclude each other`}},
		{hook + "verify: { scheme: github, secret: a, tolerance: 5m }", []string{`unknown-key 3:38 the scheme github has no key "tolerance"`}},
		{hook + "verify: { scheme: stripe, secret: a, tolerance: 48h }", []string{`bad-value 3:49 "tolerance" must be more than 0 and at most 24h`}},
		{hook + "verify: { scheme: stripe, secret: a, header: X }", []string{`unknown-key 3:38 the scheme stripe has no key "header"`}},
		{hook + "verify: { scheme: standard-webhooks, secret: \"whsec_!\" }", []string{`bad-value 3:46 the secret is not base64`}},
		{hook + "verify: { scheme: standard-webhooks, secret: whsec_ }", []string{`bad-value 3:46 the secret is not base64`}},
		{hook + "verify: { scheme: basic, user: a }", []string{`missing-key 3:1 the scheme basic needs "password"`}},
		{hook + "verify: { scheme: basic, user: \"a:b\", password: \"\" }", []string{`bad-value 3:32 "user" cannot hold a colon`}},
		{hook + "verify: { scheme: basic, user: a, password: \"\" }", []string{`empty-value 3:45 "password" is empty`}},
		{hook + "verify: { scheme: bearer, secret: x, header: \"X: Y\" }", []string{`bad-value 3:46 this is no name of a header`}},
		{hook + "verify: { scheme: hmac, secret: x }", []string{`missing-key 3:1 the scheme hmac needs "header"`}},
		{hook + "verify: { scheme: hmac, secret: x, header: X, algorithm: md5, encoding: hax }", []string{`bad-value 3:58 "md5" is not known here`, `bad-value 3:73 "hax" is not known here`}},
		{hook + "verify: { scheme: hmac, secret: x, header: X, signed: \"{id}\" }", []string{`bad-value 3:55 the body is not signed, so anyone could change it`}},
		{hook + "verify: { scheme: hmac, secret: x, header: X, signed: \"{time}{body}\" }", []string{`bad-value 3:55 "signed" holds a placeholder that is not known`}},
		{hook + "verify: { scheme: hmac, secret: x, header: X, signed: \"{body\" }", []string{`bad-value 3:55 "signed" holds a placeholder that is not known`}},
		{hook + "verify: { scheme: hmac, secret: x, header: X, signed: \"{timestamp}{body}\" }", []string{`bad-value 3:55 {timestamp} is signed, but nothing says where it stands`}},
		{hook + "verify: { scheme: hmac, secret: x, header: X, signed: \"{id}{body}\" }", []string{`bad-value 3:55 {id} is signed, but nothing says where it stands`}},
		{hook + "verify: { scheme: hmac, secret: x, header: X, timestamp_header: T }", []string{`bad-value 3:44 the timestamp is not signed, so anyone could change it`}},
		{hook + "verify: { scheme: hmac, secret: x, header: X, tolerance: 1m }", []string{`bad-value 3:44 "tolerance" and "timestamp_unit" need a timestamp`}},
		{hook + "verify: { scheme: hmac, secret: x, header: X, timestamp_key: t, signed: \"{timestamp}{body}\" }", []string{`bad-value 3:62 "timestamp_key" is for headers that hold pairs`}},
		{hook + "verify: { scheme: hmac, secret: x, header: X, timestamp_key: t, signature_key: v, signed: \"{timestamp}{body}\" }", []string{`bad-value 3:80 "signature_key" needs "separator", which stands between the pairs`}},
	}
	for _, tt := range tests {
		s, list := compile(tt.text)
		var got []string
		for _, d := range list {
			got = append(got, fmt.Sprintf("%s %d:%d %s", d.Code, d.Line, d.Column, d.Message))
		}
		if diff := cmp.Diff(tt.want, got); diff != "" || s != nil {
			t.Errorf("%s\n%s", tt.text, diff)
		}
	}
}

// A hint is what makes an error one that can be acted on.
func TestHints(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"type: sitjet":  `did you mean "sitejet"?`,
		"type: zapier":  "write webhook",
		"type: sitejet": "openssl rand -hex 24",
		"type: webhook": "token that makes the URL secret",
		"type: webhook\nverify: { scheme: githb, secret: x }":                       `did you mean "github"?`,
		"type: webhook\nverify: { scheme: acme, secret: x }":                        "write hmac",
		"type: webhook\nverify: { scheme: standard-webhooks, secret: \"whsec_!\" }": "whsec_",
		"type: webhook\ntoken: 0123456789abcdef\nmethods: post":                     `did you mean "POST"?`,
	} {
		_, list := compile(text)
		if len(list) != 1 || !strings.Contains(list[0].Hint, want) {
			t.Errorf("%s: %+v", text, list)
		}
	}
}

func TestWarnings(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"type: webhook\nverify: { scheme: none }":                                    "unverified",
		"type: webhook\ntoken: 0123456789abcdef\nverify: { scheme: none }":           "",
		"type: webhook\nmethods: [POST, GET]\nverify: { scheme: github, secret: x }": "unsigned-query",
		"type: webhook\nmethods: [GET]\nverify: { scheme: hubspot, secret: x }":      "",
		"type: webhook\nmethods: [GET]\nverify: { scheme: bearer, secret: x }":       "",
	} {
		s, list := compile(text)
		code := ""
		for _, d := range list {
			if d.Severity == diag.Warning {
				code += d.Code
			}
		}
		if code != want || s == nil || list.Err() != nil {
			t.Errorf("%s: %v", text, list)
		}
	}
}

// No diagnostic may show a secret: configs are checked in CI and shown in a UI.
func TestNoSecretInDiagnostics(t *testing.T) {
	t.Parallel()
	const canary = "canary-7f3a!/"
	for _, text := range []string{
		"type: sitejet\ntoken: " + canary,
		"type: sitejet\ntoken: " + canary + canary,
		"type: webhook\nverify: { scheme: standard-webhooks, secret: \"" + canary + "\" }",
		"type: webhook\nverify: { scheme: basic, user: \"a:b\", password: \"" + canary + "\", x: 1 }",
		"type: webhook\nverify: { scheme: github, secret: { a: \"" + canary + "\" } }",
		"type: webhook\nverify: { scheme: hmac, secret: \"" + canary + "\", algorithm: md5, header: \"\" }",
	} {
		_, list := compile(text)
		if list.Err() == nil || strings.Contains(list.Error(), canary) {
			t.Errorf("%s: %v", text, list)
		}
	}
}
