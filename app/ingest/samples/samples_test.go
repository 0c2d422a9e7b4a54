package samples_test

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"hookgate/app"
	"hookgate/app/ingest"
	"hookgate/app/ingest/samples"
	"hookgate/app/ingest/source"
	"hookgate/forms/builder"
	"hookgate/internal/event"
)

// plan loads a configuration.
func plan(t *testing.T, text string) *ingest.Plan {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(path, []byte("version: 1\n"+text), 0o600); err != nil {
		t.Fatal(err)
	}
	loaded, report, err := app.Load(path)
	if err != nil {
		t.Fatalf("%v\n%v", err, report.List)
	}
	return &loaded.Plan
}

// decide puts a sample through the rules, of which there are none.
func decide(p *ingest.Plan, name string, s *samples.Sample) *ingest.Decision {
	r := &ingest.Request{Source: name, Sample: &ingest.Sample{}}
	r.Now = time.Date(2026, 3, 10, 10, 42, 7, 0, time.UTC)
	s.Request(r)
	return ingest.Decide(p, r)
}

// Every sender whose signature is known, and every form builder, has a sample,
// and nothing else has.
func TestAll(t *testing.T) {
	t.Parallel()
	have, named := map[string]bool{}, map[[2]string]bool{}
	for _, s := range samples.All() {
		key := [2]string{s.Sender, s.Name}
		if named[key] || s.Body == "" || s.About == "" || s.ContentType == "" {
			t.Errorf("%v: twice, or something is missing", key)
		}
		have[s.Sender], named[key] = true, true
	}
	want := map[string]bool{"sitejet": true, "webhook": true, "hookgate": true}
	for _, scheme := range source.Schemes() {
		want[scheme] = true
	}
	for _, other := range []string{"hmac", "basic", "bearer", "none"} { // spelled out in config.yaml: webhook's serves
		delete(want, other)
	}
	for _, f := range builder.Formats() {
		want[f.Name] = true
	}
	if got, want := slices.Sorted(maps.Keys(have)), slices.Sorted(maps.Keys(want)); !slices.Equal(got, want) {
		t.Errorf("there are samples of\n%v, want\n%v", got, want)
	}
}

// A sample comes in as an event of the type that it is called by.
func TestFor_sources(t *testing.T) {
	t.Parallel()
	text := "sources:\n  sitejet: { type: sitejet, token: 0123456789abcdef }\n  other: { type: webhook, token: 0123456789abcdef, event_type: data.event }\n"
	names := []string{"sitejet", "other"}
	for _, scheme := range source.Schemes() {
		switch scheme {
		case "hmac", "basic", "bearer", "none":
			continue
		}
		names = append(names, scheme)
		text += "  " + scheme + ": { type: webhook, verify: { scheme: " + scheme + ", secret: MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw } }\n"
	}
	p := plan(t, "server: { public_url: https://hooks.example }\n"+text)
	for _, name := range names {
		list, err := samples.For(p, name)
		if err != nil || len(list) == 0 {
			t.Fatal(name, err)
		}
		for _, s := range list {
			d := decide(p, name, &s)
			if broken := s.Name == "as_printed"; broken != (d.Err() != nil) {
				t.Errorf("%s %s: %v", name, s.Name, d.Err())
			}
			want := map[string]string{
				"interest_to_preparation": "website_status_changed", "as_printed": "", "contact.creation": "webhook",
			}
			typ, ok := want[s.Name]
			if !ok {
				typ = s.Name
			}
			if got := d.Event.Type; got != typ && !s.Form {
				t.Errorf("%s %s is of type %q", name, s.Name, got)
			}
			d.Close()
		}
	}
	if _, err := samples.For(p, "nobody"); !errors.Is(err, ingest.ErrNoSource) {
		t.Error(err)
	}
}

// A form's sample is one that the form takes, whatever its fields ask for.
func TestFor_forms(t *testing.T) {
	t.Parallel()
	text := `forms:
  tally: { via: webhook, format: tally, token: 0123456789abcdef, fields: any }
  any: { fields: any }
  all:
    fields:
      first_name: { required: true, max: 5 }
      email: { type: email, required: true }
      phone: { type: tel, region: DE, required: true }
      site: { type: url, required: true }
      budget: { type: number, min: 5000, max: 6000, required: true }
      day: { type: date, min: 2027-01-01, required: true }
      size: { type: select, options: [s, { value: m, label: Medium }], required: true }
      topics: { type: checkbox, options: [web, print, ads], min: 2, required: true }
      "address[city]": { required: true, min: 30 }
      zip: { pattern: "[0-9]{5}", required: true }
      ref: { type: hidden }
      odd: { pattern: "[x]{17}" }
      consent: { type: checkbox, required: true }
      notes: { rows: 4, required: true }
  apply:
    fields:
      name: { required: true }
      topics: { type: checkbox, options: [web, print, ads], min: 2, required: true }
      cv: { type: file, accept: [pdf, docx], required: true }
      photo: { type: file }
`
	p := plan(t, text)
	for _, name := range []string{"tally", "any", "all", "apply"} {
		list, err := samples.For(p, name)
		if err != nil || len(list) != 1 || !list[0].Form || list[0].Name != event.FormSubmitted {
			t.Fatal(name, err, list)
		}
		d := decide(p, name, &list[0])
		if err := d.Err(); err != nil || d.Event.State != event.NoMatch {
			t.Errorf("%s: %v, %s\n%s", name, err, d.Event.State, list[0].Body)
		}
		d.Close()
	}
}
