package api

import (
	"bufio"
	"fmt"
	"net"
	"time"

	"github.com/gofiber/fiber/v2"

	"hookgate/app/admin/tail"
	"hookgate/internal/event"
)

const (
	// breathe is how often the stream says something where nothing happens:
	// proxies close what is silent, and a reader that is gone is noticed.
	breathe = 15 * time.Second
	// writeTime is how long a reader may take for one part of the stream.
	writeTime = 20 * time.Second
)

// Watching gives what comes in from now on.
type Watching interface {
	Watch(f event.Search) (*tail.Watcher, error)
}

// stream answers GET /events/stream with server-sent events: "event" for each
// event and each later end of a delivery, "dropped" where something was left out.
func (h *handler) stream(c *fiber.Ctx) error {
	p := newParameters(c, h.now(), "source", "type", "state", "rule", "where", "text")
	f := p.search()
	if p.err != nil {
		return p.err
	}
	watcher, err := h.service.Watch(f)
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, "text/event-stream")
	c.Set("X-Accel-Buffering", "no") // nginx would hold it back
	conn := c.Context().Conn()
	c.Context().SetBodyStreamWriter(func(w *bufio.Writer) {
		defer watcher.Close()
		Relay(w, conn, watcher, Stream{Begin: ": hookgate\n\n", Tell: func(item []byte) string { return fmt.Sprintf("event: event\ndata: %s\n\n", item) }})
	})
	return nil
}

// Stream is how what a watcher gets is told as server-sent events.
type Stream struct {
	Begin string                   // what is said first
	Tell  func(item []byte) string // what is said of an item; "" is nothing
	For   time.Duration            // how long; 0: as long as somebody reads
}

// Relay writes what the watcher gets until the reader, the feed or the stream's time
// ends.
func Relay(w *bufio.Writer, conn net.Conn, watcher *tail.Watcher, s Stream) {
	var end <-chan time.Time
	if s.For > 0 {
		end = time.After(s.For)
	}
	ticker := time.NewTicker(breathe)
	defer ticker.Stop()
	line := s.Begin
	for {
		// The server's own limit is for a whole answer, which this never is.
		if err := conn.SetWriteDeadline(time.Now().Add(writeTime + breathe)); err != nil {
			return
		}
		if _, err := w.WriteString(line); err != nil {
			return
		}
		if err := w.Flush(); err != nil {
			return
		}
		select {
		case item, more := <-watcher.Items:
			if !more {
				return
			}
			line = s.Tell(item)
		case <-end:
			return
		case <-ticker.C:
			line = ": still here\n\n"
		}
		if n := watcher.Dropped(); n > 0 {
			line += fmt.Sprintf("event: dropped\ndata: {\"count\":%d}\n\n", n)
		}
	}
}
