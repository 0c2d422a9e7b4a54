package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"hookgate/db"
	"hookgate/internal/event"
)

// countedSince is how far back the posts of forms are counted unless told.
const countedSince = 7 * 24 * time.Hour

// maxNew is up to where the posts of a form that nobody has read are counted, maxFiles
// up to where its files are.
const maxNew, maxFiles = 1000, 1000

// FormCount is what a form got in a time.
type FormCount struct {
	Name    string   `json:"name"`
	Title   string   `json:"title"`
	Address string   `json:"address"` // a path where server.public_url is not set
	Fields  []string `json:"fields"`  // null: any
	Posts   int      `json:"posts"`   // those that the rules saw
	New     int      `json:"new"`     // those that nobody has read, of any age: 1,000 at most
	Spam    int      `json:"spam"`
	Files   int      `json:"files"` // that are kept, of any age: 1,000 at most
	Repeats int      `json:"repeats"`
}

// FormCounts are the counts of all forms since a time.
type FormCounts struct {
	Items []FormCount `json:"items"`
	Since time.Time   `json:"since"`
}

type formStore interface {
	// FormCounts counts what the forms got since a time by form and state, NewPosts
	// what nobody has read, whenever it came: most at most of each form.
	FormCounts(ctx context.Context, forms []string, since time.Time) (map[string]map[event.State]int, error)
	NewPosts(ctx context.Context, forms []string, most int) (map[string]int, error)
	// HasFiles tells whether any form has got a file.
	HasFiles(ctx context.Context) (bool, error)
	// FileCounts counts the files that there are of each form: most at most of each.
	FileCounts(ctx context.Context, forms []string, most int) (map[string]int, error)
	SetRead(id event.ID, read bool) (changed bool, err error)
}

// Forms counts the posts of the forms in force, in the order of the file. The
// zero time is the last seven days.
func (s *Service) Forms(ctx context.Context, since time.Time) (FormCounts, error) {
	if since.IsZero() {
		since = s.opt.Now().Add(-countedSince)
	}
	now := s.inForce()
	asked := countedForms{plan: now.Plan.ID, ago: s.opt.Now().Sub(since).Round(time.Second)}
	counts, err := s.posts.Get(ctx, asked, func(ctx context.Context) (formPosts, error) { return s.countPosts(ctx, now, since) })
	if err != nil {
		return FormCounts{}, fmt.Errorf("cannot count the posts of forms: %w", err)
	}
	unread, err := s.store.NewPosts(ctx, now.Forms, maxNew)
	if err != nil {
		return FormCounts{}, fmt.Errorf("cannot count the posts of forms: %w", err)
	}
	out := FormCounts{Items: make([]FormCount, 0, len(now.Forms)), Since: since.UTC()}
	for _, name := range now.Forms {
		f := now.Plan.Forms[name]
		if f == nil {
			continue
		}
		by := counts.by[f.Name]
		out.Items = append(out.Items, FormCount{
			Name: f.Name, Title: f.Title(), Fields: f.FieldNames(),
			Address: strings.TrimRight(now.PublicURL, "/") + "/f/" + f.Name,
			Posts:   by[event.Routed] + by[event.NoMatch] + by[event.RuleError], New: unread[f.Name],
			Spam: by[event.Spam], Repeats: by[event.Duplicate], Files: counts.files[f.Name],
		})
	}
	return out, nil
}

// countedForms is what the posts of forms are counted of: those of a version of the
// configuration, since so long ago.
type countedForms struct {
	plan int64
	ago  time.Duration
}

// formPosts are the posts of forms by state, and how many files there are, by form.
type formPosts struct {
	by    map[string]map[event.State]int
	files map[string]int
}

func (s *Service) countPosts(ctx context.Context, now *InForce, since time.Time) (out formPosts, err error) {
	if out.by, err = s.store.FormCounts(ctx, now.Forms, since); err != nil {
		return out, err
	}
	some, err := s.store.HasFiles(ctx)
	if some && err == nil {
		out.files, err = s.store.FileCounts(ctx, now.Forms, maxFiles)
	}
	return out, err
}

// many reports whether it is worth while to keep them.
func (p formPosts) many() bool {
	n := 0
	for _, states := range p.by {
		for _, count := range states {
			n += count
		}
	}
	return n >= manyCounted
}

// NewPosts counts the posts of the forms in force that nobody has read.
func (s *Service) NewPosts(ctx context.Context) (n int, err error) {
	unread, err := s.store.NewPosts(ctx, s.inForce().Forms, maxNew)
	if err != nil {
		return 0, fmt.Errorf("cannot count the posts of forms: %w", err)
	}
	for _, count := range unread {
		n += count
	}
	return n, nil
}

// Released is a post that was kept from the rules and is no more.
type Released struct {
	ID    event.ID    `json:"id"`
	State event.State `json:"state"`
}

