package admin

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"hookgate/app/admin/address"
	"hookgate/db"
	"hookgate/internal/event"
)

// EraseRequest asks to delete what is stored of a person, a part at a time.
type EraseRequest struct {
	Address  string `json:"address"`            // the person's e-mail address
	Sources  bool   `json:"sources,omitempty"`  // events of sources too, not only form posts
	Mentions bool   `json:"mentions,omitempty"` // also events that hold it within a longer text only
	DryRun   bool   `json:"dry_run,omitempty"`  // count, and delete nothing
	// After is where it goes on, and Record which deletion it is: the Next and
	// the Record of the part before.
	After  *event.ID      `json:"after,omitempty"`
	Record *event.AuditID `json:"record,omitempty"`
}

// Erasure is the record of a deletion: how much, and not whose.
type Erasure struct {
	Record     event.AuditID `json:"record"`
	At         time.Time     `json:"at"`
	Events     int           `json:"events"`
	Deliveries int           `json:"deliveries"`
	Files      int           `json:"files"`
	Sources    bool          `json:"sources"`
	Mentions   bool          `json:"mentions"`
	By         string        `json:"by,omitempty"`   // who did it
	Post       bool          `json:"post,omitempty"` // it was one post, and not all of a person
	Done       bool          `json:"done"`           // false: it broke off, or goes on
}

// EraseOrigin counts the events of a form or source.
type EraseOrigin struct {
	Name   string `json:"name"`
	Form   bool   `json:"form"`
	Events int    `json:"events"`
}

// Erased is a part of what was deleted, or would be.
type Erased struct {
	Total      int           `json:"total"`    // events to look into; in the first part
	Examined   int           `json:"examined"` // of them: those of this part
	Events     int           `json:"events"`
	Origins    []EraseOrigin `json:"origins"`
	Deliveries int           `json:"deliveries"`
	Open       int           `json:"open"` // of the deliveries: those that had not ended
	Files      int           `json:"files"`
	Bytes      int64         `json:"bytes"`    // of the files
	Mentions   int           `json:"mentions"` // events that hold the address within a longer text only, and stay
	Records    int           `json:"records"`  // of kept tables, whose key or value holds the address: in the last part
	// Remains says, at the end, what could not be taken out of the files yet.
	Remains []string  `json:"remains,omitempty"`
	Next    *event.ID `json:"next,omitempty"` // there is more
	// Record is the number of the deletion in the list of them; nil for a count.
	Record *event.AuditID `json:"record,omitempty"`
}

// Add adds the part that comes after e.
func (e *Erased) Add(part *Erased) {
	e.Total = max(e.Total, part.Total)
	e.Examined += part.Examined
	e.Events += part.Events
	e.Deliveries += part.Deliveries
	e.Open += part.Open
	e.Files += part.Files
	e.Bytes += part.Bytes
	e.Mentions += part.Mentions
	e.Records += part.Records
	e.Remains = append(e.Remains, part.Remains...)
	e.Record, e.Next = part.Record, part.Next
	for _, o := range part.Origins {
		at := slices.IndexFunc(e.Origins, func(known EraseOrigin) bool { return known.Name == o.Name && known.Form == o.Form })
		if at < 0 {
			e.Origins = append(e.Origins, o)
		} else {
			e.Origins[at].Events += o.Events
		}
	}
}

// eraseStore deletes what is stored of a person, and keeps the records of it.
type eraseStore interface { //nolint:interfacebloat // where a person can be found
	Footprint(ctx context.Context, ids []event.ID) (event.Footprint, error)
	Erase(ctx context.Context, ids []event.ID) (event.Footprint, []string, error)
	EraseNames(ctx context.Context, names func(text string) bool) (event.Named, error)
	CountNames(ctx context.Context, names func(text string) bool) (event.Named, error)
	StepOutputs(ctx context.Context, ids []event.ID, each func(of event.ID, outputs []byte)) error
	PurgeDeleted(ctx context.Context) (done bool, err error)
	Audit(a event.Audit) error
	Audits(ctx context.Context, action string, from event.AuditID, limit int) ([]event.Audit, error)
}

// eraseEvents is how many events one part of a deletion takes at the most.
const eraseEvents = 500

