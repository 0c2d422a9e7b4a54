package ingest

import (
	"encoding/json"
	"slices"
	"sync"
	"time"

	"hookgate/app/ingest/source"
	"hookgate/internal/event"
)

// signalEvery is how often at most is told of what any sender can bring about.
// What comes between is counted in memory, for it must not double what a flood
// makes the database write.
const signalEvery = time.Minute

// Tell makes the event of a due signal, and stores it in the transaction that
// takes the signal as told: false where somebody else has told of it. Without
// data, or where no rule listens to it any more, nothing is stored.
func (in *Intake) Tell(plan *Plan, signal *event.Signal, data []byte, now time.Time) (told bool, err error) {
	if data == nil || !plan.Rules.Listens(event.Own, signal.Name) {
		told, _, err = in.store.Tell(signal, nil, nil)
		return told, err
	}
	d := in.own(plan, event.Own, data, now)
	defer d.Close()
	var connections []string
	err = in.judged(d, func() (err error) {
		told, connections, err = in.store.Tell(signal, &d.Event, d.Deliveries)
		return err
	})
	if err == nil && told {
		in.stored(d, connections)
	}
	return err == nil && told, err
}

// Tick makes the event of a schedule's tick of this data, and stores it in the
// transaction that changes the schedule's timer: false where somebody else has.
// Without data only the timer is changed, and the signals are noted.
func (in *Intake) Tick(plan *Plan, before, after *event.Timer, data []byte, signals []event.Signal, now time.Time) (ticked bool, err error) {
	if data == nil {
		ticked, _, err = in.store.Tick(before, after, nil, nil, signals)
		return ticked, err
	}
	d := in.own(plan, before.Name, data, now)
	defer d.Close()
	in.signal(d)
	var connections []string
	err = in.judged(d, func() (err error) {
		ticked, connections, err = in.store.Tick(before, after, &d.Event, d.Deliveries, slices.Concat(signals, d.Event.Signals))
		return err
	})
	if err == nil && ticked {
		in.stored(d, connections)
	}
	return err == nil && ticked, err
}

// own decides on an event that hookgate makes itself.
func (in *Intake) own(plan *Plan, from string, data []byte, now time.Time) *Decision {
	d := in.decide(plan, &Request{
		Request: source.Request{Method: "POST", ContentType: "application/json", Body: data, Now: now},
		Source:  from, Headers: map[string]string{"content-type": "application/json"}, Sample: &Sample{Stored: true},
	})
	in.report(d)
	return d
}

// judged stores a decision, which is judged again as often as a record that it
// has read is another by then.
func (in *Intake) judged(d *Decision, store func() error) error {
	for tries := 0; ; tries++ {
		err := d.unread()
		if err == nil {
			err = store()
		}
		if err == nil || !in.judgeAgain(d, err, tries) {
			return err
		}
	}
}

// stored tells of an event that was stored, and of what is to be sent of it.
func (in *Intake) stored(d *Decision, connections []string) {
	for _, c := range connections {
		in.dispatcher.Poll(c)
	}
	in.observe(d.Event.Source, d.Event.State)
}

// Untold hands out what was counted since it was last told of.
func (in *Intake) Untold(now time.Time) []event.Signal { return in.signals.due(now) }

// signal adds to the event what rules of source Own are to be told of it. What
// comes of hookgate's own events is told to nobody, or it would go round.
func (in *Intake) signal(d *Decision) {
	e, set := &d.Event, d.plan.Rules
	if e.Source == event.Own || !set.ListensTo(event.Own) {
		return
	}
	note := func(key string, t source.Told) {
		if !set.Listens(event.Own, t.Type) {
			return
		}
		t.Event, t.Source, t.EventType = e.ID.String(), e.Source, e.Type
		if s := in.signals.note(key, &t, e.ReceivedAt); s != nil {
			e.Signals = append(e.Signals, *s)
		}
	}
	if e.State == event.Rejected {
		note(e.Source, source.Told{Type: event.EventRejected, Error: e.Cause})
	}
	for _, v := range e.Errors {
		note(e.Source, source.Told{Type: event.RuleFailedToJudge, Rule: v.Rule, Error: v.Message})
	}
	for i := range d.Deliveries {
		if made := &d.Deliveries[i]; made.State == event.Failed {
			note(made.Name(), source.Told{
				Type: event.DeliveryFailed, Delivery: made.ID.String(), Rule: made.Rule, Action: made.Name(), Connection: made.Connection, Error: made.Error,
			})
		}
	}
}

// signals are what this process has noted of floods. The zero value is ready
// for use.
type signals struct {
	mu   sync.Mutex
	seen map[[2]string]*counted
}

// counted is what came since a signal was noted.
type counted struct {
	until time.Time
	count int
	first source.Told
}

// note gives the signal of what has happened; nil: one was noted within
// signalEvery, and this is counted.
func (s *signals) note(key string, t *source.Told, now time.Time) *event.Signal {
	s.mu.Lock()
	defer s.mu.Unlock()
	name := [2]string{t.Type, key}
	if of := s.seen[name]; of != nil && now.Before(of.until) {
		if of.count++; of.count == 1 {
			of.first = *t
		}
		return nil
	}
	if s.seen == nil {
		s.seen = map[[2]string]*counted{}
	}
	s.seen[name] = &counted{until: now.Add(signalEvery)}
	return signalOf(key, t, 1)
}

// due are the signals of what was counted while others rested, and forgets the
// rest. Those whose time has come are noted anew, for as long.
func (s *signals) due(now time.Time) []event.Signal {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []event.Signal
	for name, of := range s.seen {
		switch {
		case now.Before(of.until):
		case of.count == 0:
			delete(s.seen, name)
		default:
			list = append(list, *signalOf(name[1], &of.first, of.count))
			s.seen[name] = &counted{until: now.Add(signalEvery)}
		}
	}
	return list
}

func signalOf(key string, t *source.Told, n int) *event.Signal {
	value, err := json.Marshal(t)
	if err != nil { // texts and numbers always have a form in JSON
		value = []byte(`{}`)
	}
	return &event.Signal{Name: t.Type, Key: key, Value: value, Count: n, Rest: signalEvery}
}
