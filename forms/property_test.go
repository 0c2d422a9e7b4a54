package forms_test

import (
	"bytes"
	"encoding/json"
	"mime/multipart"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"hookgate/forms"
	"hookgate/internal/body"
)

// pair is a posted field before it is encoded.
type pair struct{ name, value string }

func urlencoded(pairs []pair) body.Input {
	parts := make([]string, len(pairs))
	for i, p := range pairs {
		parts[i] = url.QueryEscape(p.name) + "=" + url.QueryEscape(p.value)
	}
	return body.Input{ContentType: "application/x-www-form-urlencoded", Raw: []byte(strings.Join(parts, "&"))}
}

func multiparted(t testing.TB, pairs []pair) body.Input {
	t.Helper()
	var raw bytes.Buffer
	w := multipart.NewWriter(&raw)
	for _, p := range pairs {
		if err := w.WriteField(p.name, p.value); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return body.Input{ContentType: w.FormDataContentType(), Raw: raw.Bytes()}
}

// jsoned is what a script makes of the same fields: a list where a name comes
// more than once.
func jsoned(t testing.TB, pairs []pair) body.Input {
	t.Helper()
	values := map[string][]string{}
	var names []string
	for _, p := range pairs {
		if values[p.name] == nil {
			names = append(names, p.name)
		}
		values[p.name] = append(values[p.name], p.value)
	}
	raw := []byte("{")
	for i, name := range names {
		var value any = values[name]
		if len(values[name]) == 1 {
			value = values[name][0]
		}
		for _, part := range []any{name, value} {
			text, err := json.Marshal(part)
			if err != nil {
				t.Fatal(err)
			}
			raw = append(append(raw, text...), ':')
		}
		raw[len(raw)-1] = ','
		if i == len(names)-1 {
			raw = raw[:len(raw)-1]
		}
	}
	raw = append(raw, '}')
	return body.Input{ContentType: "application/json", Raw: raw}
}

func submit(t testing.TB, f *forms.Form, in body.Input) forms.Result {
	t.Helper()
	posted, err := body.Fields(in, f.Limits())
	if err != nil {
		t.Fatalf("%v in %q", err, in.Raw)
	}
	return f.Submit(posted)
}

func decode(t testing.TB, data []byte) map[string]any {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var v map[string]any
	if err := decoder.Decode(&v); err != nil {
		t.Fatalf("%v in %s", err, data)
	}
	return v
}

// TestSubmit_sameForEveryEncoding posts random fields in the three encodings:
// the data, the problems and the verdict on spam do not depend on which.
func TestSubmit_sameForEveryEncoding(t *testing.T) {
	t.Parallel()
	list := []*forms.Form{mustCompile(t, contact), mustCompile(t, everything), mustCompile(t, order), mustCompile(t, "fields: any")}
	names := []string{"name", "email", "budget", "message", "newsletter", "consent", "plan", "topics", "day", "campaign", "topics[]", "a[b]", "a[0]", "a[b][c]", "items[0][qty]", "items[0][sku]", "items[3][sku]", "items[0][tags][]", "items[0][note]", "address[city]", "1.3", "_gotcha", "_next", "Größe"}
	values := []string{"", " ", "on", "0", "5000", "1,5", "ada@example.com", "Large", "Text", "2026-01-02", "a\r\nb", "<b>&amp;</b>", "ä€😀", "/x", `"\`}
	rapid.Check(t, func(rt *rapid.T) {
		f := rapid.SampledFrom(list).Draw(rt, "form")
		name := rapid.OneOf(rapid.SampledFrom(names), rapid.StringMatching(`[a-zäß .:\[\]-]{1,12}`))
		value := rapid.OneOf(rapid.SampledFrom(values), rapid.String())
		pairs := rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) pair {
			return pair{name.Draw(rt, "name"), value.Draw(rt, "value")}
		}), 1, 12).Draw(rt, "fields")
		// Where "a" and "a[]" are mixed, their values are one list whose order
		// a JSON object cannot tell.
		pairs = slices.DeleteFunc(slices.Clone(pairs), func(p pair) bool {
			// And rows without an index are as many as their fields.
			return strings.Contains(p.name, "[][") || slices.ContainsFunc(pairs, func(q pair) bool { return p.name == q.name+"[]" })
		})

		want := submit(t, f, urlencoded(pairs))
		for encoding, in := range map[string]body.Input{"multipart": multiparted(t, pairs), "JSON": jsoned(t, pairs)} {
			got := submit(t, f, in)
			if diff := cmp.Diff(decode(t, want.Data), decode(t, got.Data)); diff != "" {
				rt.Errorf("%s: data (-form-encoded +%s):\n%s", encoding, encoding, diff)
			}
			if diff := cmp.Diff(codes(want), codes(got)); diff != "" {
				rt.Errorf("%s: problems:\n%s", encoding, diff)
			}
			if (want.Spam == "") != (got.Spam == "") {
				rt.Errorf("%s: spam %q, form-encoded %q", encoding, got.Spam, want.Spam)
			}
		}
	})
}

func codes(r forms.Result) []string {
	var list []string
	for _, p := range r.Problems {
		list = append(list, p.Field+" "+string(p.Code)+" "+p.Limit)
	}
	slices.Sort(list)
	return list
}

// FuzzSubmit posts anything as a form: it never fails but by a *body.Error,
// the data is JSON, control fields are not in it, and the page renders.
func FuzzSubmit(f *testing.F) {
	f.Add("application/x-www-form-urlencoded", []byte("name=Ada&email=ada%40example.com&budget=1e3&consent=on&_gotcha="))
	f.Add("application/x-www-form-urlencoded", []byte("topics%5B%5D=Text&topics=Design&plan=&day=2026-02-30&_next=//evil.example"))
	f.Add("application/json", []byte(`{"name":["a",{"b":null}],"budget":12345678901234567890,"extra":{"x":1},"_gotcha":0}`))
	f.Add("multipart/form-data; boundary=x", []byte("--x\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\nAda\r\n--x--\r\n"))
	list := []*forms.Form{mustCompile(f, contact), mustCompile(f, everything), mustCompile(f, "fields: any")}
	f.Fuzz(func(t *testing.T, contentType string, raw []byte) {
		for _, form := range list {
			posted, err := body.Fields(body.Input{ContentType: contentType, Raw: raw}, form.Limits())
			if err != nil {
				return
			}
			r := form.Submit(posted)
			data := decode(t, r.Data)
			for _, name := range []string{"_gotcha", "_next", "_redirect", "redirect", "_subject", "form-name", "altcha"} {
				if _, ok := data[name]; ok {
					t.Errorf("%s is in the data: %s", name, r.Data)
				}
			}
			if r.Spam != "" && len(r.Problems) > 0 {
				t.Errorf("a bot is told of problems: %v", r.Problems)
			}
			if at := form.Location(r, "", ""); strings.ContainsAny(at, "\r\n\\") || strings.HasPrefix(at, "//") {
				t.Errorf("leads to %q", at)
			}
			var page bytes.Buffer
			if err := form.RenderProblems(&page, forms.German, "/f/contact", r); err != nil {
				t.Error(err)
			}
		}
	})
}