// Erase deletes what is stored of a person, or counts it, a part at a time:
// the events that hold the address, with all that belongs to them. Each part is
// whole by itself. The last one also takes away what is kept under the address,
// and what deleted rows leave in the files.
func (s *Service) Erase(ctx context.Context, r EraseRequest) (Erased, error) {
	person, err := address.Parse(r.Address)
	if err != nil {
		return Erased{}, refuse("address: %v", err)
	}
	part, ids, err := s.findPerson(ctx, &r, person)
	if err != nil {
		return part, err
	}
	if r.DryRun {
		trace, err := s.store.Footprint(ctx, ids)
		addFootprint(&part, trace)
		if err != nil || part.Next != nil {
			return part, err
		}
		named, err := s.store.CountNames(ctx, person.Names)
		part.Records = named.Records
		return part, err
	}
	record, err := s.beginRecord(ctx, &r)
	if err != nil {
		return part, err
	}
	part.Record = &record.Record
	trace, connections, err := s.store.Erase(ctx, ids)
	s.forgetFound()
	s.poll(connections)
	addFootprint(&part, trace)
	if err == nil && part.Next == nil {
		err = s.eraseRest(ctx, person, &part)
	}
	record.Events, record.Deliveries, record.Files = record.Events+trace.Events, record.Deliveries+trace.Deliveries, record.Files+trace.Files
	record.Done = part.Next == nil && err == nil
	err = errors.Join(err, s.record(record))
	if trace.Events > 0 || part.Next == nil {
		s.opt.Logger.InfoContext(ctx, "what was stored of a person was deleted", "record", record.Record, "person", person.Mark(), "events", trace.Events,
			"deliveries", trace.Deliveries, "files", trace.Files, "by", record.By, "done", part.Next == nil && err == nil)
	}
	return part, err
}

func addFootprint(part *Erased, t event.Footprint) {
	part.Events, part.Deliveries, part.Open, part.Files, part.Bytes = t.Events, t.Deliveries, t.Open, t.Files, t.Bytes
}

// findPerson looks into the next events.
func (s *Service) findPerson(ctx context.Context, r *EraseRequest, person address.Address) (part Erased, ids []event.ID, err error) {
	f := event.Filter{OldestFirst: true, FormsOnly: !r.Sources, WithOwn: true}
	if r.After != nil {
		f.After = *r.After
	} else if part.Total, err = s.store.CountEvents(ctx, f); err != nil {
		return part, nil, err
	}
	var looked []examined
	hits, began := 0, s.opt.Now()
	err = s.store.Scan(ctx, f, func(e *event.Event) error {
		part.Examined++
		found := person.In(e)
		looked = append(looked, examined{id: e.ID, of: EraseOrigin{Name: e.Source, Form: e.Form}, found: found})
		if found == address.Value || found == address.Mention && r.Mentions {
			hits++
		}
		if hits == eraseEvents || part.Examined == stepEvents || part.Examined%100 == 0 && s.opt.Now().Sub(began) > stepTime {
			part.Next = &e.ID
			return db.ErrStop
		}
		return nil
	})
	if err == nil {
		err = s.lookIntoSteps(ctx, looked, person)
	}
	origins := map[EraseOrigin]int{}
	for _, one := range looked {
		switch {
		case one.found == address.Value, one.found == address.Mention && r.Mentions:
			ids = append(ids, one.id)
			origins[one.of]++
		case one.found == address.Mention:
			part.Mentions++
		}
	}
	part.Origins = make([]EraseOrigin, 0, len(origins))
	for o, n := range origins {
		o.Events = n
		part.Origins = append(part.Origins, o)
	}
	slices.SortFunc(part.Origins, func(x, y EraseOrigin) int { return cmp.Compare(x.Name, y.Name) })
	return part, ids, err
}

// examined is an event and how it holds the person's address.
type examined struct {
	id    event.ID
	of    EraseOrigin
	found address.Finding
}

// lookIntoSteps looks for the address in what receivers answered the steps of the
// events that do not have it as a value themselves: a later step sent it on.
func (s *Service) lookIntoSteps(ctx context.Context, looked []examined, person address.Address) error {
	var ids []event.ID
	at := map[event.ID]int{}
	for i := range looked {
		if looked[i].found < address.Value {
			ids = append(ids, looked[i].id)
			at[looked[i].id] = i
		}
	}
	return s.store.StepOutputs(ctx, ids, func(of event.ID, outputs []byte) {
		one := &looked[at[of]]
		one.found = max(one.found, person.InJSON(outputs))
	})
}

