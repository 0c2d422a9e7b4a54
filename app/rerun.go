package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"hookgate/app/replay"
	"hookgate/app/web/api"
	"hookgate/db"
	"hookgate/internal/diag"
	"hookgate/internal/event"
)

const (
	// replayBatch is how many events one transaction of a replay holds: it
	// stands between the accepts of others.
	replayBatch = 50
	// stepTime and stepEvents bound one step of a run or of a preview.
	stepTime   = time.Second
	stepEvents = 5000
)

// Preview counts what a replay would do, a part of it at a time.
func (a service) Preview(ctx context.Context, r api.ReplayRequest) (api.ReplayPreview, error) {
	q, f, err := a.selected(&r.EventSelection)
	if err != nil {
		return api.ReplayPreview{}, err
	}
	var p api.ReplayPreview
	if r.After != nil {
		f.After = *r.After
	} else if p.Total, err = a.store.CountEvents(ctx, f); err != nil {
		return p, err
	}
	judge, routes, began := a.judge(), replay.Routes{}, a.opt.Now()
	err = a.store.Scan(ctx, f, func(e *event.Event) error {
		p.Examined++
		if ok, failure := q.Match(e); ok {
			out, err := judge.Match(e)
			if err != nil {
				return err
			}
			p.Events++
			routes.Add(&out, r.Rule)
		} else if failure != nil {
			if p.Failed++; p.Failed == 1 {
				p.Failure = failure.Error()
			}
		}
		if p.Examined == stepEvents || p.Examined%100 == 0 && a.opt.Now().Sub(began) > stepTime {
			p.Next = &e.ID
			return db.ErrStop
		}
		return nil
	})
	p.Routes = routes.List()
	return p, err
}

// judge is the configuration in force.
func (a *App) judge() *replay.Judge { return a.plan.Load().Judge() }

// selected makes of a selection what the store and the query take: the oldest
// event first.
func (a *App) selected(s *api.EventSelection) (*replay.Query, event.Filter, error) {
	f := s.Filter()
	f.OldestFirst = true
	for _, state := range f.States {
		if !slices.Contains(replay.States(), state) {
			return nil, f, api.Refuse("events that are %s cannot be replayed: no rule has seen their data", state)
		}
	}
	if names := a.plan.Load().Rules.Names(); s.Rule != "" && !slices.Contains(names, s.Rule) {
		message := fmt.Sprintf("no rule in force is called %q", s.Rule)
		if hint := diag.DidYouMean(s.Rule, names); hint != "" {
			message += ": " + hint
		}
		return nil, f, api.Refuse("%s", message)
	}
	q, faults := replay.NewQuery(s.Where, s.Text)
	if faults.Err() != nil {
		return nil, f, &api.ExpressionFault{List: faults}
	}
	return q, f, nil
}

// order is what is stored of a replay: which events, and who began it.
type order struct {
	api.EventSelection
	By string `json:"by,omitempty"`
}

// CreateRun begins a replay of what is stored now. StepRun does it.
func (a service) CreateRun(ctx context.Context, s api.EventSelection, by string) (api.ReplayRun, error) {
	_, f, err := a.selected(&s)
	if err != nil {
		return api.ReplayRun{}, err
	}
	text, err := json.Marshal(order{s, by})
	if err != nil {
		return api.ReplayRun{}, fmt.Errorf("encode the selection: %w", err)
	}
	run := event.ReplayRun{ID: event.RunID(a.store.NewIDs(1)), Created: a.opt.Now(), Selection: text}
	run.Past = event.ID(run.ID)
	if err := a.store.CreateRun(&run); err != nil {
		return api.ReplayRun{}, err
	}
	f.Before = run.Past
	total, err := a.store.CountEvents(ctx, f)
	if err != nil {
		return api.ReplayRun{}, err
	}
	a.opt.Logger.InfoContext(ctx, "replay begun", "run", run.ID, "selection", string(text), "events", total)
	return presentRun(&run, total)
}

// Runs are the newest replays.
func (a service) Runs(ctx context.Context, limit int) ([]api.ReplayRun, error) {
	stored, err := a.store.Runs(ctx, limit)
	if err != nil {
		return nil, err
	}
	list := make([]api.ReplayRun, 0, len(stored))
	for i := range stored {
		run, err := presentRun(&stored[i], 0)
		if err != nil {
			return nil, err
		}
		list = append(list, run)
	}
	return list, nil
}

