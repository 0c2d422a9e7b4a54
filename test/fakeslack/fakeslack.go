// Package fakeslack is a Slack for tests: incoming webhooks, the methods for
// messages and those for files over real HTTP, with the answers of the real one. It checks
// what it gets as Slack does, records the messages, and can be told to fail.
package fakeslack

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
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
	// Via limits it to requests of one kind, as in Message; default: any.
	Via    string
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
	Via       string `json:"via"` // "webhook", "api", "update" (of an earlier message), "lookup" (Text is the address), "upload-url", "upload" (Text is the content) or "files" (shown in a channel)
	Channel   string `json:"channel"`
	Text      string `json:"text"`
	Blocks    []any  `json:"blocks,omitempty"`
	ThreadTS  string `json:"thread_ts,omitempty"`
	Username  string `json:"username,omitempty"`
	IconEmoji string `json:"icon_emoji,omitempty"`

	Files []File `json:"files,omitempty"`

	Header http.Header `json:"-"`
	At     time.Time   `json:"at"`
	TS     string      `json:"ts,omitempty"`    // of the message, for api and update
	Error  string      `json:"error,omitempty"` // Slack's word when it was refused
	Posted bool        `json:"posted"`
}

// File is one that is uploaded or shown.
type File struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Title   string `json:"title,omitempty"`
	Length  int64  `json:"length"` // as it was announced
	Content string `json:"content,omitempty"`

	uploaded bool
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
	files    map[string]File // by id, as far as they are uploaded
	changed  chan struct{}   // closed and replaced at each request
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
		url: "http://" + listener.Addr().String(), done: make(chan struct{}), changed: make(chan struct{}), files: map[string]File{},
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/services/", s.webhook)
	mux.HandleFunc("/api/chat.postMessage", s.postMessage)
	mux.HandleFunc("/api/chat.update", s.update)
	mux.HandleFunc("/api/users.lookupByEmail", s.lookup)
	mux.HandleFunc("/api/files.getUploadURLExternal", s.uploadURL)
	mux.HandleFunc("/upload/v1/", s.upload)
	mux.HandleFunc("/api/files.completeUploadExternal", s.completeUpload)
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
func (s *Server) next(via string) *Answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := slices.IndexFunc(s.script, func(a Answer) bool { return a.Via == "" || a.Via == via }); i >= 0 {
		answer := s.script[i]
		s.script = slices.Delete(s.script, i, i+1)
		return &answer
	}
	if s.always != nil && s.always.Via != "" && s.always.Via != via {
		return nil
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
