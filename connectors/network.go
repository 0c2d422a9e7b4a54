package connectors

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"time"

	"hookgate/internal/egress"
)

// noAnswer is a request that got no answer. Its text is our own: the
// causes name hosts and can quote what the receiver sent. Of the cause it
// keeps no more than the sentinel to compare with.
type noAnswer struct {
	text string
	is   error
}

// Error implements error.
func (e *noAnswer) Error() string { return e.text }

// Unwrap gives the sentinel.
func (e *noAnswer) Unwrap() error { return e.is }

// NetworkError is a request that got no answer, in our own words; is, where
// not nil, is the sentinel to compare it with.
func NetworkError(text string, is error) error { return &noAnswer{text: text, is: is} }

// AttemptError turns what a round trip failed with into the error that
// Deliver returns. parent is the context Deliver was called with, ctx the one
// of the attempt, which ended after timeout.
func AttemptError(parent, ctx context.Context, err error, timeout time.Duration) error {
	switch {
	case errors.Is(err, egress.ErrRefused):
		return Permanent(NetworkError(refusalText(err), egress.ErrRefused))
	case errors.Is(parent.Err(), context.Canceled):
		return NetworkError("cancelled before there was an answer", context.Canceled)
	case ctx.Err() != nil:
		return NetworkError("timeout after "+Seconds(timeout), context.DeadlineExceeded)
	}
	return ExplainNetwork(egress.Cause(err))
}

// refusalText is the guard's own message, without what the dialer put before it.
func refusalText(err error) string {
	text := err.Error()
	if i := strings.Index(text, "address "); i >= 0 {
		return text[i:]
	}
	return egress.ErrRefused.Error()
}

// ExplainNetwork says in our own words why there was no answer.
func ExplainNetwork(err error) error {
	var dns *net.DNSError
	var timeout net.Error
	switch {
	case errors.As(err, &dns):
		return NetworkError(dnsText(dns), nil)
	case errors.Is(err, syscall.ECONNREFUSED):
		return NetworkError("connection refused", syscall.ECONNREFUSED)
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return NetworkError("connection reset", syscall.ECONNRESET)
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return NetworkError("host unreachable", syscall.EHOSTUNREACH)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return NetworkError("connection closed before the answer was complete", io.ErrUnexpectedEOF)
	case errors.As(err, &timeout) && timeout.Timeout():
		return NetworkError("timeout while connecting", context.DeadlineExceeded)
	}
	if text := tlsText(err); text != "" {
		return NetworkError(text, nil)
	}
	return NetworkError(protocolText(err), nil)
}

func dnsText(err *net.DNSError) string {
	switch {
	case err.IsNotFound:
		return "no such host"
	case err.IsTimeout:
		return "timeout while looking up the host"
	}
	return "the host could not be looked up"
}

func tlsText(err error) string {
	var (
		authority x509.UnknownAuthorityError
		host      x509.HostnameError
		invalid   x509.CertificateInvalidError
		record    tls.RecordHeaderError
		alert     tls.AlertError
	)
	switch {
	case errors.As(err, &authority):
		return "TLS: the certificate is signed by an unknown authority"
	case errors.As(err, &host) && host.Certificate != nil && len(host.Certificate.DNSNames)+len(host.Certificate.IPAddresses) == 0:
		return "TLS: the certificate names no host (it lacks a subject alternative name, and a common name no longer counts)"
	case errors.As(err, &host):
		return "TLS: the certificate is for another host"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "TLS: the certificate has expired or is not yet valid"
	case errors.As(err, &invalid):
		return "TLS: the certificate is not valid"
	case errors.As(err, &record), strings.Contains(err.Error(), "HTTP response to HTTPS client"):
		return "TLS: the receiver does not speak it; is the URL http instead of https?"
	case errors.As(err, &alert), strings.HasPrefix(err.Error(), "tls: "), strings.HasPrefix(err.Error(), "remote error: tls"):
		return "TLS: the handshake failed"
	}
	return ""
}

// protocolText names what net/http has no error values for.
func protocolText(err error) string {
	text := err.Error()
	switch {
	case strings.Contains(text, "headers exceeded"), strings.Contains(text, "header list"):
		return fmt.Sprintf("the answer's headers are larger than %d KB", egress.MaxHeaderBytes>>10)
	case strings.Contains(text, "malformed"):
		return "the answer is not HTTP"
	case strings.Contains(text, "server closed"), strings.Contains(text, "broken"), strings.Contains(text, "GOAWAY"), strings.Contains(text, "connection lost"):
		return "connection closed before the answer was complete"
	}
	return "network error"
}
