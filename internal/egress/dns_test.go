package egress_test

import (
	"context"
	"net"
	"net/netip"
	"sync/atomic"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

// mustResolver is a resolver over a DNS server that gives the answers in turn,
// the last of them for ever, whatever the name.
func mustResolver(t *testing.T, answers ...netip.Addr) *net.Resolver {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() { _ = conn.Close(); <-done })
	var asked atomic.Int64
	go func() {
		defer close(done)
		buf := make([]byte, 1500)
		for {
			n, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			var q dnsmessage.Message
			if q.Unpack(buf[:n]) != nil || len(q.Questions) == 0 {
				continue
			}
			reply := dnsmessage.Message{
				Header:    dnsmessage.Header{ID: q.ID, Response: true, Authoritative: true, RecursionAvailable: true},
				Questions: q.Questions,
			}
			question := q.Questions[0]
			head := dnsmessage.ResourceHeader{Name: question.Name, Class: dnsmessage.ClassINET}
			if question.Type == dnsmessage.TypeA {
				i := min(int(asked.Add(1)), len(answers)) - 1
				if answers[i].Is4() {
					reply.Answers = []dnsmessage.Resource{{Header: head, Body: &dnsmessage.AResource{A: answers[i].As4()}}}
				}
			}
			if question.Type == dnsmessage.TypeAAAA && answers[0].Is6() {
				reply.Answers = []dnsmessage.Resource{{Header: head, Body: &dnsmessage.AAAAResource{AAAA: answers[0].As16()}}}
			}
			packed, err := reply.Pack()
			if err != nil {
				return
			}
			_, _ = conn.WriteTo(packed, from)
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
}
