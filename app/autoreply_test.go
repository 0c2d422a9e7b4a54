package app_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hookgate/app"
)

func TestLoad_autoreply(t *testing.T) {
	t.Parallel()
	for reply, want := range map[string]string{
		"{ to: mail, recipient: '${{ data.email }}', subject: S, text: T }":                          "",
		"{ to: mail, when: data.email != nil, recipient: '${{ data.email }}', subject: S, html: T }": "",
		"{ to: hook, recipient: x@y.example, subject: S, text: T }":                                  `error[wrong-type] config.yaml:3:32: "hook" is a webhook connection, which cannot reply to a form (name a connection of type email)`,
		"{ to: male, recipient: x@y.example, subject: S, text: T }":                                  `error[unknown-connection] config.yaml:3:32: no connection is called "male"`,
		"{ to: mail, recipient: ada, subject: S, text: T }":                                          `error[bad-address] config.yaml:3:49: "ada" is no address: it is not an address like ada@example.com (write it like Ada <ada@example.com>)`,
		"{ to: mail, recipient: x@y.example, subject: '${{ dat.x }}', text: T }":                     `error[expr-name] config.yaml:3:76: unknown name "dat" (did you mean "data"?)`,
		"{ to: mail, recipient: x@y.example, subject: S, text: T, headers: { A: b } }":               `error[unknown-key] config.yaml:3:83: an autoreply has no key "headers"`,
		"{ to: mail, recipient: x@y.example, subject: S, text: T, when: data.a = 1 }":                `error[expr-syntax]`,
	} {
		path := mustWrite(t, `version: 1
forms:
  contact: { autoreply: `+strings.Replace(reply, "{ to", "{  to", 1)+`, fields: { email: { type: email } }, min_time: 3s }
connections:
  mail: { type: email, from: a@agency.example, smtp: { host: mail.agency.example } }
  hook: { type: webhook, url: "https://hook.example/" }
`)
		_, report, err := app.Load(path)
		var got []string
		for _, d := range report.List {
			d.File = "config.yaml"
			got = append(got, d.Error())
		}
		text := strings.Join(got, "\n")
		if want == "" && (err != nil || text != "") || want != "" && !strings.HasPrefix(text, want) {
			t.Errorf("%s\n%s", reply, cmp.Diff(want, text))
		}
	}
}

func TestLoad_reservedName(t *testing.T) {
	t.Parallel()
	_, report, _ := app.Load(mustWrite(t, `version: 1
sources: { s: { type: webhook, token: 0123456789abcdef } }
connections:
  hook: { type: webhook, url: "https://hook.example/" }
  remember: { type: webhook, url: "https://hook.example/" }
rules:
  - { name: autoreply, from: s, then: [{ to: hook, json: 1 }] }
  - { name: kept, from: s, then: [{ to: remember, json: 1 }] }
`))
	var got []string
	for _, d := range report.List {
		got = append(got, fmt.Sprintf("%d %s", d.Line, d.Code))
	}
	slices.Sort(got)
	if diff := cmp.Diff([]string{"5 reserved-name", "7 reserved-name"}, got); diff != "" {
		t.Error(diff)
	}
}
