package event

// Footprint counts what is stored of some events: what a deletion takes away.
type Footprint struct {
	Events     int
	Deliveries int
	Open       int // of the deliveries: those that have not ended
	Files      int
	Bytes      int64 // of the files
}

// Add sums up two footprints.
func (t Footprint) Add(o Footprint) Footprint {
	return Footprint{
		Events: t.Events + o.Events, Deliveries: t.Deliveries + o.Deliveries, Open: t.Open + o.Open,
		Files: t.Files + o.Files, Bytes: t.Bytes + o.Bytes,
	}
}
