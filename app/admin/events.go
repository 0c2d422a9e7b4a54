package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"hookgate/app/ingest"
	"hookgate/app/ingest/samples"
	"hookgate/app/ingest/source"
	"hookgate/app/replay"
	"hookgate/db"
	"hookgate/internal/event"
	"hookgate/rules"
	"hookgate/rules/lang"
)

// The size of a page of a list: unless told, and at most.
const (
	DefaultLimit = 50
	MaxLimit     = 500
)

const (
	// maxExamined and maxSearch bound what one request looks into, so that a
	// condition that nothing meets does not read the whole history.
	maxExamined = 20_000
	maxSearch   = 5 * time.Second
	// lookAt is how many events a list that no index finds looks at, at once, and
	// maxLook the time after which it is stopped.
	lookAt  = 2000
	maxLook = 50 * time.Millisecond
	// maxListed is the size of a body up to which a search holds it.
	maxListed = 128 << 10
)

// Event is an event as lists show it.
type Event struct {
	ID          event.ID    `json:"id"`
	Time        time.Time   `json:"time"`
	Source      string      `json:"source"`
	Type        string      `json:"type"`
	Summary     string      `json:"summary,omitempty"` // what a person calls it: Harry's Diner · Publish → Done
	State       event.State `json:"state"`
	Cause       string      `json:"cause,omitempty"`
	DuplicateOf *event.ID   `json:"duplicate_of,omitempty"`
	New         bool        `json:"new,omitempty"`     // a form post that the rules saw and nobody has read
	Excerpt     string      `json:"excerpt,omitempty"` // of a form post: the beginning of what was written
	Rules       []Verdict   `json:"rules,omitempty"`
	Deliveries  []Delivery  `json:"deliveries,omitempty"`
	Digests     []Gathered  `json:"digests,omitempty"` // that it is in
}

// EventDetail is an event with all that is kept of it.
type EventDetail struct {
	Event
	Request event.Request   `json:"request"`
	Body    string          `json:"body,omitempty"`        // the raw body when it is valid UTF-8
	Base64  []byte          `json:"body_base64,omitempty"` // else
	Data    json.RawMessage `json:"data,omitempty"`
	// JudgedBy is the version of the configuration that judged it; nil where no
	// rule saw it.
	JudgedBy *JudgedBy `json:"judged_by,omitempty"`
	// Why tells for each rule of that version which part of its condition
	// decided.
	Why []rules.Trace `json:"why,omitempty"`
	// Test is the event as a test of config.yaml that expects what those rules
	// send for it; "" where they are not known, or it has no data.
	Test string `json:"test,omitempty"`
	// SameKey are the events before and after it that share an ordering key with it.
	SameKey []SameKey `json:"same_key,omitempty"`
	// Replays are what was done with it later, the oldest first. Their
	// deliveries are among Deliveries.
	Replays []Replay `json:"replays,omitempty"`
}

// SameKey are events of which a delivery has the ordering key: those next to an event.
type SameKey struct {
	Key     string  `json:"key"`
	Earlier []Event `json:"earlier,omitempty"` // the newest first
	Later   []Event `json:"later,omitempty"`   // the oldest first
	// More says that there are others before those.
	More bool `json:"more,omitempty"`
}

// How many events of a key are told with an event, and of how many keys.
const (
	earlierOfKey = 5
	laterOfKey   = 3
	keysOfEvent  = 2
)

// JudgedBy is a version of the configuration.
type JudgedBy struct {
	Config  string    `json:"config"` // the hash of the file
	Since   time.Time `json:"since"`  // when it came into force first
	InForce bool      `json:"in_force"`
	Known   bool      `json:"known"` // its rules are stored: Why can tell
	// Gone are its connections of types that are not known any more: Why shows
	// what rules send to them without what the type makes of it.
	Gone []ingest.GoneConnection `json:"gone,omitempty"`
}

// Verdict is what a rule said of an event.
type Verdict struct {
	Rule    string `json:"rule"`
	Result  string `json:"result"` // match, no, skipped, error
	Message string `json:"message,omitempty"`
}

