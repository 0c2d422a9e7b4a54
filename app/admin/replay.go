package admin

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"hookgate/app/replay"
	"hookgate/db"
	"hookgate/internal/event"
	"hookgate/internal/yamlnode"
	"hookgate/rules"
)

// EventSelection says which events a replay is for: the ones named, or all
// that the filter matches. Of these only events that rules have judged are
// replayed.
type EventSelection struct {
	IDs    []event.ID    `json:"ids,omitempty"`
	Source string        `json:"source,omitempty"`
	Type   string        `json:"type,omitempty"`
	States []event.State `json:"states,omitempty"` // routed, no_match, rule_error; none: all of these
	Since  time.Time     `json:"since,omitzero"`
	Until  time.Time     `json:"until,omitzero"`
	Where  string        `json:"where,omitempty"` // a condition of the rules' language
	Text   string        `json:"text,omitempty"`
	// Rule of the rules in force: only what it sends is made; "": what all do.
	Rule string `json:"rule,omitempty"`
	// IncludePast also sends what had its moment more than an hour ago.
	IncludePast bool `json:"include_past,omitempty"`
	// Unfinished leaves out what was delivered, or is on its way; steps that come after
	// something that was delivered find what it was answered.
	Unfinished bool `json:"unfinished,omitempty"`
	// TablesNow has rules look up what kept tables hold now, in place of what was
	// looked up when an event was accepted.
	TablesNow bool `json:"tables_now,omitempty"`
}

// Selects reports whether it says which events are meant. One that does not is a slip:
// Since says how far back to go.
func (s *EventSelection) Selects() bool {
	return len(s.IDs) > 0 || s.Source != "" || s.Type != "" || len(s.States) > 0 || !s.Since.IsZero() || !s.Until.IsZero() || s.Where != "" || s.Text != ""
}

// decide judges an event as a replay of the selection does.
func (s *EventSelection) decide(now *InForce, e *event.Event) (rules.Outcome, error) {
	if s.TablesNow {
		e.Reads = nil
	}
	return now.Plan.Decide(e)
}

// Filter is the part of s that the store answers.
func (s *EventSelection) Filter() event.Filter {
	f := event.Filter{IDs: s.IDs, Source: s.Source, Type: s.Type, States: s.States, Since: s.Since, Until: s.Until}
	if len(f.States) == 0 {
		f.States = event.JudgedStates()
	}
	return f
}

// ReplayRequest asks for a replay, or for a part of its preview.
type ReplayRequest struct {
	EventSelection
	// After is where a preview goes on: the Next of the part before.
	After *event.ID `json:"after,omitempty"`
}

// ReplayPreview is what a part of a replay would do. Nothing is sent by it.
type ReplayPreview struct {
	Total    int `json:"total"`    // events that the filter selects, before where and text
	Examined int `json:"examined"` // of them: those looked at in this part
	Events   int `json:"events"`   // that would be replayed
	// Finished are left out of an unfinished replay: nothing is missing of what today's
	// rules send for them.
	Finished int `json:"finished,omitempty"`
	// Errors are those for which a rule of today cannot be evaluated, and Error says why
	// for the first.
	Errors  int            `json:"errors,omitempty"`
	Error   string         `json:"error,omitempty"`
	Routes  []replay.Route `json:"routes"`
	Past    int            `json:"past,omitempty"`     // deliveries that are left out: their moments are over by more than an hour
	GoingOn int            `json:"going_on,omitempty"` // chains of steps that go on behind what was delivered
	Failed  int            `json:"failed,omitempty"`   // the condition could not be evaluated for these
	Failure string         `json:"failure,omitempty"`
	// Paces are about how long what would be sent takes, the slowest first.
	Paces []Pace    `json:"paces,omitempty"`
	Next  *event.ID `json:"next,omitempty"` // there is more
}

// Deliveries are how many would be made.
func (p *ReplayPreview) Deliveries() (n int) {
	for _, r := range p.Routes {
		n += r.Deliveries
	}
	return n
}

