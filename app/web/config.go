// Package web is hookgate's HTTP side: what senders and forms post to, the
// probes, the metrics and the administration API. It alone knows Fiber; what
// leaves it is plain Go that outlives the request.
package web

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"hookgate/app/admin/access"
	"hookgate/app/ingest"
	"hookgate/app/web/api"
	"hookgate/app/web/ui"
	"hookgate/internal/event"
)

// Intake accepts events: it returns once they are committed.
type Intake interface {
	Accept(plan *ingest.Plan, r *ingest.Request) (ingest.Ack, error)
}

// Limits bound what strangers can take up. A zero field means its default.
type Limits struct {
	Connections      int   // open ones on the public listener; default 8,192
	ConnectionsPerIP int   // of them from one address that is no trusted proxy; default 512
	BodyMemory       int64 // bytes that requests take up while they are read and understood; default 48 MB
	// ReadTimeout bounds the reading of a request, its header and a body of
	// usual size; larger ones have more, see bodyTimeout. It is also what ends
	// a request that comes byte by byte. Default 10 s.
	ReadTimeout time.Duration
	// Progress is the time within which each 256 KB of a post with files have
	// to come. Default 30 s.
	Progress time.Duration
}

// Settings are the part of the configuration that may change at a reload.
type Settings struct {
	// PublicURL is server.public_url, "" if it is not set. Senders that sign
	// the URL sign this one.
	PublicURL string
	// TrustedProxies may say by X-Forwarded-For and X-Forwarded-Proto whom
	// they speak for.
	TrustedProxies []netip.Prefix
	// Location is server.timezone; nil: UTC.
	Location *time.Location
	// MaxBody is the size of a request's body in bytes that is still read.
	MaxBody int64
}

// Config is what a Server needs. All fields are required but Limits and Download.
type Config struct {
	Plan   func() *ingest.Plan // the one in force
	Intake Intake
	Admin  api.Service
	Pages  ui.Service // nil: there are no pages
	// Access lets in to /api/v1 and /metrics on the public listener, which are
	// 404 there while nobody may log in.
	Access *access.Control
	// Download opens the file that a signed link leads to: event.ErrNotFound,
	// event.ErrExpired. nil: there are none.
	Download func(ctx context.Context, id string, until time.Time, sig string) (event.File, io.ReadCloser, error)
	Ready    func() error // why the process cannot do its work right now, nil if it can
	Metrics  http.Handler
	Version  string
	FormKey  []byte                      // what the time tokens of forms are signed with
	Refused  func(source, result string) // counts a request that never reached the Intake
	// Untrusted is told of a proxy that visitors come through and that is not
	// trusted, with each post: so whoever remembers it knows that it lasts.
	Untrusted func(proxy netip.Addr)
	Settings  Settings
	Limits    Limits
	Logger    *slog.Logger
	Now       func() time.Time
}

const (
	writeTimeout = 30 * time.Second
	idleTimeout  = 75 * time.Second // longer than the 60 s of usual proxies, so that they close first

	// slowest is the rate in bytes per second at which a large body may come
	// in, and longestRead what it may take at most.
	slowest     = 128 << 10
	longestRead = 2 * time.Minute

	// headerBuffer bounds the request line and the header fields.
	headerBuffer = 16 << 10

	defaultMaxBody = 10 << 20
)

func (l Limits) withDefaults() Limits {
	if l.Connections <= 0 {
		l.Connections = 8192
	}
	if l.ConnectionsPerIP <= 0 {
		l.ConnectionsPerIP = 512
	}
	if l.BodyMemory <= 0 {
		l.BodyMemory = 48 << 20
	}
	if l.ReadTimeout <= 0 {
		l.ReadTimeout = 10 * time.Second
	}
	if l.Progress <= 0 {
		l.Progress = 30 * time.Second
	}
	return l
}

// bodyTimeout is how long a request with a body of so many bytes may take.
func (l Limits) bodyTimeout(contentLength int) time.Duration {
	if contentLength <= slowest {
		return l.ReadTimeout
	}
	return min(longestRead, l.ReadTimeout+time.Duration(contentLength/slowest)*time.Second)
}
