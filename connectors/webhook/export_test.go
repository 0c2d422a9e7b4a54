package webhook

import (
	"net/http"

	"hookgate/connectors"
)

// SoleJSON is for the fuzz targets and tables of the tests.
var SoleJSON = soleJSON

// NewSigner is a function that signs with key.
func NewSigner(key []byte) func(id, timestamp string, body []byte) string { return newSigner(key).sign }

// WithTransport is a webhook connector whose requests go to transport.
func WithTransport(c connectors.Connector, transport http.RoundTripper) connectors.Connector {
	w := *c.(*connector)
	w.transport = transport
	return &w
}
