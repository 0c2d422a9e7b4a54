package demo

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"hookgate/app/admin"
	"hookgate/app/ingest"
	"hookgate/app/ingest/samples"
	"hookgate/internal/body"
)

// historyDays is how long the made-up past is, and gatherings how many things
// happen on a day of work at the most.
const historyDays, gatherings = 30, 9

// clock is the time that the gateway goes by: that of the made-up past while it
// is stored, and then the real one.
type clock struct {
	real   func() time.Time
	behind atomic.Int64 // nanoseconds
}

func (c *clock) Now() time.Time { return c.real().Add(-time.Duration(c.behind.Load())) }

// set has the clock show a moment, and go on from there.
func (c *clock) set(at time.Time) { c.behind.Store(int64(c.real().Sub(at))) }

// release has it show the real time.
func (c *clock) release() { c.behind.Store(0) }

// moment is something that happened: a request, as its sender made it.
type moment struct {
	at   time.Time
	path string // below the server's address; "" for the source, whose address is a secret
	typ  string
	body []byte
}

// customers are the agency's, and the moves between the states of Sitejet that
// their websites make, each as often as it stands there. In "Vorbereitung" is a
// mistake of somebody who renamed a state: rules miss it by one condition.
var (
	customers = []string{
		"Hotel Seeblick", "Gärtnerei Holm", "Segelschule Kiel", "Café Kranz", "Zahnarzt Dr. Weber", "Bäckerei Krause", "Yoga am Deich",
		"Fahrrad Jansen", "Kanzlei Brandt", "Tischlerei Voss", "Physio Nord", "Weingut Adler",
	}
	moves = [][2]string{
		{"Interest", "Preparation"},
		{"Interest", "Preparation"},
		{"Interest", "Preparation"},
		{"Interest", "Vorbereitung"},
		{"Preparation", "Assign"},
		{"Preparation", "Assign"},
		{"Assign", "Publish"},
		{"Assign", "Publish"},
		{"Publish", "Done"},
		{"Publish", "Done"},
		{"Publish", "Done"},
		{"Done", "Preparation"},
	}
	writers  = []string{"Ada Lovelace", "Jonas Weber", "Mira Petersen", "Paul Okafor", "Sofia Lindgren", "Tom Becker"}
	messages = []string{
		"We need a new site, and a shop.", "Could you call me back about the quote?", "Our old site is slow. What would a new one cost?",
		"We move in March and need a landing page.", "Is a booking form possible?", "Thank you for the draft. Two small changes, please.",
	}
)

// refused is the customer whom the billing service of the past does not know.
const refused = "Café Kranz"

// story makes up what happened in the days before now: the same each time, but
// for the dates.
func story(now time.Time) ([]moment, error) {
	s := &storyteller{random: rand.New(rand.NewPCG(7, 1964))} //nolint:gosec // a story, and no secret
	first := now.AddDate(0, 0, -historyDays)
	midnight := time.Date(first.Year(), first.Month(), first.Day(), 0, 0, 0, 0, first.Location())
	for d := range historyDays + 1 {
		day := midnight.AddDate(0, 0, d)
		n := 4 + s.random.IntN(gatherings-3)
		if w := day.Weekday(); w == time.Saturday || w == time.Sunday {
			n = s.random.IntN(3)
		}
		for range n {
			s.next(day.Add(8*time.Hour + time.Duration(s.random.IntN(10*3600))*time.Second))
		}
	}
	s.website(now.Add(-3*time.Hour), refused, "Publish", "Done")
	s.website(now.Add(-2*time.Hour), customers[0], "Interest", "Vorbereitung")
	s.list = slices.DeleteFunc(s.list, func(m moment) bool { return m.at.After(now.Add(-time.Hour)) })
	slices.SortStableFunc(s.list, func(a, b moment) int { return a.at.Compare(b.at) })
	return s.list, s.err
}

type storyteller struct {
	random *rand.Rand
	list   []moment
	err    error
}

// next makes up one thing that happened.
func (s *storyteller) next(at time.Time) {
	switch kind := s.random.IntN(20); {
	case kind < 11:
		move := moves[s.random.IntN(len(moves))]
		s.website(at, customers[s.random.IntN(len(customers))], move[0], move[1])
	case kind < 12:
		s.sample(at, "todo_created")
	case kind < 13:
		s.sample(at, "log_created")
	case kind < 14:
		s.sample(at, "website_created")
	case kind < 18:
		who := writers[s.random.IntN(len(writers))]
		s.post(at, url.Values{
			"name": {who}, "email": {strings.ToLower(strings.ReplaceAll(who, " ", ".")) + "@example.com"},
			"budget": {fmt.Sprint(500 * (1 + s.random.IntN(30)))}, "message": {messages[s.random.IntN(len(messages))]}, "_gotcha": {""},
		}, kind < 16)
	case kind < 19:
		s.post(at, url.Values{
			"name": {"Best Prices"}, "email": {"robot@example.net"}, "message": {"Buy now"}, "_gotcha": {"https://example.net/"},
		}, false)
	default:
		s.list = append(s.list, moment{at: at, typ: "application/json", body: []byte(`{"event":"website_status_changed",`)})
	}
}

