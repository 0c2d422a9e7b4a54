package app_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"hookgate/app"
	"hookgate/app/ingest"
	"hookgate/app/ingest/source"
	"hookgate/app/web/api/client"
	"hookgate/internal/event"
	"hookgate/rules"
)

const tried = `version: 1
server: { listen: 127.0.0.1:0 }
sources:
  s: { type: webhook, token: ` + token + `, event_type: data.kind }
forms:
  contact:
    fields: { email: { type: email }, topics: { type: checkbox, options: [a, b] }, n: { type: number } }
    rate_limit: 100000/s
    autoreply: { to: mail, when: '"a" in data.topics', recipient: "${{ data.email }}", subject: "Thanks ${{ data.n }}", text: T }
connections:
  hook: { type: webhook, url: "http://127.0.0.1:1/" }
  mail: { type: email, from: a@agency.example, smtp: { host: 127.0.0.1, port: 1 } }
rules:
  - { name: all, from: [s, contact], then: [{ to: hook, json: "${{ data }}" }, { to: hook, when: data.n > 1, json: { n: "${{ data.n }}" } }] }
  - { name: some, from: contact, when: 'data.topics[0] == "b"', then: [{ to: hook, json: "${{ data.email }}" }] }
  - { name: kind, from: s, events: x, when: len(data.n) > 0, then: [{ to: hook, json: 1 }] }
  - { name: needs, from: s, then: [{ to: mail, recipient: "${{ data.email }}", subject: s, text: t }] }
`

// What explain and the tests of config.yaml say of a sample is what becomes of
// it when it is sent: posts of forms, spam, replies and events alike. It fails
// when something else is stored or sent than ingest.Decide says.
func TestDecide_isStored(t *testing.T) {
	t.Parallel()
	path := mustWrite(t, tried)
	loaded, report, err := app.Load(path)
	if err != nil {
		t.Fatal(report.List)
	}
	a := mustRun(t, path)
	c := client.Unix(app.SocketPath(loaded.Config))
	defer c.Close()
	plan := loaded.Plan
	seen := map[string]int{}
	posts := 0
	rapid.Check(t, func(t *rapid.T) {
		posts++
		fields := map[string]any{"post": posts} // no two are the same
		draw := func(name string, values ...any) {
			if v := rapid.SampledFrom(append(values, nil)).Draw(t, name); v != nil {
				fields[name] = v
			}
		}
		from, to := "s", "/in/s/"+token
		if rapid.Bool().Draw(t, "form") {
			from, to = "contact", "/f/contact"
			draw("topics", "a", "b", []any{"a", "b"}, []any{"b", "a"})
			draw("_gotcha", "", "", "x")
			draw("extra", "é<&>", map[string]any{"a": 1})
		} else {
			draw("kind", "x", "y", 7)
		}
		draw("email", fmt.Sprintf("a%d@example.com", posts), fmt.Sprintf(" b%d@example.com", posts), "no-reply@example.com", "no address")
		draw("n", "1", "2", "many", posts)
		body, err := json.Marshal(fields)
		if err != nil {
			t.Fatal(err)
		}
		got := sent(t, a, c, to, body)
		want := decided(&plan, from, body)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("%s %s: what was decided, and what came (-decided +came)\n%s", from, body, diff)
		}
		seen[strings.Fields(got[0])[0]]++
	})
	if seen["refused"] == 0 || seen["spam"] == 0 || seen["routed"] == 0 || seen["rule_error"]+seen["routed"] < 20 {
		t.Errorf("too little was tried: %v", seen)
	}
}

// sent posts a body and tells what became of it: its state, and what is sent.
func sent(t *rapid.T, a *app.App, c *client.Client, to string, body []byte) []string {
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+a.Addr()+to, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/json")
	resp, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode == http.StatusUnprocessableEntity {
		return []string{"refused"}
	}
	page, err := c.Events(t.Context(), event.Search{Filter: event.Filter{Limit: 1}})
	if err != nil || len(page.Items) != 1 {
		t.Fatalf("%s: %v", answer, err)
	}
	e := page.Items[0]
	out := []string{string(e.State)}
	for _, v := range e.Rules {
		if v.Result != rules.Skipped {
			out[0] += " " + v.Rule + " " + v.Result
		}
	}
	for _, d := range e.Deliveries {
		full, err := c.Delivery(t.Context(), d.ID)
		if err != nil {
			t.Fatal(err)
		}
		if d.State != event.Cancelled {
			out = append(out, d.Name+" "+string(full.Output)+" "+unsendable(full.Error, full.Attempts))
		}
	}
	slices.Sort(out[1:])
	return out
}

// unsendable is why an output could not be made. Errors of attempts are none.
func unsendable(reason string, attempts int) string {
	if attempts > 0 {
		return ""
	}
	return reason
}

// decided is what ingest.Decide says will become of a sample.
func decided(plan *ingest.Plan, from string, body []byte) []string {
	d := ingest.Decide(plan, &ingest.Request{
		Request: source.Request{Method: http.MethodPost, ContentType: "application/json", Body: body, Now: time.Now()},
		Source:  from, Sample: &ingest.Sample{},
	})
	defer d.Close()
	switch {
	case d.Err() != nil:
		return []string{"refused"}
	case d.Event.State == event.Spam:
		return []string{"spam"}
	}
	out := []string{string(d.Event.State)}
	traces := d.Explain()
	for _, trace := range traces {
		if trace.Result != rules.Skipped {
			out[0] += " " + trace.Rule + " " + trace.Result
		}
	}
	if reply := d.ExplainReply(); reply != nil {
		traces = append(traces, *reply)
	}
	for _, trace := range traces {
		for _, action := range trace.Actions {
			if action.Sent && trace.Result == rules.Matched {
				out = append(out, action.Name+" "+string(action.Output)+" "+action.Err)
			}
		}
	}
	slices.Sort(out[1:])
	return out
}