// DeletePost deletes a form post, with its deliveries, their attempts and its files.
// What is kept beside events, such as a record of a table, stays.
func (s *Service) DeletePost(ctx context.Context, id event.ID) (record Erasure, err error) {
	e, err := s.store.Event(ctx, id)
	switch {
	case err != nil:
		return record, missing(err, "there is no event %s: "+gone, id)
	case !e.Form:
		return record, refuse("event %s is no form post: only those are deleted one by one", id)
	}
	record = Erasure{Record: event.AuditID(s.store.NewIDs(1)), Post: true, By: actor(ctx)}
	record.At = record.Record.Time().UTC()
	if err := s.record(record); err != nil {
		return record, err
	}
	trace, connections, err := s.store.Erase(ctx, []event.ID{id})
	s.forgetFound()
	s.poll(connections)
	record.Events, record.Deliveries, record.Files, record.Done = trace.Events, trace.Deliveries, trace.Files, err == nil
	if err == nil {
		err = s.removeRest(ctx, new(Erased))
	}
	err = errors.Join(err, s.record(record))
	s.opt.Logger.InfoContext(ctx, "by hand", "audit", "post deleted", "record", record.Record, "form", e.Source, "deliveries", trace.Deliveries, "files", trace.Files, "by", record.By, "done", record.Done)
	return record, err
}

// eraseRest is the end of a deletion, also of one that was interrupted
// before. What it cannot do now it tells of.
func (s *Service) eraseRest(ctx context.Context, person address.Address, part *Erased) error {
	named, err := s.store.EraseNames(ctx, person.Names)
	part.Records = named.Records
	if err != nil {
		return err
	}
	return s.removeRest(ctx, part)
}

// removeRest takes what was deleted out of the files.
func (s *Service) removeRest(ctx context.Context, part *Erased) error {
	if err := s.opt.Files.RemoveContents(ctx); err != nil {
		s.opt.Logger.WarnContext(ctx, "files could not be removed, trying again later", "error", err)
		part.Remains = append(part.Remains, "files could not be removed now: the server tries again every few minutes")
	}
	done, err := s.store.PurgeDeleted(ctx)
	switch {
	case errors.Is(err, db.ErrLogInUse):
		part.Remains = append(part.Remains, err.Error()+": run it again in a while")
	case err == nil && !done:
		part.Remains = append(part.Remains, "PostgreSQL keeps the bytes of deleted rows until VACUUM, its own or yours, and those of its log for as long as it is set up to")
	default:
		return err
	}
	return nil
}

// Erasures are the records of deletions, newest first: those before that one, where
// before is not 0, and limit at most.
func (s *Service) Erasures(ctx context.Context, before event.AuditID, limit int) (page Page[Erasure], err error) {
	if limit <= 0 {
		limit = DefaultLimit
	}
	records, err := s.store.Audits(ctx, event.EraseAction, max(before-1, 0), limit+1)
	if err != nil {
		return page, err
	}
	if len(records) > limit {
		records = records[:limit]
		page.Next = records[limit-1].ID.String()
	}
	page.Items = make([]Erasure, 0, len(records))
	for _, r := range records {
		one, err := readErasure(r)
		if err != nil {
			return page, err
		}
		page.Items = append(page.Items, one)
	}
	return page, nil
}

func readErasure(r event.Audit) (f Erasure, err error) {
	if err := json.Unmarshal(r.Detail, &f); err != nil {
		return f, fmt.Errorf("record %s: %w", r.ID, err)
	}
	f.Record, f.At = r.ID, r.ID.Time().UTC()
	return f, nil
}

// beginRecord finds the record of a deletion that goes on, or makes one before
// anything is deleted: a deletion that breaks off has left its record, too.
func (s *Service) beginRecord(ctx context.Context, r *EraseRequest) (f Erasure, err error) {
	if r.Record == nil {
		f = Erasure{Record: event.AuditID(s.store.NewIDs(1)), Sources: r.Sources, Mentions: r.Mentions, By: actor(ctx)}
		return f, s.record(f)
	}
	found, err := s.store.Audits(ctx, event.EraseAction, *r.Record, 1)
	if err != nil {
		return f, err
	}
	if len(found) == 0 || found[0].ID != *r.Record {
		return f, refuse("record: no deletion has the number %s", *r.Record)
	}
	return readErasure(found[0])
}

// record stores how far a deletion is. What says when it was made and which it
// is stands beside the detail.
func (s *Service) record(f Erasure) error {
	detail, err := json.Marshal(map[string]any{
		"events": f.Events, "deliveries": f.Deliveries, "files": f.Files, "sources": f.Sources, "mentions": f.Mentions, "by": f.By, "post": f.Post, "done": f.Done,
	})
	if err != nil {
		return fmt.Errorf("record %s: %w", f.Record, err)
	}
	return s.store.Audit(event.Audit{ID: f.Record, Action: event.EraseAction, Detail: detail})
}