func (s *storyteller) post(at time.Time, form url.Values, brief bool) {
	typ, content, err := formBody(form, brief)
	if err != nil && s.err == nil {
		s.err = fmt.Errorf("a made-up form post: %w", err)
	}
	s.list = append(s.list, moment{at: at, path: "/f/contact", typ: typ, body: content})
}

// website has a customer's website move from one state to another.
func (s *storyteller) website(at time.Time, customer, from, to string) {
	s.sample(at, "website_status_changed", "website.title="+customer, "website.status="+to, "previousStatus="+from,
		fmt.Sprintf("website.id=%d", 4000+slices.Index(customers, customer)))
}

// sample is one of Sitejet's events, with some of its values changed.
func (s *storyteller) sample(at time.Time, name string, set ...string) {
	sample, err := samples.Choose(samples.Of("sitejet"), "sitejet", name)
	content := []byte(sample.Body)
	var changes []ingest.Assignment
	for _, text := range append(set, fmt.Sprintf("made_up=%d", len(s.list))) { // none is a repeat of another
		a, fault := ingest.ParseAssignment(text)
		if fault != nil {
			err = fault
		}
		changes = append(changes, a)
	}
	if err == nil {
		content, err = ingest.SetJSON(content, changes)
	}
	if err != nil && s.err == nil {
		s.err = fmt.Errorf("the made-up event %s: %w", name, err)
	}
	s.list = append(s.list, moment{at: at, typ: body.GuessType(".json", content), body: content})
}

// remember stores the made-up past: each request comes in at its time, through
// the same code as every other, and what rules send is sent.
func (d *demo) remember(ctx context.Context) (int, error) {
	list, err := story(d.clock.real())
	if err != nil {
		return 0, err
	}
	sender := http.Client{
		Timeout:       patience,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	defer sender.CloseIdleConnections()
	for _, m := range list {
		d.clock.set(m.at)
		if m.path == "" {
			m.path = "/in/sitejet/" + url.PathEscape(d.place.token)
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, d.base+m.path, bytes.NewReader(m.body))
		if err != nil {
			return 0, err
		}
		req.Header.Set("Content-Type", m.typ)
		if m.path == "/f/contact" {
			req.Header.Set("Origin", d.receiver.url())
		}
		res, err := sender.Do(req)
		if err != nil {
			return 0, fmt.Errorf("storing the made-up past: %w", err)
		}
		_, _ = io.Copy(io.Discard, res.Body)
		_ = res.Body.Close()
		if err := d.calm(ctx); err != nil {
			return 0, err
		}
	}
	d.clock.release()
	return len(list), d.read(ctx)
}

// unread is of how many days nobody has read the posts.
const unread = 7

// read has somebody read the older form posts.
func (d *demo) read(ctx context.Context) error {
	page, err := d.api.Posts(ctx, admin.PostQuery{Form: "contact", Until: d.clock.real().AddDate(0, 0, -unread), Limit: 1000})
	if err != nil {
		return err
	}
	for i := range page.Items {
		if _, err := d.api.SetRead(ctx, page.Items[i].ID, true); err != nil {
			return err
		}
	}
	return nil
}

// calm waits until nothing is under way, lest it arrive at another time.
func (d *demo) calm(ctx context.Context) error {
	for range 2000 {
		status, err := d.api.Status(ctx)
		if err != nil {
			return err
		}
		open := 0
		for _, n := range status.Queues {
			open += n
		}
		if open == 0 {
			return nil
		}
		select {
		case <-time.After(time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return fmt.Errorf("storing the made-up past: %w", ErrIncomplete)
}

// calmly is a logger's handler that has nothing to say of the made-up past.
type calmly struct {
	slog.Handler
	clock *clock
}

func (h calmly) Enabled(ctx context.Context, level slog.Level) bool {
	return h.clock.behind.Load() == 0 && h.Handler.Enabled(ctx, level)
}

func (h calmly) WithAttrs(attrs []slog.Attr) slog.Handler {
	return calmly{h.Handler.WithAttrs(attrs), h.clock}
}

func (h calmly) WithGroup(name string) slog.Handler {
	return calmly{h.Handler.WithGroup(name), h.clock}
}
