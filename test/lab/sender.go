package lab

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Sent is one post and what became of it.
type Sent struct {
	N      int    // the number in its payload
	Status int    // of a complete answer; 0 when there was none
	ID     string // the event's id in a 2xx
	At     time.Time
	Took   time.Duration
}

// Sender posts numbered events and keeps a ledger of the answers. An event
// counts as acknowledged when a complete 2xx was read.
type Sender struct {
	URL     string
	Also    []string // more URLs: the posts go round
	Header  map[string]string
	Payload func(n int) []byte

	next   atomic.Int64
	turn   atomic.Int64
	acked  atomic.Int64
	mu     sync.Mutex
	ledger []Sent
	client *http.Client
	noted  Balance // what AwaitAll has told of it
}

// NewSender posts to url; payload makes the body of event n, counted from 1.
func NewSender(tb testing.TB, url string, payload func(n int) []byte) *Sender {
	tb.Helper()
	s := &Sender{URL: url, Payload: payload, client: NewClient()}
	s.client.Timeout = 15 * time.Second
	tb.Cleanup(s.Close)
	return s
}

// Connections bounds how many connections its posts go over; one that finds
// none free waits.
func (s *Sender) Connections(most int) {
	if transport, ok := s.client.Transport.(*http.Transport); ok {
		transport.MaxConnsPerHost = most
	}
}

// Close gives back the connections that are idle. The gate has a cap for those
// of an address, so one of many senders of a test has to.
func (s *Sender) Close() { s.client.CloseIdleConnections() }

// Post sends the next event and writes the outcome down.
func (s *Sender) Post(ctx context.Context) Sent {
	n := int(s.next.Add(1))
	return s.send(ctx, n, s.Payload(n))
}

// PostKey sends the next event under the given ordering key.
func (s *Sender) PostKey(ctx context.Context, key string) Sent {
	n := int(s.next.Add(1))
	return s.send(ctx, n, fmt.Appendf(nil, `{"type":"numbered","n":%d,"key":%q}`, n, key))
}

func (s *Sender) send(ctx context.Context, n int, body []byte) Sent {
	sent := Sent{N: n, At: time.Now()}
	sent.Status, sent.ID = s.post(ctx, body)
	sent.Took = time.Since(sent.At)
	s.mu.Lock()
	s.ledger = append(s.ledger, sent)
	s.mu.Unlock()
	if sent.Status/100 == 2 {
		s.acked.Add(1)
	}
	return sent
}

func (s *Sender) post(ctx context.Context, body []byte) (status int, id string) {
	url := s.URL
	if i := int(s.turn.Add(1)) % (1 + len(s.Also)); i > 0 {
		url = s.Also[i-1]
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return 0, ""
	}
	req.Header.Set("Content-Type", "application/json")
	for name, value := range s.Header {
		req.Header.Set(name, value)
	}
	res, err := s.client.Do(req)
	if err != nil {
		return 0, ""
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		return 0, ""
	}
	var answer struct{ ID string }
	if res.StatusCode/100 == 2 && json.Unmarshal(text, &answer) != nil {
		return 0, ""
	}
	return res.StatusCode, answer.ID
}

// Run posts on so many connections until ctx is done or total events were sent
// (0: no limit). A refused post is followed by a short pause.
func (s *Sender) Run(ctx context.Context, connections, total int) {
	var wg sync.WaitGroup
	for range connections {
		wg.Go(func() {
			for ctx.Err() == nil && (total == 0 || int(s.next.Load()) < total) {
				if sent := s.Post(ctx); sent.Status/100 != 2 {
					select {
					case <-time.After(5 * time.Millisecond):
					case <-ctx.Done():
					}
				}
			}
		})
	}
	wg.Wait()
}

// Start runs until end is called, which waits for the posts under way, or until
// the test is over.
func (s *Sender) Start(tb testing.TB, connections int) (end func()) {
	tb.Helper()
	ctx, cancel := context.WithCancel(tb.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.Run(ctx, connections, 0)
	}()
	end = func() { cancel(); <-done }
	tb.Cleanup(end)
	return end
}

// RunPaced posts at a steady rate, each post on its own, until ctx is done.
func (s *Sender) RunPaced(ctx context.Context, perSecond int) {
	var wg sync.WaitGroup
	defer wg.Wait()
	tick := time.NewTicker(time.Second / time.Duration(perSecond))
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			wg.Go(func() { s.Post(context.WithoutCancel(ctx)) })
		}
	}
}

// Ledger is a copy of what was sent.
func (s *Sender) Ledger() []Sent {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Sent(nil), s.ledger...)
}

// Acknowledged are the events that got a complete 2xx.
func (s *Sender) Acknowledged() []Sent {
	var acked []Sent
	for _, e := range s.Ledger() {
		if e.Status/100 == 2 {
			acked = append(acked, e)
		}
	}
	return acked
}

// Statuses counts the answers by status.
func (s *Sender) Statuses() map[int]int {
	counts := make(map[int]int)
	for _, e := range s.Ledger() {
		counts[e.Status]++
	}
	return counts
}

// Percentile is the p-th percentile (0 to 100) of durations, 0 for none.
func Percentile(durations []time.Duration, p float64) time.Duration {
	if len(durations) == 0 {
		return 0
	}
	sorted := append([]time.Duration(nil), durations...)
	slices.Sort(sorted)
	return sorted[min(len(sorted)-1, int(p/100*float64(len(sorted))))]
}

// AcknowledgedCount is how many events got a complete 2xx so far.
func (s *Sender) AcknowledgedCount() int { return int(s.acked.Load()) }