// Add counts what a part of the preview tells that is behind p.
func (p *ReplayPreview) Add(part *ReplayPreview) {
	p.Total += part.Total // only the first part has it
	p.Examined += part.Examined
	p.Events += part.Events
	p.Finished += part.Finished
	p.Errors += part.Errors
	p.Error = cmp.Or(p.Error, part.Error)
	p.Past += part.Past
	p.GoingOn += part.GoingOn
	p.Failed += part.Failed
	p.Failure = cmp.Or(p.Failure, part.Failure)
	routes := replay.Routes{}
	routes.Merge(p.Routes)
	routes.Merge(part.Routes)
	p.Routes, p.Next = routes.List(), part.Next
	for _, pace := range part.Paces {
		var rate yamlnode.Rate
		_ = rate.UnmarshalText([]byte(pace.Rate)) // it was written by one
		p.Paces = AddPace(p.Paces, pace.Connection, pace.Count, rate)
	}
}

// ReplayRun is how far a replay is.
type ReplayRun struct {
	ID         event.RunID    `json:"id"`
	Created    time.Time      `json:"created"`
	By         string         `json:"by,omitempty"` // who began it: the admin's name, or local; "": an older version did not keep it
	Selection  EventSelection `json:"selection"`
	Total      int            `json:"total,omitempty"` // events that the filter selects: those looked at, and those that are left; of a list not told
	Seen       int            `json:"seen"`            // events looked at
	Events     int            `json:"events"`          // events replayed
	Deliveries int            `json:"deliveries"`
	Done       bool           `json:"done"`
}

// ReplayStep asks to go on with a replay.
type ReplayStep struct {
	Limit int `json:"limit,omitempty"` // replay so many events at the most
}

// Replay is what a run did with one event.
type Replay struct {
	Run        event.RunID `json:"run"`
	At         time.Time   `json:"at"`
	Config     string      `json:"config"` // the hash of the configuration that judged it this time
	Rules      []Verdict   `json:"rules,omitempty"`
	Deliveries int         `json:"deliveries"`
}

// replayStore is where runs are kept, and what they make.
type replayStore interface {
	Replays(ctx context.Context, id event.ID) ([]event.Replay, error)
	Runs(ctx context.Context, f event.RunFilter) ([]event.ReplayRun, error)
	Run(ctx context.Context, id event.RunID) (event.ReplayRun, error)
	CreateRun(r *event.ReplayRun) error
	// Replay stores what a batch of a run made and how far the run is, unless
	// somebody else has stepped it meanwhile. It tells on which connections
	// there is work now.
	Replay(from, next *event.ReplayRun, list []event.Replayed) ([]string, error)
}

const (
	// batchEvents is how many events one transaction of a replay holds: it
	// stands between the accepts of others.
	batchEvents = 50
	// stepTime and stepEvents bound one step of a run or of a preview.
	stepTime   = time.Second
	stepEvents = 5000
)

// PreviewReplay counts what a replay would do, a part of it at a time.
func (s *Service) PreviewReplay(ctx context.Context, r ReplayRequest) (ReplayPreview, error) {
	q, f, err := s.selected(&r.EventSelection)
	if err != nil {
		return ReplayPreview{}, err
	}
	var p ReplayPreview
	if r.After != nil {
		f.After = *r.After
	} else if p.Total, err = s.store.CountEvents(ctx, f); err != nil {
		return p, err
	}
	routes, began := replay.Routes{}, s.opt.Now()
	decide := func(e *event.Event) error { return s.previewOne(ctx, &r.EventSelection, &p, routes, e) }
	err = s.store.Scan(ctx, f, func(e *event.Event) error {
		if err := p.add(q, e, decide); err != nil {
			return err
		}
		if p.Examined == stepEvents || p.Examined%100 == 0 && s.opt.Now().Sub(began) > stepTime {
			p.Next = &e.ID
			return db.ErrStop
		}
		return nil
	})
	p.Routes = routes.List()
	for _, r := range p.Routes {
		p.Paces = AddPace(p.Paces, r.Connection, r.Deliveries, s.opt.Workers.Rate(r.Connection))
	}
	if err == nil && p.Total == 0 && r.After == nil {
		err = s.inForce().checkOrigin(r.Source)
	}
	return p, err
}

