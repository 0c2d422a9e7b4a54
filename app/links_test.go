package app_test

import (
	"encoding/json"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"hookgate/app"
)

// get fetches an address; the header is the answer's.
func get(t *testing.T, address string) (status int, header http.Header, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, res.Header, string(text)
}

// A link of file_url opens the file, to be saved and not shown; a changed one
// does not, nor does one whose time is over.
//
// Promise: T7.
func TestFileURL(t *testing.T) {
	t.Parallel()
	target, got := sink(t)
	addr := freePort(t)
	text := withUploads(addr, filepath.Join(t.TempDir(), "files")) + `
connections: { sink: { type: webhook, url: "` + target + `" } }
outbound: { allow_private: [127.0.0.0/8] }
rules:
  - { name: r, from: apply, then: [{ to: sink, json: { url: "${{ file_url(data.cv, \"2d\") }}", text: "see ${{ file_url(data.cv) }}", none: "${{ file_url(data.other) }}" } }] }
`
	text = strings.Replace(text, "listen:", `public_url: "http://`+addr+`", listen:`, 1)
	path := mustWriteConfig(t, t.TempDir(), text)
	var later atomic.Int64
	a := startAt(t, path, func() time.Time { return time.Now().Add(time.Duration(later.Load())) })
	if status := postFile(t, a); status != http.StatusOK {
		t.Fatalf("status %d", status)
	}
	var sent struct {
		URL, Text string
		None      any
	}
	if err := json.Unmarshal([]byte(<-got), &sent); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(sent.URL, "http://"+addr+"/files/fil_") || !strings.HasPrefix(sent.Text, "see http://") || sent.None != nil {
		t.Fatalf("sent %+v", sent)
	}
	status, header, body := get(t, sent.URL)
	if status != http.StatusOK || body != "%PDF-1.7 hello" {
		t.Errorf("%d %q", status, body)
	}
	for name, want := range map[string]string{
		"Content-Disposition": `attachment; filename="cv.pdf"`, "Content-Type": "application/pdf", "X-Content-Type-Options": "nosniff",
		"Content-Security-Policy": "default-src 'none'; sandbox", "Cache-Control": "private, no-store", "Content-Length": "14",
	} {
		if header.Get(name) != want {
			t.Errorf("%s: %q, want %q", name, header.Get(name), want)
		}
	}
	for name, address := range map[string]string{
		"another time":      strings.Replace(sent.URL, "expires=", "expires=9", 1),
		"another file":      strings.Replace(sent.URL, "/fil_", "/fil_0", 1),
		"another signature": sent.URL[:len(sent.URL)-2],
		"no signature":      sent.URL[:strings.Index(sent.URL, "?")],
		"a path":            strings.Replace(sent.URL, "/fil_", "/..%2ffil_", 1),
	} {
		if status, _, _ := get(t, address); status != http.StatusNotFound {
			t.Errorf("%s: %d", name, status)
		}
	}
	later.Store(int64(47 * time.Hour))
	if status, _, _ := get(t, sent.URL); status != http.StatusOK {
		t.Errorf("shortly before its end: %d", status)
	}
	later.Store(int64(49 * time.Hour))
	if status, _, body := get(t, sent.URL); status != http.StatusGone || !strings.Contains(body, "expired") {
		t.Errorf("after its end: %d %q", status, body)
	}
}

// file_url needs to know where the server is.
func TestFileURL_withoutAddress(t *testing.T) {
	t.Parallel()
	text := withUploads("127.0.0.1:1", "x") + `
connections: { s: { type: webhook, url: "https://a.example" } }
rules:
  - { name: r, from: apply, then: [{ to: s, json: { url: "${{ file_url(data.cv) }}" } }] }
`
	_, report, err := app.Load(mustWriteConfig(t, t.TempDir(), text))
	if err == nil || len(report.List) != 1 || report.List[0].Code != "no-public-url" || report.List[0].Line != 9 || report.List[0].Column != 63 {
		t.Errorf("%+v, %v", report.List, err)
	}
}
