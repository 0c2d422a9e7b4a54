package connectors

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"hookgate/app/diag"
	"hookgate/app/event"
	"hookgate/app/yamlpos"
)

func webhookKind() Kind {
	return Kind{
		Name:   "webhook",
		Doc:    "An HTTP request to any URL, signed as Standard Webhooks describes where a secret is set.",
		Action: webhookAction(),
		New:    newWebhook,
	}
}

// webhook sends HTTP requests to one URL.
type webhook struct {
	settings  webhookSettings
	signer    *standardwebhooks.Webhook // nil: not signed
	base      http.Header               // the headers of every request
	secrets   *redactor
	transport http.RoundTripper
	deps      Deps
}

func newWebhook(n yamlpos.Node, deps Deps) (Connector, diag.List) {
	settings, list := readWebhookSettings(n, deps)
	if list.Err() != nil {
		return nil, list
	}
	deps = deps.withDefaults()
	w := &webhook{settings: settings, deps: deps, transport: deps.Egress.RoundTripper(), signer: settings.signer}
	w.base = http.Header{"User-Agent": {deps.userAgent()}}
	for name, value := range settings.headers {
		w.base[name] = []string{value}
	}
	w.secrets = newRedactor(settings.secrets()...)
	return w, list
}

// Deliver makes one request. Its body, and so its signature, is the same at
// every attempt but for webhook-timestamp, which is the attempt's own.
func (w *webhook) Deliver(parent context.Context, d event.Delivery) (event.Receipt, error) {
	msg, err := w.message(d)
	if err != nil {
		return event.Receipt{}, Permanent(err)
	}
	ctx, cancel := context.WithTimeout(parent, w.deps.Timeout)
	defer cancel()
	resp, err := w.transport.RoundTrip(w.request(ctx, d.ID.String(), msg))
	if err != nil {
		return event.Receipt{}, attemptError(parent, ctx, err, w.deps.Timeout)
	}
	defer func() { _ = resp.Body.Close() }()
	// The status is the receiver's word. A body that breaks off or never ends
	// after it changes nothing, it is only kept as far as it came.
	got, _ := readAnswer(resp, w.secrets, maxAnswer)
	if w.settings.success.has(got.status) {
		return got.receipt(), nil
	}
	return got.receipt(), got.failure(w.deps.Now())
}

// message is one request as the action asks for it.
type message struct {
	method string
	query  string // encoded
	header http.Header
	body   []byte
}

func (w *webhook) request(ctx context.Context, id string, msg *message) *http.Request {
	url := *w.settings.url
	switch {
	case msg.query == "":
	case url.RawQuery == "":
		url.RawQuery = msg.query
	default:
		url.RawQuery += "&" + msg.query
	}
	header := w.headers(id, msg)
	req := &http.Request{
		Method: msg.method, URL: &url, Host: url.Host, Header: header,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}
	if len(msg.body) > 0 {
		req.ContentLength = int64(len(msg.body))
		req.Body = io.NopCloser(bytes.NewReader(msg.body))
		// Lets the transport send again over a new connection when the kept
		// one turns out to be closed.
		req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(msg.body)), nil }
	} else {
		req.Body = http.NoBody
	}
	return req.WithContext(ctx)
}

// headers are those of the connection, then those of the action, then ours.
func (w *webhook) headers(id string, msg *message) http.Header {
	const ours = 5
	header := make(http.Header, len(w.base)+len(msg.header)+ours)
	maps.Copy(header, w.base)
	if _, given := header["Idempotency-Key"]; !given {
		header["Idempotency-Key"] = []string{id}
	}
	maps.Copy(header, msg.header)
	now := w.deps.Now()
	header["Webhook-Id"] = []string{id}
	header["Webhook-Timestamp"] = []string{strconv.FormatInt(now.Unix(), 10)}
	if w.signer != nil {
		header["Webhook-Signature"] = []string{w.signature(id, now, msg.body)}
	}
	return header
}

func (w *webhook) signature(id string, now time.Time, body []byte) string {
	signature, err := w.signer.Sign(id, now, body)
	if err != nil { // HMAC does not fail; the library's signature allows for it
		return ""
	}
	return signature
}

// statuses are those that count as success.
type statuses []statusRange

type statusRange struct{ from, to int }

func (s statuses) has(status int) bool {
	for _, r := range s {
		if status >= r.from && status <= r.to {
			return true
		}
	}
	return false
}

// parseStatus reads 204, 200-299 or 2xx.
func parseStatus(text string) (statusRange, error) {
	text = strings.ToLower(strings.TrimSpace(text))
	from, to, isRange := strings.Cut(text, "-")
	if family, found := strings.CutSuffix(text, "xx"); found && len(family) == 1 {
		from, to = family+"00", family+"99"
	} else if !isRange {
		to = from
	}
	low, err1 := strconv.Atoi(strings.TrimSpace(from))
	high, err2 := strconv.Atoi(strings.TrimSpace(to))
	if err1 != nil || err2 != nil || low < 200 || high > 599 || low > high {
		return statusRange{}, fmt.Errorf("%q is no status: write 204, 200-299 or 2xx", text)
	}
	return statusRange{low, high}, nil
}
