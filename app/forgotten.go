package app

import (
	"context"
	"encoding/json"
	"fmt"

	"hookgate/app/web/api"
	"hookgate/internal/event"
)

// maxForgettings is how many records of deletions are told of.
const maxForgettings = 1000

// Forgettings are the records of the last deletions, newest first.
func (a service) Erasures(ctx context.Context) ([]api.Erasure, error) {
	records, err := a.store.Audits(ctx, event.EraseAction, 0, maxForgettings)
	if err != nil {
		return nil, err
	}
	list := make([]api.Erasure, 0, len(records))
	for _, r := range records {
		one, err := readErasure(r)
		if err != nil {
			return nil, err
		}
		list = append(list, one)
	}
	return list, nil
}

func readErasure(r event.Audit) (f api.Erasure, err error) {
	if err := json.Unmarshal(r.Detail, &f); err != nil {
		return f, fmt.Errorf("record %s: %w", r.ID, err)
	}
	f.Record, f.At = r.ID, r.ID.Time().UTC()
	return f, nil
}

// beginRecord finds the record of a deletion that goes on, or makes one before
// anything is deleted: a deletion that breaks off has left its record, too.
func (a service) beginRecord(ctx context.Context, r *api.EraseRequest) (f api.Erasure, err error) {
	if r.Record == nil {
		f = api.Erasure{Record: event.AuditID(a.store.NewIDs(1)), Sources: r.Sources, Mentions: r.Mentions}
		return f, a.record(f)
	}
	found, err := a.store.Audits(ctx, event.EraseAction, *r.Record, 1)
	if err != nil {
		return f, err
	}
	if len(found) == 0 || found[0].ID != *r.Record {
		return f, api.Refuse("record: no deletion has the number %s", *r.Record)
	}
	return readErasure(found[0])
}

// record stores how far a deletion is. What says when it was made and which it
// is stands beside the detail.
func (a service) record(f api.Erasure) error {
	detail, err := json.Marshal(map[string]any{
		"events": f.Events, "deliveries": f.Deliveries, "files": f.Files, "sources": f.Sources, "mentions": f.Mentions, "done": f.Done,
	})
	if err != nil {
		return fmt.Errorf("record %s: %w", f.Record, err)
	}
	return a.store.Audit(event.Audit{ID: f.Record, Action: event.EraseAction, Detail: detail})
}
