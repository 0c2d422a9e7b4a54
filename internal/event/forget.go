package event

// Footprint counts what is stored of some events: what a deletion takes away.
type Footprint struct {
	Events     int
	Deliveries int
	Open       int // of the deliveries: those that have not ended
	Files      int
	Bytes      int64 // of the files
}

// Named counts what stands under a text or holds it, beside events.
type Named struct {
	Memory  int // what connections remember under it
	Records int // records of kept tables that hold it
	Runs    int // of replays, that were selected by it
}

// Add sums up two footprints.
func (t Footprint) Add(o Footprint) Footprint {
	return Footprint{
		Events: t.Events + o.Events, Deliveries: t.Deliveries + o.Deliveries, Open: t.Open + o.Open,
		Files: t.Files + o.Files, Bytes: t.Bytes + o.Bytes,
	}
}
