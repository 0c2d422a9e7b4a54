package ui

import (
	"hookgate/app/admin"
	"hookgate/internal/event"
)

// mark shows a state: a word and an icon of a shape of its own, so that colour
// never tells it alone.
type mark struct{ Class, Icon, Word string }

// eventMarks are the states of events that reached no delivery, or none that
// says more.
var eventMarks = map[event.State]mark{
	event.Routed:    {"ok", "ok", "Routed"},
	event.NoMatch:   {"idle", "none", "No match"},
	event.RuleError: {"bad", "bad", "Rule error"},
	event.Rejected:  {"bad", "ban", "Rejected"},
	event.Duplicate: {"idle", "dup", "Duplicate"},
	event.Spam:      {"warn", "spam", "Spam"},
}

// deliveryMarks are the states of deliveries.
var deliveryMarks = map[event.DeliveryState]mark{
	event.Waiting:   {"run", "wait", "Waiting"},
	event.Sending:   {"run", "sending", "Sending"},
	event.Retrying:  {"warn", "retry", "Retrying"},
	event.Delivered: {"ok", "ok", "Delivered"},
	event.Failed:    {"bad", "bad", "Failed"},
	event.Held:      {"hold", "hold", "Held"},
	event.Scheduled: {"run", "wait", "Scheduled"},
	event.Cancelled: {"idle", "ban", "Cancelled"},
}

// connectionMarks are the states of connections, by their words in the API.
var connectionMarks = map[string]mark{
	"ok":      {"ok", "ok", "OK"},
	"failing": {"warn", "warn", "Failing"},
	"open":    {"bad", "bad", "Left alone"},
	"paused":  {"hold", "hold", "Paused"},
	"closed":  {"idle", "wait", "Closed"},
}

// stateWord is what the pages call a state of an event, a delivery or a retry; what is
// none stays as it is.
func (l language) stateWord(state string) string {
	m, known := deliveryMarks[event.DeliveryState(state)]
	if !known {
		m, known = eventMarks[event.State(state)]
	}
	if !known {
		m, known = retryMarks[event.RetryState(state)]
	}
	if !known {
		return state
	}
	return l.text(m.Word)
}

// worst are the states of deliveries that an event's own state gives way to,
// the worst first: what a person has to look after comes before what is well.
var worst = []event.DeliveryState{
	event.Failed, event.Retrying, event.Held, event.Sending, event.Waiting, event.Scheduled, event.Cancelled, event.Delivered,
}

// EventState is what became of an event: where it was routed, the worst of its
// deliveries.
func (v *view) EventState(e admin.Event) mark {
	m, known := eventMarks[e.State]
	if !known {
		m = mark{"idle", "none", string(e.State)}
	}
	for _, state := range worst {
		for i := range e.Deliveries {
			if e.Deliveries[i].State == state && (e.State == event.Routed || e.State == event.NoMatch) {
				return v.DeliveryState(state)
			}
		}
	}
	m.Word = v.T(m.Word)
	return m
}

// DeliveryState shows the state of a delivery.
func (v *view) DeliveryState(s event.DeliveryState) mark {
	m, known := deliveryMarks[s]
	if !known {
		m = mark{"idle", "none", string(s)}
	}
	m.Word = v.T(m.Word)
	return m
}

// ConnectionState shows the state of a connection.
func (v *view) ConnectionState(s string) mark {
	m, known := connectionMarks[s]
	if !known {
		m = mark{"idle", "none", s}
	}
	m.Word = v.T(m.Word)
	return m
}
