package app

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"hookgate/app/forget"
	"hookgate/app/web/api"
	"hookgate/db"
	"hookgate/internal/event"
)

// forgetEvents is how many events one part of a deletion takes at the most.
const forgetEvents = 500

// Forget deletes what is stored of a person, or counts it, a part at a time:
// the events that hold the address, with all that belongs to them. Each part is
// whole by itself. The last one also takes away what is kept under the address,
// and what deleted rows leave in the files.
func (a service) Erase(ctx context.Context, r api.EraseRequest) (api.Erased, error) {
	address, err := forget.Parse(r.Address)
	if err != nil {
		return api.Erased{}, api.Refuse("address: %v", err)
	}
	part, ids, err := a.findPerson(ctx, &r, address)
	if err != nil {
		return part, err
	}
	if r.DryRun {
		trace, err := a.store.Footprint(ctx, ids)
		addTrace(&part, trace)
		return part, err
	}
	record, err := a.beginRecord(ctx, &r)
	if err != nil {
		return part, err
	}
	part.Record = &record.Record
	trace, connections, err := a.store.Erase(ctx, ids)
	a.wake(connections)
	addTrace(&part, trace)
	if err == nil && part.Next == nil {
		err = a.eraseFromAttempts(ctx, address, &part)
	}
	record.Events, record.Deliveries, record.Files = record.Events+trace.Events, record.Deliveries+trace.Deliveries, record.Files+trace.Files
	record.Done = part.Next == nil && err == nil
	err = errors.Join(err, a.record(record))
	if trace.Events > 0 || part.Next == nil {
		a.opt.Logger.InfoContext(ctx, "what was stored of a person was deleted", "record", record.Record, "person", address.Mark(), "events", trace.Events,
			"deliveries", trace.Deliveries, "files", trace.Files, "done", part.Next == nil && err == nil)
	}
	return part, err
}

func addTrace(part *api.Erased, t event.Footprint) {
	part.Events, part.Deliveries, part.Open, part.Files, part.Bytes = t.Events, t.Deliveries, t.Open, t.Files, t.Bytes
}

// findPerson looks into the next events.
func (a service) findPerson(ctx context.Context, r *api.EraseRequest, address forget.Address) (part api.Erased, ids []event.ID, err error) {
	f := event.Filter{OldestFirst: true, FormsOnly: !r.Sources}
	if r.After != nil {
		f.After = *r.After
	} else if part.Total, err = a.store.CountEvents(ctx, f); err != nil {
		return part, nil, err
	}
	origins, began := map[api.ForgetOrigin]int{}, a.opt.Now()
	err = a.store.Scan(ctx, f, func(e *event.Event) error {
		part.Examined++
		switch found := address.In(e); {
		case found == forget.Value, found == forget.Mention && r.Mentions:
			ids = append(ids, e.ID)
			origins[api.ForgetOrigin{Name: e.Source, Form: e.Form}]++
		case found == forget.Mention:
			part.Mentions++
		}
		if len(ids) == forgetEvents || part.Examined == stepEvents || part.Examined%100 == 0 && a.opt.Now().Sub(began) > stepTime {
			part.Next = &e.ID
			return db.ErrStop
		}
		return nil
	})
	part.Origins = make([]api.ForgetOrigin, 0, len(origins))
	for o, n := range origins {
		o.Events = n
		part.Origins = append(part.Origins, o)
	}
	slices.SortFunc(part.Origins, func(x, y api.ForgetOrigin) int { return cmp.Compare(x.Name, y.Name) })
	return part, ids, err
}

// eraseTraces is the end of a deletion, also of one that was interrupted
// before. What it cannot do now it tells of.
func (a service) eraseFromAttempts(ctx context.Context, address forget.Address, part *api.Erased) error {
	if _, err := a.store.EraseNames(ctx, address.Names); err != nil {
		return err
	}
	if err := a.removeFiles(ctx); err != nil {
		a.opt.Logger.WarnContext(ctx, "files could not be removed, trying again later", "error", err)
		part.Remains = append(part.Remains, "files could not be removed now: the server tries again every few minutes")
	}
	done, err := a.store.PurgeDeleted(ctx)
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
