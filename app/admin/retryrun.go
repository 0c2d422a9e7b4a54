package admin

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"hookgate/internal/event"
	"hookgate/internal/yamlnode"
)

const (
	// retryStep is how often a run that is being done goes on, and retryLook how
	// often is looked for runs that others began or a process left behind.
	retryStep, retryLook = 250 * time.Millisecond, 5 * time.Second
	// retryLease is for how long a process takes a run over.
	retryLease = 15 * time.Second
	// maxFlights bounds how many deliveries of a run are under way.
	maxFlights = 200
)

// RetryRequest begins a retry run.
type RetryRequest struct {
	Selection
	First     int    `json:"first,omitempty"`      // send so many first, and the others once these have arrived
	StopAfter int    `json:"stop_after,omitempty"` // stop after so many failures in a row; 0: never
	Rate      string `json:"rate,omitempty"`       // at most so many in a time: 5/s; "" is as the connection may
}

// RetryRun is a retry of many deliveries, and how far it is.
type RetryRun struct {
	ID        event.RunID      `json:"id"`
	Created   time.Time        `json:"created"`
	By        string           `json:"by"`
	State     event.RetryState `json:"state"`
	Selection Selection        `json:"selection"`
	First     int              `json:"first,omitempty"`
	StopAfter int              `json:"stop_after,omitempty"`
	Rate      string           `json:"rate,omitempty"`
	Total     int              `json:"total"`
	Sent      int              `json:"sent"`
	UnderWay  int              `json:"under_way"` // sent, and nothing known of them yet
	Arrived   int              `json:"arrived"`
	Failed    int              `json:"failed"`         // the first try of the run; their schedule goes on
	Gone      int              `json:"gone,omitempty"` // given up or deleted meanwhile
	Said      string           `json:"said,omitempty"` // with what the latest of Failed failed
	// Paces are, of a run that is only counted, about how long it takes, the slowest first.
	Paces []Pace `json:"paces,omitempty"`
}

// Ended reports whether nothing more will come of the run by itself.
func (r *RetryRun) Ended() bool { return r.State != event.RetryRunning }

// RunStates are those of deliveries that a run can send again.
func RunStates() []event.DeliveryState {
	return []event.DeliveryState{event.Failed, event.Retrying}
}

// Settled is of how many deliveries it is known what became of them.
func (r *RetryRun) Settled() int { return r.Arrived + r.Failed + r.Gone }

// retryStore is where retry runs are. UpdateRetryRun reports false where somebody
// else has changed the run since it was read.
type retryStore interface {
	CreateRetryRun(r *event.RetryRun) error
	UpdateRetryRun(r *event.RetryRun) (ok bool, err error)
	RetryRun(ctx context.Context, id event.RunID) (event.RetryRun, error)
	RetryRuns(ctx context.Context, f event.RunFilter) ([]event.RetryRun, error)
	ActiveRetryRuns(ctx context.Context) ([]event.RetryRun, error)
}

// BeginRetry begins a run over what is selected now; with DryRun it only counts
// that.
func (s *Service) BeginRetry(ctx context.Context, q RetryRequest) (RetryRun, error) {
	q.State = cmp.Or(q.State, event.Failed)
	f, err := q.filter(RunStates(), []event.DeliveryState{q.State}, "retried by a run")
	if err != nil {
		return RetryRun{}, err
	}
	var rate yamlnode.Rate
	switch {
	case q.Render:
		return RetryRun{}, refuse("a run sends what was rendered: retry with render goes at once")
	case q.First < 0, q.StopAfter < 0:
		return RetryRun{}, refuse("first and stop_after are numbers from 0 on")
	case q.Rate != "":
		if err := rate.UnmarshalText([]byte(q.Rate)); err != nil {
			return RetryRun{}, refuse("rate=%s: %s", q.Rate, err)
		}
	}
	f.Rendered = true
	if err := s.resolveCause(ctx, &f); err != nil {
		return RetryRun{}, err
	}
	count, _, _, err := s.store.Count(ctx, f)
	if err != nil {
		return RetryRun{}, fmt.Errorf("cannot count the deliveries: %w", err)
	}
	if err := s.checkChanged(count, f); err != nil {
		return RetryRun{}, err
	}
	selection, err := json.Marshal(q.Selection)
	if err != nil {
		return RetryRun{}, err
	}
	run := event.RetryRun{
		ID: event.RunID(s.store.NewIDs(1)), By: actor(ctx), State: event.RetryRunning, Selection: selection, Total: count,
		First: q.First, StopAfter: q.StopAfter, Count: rate.Count, Per: rate.Per, Paid: s.opt.Now(),
	}
	run.Past = event.DeliveryID(run.ID)
	if q.DryRun {
		out := retryRunOf(&run)
		out.Paces, err = s.paces(ctx, f, count, rate)
		return out, err
	}
	if err := s.store.CreateRetryRun(&run); err != nil {
		return RetryRun{}, err
	}
	s.opt.Logger.InfoContext(ctx, "by hand", "audit", "retry begun", "run", run.ID, "by", run.By, "count", count, "connection", q.Connection)
	s.wakeRetries()
	return retryRunOf(&run), nil
}

