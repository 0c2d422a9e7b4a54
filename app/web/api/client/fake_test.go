package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"hookgate/app/ingest"
	"hookgate/app/live"
	"hookgate/app/replay"
	"hookgate/app/web"
	"hookgate/app/web/api"
	"hookgate/app/web/api/client"
	"hookgate/internal/body"
	"hookgate/internal/event"
	"hookgate/internal/schema"
	"hookgate/rules"
)

var received = time.Date(2026, 3, 10, 10, 42, 7, 0, time.UTC)

// fake is a Service over a few records, which keeps the filters it was asked with.
type fake struct {
	api.Replayer
	api.Files
	live       *live.Feed
	replays    []api.Replay
	mu         sync.Mutex
	events     []event.Event
	deliveries []event.Delivery
	attempts   []event.Attempt
	filter     event.Filter
	selected   event.DeliveryFilter
	sent       [3]string
	err        error
	reloaded   api.Reloaded
	replicas   api.Replicas
	why        []rules.Trace
	judgedBy   *api.JudgedBy

	connections []api.Connection
	switched    event.PauseState
	forgets     []api.EraseRequest
}

func (f *fake) Events(_ context.Context, filter event.Filter) ([]event.Event, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.filter = filter
	return f.events[:min(len(f.events), filter.Limit)], f.err
}

func (f *fake) Event(_ context.Context, id event.ID) (event.Event, error) {
	for _, e := range f.events {
		if e.ID == id {
			return e, nil
		}
	}
	return event.Event{}, fmt.Errorf("load: %w", event.ErrNotFound)
}

func (f *fake) Deliveries(_ context.Context, filter event.DeliveryFilter) ([]event.Delivery, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.selected = filter
	var list []event.Delivery
	for _, d := range f.deliveries {
		if (filter.Event == 0 || d.Event == filter.Event) && (len(filter.IDs) == 0 || filter.IDs[0] == d.ID) {
			list = append(list, d)
		}
	}
	return list, nil
}

func (f *fake) Forms(_ context.Context, since time.Time) ([]api.FormCount, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.filter.Since = since
	return []api.FormCount{{Name: "contact", Posts: 3, Spam: 1}}, f.err
}

func (f *fake) NotSpam(ctx context.Context, id event.ID) (ingest.Ack, error) {
	e, err := f.Event(ctx, id)
	if err == nil && e.State != event.Spam {
		err = event.ErrNotKept
	}
	return ingest.Ack{ID: id, State: event.Routed}, err
}

func (f *fake) Erasures(context.Context) ([]api.Erasure, error) {
	return []api.Erasure{{Record: 7, Events: 3, Done: true}}, nil
}

func (f *fake) Erase(_ context.Context, r api.EraseRequest) (api.Erased, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.forgets = append(f.forgets, r)
	if f.err != nil {
		return api.Erased{}, f.err
	}
	part := api.Erased{Total: 7, Examined: 5, Events: 2, Origins: []api.ForgetOrigin{{Name: "contact", Form: true, Events: 2}}, Files: 1}
	if r.After == nil {
		part.Next = new(event.ID)
		*part.Next = 7
	}
	return part, nil
}

func (f *fake) Why(context.Context, *event.Event) (*api.JudgedBy, []rules.Trace) {
	return f.judgedBy, f.why
}

func (f *fake) Search(_ context.Context, filter event.Filter, q *replay.Query) ([]event.Event, api.Search, event.ID, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.filter = filter
	var list []event.Event
	for i := range f.events {
		if ok, _ := q.Match(&f.events[i]); ok {
			list = append(list, f.events[i])
		}
	}
	return list, api.Search{Examined: len(f.events), Stopped: true, Failed: 1, Failure: "x is null"}, firstEvent - 9, f.err
}

func (f *fake) Watch(wants func(*event.Event) bool) *live.Watcher { return f.live.Watch(wants) }

func (f *fake) Replays(context.Context, event.ID) ([]api.Replay, error) { return f.replays, f.err }

func (f *fake) Attempts(_ context.Context, ids ...event.DeliveryID) ([]event.Attempt, error) {
	var list []event.Attempt
	for _, a := range f.attempts {
		for _, id := range ids {
			if a.Delivery == id {
				list = append(list, a)
			}
		}
	}
	return list, nil
}

func (f *fake) Count(_ context.Context, filter event.DeliveryFilter) (count, keyed, keys int, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.selected = filter
	return 412, 161, 40, nil
}

func (f *fake) Retry(_ context.Context, filter event.DeliveryFilter) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.selected = filter
	return 412, f.err
}

func (f *fake) Cancel(_ context.Context, filter event.DeliveryFilter) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.selected = filter
	return 3, f.err
}

func (f *fake) Send(_ context.Context, source, contentType string, content []byte) (ingest.Ack, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sent = [3]string{source, contentType, string(content)}
	switch {
	case source != "sitejet":
		return ingest.Ack{}, event.ErrNotFound
	case string(content) == "bad":
		return ingest.Ack{ID: 7 << 30}, &body.Error{Status: 400, Line: 59, Column: 3, Message: "a comma is missing", Hint: "add it"}
	}
	return ingest.Ack{ID: 8 << 30}, f.err
}

