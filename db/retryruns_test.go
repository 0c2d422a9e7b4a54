package db_test

import (
	"slices"
	"testing"

	"hookgate/internal/event"
)

// Runs come in pages, the newest first, and those that can go on are found however many
// came after them.
func TestRetryRuns_pages(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, p place) {
		s, _ := newStore(t, p)
		var ids []event.RunID // the newest first
		for i := range 6 {
			run := event.RetryRun{ID: event.RunID(s.NewIDs(1)), State: event.RetryRunning}
			if err := s.CreateRetryRun(&run); err != nil {
				t.Fatal(err)
			}
			run.State = []event.RetryState{event.RetryHalted, event.RetryDone, event.RetryPaused, event.RetryStopped, event.RetryRunning, event.RetryDone}[i]
			if ok, err := s.UpdateRetryRun(&run); err != nil || !ok {
				t.Fatal(ok, err)
			}
			ids = slices.Insert(ids, 0, run.ID)
		}
		for _, c := range []struct {
			name string
			f    event.RunFilter
			want []event.RunID
		}{
			{"all", event.RunFilter{}, ids},
			{"a page", event.RunFilter{Limit: 2}, ids[:2]},
			{"the next one", event.RunFilter{Limit: 2, Before: ids[1]}, ids[2:4]},
			{"left", event.RunFilter{Left: true}, []event.RunID{ids[1], ids[3], ids[5]}},
			{"left, the next page", event.RunFilter{Left: true, Before: ids[1], Limit: 1}, []event.RunID{ids[3]}},
		} {
			list, err := s.RetryRuns(t.Context(), c.f)
			var got []event.RunID
			for _, r := range list {
				got = append(got, r.ID)
			}
			if err != nil || !slices.Equal(got, c.want) {
				t.Errorf("%s: %v, %v, want %v", c.name, got, err, c.want)
			}
		}
		if list, err := s.ActiveRetryRuns(t.Context()); err != nil || len(list) != 1 || list[0].ID != ids[1] {
			t.Errorf("active: %+v, %v", list, err)
		}
	})
}
