package db_test

import (
	"errors"
	"io"
	"net"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"hookgate/internal/event"
	"hookgate/test/lab"
	"hookgate/test/pgtest"
)

// A server that kills the connections, crashes and comes back costs the
// callers a refusal each, within five seconds, and nothing else.
//
// Promise: P24.
func TestOutage(t *testing.T) {
	t.Parallel()
	server := pgtest.New(t)
	s := mustReplica(t, server.URL(t), 0)
	_, held := mustAccept(t, s, wall(), "", "x")

	server.Exec(t, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = 'postgres'`)
	mustRecover(t, s)

	server.Stop()
	recorded := make(chan struct{})
	a := event.Attempt{Delivery: held[0].ID, Number: 1, Started: time.Now(), Receipt: event.Receipt{Status: 200}}
	s.Record(&held[0], a, event.Outcome{State: event.Delivered}, func(*event.Delivery) { close(recorded) })
	for range 3 {
		took, err := tryAccept(s)
		if !errors.Is(err, event.ErrUnavailable) || took > 5*time.Second {
			t.Errorf("while the server is down: %v after %s, want ErrUnavailable within 5 s", err, took)
		}
	}
	if s.Err() != nil {
		t.Fatalf("an outage is fatal: %v", s.Err())
	}
	server.Start(t)
	mustRecover(t, s)
	for range 10 { // each connection for reading died as well
		if _, err := s.Events(t.Context(), event.Filter{}); err != nil {
			t.Errorf("reading after the outage: %v", err)
		}
	}
	select { // the result was kept
	case <-recorded:
	case <-time.After(lab.Patience):
		t.Fatal("the result of before the outage was not recorded")
	}
	if d := mustDeliveries(t, s, event.DeliveryFilter{})[0]; d.State != event.Delivered {
		t.Errorf("the delivery is %s, want delivered", d.State)
	}
}

// What an error of the server means for the callers.
func TestServerErrors(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		code        string
		unavailable bool // for everybody, until it passes
		fatal       bool
	}{
		{code: "53100", unavailable: true},              // disk full
		{code: "53200", unavailable: true},              // out of memory
		{code: "25006", unavailable: true},              // read-only: a failover
		{code: "57P01", unavailable: true},              // shutdown
		{code: "40001", unavailable: true},              // serialization failure, again and again
		{code: "23514"},                                 // a check: the operation's own fault
		{code: "22003"},                                 // out of range
		{code: "XX002", unavailable: true, fatal: true}, // index corrupted
		{code: "42P01", unavailable: true, fatal: true}, // a table is gone
	} {
		t.Run(tc.code, func(t *testing.T) {
			t.Parallel()
			url := pgtest.Shared(t).URL(t)
			s := mustReplica(t, url, 0)
			mustExec(t, url, `CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'made up' USING ERRCODE = '`+tc.code+`'; END $$`)
			mustExec(t, url, `CREATE TRIGGER fail BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION fail()`)
			if _, err := tryAccept(s); err == nil || errors.Is(err, event.ErrUnavailable) != tc.unavailable {
				t.Errorf("got %v, want ErrUnavailable: %v", err, tc.unavailable)
			}
			if (s.Err() != nil) != tc.fatal {
				t.Errorf("fatal: %v, want %v", s.Err(), tc.fatal)
			}
			if tc.fatal {
				return
			}
			mustExec(t, url, `DROP TRIGGER fail ON events`)
			mustRecover(t, s)
		})
	}
}

// proxy stands between a store and its server.
type proxy struct {
	listener net.Listener
	server   string
	// swallow: the next answer of the server is lost, and the connection with it.
	swallow atomic.Bool
	// silent: nothing passes, and nobody is told, as when a cable is pulled.
	silent atomic.Bool
	lost   chan struct{}
	asked  atomic.Int64 // how often something came for the server
}

// newProxy returns a proxy and the URL that leads through it.
func newProxy(t *testing.T, through string) (*proxy, string) {
	t.Helper()
	u, err := url.Parse(through)
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{listener: lab.Listen(t), server: u.Host, lost: make(chan struct{}, 100)}
	t.Cleanup(func() { _ = p.listener.Close() })
	go func() {
		for {
			client, err := p.listener.Accept()
			if err != nil {
				return
			}
			go p.serve(client)
		}
	}()
	u.Host = p.listener.Addr().String()
	return p, u.String()
}

func (p *proxy) serve(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", p.server)
	if err != nil {
		return
	}
	defer server.Close()
	go func() {
		defer server.Close()
		buf := make([]byte, 1<<16)
		for {
			n, err := client.Read(buf)
			if err != nil {
				return
			}
			p.asked.Add(1)
			if p.silent.Load() {
				continue
			}
			if _, err := server.Write(buf[:n]); err != nil {
				return
			}
		}
	}()
	buf := make([]byte, 1<<16)
	for {
		n, err := server.Read(buf)
		if err != nil {
			if p.silent.Load() {
				_, _ = io.Copy(io.Discard, client)
			}
			return
		}
		if p.swallow.CompareAndSwap(true, false) {
			p.lost <- struct{}{}
			return
		}
		if p.silent.Load() {
			continue
		}
		if _, err := client.Write(buf[:n]); err != nil {
			return
		}
	}
}

// A commit of which the answer is lost was told to the caller as failed: its
// deliveries must not stay claimed for a process that knows nothing of them.
//
// Negative control: without settle nobody ever claims the delivery.
func TestLostCommit(t *testing.T) {
	t.Parallel()
	direct := pgtest.Shared(t).URL(t)
	p, through := newProxy(t, direct)
	s := mustReplica(t, through, 0)
	s.Freeze()
	mustAccept(t, s, wall(), "", "warm") // the statements are prepared now

	id := s.NewIDs(2)
	e := event.Event{ID: id, Source: "s", ReceivedAt: time.Now(), State: event.Routed}
	ds := []event.Delivery{{ID: event.DeliveryID(id) + 1, Event: id, Connection: "x", Rule: "r", Action: 1, Output: []byte(`{}`), Claim: 1}}
	p.swallow.Store(true)
	if _, err := s.Accept(&e, ds); !errors.Is(err, event.ErrUnavailable) {
		t.Fatalf("got %v, want ErrUnavailable", err)
	}
	<-p.lost
	if _, err := s.Event(t.Context(), id); err != nil {
		t.Fatalf("the commit was not done, the test shows nothing: %v", err)
	}
	mustRecover(t, s)
	got := mustClaim(t, s, "x", time.Now(), 10)
	if len(got) != 1 || got[0].ID != ds[0].ID || got[0].Claim != 2 {
		t.Fatalf("claimed %+v, want the delivery of the lost commit", got)
	}

	// The same with a result that leads to a retry: recorded once.
	due := time.Now().Add(time.Hour)
	p.swallow.Store(true)
	mustRecord(t, s, wall(), &got[0], event.Outcome{State: event.Retrying, Due: due}, "503")
	d := mustDeliveries(t, s, event.DeliveryFilter{Connection: "x"})[0]
	if d.State != event.Retrying || d.Attempts != 1 || d.Due.Sub(due).Abs() > time.Minute {
		t.Errorf("after a result whose commit was lost: %+v", d)
	}
	if attempts, err := s.Attempts(t.Context(), d.ID); err != nil || len(attempts) != 1 {
		t.Errorf("attempts: %+v, %v, want one", attempts, err)
	}
}

// A replica that is cut off without being told stops acknowledging within five
// seconds, and the others take over when its lease has run out.
func TestCutOff(t *testing.T) {
	t.Parallel()
	const lease = 2 * time.Second
	direct := pgtest.Shared(t).URL(t)
	p, through := newProxy(t, direct)
	a, b := mustReplica(t, through, lease), mustReplica(t, direct, lease)
	_, held := mustAccept(t, a, wall(), "", "x")
	p.silent.Store(true)
	cut := time.Now()
	took, err := tryAccept(a)
	if !errors.Is(err, event.ErrUnavailable) || took > 5*time.Second {
		t.Errorf("cut off: %v after %s, want ErrUnavailable within 5 s", err, took)
	}
	lab.Eventually(t, "the other takes over", func() bool { return len(mustClaim(t, b, "x", time.Now(), 10)) == 1 })
	if late := time.Since(cut) - lease; late > 5*time.Second {
		t.Errorf("taken over %s after the lease", late)
	}
	if a.Holds(&held[0]) {
		t.Error("the one that is cut off would still send")
	}
	p.silent.Store(false)
	mustRecover(t, a)
}
