package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"hookgate/internal/event"
	"hookgate/internal/yamlnode"
)

// Delivery is a delivery as lists show it.
type Delivery struct {
	ID         event.DeliveryID    `json:"id"`
	Event      event.ID            `json:"event"`
	Name       string              `json:"name"` // rule/connection, with #2 for the second action
	Rule       string              `json:"rule"`
	Connection string              `json:"connection"`
	State      event.DeliveryState `json:"state"`
	Attempts   int                 `json:"attempts"`
	Created    time.Time           `json:"created"`
	Next       *time.Time          `json:"next,omitempty"` // the next attempt
	// HeldUntil is when its connection opens, of one that is held because that is
	// outside of its hours.
	HeldUntil *time.Time        `json:"held_until,omitempty"`
	Moment    *time.Time        `json:"moment,omitempty"`    // when it begins, or began, where that is not when its event came
	MomentBy  string            `json:"moment_by,omitempty"` // of a scheduled one: what its moment comes from, in words
	Wait      *event.Wait       `json:"-"`                   // the same for who has words of their own
	WaitsFor  *event.DeliveryID `json:"waits_for,omitempty"`
	Key       string            `json:"ordering_key,omitempty"`
	Error     string            `json:"error,omitempty"`
	// Cancelled is why it was cancelled, where that is known.
	Cancelled  event.CancelCause `json:"cancelled,omitempty"`
	Warnings   []string          `json:"warnings,omitempty"`
	Status     int               `json:"status,omitempty"`      // of the last attempt
	DurationMS float64           `json:"duration_ms,omitempty"` // of the last attempt
	Output     json.RawMessage   `json:"output,omitempty"`
	History    []Attempt         `json:"history,omitempty"`
	// Summary is what a person calls its event; lists of deliveries have it.
	Summary string `json:"summary,omitempty"`
}

// Attempt is one try at a delivery.
type Attempt struct {
	Number     int       `json:"number"`
	Started    time.Time `json:"started"`
	DurationMS float64   `json:"duration_ms"`
	Status     int       `json:"status,omitempty"`
	Error      string    `json:"error,omitempty"`
	Answer     string    `json:"answer,omitempty"`
	// Outputs are what the receiver calls what it made of it: id, url.
	Outputs map[string]event.Output `json:"outputs,omitempty"`
	// Request is the line of the request: its method and its URL, of which what may
	// be a credential is left out.
	Request string `json:"request,omitempty"`
	// Headers are some of those of the answer, by their names in lower case.
	Headers map[string]string `json:"headers,omitempty"`
}

// Selection says which deliveries a bulk action is for: the ones named, or all
// that the filter matches.
type Selection struct {
	IDs        []event.DeliveryID  `json:"ids,omitempty"`
	State      event.DeliveryState `json:"state,omitempty"`
	Connection string              `json:"connection,omitempty"`
	Rule       string              `json:"rule,omitempty"`
	Cause      string              `json:"cause,omitempty"` // the id of one of Causes, or an event.CancelCause
	Event      event.ID            `json:"event,omitempty"`
	Since      time.Time           `json:"since,omitzero"`
	DryRun     bool                `json:"dry_run,omitempty"`
	// SkipOvertaken is of a retry: it leaves out what has an ordering key of which a later
	// delivery has arrived, for that would send an older state after a newer one.
	SkipOvertaken bool `json:"skip_overtaken,omitempty"`
	// Render is of a retry: what failed is rendered again by the rules in force.
	Render bool `json:"render,omitempty"`
}

// Changed is the answer to a bulk action: how many it changed, or would, and
// under how many distinct ordering keys. Overtaken are those that SkipOvertaken leaves
// out, or would; it is said beforehand. Of those that are rendered again, Unmet are
// cancelled, for their condition is not met now, and Left are not changed.
type Changed struct {
	Count     int    `json:"count"`
	Keyed     int    `json:"keyed,omitempty"`
	Keys      int    `json:"keys,omitempty"`
	Overtaken int    `json:"overtaken,omitempty"`
	Unmet     int    `json:"unmet,omitempty"`
	Left      []Left `json:"left,omitempty"`
	// Paces are, of what a retry would send, about how long it takes, the slowest first.
	Paces []Pace `json:"paces,omitempty"`
}

