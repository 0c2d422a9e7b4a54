package db_test

import (
	"context"
	"testing"
	"time"

	"hookgate/db"
)

// What is remembered is there for the next process, by connection, until it is
// too old.
func TestMemory(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, p place) {
		s, c := newStore(t, p)
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		must(s.Remember("slack", "k", "one", time.Hour))
		must(s.Remember("other", "k", "two", 3*time.Hour))
		must(s.Remember("slack", "k", "three", time.Hour))
		must(s.Close())
		s = mustOpen(t, p, c)
		want := func(connection, key, value string) {
			t.Helper()
			got, found, err := s.Recall(t.Context(), connection, key)
			if err != nil || got != value || found != (value != "") {
				t.Errorf("%s %s: %q, %t, %v, want %q", connection, key, got, found, err, value)
			}
		}
		want("slack", "k", "three")
		want("other", "k", "two")
		want("slack", "other", "")
		c.Add(2 * time.Hour)
		if _, err := s.Prune(context.Background(), db.Retention{}); err != nil {
			t.Fatal(err)
		}
		want("slack", "k", "")
		want("other", "k", "two")
	})
}
