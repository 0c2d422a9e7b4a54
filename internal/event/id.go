package event

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
)

// ID numbers an event. It is a positive 63-bit integer that grows with time:
// 42 bits of milliseconds since epoch, 10 bits of the node that made it, 11
// bits of sequence. Integers keep the tables small and append-only; the time
// in them makes retention a range; and they never start again with a new
// database, which receivers' idempotency keys rely on.
type ID int64

// DeliveryID numbers a delivery in the same space as ID. The deliveries that
// are made when an event is accepted have consecutive numbers.
type DeliveryID int64

const (
	nodeBits     = 10
	sequenceBits = 11
	timeShift    = nodeBits + sequenceBits

	// Nodes is the number of distinct node numbers an IDSource can have.
	Nodes = 1 << nodeBits
)

// epoch is where IDs count from: 2024-01-01 UTC, in Unix milliseconds.
const epoch = 1704067200000

// ErrBadID reports a text that is no ID of the wanted kind.
var ErrBadID = errors.New("not a valid id")

// digits is Crockford's base32 alphabet in lower case: no i, l, o, u.
const digits = "0123456789abcdefghjkmnpqrstvwxyz"

func (id ID) String() string         { return encode("evt_", int64(id)) }
func (id DeliveryID) String() string { return encode("dlv_", int64(id)) }

// MarshalText makes IDs appear in JSON as users know them.
func (id ID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// MarshalText makes IDs appear in JSON as users know them.
func (id DeliveryID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (id *ID) UnmarshalText(text []byte) (err error) {
	*id, err = ParseID(string(text))
	return err
}

// UnmarshalText reads what MarshalText wrote.
func (id *DeliveryID) UnmarshalText(text []byte) (err error) {
	*id, err = ParseDeliveryID(string(text))
	return err
}

// ParseID reads the text form of an event's ID; the prefix may be left out.
func ParseID(text string) (ID, error) {
	n, err := decode("evt_", text)
	return ID(n), err
}

// ParseDeliveryID reads the text form of a delivery's ID; the prefix may be left out.
func ParseDeliveryID(text string) (DeliveryID, error) {
	n, err := decode("dlv_", text)
	return DeliveryID(n), err
}

// FirstIDAt is the smallest ID made at t or later: the bound for ranges by time.
func FirstIDAt(t time.Time) ID {
	ms := t.UnixMilli() - epoch
	if ms < 0 {
		return 0
	}
	return ID(ms << timeShift)
}

// Time is when the ID was made, to the millisecond.
func (id ID) Time() time.Time { return time.UnixMilli(int64(id)>>timeShift + epoch) }

func encode(prefix string, n int64) string {
	var buf [16]byte
	i := len(buf)
	for u := uint64(n); ; u >>= 5 { //nolint:gosec // ids are positive
		i--
		buf[i] = digits[u&31]
		if u < 32 {
			break
		}
	}
	return prefix + string(buf[i:])
}

func decode(prefix, text string) (int64, error) {
	var n uint64
	body := strings.ToLower(strings.TrimPrefix(text, prefix))
	if body == "" || len(body) > 13 {
		return 0, fmt.Errorf("%q: %w", text, ErrBadID)
	}
	for _, c := range []byte(body) {
		d := strings.IndexByte(digits, c)
		if d < 0 || n>>58 != 0 {
			return 0, fmt.Errorf("%q: %w", text, ErrBadID)
		}
		n = n<<5 | uint64(d)
	}
	return int64(n), nil
}

// IDSource makes IDs. It is safe for concurrent use and strictly increasing,
// also while the clock stands still or is set back.
type IDSource struct {
	mu   sync.Mutex
	last int64
	node int64
	now  func() time.Time
}

// NewIDSource makes IDs for node (0 to Nodes-1) that are greater than last.
func NewIDSource(node int, last ID, now func() time.Time) *IDSource {
	return &IDSource{last: int64(last), node: int64(node) % Nodes, now: now}
}

// Take reserves n consecutive numbers and returns the first.
func (s *IDSource) Take(n int) ID {
	s.mu.Lock()
	defer s.mu.Unlock()
	ms := s.now().UnixMilli() - epoch
	first := ms<<timeShift | s.node<<sequenceBits
	if first <= s.last { // the same millisecond, or an earlier one
		first = s.last + 1
		if first>>sequenceBits != (first+int64(n)-1)>>sequenceBits { // the sequence would run into the node's bits
			first = (s.last>>timeShift+1)<<timeShift | s.node<<sequenceBits
		}
	}
	s.last = first + int64(n) - 1
	return ID(first)
}
