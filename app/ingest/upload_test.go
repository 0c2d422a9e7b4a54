package ingest_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hookgate/app/ingest"
	"hookgate/app/ingest/files"
	"hookgate/app/ingest/source"
	"hookgate/forms"
	"hookgate/internal/body"
	"hookgate/internal/event"
	"hookgate/internal/yamlnode"
)

// part is a part of a multipart body; file names a file.
type part struct{ name, file, content string }

func multipartOf(parts ...part) string {
	var b strings.Builder
	for _, p := range parts {
		fmt.Fprintf(&b, "--B\r\nContent-Disposition: form-data; name=%q", p.name)
		if p.file != "" {
			fmt.Fprintf(&b, "; filename=%q", p.file)
		}
		b.WriteString("\r\n\r\n" + p.content + "\r\n")
	}
	return b.String() + "--B--\r\n"
}

// uploads is a gateway whose form takes files.
func uploads(t *testing.T) (*gateway, func(parts ...part) (ingest.Ack, forms.Result, error), func() int) {
	t.Helper()
	g := newGateway(t)
	root, list := yamlnode.Parse("f.yaml", []byte("apply: { fields: { email: { type: email, required: true }, cv: { type: file, accept: [pdf, docx], max_size: 64KB, multiple: true, max_files: 2 } }, quota: 200KB }"))
	entry := root.Fields()[0]
	form, faults := forms.Compile(entry.Key, entry.Value)
	if err := errors.Join(list.Err(), faults.Err()); err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(t.TempDir(), "files")
	dir, err := files.Open(folder)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = dir.Close() })
	g.plan.Files, g.plan.Forms[form.Name] = dir, form
	post := func(parts ...part) (ingest.Ack, forms.Result, error) {
		ack, err := g.in.Accept(g.plan, &ingest.Request{
			Request: source.Request{Method: "POST", ContentType: "multipart/form-data; boundary=B", Now: time.Now()},
			Source:  form.Name, Stream: strings.NewReader(multipartOf(parts...)),
		})
		return ack, ack.Form, err
	}
	count := func() int {
		entries, err := os.ReadDir(folder)
		if err != nil {
			t.Fatal(err)
		}
		return len(entries)
	}
	return g, post, count
}

var ada = part{name: "email", content: "ada@example.com"}

func TestForm_upload(t *testing.T) {
	t.Parallel()
	g, post, count := uploads(t)
	ack, result, err := post(ada, part{"cv", "cv.pdf", "%PDF-1.7 hello"}, part{"cv", "two.pdf", "%PDF-1.7 again"}, part{"other", "x.pdf", "%PDF-1.7"})
	if err != nil || len(result.Problems) > 0 || ack.State != event.NoMatch {
		t.Fatalf("%+v, %+v, %v", ack, result, err)
	}
	if len(result.Unstored) != 1 || len(result.Uploads) != 2 || count() != 2 {
		t.Errorf("%q left out, %d taken, %d in the folder", result.Unstored, len(result.Uploads), count())
	}
	stored, err := g.store.Event(t.Context(), ack.ID)
	if err != nil {
		t.Fatal(err)
	}
	u := result.Uploads[0]
	f, err := g.store.File(t.Context(), u.ID)
	if err != nil || f.Event != ack.ID || f.Field != "cv" || f.Name != "cv.pdf" || f.Size != 14 || f.SHA256 != u.SHA256 {
		t.Errorf("stored as %+v, %v", f, err)
	}
	if !strings.Contains(string(stored.Data()), `"cv":[{"id":"`+u.ID+`"`) || len(stored.Body) > 0 {
		t.Errorf("data %s, body %q", stored.Data(), stored.Body)
	}
}

// What is refused leaves no file behind.
//
// Promise: T7.
func TestForm_uploadRefused(t *testing.T) {
	t.Parallel()
	_, post, count := uploads(t)
	pdf := part{"cv", "cv.pdf", "%PDF-1.7"}
	for name, c := range map[string]struct {
		parts []part
		code  forms.Code
	}{
		"another field's problem": {[]part{{name: "email", content: "no"}, pdf}, forms.TypeEmail},
		"the type":                {[]part{ada, pdf, {"cv", "cv.pdf", "MZ\x90\x00"}}, forms.FileType},
		"an archive":              {[]part{ada, pdf, {"cv", "cv.docx", "PK\x03\x04 no document"}}, forms.FileType},
		"the size":                {[]part{ada, pdf, {"cv", "cv.pdf", "%PDF-1.7" + strings.Repeat("x", 64<<10)}}, forms.FileTooLarge},
		"the number":              {[]part{ada, pdf, pdf, pdf}, forms.TooManyFiles},
		"an empty one":            {[]part{ada, {"cv", "cv.pdf", ""}}, forms.FileEmpty},
	} {
		_, result, err := post(c.parts...)
		if err != nil || len(result.Problems) != 1 || result.Problems[0].Code != c.code {
			t.Errorf("%s: %+v, %v, want %s", name, result.Problems, err, c.code)
		}
	}
	ack, _, err := post(ada, pdf, part{"other", "", strings.Repeat("x", 2<<20)})
	if fault := (*body.Error)(nil); !errors.As(err, &fault) || fault.Status != 413 || ack.ID == 0 {
		t.Errorf("too much text: %v, kept as %s", err, ack.ID)
	}
	if n := count(); n != 0 {
		t.Errorf("%d files were left behind", n)
	}
}

