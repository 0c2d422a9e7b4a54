package db

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Whoever has the log emptied copies it himself: the writer is asked only when that is
// done, not while a reader keeps it from being copied, and then the log is empty.
//
// Negative control: have tryEmptyLog ask the writer also where not all is copied.
func TestAwaitEmptyLog(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "test.db")
	e, err := openSQLite(t.Context(), path, Options{Logger: slog.New(slog.DiscardHandler), Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.close() })
	write := func() {
		t.Helper()
		err := e.inTransaction(func() error {
			return e.exec(`INSERT OR REPLACE INTO meta (key, value) VALUES ('test', zeroblob(8 << 20))`)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	readers, err := openReaders(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = readers.Close() }()
	reading, err := readers.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	var n int
	if err := reading.QueryRowContext(t.Context(), `SELECT count(*) FROM meta`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	write()
	asked := 0
	wake := func() error { asked++; e.emptyLog(); return nil }
	short, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if done, err := e.awaitEmptyLog(short, wake); done || !errors.Is(err, ErrLogInUse) || asked > 0 {
		t.Errorf("beside a reader: done %t, %v, the writer was asked %d times", done, err, asked)
	}
	if err := reading.Rollback(); err != nil {
		t.Fatal(err)
	}
	if done, err := e.awaitEmptyLog(t.Context(), wake); !done || err != nil {
		t.Errorf("after the reader: done %t, %v", done, err)
	}
	if info, err := os.Stat(path + "-wal"); err != nil || info.Size() != 0 {
		t.Errorf("the log is not empty: %v, %v", info, err)
	}
}
