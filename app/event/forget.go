package event

// Trace counts what is stored of some events: what a deletion takes away.
type Trace struct {
	Events     int
	Deliveries int
	Open       int // of the deliveries: those that have not ended
	Files      int
	Bytes      int64 // of the files
}

// Add sums up two traces.
func (t Trace) Add(o Trace) Trace {
	return Trace{
		Events: t.Events + o.Events, Deliveries: t.Deliveries + o.Deliveries, Open: t.Open + o.Open,
		Files: t.Files + o.Files, Bytes: t.Bytes + o.Bytes,
	}
}
