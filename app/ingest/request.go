package ingest

import (
	"fmt"
	"io"
	"net/url"
	"time"

	"hookgate/app/ingest/source"
	"hookgate/forms"
	"hookgate/internal/body"
	"hookgate/internal/event"
)

// Request is an inbound HTTP request as the web layer hands it over. Nothing
// in it may point into a buffer that the server will use again.
type Request struct {
	source.Request
	Source   string   // the source or form that it is sent to
	ID       event.ID // of the event to be; Accept gives it one
	RemoteIP string
	Headers  map[string]string // lower-case names; those of Plan.KeepsHeader
	RawQuery string
	// Stream is the body of a form post with files, while it comes in; then
	// there is no Body. Its errors are passed on as they are.
	Stream io.Reader
	// Grow takes so many bytes of the memory that all requests share, beyond
	// what the Body was found to need; false: there are none. nil: nobody counts.
	Grow func(bytes int64) bool
	// Records is where kept tables are looked up; nil: they are empty.
	Records Records
	// Judging is told the type of the event before the rules are asked; nil: nobody is.
	Judging func(typ string)
	// Sample is set where nobody has sent the request.
	Sample *Sample

	// posted is what was read of Stream, and unread why it ended early.
	posted []body.Field
	unread error
}

// grow takes memory by Grow. Its error is a *BusyError.
func (r *Request) grow(bytes int64) error {
	if r.Grow == nil || bytes <= 0 || r.Grow(bytes) {
		return nil
	}
	return &BusyError{RetryAfter: busyFor}
}

// fields are the fields of a visitor's post.
func (r *Request) fields(f *forms.Form, limits body.Limits) ([]body.Field, error) {
	if r.Stream != nil {
		return r.posted, r.unread
	}
	if r.Sample != nil && r.Sample.Fields != nil {
		return r.Sample.change(f, r.Sample.Fields)
	}
	limit := f.Limits()
	limit.Size = min(limit.Size, limits.Size)
	posted, err := body.Fields(body.Input{ContentType: r.ContentType, ContentEncoding: r.ContentEncoding, Raw: r.Body}, limit)
	if err != nil || r.Sample == nil {
		return posted, err
	}
	return r.Sample.change(f, posted)
}

// query decodes a URL's query: a text for each name, or a list of texts where
// a name is repeated. What breaks the syntax is left out.
func query(raw string) map[string]any {
	if raw == "" {
		return nil
	}
	values, _ := url.ParseQuery(raw)
	decoded := make(map[string]any, len(values))
	for name, all := range values {
		if len(all) == 1 {
			decoded[name] = all[0]
			continue
		}
		list := make([]any, len(all))
		for i, v := range all {
			list[i] = v
		}
		decoded[name] = list
	}
	return decoded
}

// Ack says what became of a request.
type Ack struct {
	ID          event.ID // for a duplicate: the first one's, which both senders are told; 0: nothing was stored
	State       event.State
	DuplicateOf event.ID
	Handshake   *source.Answer // the sender only tries the address, and nothing was stored; nil for events
	// Form is what a form made of a post to it. With Problems nothing was
	// stored; Spam was stored as such.
	Form forms.Result
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
