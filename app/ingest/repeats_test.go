package ingest_test

import (
	"testing"
	"time"

	"hookgate/app/ingest"
	"hookgate/app/ingest/source"
	"hookgate/test/planned"
)

const builders = `
sources:
  deploys: { type: webhook, token: 0123456789abcdef, verify: { scheme: netlify, secret: x } }
  own: { type: webhook, token: 0123456789abcdef, event_id: data.id }
forms:
  gravity: { via: webhook, token: 0123456789abcdef, format: gravityforms, fields: any }
  gravity_id: { via: webhook, token: 0123456789abcdef, format: gravityforms, fields: any, event_id: data.id }
  jotform: { via: webhook, token: 0123456789abcdef, format: jotform, fields: any }
  netlify: { via: webhook, token: 0123456789abcdef, format: netlify, fields: any }
  webflow: { via: webhook, token: 0123456789abcdef, format: webflow, fields: any }
  tally: { via: webhook, token: 0123456789abcdef, format: tally, fields: any }
  typeform: { via: webhook, token: 0123456789abcdef, format: typeform, fields: any }
`

// An id of a submission, of a deploy, or of a row of one site's database is not
// the id of an event: with other content it is another event, which must reach
// the rules. Ids that the sender makes for each event count alone.
func TestRepeats(t *testing.T) {
	t.Parallel()
	plan := planned.Must(t, builders)
	for name, c := range map[string]struct {
		to, first, second string
		repeat            bool
	}{
		"gravity, two sites": {
			"gravity",
			`{"id":"17","form_id":"1","source_url":"https://one.example/","2":"ada@one.example"}`,
			`{"id":"17","form_id":"1","source_url":"https://two.example/","2":"bob@two.example"}`, false,
		},
		"gravity, one visitor on two sites": {
			"gravity", `{"id":"17","source_url":"https://one.example/","2":"a@b.example"}`, `{"id":"17","source_url":"https://two.example/","2":"a@b.example"}`, false,
		},
		"gravity, again, and read meanwhile": {
			"gravity", `{"id":"17","is_read":"0","date_updated":"2026-11-29 09:00:00","2":"x"}`, `{"id":"17","is_read":"1","date_updated":"2026-11-29 09:10:00","2":"x"}`, true,
		},
		"gravity, two that are alike":    {"gravity", `{"id":"17","2":"x"}`, `{"id":"18","2":"x"}`, false},
		"gravity, by an id of one's own": {"gravity_id", `{"id":"17","2":"x"}`, `{"id":"17","2":"y"}`, true},
		"jotform, edited": {
			"jotform", `{"submissionID":"5","rawRequest":"{\"q1_a\":\"x\"}"}`, `{"submissionID":"5","rawRequest":"{\"q1_a\":\"y\"}"}`, false,
		},
		"jotform, again": {
			"jotform", `{"submissionID":"5","rawRequest":"{\"q1_a\":\"x\",\"timeToSubmit\":\"3\"}"}`, `{"submissionID":"5","rawRequest":"{\"q1_a\":\"x\",\"timeToSubmit\":\"4\"}"}`, true,
		},
		"netlify, edited": {"netlify", `{"id":"5","data":{"a":"x"}}`, `{"id":"5","data":{"a":"y"}}`, false},
		"netlify, again":  {"netlify", `{"id":"5","data":{"a":"x"}}`, `{"id":"5","data":{"a":"x"}}`, true},
		"webflow, edited": {"webflow", `{"payload":{"id":"5","data":{"a":"x"}}}`, `{"payload":{"id":"5","data":{"a":"y"}}}`, false},
		"webflow, again":  {"webflow", `{"payload":{"id":"5","data":{"a":"x"}}}`, `{"payload":{"id":"5","data":{"a":"x"}}}`, true},
		"tally":           {"tally", `{"eventId":"5","createdAt":"1"}`, `{"eventId":"5","createdAt":"2"}`, true},
		"typeform":        {"typeform", `{"event_id":"5","n":1}`, `{"event_id":"5","n":2}`, true},
		"deploy, two of its states": {
			"deploys", `{"id":"d1","state":"building"}`, `{"id":"d1","state":"ready"}`, false,
		},
		"deploy, again":         {"deploys", `{"id":"d1","state":"ready"}`, `{"id":"d1","state":"ready"}`, true},
		"a source's own":        {"own", `{"id":1,"n":1}`, `{"id":1,"n":2}`, true},
		"a source's own, other": {"own", `{"id":1,"n":1}`, `{"id":2,"n":1}`, false},
	} {
		key := func(text string) string {
			d := ingest.Decide(plan, &ingest.Request{
				Request: source.Request{Method: "POST", ContentType: "application/json", Body: []byte(text), Now: time.Now()}, Source: c.to,
			})
			defer d.Close()
			if d.Err() != nil || d.Event.Dedupe == nil {
				t.Fatalf("%s: %s is %v, %v", name, text, d.Err(), d.Event.Dedupe)
			}
			return d.Event.Dedupe.Key
		}
		if repeat := key(c.first) == key(c.second); repeat != c.repeat {
			t.Errorf("%s: a repeat: %v, want %v", name, repeat, c.repeat)
		}
	}
}
