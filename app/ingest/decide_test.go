package ingest_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"hookgate/app/ingest"
	"hookgate/app/ingest/source"
	"hookgate/internal/body"
	"hookgate/internal/event"
	"hookgate/test/planned"
)

const sampled = `
sources:
  shop: { type: webhook, token: 0123456789abcdef, event_type: 'headers["x-topic"] ?? data.type' }
forms:
  contact: { fields: { email: { type: email, required: true }, topics: { type: checkbox, options: [a, b] } } }
  apply: { fields: { cv: { type: file, accept: [pdf], required: true, multiple: true } } }
rules:
  - name: secret
    from: shop
    when: headers["x-api-key"] != nil
    then: [{ to: billing, text: x }]
  - name: paid
    from: shop
    events: [order]
    when: data.total > 10
    then: [{ to: billing, text: "${{ data.total }} ${{ query.a }} ${{ event.time }}" }]
  - name: lead
    from: contact
    then: [{ to: billing, text: "${{ data.email }} ${{ data.topics }}" }]
`

// tried is a request that nobody has sent.
type tried struct {
	Source, Type string
	Body         []byte
	Fields       []body.Field
	ContentType  string
	Headers      map[string]string
	Query        map[string]any
	Set          []ingest.Assignment
	Time         time.Time
}

func (s tried) request() *ingest.Request {
	return &ingest.Request{
		Request: source.Request{Method: "POST", ContentType: s.ContentType, Body: s.Body, Now: s.Time},
		Source:  s.Source, Headers: s.Headers,
		Sample: &ingest.Sample{Type: s.Type, Query: s.Query, Fields: s.Fields, Set: s.Set},
	}
}

func TestDecide(t *testing.T) {
	t.Parallel()
	plan := planned.Must(t, sampled)
	at := time.Date(2026, 3, 10, 10, 42, 7, 0, time.UTC)
	set := func(texts ...string) (list []ingest.Assignment) {
		for _, text := range texts {
			a, err := ingest.ParseAssignment(text)
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, a)
		}
		return list
	}
	for name, c := range map[string]struct {
		sample tried
		want   string // type, data, results, outputs
	}{
		"json": {
			tried{Source: "shop", Body: []byte(`{"type":"order","total":9007199254740993}`), ContentType: "application/json", Query: map[string]any{"a": "1"}, Time: at},
			`order {"type":"order","total":9007199254740993} nm- {"text":"9007199254740993 1 2026-03-10T10:42:07.000Z"}`,
		},
		"set": {
			tried{Source: "shop", Body: []byte(`{"type":"order","a":[1]}`), ContentType: "application/json", Time: at, Set: set("total=11", "a.1=two", "b.c=null")},
			`order {"type":"order","a":[1,"two"],"total":11,"b":{"c":null}} nm- {"text":"11  2026-03-10T10:42:07.000Z"}`,
		},
		"xml":                    {tried{Source: "shop", Body: []byte(`<o><total>11</total></o>`), ContentType: "application/xml", Set: set("total=11"), Type: "other"}, `other {"o":{"total":"11"},"total":11} n--`},
		"type by a header":       {tried{Source: "shop", Body: []byte(`{"type":"x","total":1}`), ContentType: "application/json", Headers: map[string]string{"X-Topic": "order"}}, `order {"type":"x","total":1} nn-`},
		"a credential is hidden": {tried{Source: "shop", Headers: map[string]string{"X-Api-Key": "k"}}, `webhook {} n--`},
		"form":                   {tried{Source: "contact", Body: []byte(`email=a%40b.example&topics=a&topics=b`), ContentType: "application/x-www-form-urlencoded"}, `form_submitted {"email":"a@b.example","topics":["a","b"]} --m {"text":"a@b.example [\"a\",\"b\"]"}`},
		"form, fields, set":      {tried{Source: "contact", Fields: []body.Field{{Name: "email", Value: "x"}, {Name: "m", Value: map[string]any{"k": true}}}, Set: set("email=c@d.example", "m.l=7", "n.o=p")}, `form_submitted {"email":"c@d.example","topics":[],"extra":{"m":{"k":true,"l":7},"n":{"o":"p"}}} --m {"text":"c@d.example []"}`},
		"files": {
			tried{Source: "apply", Fields: []body.Field{{Name: "cv", Value: []any{"cv.pdf", map[string]any{"name": "b.pdf", "size": json.Number("7"), "type": "application/pdf"}}}}},
			`form_submitted {"cv":[{"id":"sample","name":"cv.pdf","sha256":"","size":0,"type":"application/pdf"},{"id":"sample","name":"b.pdf","sha256":"","size":7,"type":"application/pdf"}]} ---`,
		},
		"spam": {tried{Source: "contact", Body: []byte(`email=a%40b.example&_gotcha=x`), ContentType: "application/x-www-form-urlencoded"}, `form_submitted {"email":"a@b.example","topics":[]} `},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := ingest.Decide(plan, c.sample.request())
			defer d.Close()
			if err := d.Err(); err != nil {
				t.Fatal(err)
			}
			e := &d.Event
			got := e.Type + " " + string(e.Data()) + " " + string(e.Results)
			for _, made := range d.Deliveries {
				got += " " + string(made.Output)
			}
			if got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
			if traces := d.Explain(); len(traces) != len(e.Results) || (e.State == event.Spam) != (len(traces) == 0) {
				t.Errorf("%s, %d traces, %d results", e.State, len(traces), len(e.Results))
			}
		})
	}
}

