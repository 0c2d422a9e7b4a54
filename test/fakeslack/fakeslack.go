// Package fakeslack is a Slack for tests: incoming webhooks and
// chat.postMessage over real HTTP, with the answers of the real one. It checks
// what it gets as Slack does, records the messages, and can be told to fail.
package fakeslack

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"
)

const (
	// Token is the bot token that the fake accepts.
	Token = "xoxb-1111111111-2222222222-fakeSlackBotToken"
	// WebhookPath is the path of the one incoming webhook that exists.
	WebhookPath = "/services/T0FAKE001/B0FAKE001/fakeSlackWebhookKey00001"
	// WebhookChannel is the channel of that webhook.
	WebhookChannel = "C0WEBHOOK"
)

// Answer is what the fake answers instead of doing its work.
type Answer struct {
	Status int // default: 200
	Header http.Header
	Body   string
	// Hang holds the answer back until the client is gone or the server closes.
	Hang bool
	// Reset breaks the connection without an answer.
	Reset bool
	// Lose does the work and records the message, then answers with this.
	Lose bool
}

// Message is one request that reached the fake.
type Message struct {
	Via       string `json:"via"` // "webhook", "api", "update" (of an earlier message) or "lookup" (Text is the address)
	Channel   string `json:"channel"`
	Text      string `json:"text"`
	Blocks    []any  `json:"blocks,omitempty"`
	ThreadTS  string `json:"thread_ts,omitempty"`
	Username  string `json:"username,omitempty"`
	IconEmoji string `json:"icon_emoji,omitempty"`

	Header http.Header `json:"-"`
	At     time.Time   `json:"at"`
	TS     string      `json:"ts,omitempty"`    // of the message, for api and update
	Error  string      `json:"error,omitempty"` // Slack's word when it was refused
	Posted bool        `json:"posted"`
}

// Server is a running fake. It is safe for concurrent use.
type Server struct {
	url  string
	http *http.Server
	done chan struct{} // closed by Close, ends answers that hang

	mu       sync.Mutex
	script   []Answer
	always   *Answer
	requests []Message
	changed  chan struct{} // closed and replaced at each request
	close    sync.Once
}

// New starts a fake on a free loopback port; it ends with the test.
func New(t testing.TB) *Server {
	t.Helper()
	s, err := Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// Start starts a fake on a TCP address. The caller closes it.
func Start(addr string) (*Server, error) {
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("fake Slack: %w", err)
	}
	s := &Server{
		url: "http://" + listener.Addr().String(), done: make(chan struct{}), changed: make(chan struct{}),
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/services/", s.webhook)
	mux.HandleFunc("/api/chat.postMessage", s.postMessage)
	mux.HandleFunc("/api/chat.update", s.update)
	mux.HandleFunc("/api/users.lookupByEmail", s.lookup)
	s.http = &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = s.http.Serve(listener) }() // returns when Close closes the listener
	return s, nil
}

// Close ends the fake and breaks open connections. It may be called twice.
func (s *Server) Close() {
	s.close.Do(func() {
		close(s.done)
		_ = s.http.Close()
	})
}

// URL is the address without a path.
func (s *Server) URL() string { return s.url }

// WebhookURL is for `webhook_url`.
func (s *Server) WebhookURL() string { return s.url + WebhookPath }

// APIURL is for `api_url`.
func (s *Server) APIURL() string { return s.url + "/api/" }

// Script queues answers: each is given once, in order, before the fake works again.
func (s *Server) Script(answers ...Answer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.script = append(s.script, answers...)
}

// Always makes every request get the answer from now on; nil makes the fake
// work again. What is scripted comes first.
func (s *Server) Always(answer *Answer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.always = answer
}

// Messages are the messages that were posted, in order.
func (s *Server) Messages() []Message {
	var posted []Message
	for _, m := range s.Requests() {
		if m.Posted {
			posted = append(posted, m)
		}
	}
	return posted
}

// Requests are all requests, also those that were refused or got a scripted answer.
func (s *Server) Requests() []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Message(nil), s.requests...)
}

// ErrShort reports that Wait's context ended too soon.
var ErrShort = errors.New("fewer messages than expected")

// Wait returns the messages as soon as at least n were posted.
func (s *Server) Wait(ctx context.Context, n int) ([]Message, error) {
	for {
		s.mu.Lock()
		changed := s.changed
		s.mu.Unlock()
		if posted := s.Messages(); len(posted) >= n {
			return posted, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			posted := s.Messages()
			return posted, fmt.Errorf("%d of %d: %w", len(posted), n, ErrShort)
		}
	}
}

// next takes the answer that is due instead of work, if any.
func (s *Server) next() *Answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.script) > 0 {
		answer := s.script[0]
		s.script = s.script[1:]
		return &answer
	}
	return s.always
}

func (s *Server) record(m Message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, m)
	close(s.changed)
	s.changed = make(chan struct{})
}
