package event

import (
	"encoding/json"
	"time"
)

// AuditID numbers a record of something that was done by hand, in the same
// space as ID.
type AuditID int64

func (id AuditID) String() string { return encode("aud_", int64(id)) }

// MarshalText makes IDs appear in JSON as users know them.
func (id AuditID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (id *AuditID) UnmarshalText(text []byte) error {
	n, err := decode("aud_", string(text))
	*id = AuditID(n)
	return err
}

// Time is when the ID was made, to the millisecond.
func (id AuditID) Time() time.Time { return ID(id).Time() }

// EraseAction is the Action of what deletes all of a person.
const EraseAction = "forget"

// Audit is a record of something that was done by hand. It holds nothing of
// what was deleted, nor whose it was.
type Audit struct {
	ID     AuditID
	Action string
	Detail json.RawMessage // an object
}
