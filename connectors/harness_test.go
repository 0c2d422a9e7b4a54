package connectors_test

import (
	"bufio"
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
	"hookgate/internal/egress"
	"hookgate/internal/event"
	"hookgate/internal/jsondoc"
	"hookgate/internal/yamlnode"
	"hookgate/rules/lang"
)

// clock is the time in these tests.
var clock = time.Date(2026, 3, 10, 9, 42, 7, 0, time.UTC)

func mustParse(t testing.TB, text string) yamlnode.Node {
	t.Helper()
	n, list := yamlnode.Parse("config.yaml", []byte(text))
	if err := list.Err(); err != nil {
		t.Fatal(err)
	}
	return n
}

// builtinKinds are compiled once for all tests.
var builtinKinds = sync.OnceValue(connectors.Kinds)

func mustKind(t testing.TB, name string) connectors.Kind {
	t.Helper()
	kinds := builtinKinds()
	i := slices.IndexFunc(kinds, func(k connectors.Kind) bool { return k.Name == name })
	if i < 0 {
		t.Fatalf("there is no kind %q", name)
	}
	return kinds[i]
}

// loopback lets tests reach this machine.
func loopback(t testing.TB) *egress.Client {
	t.Helper()
	c := egress.New(egress.Config{AllowPrivate: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	t.Cleanup(c.Close)
	return c
}

func testDeps(t testing.TB) connectors.Deps {
	t.Helper()
	return connectors.Deps{
		Egress: loopback(t), Now: func() time.Time { return clock }, Version: "1.2.3", Timeout: 20 * time.Second,
	}
}

// mustConnector makes a connector from its settings in YAML.
func mustConnector(t testing.TB, kind, settings string, deps connectors.Deps) connectors.Connector {
	t.Helper()
	c, list := mustKind(t, kind).New(mustParse(t, settings), deps)
	if len(list) > 0 {
		t.Fatal(list)
	}
	return c
}

func delivery(output string) event.Delivery {
	return event.Delivery{ID: 4711, Event: 4710, Rule: "r", Action: 1, Connection: "c", Output: []byte(output)}
}

// mustServe is a receiver at a free loopback port.
func mustServe(t testing.TB, handler http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	return server.URL
}

// mustListen is a receiver that speaks raw TCP; talk gets each connection
// after a whole request has arrived, and the connection is closed when it
// returns. To close one with a part of the request unread would reset it.
func mustListen(t testing.TB, talk func(net.Conn)) string {
	t.Helper()
	return "http://" + mustGreet(t, func(conn net.Conn) {
		req, err := http.ReadRequest(bufio.NewReader(conn))
		if err != nil {
			return
		}
		if _, err := io.Copy(io.Discard, req.Body); err == nil {
			talk(conn)
		}
	})
}

// refusing is an address where nothing listens. A port that was just free would
// be another test's a moment later; this one is given to nobody.
const refusing = "http://127.0.0.1:1"

// reset breaks a connection the way a crashed peer does.
func reset(conn net.Conn) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
}

// hang keeps a connection open until the client ends it.
func hang(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }

// dribble writes text again and again, a little at a time, until the client
// ends the connection.
func dribble(conn net.Conn, text string) {
	tick := time.NewTicker(20 * time.Millisecond) // slow enough for hundreds at once
	defer tick.Stop()
	for range tick.C {
		if _, err := io.WriteString(conn, text); err != nil {
			return
		}
	}
}

// faults are the one-line forms of what New finds in settings.
func faults(t testing.TB, kind, settings string, deps connectors.Deps) string {
	t.Helper()
	_, list := mustKind(t, kind).New(mustParse(t, settings), deps)
	var lines []string
	for _, d := range list {
		lines = append(lines, d.Error())
	}
	return strings.Join(lines, "\n")
}

// mustInputs is an event with data, and the inputs of a kind's action by name.
func mustInputs(t *testing.T, kind, data string) (*lang.Scope, map[string]lang.Input) {
	t.Helper()
	doc, err := jsondoc.Parse([]byte(data))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(doc.Release)
	scope := lang.NewScope(doc, lang.Meta{}, nil, nil)
	t.Cleanup(scope.Release)
	inputs := map[string]lang.Input{}
	for _, in := range mustKind(t, kind).Action.Inputs {
		inputs[in.Name] = in
	}
	return scope, inputs
}
