package admin

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"hookgate/internal/event"
	"hookgate/internal/jsondoc"
)

// tableStore has the records of kept tables.
type tableStore interface {
	CountRecords(ctx context.Context) (map[string]int, error)
	ReadRecord(ctx context.Context, k event.RecordKey) (event.Record, error)
	Records(ctx context.Context, table, after string, limit int) ([]event.Record, error)
	SetRecord(w event.RecordWrite) (event.Record, error)
	DeleteRecords(keys ...event.RecordKey) (int, error)
}

// Table is a kept table, or what is left of one.
type Table struct {
	Name    string `json:"name"`
	Records int    `json:"records"`
	Keep    string `json:"keep,omitempty"` // after the last change; "": the configuration has no such table any more
}

// Record is what a kept table holds under a key.
type Record struct {
	event.RecordKey
	Value   json.RawMessage `json:"value"`
	Version int64           `json:"version"`
	Event   *event.ID       `json:"event,omitempty"` // that wrote it last; nil: an operator did
	Changed time.Time       `json:"changed"`
	Expires time.Time       `json:"expires"`
}

// RecordChange is what is set by hand: null removes a field, the others stay.
type RecordChange struct {
	Set map[string]json.RawMessage `json:"set"`
}

// ChangeOf reads fields that are set, each as people write it: status=Done. A value is
// JSON where it can be read as such, else a text. wrong is the first that sets none.
func ChangeOf(texts []string) (c RecordChange, wrong string) {
	c.Set = map[string]json.RawMessage{}
	for _, text := range texts {
		name, value, ok := strings.Cut(text, "=")
		if !ok || name == "" {
			return c, text
		}
		raw := json.RawMessage(value)
		if !json.Valid(raw) {
			raw = jsondoc.AppendString(nil, strings.ToValidUTF8(value, "\uFFFD"))
		}
		c.Set[name] = raw
	}
	return c, ""
}

// Removed counts the records that were deleted.
type Removed struct {
	Records int `json:"records"`
}

// Tables lists the kept tables, by name.
func (s *Service) Tables(ctx context.Context) (page Page[Table], err error) {
	counts, err := s.store.CountRecords(ctx)
	if err != nil {
		return page, err
	}
	page.Items = []Table{}
	keeps := s.inForce().Tables
	for name, keep := range keeps {
		page.Items = append(page.Items, Table{Name: name, Records: counts[name], Keep: keepText(keep)})
	}
	for name, n := range counts {
		if _, known := keeps[name]; !known {
			page.Items = append(page.Items, Table{Name: name, Records: n})
		}
	}
	slices.SortFunc(page.Items, func(a, b Table) int { return cmp.Compare(a.Name, b.Name) })
	return page, nil
}

// Records are those of a table in the order of their keys, after a key.
func (s *Service) Records(ctx context.Context, table, after string, limit int) (page Page[Record], err error) {
	if err := s.knownTable(ctx, table); err != nil {
		return page, err
	}
	list, err := s.store.Records(ctx, table, after, limit)
	if err != nil {
		return page, err
	}
	page.Items = make([]Record, len(list))
	for i := range list {
		page.Items[i] = recordOf(&list[i])
	}
	if len(list) == limit && limit > 0 {
		page.Next = list[limit-1].Key
	}
	return page, nil
}

// Record is one record.
func (s *Service) Record(ctx context.Context, k event.RecordKey) (Record, error) {
	if err := s.knownTable(ctx, k.Table); err != nil {
		return Record{}, err
	}
	r, err := s.store.ReadRecord(ctx, k)
	if err == nil && r.Version == 0 {
		err = &NotFoundError{fmt.Sprintf("%s has no record %q", k.Table, k.Key)}
	}
	return recordOf(&r), err
}

// SetRecord sets fields of a record by hand, as a rule does.
func (s *Service) SetRecord(ctx context.Context, k event.RecordKey, c RecordChange) (Record, error) {
	keep, known := s.inForce().Tables[k.Table]
	switch {
	case !known:
		return Record{}, s.unknownTable(k.Table)
	case k.Key == "" || len(k.Key) > event.MaxRecordKey:
		return Record{}, refuse("a key has 1 to %d bytes", event.MaxRecordKey)
	case len(c.Set) == 0:
		return Record{}, refuse("set: it names no field")
	}
	w := event.RecordWrite{RecordKey: k, Set: c.Set, Keep: keep}
	if _, err := w.Apply(nil); err != nil {
		return Record{}, refuse("%v", err)
	}
	r, err := s.store.SetRecord(w)
	if err != nil {
		return Record{}, err
	}
	s.opt.Logger.InfoContext(ctx, "by hand", "audit", "record set", "table", k.Table, "fields", slices.Sorted(maps.Keys(c.Set)), "version", r.Version, "by", actor(ctx))
	return recordOf(&r), nil
}

// DeleteRecord deletes a record by hand.
func (s *Service) DeleteRecord(ctx context.Context, k event.RecordKey) (Removed, error) {
	if _, err := s.Record(ctx, k); err != nil {
		return Removed{}, err
	}
	n, err := s.store.DeleteRecords(k)
	if err == nil {
		s.opt.Logger.InfoContext(ctx, "by hand", "audit", "record deleted", "table", k.Table, "records", n, "by", actor(ctx))
	}
	return Removed{n}, err
}

// keepText is the time as the configuration has it: 400d.
func keepText(keep time.Duration) string {
	if day := 24 * time.Hour; keep%day == 0 {
		return fmt.Sprintf("%dd", keep/day)
	}
	return keep.String()
}

func recordOf(r *event.Record) Record {
	out := Record{RecordKey: r.RecordKey, Value: r.Value, Version: r.Version, Changed: r.Changed, Expires: r.Expires}
	if r.Event != 0 {
		out.Event = &r.Event
	}
	return out
}

// knownTable refuses a table that is neither in the configuration nor has any
// record.
func (s *Service) knownTable(ctx context.Context, name string) error {
	if _, known := s.inForce().Tables[name]; known {
		return nil
	}
	counts, err := s.store.CountRecords(ctx)
	if err == nil && counts[name] == 0 {
		err = s.unknownTable(name)
	}
	return err
}

func (s *Service) unknownTable(name string) error {
	return notCalled("kept table", name, slices.Sorted(maps.Keys(s.inForce().Tables)))
}
