package all_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"hookgate/connectors"
	"hookgate/internal/egress"
	"hookgate/test/connectortest"
)

func TestConformance_cancel(t *testing.T) {
	forEachSample(t, func(t *testing.T, kind string, s sample) {
		reached := make(chan struct{})
		base := connectortest.MustListen(t, func(conn net.Conn) { close(reached); connectortest.Hang(conn) })
		ctx, cancel := context.WithCancel(t.Context())
		go func() { <-reached; cancel() }()
		_, err := s.deliver(ctx, t, kind, base, connectortest.Deps(t))
		if !errors.Is(err, context.Canceled) || connectortest.Outcome(err) != "transient" {
			t.Errorf("got %v", err)
		}
	})
}

// All of it happens at the same time: what passes is time in which nothing is
// to be done.
func TestConformance_slow(t *testing.T) {
	forEachSampleAtOnce(t, func(t *testing.T, kind string, s sample) {
		deps := connectortest.Deps(t)
		deps.Timeout = 150 * time.Millisecond
		connectortest.AtOnce(t, map[string]func(net.Conn){
			"no answer":   connectortest.Hang,
			"half a line": func(conn net.Conn) { _, _ = io.WriteString(conn, "HTTP/1.1 20"); connectortest.Hang(conn) },
			"slow headers": func(conn net.Conn) {
				_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\n")
				connectortest.Dribble(conn, "X: y\r\n")
			},
			"endless 1xx": func(conn net.Conn) { connectortest.Dribble(conn, "HTTP/1.1 103 Early Hints\r\nX: y\r\n\r\n") },
			"slow body": func(conn net.Conn) {
				_, _ = io.WriteString(conn, "HTTP/1.1 400 Bad Request\r\n\r\n")
				connectortest.Dribble(conn, "no ")
			},
		}, func(t *testing.T, name string, talk func(net.Conn)) {
			deps, base := deps, connectortest.MustListen(t, talk)
			if name != "slow body" {
				_, err := s.deliver(t.Context(), t, kind, base, deps)
				if !errors.Is(err, context.DeadlineExceeded) || connectortest.Outcome(err) != "transient" || err.Error() != "timeout after 150 ms" {
					t.Errorf("got %v", err)
				}
				return
			}
			// A body that never ends is cut at the timeout; the status has decided. It
			// has to arrive before that, on a busy machine too.
			deps.Timeout = 5 * time.Second
			if receipt, err := s.deliver(t.Context(), t, kind, base, deps); connectortest.Outcome(err) != "permanent" || receipt.Status != 400 {
				t.Errorf("got %d, %v", receipt.Status, err)
			}
		})
	})
}

func TestConformance_endless(t *testing.T) {
	forEachSample(t, func(t *testing.T, kind string, s sample) {
		body := connectortest.MustListen(t, func(conn net.Conn) {
			_, err := io.WriteString(conn, "HTTP/1.1 400 Bad Request\r\n\r\n")
			for err == nil {
				_, err = io.WriteString(conn, strings.Repeat("x", 32<<10))
			}
		})
		if receipt, err := s.deliver(t.Context(), t, kind, body, connectortest.Deps(t)); connectortest.Outcome(err) != "permanent" || len(receipt.Answer) < connectors.MaxAnswer-1024 {
			t.Errorf("body: got %d bytes, %v", len(receipt.Answer), err)
		}
		headers := connectortest.MustListen(t, func(conn net.Conn) {
			_, err := io.WriteString(conn, "HTTP/1.1 200 OK\r\n")
			for err == nil {
				_, err = io.WriteString(conn, "X-Header: "+strings.Repeat("x", 1000)+"\r\n")
			}
		})
		_, err := s.deliver(t.Context(), t, kind, headers, connectortest.Deps(t))
		if connectortest.Outcome(err) != "transient" || err.Error() != "the answer's headers are larger than 64 KB" {
			t.Errorf("headers: got %v", err)
		}
	})
}

func TestConformance_broken(t *testing.T) {
	forEachSample(t, func(t *testing.T, kind string, s sample) {
		for want, base := range map[string]string{
			"connection refused": connectortest.RefusingURL,
			"connection reset":   connectortest.MustListen(t, connectortest.Reset),
			"connection closed before the answer was complete":                       connectortest.MustListen(t, func(net.Conn) {}),
			"TLS: the receiver does not speak it; is the URL http instead of https?": strings.Replace(connectortest.MustServe(t, func(http.ResponseWriter, *http.Request) {}), "http:", "https:", 1),
		} {
			_, err := s.deliver(t.Context(), t, kind, base, connectortest.Deps(t))
			if connectortest.Outcome(err) != "transient" || err.Error() != want {
				t.Errorf("got %v, want %s", err, want)
			}
		}
	})
}

func TestConformance_addressGuard(t *testing.T) {
	forEachSample(t, func(t *testing.T, kind string, s sample) {
		hit := make(chan struct{}, 1)
		base := connectortest.MustServe(t, func(http.ResponseWriter, *http.Request) { hit <- struct{}{} })
		deps := connectortest.Deps(t)
		deps.Egress = nil // the default allows public addresses only
		c, list := connectortest.MustKind(t, kind).New(connectortest.MustParse(t, s.at(strings.Replace(base, "127.0.0.1", "localhost", 1))), deps)
		if len(list) > 0 {
			t.Fatal(list)
		}
		_, err := c.Deliver(t.Context(), connectortest.Delivery(s.output))
		if connectortest.Outcome(err) != "permanent" || !strings.HasPrefix(err.Error(), "address ") ||
			!strings.HasSuffix(err.Error(), " is private: allow it with outbound.allow_private") {
			t.Errorf("got %v", err)
		}
		if len(hit) > 0 {
			t.Error("the receiver was reached")
		}
		// An address in the settings is warned of when they are loaded, once it
		// is known what is allowed.
		if _, list := connectortest.MustKind(t, kind).New(connectortest.MustParse(t, s.at(base)), deps); len(list) != 0 {
			t.Errorf("got %v", list)
		}
		deps.Egress = egress.New(egress.Config{})
		if _, list := connectortest.MustKind(t, kind).New(connectortest.MustParse(t, s.at(base)), deps); len(list) != 1 || list[0].Code != "private-address" || list.Err() != nil {
			t.Errorf("got %v", list)
		}
	})
}

// A long answer is cut. What is left of a secret at the cut must not show: of
// one that is repeated without end there is always something left.
func TestConformance_cutSecret(t *testing.T) {
	forEachSample(t, func(t *testing.T, kind string, s sample) {
		for _, secret := range s.secrets {
			base := connectortest.MustListen(t, func(conn net.Conn) {
				_, err := io.WriteString(conn, "HTTP/1.1 400 Bad Request\r\n\r\n")
				for err == nil {
					_, err = io.WriteString(conn, strings.Repeat(secret, 1000))
				}
			})
			receipt, _ := s.deliver(t.Context(), t, kind, base, connectortest.Deps(t))
			if rest := strings.ReplaceAll(string(receipt.Answer), "[redacted]", ""); len(rest) > len("[redacted") || strings.Contains(rest, secret[:5]) {
				t.Errorf("the answer ends in %q", rest)
			}
		}
	})
}