// Search tells how a search through stored events went, or that a list for which many
// events were looked at was stopped. Where it was,
// Page.Next goes on from there, whether or not the page is full.
type Search struct {
	Examined int    `json:"examined"`          // events that were looked into
	Stopped  bool   `json:"stopped,omitempty"` // the limit of one request was reached
	Failed   int    `json:"failed,omitempty"`  // events for which the condition could not be evaluated
	Failure  string `json:"failure,omitempty"` // of the first of them
}

// eventStore is where events are read. Lists may leave out what Event gives
// whole.
type eventStore interface { //nolint:interfacebloat // lists, counts and one event go by the same filters
	Events(ctx context.Context, f event.Filter) ([]event.Event, error)
	Event(ctx context.Context, id event.ID) (event.Event, error) // event.ErrNotFound
	// DeliveriesOf lists those of several events, the newest first: at most limit of all.
	DeliveriesOf(ctx context.Context, ids []event.ID, limit int) ([]event.Delivery, error)
	Scan(ctx context.Context, f event.Filter, each func(*event.Event) error) error
	CountEvents(ctx context.Context, f event.Filter) (int, error)
	// CountStretches counts by parts of the time before now, the latest first; the last is
	// of all that is older.
	CountStretches(ctx context.Context, f event.Filter, now time.Time, part time.Duration, parts int) ([]int, error)
	// Back goes back so many events from one: the last of them, and how many there are.
	Back(ctx context.Context, before event.ID, n int) (last event.ID, there int, err error)
	Plan(ctx context.Context, id int64) (event.RuleSet, error)
}

// Events lists the events that f selects, f.Limit of them at most. Where it
// asks what is in them, a bounded number is looked into.
func (s *Service) Events(ctx context.Context, f event.Search) (page Page[Event], err error) {
	var list []event.Event
	var next event.ID
	if f.Where == "" && f.Text == "" {
		if list, next, page.Search, err = s.list(ctx, f.Filter); err != nil {
			return page, fmt.Errorf("cannot list events: %w", err)
		}
	} else {
		q, err := newQuery(f.Where, f.Text)
		if err != nil {
			return page, err
		}
		page.Search = &Search{}
		if list, next, err = s.search(ctx, f.Filter, q, page.Search); err != nil {
			return page, fmt.Errorf("cannot search the events: %w", err)
		}
	}
	if len(list) == 0 && f.Before == 0 {
		if err := s.inForce().checkNames(f.Filter); err != nil {
			return page, err
		}
	}
	if page.Items, err = s.eventItems(ctx, list, false); err != nil {
		return page, err
	}
	if next != 0 {
		page.Next = next.String()
	}
	return page, nil
}

// EventCount says how many events match, and when they came.
type EventCount struct {
	Count int `json:"count"` // of the newest that match, 10,000 at most
	// More: there may be more that match, further back.
	More bool `json:"more,omitempty"`
	// Days counts those of each of the last 30 times 24 hours, the oldest first.
	Days []int `json:"days"`
}

// mostCounted bounds how many events are counted, mostStanding how many of what stands out.
const mostCounted, mostStanding = 10_000, 1000

// Count counts the newest mostCounted events that f selects; where no index finds them,
// only among the newest maxExamined events.
func (s *Service) Count(ctx context.Context, f event.Filter) (EventCount, error) {
	out, err := s.count(ctx, f, mostCounted)
	if err == nil && out.Count == 0 {
		err = s.inForce().checkNames(f)
	}
	return out, err
}

func (s *Service) count(ctx context.Context, f event.Filter, most int) (out EventCount, err error) {
	f.Limit = most
	if !db.Indexed(f) {
		endUntil(&f)
		last, there, err := s.store.Back(ctx, f.Before, maxExamined)
		if err != nil {
			return out, fmt.Errorf("cannot count events: %w", err)
		}
		f.After, out.More = max(last-1, 0), there == maxExamined && last > event.FirstIDAt(f.Since)
	}
	parts, err := s.store.CountStretches(ctx, f, s.opt.Now(), 24*time.Hour, countDays)
	if err != nil {
		return out, fmt.Errorf("cannot count events: %w", err)
	}
	for _, n := range parts {
		out.Count += n
	}
	out.More = out.More || out.Count == most
	out.Days = parts[:countDays]
	slices.Reverse(out.Days)
	return out, nil
}