// NotSpam gives a kept post to the rules in force: event.ErrNotKept where it is
// neither spam nor a repeat.
func (s *Service) NotSpam(ctx context.Context, id event.ID) (Released, error) {
	e, err := s.store.Event(ctx, id)
	if err != nil {
		return Released{}, missing(err, "there is no event %s: "+gone, id)
	}
	ack, err := s.opt.Intake.Release(&e, s.inForce().Plan, s.opt.Now())
	if err != nil {
		return Released{}, notKept(err, id)
	}
	s.forgetCounts()
	s.opt.Logger.InfoContext(ctx, "a kept form post was released by hand", "event", id, "form", e.Source, "kept_for", e.Cause, "state", ack.State, "by", actor(ctx))
	return Released{ID: ack.ID, State: ack.State}, nil
}

// notKept says of an error that is event.ErrNotKept what it means.
func notKept(err error, id event.ID) error {
	if errors.Is(err, event.ErrNotKept) {
		return &KeptError{id, &saidError{fmt.Sprintf("event %s is neither spam nor a repeat of a form post: there is nothing to release", id), err}}
	}
	return err
}

// ReleasePlan is what would become of a kept post if it were released now.
type ReleasePlan struct {
	ID    event.ID    `json:"id"`
	Cause string      `json:"cause,omitempty"` // why it is kept
	State event.State `json:"state"`           // that it would have
	// Deliveries are what would be sent, with their outputs. Nothing of it is stored.
	Deliveries []Delivery `json:"deliveries"`
	Digests    []string   `json:"digests,omitempty"` // the actions whose digest it would join
	Rules      []Verdict  `json:"rules,omitempty"`   // that could not be evaluated
}

// IfNotSpam tells what NotSpam would do, and does nothing.
func (s *Service) IfNotSpam(ctx context.Context, id event.ID) (ReleasePlan, error) {
	kept, err := s.store.Event(ctx, id)
	if err != nil {
		return ReleasePlan{}, missing(err, "there is no event %s: "+gone, id)
	}
	e, list, err := s.opt.Intake.WouldRelease(&kept, s.inForce().Plan, s.opt.Now())
	if err != nil {
		return ReleasePlan{}, notKept(err, id)
	}
	plan := ReleasePlan{ID: id, Cause: kept.Cause, State: e.State, Deliveries: make([]Delivery, 0, len(list)), Rules: verdicts(e.Errors)}
	for i := range e.Gathers {
		plan.Digests = append(plan.Digests, e.Gathers[i].Name)
	}
	for i := range list {
		plan.Deliveries = append(plan.Deliveries, deliveryOf(&list[i], nil, true))
	}
	return plan, nil
}

// ReadMark is whether somebody has read a form post.
type ReadMark struct {
	ID  event.ID `json:"id"`
	New bool     `json:"new"`
}

// SetRead notes that a form post was read, or is new again. Who read it is not
// kept, and neither is it noted by whom.
func (s *Service) SetRead(ctx context.Context, id event.ID, read bool) (ReadMark, error) {
	e, err := s.store.Event(ctx, id)
	switch {
	case err != nil:
		return ReadMark{}, missing(err, "there is no event %s: "+gone, id)
	case !e.Form:
		return ReadMark{}, refuse("event %s is no form post: only of those it is known whether somebody has read them", id)
	}
	if _, err := s.store.SetRead(id, read); err != nil {
		return ReadMark{}, err
	}
	return ReadMark{ID: id, New: !read}, nil
}

// Post is a form post as exports have it.
type Post struct {
	ID   event.ID        `json:"id"`
	Time time.Time       `json:"time"`
	Data json.RawMessage `json:"data"`
}

// PostQuery selects posts of a form, those that rules judged: neither spam nor
// repeats.
type PostQuery struct {
	Form         string
	Since, Until time.Time
	After        event.ID // only newer ones: Next of the page before
	Limit        int
}

// maxPosts is how many bytes of data a page of posts holds, about.
const maxPosts = 4 << 20

// Posts lists what a form got, the oldest first, with its data.
func (s *Service) Posts(ctx context.Context, q PostQuery) (page Page[Post], err error) {
	if s.inForce().Plan.Forms[q.Form] == nil {
		return page, notCalled("form", q.Form, s.inForce().Forms)
	}
	if q.Limit <= 0 {
		q.Limit = DefaultLimit
	}
	page.Items = []Post{}
	size := 0
	f := event.Filter{Source: q.Form, FormsOnly: true, States: event.JudgedStates(), Since: q.Since, Until: q.Until, After: q.After, OldestFirst: true}
	err = s.store.Scan(ctx, f, func(e *event.Event) error {
		if len(page.Items) == q.Limit || size > maxPosts {
			page.Next = page.Items[len(page.Items)-1].ID.String()
			return db.ErrStop
		}
		one := Post{ID: e.ID, Time: e.ReceivedAt.UTC()}
		var data bytes.Buffer
		if json.Compact(&data, e.Data()) == nil {
			one.Data = data.Bytes()
		}
		page.Items = append(page.Items, one)
		size += len(one.Data)
		return nil
	})
	if err != nil {
		return page, fmt.Errorf("cannot list the posts of %s: %w", q.Form, err)
	}
	return page, nil
}