// deliveryStore is where deliveries are read and changed. A change is for all
// that the filter selects, whatever its Limit, and tells how many there were
// and on which connections there is work now. Count says beforehand how many,
// how many of them have an ordering key, and how many such keys there are.
type deliveryStore interface { //nolint:interfacebloat // lists, counts and changes go by the same filters
	Deliveries(ctx context.Context, f event.DeliveryFilter) ([]event.Delivery, error)
	Attempts(ctx context.Context, ids ...event.DeliveryID) ([]event.Attempt, error)
	Count(ctx context.Context, f event.DeliveryFilter) (count, keyed, keys int, err error)
	CountEach(ctx context.Context, f event.DeliveryFilter) (map[string]int, error)
	// FailureCounts counts those that f selects by connection, rule and error:
	// of the newest f.Limit, or of all where that is 0.
	FailureCounts(ctx context.Context, f event.DeliveryFilter, now time.Time, part time.Duration, parts int) ([]event.FailureCount, error)
	Retry(ctx context.Context, f event.DeliveryFilter) (int, []string, error)
	Cancel(ctx context.Context, f event.DeliveryFilter) (int, []string, error)
}

// waitingStates are those of deliveries that wait, and go by the version of the
// configuration that made them.
func waitingStates() []event.DeliveryState {
	return []event.DeliveryState{event.Scheduled, event.Waiting, event.Retrying, event.Held}
}

// onlyStale has f ask for what waits by a version that is not in force, where it does.
func (s *Service) onlyStale(f *event.DeliveryFilter) error {
	if !f.Stale {
		return nil
	}
	if len(f.States) == 0 {
		f.States = waitingStates()
	}
	for _, state := range f.States {
		if !slices.Contains(waitingStates(), state) {
			return refuse("what is %s does not wait: an earlier version is asked for with the states scheduled, waiting, retrying and held", state)
		}
	}
	f.InForce = s.inForce().Plan.ID
	return nil
}

// Deliveries lists the deliveries that f selects, f.Limit of them at most.
func (s *Service) Deliveries(ctx context.Context, f event.DeliveryFilter) (page Page[Delivery], err error) {
	if err := s.resolveCause(ctx, &f); err != nil {
		return page, err
	}
	f.Closed = slices.Sorted(maps.Keys(s.closed()))
	if err := s.onlyStale(&f); err != nil {
		return page, err
	}
	list, err := s.store.Deliveries(ctx, f)
	if err != nil {
		return page, fmt.Errorf("cannot list deliveries: %w", err)
	}
	if len(list) == 0 && f.Before == 0 && f.Cause == "" {
		if err := s.inForce().checkDeliveries(f.Connection, f.Rule); err != nil {
			return page, err
		}
	}
	if page.Items, err = s.deliveryItems(ctx, list, false); err != nil {
		return page, err
	}
	if err := s.summarize(ctx, page.Items); err != nil {
		return page, err
	}
	if len(list) == f.Limit && f.Limit > 0 {
		last := &list[len(list)-1]
		page.Next = last.ID.String()
		if f.Next != nil {
			next, err := event.Turn{Moment: last.Moment, ID: last.ID}.MarshalText()
			if err != nil {
				return page, err
			}
			page.Next = string(next)
		}
	}
	return page, nil
}

// Delivery is one delivery with its output and all its attempts.
func (s *Service) Delivery(ctx context.Context, id event.DeliveryID) (Delivery, error) {
	list, err := s.store.Deliveries(ctx, event.DeliveryFilter{IDs: []event.DeliveryID{id}, Limit: 1})
	if err != nil {
		return Delivery{}, fmt.Errorf("cannot look up %s: %w", id, err)
	}
	if len(list) == 0 {
		return Delivery{}, &NotFoundError{fmt.Sprintf("there is no delivery %s: "+gone, id)}
	}
	items, err := s.deliveryItems(ctx, list, true)
	if err != nil {
		return Delivery{}, err
	}
	return items[0], nil
}

