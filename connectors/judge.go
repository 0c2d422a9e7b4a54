package connectors

import "hookgate/internal/event"

// Judge is a Connector whose receiver answers by HTTP, so that it can be asked what an
// answer means. It calls nobody.
type Judge interface {
	Connector
	// Judge tells what comes of a delivery each of whose requests is answered so, as
	// Deliver does.
	Judge(d event.Delivery, a Answer) (event.Receipt, error)
}
