package egress

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"sync"
	"time"
)

// errHeaders is what an answer with too large headers fails with.
var errHeaders = fmt.Errorf("server response headers exceeded %d bytes", MaxHeaderBytes)

// plainConn is a connection that serves one request at a time.
type plainConn struct {
	conn     net.Conn
	host     string // as requests write it
	idle     *idleConns
	in       *bufio.Reader
	left     int64 // how many bytes may still be read
	since    time.Time
	probe    func() bool // whether it is open, with nothing to read
	breakOff func()
}

func newPlainConn(conn net.Conn, host string, idle *idleConns) *plainConn {
	c := &plainConn{conn: conn, host: host, idle: idle, probe: newProbe(conn)}
	c.in = bufio.NewReader(c)
	// Once for the connection, so that a request allocates nothing for it.
	c.breakOff = func() { _ = conn.SetDeadline(time.Unix(1, 0)) }
	return c
}

// Read implements io.Reader for the buffer of answers.
func (c *plainConn) Read(p []byte) (int, error) {
	if c.left <= 0 {
		return 0, errHeaders
	}
	n, err := c.conn.Read(p[:min(int64(len(p)), c.left)])
	c.left -= int64(n)
	return n, err
}

// exchange sends a request, which is out on the wire, and reads the answer's
// headers. The connection is kept for another request once the answer's body
// was read to its end, else closed.
func (c *plainConn) exchange(ctx context.Context, req *http.Request, out []byte) (*http.Response, error) {
	stop := context.AfterFunc(ctx, c.breakOff)
	resp, err := c.converse(req, out)
	if err != nil {
		stop()
		_ = c.conn.Close()
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, err
	}
	// The reader of ReadResponse ends a body that has a length by itself, but
	// a kept connection must not have been asked to end.
	keep := !resp.Close && resp.StatusCode >= http.StatusOK
	if resp.Body == http.NoBody {
		c.done(keep, stop)
		return resp, nil
	}
	resp.Body = &plainAnswer{ctx: ctx, body: resp.Body, conn: c, keep: keep, stop: stop}
	return resp, nil
}

// converse writes a request and reads what comes before an answer's body.
func (c *plainConn) converse(req *http.Request, out []byte) (*http.Response, error) {
	if n, err := c.conn.Write(out); err != nil {
		return nil, &unanswered{err, n > 0}
	}
	c.left = MaxHeaderBytes
	if _, err := c.in.Peek(1); err != nil {
		return nil, &unanswered{err, true}
	}
	for {
		resp, err := http.ReadResponse(c.in, req)
		if err != nil {
			if c.left <= 0 {
				err = errHeaders
			}
			return nil, fmt.Errorf("HTTP/1 connection broken: %w", err)
		}
		// The headers of what comes before the answer count as the answer's.
		// 101 is final, although nobody asked to switch.
		if resp.StatusCode/100 != 1 || resp.StatusCode == http.StatusSwitchingProtocols {
			c.left = math.MaxInt64
			return resp, nil
		}
	}
}

// done ends a request. The connection is kept unless it, or the request's
// context, ended, or more came than the answer.
func (c *plainConn) done(keep bool, stop func() bool) {
	if stop() && keep && c.in.Buffered() == 0 {
		c.idle.put(c)
		return
	}
	_ = c.conn.Close()
}

// plainAnswer is an answer's body. Read and Close may be called at once.
type plainAnswer struct {
	ctx  context.Context //nolint:containedctx // the request's, which ends reading
	body io.Reader
	conn *plainConn
	keep bool
	stop func() bool

	mu  sync.Mutex
	err error // what reading ended with
}

// Read implements io.Reader.
func (a *plainAnswer) Read(p []byte) (int, error) {
	if err := a.ended(); err != nil {
		return 0, err
	}
	n, err := a.body.Read(p)
	if err == nil {
		return n, nil
	}
	if !errors.Is(err, io.EOF) && a.ctx.Err() != nil {
		err = context.Cause(a.ctx)
	}
	if a.end(err) {
		a.conn.done(a.keep && err == io.EOF, a.stop) //nolint:errorlint // a wrapped io.EOF is no end
	}
	return n, err
}

// Close implements io.Closer. A connection whose answer was not read to its
// end is of no use any more.
func (a *plainAnswer) Close() error {
	if a.end(http.ErrBodyReadAfterClose) {
		a.conn.done(false, a.stop)
	}
	return nil
}

func (a *plainAnswer) ended() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.err
}

// end notes what reading ended with; false: it had ended before.
func (a *plainAnswer) end(err error) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.err != nil {
		return false
	}
	a.err = err
	return true
}
