package db_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hookgate/internal/event"
)

// A session is read as it was kept: of a user of the configuration, and of who
// logged in at a provider.
func TestSessions(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, p place) {
		s, c := newStore(t, p)
		now := c.Now().Truncate(time.Microsecond).UTC()
		for _, want := range []event.Session{
			{Hash: []byte{1}, User: "ada", Identity: []byte{}, Fingerprint: []byte{0, 255, 7}, Created: now, Seen: now, Expires: now.Add(time.Hour)},
			{Hash: []byte{2}, User: "ben@harrys-diner.example", Identity: []byte(`{"issuer":"i"}`), Created: now, Seen: now, Expires: now.Add(time.Hour)},
		} {
			if err := s.AddSession(want); err != nil {
				t.Fatal(err)
			}
			got, err := s.Session(t.Context(), want.Hash)
			if err != nil {
				t.Fatal(err)
			}
			if len(got.Fingerprint) == 0 {
				got.Fingerprint = nil
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("kept (-), read (+):\n%s", diff)
			}
		}
		if _, err := s.Session(t.Context(), []byte{3}); !errors.Is(err, event.ErrNotFound) {
			t.Errorf("one that there is not: %v", err)
		}
	})
}
