// Package connectortest is what the tests of all kinds of connectors share:
// receivers, connections to them, and how attempts ended.
package connectortest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"hookgate/connectors"
	"hookgate/connectors/all"
	"hookgate/internal/diag"
	"hookgate/internal/egress"
	"hookgate/internal/event"
	"hookgate/internal/jsondoc"
	"hookgate/internal/yamlnode"
	"hookgate/rules/lang"
)

// Clock is the time in these tests.
var Clock = time.Date(2026, 3, 10, 9, 42, 7, 0, time.UTC)

// MustParse parses YAML.
func MustParse(t testing.TB, text string) yamlnode.Node {
	t.Helper()
	n, list := yamlnode.Parse("config.yaml", []byte(text))
	if err := list.Err(); err != nil {
		t.Fatal(err)
	}
	return n
}

// Kinds are compiled once for all tests.
var Kinds = sync.OnceValue(all.Kinds)

// MustKind is the kind of that name.
func MustKind(t testing.TB, name string) connectors.Kind {
	t.Helper()
	kinds := Kinds()
	i := slices.IndexFunc(kinds, func(k connectors.Kind) bool { return k.Name == name })
	if i < 0 {
		t.Fatalf("there is no kind %q", name)
	}
	return kinds[i]
}

// Loopback lets tests reach this machine.
func Loopback(t testing.TB) *egress.Client {
	t.Helper()
	c := egress.New(egress.Config{AllowPrivate: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	t.Cleanup(c.Close)
	return c
}

// Deps lets connectors reach this machine, at a time that stands still.
func Deps(t testing.TB) connectors.Deps {
	t.Helper()
	return connectors.Deps{
		Egress: Loopback(t), Now: func() time.Time { return Clock }, Version: "1.2.3", Timeout: 20 * time.Second,
	}
}

// MustConnector makes a connector from its settings in YAML.
func MustConnector(t testing.TB, kind, settings string, deps connectors.Deps) connectors.Connector {
	t.Helper()
	c, list := MustKind(t, kind).New(MustParse(t, settings), deps)
	if len(list) > 0 {
		t.Fatal(list)
	}
	return c
}

// Delivery is one with that rendered action.
func Delivery(output string) event.Delivery {
	return event.Delivery{ID: 4711, Event: 4710, Rule: "r", Action: 1, Connection: "c", Output: []byte(output)}
}

// MustServe is a receiver at a free loopback port.
func MustServe(t testing.TB, handler http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	return server.URL
}

// MustListen is a receiver that speaks raw TCP; talk gets each connection
// after a whole request has arrived, and the connection is closed when it
// returns. To close one with a part of the request unread would reset it.
func MustListen(t testing.TB, talk func(net.Conn)) string {
	t.Helper()
	return "http://" + MustGreet(t, func(conn net.Conn) {
		req, err := http.ReadRequest(bufio.NewReader(conn))
		if err != nil {
			return
		}
		if _, err := io.Copy(io.Discard, req.Body); err == nil {
			talk(conn)
		}
	})
}

// RefusingURL is an address where nothing listens. A port that was just free would
// be another test's a moment later; this one is given to nobody.
const RefusingURL = "http://127.0.0.1:1"

// Reset breaks a connection the way a crashed peer does.
func Reset(conn net.Conn) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
}

// Hang keeps a connection open until the client ends it.
func Hang(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }

// Dribble writes text again and again, a little at a time, until the client
// ends the connection.
func Dribble(conn net.Conn, text string) {
	tick := time.NewTicker(20 * time.Millisecond) // slow enough for hundreds at once
	defer tick.Stop()
	for range tick.C {
		if _, err := io.WriteString(conn, text); err != nil {
			return
		}
	}
}

// Faults are the one-line forms of what New finds in settings.
func Faults(t testing.TB, kind, settings string, deps connectors.Deps) string {
	t.Helper()
	_, list := MustKind(t, kind).New(MustParse(t, settings), deps)
	var lines []string
	for _, d := range list {
		lines = append(lines, d.Error())
	}
	return strings.Join(lines, "\n")
}

// MustInputs is an event with data, and the inputs of a kind's action by name.
func MustInputs(t *testing.T, kind, data string) (*lang.Scope, map[string]lang.Input) {
	t.Helper()
	doc, err := jsondoc.Parse([]byte(data))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(doc.Release)
	scope := lang.NewScope(doc, lang.Meta{}, nil, nil)
	t.Cleanup(scope.Release)
	inputs := map[string]lang.Input{}
	for _, in := range MustKind(t, kind).Action.Inputs {
		inputs[in.Name] = in
	}
	return scope, inputs
}

// AtOnce runs cases at the same time, however many processors there are.
func AtOnce[T any](t *testing.T, cases map[string]T, check func(t *testing.T, name string, one T)) {
	t.Helper()
	var running sync.WaitGroup
	defer running.Wait()
	for name, one := range cases {
		running.Go(func() { t.Run(name, func(t *testing.T) { check(t, name, one) }) })
	}
}

// Outcome is what becomes of a delivery whose attempt ended with err.
func Outcome(err error) string {
	switch {
	case err == nil:
		return "delivered"
	case connectors.IsPermanent(err):
		return "permanent"
	}
	return "transient"
}

// WaitOf is what the receiver asked to wait.
func WaitOf(err error) time.Duration {
	if e, ok := errors.AsType[*connectors.Error](err); ok {
		return e.After
	}
	return 0
}

// MustTester makes a connector that can be tested.
func MustTester(t *testing.T, kind, settings string) connectors.Tester {
	t.Helper()
	tester, ok := MustConnector(t, kind, settings, Deps(t)).(connectors.Tester)
	if !ok {
		t.Fatalf("%s cannot be tried", kind)
	}
	return tester
}

// CheckAction runs an action's checks the way rules do.
func CheckAction(t *testing.T, action lang.Action, text string) string {
	t.Helper()
	n := MustParse(t, text)
	var list diag.List
	for _, f := range n.Fields() {
		for _, in := range action.Inputs {
			if in.Name == f.Key.Value && in.Check != nil {
				list = append(list, in.Check(f.Value)...)
			}
		}
	}
	if action.Check != nil {
		list = append(list, action.Check(n, n.Fields())...)
	}
	var lines []string
	for _, d := range list {
		lines = append(lines, d.Error())
	}
	return strings.Join(lines, "\n")
}

// MemoryFiles are files by id.
type MemoryFiles map[string]string

// Open implements connectors.Files.
func (m MemoryFiles) Open(_ context.Context, id string) (io.ReadCloser, connectors.FileInfo, error) {
	content, found := m[id]
	if !found {
		return nil, connectors.FileInfo{}, fmt.Errorf("%s: %w", id, connectors.ErrNoFile)
	}
	return io.NopCloser(strings.NewReader(content)), connectors.FileInfo{Size: int64(len(content))}, nil
}

// MustGreet is a server of which each connection is handed to talk at once.
func MustGreet(t testing.TB, talk func(net.Conn)) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = conn.Close() }()
				talk(conn)
			}()
		}
	}()
	return listener.Addr().String()
}
