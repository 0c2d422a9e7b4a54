package ingest

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"net/url"

	"hookgate/app/ingest/source"
	"hookgate/forms"
	"hookgate/internal/body"
	"hookgate/internal/event"
)

// maxRejected is how many bytes of a body are kept that was not understood.
const maxRejected = 1 << 20

// reject keeps a request that was not understood.
func (in *Intake) reject(e *event.Event, raw []byte, cause error) (Ack, error) {
	var fault *body.Error
	if !errors.As(cause, &fault) {
		return Ack{}, cause
	}
	e.State, e.Cause = event.Rejected, fault.Message
	e.Body = raw[:min(len(raw), maxRejected)]
	e.JSON = []byte("{}")
	in.logger.Warn("a request was rejected and kept", "source", e.Source, "event", e.ID, "cause", fault.Message)
	ack, err := in.keep(e)
	if err != nil {
		return ack, err
	}
	return ack, fault
}

// rejectPost is reject for what a visitor posted: of that only so much is kept.
func (in *Intake) rejectPost(e *event.Event, f *forms.Form, raw []byte, cause error) (Ack, error) {
	if !in.quotas.take("rejected posts of "+f.Name, int64(min(len(raw), maxRejected)), f.Quota()/rejectedShare, e.ReceivedAt) {
		raw = nil
		in.logger.Warn("the body of a post that could not be read is not kept: the form's quota of the day for such posts is used up", "source", e.Source, "event", e.ID)
	}
	return in.reject(e, raw, cause)
}

// keep stores an event that no rule sees.
func (in *Intake) keep(e *event.Event) (Ack, error) {
	if _, err := in.store.Accept(e, nil); err != nil {
		return Ack{}, fmt.Errorf("store event: %w", err)
	}
	in.observe(e.Source, e.State)
	return Ack{ID: e.ID, State: e.State}, nil
}

// dedupe is how a repeat of the event is recognised; nil: not at all. Keys are
// hashed: they are as short as they can be, and the sender's id stays private.
// The URL's query counts as a part of the body: in a GET it is all there is.
func dedupe(src *source.Source, senderID string, raw []byte, query string) *event.Dedupe {
	window, byBody := src.Dedupe()
	if window <= 0 || (!byBody && senderID == "") {
		return nil
	}
	what, kind := []byte(senderID), "id:"
	if byBody {
		what, kind = raw, "body:"
		if query != "" {
			kind = fmt.Sprintf("body %d %s:", len(query), query)
		}
	}
	return &event.Dedupe{Key: digest(kind, what), Window: window}
}

// digest is a short hash.
func digest(kind string, what []byte) string {
	sum := sha256.Sum256(append([]byte(kind), what...))
	return hex.EncodeToString(sum[:16])
}

// sameBytes reports whether a and b are the same memory.
func sameBytes(a, b []byte) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
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

// WithSaid adds the instructions of a form post to the query, where rules and
// templates find them, now and at a replay. They win over the URL's.
func WithSaid(query, said map[string]any) map[string]any {
	if len(said) == 0 {
		return query
	}
	if query == nil {
		query = make(map[string]any, len(said))
	}
	maps.Copy(query, said)
	return query
}