// previewOne counts what a replay would make of an event.
func (s *Service) previewOne(ctx context.Context, sel *EventSelection, p *ReplayPreview, routes replay.Routes, e *event.Event) error {
	out, err := sel.decide(s.inForce(), e)
	if err != nil {
		return err
	}
	for _, v := range out.Errors {
		if sel.Rule == "" || v.Rule == sel.Rule {
			p.Errors++
			p.Error = cmp.Or(p.Error, v.Rule+": "+v.Message)
			break
		}
	}
	if !sel.IncludePast {
		p.Past += replay.LeavePast(&out, sel.Rule, s.opt.Now())
	}
	if sel.Unfinished {
		left, err := s.leaveFinished(ctx, e, &out, sel.Rule)
		if err != nil {
			return err
		}
		if !left {
			p.Events--
			p.Finished++
			return nil
		}
		p.GoingOn += replay.GoingOn(&out, sel.Rule)
	}
	routes.Add(&out, sel.Rule)
	return nil
}

// add counts an event, and has decide judge it where the query selects it.
func (p *ReplayPreview) add(q *replay.Query, e *event.Event, decide func(*event.Event) error) error {
	p.Examined++
	ok, failure := q.Match(e)
	switch {
	case ok:
		p.Events++
		return decide(e)
	case failure != nil:
		if p.Failed++; p.Failed == 1 {
			p.Failure = failure.Error()
		}
	}
	return nil
}

// selected makes of a selection what the store and the query take: the oldest
// event first.
func (s *Service) selected(sel *EventSelection) (*replay.Query, event.Filter, error) {
	f := sel.Filter()
	f.OldestFirst = true
	if !sel.Selects() {
		return nil, f, refuse("say which events: by ids, source, type, states, since, until, where or text")
	}
	for _, state := range f.States {
		if !slices.Contains(event.JudgedStates(), state) {
			return nil, f, refuse("events that are %s cannot be replayed: no rule has seen their data", state)
		}
	}
	if err := s.inForce().checkRule(sel.Rule); err != nil {
		return nil, f, err
	}
	q, err := newQuery(sel.Where, sel.Text)
	return q, f, err
}

// order is what is stored of a replay: which events, and who began it.
type order struct {
	EventSelection
	By string `json:"by,omitempty"`
}

// CreateReplay begins a replay of what is stored now. StepReplay does it.
func (s *Service) CreateReplay(ctx context.Context, sel EventSelection) (ReplayRun, error) {
	_, f, err := s.selected(&sel)
	if err != nil {
		return ReplayRun{}, err
	}
	text, err := json.Marshal(order{sel, actor(ctx)})
	if err != nil {
		return ReplayRun{}, fmt.Errorf("encode the selection: %w", err)
	}
	run := event.ReplayRun{ID: event.RunID(s.store.NewIDs(1)), Created: s.opt.Now(), Selection: text}
	run.Past = event.ID(run.ID)
	if err := s.store.CreateRun(&run); err != nil {
		return ReplayRun{}, err
	}
	f.Before = run.Past
	total, err := s.store.CountEvents(ctx, f)
	if err != nil {
		return ReplayRun{}, err
	}
	s.opt.Logger.InfoContext(ctx, "replay begun", "run", run.ID, "selection", string(text), "events", total)
	return presentRun(&run, total)
}

// Replays lists replays, the newest first.
func (s *Service) Replays(ctx context.Context, f event.RunFilter) (page Page[ReplayRun], err error) {
	stored, next, err := runsOf(ctx, f, s.store.Runs, func(r *event.ReplayRun) event.RunID { return r.ID })
	if err != nil {
		return page, fmt.Errorf("cannot list the replays: %w", err)
	}
	page.Next = next
	page.Items = make([]ReplayRun, 0, len(stored))
	for i := range stored {
		run, err := presentRun(&stored[i], 0)
		if err != nil {
			return page, err
		}
		page.Items = append(page.Items, run)
	}
	return page, nil
}

// Replay is one replay. Of its Total, what is left are the events that there are now.
func (s *Service) Replay(ctx context.Context, id event.RunID) (ReplayRun, error) {
	stored, err := s.store.Run(ctx, id)
	if err != nil {
		return ReplayRun{}, missing(err, "there is no replay %s: "+gone, id)
	}
	run, err := presentRun(&stored, 0)
	if err != nil {
		return run, err
	}
	if run.Total = run.Seen; run.Done {
		return run, nil
	}
	f := run.Selection.Filter()
	f.After, f.Before = stored.Cursor, stored.Past
	left, err := s.store.CountEvents(ctx, f)
	run.Total += left
	return run, err
}

