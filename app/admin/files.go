package admin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"hookgate/forms"
	"hookgate/internal/event"
)

// FormFile is a file that a form got.
type FormFile struct {
	ID    string    `json:"id"`
	Post  event.ID  `json:"post"` // that it came with
	Time  time.Time `json:"time"`
	Field string    `json:"field"`
	Name  string    `json:"name"`
	Type  string    `json:"type"`
	Size  int64     `json:"size"` // bytes
	// Until is when retention removes it, unless it is still to be delivered then; with
	// a post that is kept for a shorter time, such as spam, it goes before.
	Until time.Time `json:"until"`
}

// Snippet is a form to be put into a website.
type Snippet struct {
	Form string `json:"form"`
	Kind string `json:"kind"` // html, fetch, wordpress, cf7
	HTML string `json:"html"`
	// Scripted is false where a script of another site cannot read the form's answers:
	// it has no origins.
	Scripted bool `json:"scripted"`
}

type fileStore interface {
	// FormFiles lists the files of the newest posts of a form that are older than
	// before, 0 meaning all: of so many posts.
	FormFiles(ctx context.Context, form string, before event.ID, posts int) ([]event.File, error)
}

// Files are the files of form posts.
type Files interface {
	File(ctx context.Context, id string) (event.File, io.ReadCloser, error) // event.ErrNotFound
	// RemoveContents removes the contents of files that no event has any longer.
	RemoveContents(ctx context.Context) error
}

// File opens a file of a form post.
func (s *Service) File(ctx context.Context, id string) (event.File, io.ReadCloser, error) {
	f, content, err := s.opt.Files.File(ctx, id)
	return f, content, missing(err, "there is no file %q: "+gone, id)
}

// FormFiles lists the files of a form, those of the newest posts first: of as many posts
// as limit says.
func (s *Service) FormFiles(ctx context.Context, form string, before event.ID, limit int) (page Page[FormFile], err error) {
	now := s.inForce()
	if now.Plan.Forms[form] == nil {
		return page, notCalled("form", form, now.Forms)
	}
	if limit <= 0 {
		limit = DefaultLimit
	}
	list, err := s.store.FormFiles(ctx, form, before, limit)
	if err != nil {
		return page, fmt.Errorf("cannot list the files of %s: %w", form, err)
	}
	page.Items = make([]FormFile, 0, len(list))
	posts := map[event.ID]bool{}
	for i := range list {
		f := &list[i]
		posts[f.Event] = true
		at := f.Event.Time().UTC()
		page.Items = append(page.Items, FormFile{
			ID: f.ID, Post: f.Event, Time: at, Field: f.Field, Name: f.Name, Type: f.Type, Size: f.Size, Until: at.Add(now.KeepFiles),
		})
	}
	if len(posts) == limit {
		page.Next = list[len(list)-1].Event.String()
	}
	return page, nil
}

// Snippet writes a form for a page of a website: in a language, or with "" in the
// form's.
func (s *Service) Snippet(_ context.Context, form, kind, lang string) (Snippet, error) {
	now := s.inForce()
	f := now.Plan.Forms[form]
	out := Snippet{Form: form, Kind: kind}
	wanted := forms.Lang(lang)
	switch {
	case f == nil:
		return out, notCalled("form", form, now.Forms)
	case lang != "" && !wanted.Known():
		return out, refuse("there is no language %q; there are: %s", lang, Joined(forms.Languages()))
	case !f.Hosted():
		return out, refuse(`the form declares no fields to make a snippet of: declare them instead of "fields: any"`)
	}
	var err error
	switch forms.SnippetKind(kind) {
	case forms.PlainSnippet, forms.FetchSnippet, forms.WordPressSnippet:
		out.Scripted = f.Scripted()
		out.HTML, err = f.Snippet(forms.SnippetKind(kind), wanted, now.BaseURL+"/f/"+f.Name)
	case forms.CF7Snippet:
		out.HTML, err = f.ContactForm7(wanted)
	default:
		return out, refuse("there is no snippet %q; there are: %s", kind, Joined(forms.SnippetKinds()))
	}
	if errors.Is(err, forms.ErrNoSnippet) {
		return out, refuse("%s: make the form there, with fields called %s", forms.ErrNoSnippet, strings.Join(f.FieldNames(), ", "))
	}
	return out, err
}
