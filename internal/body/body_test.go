package body_test

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hookgate/internal/body"
)

func decode(in body.Input) (body.Content, error) { return body.Decode(in, body.DefaultLimits()) }

// MustDecode decodes and releases: what it returns is the JSON text.
func MustDecode(t *testing.T, in body.Input) string {
	t.Helper()
	c, err := decode(in)
	if err != nil {
		t.Fatalf("Decode: %v", err)
	}
	defer c.Doc.Release()
	if !json.Valid(c.JSON) {
		t.Fatalf("data is not JSON: %s", c.JSON)
	}
	return string(c.JSON)
}

// MustFail decodes what has to be refused.
func MustFail(t *testing.T, in body.Input) *body.Error {
	t.Helper()
	_, err := decode(in)
	var fault *body.Error
	if !errors.As(err, &fault) {
		t.Fatalf("Decode gave %v, want a *body.Error", err)
	}
	return fault
}

func TestDecodeKinds(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, contentType, raw, want string
	}{
		{"json", "application/json", `{"a":1}`, `{"a":1}`},
		{"json with charset", "application/json; charset=utf-8", `[1]`, `[1]`},
		{"json by suffix", "application/cloudevents+json", `"x"`, `"x"`},
		{"json as text/plain", "text/plain", ` {"a":1}`, ` {"a":1}`},
		{"json without a type", "", `{"a":1}`, `{"a":1}`},
		{"json that curl calls a form", "application/x-www-form-urlencoded", `{"a":"b&c=d"}`, `{"a":"b&c=d"}`},
		{"64-bit ids survive", "application/json", `{"id":9007199254740993}`, `{"id":9007199254740993}`},
		{"duplicate keys stay in the text", "application/json", `{"a":1,"a":2}`, `{"a":1,"a":2}`},
		{"utf-8 BOM", "application/json", "\xef\xbb\xbf{\"a\":1}", `{"a":1}`},
		{"utf-16 with BOM", "application/json", "\xff\xfe{\x00\"\x00\xe4\x00\"\x00:\x001\x00}\x00", `{"ä":1}`},
		{"latin1 json", "application/json; charset=iso-8859-1", "{\"a\":\"\xfc\"}", `{"a":"ü"}`},
		{"broken parameter", "application/json; charset", `{"a":1}`, `{"a":1}`},
		{"empty", "application/json", ``, `{}`},
		{"blank", "application/json", " \n", `{}`},
		{"empty, unknown type", "image/png", ``, `{}`},
		{"empty form", "application/x-www-form-urlencoded", ``, `{}`},
		{"plain text", "text/plain; charset=utf-8", "Grüße \"x\"\n", `{"text":"Grüße \"x\"\n"}`},
		{"plain text in latin1", "text/plain; charset=iso-8859-1", "Gr\xfc\xdfe", `{"text":"Grüße"}`},
		{"plain text, charset not said", "text/plain", "Gr\xfc\xdfe", `{"text":"Grüße"}`},
		{"text that only looks like json", "text/plain", `{not json`, `{"text":"{not json"}`},
		{"a list as text", "text/plain", `[1]`, `[1]`},
		{"text that starts like a list", "", `[INFO] x`, `{"text":"[INFO] x"}`},
		{"a number as text is text", "text/plain", `42`, `{"text":"42"}`},
		{"utf-16 text", "text/plain", "\xfe\xff\x00h\x00i", `{"text":"hi"}`},
		{"utf-16 json as text", "text/plain", "\xfe\xff\x00[\x00]", `[]`},
		{"text without a type", "", `hello`, `{"text":"hello"}`},
		{"control characters in text", "text/plain", "a\x00\x1fb\tc", `{"text":"a\u0000\u001fb\tc"}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := MustDecode(t, body.Input{ContentType: tt.contentType, Raw: []byte(tt.raw)})
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestRawStays(t *testing.T) {
	t.Parallel()
	raw := []byte(`{ "a" : 1.0 }`)
	c, err := decode(body.Input{ContentType: "application/json", Raw: raw})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Doc.Release()
	if &c.Raw[0] != &raw[0] || &c.JSON[0] != &raw[0] {
		t.Error("a JSON body was copied")
	}
	if got := c.Doc.Value(); !cmp.Equal(got, map[string]any{"a": json.Number("1.0")}) {
		t.Errorf("Value() = %v", got)
	}
}

func TestDecodeRefusals(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		in     body.Input
		status int
		want   string
	}{
		{"unknown type", body.Input{ContentType: "image/png", Raw: []byte("x")}, 415, "this Content-Type is not read"},
		{"unknown charset", body.Input{ContentType: "text/plain; charset=klingon", Raw: []byte("x")}, 415, "charset"},
		{"unknown encoding", body.Input{ContentEncoding: "br", Raw: []byte("x")}, 415, "Content-Encoding"},
		{"encoded over and over", body.Input{ContentEncoding: "gzip,gzip,gzip", Raw: []byte("x")}, 415, "too many times"},
		{"not gzip", body.Input{ContentEncoding: "gzip", Raw: []byte("plainly not")}, 400, "not gzip data"},
		{"cut gzip", body.Input{ContentEncoding: "gzip", Raw: gzipped(t, strings.Repeat("x", 1000))[:30]}, 400, "ends too early"},
		{"unknown charset of xml", body.Input{ContentType: "text/xml; charset=klingon", Raw: []byte("<a/>")}, 415, "charset"},
		{"unknown charset of a form", body.Input{ContentType: "application/x-www-form-urlencoded; charset=klingon", Raw: []byte("a=b")}, 415, "charset"},
		{"unknown charset of json", body.Input{ContentType: "application/json; charset=klingon", Raw: []byte("{}")}, 415, "charset"},
		{"one byte of gzip", body.Input{ContentEncoding: "gzip", Raw: []byte{0x1f}}, 400, "ends too early"},
		{"no boundary", body.Input{ContentType: "multipart/form-data", Raw: []byte("x")}, 400, "boundary"},
		{"not utf-8", body.Input{ContentType: "application/json", Raw: []byte("{\n \"ä\":\"\xfc\"}")}, 400, "invalid JSON at line 2, column 7: the byte 0xFC is not UTF-8"},
		{"json without a type, broken", body.Input{Raw: []byte(`{"a":1,}`)}, 400, "a comma too many"},
		{"json in a form, broken", body.Input{ContentType: "application/x-www-form-urlencoded", Raw: []byte(`{"a":1 "b":2}`)}, 400, "a comma is missing after the number"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			fault := MustFail(t, tt.in)
			if c, _ := decode(tt.in); len(c.Raw) == 0 {
				t.Error("nothing is left to be kept")
			}
			if fault.Status != tt.status || !strings.Contains(fault.Message, tt.want) {
				t.Errorf("got %d %q, want %d %q", fault.Status, fault.Message, tt.status, tt.want)
			}
		})
	}
}

// The example on Sitejet's help page lacks a comma.
func TestPublishedSitejetExample(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("../../app/ingest/samples/files/sitejet/documented-verbatim.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, contentType := range []string{"application/json", "", "application/x-www-form-urlencoded"} {
		fault := MustFail(t, body.Input{ContentType: contentType, Raw: raw})
		want := &body.Error{Status: 400, Line: 59, Column: 3, Message: `invalid JSON at line 59, column 3: a comma is missing after "}"`}
		if diff := cmp.Diff(want, fault); diff != "" {
			t.Errorf("as %q: %s", contentType, diff)
		}
	}
}

func gzipped(t *testing.T, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write([]byte(text))
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestContentEncodings(t *testing.T) {
	t.Parallel()
	const text = `{"a":[1,2,3]}`
	var z bytes.Buffer
	w := zlib.NewWriter(&z)
	_, err := w.Write([]byte(text))
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	bare := z.Bytes()[2 : z.Len()-4] // deflate without the zlib frame
	for name, in := range map[string]body.Input{
		"gzip":         {ContentEncoding: "gzip", Raw: gzipped(t, text)},
		"x-gzip":       {ContentEncoding: "X-GZIP", Raw: gzipped(t, text)},
		"identity":     {ContentEncoding: "identity", Raw: []byte(text)},
		"zlib":         {ContentEncoding: "deflate", Raw: z.Bytes()},
		"bare deflate": {ContentEncoding: "deflate", Raw: bare},
		"twice":        {ContentEncoding: "gzip, gzip", Raw: gzipped(t, string(gzipped(t, text)))},
	} {
		in.ContentType = "application/json"
		if got := MustDecode(t, in); got != text {
			t.Errorf("%s: %s", name, got)
		}
	}
}

// A bomb must be refused without being blown up: the limit is on what comes out.
func TestLimits(t *testing.T) {
	t.Parallel()
	lim := body.Limits{Size: 1 << 20, Parts: 5, Keys: 100, Depth: 8, Values: 1000}
	parts := strings.Repeat("--b\r\nContent-Disposition: form-data; name=x\r\n\r\n1\r\n", 6) + "--b--\r\n"
	tests := map[string]struct {
		in     body.Input
		status int
	}{
		"size":          {body.Input{Raw: make([]byte, 1<<20+1)}, 413},
		"gzip bomb":     {body.Input{ContentEncoding: "gzip", Raw: gzipped(t, strings.Repeat(" ", 1<<24))}, 413},
		"keys":          {body.Input{ContentType: "application/x-www-form-urlencoded", Raw: []byte(strings.Repeat("a&", 101))}, 413},
		"parts":         {body.Input{ContentType: "multipart/form-data; boundary=b", Raw: []byte(parts)}, 413},
		"bracket depth": {body.Input{ContentType: "application/x-www-form-urlencoded", Raw: []byte("a" + strings.Repeat("[x]", 9) + "=1")}, 400},
		"json values":   {body.Input{ContentType: "application/json", Raw: []byte("[" + strings.Repeat("1,", 1000) + "1]")}, 413},
		"json depth":    {body.Input{ContentType: "application/json", Raw: []byte(strings.Repeat("[", 1<<20))}, 413},
		"xml depth":     {body.Input{ContentType: "application/xml", Raw: []byte(strings.Repeat("<a>", 9))}, 400},
		"xml elements":  {body.Input{ContentType: "application/xml", Raw: []byte("<a>" + strings.Repeat("<b/>", 1000) + "</a>")}, 413},
		"xml lists add": {body.Input{ContentType: "application/xml", Raw: []byte(strings.Repeat("<a><a/>", 7) + strings.Repeat("</a>", 7))}, 400},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := body.Decode(tt.in, lim)
			var fault *body.Error
			if !errors.As(err, &fault) || fault.Status != tt.status {
				t.Errorf("got %v, want status %d", err, tt.status)
			}
		})
	}
}

// 10 MB of opening brackets once overflowed a recursing validator's stack.
func TestDeepJSON(t *testing.T) {
	t.Parallel()
	for _, open := range []string{"[", `{"a":`} {
		raw := []byte(strings.Repeat(open, (10<<20)/len(open)))
		lim := body.DefaultLimits()
		lim.Values = len(raw) + 1
		_, err := body.Decode(body.Input{ContentType: "application/json", Raw: raw}, lim)
		if err == nil || !strings.Contains(err.Error(), "deeper than 64 levels") {
			t.Errorf("got %v", err)
		}
	}
	at := strings.Repeat("[", 64) + strings.Repeat("]", 64)
	MustDecode(t, body.Input{ContentType: "application/json", Raw: []byte(at)})
	fault := MustFail(t, body.Input{ContentType: "application/json", Raw: []byte("[" + at + "]")})
	if fault.Column != 65 || !strings.Contains(fault.Message, "deeper than 64 levels") {
		t.Errorf("got %+v", fault)
	}
}

func BenchmarkDecode(b *testing.B) {
	raw, err := os.ReadFile("../../app/ingest/samples/files/sitejet/website_status_changed.json")
	if err != nil {
		b.Fatal(err)
	}
	in := body.Input{ContentType: "application/json", Raw: raw}
	b.ReportAllocs()
	for b.Loop() {
		c, err := decode(in)
		if err != nil {
			b.Fatal(err)
		}
		c.Doc.Release()
	}
}
