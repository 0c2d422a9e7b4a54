package ingest

import (
	"encoding/json"
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
	d := in.decide(plan, &Request{
		Request: source.Request{Method: "POST", ContentType: "application/json", Body: data, Now: now},
		Source:  event.Own, Headers: map[string]string{"content-type": "application/json"}, Sample: &Sample{Stored: true},
	})
	defer d.Close()
	in.report(d)
	var connections []string
	for tries := 0; ; tries++ {
		if err = d.unread(); err == nil {
			told, connections, err = in.store.Tell(signal, &d.Event, d.Deliveries)
		}
		if err == nil || !in.judgeAgain(d, err, tries) {
			break
		}
	}
	if err != nil || !told {
		return false, err
	}
	for _, c := range connections {
		in.dispatcher.BacklogAdded(c)
	}
	in.observe(event.Own, d.Event.State)
	return true, nil
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