func (f *fake) Status(context.Context) (api.Status, error) {
	return api.Status{Version: "1.2.3", Config: "7f3a91c", Started: received, Ready: true, Queues: map[string]int{"billing": 2}}, f.err
}

func (f *fake) Replicas(context.Context) (api.Replicas, error) { return f.replicas, f.err }

func (f *fake) Fields(_ context.Context, name string, form bool) (schema.Source, error) {
	if name != "a b" || form {
		return schema.Source{}, event.ErrNotFound
	}
	b := schema.NewBuilder()
	b.Add([]byte(`{"n": 9007199254740993, "1.3": "x"}`))
	return schema.Source{Name: name, Seen: []schema.Payload{b.Payload("t")}}, f.err
}

func (f *fake) Connections(context.Context) ([]api.Connection, error) { return f.connections, f.err }

func (f *fake) SetPauseState(_ context.Context, s event.PauseState) (api.Connection, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.switched = s
	for _, c := range f.connections {
		if c.Name == s.Connection {
			return c, f.err
		}
	}
	return api.Connection{}, event.ErrNotFound
}

func (f *fake) TestConnection(_ context.Context, name string, confirmed bool) (api.Tested, error) {
	if name != "billing" {
		return api.Tested{}, event.ErrNotFound
	}
	return api.Tested{What: "sends", Message: true, Done: confirmed, OK: confirmed}, f.err
}

func (f *fake) Reload(context.Context) (api.Reloaded, error) { return f.reloaded, f.err }

const (
	firstEvent    event.ID         = 5 << 40
	firstDelivery event.DeliveryID = 5<<40 + 1
)

func sample() *fake {
	return &fake{
		events: []event.Event{
			{
				ID: firstEvent, Source: "sitejet", Type: "website_status_changed", ReceivedAt: received, State: event.Routed,
				Body:    []byte(`{"previousStatus":"Publish","website":{"title":"Harry's Diner","status":"Done"},"id":9007199254740993}`),
				Request: event.Request{Method: "POST", RemoteIP: "203.0.113.7", Headers: map[string]string{"user-agent": "x"}},
				Verdicts: []event.Verdict{
					{Rule: "create", Result: event.NotMatched},
					{Rule: "activate", Result: event.Matched},
					{Rule: "lead", Result: event.Skipped},
					{Rule: "broken", Result: event.RuleFailed, Message: "nil"},
				},
			},
			{ID: firstEvent - 1, Source: "sitejet", ReceivedAt: received, State: event.Rejected, Cause: "invalid JSON", Body: []byte("{\xff")},
			{ID: firstEvent - 2, Source: "sitejet", ReceivedAt: received, State: event.Duplicate, DuplicateOf: firstEvent, Body: []byte(`{"name":"a\u001b[31m\nb"}`)},
		},
		deliveries: []event.Delivery{{
			ID: firstDelivery, Event: firstEvent, Rule: "activate", Connection: "billing", Action: 2, Key: "321654",
			Output: json.RawMessage(`{"json":{"website_id":321654,"title":"<b> & co"}}`), State: event.Retrying, Attempts: 2, Created: received,
			Due: received.Add(time.Minute), Error: "503 Service Unavailable", BlockedBy: firstDelivery - 9, Warnings: []string{"data.x"},
		}},
		attempts: []event.Attempt{
			{Delivery: firstDelivery, Number: 1, Started: received, Duration: 1200 * time.Millisecond, Error: "timeout"},
			{
				Delivery: firstDelivery, Number: 2, Started: received.Add(time.Second), Duration: 84500 * time.Microsecond,
				Receipt: event.Receipt{Status: 503, Answer: []byte("busy \xff")}, Error: "503 Service Unavailable",
			},
		},
	}
}

// serve offers f over a unix socket and TCP until the test ends.
func serve(t *testing.T, f api.Service) (overUnix *client.Client, url string) {
	t.Helper()
	server := web.New(web.Config{
		Plan: func() *ingest.Plan { return &ingest.Plan{} }, Admin: f, Ready: func() error { return nil },
		Metrics: http.NotFoundHandler(), Refused: func(string, string) {}, Logger: slog.New(slog.DiscardHandler),
		Settings: web.Settings{AdminUser: "team", AdminPassword: event.NewSecret("pass:word")}, Now: func() time.Time { return received },
	})
	socket := filepath.Join(t.TempDir(), "hookgate.sock")
	unix, err := web.ListenUnix(t.Context(), socket)
	if err != nil {
		t.Fatal(err)
	}
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 2)
	go func() { done <- server.ServeAdmin(unix) }()
	go func() { done <- server.Serve(tcp) }()
	c := client.Unix(socket)
	t.Cleanup(func() {
		c.Close()
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := errors.Join(server.Shutdown(ctx), <-done, <-done); err != nil {
			t.Error(err)
		}
	})
	return c, "http://" + tcp.Addr().String()
}
