package db_test

import (
	"database/sql"
	"errors"
	"path/filepath"
	"testing"

	"hookgate/db"
	"hookgate/internal/event"
)

// A Reader sees what a Store has stored, also while that is running.
func TestReader_past(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, p place) {
		s, c := newStore(t, p)
		if _, err := s.SavePlan(event.RuleSet{Hash: "h", Rules: []string{"r"}, Source: []byte("{}")}); err != nil {
			t.Fatal(err)
		}
		e, _ := mustAccept(t, s, c, "", "x")
		open := func() (*db.Reader, error) {
			if p.shared() {
				return db.OpenPostgresReader(event.NewSecret(p.url))
			}
			return db.OpenReader(p.path)
		}
		for _, running := range []bool{true, false} {
			if !running {
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
			}
			r, err := open()
			if err != nil {
				t.Fatal(err)
			}
			if begun, err := r.Begun(t.Context()); err != nil || !begun {
				t.Errorf("running %t: begun %t, %v", running, begun, err)
			}
			if err := r.Check(t.Context()); err != nil {
				t.Errorf("running %t: %v", running, err)
			}
			seen := 0
			err = r.Scan(t.Context(), event.Filter{}, func(got *event.Event) error {
				if seen++; got.ID != e.ID {
					t.Errorf("running %t: %s, want %s", running, got.ID, e.ID)
				}
				return nil
			})
			n, countErr := r.CountEvents(t.Context(), event.Filter{})
			if err != nil || countErr != nil || seen != 1 || n != 1 {
				t.Errorf("running %t: %d scanned, %d counted, %v, %v", running, seen, n, err, countErr)
			}
			if v, err := r.LatestPlan(t.Context()); err != nil || v.Hash != "h" || string(v.Source) != "{}" {
				t.Errorf("running %t: %+v, %v", running, v, err)
			}
			if err := r.Close(); err != nil {
				t.Error(err)
			}
		}
	})
}

// What is no database of this version is told as what it is.
func TestReader_check(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		table string
		want  error
	}{
		{`CREATE TABLE goose_db_version (version_id INTEGER); INSERT INTO goose_db_version VALUES (0), (1)`, db.ErrOlder},
		{`CREATE TABLE other (id INTEGER)`, db.ErrNoHistory},
	} {
		path := filepath.Join(t.TempDir(), "test.db")
		file, err := sql.Open("sqlite3", "file:"+path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := file.ExecContext(t.Context(), tc.table); err != nil {
			t.Fatal(err)
		}
		if err := file.Close(); err != nil {
			t.Fatal(err)
		}
		r, err := db.OpenReader(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Check(t.Context()); !errors.Is(err, tc.want) {
			t.Errorf("%s: got %v, want %v", tc.table, err, tc.want)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
}
