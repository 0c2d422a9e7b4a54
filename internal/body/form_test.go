package body_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"hookgate/internal/body"
)

const formType = "application/x-www-form-urlencoded"

func TestForms(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, raw, want string }{
		{"plain", `a=1&b=x+y%21`, `{"a":"1","b":"x y!"}`},
		{"order is kept", `z=1&a=2&m=3`, `{"z":"1","a":"2","m":"3"}`},
		{"no value", `a&b=`, `{"a":"","b":""}`},
		{"repeated", `a=1&a=2&a=3`, `{"a":["1","2","3"]}`},
		{"brackets", `form[id]=f&fields[email][value]=a%40b&fields[email][type]=email`, `{"form":{"id":"f"},"fields":{"email":{"value":"a@b","type":"email"}}}`},
		{"escaped brackets", `a%5Bb%5D=1`, `{"a":{"b":"1"}}`},
		{"list", `a[]=1&a[]=2`, `{"a":["1","2"]}`},
		{"nested list", `a[b][]=1&a[b][]=2`, `{"a":{"b":["1","2"]}}`},
		{"indexes", `items[0][qty]=1&items[1][qty]=2&items[0][id]=x`, `{"items":[{"qty":"1","id":"x"},{"qty":"2"}]}`},
		{"indexes out of order", `i[1]=b&i[0]=a`, `{"i":["a","b"]}`},
		{"indexes with gaps are keys", `i[3]=b&i[7]=a`, `{"i":{"3":"b","7":"a"}}`},
		{"append after an index", `i[0]=a&i[]=b`, `{"i":["a","b"]}`},
		{"dotted keys", `1.3=My&1.6=Name&field%3Aemail=x`, `{"1.3":"My","1.6":"Name","field:email":"x"}`},
		{"numbers as names", `0=a&1=b`, `{"0":"a","1":"b"}`},
		{"labels", `Ihr+Gr%C3%B6%C3%9Fe-Wunsch=L`, `{"Ihr Größe-Wunsch":"L"}`},
		{"odd brackets stay", `a[b=1&a]b[=2&[x]=3&a[b]c=4&a[[b]]=5`, `{"a[b":"1","a]b[":"2","[x]":"3","a[b]c":"4","a[[b]]":"5"}`},
		{"contradiction: text, then object", `a=1&a[b]=2&a[]=3`, `{"a":"1","a[b]":"2","a[]":"3"}`},
		{"contradiction: object, then text", `a[b]=2&a=1`, `{"a":{"b":"2","":"1"}}`},
		{"broken escapes stay", `a=%zz%4&b=100%`, `{"a":"%zz%4","b":"100%"}`},
		{"latin1 bytes", `a=%FCber`, `{"a":"über"}`},
		{"charset field", `_charset_=koi8-r&a=%C1`, `{"_charset_":"koi8-r","a":"а"}`},
		{"no name", `=1&&b=2`, `{"":"1","b":"2"}`},
		{"quotes", `a=%22%5C%0A%00`, `{"a":"\"\\\n\u0000"}`},
		{"big integers stay text", `id=9007199254740993`, `{"id":"9007199254740993"}`},
		{"github's payload stays text unless asked", `payload=%7B%22a%22%3A1%7D`, `{"payload":"{\"a\":1}"}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := MustDecode(t, body.Input{ContentType: formType, Raw: []byte(tt.raw)})
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestFormCharsetParameter(t *testing.T) {
	t.Parallel()
	got := MustDecode(t, body.Input{ContentType: formType + "; charset=windows-1251", Raw: []byte("a=%C0")})
	if got != `{"a":"А"}` {
		t.Error(got)
	}
}

func TestJSONField(t *testing.T) {
	t.Parallel()
	in := body.Input{ContentType: formType, JSONField: "payload", Raw: []byte(`x=1&payload=%7B%22a%22%3A%5B1%5D%7D`)}
	if got := MustDecode(t, in); got != `{"a":[1]}` {
		t.Error(got)
	}
	in.Raw = []byte(`x=1`)
	if got := MustDecode(t, in); got != `{"x":"1"}` {
		t.Error(got)
	}
	in.Raw = []byte(`payload=%7B%22a%22%3A1%2C%7D`)
	if got := MustFail(t, in).Message; got != `in the field "payload": invalid JSON at line 1, column 7: there is a comma too many before "}"` {
		t.Error(got)
	}
}

func TestFields(t *testing.T) {
	t.Parallel()
	want := []body.Field{{Name: "name", Value: "Ada"}, {Name: "topic[]", Value: "a"}, {Name: "topic[]", Value: "b"}}
	multipartBody := MustMultipart(t, [2]string{"name", "Ada"}, [2]string{"topic[]", "a"}, [2]string{"topic[]", "b"})
	for name, in := range map[string]body.Input{
		"form":      {ContentType: formType, Raw: []byte("name=Ada&topic[]=a&topic%5B%5D=b")},
		"multipart": multipartBody,
		"json":      {ContentType: "application/json", Raw: []byte(`{"name":"Ada","topic[]":"a","topic[]":"b"}`)},
		"text json": {ContentType: "text/plain", Raw: []byte(`{"name":"Ada","topic[]":"a","topic[]":"b"}`)},
	} {
		got, err := body.Fields(in, body.DefaultLimits())
		if err != nil {
			t.Fatal(name, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(name, diff)
		}
	}
	got, err := body.Fields(body.Input{ContentType: "application/json", Raw: []byte(`{"n":9007199254740993,"b":true,"z":null,"l":["x"]}`)}, body.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	typed := []body.Field{{Name: "n", Value: json.Number("9007199254740993")}, {Name: "b", Value: true}, {Name: "z"}, {Name: "l", Value: []any{"x"}}}
	if diff := cmp.Diff(typed, got); diff != "" {
		t.Error(diff)
	}
	got, err = body.Fields(MustMultipart(t, [2]string{"cv.file", "x"}), body.DefaultLimits())
	if diff := cmp.Diff([]body.Field{{Name: "cv", Value: "cv.pdf", File: true}}, got); diff != "" || err != nil {
		t.Error(err, diff)
	}
	if got, err := body.Fields(body.Input{}, body.DefaultLimits()); got != nil || err != nil {
		t.Error(got, err)
	}
}

func TestFieldsRefusals(t *testing.T) {
	t.Parallel()
	few := body.DefaultLimits()
	few.Keys = 2
	for name, tt := range map[string]struct {
		in   body.Input
		want string
	}{
		"gzip":      {body.Input{ContentEncoding: "gzip", Raw: []byte("x")}, "gzip"},
		"charset":   {body.Input{ContentType: formType + "; charset=klingon", Raw: []byte("a=b")}, "charset"},
		"json utf8": {body.Input{ContentType: "application/json", Raw: []byte("{\"\xff\"")}, "UTF-8"},
		"xml":       {body.Input{ContentType: "text/xml", Raw: []byte("<a/>")}, "not read"},
		"list":      {body.Input{ContentType: "application/json", Raw: []byte("[1]")}, "must be an object"},
		"broken":    {body.Input{ContentType: "application/json", Raw: []byte(`{"a" 1}`)}, "a colon is missing"},
		"json keys": {body.Input{ContentType: "application/json", Raw: []byte(`{"a":1,"b":2,"c":3}`)}, "more than 2 fields"},
		"form keys": {body.Input{ContentType: formType, Raw: []byte(`a=1&b=2&c=3`)}, "more than 2 fields"},
	} {
		if _, err := body.Fields(tt.in, few); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Whatever is posted as a form arrives: flat fields the same by either
// encoding, and every value somewhere in data.
func TestFormProperty(t *testing.T) {
	t.Parallel()
	name := rapid.StringMatching(`[a-zäß .:+&=%"0-9]{1,6}(\[[a-z0-9]{0,2}\]){0,3}`)
	value := rapid.StringMatching(`[ -~äß€\x01]{0,8}`)
	rapid.Check(t, func(t *rapid.T) {
		var fields [][2]string
		var encoded []string
		for range rapid.IntRange(1, 8).Draw(t, "n") {
			f := [2]string{name.Draw(t, "name"), value.Draw(t, "value")}
			fields = append(fields, f)
			encoded = append(encoded, url.QueryEscape(f[0])+"="+url.QueryEscape(f[1]))
		}
		a, err := decode(body.Input{ContentType: formType, Raw: []byte(strings.Join(encoded, "&"))})
		if err != nil {
			t.Fatalf("%v", err)
		}
		b, err := decode(MustMultipart(t, fields...))
		if err != nil {
			t.Fatalf("%v", err)
		}
		if string(a.JSON) != string(b.JSON) {
			t.Fatalf("form %s\nmultipart %s", a.JSON, b.JSON)
		}
		var data any
		if err := json.Unmarshal(a.JSON, &data); err != nil {
			t.Fatalf("%v", err)
		}
		if got := leaves(data); got != len(fields) {
			t.Fatalf("%d of %d values in %s", got, len(fields), a.JSON)
		}
		a.Doc.Release()
		b.Doc.Release()
	})
}

func leaves(v any) int {
	n := 0
	switch x := v.(type) {
	case map[string]any:
		for _, item := range x {
			n += leaves(item)
		}
	case []any:
		for _, item := range x {
			n += leaves(item)
		}
	default:
		n = 1
	}
	return n
}

// checkDecode asserts what holds for every body: JSON comes out, or an *Error
// with a message and a client's status.
func checkDecode(t *testing.T, in body.Input) {
	t.Helper()
	c, err := decode(in)
	if err != nil {
		if fault := MustFail(t, in); fault.Message == "" || fault.Status < 400 || fault.Status > 415 {
			t.Fatalf("%+v", fault)
		}
		return
	}
	defer c.Doc.Release()
	if !json.Valid(c.JSON) {
		t.Fatalf("not JSON: %q", c.JSON)
	}
}

func FuzzForm(f *testing.F) {
	for _, seed := range []string{"a=1&b[c][]=%FC", "a[0][x]=1&a[1]=2&a=3", "a[[b]=1", "%", "&&&=", "payload={}", "_charset_=utf-16&a=%00"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		checkDecode(t, body.Input{ContentType: formType, Raw: raw})
		checkDecode(t, body.Input{ContentType: formType, Raw: raw, JSONField: "payload"})
		if _, err := body.Fields(body.Input{ContentType: formType, Raw: raw}, body.DefaultLimits()); err != nil && err.Error() == "" {
			t.Fatal("an error without a message")
		}
	})
}