// RetryRun tells how far a run is.
func (s *Service) RetryRun(ctx context.Context, id event.RunID) (RetryRun, error) {
	run, err := s.store.RetryRun(ctx, id)
	if err != nil {
		return RetryRun{}, missing(err, "there is no retry run %s: "+gone, id)
	}
	return retryRunOf(&run), nil
}

// RetryRuns lists runs, the newest first.
func (s *Service) RetryRuns(ctx context.Context, f event.RunFilter) (page Page[RetryRun], err error) {
	list, next, err := runsOf(ctx, f, s.store.RetryRuns, func(r *event.RetryRun) event.RunID { return r.ID })
	page.Items, page.Next = make([]RetryRun, 0, len(list)), next
	for i := range list {
		page.Items = append(page.Items, retryRunOf(&list[i]))
	}
	return page, err
}

// runsOf are the runs of a page that f selects, and what the next one begins before; "":
// there is none.
func runsOf[R any](ctx context.Context, f event.RunFilter, list func(context.Context, event.RunFilter) ([]R, error), id func(*R) event.RunID) (page []R, next string, err error) {
	if f.Limit <= 0 {
		f.Limit = DefaultLimit
	}
	limit := f.Limit
	f.Limit++
	if page, err = list(ctx, f); len(page) > limit {
		page = page[:limit]
		next = id(&page[limit-1]).String()
	}
	return page, next, err
}

// SteerRetry changes the state of a run: pause and stop what is running, have
// what was paused or halted go on (running).
func (s *Service) SteerRetry(ctx context.Context, id event.RunID, to event.RetryState) (RetryRun, error) {
	for {
		run, err := s.store.RetryRun(ctx, id)
		if err != nil {
			return RetryRun{}, missing(err, "there is no retry run %s: "+gone, id)
		}
		if run.State == to {
			return retryRunOf(&run), nil
		}
		from := map[event.RetryState][]event.RetryState{
			event.RetryPaused:  {event.RetryRunning},
			event.RetryRunning: {event.RetryPaused, event.RetryHalted},
			event.RetryStopped: {event.RetryRunning, event.RetryPaused, event.RetryHalted},
		}
		if !slices.Contains(from[to], run.State) {
			return RetryRun{}, refuse("the run is %s and cannot be %s", run.State, to)
		}
		if run.State == event.RetryHalted { // whoever has it go on knows of those
			run.First, run.InRow = 0, 0
		}
		run.State, run.Lease, run.Paid = to, time.Time{}, s.opt.Now()
		ok, err := s.store.UpdateRetryRun(&run)
		if err != nil {
			return RetryRun{}, err
		}
		if ok {
			s.opt.Logger.InfoContext(ctx, "by hand", "audit", "retry "+string(to), "run", id, "by", actor(ctx))
			s.wakeRetries()
			return retryRunOf(&run), nil
		}
	}
}

func retryRunOf(r *event.RetryRun) RetryRun {
	run := RetryRun{
		ID: r.ID, Created: event.ID(r.ID).Time().UTC(), By: r.By, State: r.State, First: r.First, StopAfter: r.StopAfter, Total: r.Total,
		Sent: r.Sent, UnderWay: len(r.Flights), Arrived: r.Arrived, Failed: r.Failed, Gone: r.Gone, Said: r.Said,
	}
	if r.Count > 0 {
		run.Rate = yamlnode.Rate{Count: r.Count, Per: r.Per}.String()
	}
	_ = json.Unmarshal(r.Selection, &run.Selection) // it was made from one
	return run
}

func (s *Service) wakeRetries() {
	select {
	case s.retriesWake <- struct{}{}:
	default:
	}
}

// DoRetries does the retry runs, until ctx ends. Each run is done by one process
// at a time.
func (s *Service) DoRetries(ctx context.Context) {
	owner := event.RunID(s.store.NewIDs(1)).String()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.retriesWake:
		case <-timer.C:
		}
		next := retryLook
		list, err := s.store.ActiveRetryRuns(ctx)
		for i := range list {
			next = retryStep
			if err = s.stepRetry(ctx, &list[i], owner); err != nil {
				break
			}
		}
		if err != nil && ctx.Err() == nil {
			s.opt.Logger.WarnContext(ctx, "a retry run cannot go on, trying again", "error", err)
			next = retryLook
		}
		timer.Reset(next)
	}
}

