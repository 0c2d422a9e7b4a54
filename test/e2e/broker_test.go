package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"hookgate/test/lab"
)

// An event becomes a message in a stream, again after the broker was gone, and
// the connection can be tried from the command line.
func TestBroker(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	port := lab.Port(t)
	start := func() *server.Server {
		s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: port, NoLog: true, NoSigs: true, JetStream: true, StoreDir: dir})
		if err != nil {
			t.Fatal(err)
		}
		s.Start()
		if !s.ReadyForConnections(lab.Patience) {
			t.Fatal("the NATS server does not start")
		}
		return s
	}
	s := start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	stream := func() jetstream.Stream {
		conn, err := nats.Connect(s.ClientURL())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(conn.Close)
		js, err := jetstream.New(conn)
		if err != nil {
			t.Fatal(err)
		}
		stream, err := js.CreateOrUpdateStream(t.Context(), jetstream.StreamConfig{Name: "SITE", Subjects: []string{"site.>"}})
		if err != nil {
			t.Fatal(err)
		}
		return stream
	}
	stream()
	g := lab.Start(t, fmt.Sprintf(`
sources:
  in: { type: webhook, token: e2e-token-0123456789 }
connections:
  bus: { type: nats, url: "nats://127.0.0.1:%d", timeout: 2s, retry: { delays: [200ms, 200ms, 200ms, 500ms, 1s, 1s, 1s, 1s, 1s] } }
rules:
  - name: tell
    from: in
    then: [{ to: bus, subject: "site.${{ data.kind }}", json: "${{ data }}" }]
`, port))
	if out := g.MustCLI("connections", "test", "bus"); !strings.Contains(out, "logged in, JetStream has 1 streams") {
		t.Errorf("the test of the connection says %s", out)
	}
	first := g.Accepted(g.PostJSON("/in/in/e2e-token-0123456789", []byte(`{"kind":"order","n":1}`)))
	g.Settled(first)
	s.Shutdown()
	s.WaitForShutdown()
	second := g.Accepted(g.PostJSON("/in/in/e2e-token-0123456789", []byte(`{"kind":"order","n":2}`)))
	lab.Eventually(t, "the first attempt fails", func() bool {
		<-time.After(20 * time.Millisecond)
		return strings.Contains(g.MustCLI("connections", "list"), "failing")
	})
	s = start()
	g.Settled(second)
	for n, want := range []string{`{"kind":"order","n":1}`, `{"kind":"order","n":2}`} {
		msg, err := stream().GetMsg(t.Context(), uint64(n+1))
		if err != nil || msg.Subject != "site.order" || string(msg.Data) != want {
			t.Errorf("got %+v, %v, want %s", msg, err, want)
		}
	}
}