// Quick reports whether it takes as long to count what f selects however many other
// events there are.
func Quick(f event.Filter) bool { return db.Indexed(f) }

// Standing counts the events that stand out: those of which a delivery failed, and those
// in a state that few should be in, mostStanding at most of each.
type Standing struct {
	Failed EventCount
	States map[event.State]EventCount
}

// counted is how many were counted.
func (s Standing) counted() int {
	n := s.Failed.Count
	for _, c := range s.States {
		n += c.Count
	}
	return n
}

// Standing counts what stands out, or has counted it lately.
func (s *Service) Standing(ctx context.Context) (Standing, error) {
	return s.standing.Get(ctx, struct{}{}, func(ctx context.Context) (out Standing, err error) {
		if out.Failed, err = s.count(ctx, event.Filter{Deliveries: []event.DeliveryState{event.Failed}}, mostStanding); err != nil {
			return out, err
		}
		out.States = map[event.State]EventCount{}
		for _, state := range []event.State{event.Rejected, event.Spam} {
			if out.States[state], err = s.count(ctx, event.Filter{States: []event.State{state}}, mostStanding); err != nil {
				return out, err
			}
		}
		return out, nil
	})
}

// endUntil has a list that looks back begin at f.Until, where that is set.
func endUntil(f *event.Filter) {
	if until := event.FirstIDAt(f.Until); !f.Until.IsZero() && (f.Before == 0 || until < f.Before) {
		f.Before = until
	}
}

// list lists the events that f selects. next is where the following page begins; 0 at
// the end. Where what is looked for is rare among others and has no index, the list
// may be stopped before the page is full: how says so then.
func (s *Service) list(ctx context.Context, f event.Filter) (list []event.Event, next event.ID, how *Search, err error) {
	if db.Indexed(f) || f.OldestFirst || f.After != 0 || f.Limit <= 0 {
		if list, err = s.store.Events(ctx, f); err == nil && len(list) == f.Limit && f.Limit > 0 {
			next = list[len(list)-1].ID
		}
		return list, next, nil, err
	}
	endUntil(&f)
	limit, looked, began := f.Limit, 0, time.Now()
	for {
		last, there, err := s.store.Back(ctx, f.Before, lookAt)
		if err != nil {
			return nil, 0, nil, err
		}
		f.After, f.Limit = max(last-1, 0), limit-len(list)
		part, err := s.store.Events(ctx, f)
		if err != nil {
			return nil, 0, nil, err
		}
		list = append(list, part...)
		looked += there
		switch {
		case len(list) == limit:
			return list, list[limit-1].ID, nil, nil
		case there < lookAt || last < event.FirstIDAt(f.Since):
			return list, 0, nil, nil
		case looked >= maxExamined || time.Since(began) > maxLook:
			return list, last, &Search{Examined: looked, Stopped: true}, nil
		}
		f.Before = last
	}
}

// search lists the events that f selects and of which q holds. next is where
// the following page begins; 0 at the end.
func (s *Service) search(ctx context.Context, f event.Filter, q *replay.Query, how *Search) (list []event.Event, next event.ID, err error) {
	limit, began := f.Limit, s.opt.Now()
	err = s.store.Scan(ctx, f, func(e *event.Event) error {
		if how.Examined == maxExamined || how.Examined%100 == 99 && s.opt.Now().Sub(began) > maxSearch {
			how.Stopped = true
			return db.ErrStop
		}
		if len(list) == limit {
			return db.ErrStop
		}
		how.Examined++
		next = e.ID
		ok, failure := q.Match(e)
		if failure != nil {
			if how.Failed++; how.Failed == 1 {
				how.Failure = failure.Error()
			}
		}
		if ok {
			if len(e.Body)+len(e.JSON) > maxListed {
				e.Body, e.JSON = nil, nil
			}
			list = append(list, *e)
		}
		return nil
	})
	if !how.Stopped && len(list) < limit {
		next = 0
	}
	return list, next, err
}

