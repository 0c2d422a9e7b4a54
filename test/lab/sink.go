package lab

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"
)

// Arrival is one request that a Sink received.
type Arrival struct {
	ID     string // the webhook-id header: the delivery's id
	Method string
	Path   string
	Query  string
	Header http.Header
	Body   []byte
	At     time.Time
	Nth    int // how often this ID has arrived, from 1
	Status int // what the sink answered; 0 for no proper answer
}

// Answer is how a Sink reacts to an arrival. The zero value is 200 with "ok".
type Answer struct {
	Status     int
	Header     map[string]string
	Body       string
	RetryAfter string
	Delay      time.Duration   // before the answer
	Hang       bool            // no answer until the sender gives up
	Dribble    bool            // a byte of the answer now and then, without end
	Reset      bool            // the connection is cut
	Until      <-chan struct{} // the answer waits until this is closed
}

// Sink is a receiver on loopback that keeps a ledger of all that arrives.
type Sink struct {
	URL string

	mu       sync.Mutex
	arrivals []Arrival
	seen     map[string]int
	answer   func(Arrival) Answer
	server   *httptest.Server
	closed   chan struct{}
}

// NewSink starts a sink; it ends with the test. Answer may be nil: all is well then.
func NewSink(tb testing.TB, answer func(Arrival) Answer) *Sink {
	tb.Helper()
	s := &Sink{seen: make(map[string]int), answer: answer, closed: make(chan struct{})}
	s.server = &httptest.Server{Listener: Listen(tb), Config: &http.Server{Handler: s, ReadHeaderTimeout: Patience}}
	s.server.Start()
	s.URL = s.server.URL
	tb.Cleanup(func() {
		close(s.closed)
		s.server.CloseClientConnections()
		s.server.Close()
	})
	return s
}

// Script replaces the way the sink answers.
func (s *Sink) Script(answer func(Arrival) Answer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = answer
}

// ServeHTTP implements http.Handler.
func (s *Sink) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // a sender that died in the middle of its request has sent nothing
	}
	a := Arrival{
		ID: r.Header.Get("webhook-id"), Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery,
		Header: r.Header.Clone(), Body: body, At: time.Now(),
	}
	s.mu.Lock()
	s.seen[a.ID]++
	a.Nth = s.seen[a.ID]
	answer := s.answer
	s.mu.Unlock()

	var ans Answer
	if answer != nil {
		ans = answer(a)
	}
	if ans.Status == 0 {
		ans.Status = http.StatusOK
	}
	if !ans.Hang && !ans.Reset && !ans.Dribble {
		a.Status = ans.Status
	}
	// The ledger first: what is answered must have been written down.
	s.mu.Lock()
	s.arrivals = append(s.arrivals, a)
	s.mu.Unlock()
	s.write(w, r, ans)
}

func (s *Sink) write(w http.ResponseWriter, r *http.Request, ans Answer) {
	if ans.Until != nil {
		select {
		case <-ans.Until:
		case <-r.Context().Done():
		case <-s.closed:
		}
	}
	if ans.Delay > 0 {
		select {
		case <-time.After(ans.Delay):
		case <-r.Context().Done():
		case <-s.closed:
		}
	}
	switch {
	case ans.Hang:
		select {
		case <-r.Context().Done():
		case <-s.closed:
		}
		panic(http.ErrAbortHandler)
	case ans.Reset:
		panic(http.ErrAbortHandler)
	case ans.Dribble:
		s.dribble(w, r)
		return
	}
	for name, value := range ans.Header {
		w.Header().Set(name, value)
	}
	if ans.RetryAfter != "" {
		w.Header().Set("Retry-After", ans.RetryAfter)
	}
	w.WriteHeader(ans.Status)
	if ans.Body == "" {
		ans.Body = "ok"
	}
	_, _ = io.WriteString(w, ans.Body)
}

func (s *Sink) dribble(w http.ResponseWriter, r *http.Request) {
	w.WriteHeader(http.StatusOK)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-r.Context().Done():
			return
		case <-s.closed:
			return
		case <-tick.C:
			_, _ = io.WriteString(w, "x")
			_ = http.NewResponseController(w).Flush()
		}
	}
}

// Arrivals is a copy of the ledger, in the order of arrival.
func (s *Sink) Arrivals() []Arrival {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Arrival(nil), s.arrivals...)
}

// Count is the number of arrivals.
func (s *Sink) Count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.arrivals)
}

// Await waits for n arrivals and returns them all.
func (s *Sink) Await(tb testing.TB, n int) []Arrival {
	tb.Helper()
	Eventually(tb, fmt.Sprintf("%d arrivals at the sink", n), func() bool { return s.Count() >= n })
	return s.Arrivals()
}
