package faults

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"hookgate/db"
	"hookgate/internal/event"
	"hookgate/test/lab"
	"hookgate/test/pgtest"
)

// uploading is numbered with a form that takes files.
func uploading(sink string) string {
	return numbered(sink) + `
forms:
  apply: { fields: { n: {}, cv: { type: file, required: true } }, rate_limit: 100000/m, quota: 1GB }
`
}

// postUpload posts a file to the form and returns the event's id.
func postUpload(ctx context.Context, t *testing.T, g *lab.Gate, n int) string {
	t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	_ = w.WriteField("n", fmt.Sprint(n))
	part, err := w.CreateFormFile("cv", "cv.txt")
	if err != nil {
		t.Fatal(err)
	}
	_, _ = fmt.Fprintf(part, "upload %d\n%s", n, strings.Repeat("x", n%5000))
	_ = w.Close()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, g.URL+"/f/apply", &body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", w.FormDataContentType())
	req.Header.Set("Accept", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return ""
	}
	defer func() { _ = res.Body.Close() }()
	var answer struct{ ID string }
	if res.StatusCode != http.StatusOK || json.NewDecoder(res.Body).Decode(&answer) != nil {
		return ""
	}
	return answer.ID
}

// TestBackups makes backups under load. Each is whole, and restores to
// everything that was acknowledged before it began, uploads among it, on which
// a server starts. P23.
//
// Negative control: Snapshot copies the file as it lies there, without its log.
// Then the first event of the first backup was missing.
func TestBackups(t *testing.T) {
	backups := lab.Pick(5, 50)
	sink := lab.NewSink(t, nil)
	g := lab.Start(t, uploading(sink.URL))
	sender := lab.NewSender(t, g.URL+inPath, lab.Payload(50))
	end := sender.Start(t, 4)
	var mu sync.Mutex
	var uploads []string
	ctx, cancel := context.WithCancel(t.Context())
	var posting sync.WaitGroup
	posting.Go(func() {
		for n := 0; ctx.Err() == nil; n++ {
			if id := postUpload(context.WithoutCancel(ctx), t, g, n); id != "" {
				mu.Lock()
				uploads = append(uploads, id)
				mu.Unlock()
			}
		}
	})
	type made struct {
		file string
		want []string // events that were acknowledged before
	}
	var all []made
	for n := range backups {
		before := sender.AcknowledgedCount()
		lab.Eventually(t, "more events", func() bool { return sender.AcknowledgedCount() > before+200 })
		m := made{file: filepath.Join(t.TempDir(), fmt.Sprintf("%d.tar%s", n, []string{"", ".zst", ".gz"}[n%3]))}
		for _, e := range sender.Acknowledged() {
			m.want = append(m.want, e.ID)
		}
		mu.Lock()
		m.want = append(m.want, uploads...)
		mu.Unlock()
		if r := g.CLI("backup", m.file, "--verify"); r.Code != 0 {
			t.Fatalf("backup %d: %d %s%s", n, r.Code, r.Stdout, r.Stderr)
		}
		all = append(all, m)
	}
	end()
	cancel()
	posting.Wait()
	if s := sender.Statuses(); s[http.StatusAccepted]+s[0] != len(sender.Ledger()) || s[0] > 4 { // the four of which the end was not waited for
		t.Errorf("not every post was taken while it was backed up: %v", s)
	}
	for n, m := range all {
		restored := lab.New(t, uploading(sink.URL))
		restored.WriteConfig(restored.Header() + uploading(sink.URL))
		if r := restored.CLI("restore", m.file); r.Code != 0 {
			t.Fatalf("restore %d: %d %s%s", n, r.Code, r.Stdout, r.Stderr)
		}
		have, files := storedIn(t, restored)
		for _, id := range m.want {
			if !have[id] {
				t.Fatalf("backup %d: event %s was acknowledged before it began and is not in it (%d events)", n, id, len(have))
			}
		}
		if len(files) == 0 {
			t.Errorf("backup %d: no uploads", n)
		}
		for _, f := range files {
			content, err := os.ReadFile(filepath.Join(restored.Storage+".files", f.ID))
			if err != nil || int64(len(content)) != f.Size || !strings.HasPrefix(string(content), "upload ") {
				t.Fatalf("backup %d: %s: %v, %d bytes, want %d", n, f.ID, err, len(content), f.Size)
			}
		}
		restored.Start()
		if r := restored.CLI("events", "list", "--limit", "1"); r.Code != 0 {
			t.Errorf("the restored server: %+v", r)
		}
		restored.Kill()
	}
}