func presentRun(r *event.ReplayRun, total int) (ReplayRun, error) {
	run := ReplayRun{
		ID: r.ID, Created: r.Created, Total: total, Seen: r.Seen, Events: r.Events, Deliveries: r.Deliveries, Done: r.Done,
	}
	var o order
	if err := json.Unmarshal(r.Selection, &o); err != nil {
		return run, fmt.Errorf("replay %s: read its selection: %w", r.ID, err)
	}
	run.Selection, run.By = o.EventSelection, o.By
	return run, nil
}

// StepReplay goes on with a replay for a moment, or until limit events are
// replayed (0: no limit), by the rules that are in force now.
func (s *Service) StepReplay(ctx context.Context, id event.RunID, limit int) (ReplayRun, error) {
	run, err := s.store.Run(ctx, id)
	if err != nil {
		return ReplayRun{}, missing(err, "there is no replay %s: "+gone, id)
	}
	shown, err := presentRun(&run, 0)
	if err != nil || run.Done {
		return shown, err
	}
	q, f, err := s.selected(&shown.Selection)
	if err != nil {
		return shown, err
	}
	f.After, f.Before = run.Cursor, run.Past
	b := &replayBatch{
		service: s, inForce: s.inForce(), run: run, next: run, sel: &shown.Selection,
	}
	if limit <= 0 || limit > stepEvents {
		limit = stepEvents
	}
	began, stopped := s.opt.Now(), false
	err = s.store.Scan(ctx, f, func(e *event.Event) error {
		if b.taken == limit || b.next.Seen-run.Seen >= stepEvents || s.opt.Now().Sub(began) > stepTime {
			stopped = true
			return db.ErrStop
		}
		return b.take(ctx, e, q)
	})
	if err != nil {
		return shown, err
	}
	b.next.Done = !stopped
	if err := b.flush(); err != nil {
		return shown, err
	}
	if b.run.Done {
		s.opt.Logger.InfoContext(ctx, "replay done", "run", id, "seen", b.run.Seen, "events", b.run.Events, "deliveries", b.run.Deliveries)
	}
	return presentRun(&b.run, 0)
}

// replayBatch gathers what a step replays, until it is stored.
type replayBatch struct {
	service *Service
	inForce *InForce
	run     event.ReplayRun // as it is stored
	next    event.ReplayRun // with what is gathered
	list    []event.Replayed
	taken   int
	sel     *EventSelection
}

func (b *replayBatch) take(ctx context.Context, e *event.Event, q *replay.Query) error {
	b.next.Seen++
	b.next.Cursor = e.ID
	if ok, _ := q.Match(e); !ok { // the preview has told of those that it fails for
		return nil
	}
	out, err := b.sel.decide(b.inForce, e)
	if err != nil {
		return err
	}
	if !b.sel.IncludePast {
		replay.LeavePast(&out, b.sel.Rule, b.service.opt.Now())
	}
	if b.sel.Unfinished {
		if left, err := b.service.leaveFinished(ctx, e, &out, b.sel.Rule); err != nil || !left {
			return err
		}
	}
	r := replay.Prepare(e, out, b.sel.Rule, b.inForce.Plan.Rules.Names(), b.service.store.NewIDs, b.service.opt.Now())
	r.Run, r.At, r.Plan = b.run.ID, b.service.opt.Now(), b.inForce.Plan.ID
	b.list = append(b.list, r)
	if b.taken++; len(b.list) == batchEvents {
		return b.flush()
	}
	return nil
}

// flush stores what is gathered, and tells the workers of it.
func (b *replayBatch) flush() error {
	connections, err := b.service.store.Replay(&b.run, &b.next, b.list)
	if errors.Is(err, db.ErrRunMoved) {
		return refuse("%v", db.ErrRunMoved)
	}
	if err != nil {
		return err
	}
	b.run, b.list = b.next, b.list[:0]
	b.service.poll(connections)
	return nil
}

// replaysOf tells what was done with an event after it was accepted.
func (s *Service) replaysOf(ctx context.Context, id event.ID) ([]Replay, error) {
	stored, err := s.store.Replays(ctx, id)
	if err != nil {
		return nil, err
	}
	var list []Replay
	for i := range stored {
		r := &stored[i]
		item := Replay{Run: r.Run, At: r.At, Deliveries: r.Made, Rules: verdicts(r.Verdicts)}
		if _, version, err := s.ruleSet(ctx, r.Plan); err == nil {
			item.Config = configOf(version)
		}
		list = append(list, item)
	}
	return list, nil
}
