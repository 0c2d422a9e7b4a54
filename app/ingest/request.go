package ingest

import (
	"fmt"
	"io"
	"time"

	"hookgate/app/ingest/source"
	"hookgate/internal/event"
)

// Request is an inbound HTTP request as the web layer hands it over. Nothing
// in it may point into a buffer that the server will use again.
type Request struct {
	source.Request
	RemoteIP string
	Headers  map[string]string // lower-case names, without credentials: what is kept
	RawQuery string
	// Stream is the body of a form post with files, while it comes in; then
	// there is no Body. Its errors are passed on as they are.
	Stream io.Reader
}

// Ack says what became of a request that was stored.
type Ack struct {
	ID          event.ID // for a duplicate: the first one's, which both senders are told
	State       event.State
	DuplicateOf event.ID
	Challenge   string // what the sender wants to be sent back; "" for ordinary events
}

// BusyError refuses a request before anything of it is stored, because too
// many are under way: of its source (429) or altogether (503).
type BusyError struct {
	Source     bool
	RetryAfter time.Duration
}

func (e *BusyError) Error() string {
	if e.Source {
		return fmt.Sprintf("too many events from this source, try again in %s", e.RetryAfter)
	}
	return fmt.Sprintf("too many events at once, try again in %s", e.RetryAfter)
}
