package app_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hookgate/app"
	"hookgate/app/ingest/files"
)

// withUploads is a configuration with a form that takes files, in folder.
func withUploads(listen, folder string) string {
	return fmt.Sprintf(`version: 1
server: { listen: "%s" }
storage: { files: "%s" }
forms:
  apply: { fields: { cv: { type: file, accept: [pdf], required: true } }, rate_limit: 1000/m }
`, listen, folder)
}

func mustWriteConfig(t *testing.T, dir, text string) string {
	t.Helper()
	path := filepath.Join(dir, "config.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// postFile posts a PDF to the form.
func postFile(t *testing.T, a *app.App) int {
	t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	part, err := w.CreateFormFile("cv", "cv.pdf")
	if err == nil {
		_, err = io.WriteString(part, "%PDF-1.7 hello")
	}
	if err = errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+a.Addr()+"/f/apply", &body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", w.FormDataContentType())
	req.Header.Set("Accept", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	return res.StatusCode
}

// startOnce starts an App of the file and ends it, and says what went wrong.
func startOnce(t *testing.T, path string) error {
	t.Helper()
	loaded, report, err := app.Load(path)
	if err != nil {
		t.Fatal(report.List)
	}
	a, err := app.New(loaded, app.Options{Logger: slog.New(slog.DiscardHandler), Version: "test", Now: time.Now})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return a.Run(ctx)
}

// A folder that is not this database's own is refused: one that another
// database uses, and an empty one in the place of one with files (as when it is
// not mounted), unless its owner says so.
func TestFilesFolder(t *testing.T) {
	t.Parallel()
	one, two, folder := t.TempDir(), t.TempDir(), filepath.Join(t.TempDir(), "files")
	path := mustWriteConfig(t, one, withUploads(freePort(t), folder))
	t.Run("run", func(t *testing.T) {
		if status := postFile(t, mustRun(t, path)); status != http.StatusOK {
			t.Fatalf("status %d", status)
		}
	})
	if err := startOnce(t, path); err != nil {
		t.Errorf("again: %v", err)
	}
	other := mustWriteConfig(t, two, withUploads(freePort(t), folder))
	if err := startOnce(t, other); err == nil || !strings.Contains(err.Error(), "another database") {
		t.Errorf("another database on the same folder: %v", err)
	}
	if err := os.Rename(folder, folder+".away"); err != nil {
		t.Fatal(err)
	}
	err := startOnce(t, path)
	if err == nil || !strings.Contains(err.Error(), "mounted") {
		t.Errorf("the folder is not mounted: %v", err)
	}
	if err := os.WriteFile(filepath.Join(folder, files.AdoptName), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := startOnce(t, path); err != nil {
			t.Errorf("a folder that was given up: %v", err)
		}
	}
}

// A reload may be the first to need the folder.
func TestFilesFolder_reload(t *testing.T) {
	t.Parallel()
	dir, addr := t.TempDir(), freePort(t)
	folder := filepath.Join(dir, "hookgate.db.files")
	text := withUploads(addr, folder)
	path := mustWriteConfig(t, dir, strings.Replace(text, "type: file, accept: [pdf], ", "", 1))
	a := mustRun(t, path)
	if _, err := os.Stat(folder); err == nil {
		t.Error("a folder that nobody needs was made")
	}
	mustWriteConfig(t, dir, text)
	if report, err := a.Reload(); err != nil || report.Err() != nil {
		t.Fatal(report.List, err)
	}
	if status := postFile(t, a); status != http.StatusOK {
		t.Errorf("status %d", status)
	}
	mustWriteConfig(t, dir, strings.Replace(text, folder, folder+"2", 1))
	if _, err := a.Reload(); err == nil || !strings.Contains(err.Error(), "storage.files") {
		t.Errorf("another folder: %v", err)
	}
}

// Replicas need a folder that they share.
func TestFilesFolder_missing(t *testing.T) {
	t.Parallel()
	path := mustWriteConfig(t, t.TempDir(), strings.Replace(withUploads("127.0.0.1:1", "x"), `files: "x"`, "url: postgres://db/x", 1))
	_, report, err := app.Load(path)
	if err == nil || len(report.List) != 1 || report.List[0].Code != "no-files-folder" || report.List[0].Line != 5 {
		t.Errorf("%+v, %v", report.List, err)
	}
}
