package broker_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"hookgate/connectors"
	"hookgate/internal/event"
	"hookgate/test/connectortest"
	"hookgate/test/lab"
)

// mustNATS runs a NATS server with JetStream and a stream of site.>.
func mustNATS(t testing.TB, opt server.Options) (*server.Server, jetstream.JetStream) {
	t.Helper()
	opt.Host, opt.Port, opt.NoLog, opt.NoSigs, opt.JetStream, opt.StoreDir = "127.0.0.1", -1, true, true, true, t.TempDir()
	opt.Users = []*server.User{
		{Username: "someone", Password: brokerSecret},
		{Username: "reader", Password: brokerSecret, Permissions: &server.Permissions{Publish: &server.SubjectPermission{Deny: []string{"site.secret"}}}},
	}
	s, err := server.NewServer(&opt)
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	if !s.ReadyForConnections(20 * time.Second) {
		t.Fatal("the NATS server does not start")
	}
	conn, err := nats.Connect(s.ClientURL(), nats.UserInfo("someone", brokerSecret))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "SITE", Subjects: []string{"site.>"}}); err != nil {
		t.Fatal(err)
	}
	return s, js
}

func natsAt(t testing.TB, s *server.Server, settings string) connectors.Connector {
	t.Helper()
	if settings == "" {
		settings = brokers()["nats"]
	}
	return brokerAt(t, "nats", settings, s.Addr().String(), connectortest.Deps(t))
}

func TestNATS(t *testing.T) {
	t.Parallel()
	s, js := mustNATS(t, server.Options{})
	c := natsAt(t, s, "")
	for range 2 { // the second attempt is a repeat
		receipt, err := c.Deliver(t.Context(), connectortest.Delivery(`{"json":{"n":9007199254740993},"headers":{"X-Kind":"order"}}`))
		if err != nil {
			t.Fatal(err)
		}
		if want := `"sequence":1,"stream":"SITE"`; !strings.Contains(string(receipt.Answer), want) {
			t.Errorf("answer %s, want %s", receipt.Answer, want)
		}
		if diff := cmp.Diff(map[string]event.Output{"stream": `"SITE"`, "sequence": "1"}, receipt.Outputs); diff != "" {
			t.Error(diff)
		}
	}
	if _, err := c.Deliver(t.Context(), delivery2(4712, `{"body":"hello","subject":"site.other","content_type":"text/csv"}`)); err != nil {
		t.Fatal(err)
	}
	stream, err := js.Stream(t.Context(), "SITE")
	if err != nil {
		t.Fatal(err)
	}
	first, err := stream.GetMsg(t.Context(), 1)
	if err != nil || first.Subject != "site.events" || string(first.Data) != `{"n":9007199254740993}` || first.Header.Get("Content-Type") != "application/json" ||
		first.Header.Get("X-Kind") != "order" || first.Header.Get("Nats-Msg-Id") != connectortest.Delivery("").ID.String() {
		t.Errorf("got %+v, %v", first, err)
	}
	second, err := stream.GetMsg(t.Context(), 2)
	if err != nil || second.Subject != "site.other" || string(second.Data) != "hello" || second.Header.Get("Content-Type") != "text/csv" {
		t.Errorf("got %+v, %v", second, err)
	}
	tried, err := c.(connectors.Tester).Test(t.Context(), 1)
	if err != nil || tried.Said != "logged in, JetStream has 1 streams" {
		t.Errorf("got %+v, %v", tried, err)
	}
}

func TestNATS_failures(t *testing.T) {
	t.Parallel()
	s, js := mustNATS(t, server.Options{MaxPayload: 1 << 20})
	c := natsAt(t, s, "")
	for name, tc := range map[string]struct{ settings, output, outcome, text string }{
		"no stream":     {"", `{"json":{},"subject":"elsewhere"}`, "transient", "no stream takes"},
		"too large":     {"", large(), "permanent", "maximum payload exceeded"},
		"wildcard":      {"", `{"json":{},"subject":"site.*"}`, "permanent", "no subject"},
		"its own":       {"", `{"json":{},"headers":{"nats-msg-id":"x"}}`, "permanent", "cannot be set"},
		"wrong login":   {"url: nats://ADDRESS\nuser: someone\npassword: canary-wrong-0002", `{"json":{},"subject":"site.x"}`, "permanent", "Authorization"},
		"not permitted": {"url: nats://ADDRESS\nuser: reader\npassword: " + brokerSecret, `{"json":{},"subject":"site.secret"}`, "permanent", "Permissions Violation"},
		"no TLS there":  {"url: tls://ADDRESS\nuser: someone\npassword: " + brokerSecret, `{"json":{},"subject":"site.x"}`, "transient", "TLS"},
	} {
		deps := connectortest.Deps(t)
		deps.Timeout = 2 * time.Second
		settings := tc.settings
		if settings == "" {
			settings = brokers()["nats"]
		}
		_, err := brokerAt(t, "nats", settings, s.Addr().String(), deps).Deliver(t.Context(), connectortest.Delivery(tc.output))
		if connectortest.Outcome(err) != tc.outcome || !strings.Contains(err.Error(), tc.text) || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: got %s: %v, want %s: %s", name, connectortest.Outcome(err), err, tc.outcome, tc.text)
		}
	}
	if err := js.DeleteStream(t.Context(), "SITE"); err != nil {
		t.Fatal(err)
	}
	lab.Eventually(t, "there is another stream", func() bool { // the server is still removing the folder of the one before
		_, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "SMALL", Subjects: []string{"site.>"}, MaxMsgSize: 10})
		return err == nil
	})
	if _, err := c.Deliver(t.Context(), connectortest.Delivery(`{"body":"`+strings.Repeat("x", 100)+`"}`)); connectortest.Outcome(err) != "permanent" || !strings.Contains(err.Error(), "message size exceeds") {
		t.Errorf("larger than the stream takes: %v", err)
	}
}

// A connection that broke is replaced, and one that was closed too.
func TestNATS_reconnects(t *testing.T) {
	t.Parallel()
	s, _ := mustNATS(t, server.Options{})
	c := natsAt(t, s, "")
	if _, err := c.Deliver(t.Context(), connectortest.Delivery(`{"json":{}}`)); err != nil {
		t.Fatal(err)
	}
	s.DisconnectClientByID(firstClient(t, s))
	again(t, c, 4720)
	if err := c.(interface{ Close() error }).Close(); err != nil {
		t.Error(err)
	}
	again(t, c, 4730)
}

func firstClient(t *testing.T, s *server.Server) uint64 {
	t.Helper()
	list, err := s.Connz(&server.ConnzOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range list.Conns {
		if strings.HasPrefix(one.Name, "hookgate/") {
			return one.Cid
		}
	}
	t.Fatal("there is no connection of ours")
	return 0
}

// again delivers, where one attempt may find that the connection broke.
func again(t *testing.T, c connectors.Connector, id int64) {
	t.Helper()
	var err error
	for range 5 {
		if _, err = c.Deliver(t.Context(), delivery2(id, `{"json":{}}`)); err == nil {
			return
		}
		if connectortest.Outcome(err) != "transient" {
			break
		}
	}
	t.Error(errors.Join(errors.New("it does not come back"), err))
}
