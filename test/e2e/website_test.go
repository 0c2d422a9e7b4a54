package e2e

import (
	_ "embed" // for axe
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"hookgate/test/fakeslack"
	"hookgate/test/lab"
)

// allFields is a form with every type of field.
func allFields(api, origin, more string) string {
	return `
forms:
  contact:
    origins: [` + origin + `]
    title: Write to us
    intro: We answer within one working day.
    brand: { name: "Harry's Diner", color: "#ffcc00" }
    fields:
      name:       { required: true, max: 120, placeholder: Ada Lovelace }
      email:      { type: email, required: true, help: For our answer only. }
      phone:      { type: tel, region: DE }
      website:    { type: url }
      budget:     { type: number, min: 0 }
      day:        { type: date, min: 2026-01-01 }
      plan:       { type: select, options: [{ value: s, label: Small }, { value: l, label: Large }] }
      topics:     { type: select, multiple: true, options: [Design, Text], help: As many as you like. }
      message:    { max: 5000, required: true }
      consent:    { type: checkbox, required: true, label: I have read the privacy notice }
      brief:      { type: file, accept: [pdf], max_size: 1MB }
      campaign:   { type: hidden }
` + generous + more + `
connections:
  slack-bot: { type: slack, bot_token: ` + fakeslack.Token + `, channel: "#leads", api_url: "` + api + `" }
rules:
  - name: new-lead
    from: contact
    then: [{ to: slack-bot, text: "${{ data.name }}, ${{ data.email }}, ${{ data.message }}, ${{ data.phone }}, ${{ data.topics }}" }]
`
}

// site is a website with one page.
func site(t *testing.T, html func() string) string {
	t.Helper()
	s := &httptest.Server{
		Listener: lab.Listen(t),
		Config: &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			_, _ = w.Write([]byte("<!doctype html><html lang=\"en\"><title>Site</title><main><h1>Site</h1>\n" + html() + "</main></html>"))
		})},
	}
	s.Start()
	t.Cleanup(s.Close)
	return s.URL
}

// website is the site of somebody who has put a snippet of a form on it.
type website struct {
	address string
	html    string // the snippet that is shown now
	gate    *lab.Gate
	slack   *fakeslack.Server // is sent what is posted
}

// newWebsite starts a site without a snippet, and a server with allFields.
func newWebsite(t *testing.T, more string) *website {
	t.Helper()
	w := &website{slack: fakeslack.New(t), gate: lab.New(t, "")}
	w.address = site(t, func() string { return w.html })
	w.gate.Configure(allFields(w.slack.APIURL(), w.address, more))
	w.gate.Start()
	return w
}

// smallPDF is the path of a file of that name.
func smallPDF(t *testing.T, name string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte("%PDF-1.7\n1 0 obj\n<< >>\nendobj\ntrailer << >>\n%%EOF\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
