package db_test

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"hookgate/db"
	"hookgate/internal/event"
)

// A snapshot is of the moment of its beginning and ends, however much is
// committed while it is made. Break: leave out the BEGIN; then the copy begins
// anew with each commit and this test does not end.
func TestSnapshot_oneMoment(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a.db")
	s, err := db.Open(t.Context(), path, db.Options{Logger: slog.New(slog.DiscardHandler), Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	accept := func() {
		t.Helper()
		body := make([]byte, 1<<20)
		_, _ = rand.Read(body) // nothing that could be packed
		e := &event.Event{ID: s.NewIDs(1), Source: "s", ReceivedAt: time.Now(), State: event.NoMatch, Body: body}
		if _, err := s.Accept(e, nil); err != nil {
			t.Fatal(err)
		}
	}
	for range 20 { // several steps of the copy
		accept()
	}
	target := filepath.Join(t.TempDir(), "copy.db")
	steps := 0
	if err := db.Snapshot(t.Context(), path, target, func(int64, int64) { steps++; accept() }); err != nil {
		t.Fatal(err)
	}
	info, err := db.Inspect(t.Context(), target, true)
	if err != nil || len(info.Damage) > 0 || info.Events != 20 || steps < 3 || info.IsNewer() {
		t.Errorf("%+v, %v, %d steps", info, err, steps)
	}
	if mode, err := os.Stat(target); err != nil || mode.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", mode, err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	other := filepath.Join(t.TempDir(), "other.db")
	if err := db.Snapshot(ended, path, other, nil); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if _, err := os.Stat(other); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("what was interrupted is there: %v", err)
	}
	if err := db.Snapshot(t.Context(), path, target, nil); !errors.Is(err, os.ErrExist) {
		t.Errorf("over another: %v", err)
	}
}

// Inspect finds what is wrong with a file.
func TestInspect_damage(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a.db")
	s, err := db.Open(t.Context(), path, db.Options{Logger: slog.New(slog.DiscardHandler), Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	for range 50 {
		if _, err := tryAccept(s); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func([]byte) []byte{
		"pages are cut off": func(b []byte) []byte { return b[:len(b)/2] },
		"pages are others":  func(b []byte) []byte { copy(b[len(b)/2:], make([]byte, len(b)/4)); return b },
		"no database": func([]byte) []byte {
			return []byte("hello, this is no database, and it is long enough to be looked at by SQLite: 0123456789012345678901234567890")
		},
	} {
		bad := filepath.Join(t.TempDir(), "bad.db")
		if err := os.WriteFile(bad, spoil(append([]byte{}, content...)), 0o600); err != nil {
			t.Fatal(err)
		}
		if info, err := db.Inspect(t.Context(), bad, true); err != nil || len(info.Damage) == 0 {
			t.Errorf("%s: %+v, %v", name, info, err)
		}
	}
}