// Event is one event with all that is kept of it.
func (s *Service) Event(ctx context.Context, id event.ID) (detail EventDetail, err error) {
	e, err := s.store.Event(ctx, id)
	if err != nil {
		return detail, missing(err, "there is no event %s: "+gone, id)
	}
	items, err := s.eventItems(ctx, []event.Event{e}, true)
	if err != nil {
		return detail, err
	}
	detail = detailOf(items[0], &e)
	if detail.SameKey, err = s.sameKey(ctx, &items[0]); err != nil {
		return detail, fmt.Errorf("cannot list what has the keys of %s: %w", e.ID, err)
	}
	if detail.Replays, err = s.replaysOf(ctx, e.ID); err != nil {
		return detail, fmt.Errorf("cannot list the replays of %s: %w", e.ID, err)
	}
	if detail.JudgedBy, detail.Why = s.why(ctx, &e); detail.Why != nil && bytes.HasPrefix(detail.Data, []byte("{")) {
		if set, _, err := s.ruleSet(ctx, e.Plan); err == nil {
			detail.Test = testOf(set, &e, "", nil, false)
		}
	}
	return detail, nil
}

// sameKey are the events next to one that share an ordering key with it.
func (s *Service) sameKey(ctx context.Context, item *Event) (list []SameKey, err error) {
	for i := range item.Deliveries {
		key := item.Deliveries[i].Key
		if key == "" || len(list) == keysOfEvent || slices.ContainsFunc(list, func(k SameKey) bool { return k.Key == key }) {
			continue
		}
		same := SameKey{Key: key}
		earlier, err := s.ofKey(ctx, event.Filter{Key: key, Before: item.ID, Limit: earlierOfKey + 1})
		if err != nil {
			return nil, err
		}
		if same.More = len(earlier) > earlierOfKey; same.More {
			earlier = earlier[:earlierOfKey]
		}
		same.Earlier = earlier
		if same.Later, err = s.ofKey(ctx, event.Filter{Key: key, After: item.ID, Limit: laterOfKey, OldestFirst: true}); err != nil {
			return nil, err
		}
		if len(same.Earlier)+len(same.Later) > 0 {
			list = append(list, same)
		}
	}
	return list, nil
}

func (s *Service) ofKey(ctx context.Context, f event.Filter) ([]Event, error) {
	list, err := s.store.Events(ctx, f)
	if err != nil {
		return nil, err
	}
	return s.eventItems(ctx, list, false)
}

// why explains an event by the rules that judged it; nil where none saw it.
func (s *Service) why(ctx context.Context, e *event.Event) (*JudgedBy, []rules.Trace) {
	if len(e.Results) == 0 {
		return nil, nil
	}
	set, version, err := s.ruleSet(ctx, e.Plan)
	if err != nil && !errors.Is(err, ErrNoSource) {
		s.opt.Logger.WarnContext(ctx, "an event cannot be explained", "event", e.ID, "error", err)
	}
	by := &JudgedBy{
		Config: configOf(version), Since: version.Created, InForce: e.Plan == s.inForce().Plan.ID, Known: set != nil,
	}
	if set == nil {
		return by, nil
	}
	by.Gone = set.Gone
	answers, err := s.answers(ctx, e)
	if err != nil {
		s.opt.Logger.WarnContext(ctx, "the steps of an event cannot be read", "event", e.ID, "error", err)
	}
	return by, set.ExplainWith(e, answers)
}

