package admin

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"hookgate/app/replay"
	"hookgate/db"
	"hookgate/internal/csv"
	"hookgate/internal/event"
)

// MaxExported is how many events a file holds at the most: about as many as a
// worksheet has rows.
const MaxExported = 1_000_000

const (
	// maxExports is how many are made at once: each looks into events for as long as
	// somebody reads, by one of the few connections that read the database.
	maxExports = 2
	// exportTime is how long one may take, exportLook how long it looks into events
	// until it gives what it has found: the first answer waits no longer.
	exportTime, exportLook = 20 * time.Minute, time.Second
	// exportPart is how many events are held at once, exportBytes of how many bytes
	// about.
	exportPart, exportBytes = 500, 1 << 20
)

// EventFormat is a kind of file of events.
type EventFormat string

// The formats: a row for an event, or an ExportedEvent a line.
const (
	EventsCSV    EventFormat = "csv"
	EventsNDJSON EventFormat = "ndjson"
)

// EventFormats are all of them.
func EventFormats() []EventFormat { return []EventFormat{EventsCSV, EventsNDJSON} }

// errClosing ends what is made while somebody reads it.
var errClosing = errors.New("the server is stopping")

// eventTypes are their media types.
var eventTypes = map[EventFormat]string{EventsCSV: "text/csv", EventsNDJSON: "application/x-ndjson"}

// EventExport asks for the events that a search finds, the newest first, as a file: at
// most so many as its Limit says, or MaxExported.
type EventExport struct {
	event.Search
	Format    EventFormat
	Delimiter rune // of CSV; 0 is a comma
}

// Check says what is wrong with the format.
func (x *EventExport) Check() error {
	if !slices.Contains(EventFormats(), x.Format) {
		return refuse("there is no format %q; there are %s", x.Format, Joined(EventFormats()))
	}
	if x.Delimiter == 0 {
		return nil
	}
	if err := csv.CheckDelimiter(x.Delimiter); err != nil {
		return refuse("%s", err)
	}
	if x.Delimiter != ',' && x.Format != EventsCSV {
		return refuse("%s has no delimiter: leave it out", x.Format)
	}
	return nil
}

// ExportPlan says what ExportEvents would write.
type ExportPlan struct {
	// Count is how many match; Counted is false where that is known only once they
	// are looked into.
	Count   EventCount
	Counted bool
	Most    int // in one file
	Columns []string
	Zone    *time.Location // of the times of EventsCSV
}

// PlanExport tells what an export of a search would hold, or why it cannot be.
func (s *Service) PlanExport(ctx context.Context, f event.Search) (plan ExportPlan, err error) {
	plan = ExportPlan{Counted: f.Where == "" && f.Text == "", Most: MaxExported, Columns: eventColumns(), Zone: s.zone()}
	if plan.Counted {
		plan.Count, err = s.Count(ctx, f.Filter)
	} else {
		err = s.checkSearch(ctx, f)
	}
	return plan, err
}

// zone is where the server is.
func (s *Service) zone() *time.Location { return cmp.Or(s.inForce().Plan.Location, time.UTC) }

// eventColumns are the columns of EventsCSV.
func eventColumns() []string {
	return []string{"id", "time", "source", "type", "state", "summary", "cause", "duplicate_of", "rules", "deliveries"}
}

// ExportedEvent is a line of EventsNDJSON: an event as lists show it, with what came in.
type ExportedEvent struct {
	Event
	Data json.RawMessage `json:"data,omitempty"`
	// What was sent, of an event that was rejected: there is no data of it.
	Body   string `json:"body,omitempty"`
	Base64 []byte `json:"body_base64,omitempty"` // where it is not valid UTF-8
}

// ExportEvents gives events as a file of unknown size, which is made while it is read:
// no more than a part of it is ever held, and nothing of the store while nobody reads. A
// search that cannot be, or finds nothing because it asks for a source, rule or
// connection that there is not, is refused before. The reader's error is why the file
// ends before its end. The caller closes it.
func (s *Service) ExportEvents(ctx context.Context, x EventExport) (f event.File, content io.ReadCloser, err error) {
	if err := x.Check(); err != nil {
		return f, nil, err
	}
	q, err := newQuery(x.Where, x.Text)
	if err != nil {
		return f, nil, err
	}
	select {
	case s.exports <- struct{}{}:
	default:
		return f, nil, &BusyError{fmt.Sprintf("%d exports are being made just now: try again in a moment", maxExports)}
	}
	if x.Limit <= 0 || x.Limit > MaxExported {
		x.Limit = MaxExported
	}
	whole := x.Before == 0
	endUntil(&x.Filter)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), exportTime)
	file := &eventFile{service: s, asked: x, query: q, left: x.Limit, zone: s.zone()}
	file.more = func() error { return file.part(ctx) }
	file.end = func() {
		cancel()
		s.opt.Logger.InfoContext(ctx, "by hand", "audit", "events exported", "format", x.Format, "events", file.written,
			"whole", file.done, "condition_failed", file.failed, "by", actor(ctx))
		<-s.exports
	}
	if err = file.begin(); err == nil && file.done && file.written == 0 && whole {
		err = s.inForce().checkNames(x.Filter)
	}
	if err != nil {
		cancel()
		<-s.exports
		return f, nil, err
	}
	name := "events-" + s.opt.Now().In(file.zone).Format("2006-01-02-1504") + "." + string(x.Format)
	return event.File{Name: name, Type: eventTypes[x.Format], Size: -1}, file, nil
}

