package faults

import (
	"encoding/base64"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"hookgate/test/lab"
)

// postFile posts a file of so many bytes to the form apply.
func postFile(g *lab.Gate, size int) lab.Reply {
	body := "--B\r\nContent-Disposition: form-data; name=\"cv\"; filename=\"cv.pdf\"\r\n\r\n%PDF-1.7" + strings.Repeat("x", size) + "\r\n--B--\r\n"
	return g.Do(http.MethodPost, "/f/apply", []byte(body), "Content-Type", "multipart/form-data; boundary=B", "Accept", "application/json")
}

// TestQuota posts files until the form's quota of the day is used up: 429 with
// Retry-After, the metrics say how much there is, and events are taken as before.
//
// Negative control: a quota that is never used up. Then there was no refusal.
//
// Promise: T15.
func TestQuota(t *testing.T) {
	t.Parallel()
	g := lab.New(t, `
sources:
  in: { type: webhook, token: `+token+` }
forms:
  apply: { fields: { cv: { type: file, accept: [pdf], max_size: 200KB } }, max_upload: 300KB, quota: 500KB, rate_limit: 1000/m }
`)
	g.Extra = "  admin: { user: team, password: soak-admin-password }\n"
	g.Start()
	for n := range 4 {
		if r := postFile(g, 120_000); r.Status != http.StatusOK {
			t.Fatalf("post %d: status %d: %s", n+1, r.Status, r.Body)
		}
	}
	for range 3 {
		if r := postFile(g, 120_000); r.Status != http.StatusTooManyRequests || r.Header.Get("Retry-After") == "" {
			t.Errorf("over the quota: status %d, Retry-After %q: %s", r.Status, r.Header.Get("Retry-After"), r.Body)
		}
	}
	if r := g.PostJSON(inPath, []byte(`{}`)); r.Status != http.StatusAccepted {
		t.Errorf("an event: status %d", r.Status)
	}
	files, err := filepath.Glob(filepath.Join(g.Storage+".files", "fil_*"))
	if err != nil || len(files) != 4 {
		t.Errorf("%d files are kept, want 4: %v", len(files), err)
	}
	login := "Basic " + base64.StdEncoding.EncodeToString([]byte("team:soak-admin-password"))
	r := g.Do(http.MethodGet, "/metrics", nil, "Authorization", login)
	for _, want := range []string{`hookgate_form_stored_bytes{form="apply"} 480032`, `hookgate_form_quota_bytes{form="apply"} 512000`} {
		if !strings.Contains(r.Body, want) {
			t.Errorf("the metrics lack %s", want)
		}
	}
}

// TestDiskFloor has a disk with little room left: posts with files get 503 with
// Retry-After, and events are taken.
//
// Negative control: no floor. Then the file was taken.
//
// Promise: T15.
func TestDiskFloor(t *testing.T) {
	if os.Getuid() != 0 {
		lab.Skip(t, "a tmpfs can be mounted by root only")
	}
	g := lab.New(t, `
sources:
  in: { type: webhook, token: `+token+` }
forms:
  apply: { fields: { cv: { type: file, accept: [pdf] } }, rate_limit: 1000/m }
`)
	disk := filepath.Join(g.Dir, "disk")
	if err := os.Mkdir(disk, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=64m"); err != nil {
		lab.Skip(t, "tmpfs: "+err.Error())
	}
	t.Cleanup(func() {
		g.Kill()
		_ = syscall.Unmount(disk, syscall.MNT_DETACH)
	})
	g.Storage = filepath.Join(disk, "h.db")
	g.Start()
	if r := postFile(g, 1000); r.Status != http.StatusServiceUnavailable || r.Header.Get("Retry-After") == "" {
		t.Errorf("a file: status %d, Retry-After %q: %s", r.Status, r.Header.Get("Retry-After"), r.Body)
	}
	if r := g.PostJSON(inPath, []byte(`{}`)); r.Status != http.StatusAccepted {
		t.Errorf("an event: status %d", r.Status)
	}
}
