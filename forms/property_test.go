package forms_test

import (
	"bytes"
	"encoding/json"
	"fmt"
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

// known are the names that documentation lists as instructions.
var known = []string{
	"_next", "_redirect", "redirect", "_gotcha", "_honey", "bot-field", "botcheck", "_language", "_subject", "_replyto", "_cc", "_template",
	"_autoresponse", "form-name", "_started", "_captcha", "_charset_", "g-recaptcha-response", "h-captcha-response", "cf-turnstile-response", "altcha",
}

// TestSubmit_nothingDisappears posts fields and files under names that pages and
// scripts use. Each value is told apart by a mark: it is in the data, or its
// name is a known instruction, or the post is refused.
func TestSubmit_nothingDisappears(t *testing.T) {
	t.Parallel()
	const lists = `
fields:
  name: {}
  email: { type: email }
  "mails[]": { type: email }
  budget: { type: number }
  newsletter: { type: checkbox }
  cv: { type: file }
  pics: { type: file, multiple: true, max_files: 90 }
  "docs[]": { type: file, multiple: true, max_files: 90 }
  "tags[]": {}
  address[city]: {}
  address[plan]: { type: file }
  items[][note]: {}
  items[][scan]: { type: file, multiple: true, max_files: 90 }
`
	list := []*forms.Form{mustCompile(t, lists), mustCompile(t, contact), mustCompile(t, "fields: any"), mustCompile(t, lists+"unknown: refuse")}
	bases := append([]string{"name", "email", "mails", "budget", "newsletter", "cv", "pics", "docs", "tags", "address", "items", "utm", "Größe", ""}, known...)
	ends := []string{"", "", "", "[]", "[0]", "[1]", "[7]", "[0][note]", "[0][scan]", "[1][scan][0]", "[city]", "[plan]", "[city][0]", "[x", "][", "[a][b][c][d][e][f][g][h][i]"}
	marks := []string{"v%d", "10%d", "v%d@example.com"}
	refused, taken := 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		f := rapid.SampledFrom(list).Draw(rt, "form")
		var posted []body.Field
		var sought []string
		for i := range rapid.IntRange(1, 8).Draw(rt, "fields") {
			mark := fmt.Sprintf(rapid.SampledFrom(marks).Draw(rt, "mark"), 100+i)
			p := body.Field{Name: rapid.SampledFrom(bases).Draw(rt, "base") + rapid.SampledFrom(ends).Draw(rt, "end"), Value: mark}
			if p.File = rapid.Bool().Draw(rt, "file"); p.File {
				if _, ok := f.FileRule(p.Name); ok {
					p.Value = forms.Upload{ID: mark, Name: mark, Type: "text/plain", Size: 1}
				}
			}
			posted = append(posted, p)
			if strings.HasPrefix(p.Name, "newsletter") && (p.Name == "newsletter" || p.Name == "newsletter[]") && !p.File || !p.File && slices.Contains(known, p.Name) {
				mark = "" // of a box it is known that it was ticked
			}
			sought = append(sought, mark)
		}
		r := f.Submit(posted)
		if len(r.Problems) > 0 || r.Spam != "" {
			refused++
			return
		}
		taken++
		decode(t, r.Data)
		for i, mark := range sought {
			if !strings.Contains(string(r.Data), mark) {
				rt.Errorf("%+v is not in %s", posted[i], r.Data)
			}
		}
	})
	if taken < refused/20 {
		t.Errorf("%d posts were taken and %d refused: the test says little", taken, refused)
	}
}

// Pages number the values of a list in their names.
func TestSubmit_numbered(t *testing.T) {
	t.Parallel()
	f := mustCompile(t, `fields: { name: {}, pics: { type: file, multiple: true }, "docs[]": { type: file, multiple: true }, cv: { type: file }, topics: { type: checkbox, options: [web, shop, seo] }, "tags[]": {}, "items[][tags][]": {} }`)
	up := func(name, id string) body.Field { return file(name, forms.Upload{ID: id, Name: id}) }
	for _, c := range []struct {
		posted []body.Field
		key    string // in data
		want   string
	}{
		{[]body.Field{up("pics[0]", "a"), up("pics[1]", "b")}, "pics", `["a","b"]`},
		{[]body.Field{up("pics[3]", "a"), up("pics", "b"), up("pics[]", "c")}, "pics", `["a","b","c"]`},
		{[]body.Field{up("docs[0]", "a"), up("docs[1]", "b")}, "docs", `["a","b"]`},
		{[]body.Field{up("cv[0]", "a")}, "cv", `"a"`},
		{fields("topics[0]", "web", "topics[1]", "seo"), "topics", `["web","seo"]`},
		{fields("topics[5]", "web", "topics[]", "seo"), "topics", `["web","seo"]`},
		{fields("tags[0]", "x", "tags[1]", "y"), "tags", `["x","y"]`},
		{fields("items[0][tags][0]", "x", "items[0][tags][1]", "y"), "items", `[{"tags":["x","y"]}]`},
		{fields("name[0]", "x"), "extra", `{"name":["x"]}`}, // one value: a list is something else
	} {
		r := f.Submit(c.posted)
		value := decode(t, r.Data)[c.key]
		switch v := value.(type) { // of files the ids
		case map[string]any:
			if id, ok := v["id"]; ok {
				value = id
			}
		case []any:
			for i := range v {
				if one, ok := v[i].(map[string]any); ok && one["id"] != nil {
					v[i] = one["id"]
				}
			}
		}
		got, err := json.Marshal(value)
		if err != nil || string(got) != c.want || len(r.Problems) > 0 {
			t.Errorf("%+v: %s, problems %v, data %s; want %s", c.posted, got, r.Problems, r.Data, c.want)
		}
	}
	if rule, ok := f.FileRule("pics[17]"); !ok || rule.Field() != "pics" {
		t.Errorf("a file under pics[17]: %+v, %t", rule, ok)
	}
	if _, ok := f.FileRule("name[0]"); ok {
		t.Error("name[0] takes files")
	}
}
