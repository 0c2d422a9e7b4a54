package e2e

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"

	"hookgate/test/lab"
)

// echo delivers the whole of data, so that a test sees what a body became.
func echo(sink string) string {
	return `
sources:
  in: { type: webhook, token: e2e-webhook-token-0123456789, methods: [GET, POST, PUT], event_type: '"any"', dedupe: off }
connections:
  sink: { type: webhook, url: ` + sink + `, retry: { delays: [50ms] } }
rules:
  - name: echo
    from: in
    then: [{ to: sink, json: { data: "${{ data }}", query: "${{ query }}" } }]
`
}

const echoPath = "/in/in/e2e-webhook-token-0123456789"

func zipped(text string) string {
	var buf bytes.Buffer
	w := gzip.NewWriter(&buf)
	_, _ = w.Write([]byte(text))
	_ = w.Close()
	return buf.String()
}

const multipartBody = "--b\r\nContent-Disposition: form-data; name=\"formID\"\r\n\r\n2310\r\n" +
	"--b\r\nContent-Disposition: form-data; name=\"rawRequest\"\r\n\r\n{\"q69_1Name69\":\"Britney\"}\r\n--b--\r\n"

// Every kind of body that senders are known to use: "Traps worth a test each".
func TestBodiesOfSenders(t *testing.T) {
	t.Parallel()
	sink := lab.NewSink(t, nil)
	g := lab.Start(t, echo(sink.URL))
	for _, c := range []struct {
		name, method, query, contentType, body, encoding string
		want                                             string // JSON of data
		wantQuery                                        string
	}{
		{name: "json", contentType: "application/json", body: `{"a":1}`, want: `{"a":1}`},
		{name: "json array", contentType: "application/json", body: `[1,{"a":2}]`, want: `[1,{"a":2}]`},
		{name: "json scalar", contentType: "application/json", body: `"x"`, want: `"x"`},
		{name: "json with a vendor's type", contentType: "application/cloudevents+json; charset=utf-8", body: `{"a":1}`, want: `{"a":1}`},
		{name: "big numbers", contentType: "application/json", body: `{"id":9007199254740993,"x":1.5,"y":1e3}`, want: `{"id":9007199254740993,"x":1.5,"y":1e3}`},
		{name: "byte order mark", contentType: "application/json", body: "\ufeff{\"a\":1}", want: `{"a":1}`},
		{name: "latin-1", contentType: "application/json; charset=iso-8859-1", body: "{\"a\":\"Gr\xfc\xdfe\"}", want: `{"a":"Grüße"}`},
		{name: "dotted and odd keys", contentType: "application/json", body: `{"1.3":"My","field:email_9a1b":"a@b","Straße und Nr":"x"}`, want: `{"1.3":"My","field:email_9a1b":"a@b","Straße und Nr":"x"}`},
		{name: "duplicate keys: the last", contentType: "application/json", body: `{"a":1,"a":2}`, want: `{"a":2}`},
		{name: "JSON as text/plain", contentType: "text/plain", body: `{"a":1}`, want: `{"a":1}`},
		{name: "JSON without a type", contentType: "", body: `{"a":1}`, want: `{"a":1}`},
		{name: "plain text", contentType: "text/plain; charset=utf-8", body: "hello", want: `{"text":"hello"}`},
		{name: "gzip", contentType: "application/json", encoding: "gzip", body: zipped(`{"a":1}`), want: `{"a":1}`},
		{name: "empty", contentType: "application/json", body: "", want: `{}`},
		{name: "url-encoded", contentType: "application/x-www-form-urlencoded", body: "a=1&b=x+y&b=z&u=%C3%BC", want: `{"a":"1","b":["x y","z"],"u":"ü"}`},
		{name: "bracket keys", contentType: "application/x-www-form-urlencoded", body: "form[id]=7&fields[email][value]=a%40b&1.3=My", want: `{"form":{"id":"7"},"fields":{"email":{"value":"a@b"}},"1.3":"My"}`},
		{name: "multipart with JSON inside", contentType: "multipart/form-data; boundary=b", body: multipartBody, want: `{"formID":"2310","rawRequest":"{\"q69_1Name69\":\"Britney\"}"}`},
		{name: "query only", method: http.MethodGet, query: "?a=1&b=2&b=3", want: `{}`, wantQuery: `{"a":"1","b":["2","3"]}`},
		{name: "PUT", method: http.MethodPut, contentType: "application/json", body: `{"a":1}`, want: `{"a":1}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.method == "" {
				c.method = http.MethodPost
			}
			if c.wantQuery == "" {
				c.wantQuery = `{}`
			}
			before := sink.Count()
			id := g.Accepted(g.Do(c.method, echoPath+c.query, []byte(c.body), typed(c.contentType, c.encoding)...))
			ev := g.Settled(id)
			same(t, "deliveries", []string{"echo/sink"}, names(ev))
			got, ok := value(t, sink.Await(t, before+1)[before].Body).(map[string]any)
			if !ok {
				t.Fatal("no object arrived")
			}
			same(t, "data", value(t, []byte(c.want)), got["data"])
			same(t, "query", value(t, []byte(c.wantQuery)), got["query"])
			if ev.Body != c.body && c.encoding == "" && string(ev.Base64) != c.body {
				t.Errorf("kept body %q, sent %q", ev.Body, c.body)
			}
		})
	}
}

func typed(contentType, encoding string) []string {
	var header []string
	if contentType != "" {
		header = append(header, "Content-Type", contentType)
	}
	if encoding != "" {
		header = append(header, "Content-Encoding", encoding)
	}
	return header
}

// XML becomes data from its elements; the raw text is kept.
func TestXML(t *testing.T) {
	t.Parallel()
	sink := lab.NewSink(t, nil)
	g := lab.Start(t, echo(sink.URL))
	body := `<?xml version="1.0"?><order id="7"><item>a</item><item>b</item><note>x &amp; y</note></order>`
	ev := g.Settled(g.Accepted(g.Do(http.MethodPost, echoPath, []byte(body), "Content-Type", "application/xml")))
	same(t, "body", body, ev.Body)
	has(t, "data", string(sink.Await(t, 1)[0].Body), `"a"`, `"b"`, `"x & y"`, `"7"`)
}

// What cannot be understood gets a clear answer, never a 500, and is kept.
func TestBadBodies(t *testing.T) {
	t.Parallel()
	sink := lab.NewSink(t, nil)
	g := lab.Start(t, echo(sink.URL))
	deep := strings.Repeat("[", 65) + strings.Repeat("]", 65)
	for _, c := range []struct {
		name, contentType, encoding, body string
		status                            int
		says                              string
	}{
		{"a trailing comma", "application/json", "", "{\n \"a\": 1,\n}", 400, "line 2, column 8: there is a comma too many"},
		{"single quotes", "application/json", "", "{'a': 1}", 400, "line 1"},
		{"an unquoted key", "application/json", "", "{a: 1}", 400, "column 2"},
		{"a comment", "application/json", "", "{\"a\": 1} // x", 400, "line 1"},
		{"the end is missing", "application/json", "", "{\"a\": [1, 2", 400, "end"},
		{"garbage after the end", "application/json", "", "{\"a\": 1}{\"b\": 2}", 400, "column 9"},
		{"NaN", "application/json", "", "{\"a\": NaN}", 400, "line 1"},
		{"a raw control character", "application/json", "", "{\"a\": \"x\ny\"}", 400, "line 1"},
		{"invalid UTF-8", "application/json", "", "{\"a\": \"\xff\"}", 400, "UTF-8"},
		{"too deep", "application/json", "", deep, 400, "64"},
		{"not gzip at all", "application/json", "gzip", "{\"a\": 1}", 400, "gzip"},
		{"half a gzip", "application/json", "gzip", zipped(strings.Repeat("{\"a\": 1}", 50))[:30], 400, "gzip"},
		{"an unknown encoding", "application/json", "zstd", "x", 415, ""},
		{"a broken multipart", "multipart/form-data; boundary=b", "", "--b\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\n1", 400, ""},
		{"a multipart without boundary", "multipart/form-data", "", "x", 400, "boundary"},
		{"an unknown type", "application/pdf", "", "%PDF-1.7", 415, "json"},
		{"broken XML", "application/xml", "", "<a><b></a>", 400, "line 1"},
		{"too many keys", "application/x-www-form-urlencoded", "", strings.Repeat("a&", 20000), 413, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := g.Do(http.MethodPost, echoPath, []byte(c.body), typed(c.contentType, c.encoding)...)
			if r.Status != c.status {
				t.Fatalf("status %d, want %d: %s", r.Status, c.status, r.Body)
			}
			has(t, "content type", r.Header.Get("Content-Type"), "application/problem+json")
			has(t, "the answer", strings.ToLower(r.Body), strings.ToLower(c.says))
			problem, ok := value(t, []byte(r.Body)).(map[string]any)
			id, _ := problem["id"].(string)
			if !ok || id == "" {
				t.Fatalf("the answer names no event under which the request was kept: %s", r.Body)
			}
			ev := g.Show(id)
			same(t, "state", "rejected", ev.State)
			if ev.Cause == "" {
				t.Error("the kept request has no cause")
			}
		})
	}
	if sink.Count() != 0 {
		t.Errorf("%d of them were delivered", sink.Count())
	}
	has(t, "a good one afterwards", g.PostJSON(echoPath, []byte(`{"a":1}`)).Body, "evt_")
}

// A body above the limit is refused before it is read whole: there is nothing
// to keep. The sender may be cut off in the middle of its body; the answer
// reaches it all the same.
func TestTooLarge(t *testing.T) {
	t.Parallel()
	g := lab.Start(t, echo("http://127.0.0.1:1"))
	conn, err := net.Dial("tcp", g.Addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	body := strings.Repeat("x", 11<<20)
	go func() {
		_, _ = fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", echoPath, len(body), body)
	}()
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	same(t, "status", http.StatusRequestEntityTooLarge, res.StatusCode)
	has(t, "content type", res.Header.Get("Content-Type"), "application/problem+json")
	if n := len(g.Events()); n != 0 {
		t.Errorf("%d events are kept", n)
	}
}