// A form stores so much in a day and no more, and says when it goes on. Break:
// do not count, or count what was refused.
//
// Promise: T15.
func TestForm_uploadQuota(t *testing.T) {
	t.Parallel()
	_, post, count := uploads(t)
	big := part{"cv", "cv.pdf", "%PDF-1.7" + strings.Repeat("x", 60<<10)}
	for range 5 { // what is refused is not counted
		if _, result, err := post(part{name: "email", content: "no"}, big); err != nil || len(result.Problems) == 0 {
			t.Fatalf("%+v, %v", result, err)
		}
	}
	for i := range 3 {
		if _, _, err := post(ada, big); err != nil {
			t.Fatalf("post %d: %v", i+1, err)
		}
	}
	_, _, err := post(ada, big)
	quota, busy := (*ingest.QuotaError)(nil), (*ingest.BusyError)(nil)
	if !errors.As(err, &quota) || !errors.As(err, &busy) || !busy.Source || busy.RetryAfter <= 0 || busy.RetryAfter > 24*time.Hour {
		t.Errorf("the fourth: %v", err)
	}
	if n := count(); n != 3 {
		t.Errorf("%d files are kept", n)
	}
	if _, _, err := post(ada, part{"cv", "cv.pdf", "%PDF-1.7 small"}); err != nil {
		t.Errorf("what still fits: %v", err)
	}
}

// Of posts that cannot be read, bodies are kept up to a twentieth of the quota.
//
// Promise: T15.
func TestForm_rejectedQuota(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	root, list := yamlnode.Parse("f.yaml", []byte("contact: { fields: any, quota: 200KB }"))
	form, faults := forms.Compile(root.Fields()[0].Key, root.Fields()[0].Value)
	if err := errors.Join(list.Err(), faults.Err()); err != nil {
		t.Fatal(err)
	}
	g.plan.Forms[form.Name] = form
	for i, kept := range []bool{true, true, false, false} {
		ack, err := g.in.Accept(g.plan, &ingest.Request{Source: form.Name, Request: source.Request{
			Method: "POST", ContentType: "application/json", Body: []byte(`{"a":` + strings.Repeat("x", 4<<10)), Now: time.Now(),
		}})
		if fault := (*body.Error)(nil); !errors.As(err, &fault) || ack.ID == 0 {
			t.Fatalf("post %d: %+v, %v", i+1, ack, err)
		}
		stored, err := g.store.Event(t.Context(), ack.ID)
		if err != nil || stored.State != event.Rejected || (len(stored.Body) > 0) != kept {
			t.Errorf("post %d: %s, %d bytes kept, %v", i+1, stored.State, len(stored.Body), err)
		}
	}
}

// Each day begins anew.
//
// Promise: T15.
func TestQuotas(t *testing.T) {
	t.Parallel()
	var q ingest.Quotas
	at := time.Date(2026, 3, 1, 23, 59, 0, 0, time.UTC)
	if !q.Take("a", 60, 100, at) || q.Take("a", 41, 100, at) || !q.Take("a", 40, 100, at) || !q.Take("b", 100, 100, at) {
		t.Error("it counts wrongly")
	}
	if q.Take("a", 1, 100, at.Add(30*time.Second)) || !q.Take("a", 100, 100, at.Add(time.Minute)) {
		t.Error("the day does not end at midnight")
	}
}

// Without a file in the folder nothing is acknowledged. Break: do not look at
// the error of Seal.
//
// Promise: T15.
func TestForm_uploadWithoutSpace(t *testing.T) {
	t.Parallel()
	g, post, _ := uploads(t)
	_ = g.plan.Files.Close()
	_, _, err := post(ada, part{"cv", "cv.pdf", "%PDF-1.7"})
	if !errors.Is(err, event.ErrUnavailable) {
		t.Errorf("got %v, want that the store is unavailable", err)
	}
	if events, err := g.store.Events(t.Context(), event.Filter{}); err != nil || len(events) != 0 {
		t.Errorf("%d events, %v", len(events), err)
	}
}
