package email_test

import (
	"context"
	"encoding/base64"
	"errors"
	"io"
	"mime/quotedprintable"
	"net"
	"strings"
	"testing"
	"time"

	"hookgate/connectors"
	"hookgate/internal/egress"
	"hookgate/test/connectortest"
)

func decodeTransfer(encoding string, body io.Reader) io.Reader {
	switch strings.ToLower(encoding) {
	case "quoted-printable":
		return quotedprintable.NewReader(body)
	case "base64":
		return base64.NewDecoder(base64.StdEncoding, body)
	}
	return body
}

func mailTo(t testing.TB, addr string, deps connectors.Deps) connectors.Connector {
	t.Helper()
	host, port, _ := net.SplitHostPort(addr)
	c, list := connectortest.MustKind(t, "email").New(connectortest.MustParse(t, "from: a@agency.example\nsmtp: { host: "+host+", port: "+port+", tls: none }"), deps)
	if err := list.Err(); err != nil {
		t.Fatal(err)
	}
	return c
}

func say(lines ...string) func(net.Conn) {
	return func(conn net.Conn) {
		for _, line := range lines {
			if _, err := io.WriteString(conn, line+"\r\n"); err != nil {
				return
			}
		}
		connectortest.Hang(conn)
	}
}

func TestEmail_brokenServers(t *testing.T) {
	t.Parallel()
	refused := strings.TrimPrefix(connectortest.RefusingURL, "http://")
	for name, tc := range map[string]struct{ addr, outcome, want string }{
		"refused":       {refused, "transient", "connection refused"},
		"closed":        {connectortest.MustGreet(t, func(net.Conn) {}), "transient", "connection closed before the answer was complete"},
		"not SMTP":      {connectortest.MustGreet(t, say("HTTP/1.1 400 Bad Request")), "transient", "the answer is not SMTP"},
		"busy":          {connectortest.MustGreet(t, say("421 4.3.2 try later")), "transient", "421 4.3.2 try later"},
		"blocked":       {connectortest.MustGreet(t, say("554-5.7.1 your address", "554 is on a list")), "permanent", "554 5.7.1 your address is on a list"},
		"nonsense code": {connectortest.MustGreet(t, say("250 hello")), "transient", "250 hello"},
		"endless": {connectortest.MustGreet(t, func(conn net.Conn) {
			for {
				if _, err := io.WriteString(conn, "220-"+strings.Repeat("x", 1000)+"\r\n"); err != nil {
					return
				}
			}
		}), "transient", "the server's answers do not end"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := mailTo(t, tc.addr, connectortest.Deps(t)).Deliver(t.Context(), connectortest.Delivery(hello))
			if connectortest.Outcome(err) != tc.outcome || err.Error() != tc.want {
				t.Errorf("got %s, %v, want %s", connectortest.Outcome(err), err, tc.want)
			}
		})
	}
}

func TestEmail_timeout(t *testing.T) {
	t.Parallel()
	deps := connectortest.Deps(t)
	deps.Timeout = 150 * time.Millisecond
	for name, talk := range map[string]func(net.Conn){
		"no greeting":   connectortest.Hang,
		"half a line":   func(conn net.Conn) { _, _ = io.WriteString(conn, "220 he"); connectortest.Hang(conn) },
		"after it":      say("220 hello"),
		"slow greeting": func(conn net.Conn) { connectortest.Dribble(conn, "220-x\r\n") },
	} {
		_, err := mailTo(t, connectortest.MustGreet(t, talk), deps).Deliver(t.Context(), connectortest.Delivery(hello))
		if !errors.Is(err, context.DeadlineExceeded) || connectortest.Outcome(err) != "transient" || err.Error() != "timeout after 150 ms" {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestEmail_cancel(t *testing.T) {
	t.Parallel()
	reached := make(chan struct{})
	addr := connectortest.MustGreet(t, func(conn net.Conn) { close(reached); connectortest.Hang(conn) })
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-reached; cancel() }()
	if _, err := mailTo(t, addr, connectortest.Deps(t)).Deliver(ctx, connectortest.Delivery(hello)); !errors.Is(err, context.Canceled) || connectortest.Outcome(err) != "transient" {
		t.Errorf("got %v", err)
	}
}

// Promise: T9.
func TestEmail_addressGuard(t *testing.T) {
	t.Parallel()
	addr := connectortest.MustGreet(t, func(net.Conn) { t.Error("the server was reached") })
	deps := connectortest.Deps(t)
	deps.Egress = nil
	for _, host := range []string{addr, strings.Replace(addr, "127.0.0.1", "localhost", 1)} {
		_, err := mailTo(t, host, deps).Deliver(t.Context(), connectortest.Delivery(hello))
		if connectortest.Outcome(err) != "permanent" || !strings.HasSuffix(err.Error(), " is private: allow it with outbound.allow_private") {
			t.Errorf("got %v", err)
		}
	}
	deps.Egress = egress.New(egress.Config{})
	if got := connectortest.Faults(t, "email", "from: a@x.example\nsmtp: { host: 127.0.0.1 }", deps); !strings.Contains(got, "warn[private-address] config.yaml:2:15") {
		t.Errorf("got %s", got)
	}
}
