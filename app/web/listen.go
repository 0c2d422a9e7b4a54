package web

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/valyala/fasthttp"

	"hookgate/app/ingest"
	"hookgate/internal/body"
)

const (
	// small is what one connection may have in memory without regard to the
	// budget of all: what most requests are.
	small = 16 << 10

	// little is the memory of a request that goes on when large ones fill it.
	little = 4 * small

	// understandWait is how long a body that takes much memory waits for others.
	understandWait = 5 * time.Second

	// lingerTime and lingerBytes bound how long and how much more is read of a
	// request that was refused half-way; see guardedConn.Close. Most senders
	// write all of a body before they read why it is too large, and max_body is
	// 10 MB unless set.
	lingerTime  = time.Second
	lingerBytes = 16 << 20

	// uploadLingerTime and uploadLingerBytes are the same for posts with files.
	// Browsers send the whole of a file that is too large before they look for
	// an answer, and show none to the visitor where they cannot.
	uploadLingerTime  = 10 * time.Second
	uploadLingerBytes = 64 << 20

	// shortagePause is the wait after accept(2) found no file descriptor.
	shortagePause = 20 * time.Millisecond
)

// errBodyMemory ends the reading of a request when all requests together take
// up too much memory.
var errBodyMemory = errors.New("the requests under way take up too much memory")

// errTooManyUploads refuses a post with files while many others are read.
var errTooManyUploads = errors.New("too many posts with files are under way")

// guard is a net.Listener that bounds the connections, of each address and
// altogether, and the memory that half-read requests take up.
type guard struct {
	net.Listener
	limits  Limits
	trusted func(netip.Addr) bool // whose connections are not counted by address

	budget *budget

	open    *shares
	conns   *sync.Map             // those that were accepted and are not closed
	refused func(from netip.Addr) // is told of every connection that is closed unread
}

func newGuard(ln net.Listener, limits Limits, conns *sync.Map, trusted func(netip.Addr) bool, refused func(netip.Addr)) *guard {
	return &guard{
		Listener: ln, limits: limits, conns: conns, trusted: trusted, refused: refused,
		open: newShares(limits.Connections, limits.ConnectionsPerIP), budget: newBudget(limits.BodyMemory),
	}
}

// budget is the memory that requests take up which are not answered yet: what
// was read of them, and what it takes to understand them.
type budget struct {
	most    int64 // bytes
	held    atomic.Int64
	large   chan struct{} // held by the one request that is over half of the budget
	uploads *portion      // of what is held, that of uploads which are still coming in
}

func newBudget(most int64) *budget {
	return &budget{most: most, large: make(chan struct{}, 1), uploads: newPortion(most / 4)}
}

// holding is what one request has of the budget. It is for one goroutine.
type holding struct {
	budget *budget
	weight int64
	large  bool // it has the place of the large one, and nothing of the rest

	coming bool       // it is of an upload that is still coming in: weight counts among budget.uploads
	from   netip.Addr // whose upload it is
}

// grow takes so many bytes more; false: there are none, and nothing was taken.
// Requests that alone take more than half of the budget do so one after the
// other, beside it. Those that take little have a quarter more, so that they go
// on when large ones fill it. An upload may take as long as it likes: while it
// comes in it has to find room in the part that is for uploads, too.
func (h *holding) grow(n int64) bool {
	weight := h.weight + n
	if h.coming && !h.budget.uploads.take(h.from, n, weight <= little) {
		return false
	}
	switch {
	case h.large:
	case weight > h.budget.most/2:
		if !h.budget.enterLarge() {
			return false
		}
		h.budget.held.Add(-h.weight)
		h.large = true
	case h.budget.held.Add(n) > h.budget.bound(weight):
		h.budget.held.Add(-n)
		if h.coming {
			h.budget.uploads.give(h.from, n)
		}
		return false
	}
	h.weight = weight
	return true
}

// arrived says that all of an upload has come: it ends soon now, as others do.
func (h *holding) arrived() {
	if h.coming {
		h.budget.uploads.give(h.from, h.weight)
		h.coming = false
	}
}

// leave gives all of it back.
func (h *holding) leave() {
	h.arrived()
	switch {
	case h.large:
		<-h.budget.large
	case h.weight > 0:
		h.budget.held.Add(-h.weight)
	}
	h.weight, h.large = 0, false
}

// bound is how much may be held for a request of the weight to go on.
func (b *budget) bound(weight int64) int64 {
	if weight <= little {
		return b.most + b.most/4
	}
	return b.most
}

