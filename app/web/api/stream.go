package api

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"

	"hookgate/app/live"
	"hookgate/app/replay"
	"hookgate/internal/event"
)

const (
	// breathe is how often the stream says something where nothing happens:
	// proxies close what is silent, and a reader that is gone is noticed.
	breathe = 15 * time.Second
	// writeTime is how long a reader may take for one part of the stream.
	writeTime = 20 * time.Second
)

// PresentLive writes an item of the stream as JSON.
func PresentLive(i live.Item) ([]byte, error) {
	item := Live{Event: eventOf(i.Event), Update: i.Update}
	of := map[event.DeliveryID][]event.Attempt{}
	for _, a := range i.Attempts {
		of[a.Delivery] = append(of[a.Delivery], a)
	}
	for k := range i.Deliveries {
		item.Deliveries = append(item.Deliveries, deliveryOf(&i.Deliveries[k], of[i.Deliveries[k].ID], false))
	}
	return json.Marshal(item)
}

// stream answers GET /events/stream with server-sent events: "event" for each
// event and each later end of a delivery, "dropped" where something was left out.
func (h *handler) stream(c *fiber.Ctx) error {
	p := newParameters(c, h.now(), "source", "type", "state", "rule", "where", "text")
	states := oneOf(p, "state", eventStates())
	source, typ, rule := p.text("source"), p.text("type"), p.text("rule")
	q, faults := replay.NewQuery(p.text("where"), p.text("text"))
	switch {
	case p.err != nil:
		return p.err
	case faults.Err() != nil:
		return &ExpressionFault{List: faults}
	}
	watcher := h.service.Watch(func(e *event.Event) bool {
		if source != "" && e.Source != source || typ != "" && e.Type != typ {
			return false
		}
		if len(states) > 0 && !slices.Contains(states, e.State) || rule != "" && !heard(e, rule) {
			return false
		}
		ok, _ := q.Match(e)
		return ok
	})
	c.Set(fiber.HeaderContentType, "text/event-stream")
	c.Set("X-Accel-Buffering", "no") // nginx would hold it back
	conn := c.Context().Conn()
	c.Context().SetBodyStreamWriter(func(w *bufio.Writer) {
		defer watcher.Close()
		relay(w, conn, watcher)
	})
	return nil
}

// heard reports whether the rule listens to e, matching or not. Of a rejected
// event nobody knows.
func heard(e *event.Event, rule string) bool {
	if e.State == event.Rejected {
		return true
	}
	return slices.ContainsFunc(e.Verdicts, func(v event.Verdict) bool { return v.Rule == rule && v.Result != event.Skipped })
}

// relay writes what the watcher gets until the reader or the feed ends.
func relay(w *bufio.Writer, conn net.Conn, watcher *live.Watcher) {
	ticker := time.NewTicker(breathe)
	defer ticker.Stop()
	line := ": hookgate\n\n"
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
			line = fmt.Sprintf("event: event\ndata: %s\n\n", item)
		case <-ticker.C:
			line = ": still here\n\n"
		}
		if n := watcher.Dropped(); n > 0 {
			line += fmt.Sprintf("event: dropped\ndata: {\"count\":%d}\n\n", n)
		}
	}
}