// Run is one replay; event.ErrNotFound if there is none. Its Total counts the
// events that there are now.
func (a service) Run(ctx context.Context, id event.RunID) (api.ReplayRun, error) {
	stored, err := a.store.Run(ctx, id)
	if err != nil {
		return api.ReplayRun{}, err
	}
	run, err := presentRun(&stored, 0)
	if err != nil {
		return run, err
	}
	f := run.Selection.Filter()
	f.Before = stored.Past
	run.Total, err = a.store.CountEvents(ctx, f)
	return run, err
}

func presentRun(r *event.ReplayRun, total int) (api.ReplayRun, error) {
	run := api.ReplayRun{
		ID: r.ID, Created: r.Created, Total: total, Seen: r.Seen, Events: r.Events, Deliveries: r.Deliveries, Done: r.Done,
	}
	var o order
	if err := json.Unmarshal(r.Selection, &o); err != nil {
		return run, fmt.Errorf("replay %s: read its selection: %w", r.ID, err)
	}
	run.Selection, run.By = o.EventSelection, o.By
	return run, nil
}

// StepRun goes on with a replay for a moment, or until limit events are
// replayed, by the rules that are in force now.
func (a service) StepRun(ctx context.Context, id event.RunID, limit int) (api.ReplayRun, error) {
	run, err := a.store.Run(ctx, id)
	if err != nil || run.Done {
		shown, broken := presentRun(&run, 0)
		return shown, errors.Join(err, broken)
	}
	shown, err := presentRun(&run, 0)
	if err != nil {
		return shown, err
	}
	q, f, err := a.selected(&shown.Selection)
	if err != nil {
		return shown, err
	}
	f.After, f.Before = run.Cursor, run.Past
	plan := a.plan.Load()
	s := &stepper{app: a.App, plan: plan, run: run, next: run, only: shown.Selection.Rule, names: plan.Rules.Names()}
	if limit <= 0 || limit > stepEvents {
		limit = stepEvents
	}
	began, stopped := a.opt.Now(), false
	err = a.store.Scan(ctx, f, func(e *event.Event) error {
		if s.taken == limit || s.next.Seen-run.Seen >= stepEvents || a.opt.Now().Sub(began) > stepTime {
			stopped = true
			return db.ErrStop
		}
		return s.take(e, q)
	})
	if err != nil {
		return shown, err
	}
	s.next.Done = !stopped
	if err := s.flush(); err != nil {
		return shown, err
	}
	if s.run.Done {
		a.opt.Logger.InfoContext(ctx, "replay done", "run", id, "seen", s.run.Seen, "events", s.run.Events, "deliveries", s.run.Deliveries)
	}
	return presentRun(&s.run, 0)
}

// stepper gathers what a step replays and stores it in batches.
type stepper struct {
	app   *App
	plan  *Plan
	run   event.ReplayRun // as it is stored
	next  event.ReplayRun // with what is gathered
	list  []event.Replayed
	taken int
	only  string
	names []string
}

func (s *stepper) take(e *event.Event, q *replay.Query) error {
	s.next.Seen++
	s.next.Cursor = e.ID
	if ok, _ := q.Match(e); !ok { // the preview has told of those that it fails for
		return nil
	}
	out, err := s.plan.Judge().Match(e)
	if err != nil {
		return err
	}
	r := replay.Prepare(e, out, s.only, s.names, s.app.store.NewIDs)
	r.Run, r.At, r.Plan = s.run.ID, s.app.opt.Now(), s.plan.ID
	s.list = append(s.list, r)
	if s.taken++; len(s.list) == replayBatch {
		return s.flush()
	}
	return nil
}

// flush stores what is gathered, and wakes the lanes for it.
func (s *stepper) flush() error {
	touched, err := s.app.store.Replay(&s.run, &s.next, s.list)
	if errors.Is(err, db.ErrRunMoved) {
		return api.Refuse("%v", db.ErrRunMoved)
	}
	if err != nil {
		return err
	}
	s.run, s.list = s.next, s.list[:0]
	s.app.wake(touched)
	return nil
}

// configOf is the hash of the file that a version is from.
func configOf(v event.RuleSet) string {
	hash, _, _ := strings.Cut(v.Hash, "-")
	return hash
}
