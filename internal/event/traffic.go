package event

// TrafficOf says whose traffic is counted.
type TrafficOf int

// What a TrafficCount is about; the numbers are stored.
const (
	FromSource   TrafficOf = 1 // events of a source or form, by their State
	ToConnection TrafficOf = 2 // attempts of a connection: Delivered or Failed
)

// TrafficCount counts what came in from one source, or went to one connection,
// within a slot, by how that ended.
type TrafficCount struct {
	Of     TrafficOf
	Name   string
	Slot   int64  // see HealthSlotAt
	Result string // a State, or Delivered or Failed
	Count  int
}