// eventFile is an export in the making. It is one reader's alone.
type eventFile struct {
	service *Service
	asked   EventExport // Before is how far it has come
	query   *replay.Query
	zone    *time.Location
	more    func() error // makes the next part
	end     func()

	text    bytes.Buffer // what is made and not read
	rows    *csv.Writer
	left    int // events that may still come
	written int
	failed  int // events for which the condition could not be evaluated
	done    bool
	err     error
}

// begin makes the first part.
func (f *eventFile) begin() error {
	if f.asked.Format == EventsCSV {
		f.rows = csv.New(&f.text, cmp.Or(f.asked.Delimiter, ','))
		header := []any{}
		for _, name := range eventColumns() {
			header = append(header, name)
		}
		if err := f.rows.Row(header...); err != nil {
			return err
		}
	}
	return f.more()
}

// Read implements io.Reader.
func (f *eventFile) Read(p []byte) (int, error) {
	for f.text.Len() == 0 {
		switch {
		case f.err != nil:
			return 0, f.err
		case f.done:
			return 0, io.EOF
		}
		f.text.Reset()
		if f.err = f.more(); f.err != nil {
			f.service.opt.Logger.Error("an export of events breaks off", "events", f.written, "error", f.err)
		}
	}
	return f.text.Read(p)
}

// Close implements io.Closer.
func (f *eventFile) Close() error {
	if f.end != nil {
		f.end()
		f.end = nil
	}
	return nil
}

// part writes the next events that are found, as many as are held at once: it may be none
// of those that it has looked into.
func (f *eventFile) part(ctx context.Context) error {
	var list []event.Event
	size, full, late, began := 0, false, false, time.Now()
	take := func(e *event.Event) error {
		if full = len(list) == min(exportPart, f.left) || size > exportBytes || late; full {
			return db.ErrStop
		}
		f.asked.Before = e.ID
		ok, failure := f.query.Match(e)
		if failure != nil {
			f.failed++
		}
		if ok {
			list = append(list, *e)
			size += len(e.Body) + len(e.JSON)
		}
		late = time.Since(began) > exportLook
		return nil
	}
	for !f.done && !full && !late {
		if err := f.step(ctx, take, &full); err != nil {
			return fmt.Errorf("cannot read the events to export: %w", err)
		}
		late = time.Since(began) > exportLook
	}
	items, err := f.service.eventItems(ctx, list, false)
	if err != nil {
		return err
	}
	for i := range items {
		if err := f.write(items[i], &list[i]); err != nil {
			return fmt.Errorf("cannot export %s: %w", items[i].ID, err)
		}
	}
	f.left -= len(list)
	f.written += len(list)
	f.done = f.done || f.left == 0
	return nil
}

// step has take the next events, and ends where that says that it is full. Where nothing
// leads to what is looked for, no query reads through more than lookAt of them.
func (f *eventFile) step(ctx context.Context, take func(*event.Event) error, full *bool) error {
	select {
	case <-f.service.closing:
		return errClosing
	default:
	}
	next := f.asked.Filter
	if db.Indexed(next) {
		err := f.service.store.Scan(ctx, next, take)
		f.done = err == nil && !*full
		return err
	}
	last, there, err := f.service.store.Back(ctx, next.Before, lookAt)
	if err != nil {
		return err
	}
	next.After = max(last-1, 0)
	if err := f.service.store.Scan(ctx, next, take); err != nil || *full {
		return err
	}
	f.asked.Before, f.done = last, there < lookAt || last < event.FirstIDAt(next.Since)
	return nil
}

// write writes an event.
func (f *eventFile) write(item Event, e *event.Event) error {
	if f.rows != nil {
		return f.rows.Row(f.row(&item)...)
	}
	detail := detailOf(item, e)
	one := ExportedEvent{Event: item, Data: detail.Data}
	if e.State == event.Rejected || one.Data == nil {
		one.Data, one.Body, one.Base64 = nil, detail.Body, detail.Base64
	}
	encoder := json.NewEncoder(&f.text)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(one)
}

// row is an event under eventColumns.
func (f *eventFile) row(e *Event) []any {
	var of, rules, sent string
	if e.DuplicateOf != nil {
		of = e.DuplicateOf.String()
	}
	for _, v := range e.Rules {
		if v.Result == resultWord(event.Matched) {
			rules = joined(rules, v.Rule)
		}
	}
	for i := range e.Deliveries {
		sent = joined(sent, e.Deliveries[i].Name+": "+string(e.Deliveries[i].State))
	}
	return []any{e.ID.String(), e.Time.In(f.zone).Format(time.RFC3339), e.Source, e.Type, string(e.State), e.Summary, e.Cause, of, rules, sent}
}

// joined adds a part to those before it.
func joined(parts, part string) string { return strings.TrimPrefix(parts+", "+part, ", ") }
