package db_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hookgate/db"
	"hookgate/internal/event"
)

// atOnce runs do for many at the same moment, in all processes that can share a database,
// each of whom has seen what none of the others has done. One has their way, and all
// others are refused.
func atOnce(t *testing.T, stores []*db.Store, what string, do func(s *db.Store, i int) error) {
	t.Helper()
	const many = 24
	begin, errs := make(chan struct{}), make([]error, many)
	var all sync.WaitGroup
	for i := range many {
		all.Go(func() {
			<-begin
			errs[i] = do(stores[i%len(stores)], i)
		})
	}
	close(begin)
	all.Wait()
	done := 0
	for _, err := range errs {
		switch {
		case err == nil:
			done++
		case !errors.Is(err, event.ErrNotAsSeen):
			t.Errorf("%s: %v", what, err)
		}
	}
	if done != 1 {
		t.Errorf("%s: %d of %d have their way, want one", what, done, many)
	}
}

// mustOpenAll opens a store in each of as many processes as can share the place.
func mustOpenAll(t *testing.T, p place) []*db.Store {
	t.Helper()
	stores := []*db.Store{mustOpenWall(t, p)}
	if p.shared() {
		stores = append(stores, mustReplica(t, p.url, 30*time.Second))
	}
	return stores
}

// Of several who keep another search under one name at once, none of whom has seen that
// of the others, one is kept, and stays. Who keeps the same, or says nothing of what they
// have seen, is refused nothing.
//
// Break: a SetView that compares before it writes, or an ON CONFLICT without its WHERE.
func TestViews_atOnce(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, p place) {
		stores := mustOpenAll(t, p)
		for round := range 20 {
			name := fmt.Sprint("view ", round)
			var mu sync.Mutex
			var won string
			atOnce(t, stores, name, func(s *db.Store, i int) error {
				query := fmt.Sprint("source:", i)
				kept, err := s.SetView(event.View{Name: name, Query: query}, 20, true)
				if err == nil && !kept {
					t.Errorf("%s: it is one too many", name)
				}
				if err == nil {
					mu.Lock()
					defer mu.Unlock()
					won = query
				}
				return err
			})
			list, err := stores[0].Views(t.Context())
			if err != nil || len(list) != round+1 {
				t.Fatalf("%d views, %v", len(list), err)
			}
			for _, v := range list {
				if v.Name == name && v.Query != won {
					t.Errorf("%s is %s, and who was refused nothing kept %s", name, v.Query, won)
				}
			}
			for _, again := range []struct {
				query string
				fresh bool
			}{{won, true}, {"state:spam", false}} {
				if kept, err := stores[0].SetView(event.View{Name: name, Query: again.query}, 20, again.fresh); err != nil || !kept {
					t.Errorf("%s again, %+v: kept %t, %v", name, again, kept, err)
				}
			}
		}
		if kept, err := stores[0].SetView(event.View{Name: "one more", Query: "source:x"}, 20, true); err != nil || kept {
			t.Errorf("one too many: kept %t, %v", kept, err)
		}
	})
}

// A view is kept under its name, once; there are at most so many. Break: take the
// bound out of SetView.
func TestViews(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, p place) {
		s, c := newStore(t, p)
		keep := func(name, query string, want bool) {
			t.Helper()
			if kept, err := s.SetView(event.View{Name: name, Query: query, By: "ada"}, 2, false); err != nil || kept != want {
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
