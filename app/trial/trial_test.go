package trial_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"hookgate/app/trial"
	"hookgate/internal/body"
	"hookgate/test/planned"
)

const document = `
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

func TestOpen(t *testing.T) {
	t.Parallel()
	plan := planned.Must(t, document)
	at := time.Date(2026, 3, 10, 10, 42, 7, 0, time.UTC)
	set := func(texts ...string) (list []trial.Assignment) {
		for _, text := range texts {
			a, err := trial.ParseAssignment(text)
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, a)
		}
		return list
	}
	for name, c := range map[string]struct {
		sample trial.Sample
		want   string // type, data, results, outputs
	}{
		"json": {
			trial.Sample{Source: "shop", Body: []byte(`{"type":"order","total":9007199254740993}`), ContentType: "application/json", Query: map[string]any{"a": "1"}, Time: at},
			`order {"type":"order","total":9007199254740993} nm- {"text":"9007199254740993 1 2026-03-10T10:42:07.000Z"}`,
		},
		"set": {
			trial.Sample{Source: "shop", Body: []byte(`{"type":"order","a":[1]}`), ContentType: "application/json", Time: at, Set: set("total=11", "a.1=two", "b.c=null")},
			`order {"type":"order","a":[1,"two"],"total":11,"b":{"c":null}} nm- {"text":"11  2026-03-10T10:42:07.000Z"}`,
		},
		"xml":                    {trial.Sample{Source: "shop", Body: []byte(`<o><total>11</total></o>`), ContentType: "application/xml", Set: set("total=11"), Type: "other"}, `other {"o":{"total":"11"},"total":11} n--`},
		"type by a header":       {trial.Sample{Source: "shop", Body: []byte(`{"type":"x","total":1}`), ContentType: "application/json", Headers: map[string]string{"X-Topic": "order"}}, `order {"type":"x","total":1} nn-`},
		"a credential is hidden": {trial.Sample{Source: "shop", Headers: map[string]string{"X-Api-Key": "k"}}, `webhook {} n--`},
		"form":                   {trial.Sample{Source: "contact", Body: []byte(`email=a%40b.example&topics=a&topics=b`), ContentType: "application/x-www-form-urlencoded"}, `form_submitted {"email":"a@b.example","topics":["a","b"]} --m {"text":"a@b.example [\"a\",\"b\"]"}`},
		"form, fields, set":      {trial.Sample{Source: "contact", Fields: []body.Field{{Name: "email", Value: "x"}, {Name: "m", Value: map[string]any{"k": true}}}, Set: set("email=c@d.example", "m.l=7", "n.o=p")}, `form_submitted {"email":"c@d.example","topics":[],"extra":{"m":{"k":true,"l":7},"n":{"o":"p"}}} --m {"text":"c@d.example []"}`},
		"files": {
			trial.Sample{Source: "apply", Fields: []body.Field{{Name: "cv", Value: []any{"cv.pdf", map[string]any{"name": "b.pdf", "size": json.Number("7"), "type": "application/pdf"}}}}},
			`form_submitted {"cv":[{"id":"sample","name":"cv.pdf","sha256":"","size":0,"type":"application/pdf"},{"id":"sample","name":"b.pdf","sha256":"","size":7,"type":"application/pdf"}]} ---`,
		},
		"spam": {trial.Sample{Source: "contact", Body: []byte(`email=a%40b.example&_gotcha=x`), ContentType: "application/x-www-form-urlencoded"}, `form_submitted {"email":"a@b.example","topics":[]} `},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tr, err := trial.Open(plan, body.DefaultLimits(), c.sample)
			if err != nil {
				t.Fatal(err)
			}
			defer tr.Close()
			outcome := tr.Match()
			got := tr.Type + " " + string(tr.Data) + " " + string(outcome.Results)
			for _, d := range outcome.Deliveries {
				got += " " + string(d.Output)
			}
			if got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
			if traces := tr.Explain(); len(traces) != len(outcome.Results) || (tr.Spam != "") != (len(traces) == 0) {
				t.Errorf("spam %q, %d traces, %d results", tr.Spam, len(traces), len(outcome.Results))
			}
		})
	}
}

func TestOpen_refused(t *testing.T) {
	t.Parallel()
	plan := planned.Must(t, document)
	for want, s := range map[string]trial.Sample{
		"invalid JSON at line 1":                          {Source: "shop", Body: []byte(`{,}`), ContentType: "application/json"},
		"cv: Please choose a file.":                       {Source: "apply", Fields: []body.Field{{Name: "cv", Value: map[string]any{}}}},
		"email: Please fill in this field.":               {Source: "contact"},
		"email: Please enter an e-mail address":           {Source: "contact", Body: []byte(`{"email":"a"}`), ContentType: "application/json"},
		"this Content-Type is not read":                   {Source: "contact", Body: []byte(`x`), ContentType: "image/png"},
		`a.b: "b" is below a number`:                      {Source: "shop", Body: []byte(`{"a":1}`), Set: []trial.Assignment{{Path: "a.b", Value: []byte("1")}}},
		`a.5: "5" is no index of a list of 1`:             {Source: "shop", Body: []byte(`{"a":[1]}`), Set: []trial.Assignment{{Path: "a.5", Value: []byte("1")}}},
		`"nobody": no source or form is called that`:      {Source: "nobody"},
		`email.x: "x" is below a string`:                  {Source: "contact", Fields: []body.Field{{Name: "email", Value: "a"}}, Set: []trial.Assignment{{Path: "email.x", Value: []byte("1")}}},
		"a: cannot parse JSON: cannot parse empty string": {Source: "shop", Body: []byte(`{"a":1}`), Set: []trial.Assignment{{Path: "a"}}},
	} {
		_, err := trial.Open(plan, body.DefaultLimits(), s)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
		refused, isRefused := errors.AsType[*trial.RefusedError](err)
		if isRefused != (s.Set == nil && s.Source != "nobody") || isRefused && (refused.Cause == nil) != (refused.Problems != nil) {
			t.Errorf("%v is a %T", err, err)
		}
	}
	if got := strings.Join(trial.Sources(plan), " "); got != "apply contact shop" {
		t.Errorf("sources: %s", got)
	}
}

func TestContentType(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, content, want string }{
		{"a.json", `{"a":1}`, "application/json"},
		{"a.json", `{"a":1,}`, "application/json"},
		{"-", `{"a":1,}`, "application/json"},
		{"-", "", "application/json"},
		{"a.txt", "hello you", "text/plain"},
		{"a.txt", `{"a":`, "application/json"},
		{"a.xml", "", "application/xml"},
		{"-", " <a/>", "application/xml"},
		{"a.form", "a=1", "application/x-www-form-urlencoded"},
		{"-", "a=1&b=x+y%20", "application/x-www-form-urlencoded"},
		{"-", "--abc\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--abc--\r\n", `multipart/form-data; boundary="abc"`},
	} {
		if got := trial.ContentType(c.name, []byte(c.content)); got != c.want {
			t.Errorf("%s %q: %s, want %s", c.name, c.content, got, c.want)
		}
	}
}