// enterLarge waits a while for the place of the large one.
func (b *budget) enterLarge() bool {
	timer := time.NewTimer(understandWait)
	defer timer.Stop()
	select {
	case b.large <- struct{}{}:
		return true
	case <-timer.C:
		return false
	}
}

// Accept gives the next connection within the limits; others are closed at once.
func (g *guard) Accept() (net.Conn, error) {
	for {
		conn, err := g.Listener.Accept()
		if shortage(err) {
			time.Sleep(shortagePause)
			continue
		}
		if err != nil {
			return nil, err
		}
		peer := addressOf(conn.RemoteAddr())
		if from := network(peer); g.open.take(from, g.trusted(peer)) {
			accepted := &guardedConn{Conn: conn, guard: g, from: from}
			g.conns.Store(accepted, nil)
			return accepted, nil
		}
		_ = conn.Close()
		g.refused(peer)
	}
}

// shortage reports an error of accept(2) that passes by itself: too many open
// files, or a peer that is gone already. It must not end the server.
func shortage(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) ||
		errors.Is(err, syscall.ENOBUFS) || errors.Is(err, syscall.ENOMEM) || errors.Is(err, syscall.ECONNABORTED)
}

// guardedConn counts what was read since the last answer. Only its own
// goroutine reads and writes; Close may come from another.
type guardedConn struct {
	net.Conn
	guard  *guard
	from   netip.Addr // its network
	held   atomic.Int64
	linger atomic.Bool
	upload atomic.Bool // a post with files is what is left unread
	closed atomic.Bool
}

// understand takes memory for the body of a request, before it is understood,
// until leave is called; errBodyMemory where there is none. What turns out to be
// larger than it looks, and what comes as a stream, takes more by r.Grow.
func (s *Server) understand(ctx *fasthttp.RequestCtx, r *ingest.Request) (leave func(), err error) {
	conn, ok := ctx.Conn().(*guardedConn)
	if !ok {
		return func() {}, nil
	}
	h := &holding{budget: conn.guard.budget}
	r.Grow = h.grow
	if upload, ok := r.Stream.(*uploadStream); ok {
		h.coming, h.from, upload.arrived = true, upload.from, h.arrived
	}
	if len(r.Body) == 0 {
		return h.leave, nil
	}
	limits := body.DefaultLimits()
	limits.Size = s.settings.Load().MaxBody
	if !h.grow(body.Weigh(inputOf(r), limits)) {
		return nil, errBodyMemory
	}
	return h.leave, nil
}

// Read refuses before it reads: an error that comes with bytes may be ignored.
func (c *guardedConn) Read(p []byte) (int, error) {
	if c.held.Load() > small && c.guard.budget.held.Load() > c.guard.limits.BodyMemory {
		return 0, errBodyMemory
	}
	n, err := c.Conn.Read(p)
	c.held.Add(int64(n))
	c.guard.budget.held.Add(int64(n))
	return n, err
}

func (c *guardedConn) Write(p []byte) (int, error) {
	c.release()
	return c.Conn.Write(p)
}

func (c *guardedConn) release() {
	if n := c.held.Swap(0); n != 0 {
		c.guard.budget.held.Add(-n)
	}
}

// Close closes the connection. When it was refused in the middle of a request
// (Linger), some of the rest is read first: closing with unread data makes the
// kernel send a reset, which can destroy the answer before the sender has read
// it.
func (c *guardedConn) Close() error {
	if c.closed.Swap(true) {
		return net.ErrClosed
	}
	defer c.guard.open.give(c.from)
	defer c.guard.conns.Delete(c)
	defer c.release()
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok && c.linger.Load() {
		patience, most := lingerTime, int64(lingerBytes)
		if c.upload.Load() {
			patience, most = uploadLingerTime, uploadLingerBytes
		}
		if half.CloseWrite() == nil && c.SetReadDeadline(time.Now().Add(patience)) == nil {
			_, _ = io.CopyN(io.Discard, c.Conn, most)
		}
	}
	return c.Conn.Close()
}

// Linger says that Close will leave unread data behind.
func (c *guardedConn) Linger() { c.linger.Store(true) }

// addressOf is the IP address of a peer; the zero Addr for a unix socket.
func addressOf(a net.Addr) netip.Addr {
	tcp, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.Addr{}
	}
	return tcp.AddrPort().Addr().Unmap().WithZone("")
}