// answers are what the event's deliveries were answered, by their names; nil where
// none of them stands in a chain.
func (s *Service) answers(ctx context.Context, e *event.Event) (map[string]lang.Answer, error) {
	list, err := s.store.Deliveries(ctx, event.DeliveryFilter{Event: e.ID, OldestFirst: true, Limit: 1000})
	if err != nil || !slices.ContainsFunc(list, func(d event.Delivery) bool { return d.Flow != 0 }) {
		return nil, err
	}
	answers := map[string]lang.Answer{}
	var delivered []event.DeliveryID
	for i := range list {
		d := &list[i]
		switch d.State {
		case event.Delivered:
			delivered = append(delivered, d.ID)
			answers[d.Name()] = lang.Answer{}
		case event.Failed:
			answers[d.Name()] = lang.Answer{Failed: true, Error: d.Error}
		case event.Cancelled:
			answers[d.Name()] = lang.Answer{Cancelled: true}
		case event.Waiting, event.Sending, event.Retrying, event.Held, event.Scheduled:
			delete(answers, d.Name()) // of a replay that is under way
		}
	}
	attempts, err := s.store.Attempts(ctx, delivered...)
	for i := range attempts {
		at := slices.IndexFunc(list, func(d event.Delivery) bool { return d.ID == attempts[i].Delivery })
		if _, known := answers[list[at].Name()]; !known || attempts[i].Error != "" {
			continue
		}
		answers[list[at].Name()] = lang.Answer{Outputs: rules.OutputValues(attempts[i].Outputs)}
	}
	return answers, err
}

// Intake accepts events.
type Intake interface {
	Accept(plan *ingest.Plan, r *ingest.Request) (ingest.Ack, error)
	Release(e *event.Event, plan *ingest.Plan, now time.Time) (ingest.Ack, error)
	// WouldRelease is Release, but that nothing is stored.
	WouldRelease(e *event.Event, plan *ingest.Plan, now time.Time) (event.Event, []event.Delivery, error)
}

// Accepted is the answer to a post of an event.
type Accepted struct {
	ID event.ID `json:"id"`
}

// KeptError is why nothing was done for an event that is stored all the same.
type KeptError struct {
	ID    event.ID
	Cause error
}

func (e *KeptError) Error() string { return e.Cause.Error() }

// Unwrap gives the cause.
func (e *KeptError) Unwrap() error { return e.Cause }

// Sending is an event by hand.
type Sending struct {
	Source      string // or form
	ContentType string
	Headers     map[string]string // besides; of a type that is told there
	Body        []byte
	// Fresh says that it is no repeat of anything: a sample is the same each time.
	Fresh bool
}

// Send accepts a body as if the source's sender, or the form's visitor, had
// sent it, without authentication. Of a schedule an empty body makes the event
// that the clock would make now.
func (s *Service) Send(_ context.Context, in Sending) (Accepted, error) {
	plan := s.inForce().Plan
	form := plan.Forms[in.Source]
	if plan.Sources[in.Source] == nil && form == nil {
		return Accepted{}, &NotFoundError{fmt.Sprintf("there is no source or form %q", in.Source)}
	}
	if src := plan.Sources[in.Source]; src != nil && src.Schedule() != nil && len(in.Body) == 0 {
		in.ContentType, in.Body = "application/json", src.Schedule().Data(s.opt.Now(), 0)
	}
	headers := map[string]string{"content-type": in.ContentType}
	maps.Copy(headers, in.Headers)
	r := &ingest.Request{
		Request: source.Request{Method: "POST", ContentType: in.ContentType, Body: slices.Clone(in.Body), Now: s.opt.Now()},
		Source:  in.Source, Headers: headers, Sample: &ingest.Sample{Stored: true, Fresh: in.Fresh},
	}
	if form != nil && form.TakesFiles() && strings.HasPrefix(in.ContentType, "multipart/form-data") {
		r.Stream, r.Body = bytes.NewReader(r.Body), nil
	}
	ack, err := s.opt.Intake.Accept(plan, r)
	switch {
	case err != nil && ack.ID != 0:
		err = &KeptError{ack.ID, err}
	case len(ack.Form.Problems) > 0:
		err = &RefusedError{"the form refuses it, and nothing is kept: " + (&ingest.RefusedError{Problems: ack.Form.Problems}).Error()}
	}
	return Accepted{ID: ack.ID}, err
}

// Samples lists what can be sent to a source or form to try it, the usual one
// first.
func (s *Service) Samples(_ context.Context, name string) ([]samples.Sample, error) {
	list, err := samples.For(s.inForce().Plan, name)
	if errors.Is(err, ingest.ErrNoSource) {
		return nil, &NotFoundError{fmt.Sprintf("there is no source or form %q", name)}
	}
	if src := s.inForce().Plan.Sources[name]; src != nil && src.Schedule() != nil { // the clock makes it now
		list[0].Body = string(src.Schedule().Data(s.opt.Now(), 0))
	}
	return list, err
}

