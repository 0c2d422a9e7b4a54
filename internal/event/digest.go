package event

import (
	"encoding/json"
	"fmt"
	"time"
)

// DigestID numbers a digest that is open, in the space of ID: it is the number
// that is reserved for the delivery of the first event in it.
type DigestID int64

func (id DigestID) String() string { return encode("dgs_", int64(id)) }

// MarshalText makes IDs appear in JSON as users know them.
func (id DigestID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (id *DigestID) UnmarshalText(text []byte) (err error) {
	*id, err = ParseDigestID(string(text))
	return err
}

// ParseDigestID reads the text form of a digest's ID; the prefix may be left out.
func ParseDigestID(text string) (DigestID, error) {
	n, err := decode("dgs_", text)
	return DigestID(n), err
}

// MaxDigest bounds, in bytes, the data of the events in a digest: what would go
// beyond it opens the next one.
const MaxDigest = 8 << 20

// Gather is how an event joins a digest: the open one of the name and the key,
// or one that it opens.
type Gather struct {
	Delivery DeliveryID // reserved for it
	Event    ID
	Name     string // of the action
	Key      string
	Max      int // how many join one digest
	Size     int // bytes of data

	// A digest that it opens closes at Due, or at Next where that is over; where
	// both are zero, After later.
	Due, Next time.Time
	After     time.Duration
	// Latest is not 0 where each that joins moves the closing to After later, but
	// to no more than Latest after the first one.
	Latest time.Duration
	Info   DigestInfo // of a digest that it opens
}

// Closes is when a digest closes that it opens now.
func (g *Gather) Closes(now time.Time) time.Time {
	switch {
	case g.Due.IsZero():
		return now.Add(g.After)
	case g.Due.After(now):
		return g.Due
	}
	return g.Next
}

// DigestInfo is what is kept of an open digest for those who look at it. It is
// stored as JSON.
type DigestInfo struct {
	Rule       string `json:"rule"`
	Connection string `json:"connection"`
	Action     int    `json:"action"`
	Key        string `json:"key,omitempty"`
	Keyed      bool   `json:"keyed,omitempty"` // the rule has a key
	Closes     string `json:"closes"`          // by what: "cron 0 17 * * mon-fri"
}

// OpenDigest is a digest that has not been closed.
type OpenDigest struct {
	ID DigestID
	DigestInfo
	Timer  Timer // by which it closes
	Full   bool  // nothing more joins it
	Events int
	Size   int // bytes of data
}

// DigestItem is an event in a digest.
type DigestItem struct {
	Delivery DeliveryID // that was reserved for it
	Event    ID
	Place    int64 // in the order of acceptance
}

// Membership tells in which digest an event is.
type Membership struct {
	DigestItem
	Open   *OpenDigest // nil: it was closed
	Closed DeliveryID  // what was made of it; 0: it is open
	State  DeliveryState
	Others int // other events in it
	Info   DigestInfo
}

// Closing is what becomes of a digest that closes: its Delivery is that of the
// newest event in it. Without one, nothing is made of it.
type Closing struct {
	Timer    Timer // as it was read
	Delivery Delivery
	Again    time.Time // it cannot be closed now, and is looked at then; zero: it can
	Signal   *Signal   // noted with it; nil: nobody wants to be told
}

// ReadDigestInfo reads what is stored of an open digest.
func ReadDigestInfo(text []byte) (info DigestInfo, err error) {
	if err := json.Unmarshal(text, &info); err != nil {
		return info, fmt.Errorf("read what a digest is: %w", err)
	}
	return info, nil
}
