package webhook

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"hash"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"sync"

	"hookgate/connectors"
)

// blankRequest is a request without body, with the headers of the connection.
func (s *settings) blankRequest(userAgent string) *http.Request {
	// The names that headers fills in are there already, without a value and so
	// not sent: to clone them costs less than to add them to each request.
	header := http.Header{
		"User-Agent": {userAgent}, "Content-Type": nil, "Idempotency-Key": nil,
		"Webhook-Id": nil, "Webhook-Timestamp": nil, "Webhook-Signature": nil,
	}
	for name, value := range s.headers {
		header[name] = []string{value}
	}
	return &http.Request{
		Method: s.method, URL: s.url, Host: s.url.Host, Header: header, Body: http.NoBody,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}
}

// request is one attempt to send msg. It shares with those of other attempts
// what a transport may not change.
func (w *connector) request(ctx context.Context, id string, msg *message) *http.Request {
	req := w.blank.WithContext(ctx)
	req.Method = msg.method
	req.Header = w.headers(id, msg)
	req.URL = w.address(msg)
	if body := msg.body; len(body) > 0 {
		req.ContentLength = int64(len(body))
		// These two types net/http knows to be in memory: it then sends headers
		// and body in one piece.
		req.Body = io.NopCloser(bytes.NewReader(body))
		// Lets the transport send again over a new connection when the kept
		// one turns out to be closed.
		req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	}
	return req
}

// address is where msg goes: the connection's URL with the query of the action.
func (w *connector) address(msg *message) *url.URL {
	if msg.query == "" {
		return w.blank.URL
	}
	whole := *w.blank.URL
	if whole.RawQuery != "" {
		whole.RawQuery += "&"
	}
	whole.RawQuery += msg.query
	return &whole
}

// line is the request's line as it is kept.
func (w *connector) line(msg *message, secrets *connectors.Redactor) string {
	if msg.query == "" && msg.method == w.blank.Method && secrets == w.secrets {
		return w.blankLine
	}
	return connectors.RequestLine(msg.method, w.address(msg), secrets)
}

// headers are those of the connection, then those of the action, then ours.
func (w *connector) headers(id string, msg *message) http.Header {
	header := maps.Clone(w.blank.Header)
	timestamp := strconv.FormatInt(w.deps.Now().Unix(), 10)
	// One allocation for all of our values.
	values := [...]string{id, timestamp, msg.contentType, ""}
	if header["Idempotency-Key"] == nil { // the connection sets none
		header["Idempotency-Key"] = values[0:1:1]
	}
	if msg.contentType != "" {
		header["Content-Type"] = values[2:3:3]
	}
	maps.Copy(header, msg.header)
	header["Webhook-Id"] = values[0:1:1]
	header["Webhook-Timestamp"] = values[1:2:2]
	if signer := w.settings.signer; signer != nil {
		values[3] = signer.sign(id, timestamp, msg.body)
		header["Webhook-Signature"] = values[3:4:4]
	}
	return header
}

// signer makes the signatures of one connection as Standard Webhooks describes
// them ("Signature scheme"). It does what Sign of the library does, which sets
// up its hash and formats the whole body anew for each message: that costs
// more than the hashing. The tests hold it to the library. It is safe for
// concurrent use.
type signer struct {
	hashes sync.Pool // of *keyedHash
}

// keyedHash is a hash with the connection's key and room for what goes in and
// comes out.
type keyedHash struct {
	mac  hash.Hash
	text []byte
	sum  [sha256.Size]byte
}

func newSigner(key []byte) *signer {
	return &signer{hashes: sync.Pool{New: func() any { return &keyedHash{mac: hmac.New(sha256.New, key)} }}}
}

// sign is the value of webhook-signature: the hash of "id.timestamp.body".
func (s *signer) sign(id, timestamp string, body []byte) string {
	const version = "v1,"
	h := s.hashes.Get().(*keyedHash)
	defer s.hashes.Put(h)
	h.text = append(append(append(append(h.text[:0], id...), '.'), timestamp...), '.')
	h.mac.Reset()
	h.mac.Write(h.text)
	h.mac.Write(body)
	h.text = append(h.text[:0], version...)
	h.text = base64.StdEncoding.AppendEncode(h.text, h.mac.Sum(h.sum[:0]))
	return string(h.text)
}