func TestDecide_refused(t *testing.T) {
	t.Parallel()
	plan := planned.Must(t, sampled)
	for want, s := range map[string]tried{
		"invalid JSON at line 1":                     {Source: "shop", Body: []byte(`{,}`), ContentType: "application/json"},
		"cv: Please choose a file.":                  {Source: "apply", Fields: []body.Field{{Name: "cv", Value: map[string]any{}}}},
		"email: Please fill in this field.":          {Source: "contact"},
		"email: Please enter an e-mail address":      {Source: "contact", Body: []byte(`{"email":"a"}`), ContentType: "application/json"},
		"this Content-Type is not read":              {Source: "contact", Body: []byte(`x`), ContentType: "image/png"},
		`a.b: "b" is below a number`:                 {Source: "shop", Body: []byte(`{"a":1}`), Set: []ingest.Assignment{{Path: "a.b", Value: []byte("1")}}},
		`a.5: "5" is no index of a list of 1`:        {Source: "shop", Body: []byte(`{"a":[1]}`), Set: []ingest.Assignment{{Path: "a.5", Value: []byte("1")}}},
		`"nobody": no source or form is called that`: {Source: "nobody"},
		`email.x: "x" is below a text`:               {Source: "contact", Fields: []body.Field{{Name: "email", Value: "a"}}, Set: []ingest.Assignment{{Path: "email.x", Value: []byte("1")}}},
		"a: \"\" is no JSON":                         {Source: "shop", Body: []byte(`{"a":1}`), Set: []ingest.Assignment{{Path: "a"}}},
	} {
		d := ingest.Decide(plan, s.request())
		err := d.Err()
		d.Close()
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
		refused, isRefused := errors.AsType[*ingest.RefusedError](err)
		if isRefused != (s.Set == nil && s.Source != "nobody") || isRefused && (refused.Cause == nil) != (refused.Problems != nil) {
			t.Errorf("%v is a %T", err, err)
		}
	}
	if got := strings.Join(plan.Names(), " "); got != "apply contact shop" {
		t.Errorf("sources: %s", got)
	}
}

// A try of an address is answered, stored nowhere, and seen by no rule.
func TestDecide_handshake(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	ack, err := g.post("tried", "application/json", `{"challenge":"x"}`)
	if err != nil || ack.ID != 0 || ack.Handshake == nil || ack.Handshake.Body != `{"challenge":"x"}` {
		t.Fatalf("got %+v, %v", ack, err)
	}
	if list, err := g.store.Events(t.Context(), event.Filter{}); err != nil || len(list) != 0 || len(g.seen) != 0 {
		t.Errorf("it is stored: %v, %v, %v", list, err, g.seen)
	}
	d := ingest.Decide(g.plan, tried{Source: "tried", ContentType: "application/json", Body: []byte(`{"challenge":"x"}`)}.request())
	defer d.Close()
	if !errors.Is(d.Err(), ingest.ErrHandshake) || d.Explain() != nil {
		t.Errorf("explained as %v, %v", d.Err(), d.Explain())
	}
	if ack, err := g.post("tried", "application/json", `{"event":{}}`); err != nil || ack.ID == 0 || ack.Handshake != nil {
		t.Errorf("an event: %+v, %v", ack, err)
	}
}
