package db_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hookgate/internal/event"
)

// A view is kept under its name, once; there are at most so many. Break: take the
// bound out of SetView.
func TestViews(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, p place) {
		s, c := newStore(t, p)
		keep := func(name, query string, want bool) {
			t.Helper()
			if kept, err := s.SetView(event.View{Name: name, Query: query, By: "ada"}, 2); err != nil || kept != want {
				t.Errorf("%s: kept %t, %v", name, kept, err)
			}
		}
		keep("Diner", "source:sitejet Harry", true)
		keep("Ärger", "delivery:failed since:7d", true)
		keep("One more", "", false)
		keep("Diner", "source:sitejet Diner", true)
		want := []event.View{
			{Name: "Diner", Query: "source:sitejet Diner", By: "ada", Changed: c.Now()},
			{Name: "Ärger", Query: "delivery:failed since:7d", By: "ada", Changed: c.Now()},
		}
		got, err := s.Views(t.Context())
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
		if err := s.DeleteView("Ärger"); err != nil {
			t.Error(err)
		}
		if err := s.DeleteView("Ärger"); !errors.Is(err, event.ErrNotFound) {
			t.Errorf("again: %v", err)
		}
		keep("One more", "", true)
	})
}