// Retry sends deliveries again, or counts them. Without a state it takes failed
// ones; those that are retrying go at once, and cancelled ones are taken up
// again, only where that is asked for, and so are scheduled ones, whose moment is
// now then: they are asked and rendered as at any moment. What was delivered is not sent again by
// it, and what waits already or is under way needs no retry. With Render it takes failed
// ones alone, also those that could not be rendered.
func (s *Service) Retry(ctx context.Context, sel Selection) (Changed, error) {
	if sel.Render {
		return s.rerender(ctx, sel)
	}
	allowed := []event.DeliveryState{event.Failed, event.Retrying, event.Cancelled, event.Scheduled}
	f, err := sel.filter(allowed, allowed[:1], "retried")
	if err != nil {
		return Changed{}, err
	}
	f.Rendered = true // what is counted beforehand is what is sent
	return s.change(ctx, "retried", f, sel.DryRun, s.store.Retry)
}

// Cancel ends deliveries without sending them, or counts them. Without a state
// it ends what is open; failed ones are history, and ended only where that is
// asked for. What is being sent right now may still arrive, but is not tried
// again.
func (s *Service) Cancel(ctx context.Context, sel Selection) (Changed, error) {
	if sel.Render || sel.SkipOvertaken {
		return Changed{}, refuse("render and skip_overtaken are for a retry")
	}
	open := event.OpenStates()
	f, err := sel.filter(append([]event.DeliveryState{event.Failed, event.Scheduled}, open...), open, "cancelled")
	if err != nil {
		return Changed{}, err
	}
	return s.change(ctx, "cancelled", f, sel.DryRun, s.store.Cancel)
}

// filter is what a bulk action is for. The states it may name are allowed;
// usual stands for none. Deliveries named by id may be in any allowed state. A
// selection without any criterion is refused: it is a slip.
func (s *Selection) filter(allowed, usual []event.DeliveryState, done string) (event.DeliveryFilter, error) {
	f := event.DeliveryFilter{
		IDs: s.IDs, Connection: s.Connection, Rule: s.Rule, Cause: s.Cause, Event: s.Event, Since: s.Since, States: usual, NotOvertaken: s.SkipOvertaken,
	}
	switch {
	case s.State != "" && !slices.Contains(allowed, s.State):
		return f, refuse("only deliveries that are %s can be %s, not %q", Joined(allowed), done, s.State)
	case s.State != "":
		f.States = []event.DeliveryState{s.State}
		if s.State == event.Cancelled && s.Cause == "" && len(s.IDs) == 0 { // what was held back was not to be sent
			f.Cause = string(event.ByHand)
		}
	case slices.Contains(event.CancelCauses(), event.CancelCause(s.Cause)) && slices.Contains(allowed, event.Cancelled):
		f.States = []event.DeliveryState{event.Cancelled}
	case len(s.IDs) > 0:
		f.States = allowed
	case s.Connection == "" && s.Rule == "" && s.Cause == "" && s.Event == 0 && s.Since.IsZero():
		return f, refuse("say which deliveries: by ids, state, connection, rule, cause, event or since")
	}
	return f, nil
}

// Joined lists states as a sentence does.
func Joined[T ~string](states []T) string {
	texts := make([]string, len(states))
	for i, s := range states {
		texts[i] = string(s)
	}
	return strings.Join(texts, ", ")
}

// change does a bulk action, or counts what it would change.
func (s *Service) change(ctx context.Context, done string, f event.DeliveryFilter, dry bool,
	act func(context.Context, event.DeliveryFilter) (int, []string, error),
) (Changed, error) {
	if err := s.resolveCause(ctx, &f); err != nil {
		return Changed{}, err
	}
	f.Closed = slices.Sorted(maps.Keys(s.closed()))
	if dry {
		count, keyed, keys, err := s.store.Count(ctx, f)
		if err != nil {
			return Changed{}, fmt.Errorf("cannot count the deliveries: %w", err)
		}
		out := Changed{Count: count, Keyed: keyed, Keys: keys}
		if f.Rendered { // a retry
			if out.Paces, err = s.paces(ctx, f, count, yamlnode.Rate{}); err != nil {
				return Changed{}, err
			}
		}
		if f.Rendered && (keyed > 0 || f.NotOvertaken) {
			f.NotOvertaken = !f.NotOvertaken
			others, _, _, err := s.store.Count(ctx, f)
			if err != nil {
				return Changed{}, fmt.Errorf("cannot count the deliveries: %w", err)
			}
			out.Overtaken = max(count, others) - min(count, others)
		}
		return out, s.checkChanged(count+out.Overtaken, f)
	}
	n, connections, err := act(ctx, f)
	s.forgetCounts()
	s.poll(connections) // also what waited for the keys of what was cancelled
	if err != nil {
		return Changed{}, fmt.Errorf("cannot change the deliveries: %w", err)
	}
	if err := s.checkChanged(n, f); err != nil {
		return Changed{}, err
	}
	s.opt.Logger.InfoContext(ctx, "by hand", "audit", "deliveries "+done, "count", n, "by", actor(ctx))
	return Changed{Count: n}, nil
}

