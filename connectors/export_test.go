package connectors

import "net/http"

// What the fuzz targets and tables of the black-box tests reach for.
var (
	ParseRetryAfter = parseRetryAfter
	EscapeSlack     = escapeSlack
	UnescapeSlack   = unescapeSlack
	Excerpt         = excerpt
	SoleJSON        = soleJSON
	EscapeAddress   = escapeAddress
)

// NewMemory is a Memory of this process alone.
func NewMemory() Memory { return &ownMemory{} }

// MaxAnswer is the limit of an answer.
const MaxAnswer = maxAnswer

// NewSigner is a function that signs with key.
func NewSigner(key []byte) func(id, timestamp string, body []byte) string { return newSigner(key).sign }

// WithTransport is a webhook connector whose requests go to transport.
func WithTransport(c Connector, transport http.RoundTripper) Connector {
	w := *c.(*webhook)
	w.transport = transport
	return &w
}
