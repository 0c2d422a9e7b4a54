package admin

import (
	"context"
	"errors"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"hookgate/internal/event"
)

// The bounds of views: how many are kept, and how long their names and queries are,
// in characters.
const (
	maxViews     = 50
	maxViewName  = 40
	maxViewQuery = 2000
)

// View is a list of events under a name. All users of the pages share it.
type View struct {
	Name    string    `json:"name"`
	Query   string    `json:"query"` // as it is typed into the search of the page Events
	By      string    `json:"by,omitempty"`
	Changed time.Time `json:"changed"`
}

// ViewRequest asks to keep a view, in the place of one of its name; New: not in that of
// another search.
type ViewRequest struct {
	Name  string `json:"name"`
	Query string `json:"query"`
	New   bool   `json:"new,omitempty"`
}

// viewStore keeps views. SetView says whether it was kept: not where it would be one
// more than most. With fresh it takes the place of no other search: event.ErrNotAsSeen.
type viewStore interface {
	Views(ctx context.Context) ([]event.View, error)
	SetView(v event.View, most int, fresh bool) (kept bool, err error)
	DeleteView(name string) error // event.ErrNotFound
}

// Views lists the views, by name.
func (s *Service) Views(ctx context.Context) (page Page[View], err error) {
	list, err := s.store.Views(ctx)
	if err != nil {
		return page, err
	}
	page.Items = make([]View, len(list))
	for i, v := range list {
		page.Items[i] = View{Name: v.Name, Query: v.Query, By: v.By, Changed: v.Changed}
	}
	return page, nil
}

// SetView keeps a view. What the search refuses is refused here, by the same words: else
// it would fail whenever somebody opens it.
func (s *Service) SetView(ctx context.Context, r ViewRequest) (View, error) {
	name, query := strings.TrimSpace(r.Name), strings.TrimSpace(r.Query)
	switch {
	case name == "" || utf8.RuneCountInString(name) > maxViewName || strings.ContainsFunc(name, unicode.IsControl):
		return View{}, refuse("a view needs a name of at most %d characters, in one line", maxViewName)
	case query == "" || utf8.RuneCountInString(query) > maxViewQuery:
		return View{}, refuse("a view needs a query, of at most %d characters", maxViewQuery)
	}
	if err := s.checkQuery(ctx, query); err != nil {
		return View{}, err
	}
	v := event.View{Name: name, Query: query, By: actor(ctx)}
	kept, err := s.store.SetView(v, maxViews, r.New)
	if errors.Is(err, event.ErrNotAsSeen) {
		return View{}, refuse("there is a view %s already, of another search: take another name, or delete that one first", name)
	}
	if err != nil {
		return View{}, err
	}
	if !kept {
		return View{}, refuse("there are %d views, which is the most: delete one first", maxViews)
	}
	s.opt.Logger.InfoContext(ctx, "by hand", "audit", "view kept", "view", name, "by", v.By)
	return View{Name: name, Query: query, By: v.By, Changed: s.opt.Now().UTC()}, nil
}

// DeleteView deletes a view, and nothing that it shows.
func (s *Service) DeleteView(ctx context.Context, name string) (View, error) {
	if err := s.store.DeleteView(name); err != nil {
		return View{}, missing(err, "there is no view %q", name)
	}
	s.opt.Logger.InfoContext(ctx, "by hand", "audit", "view deleted", "view", name, "by", actor(ctx))
	return View{Name: name, Changed: s.opt.Now().UTC()}, nil
}
