package db_test

import (
	"errors"
	"testing"

	"hookgate/db"
	"hookgate/internal/event"
)

// Who is refused for what he finds gets his error, and what is committed with him
// stays one transaction.
//
// Negative control: have writeOp.run return a refusal as any other error.
func TestCommitter_refusal(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, p place) {
		s, c := newStore(t, p)
		id := s.NewIDs(1)
		post := &event.Event{ID: id, Source: "shop", Type: "order", ReceivedAt: c.Now(), State: event.NoMatch}
		run := &event.ReplayRun{ID: event.RunID(s.NewIDs(1))}
		transactions, results := s.Together(
			func() error { return s.DeleteView("there is none") },
			func() error { _, err := s.Readmit(post, nil); return err },
			func() error { _, err := s.Replay(run, run, nil); return err },
			func() error { _, err := s.Accept(post, nil); return err },
			s.Ping,
		)
		if transactions != 1 {
			t.Errorf("%d transactions", transactions)
		}
		for i, want := range []error{event.ErrNotFound, event.ErrNotKept, db.ErrRunMoved, nil, nil} {
			if !errors.Is(results[i], want) {
				t.Errorf("call %d: %v, want %v", i, results[i], want)
			}
		}
		if _, err := s.Event(t.Context(), id); err != nil {
			t.Error(err)
		}
	})
}