// Of a PostgreSQL database pg_dump takes the events and backup the uploads, in this
// order: all that was acknowledged before is restored, and each event has its upload.
//
// Negative control: the uploads before the database. Then events lacked theirs.
func TestBackup_postgres(t *testing.T) {
	sink := lab.NewSink(t, nil)
	g := lab.New(t, uploading(sink.URL))
	g.Database, g.Files = pgtest.Shared(t).URL(t), t.TempDir()
	g.Start()
	sender := lab.NewSender(t, g.URL+inPath, lab.Payload(50))
	end := sender.Start(t, 2)
	var want []string
	ctx, cancel := context.WithCancel(t.Context())
	first := make(chan struct{})
	var posting sync.WaitGroup
	posting.Go(func() {
		for n := 0; ctx.Err() == nil; n++ {
			if id := postUpload(context.WithoutCancel(ctx), t, g, n); id != "" && n < 20 {
				want = append(want, id)
			}
			if n == 20 {
				close(first)
			}
		}
	})
	<-first
	for _, e := range sender.Acknowledged() {
		want = append(want, e.ID)
	}
	dump := pgtest.Dump(t, g.Database)
	archive := filepath.Join(t.TempDir(), "uploads.tar")
	r := g.CLI("backup", archive, "--verify")
	end()
	cancel()
	posting.Wait()
	if r.Code != 0 || !strings.Contains(r.Stdout, "pg_dump") {
		t.Fatalf("backup: %+v", r)
	}

	restored := lab.New(t, uploading(sink.URL))
	restored.Database, restored.Files = pgtest.Shared(t).Restore(t, dump), filepath.Join(t.TempDir(), "files")
	restored.WriteConfig(restored.Header() + uploading(sink.URL))
	if r := restored.CLI("restore", archive); r.Code != 0 {
		t.Fatalf("restore: %+v", r)
	}
	have, files := storedIn(t, restored)
	for _, id := range want {
		if !have[id] {
			t.Errorf("event %s was acknowledged before and is not restored", id)
		}
	}
	if len(files) < 20 {
		t.Errorf("%d uploads", len(files))
	}
	for _, f := range files {
		content, err := os.ReadFile(filepath.Join(restored.Files, f.ID))
		if err != nil || int64(len(content)) != f.Size || !strings.HasPrefix(string(content), "upload ") {
			t.Errorf("%s: %v, %d bytes, want %d", f.ID, err, len(content), f.Size)
		}
	}
	restored.Start()
	if r := restored.CLI("events", "list", "--limit", "1"); r.Code != 0 {
		t.Errorf("the restored server: %+v", r)
	}
}

// storedIn are the events and uploads in the database of a gate that is not
// running.
func storedIn(t *testing.T, g *lab.Gate) (events map[string]bool, files []event.File) {
	t.Helper()
	r, err := db.OpenReader(g.Storage)
	if g.Database != "" {
		r, err = db.OpenPostgresReader(event.NewSecret(g.Database))
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	events = map[string]bool{}
	if err := r.Scan(t.Context(), event.Filter{}, func(e *event.Event) error { events[e.ID.String()] = true; return nil }); err != nil {
		t.Fatal(err)
	}
	if err := r.EachFile(t.Context(), func(f event.File) error { files = append(files, f); return nil }); err != nil {
		t.Fatal(err)
	}
	return events, files
}

// A restore changes nothing over a running server, over what is there without
// a yes, and by an archive that is not whole, wherever that breaks off or was
// changed.
//
// Negative control: the checksums are not compared. Then an archive whose
// manifest was changed replaced the database.
func TestRestore_refused(t *testing.T) {
	sink := lab.NewSink(t, nil)
	g := lab.Start(t, uploading(sink.URL))
	for n := range 20 {
		g.Accepted(g.PostJSON(inPath, fmt.Appendf(nil, `{"type":"numbered","n":%d}`, n)))
	}
	postUpload(t.Context(), t, g, 1)
	file := filepath.Join(t.TempDir(), "b.tar")
	g.MustCLI("backup", file)
	if r := g.CLI("restore", file, "--yes"); r.Code != 1 || !strings.Contains(r.Stderr, "is running") {
		t.Errorf("over a running server: %+v", r)
	}
	later := g.Accepted(g.PostJSON(inPath, []byte(`{"type":"numbered","n":99}`)))
	g.Stop()
	if r := g.CLI("restore", file); r.Code != 2 || !strings.Contains(r.Stderr, "with 22 events") {
		t.Errorf("without a yes: %+v", r)
	}
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	broken := filepath.Join(t.TempDir(), "broken.tar")
	refuse := func(what string, content []byte) {
		t.Helper()
		if err := os.WriteFile(broken, content, 0o600); err != nil {
			t.Fatal(err)
		}
		if r := g.CLI("restore", broken, "--yes"); r.Code != 1 {
			t.Errorf("%s: %+v", what, r)
		}
		if have, _ := storedIn(t, g); !have[later] {
			t.Fatalf("%s: the database was changed", what)
		}
	}
	for cut := 0; cut < len(whole)-1024; cut += len(whole) / 7 { // the end of a tar is 1 KB of nothing
		refuse(fmt.Sprintf("cut at %d", cut), whole[:cut])
	}
	for _, at := range []int{bytes.Index(whole, []byte("SQLite format 3")) + 600, bytes.Index(whole, []byte("upload 1")) + 7, bytes.Index(whole, []byte(`"events": 21`)) + 11} {
		changed := bytes.Clone(whole)
		changed[at] ^= 1
		refuse(fmt.Sprintf("changed at %d", at), changed)
	}
	refuse("no archive", []byte("hello, I am no archive at all"))
	if r := g.CLI("restore", file, "--dry-run"); r.Code != 0 || !strings.Contains(r.Stdout, "is whole") || !strings.Contains(r.Stdout, "would be moved aside") {
		t.Errorf("--dry-run: %+v", r)
	}
	if r := g.CLI("restore", file, "--yes"); r.Code != 0 || !strings.Contains(r.Stdout, "21 events") {
		t.Errorf("with a yes: %+v", r)
	}
	if have, _ := storedIn(t, g); have[later] || len(have) != 21 {
		t.Errorf("restored: %d events", len(have))
	}
	aside, err := filepath.Glob(g.Storage + ".before-*")
	if err != nil || len(aside) == 0 {
		t.Errorf("what was there is gone: %v %v", aside, err)
	}
	g.Start()
	g.Accepted(g.PostJSON(inPath, []byte(`{"type":"numbered","n":100}`)))
}
