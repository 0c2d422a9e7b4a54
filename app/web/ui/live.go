package ui

import (
	"bufio"
	"encoding/json"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"hookgate/app/web/api"
	"hookgate/internal/event"
)

const (
	// maxListeners is how many pages are told of what comes in, by this process.
	maxListeners = 200
	// listenFor is how long one is told; it asks again then, with its session.
	listenFor = 15 * time.Minute
	// missedAtMost is how many events are told that came since the page was made.
	missedAtMost = 100
	// commitsWithin is how long an event may take from its number to its commit: what
	// came before somebody watched is asked for after it.
	commitsWithin = time.Second
)

// liveList is what a page announces: the events that a query selects.
type liveList struct {
	URL   string // of the stream; "": the page is not told
	Newer string // where the list is with what is new
}

// liveOf is how a page that shows the events from after on is told of newer ones.
func liveOf(query string, after event.ID, here string) liveList {
	return liveList{URL: prefix + "/live" + liveQuery(query, after), Newer: here}
}

func liveQuery(q string, after event.ID) string {
	if after == 0 {
		return query("q", q)
	}
	return query("q", q, "after", after.String())
}

// live tells a page of events that come in, as server-sent events: the id of each
// that its query selects and that is newer than what it shows. The page announces
// them; what it shows stays.
func (u *UI) live(c *fiber.Ctx) error {
	search, _, err := readQuery(strings.Clone(strings.TrimSpace(c.Query("q"))), u.cfg.Now(), languageOf(c))
	if err == nil {
		err = readCursor(c.Query("after"), &search.After)
	}
	if err != nil || !canFollow(search) {
		return fiber.ErrBadRequest
	}
	if u.listeners.Add(1) > maxListeners {
		u.listeners.Add(-1)
		return fiber.ErrServiceUnavailable
	}
	watcher, err := u.cfg.Service.Watch(search)
	if err != nil {
		u.listeners.Add(-1)
		return fiber.ErrBadRequest
	}
	var begin strings.Builder
	begin.WriteString("retry: 3000\n\n")
	if search.After != 0 {
		<-time.After(commitsWithin)
		search.OldestFirst, search.Limit = true, missedAtMost
		page, err := u.cfg.Service.Events(c.UserContext(), search)
		if err != nil {
			u.cfg.Logger.WarnContext(c.UserContext(), "what came since a page was made cannot be told", "error", err)
		}
		for i := range page.Items {
			begin.WriteString(arrival(page.Items[i].ID))
		}
	}
	c.Set(fiber.HeaderContentType, "text/event-stream")
	c.Set("X-Accel-Buffering", "no") // nginx would hold it back
	conn, after, own := c.Context().Conn(), search.After, search.Source == event.Own
	c.Context().SetBodyStreamWriter(func(w *bufio.Writer) {
		defer u.listeners.Add(-1)
		defer watcher.Close()
		api.Relay(w, conn, watcher, api.Stream{Begin: begin.String(), For: listenFor, Tell: func(item []byte) string { return arrivalOf(item, after, own) }})
	})
	return nil
}

// canFollow reports whether what comes in can be told by the search: where its
// deliveries go, and how they end, is not known yet then.
func canFollow(s event.Search) bool {
	return s.Connection == "" && len(s.Deliveries) == 0 && s.Key == "" && s.Until.IsZero()
}

// arrivalOf is what a page is told of an item; "" is nothing. Events of hookgate
// itself are told where the page is about them.
func arrivalOf(item []byte, after event.ID, own bool) string {
	var one struct {
		ID     event.ID `json:"id"`
		Source string   `json:"source"`
		Update bool     `json:"update"`
	}
	if err := json.Unmarshal(item, &one); err != nil || one.Update || one.ID <= after || one.Source == event.Own && !own {
		return ""
	}
	return arrival(one.ID)
}

func arrival(id event.ID) string { return "event: new\ndata: " + id.String() + "\n\n" }
