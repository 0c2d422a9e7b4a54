package db_test

import (
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"hookgate/internal/event"
)

// Who reads for long keeps the write-ahead log from being begun anew, and once he has
// ended it is: what is written after that takes the place of what was written before.
// Break: do not wake the checkpointer again where not all could be copied.
func TestCheckpoint_afterReader(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "test.db")
	s, c := newStore(t, place{path: path})
	accept := func(megabytes int) (log int64) {
		t.Helper()
		for range megabytes * 8 {
			noise := make([]byte, 96<<10) // some 128 KB of JSON
			_, _ = rand.Read(noise)
			body, err := json.Marshal(noise)
			if err != nil {
				t.Fatal(err)
			}
			e := event.Event{ID: s.NewIDs(1), Source: "shop", ReceivedAt: c.Now(), State: event.NoMatch, Body: body}
			if _, err := s.Accept(&e, nil); err != nil {
				t.Fatal(err)
			}
		}
		info, err := os.Stat(path + "-wal")
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	accept(1)
	other, err := sql.Open("sqlite3", "file:"+path+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Close() }()
	reading, err := other.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	var n int
	if err := reading.QueryRowContext(t.Context(), `SELECT count(*) FROM events`).Scan(&n); err != nil || n == 0 {
		t.Fatal(n, err)
	}
	held := accept(40)
	if held < 40<<20 {
		t.Fatalf("the log has %d bytes: nobody reads it", held)
	}
	if err := reading.Rollback(); err != nil {
		t.Fatal(err)
	}
	if after := accept(60); after > held+(24<<20) {
		t.Errorf("the log has %d bytes, and had %d when nobody read it any more", after, held)
	}
}