// checkChanged finds the name that is at fault where a bulk action found nothing.
func (s *Service) checkChanged(count int, f event.DeliveryFilter) error {
	if count > 0 {
		return nil
	}
	return s.inForce().checkDeliveries(f.Connection, f.Rule)
}

// deliveryItems presents deliveries with their last attempt, and with details
// their output and all attempts.
func (s *Service) deliveryItems(ctx context.Context, list []event.Delivery, details bool) ([]Delivery, error) {
	items := make([]Delivery, 0, len(list))
	if len(list) == 0 {
		return items, nil
	}
	ids := make([]event.DeliveryID, len(list))
	for i := range list {
		ids[i] = list[i].ID
	}
	attempts, err := s.store.Attempts(ctx, ids...)
	if err != nil {
		return nil, fmt.Errorf("cannot list attempts: %w", err)
	}
	items = present(items, list, attempts, details)
	closed := s.closed()
	for i := range items {
		items[i].hold(closed)
	}
	return items, nil
}

// hold says of a delivery that waits for a connection outside of its hours until
// when. What becomes due after the opening is held until then.
func (d *Delivery) hold(closed map[string]time.Time) {
	opens, isClosed := closed[d.Connection]
	if !isClosed || d.State != event.Waiting && d.State != event.Retrying {
		return
	}
	if d.Next != nil && d.Next.After(opens) {
		opens = *d.Next
	}
	d.State, d.HeldUntil, d.Next = event.Held, &opens, nil
}

// present appends deliveries with what was tried.
func present(items []Delivery, list []event.Delivery, attempts []event.Attempt, details bool) []Delivery {
	of := map[event.DeliveryID][]event.Attempt{}
	for _, a := range attempts {
		of[a.Delivery] = append(of[a.Delivery], a)
	}
	for i := range list {
		items = append(items, deliveryOf(&list[i], of[list[i].ID], details))
	}
	return items
}

func deliveryOf(d *event.Delivery, attempts []event.Attempt, details bool) Delivery {
	item := Delivery{
		ID:         d.ID,
		Event:      d.Event,
		Name:       d.Name(),
		Rule:       d.Rule,
		Connection: d.Connection,
		State:      d.State,
		Attempts:   d.Attempts,
		Created:    d.Created.UTC(),
		Key:        d.Key,
		Error:      d.Error,
		Cancelled:  d.Cancelled,
		Warnings:   d.Warnings,
	}
	if !d.Due.IsZero() && (d.State == event.Waiting || d.State == event.Retrying) {
		due := d.Due.UTC()
		item.Next = &due
	}
	if !d.Moment.IsZero() {
		at := d.Moment.UTC()
		item.Moment, item.MomentBy, item.Wait = &at, d.Wait.Words(), d.Wait
	}
	if d.BlockedBy != 0 {
		item.WaitsFor = &d.BlockedBy
	}
	last := 0
	for _, a := range attempts {
		if a.Number > last {
			last, item.Status, item.DurationMS = a.Number, a.Status, milliseconds(a.Duration)
		}
		if details {
			item.History = append(item.History, attemptOf(a))
		}
	}
	if details && json.Valid(d.Output) {
		item.Output = d.Output
	}
	return item
}

func attemptOf(a event.Attempt) Attempt {
	var headers map[string]string
	for _, h := range a.Headers {
		if headers == nil {
			headers = map[string]string{}
		}
		headers[h.Name] = h.Value
	}
	return Attempt{
		Number:     a.Number,
		Started:    a.Started.UTC(),
		DurationMS: milliseconds(a.Duration),
		Status:     a.Status,
		Error:      a.Error,
		Answer:     string(bytes.ToValidUTF8(a.Answer, []byte("\uFFFD"))),
		Outputs:    a.Outputs,
		Request:    a.Request,
		Headers:    headers,
	}
}

func milliseconds(d time.Duration) float64 {
	return float64(d.Microseconds()) / 1000
}
