package event

import "time"

// Progress is what is known of one of the deliveries that come after each other:
// those of one rule's actions for one event, or for one element of it.
type Progress struct {
	State   DeliveryState
	Outputs map[string]Output // of one that was delivered
	Error   string            // of the last attempt, or why it could not be rendered
}

// InOrder is the progress of deliveries in the order of their ids; nil: it is not made.
func InOrder(ids []DeliveryID, made map[DeliveryID]*Progress) (list []*Progress) {
	for _, id := range ids {
		list = append(list, made[id])
	}
	return list
}

// Following is what comes after a delivery that has ended. It is made in one
// transaction that compares the Timer; what there is already is left as it is.
type Following struct {
	Timer Timer // as it was read
	Of    Delivery
	// Next are the deliveries that are made: by their State they are opened
	// (Waiting), scheduled, or have ended at once; the Record of one that is Delivered
	// is written. A signal goes with one that failed and that somebody wants to be told
	// of.
	Next    []Delivery
	Signals []Signal
	Again   time.Time // the rules cannot be used now: it is tried again then; zero: they can
}

// branchBits is where the branch stands in a Flow.
const branchBits = 4

// InBranch is f for a delivery of a rule whose branch with the number, from 1, is
// taken; 0: none is.
func (f Flow) InBranch(number int) Flow { return f | Flow(number)<<branchBits }

// Branch is the number of the branch, from 1, that the rule took for the event; 0:
// none.
func (f Flow) Branch() int { return int(f >> branchBits) }