// stepRetry goes on with a run: it looks what became of those under way, judges
// the fuse, and sends the next ones. What is about to be sent is stored before it
// is, so that a step that was cut off is finished by the next one.
func (s *Service) stepRetry(ctx context.Context, r *event.RetryRun, owner string) error {
	now := s.opt.Now()
	if r.Owner != owner && now.Before(r.Lease) {
		return nil
	}
	var sel Selection
	if err := json.Unmarshal(r.Selection, &sel); err != nil {
		return fmt.Errorf("read what the run %s selects: %w", r.ID, err)
	}
	before := *r
	flights, err := s.flights(ctx, r)
	if err != nil {
		return err
	}
	settleFlights(r, flights)
	var next []event.Delivery
	if fuse(r); r.State == event.RetryRunning {
		if next, err = s.nextRetries(ctx, r, sel, now); err != nil {
			return err
		}
	}
	unsent := unsentOf(r, flights)
	for i := range next {
		r.Flights = append(r.Flights, event.Flight{ID: next[i].ID, Attempts: next[i].Attempts})
		r.Cursor, r.Sent = next[i].ID, r.Sent+1
		unsent = append(unsent, next[i].ID)
	}
	if len(unsent) == 0 && r.Sent == before.Sent && r.State == before.State && len(r.Flights) == len(before.Flights) && now.Add(retryLease/2).Before(r.Lease) {
		return nil
	}
	r.Owner, r.Lease = owner, now.Add(retryLease)
	if ok, err := s.store.UpdateRetryRun(r); err != nil || !ok {
		return err
	}
	if len(unsent) == 0 {
		return nil
	}
	f := event.DeliveryFilter{IDs: unsent, States: []event.DeliveryState{sel.State}}
	_, connections, err := s.store.Retry(ctx, f)
	s.forgetCounts()
	s.poll(connections)
	return err
}

// flights are the deliveries under way, as they are now.
func (s *Service) flights(ctx context.Context, r *event.RetryRun) (map[event.DeliveryID]event.Delivery, error) {
	found := make(map[event.DeliveryID]event.Delivery, len(r.Flights))
	if len(r.Flights) == 0 {
		return found, nil
	}
	ids := make([]event.DeliveryID, len(r.Flights))
	for i, f := range r.Flights {
		ids[i] = f.ID
	}
	list, err := s.store.Deliveries(ctx, event.DeliveryFilter{IDs: ids, Limit: len(ids)})
	if err != nil {
		return nil, err
	}
	for i := range list {
		found[list[i].ID] = list[i]
	}
	return found, nil
}

// settleFlights takes those off of which it is known what became of them.
func settleFlights(r *event.RetryRun, now map[event.DeliveryID]event.Delivery) {
	r.Flights = slices.DeleteFunc(slices.Clone(r.Flights), func(f event.Flight) bool {
		d, there := now[f.ID]
		switch {
		case !there, d.State == event.Cancelled:
			r.Gone++
		case d.State == event.Delivered:
			r.Arrived++
			r.InRow = max(0, r.InRow) + 1
		case d.Attempts > f.Attempts:
			r.Failed++
			r.InRow, r.Said = min(0, r.InRow)-1, d.Error
		default:
			return false
		}
		return true
	})
}

// unsentOf are those under way that a step took and was cut off before it sent.
func unsentOf(r *event.RetryRun, now map[event.DeliveryID]event.Delivery) (ids []event.DeliveryID) {
	for _, f := range r.Flights {
		if d, there := now[f.ID]; there && d.Attempts == f.Attempts && (d.State == event.Failed || d.State == event.Retrying) {
			ids = append(ids, f.ID)
		}
	}
	return ids
}

// fuse stops a run after too many failures in a row, or where one of the first
// has failed.
func fuse(r *event.RetryRun) {
	settled := r.Arrived + r.Failed + r.Gone
	switch {
	case r.StopAfter > 0 && -r.InRow >= r.StopAfter, r.First > 0 && r.Failed > 0 && settled <= r.First:
		r.State = event.RetryHalted
	}
}

// nextRetries are the next deliveries to send: as many as may be under way, which
// with a fuse grows with what arrives.
func (s *Service) nextRetries(ctx context.Context, r *event.RetryRun, sel Selection, now time.Time) ([]event.Delivery, error) {
	room := maxFlights - len(r.Flights)
	if r.StopAfter > 0 {
		room = min(room, r.StopAfter+max(0, r.InRow)-len(r.Flights))
	}
	if r.First > 0 && r.Arrived+r.Failed+r.Gone < r.First {
		room = min(room, r.First-r.Sent)
	}
	paid, each := r.Paid, time.Duration(0)
	if r.Count > 0 {
		each = r.Per / time.Duration(r.Count)
		if soonest := now.Add(-max(time.Second, each)); paid.Before(soonest) {
			paid = soonest
		}
		room = min(room, int(now.Sub(paid)/each))
	}
	if room <= 0 {
		return nil, nil
	}
	f, err := sel.filter([]event.DeliveryState{event.Failed, event.Retrying}, []event.DeliveryState{sel.State}, "retried by a run")
	if err != nil {
		return nil, err
	}
	f.States, f.Rendered, f.OldestFirst, f.Limit = []event.DeliveryState{sel.State}, true, true, room
	f.After, f.Before = r.Cursor, r.Past
	if err := s.resolveCause(ctx, &f); err != nil {
		return nil, err
	}
	list, err := s.store.Deliveries(ctx, f)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 && len(r.Flights) == 0 {
		r.State = event.RetryDone
	}
	r.Paid = paid.Add(each * time.Duration(len(list)))
	return list, nil
}
