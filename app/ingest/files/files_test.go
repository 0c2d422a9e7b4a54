package files_test

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"hookgate/app/ingest/files"
	"hookgate/internal/event"
)

func mustOpen(t *testing.T, path string) *files.Dir {
	t.Helper()
	d, err := files.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d
}

func mustWrite(t *testing.T, u *files.Upload, content string) *files.Blob {
	t.Helper()
	b, err := u.Create()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(b, content); err != nil {
		t.Fatal(err)
	}
	if err := b.Seal(); err != nil {
		t.Fatal(err)
	}
	return b
}

func names(t *testing.T, path string) []string {
	t.Helper()
	entries, err := os.ReadDir(path)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), "fil_") {
			list = append(list, e.Name())
		}
	}
	return list
}

// Promise: T7.
func TestUpload(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "db.files")
	d := mustOpen(t, path)
	kept := d.Upload()
	b := mustWrite(t, kept, "hello")
	if b.Size() != 5 || b.SHA256() != "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824" || !files.ValidID(b.ID()) {
		t.Errorf("id %s, size %d, sum %s", b.ID(), b.Size(), b.SHA256())
	}
	if err := kept.Sync(); err != nil {
		t.Fatal(err)
	}
	kept.Keep()
	kept.Discard() // as a deferred one does: without effect
	dropped := d.Upload()
	mustWrite(t, dropped, "no")
	half, err := dropped.Create()
	if err != nil {
		t.Fatal(err)
	}
	half.Drop()
	dropped.Discard()
	if got := names(t, path); len(got) != 1 || got[0] != b.ID() {
		t.Errorf("files %v, want %s alone", got, b.ID())
	}
	f, err := d.Open(b.ID())
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if content, err := io.ReadAll(f); err != nil || string(content) != "hello" {
		t.Errorf("%q, %v", content, err)
	}
	if info, err := f.Stat(); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	for _, id := range []string{"", "fil_", "../test.db", "fil_../../../../etc/passwd", ".hookgate", "fil_00000000000000000000000000"} {
		if _, err := d.Open(id); !errors.Is(err, event.ErrNotFound) {
			t.Errorf("%q: %v", id, err)
		}
	}
	if n, err := d.Remove(b.ID(), "../x", b.ID()); n != 1 || err != nil {
		t.Errorf("removed %d, %v", n, err)
	}
}

// Only what belongs to no event, is not being stored, and is old enough goes.
// Break: ask for the event before asking whether the file is pending.
func TestSweep(t *testing.T) {
	t.Parallel()
	path := t.TempDir()
	d := mustOpen(t, path)
	if _, _, err := d.Mark(); err != nil {
		t.Fatal(err)
	}
	done := d.Upload()
	stored, orphan := mustWrite(t, done, "a"), mustWrite(t, done, "b")
	done.Keep()
	under := d.Upload()
	pending := mustWrite(t, under, "c")
	known := func(_ context.Context, ids []string) (map[string]bool, error) {
		if slices.Contains(ids, pending.ID()) {
			t.Error("asked about a file whose event is being stored")
		}
		under.Keep() // it is committed at this very moment
		return map[string]bool{stored.ID(): true}, nil
	}
	if n, err := d.Sweep(t.Context(), time.Now().Add(-time.Hour), known); n != 0 || err != nil {
		t.Errorf("of young files: removed %d, %v", n, err)
	}
	if n, err := d.Sweep(t.Context(), time.Now().Add(time.Hour), known); n != 1 || err != nil {
		t.Errorf("removed %d, %v", n, err)
	}
	if _, err := d.Open(orphan.ID()); !errors.Is(err, event.ErrNotFound) {
		t.Errorf("the orphan: %v", err)
	}
	for _, b := range []*files.Blob{stored, pending} {
		f, err := d.Open(b.ID())
		if err != nil {
			t.Errorf("%s: %v", b.ID(), err)
			continue
		}
		_ = f.Close()
	}
	if _, err := os.Stat(filepath.Join(path, files.MarkName)); err != nil {
		t.Error(err)
	}
}

func TestMark(t *testing.T) {
	t.Parallel()
	path := t.TempDir()
	first, made, err := mustOpen(t, path).Mark()
	if err != nil || !made || first == 0 {
		t.Fatalf("%d, %t, %v", first, made, err)
	}
	again, made, err := mustOpen(t, path).Mark()
	if err != nil || made || again != first {
		t.Errorf("again: %d, %t, %v; first: %d", again, made, err, first)
	}
	other, _, err := mustOpen(t, t.TempDir()).Mark()
	if err != nil || other == first {
		t.Errorf("another folder: %d, %v", other, err)
	}
	if err := os.WriteFile(filepath.Join(path, files.MarkName), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := mustOpen(t, path).Mark(); err == nil {
		t.Error("a damaged mark is taken")
	}
}