// eventItems presents events with their deliveries. The details are the outputs and
// all attempts; without them each delivery has its last attempt.
func (s *Service) eventItems(ctx context.Context, list []event.Event, details bool) ([]Event, error) {
	items := make([]Event, len(list))
	var asked []event.ID
	for i := range list {
		e := &list[i]
		items[i] = eventOf(e)
		// A matching rule makes deliveries, and a form's own reply is one.
		if e.State == event.Routed || e.Form && (e.State == event.NoMatch || e.State == event.RuleError) {
			asked = append(asked, e.ID)
		}
	}
	made, err := s.deliveriesOf(ctx, asked, details)
	if err != nil {
		return nil, err
	}
	of := map[event.ID][]Delivery{}
	for i := range made {
		of[made[i].Event] = append(of[made[i].Event], made[i])
	}
	if !details { // in a list, only of what would else seem to have come to nothing
		asked = slices.DeleteFunc(asked, func(id event.ID) bool { return len(of[id]) > 0 })
	}
	gathered, err := s.gatheredIn(ctx, asked)
	if err != nil {
		return nil, err
	}
	for i := range items {
		items[i].Deliveries, items[i].Digests = of[items[i].ID], gathered[items[i].ID]
	}
	return items, nil
}

// deliveriesOf presents the newest MaxLimit deliveries of each event. They are read at
// once, and in halves where those of some may have left no room for those of others: so
// that no more than MaxLimit of them are held with what they send.
func (s *Service) deliveriesOf(ctx context.Context, ids []event.ID, details bool) ([]Delivery, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	list, err := s.store.DeliveriesOf(ctx, ids, MaxLimit)
	if err != nil {
		return nil, fmt.Errorf("cannot list the deliveries of events: %w", err)
	}
	if len(list) < MaxLimit || len(ids) == 1 {
		return s.deliveryItems(ctx, list, details)
	}
	newer, err := s.deliveriesOf(ctx, ids[:len(ids)/2], details)
	if err != nil {
		return nil, err
	}
	older, err := s.deliveriesOf(ctx, ids[len(ids)/2:], details)
	return append(newer, older...), err
}

func eventOf(e *event.Event) Event {
	item := Event{
		ID:      e.ID,
		Time:    e.ReceivedAt.UTC(),
		Source:  e.Source,
		Type:    e.Type,
		Summary: Summary(e.Data()),
		State:   e.State,
		Cause:   e.Cause,
		New:     e.Form && !e.Read && slices.Contains(event.JudgedStates(), e.State),
	}
	if e.Form {
		item.Excerpt = Excerpt(e.Data())
	}
	if e.DuplicateOf != 0 {
		item.DuplicateOf = &e.DuplicateOf
	}
	item.Rules = verdicts(e.Verdicts)
	return item
}

func verdicts(list []event.Verdict) []Verdict {
	var out []Verdict
	for _, v := range list {
		out = append(out, Verdict{Rule: v.Rule, Result: resultWord(v.Result), Message: v.Message})
	}
	return out
}

// resultWord is what a rule's result is called in answers.
func resultWord(r event.Result) string {
	switch r {
	case event.Matched:
		return "match"
	case event.NotMatched:
		return "no"
	case event.Skipped:
		return "skipped"
	case event.RuleFailed:
		return "error"
	default:
		return "unknown"
	}
}

func detailOf(item Event, e *event.Event) EventDetail {
	d := EventDetail{Event: item, Request: e.Request}
	if utf8.Valid(e.Body) {
		d.Body = string(e.Body)
	} else {
		d.Base64 = e.Body
	}
	// A rejected event may have a body that is no JSON; it is shown as Body.
	// Compacting also checks it: what is not JSON would spoil the whole answer.
	var compact bytes.Buffer
	if data := e.Data(); len(data) > 0 && json.Compact(&compact, data) == nil {
		d.Data = compact.Bytes()
	}
	return d
}
