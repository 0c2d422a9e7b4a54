package db_test

import (
	"log/slog"
	"testing"
	"time"

	"hookgate/db"
	"hookgate/internal/event"
	"hookgate/test/lab"
)

// wall is the clock of tests about leases and outages: the real one.
func wall() *clock { return &clock{t: time.Now()} }

// mustReplica opens a store beside the others at url, on the real clock.
func mustReplica(t testing.TB, url string, lease time.Duration) *db.Store {
	t.Helper()
	s, err := db.OpenPostgres(t.Context(), event.NewSecret(url), db.Options{Logger: slog.New(slog.DiscardHandler), Now: time.Now, Lease: lease, Name: t.Name()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// mustOpenWall opens a store on the real clock.
func mustOpenWall(t testing.TB, p place) *db.Store {
	t.Helper()
	s, err := p.open(t.Context(), db.Options{Logger: slog.New(slog.DiscardHandler), Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// tryAccept stores an event and tells how long that took.
func tryAccept(s *db.Store) (time.Duration, error) {
	begun := time.Now()
	_, err := s.Accept(&event.Event{ID: s.NewIDs(1), Source: "s", ReceivedAt: begun, State: event.NoMatch}, nil)
	return time.Since(begun), err
}

func mustRecover(t *testing.T, s *db.Store) {
	t.Helper()
	lab.Eventually(t, "events are accepted again", func() bool { _, err := tryAccept(s); return err == nil })
}

// noError gives a function that ends the test at an error.
func noError(t testing.TB) func(error) {
	return func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
}
