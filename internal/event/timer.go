package event

import "time"

// TimerKind says what happens when a Timer is due.
type TimerKind int

// The kinds of timers, as they are stored.
const (
	MomentTimer TimerKind = 1 // a scheduled delivery's moment; its ID is the delivery's
	DigestTimer TimerKind = 2 // a digest closes
	JoinTimer   TimerKind = 3 // what comes after several deliveries is looked at
	TickTimer   TimerKind = 4 // a schedule makes its next event
	FollowTimer TimerKind = 5 // what comes after a result has still to be made
)

// Timer is something that has its time in the future. Kind, Name and Key name
// it. Whoever does what it stands for compares it, as it was read, in the
// transaction that does it.
type Timer struct {
	ID    int64 // in the space of event.ID
	Kind  TimerKind
	Name  string
	Key   string
	Due   time.Time
	Count int64
	Value []byte
}

// Opening is what becomes of a scheduled delivery at its moment: by its State
// it is opened (Waiting), ended (Failed or Cancelled, with the reason as its
// Error), or moved (Scheduled, to its Moment).
type Opening struct {
	Timer    Timer // as it was read
	Delivery Delivery
	Rendered bool    // key, output and warnings are new
	Signal   *Signal // noted with it; nil: nobody wants to be told
}

// ClockState is what is known of the clock that moments are compared with.
type ClockState struct {
	// Held: it showed To where it ought to have shown From, so that nothing
	// that is scheduled is opened.
	Held     bool
	From, To time.Time
	Accepted time.Time // when somebody said last that it is right; zero: never
	Seen     time.Time // when the gateway ran last, to an hour; zero: never
}

// Words say for people what a moment comes from: "7d later, then office".
func (w *Wait) Words() string {
	text := ""
	switch {
	case w == nil:
		return ""
	case w.Delay != "":
		text = w.Delay + " later"
	case w.Until:
		text = "as delay_until says"
	}
	switch {
	case w.During == "":
	case text == "":
		text = "when " + w.During + " is open"
	default:
		text += ", then " + w.During
	}
	return text
}

// MomentText writes a moment for people who look at it now: "Tue 7 Apr 09:00",
// with the seconds where it is soon, and the year where that is another one.
func MomentText(at, now time.Time) string {
	layout := "Mon 2 Jan 15:04"
	switch {
	case at.Sub(now).Abs() < 10*time.Minute:
		layout += ":05"
	case at.Year() != now.Year():
		layout = "Mon 2 Jan 2006 15:04"
	}
	return at.Format(layout)
}
