package builder_test

import (
	"encoding/json"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hookgate/forms/builder"
	"hookgate/internal/body"
)

var update = flag.Bool("update", false, "write the golden files")

// Each builder's sample, as its documentation or its code has it, gives the
// expected fields. A format without a sample fails.
func TestFormats(t *testing.T) {
	t.Parallel()
	for _, f := range builder.Formats() {
		t.Run(f.Name, func(t *testing.T) {
			t.Parallel()
			contentType, raw := f.Sample()
			if raw == "" {
				t.Fatal("there is no sample")
			}
			content, err := body.Decode(body.Input{ContentType: contentType, Raw: []byte(raw)}, body.DefaultLimits())
			if err != nil {
				t.Fatal(err)
			}
			defer content.Doc.Release()
			got, err := json.MarshalIndent(f.Read(content.JSON), "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			golden := "testdata/golden/" + f.Name + ".json"
			if *update {
				if err := os.WriteFile(golden, append(got, '\n'), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(got)+"\n"); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// Some builders have sent the same in another shape, at another time or by
// another of their ways.
func TestRead_shapes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ format, text, want string }{
		"Wix, under data":             {"wix", `{"data":{"field:email_9a1b":"a@b.example","formName":"Contact","submissionId":"s1"}}`, `{"Fields":[{"Name":"email","Value":"a@b.example"}],"Meta":{"form_name":"Contact","submission_id":"s1"}}`},
		"Webflow's first API":         {"webflow", `{"name":"Sample","site":"6274","data":{"name":"Ann"},"d":"2022-09-14T12:35:16.117Z","_id":"6321"}`, `{"Fields":[{"Name":"name","Value":"Ann"}],"Meta":{"form_name":"Sample","site_id":"6274","submission_id":"6321","submitted_at":"2022-09-14T12:35:16.117Z"}}`},
		"Fluent Forms, chosen fields": {"fluentforms", `{"who":"Ann"}`, `{"Fields":[{"Name":"who","Value":"Ann"}],"Meta":null}`},
	} {
		f, _ := builder.Find(c.format)
		got, err := json.Marshal(f.Read([]byte(c.text)))
		if err != nil || string(got) != c.want {
			t.Errorf("%s: %v\n%s, want\n%s", name, err, got, c.want)
		}
	}
}

// What is not of the format loses nothing: every key is a field.
func TestRead_otherwise(t *testing.T) {
	t.Parallel()
	for _, f := range builder.Formats() {
		for text, want := range map[string]string{
			`{"a":1,"b":{"c":"x"}}`: `[{"Name":"a","Value":1},{"Name":"b","Value":{"c":"x"}}]`,
			`[1,2]`:                 `[{"Name":"value","Value":[1,2]}]`,
			`{}`:                    `null`,
			`null`:                  `null`,
			``:                      `null`,
			`{"data":[1],"payload":7,"submission":"x","form_response":null,"fields":[],"rawRequest":"{"}`: `[{"Name":"data","Value":[1]},{"Name":"payload","Value":7},{"Name":"submission","Value":"x"},{"Name":"form_response","Value":null},{"Name":"fields","Value":[]},{"Name":"rawRequest","Value":"{"}]`,
		} {
			got, err := json.Marshal(f.Read([]byte(text)).Fields)
			if err != nil || string(got) != want && (string(got) != "[]" || want != "null") {
				t.Errorf("%s, %s:\ngot  %s\nwant %s (%v)", f.Name, text, got, want, err)
			}
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"data":{"fields":[{"label":"a[b]","value":["x"],"options":[{"id":"x","text":"y"}]}]}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, format := range builder.Formats() {
			seen := map[string]bool{}
			for _, field := range format.Read(text).Fields {
				if seen[field.Name] || strings.ContainsAny(field.Name, "[]") {
					t.Fatalf("%s: the name %q", format.Name, field.Name)
				}
				seen[field.Name] = true
			}
		}
	})
}

// What stands among a builder's fields is a field, whatever it is called; left
// out is only what the builder itself adds.
func TestRead_nothingDisappears(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ format, text string }{
		{"cf7", `{"MARK":"value"}`},
		{"elementor", `{"fields":{"a":{"value":"1"},"MARK":{"value":"value"}}}`},
		{"elementor", `{"fields":{"a":{"value":"1"},"MARK":{"file":"value"}}}`},
		{"elementor", `{"fields":{"MARK":"value"}}`},
		{"fluentforms", `{"MARK":"value","__submission":{"id":1}}`},
		{"formbricks", `{"data":{"data":{"MARK":"value"}}}`},
		{"formie", `{"submission":{"MARK":"value"}}`},
		{"formspree", `{"submission":{"_date":"2026","MARK":"value"}}`},
		{"formspree", `{"submission":{"_replyto":"value","_subject":"MARK"}}`},
		{"generic", `{"MARK":"value"}`},
		{"gravityforms", `{"id":"1","MARK":"value"}`},
		{"jotform", `{"rawRequest":"{\"q3_MARK\":\"value\"}"}`},
		{"jotform", `{"rawRequest":"{\"q3_MARK3\":{\"first\":\"value\"}}"}`},
		{"jotform", `{"rawRequest":"{\"q3_name\":\"A\",\"temp_upload\":{\"q10_MARK\":[\"value#1\"]},\"MARK\":[\"https://files.example/value\"]}"}`},
		{"jotform", `{"rawRequest":"{\"q3_name\":\"A\",\"temp_upload\":{\"q10_MARK\":[\"value#1\"]}}"}`},
		{"netlify", `{"data":{"MARK":"value"}}`},
		{"netlify", `{"ordered_human_fields":[{"name":"MARK","value":"value"}],"data":{"MARK":"value"}}`},
		{"netlify", `{"ordered_human_fields":[{"name":"a","value":"1"}],"data":{"a":"1","MARK":{"url":"value"}}}`},
		{"sitejet", `{"MARK":"value"}`},
		{"tally", `{"data":{"fields":[{"label":"MARK","value":{"row":["value"]}}]}}`},
		{"typeform", `{"form_response":{"hidden":{"MARK":"value"},"answers":[]}}`},
		{"typeform", `{"form_response":{"answers":[{"type":"text","text":"value","field":{"ref":"MARK"}}]}}`},
		{"typeform", `{"form_response":{"answers":[{"type":"of_next_year","answer":"value","field":{"ref":"MARK"}}]}}`},
		{"typeform", `{"form_response":{"answers":[{"type":"choices","choices":{"other":"value"},"field":{"ref":"MARK"}}]}}`},
		{"webflow", `{"payload":{"data":{"MARK":"value"}}}`},
		{"wix", `{"data":{"field:MARK":"value"}}`},
		{"wpforms", `{"MARK":"value"}`},
	} {
		f, ok := builder.Find(c.format)
		if !ok {
			t.Fatal(c.format)
		}
		got, err := json.Marshal(f.Read([]byte(c.text)).Fields)
		if err != nil || strings.Count(string(got), "MARK") != 1 || strings.Count(string(got), "value") != 1 {
			t.Errorf("%s: %s gives %s (%v)", c.format, c.text, got, err)
		}
	}
}

// Of fields with one name each has a name of its own.
func TestRead_sameNames(t *testing.T) {
	t.Parallel()
	f, _ := builder.Find("generic")
	got, err := json.Marshal(f.Read([]byte(`{"a":1,"a (2)":2,"a":3,"a (2)":4,"a":5}`)).Fields)
	want := `[{"Name":"a","Value":1},{"Name":"a (2)","Value":2},{"Name":"a (3)","Value":3},{"Name":"a (2) (2)","Value":4},{"Name":"a (4)","Value":5}]`
	if err != nil || string(got) != want {
		t.Errorf("%v\n%s, want\n%s", err, got, want)
	}
}
