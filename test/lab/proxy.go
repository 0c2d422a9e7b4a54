package lab

import (
	"errors"
	"io"
	"net"
	"sync"
	"testing"
)

// Proxy forwards TCP connections to one address, until it is cut: then nothing
// passes in either direction, and neither side is told. What was on its way
// arrives when the proxy is healed, as after a broken network.
type Proxy struct {
	Addr string

	target string
	ended  chan struct{}
	mu     sync.Mutex
	open   chan struct{} // closed while data may pass
}

// NewProxy forwards to target, host:port. It ends with the test.
func NewProxy(tb testing.TB, target string) *Proxy {
	tb.Helper()
	ln := Listen(tb)
	p := &Proxy{Addr: ln.Addr().String(), target: target, ended: make(chan struct{}), open: make(chan struct{})}
	close(p.open)
	tb.Cleanup(func() {
		close(p.ended)
		_ = ln.Close()
	})
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			go p.serve(conn)
		}
	}()
	return p
}

// Cut stops all traffic. It must be followed by Heal before the next Cut.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open = make(chan struct{})
}

// Heal lets everything pass again, what was held back first.
func (p *Proxy) Heal() {
	p.mu.Lock()
	defer p.mu.Unlock()
	close(p.open)
}

// pass waits until data may pass; it reports false at the end of the test.
func (p *Proxy) pass() bool {
	p.mu.Lock()
	open := p.open
	p.mu.Unlock()
	select {
	case <-open:
		return true
	case <-p.ended:
		return false
	}
}

func (p *Proxy) serve(client net.Conn) {
	defer client.Close()
	if !p.pass() {
		return
	}
	server, err := net.Dial("tcp", p.target)
	if err != nil {
		return
	}
	defer server.Close()
	var both sync.WaitGroup
	both.Go(func() { p.copy(server, client) })
	both.Go(func() { p.copy(client, server) })
	finished := make(chan struct{})
	go func() { both.Wait(); close(finished) }()
	select {
	case <-finished:
	case <-p.ended:
	}
}

// copy hands on what from says, its end too.
func (p *Proxy) copy(to, from net.Conn) {
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		if !p.pass() {
			return
		}
		if n > 0 {
			if _, failed := to.Write(buffer[:n]); failed != nil {
				_ = from.Close()
				return
			}
		}
		if err != nil {
			if half, ok := to.(interface{ CloseWrite() error }); ok && errors.Is(err, io.EOF) {
				_ = half.CloseWrite()
			} else {
				_ = to.Close()
			}
			return
		}
	}
}
