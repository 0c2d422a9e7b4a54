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
	"slices"
	"sync"
	"testing"
	"time"

	"hookgate/app/admin"
	"hookgate/app/admin/access"
	"hookgate/app/admin/tail"
	"hookgate/app/deliver"
	"hookgate/app/ingest"
	"hookgate/app/ingest/source"
	"hookgate/app/web"
	"hookgate/app/web/api/client"
	"hookgate/connectors"
	"hookgate/db"
	"hookgate/internal/body"
	"hookgate/internal/event"
	"hookgate/internal/schema"
	"hookgate/internal/yamlnode"
)

var received = time.Date(2026, 3, 10, 10, 42, 7, 0, time.UTC)

// fake is a store of a few records, which keeps the filters it was asked with.
// What a test does not ask for is not there.
type fake struct {
	admin.Store
	feed       *tail.Feed
	mu         sync.Mutex
	events     []event.Event
	deliveries []event.Delivery
	failures   []event.FailureCount
	attempts   []event.Attempt
	filter     event.Filter
	selected   event.DeliveryFilter
	sent       [4]string
	err        error
	reloaded   admin.Reloaded
	replicas   admin.Replicas
	known      map[string]schema.Source

	connections []admin.Connection
	switched    event.PauseState
	seen        *time.Time // what switched was to change
	forgets     []admin.EraseRequest
}

// service is the real one over the fake, but for what other tests hold to more
// than a few records.
type service struct {
	*admin.Service
	f *fake
}

func (f *fake) service() service {
	plan := &ingest.Plan{RuleSet: ingest.RuleSet{Hash: "7f3a91c"}, Sources: map[string]*source.Source{"sitejet": {Name: "sitejet", Type: "sitejet"}}}
	now := &admin.InForce{Plan: plan, Known: f.known}
	for _, c := range f.connections {
		now.Connections = append(now.Connections, admin.ConnectionSettings{Name: c.Name})
	}
	return service{f: f, Service: admin.New(admin.Options{
		Store: f, Workers: workers{f}, Arrivals: arrivals{}, Intake: intake{f}, Feed: f.feed, Logger: slog.New(slog.DiscardHandler), Now: func() time.Time { return received },
		InForce:            func() *admin.InForce { return now },
		Reload:             func() (admin.Reloaded, error) { return f.reloaded, f.err },
		PauseStatesChanged: func(context.Context) error { return nil },
	})}
}

func (f *fake) Events(_ context.Context, filter event.Filter) ([]event.Event, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.filter = filter
	return f.events[:min(len(f.events), filter.Limit)], f.err
}

func (f *fake) Back(context.Context, event.ID, int) (event.ID, int, error) { return 0, 0, f.err }

func (f *fake) Event(_ context.Context, id event.ID) (event.Event, error) {
	for _, e := range f.events {
		if e.ID == id {
			return e, nil
		}
	}
	return event.Event{}, fmt.Errorf("load: %w", event.ErrNotFound)
}

func (*fake) Memberships(context.Context, ...event.ID) ([]event.Membership, error) { return nil, nil }

func (f *fake) Scan(_ context.Context, filter event.Filter, each func(*event.Event) error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.filter = filter
	for i := range f.events {
		if filter.Before != 0 && f.events[i].ID >= filter.Before {
			continue
		}
		if err := each(&f.events[i]); errors.Is(err, db.ErrStop) {
			return nil
		} else if err != nil {
			return err
		}
	}
	return f.err
}

func (f *fake) DeliveriesOf(_ context.Context, events []event.ID, limit int) (list []event.Delivery, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, d := range f.deliveries {
		if slices.Contains(events, d.Event) && len(list) < limit {
			list = append(list, d)
		}
	}
	return list, nil
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

func (f *fake) Replays(context.Context, event.ID) ([]event.Replay, error) { return nil, f.err }

func (f *fake) Plan(context.Context, int64) (event.RuleSet, error) {
	return event.RuleSet{}, event.ErrNotFound
}

func (f *fake) NewIDs(int) event.ID { return 1 << 40 }

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

func (f *fake) CountEach(context.Context, event.DeliveryFilter) (map[string]int, error) {
	return nil, nil
}

func (f *fake) Count(_ context.Context, filter event.DeliveryFilter) (count, keyed, keys int, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if filter.NotOvertaken {
		return 409, 158, 40, nil
	}
	f.selected = filter
	return 412, 161, 40, nil
}

func (f *fake) FailureCounts(_ context.Context, filter event.DeliveryFilter, _ time.Time, _ time.Duration, _ int) ([]event.FailureCount, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.selected = filter
	return f.failures, f.err
}

func (f *fake) Retry(_ context.Context, filter event.DeliveryFilter) (int, []string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.selected = filter
	return 412, []string{"billing"}, f.err
}

func (f *fake) Cancel(_ context.Context, filter event.DeliveryFilter) (int, []string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.selected = filter
	return 3, nil, f.err
}

func (f *fake) PauseStates(context.Context) ([]event.PauseState, error) { return nil, f.err }

func (f *fake) SetPauseState(s event.PauseState, seen *time.Time) (bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.switched, f.seen = s, seen
	return true, f.err
}

func (f *fake) Backlogs(context.Context) (map[string]db.Backlog, error) { return nil, f.err }

func (f *fake) Failures(context.Context, time.Time) (map[string]db.Failure, error) {
	return nil, f.err
}

func (f *fake) Health(context.Context, int64, int64) (event.AttemptStats, error) {
	return event.AttemptStats{}, f.err
}

// workers know the connections, all of which can be tested.
type workers struct{ f *fake }

func (workers) Rate(string) yamlnode.Rate { return yamlnode.Rate{} }

func (w workers) Connection(name string) (deliver.Connection, bool) {
	found := slices.ContainsFunc(w.f.connections, func(c admin.Connection) bool { return c.Name == name })
	return deliver.Connection{Name: name, Connector: tester{}}, found
}

func (workers) Pending() event.AttemptStats { return event.AttemptStats{} }

// arrivals counts nothing.
type arrivals struct{}

func (arrivals) Pending() []event.TrafficCount { return nil }

func (*fake) LastTraffic(context.Context) (map[string]int64, error) { return nil, nil }

func (*fake) LastEvents(context.Context, []string) (map[string]event.ID, error) { return nil, nil }

func (*fake) Traffic(context.Context, int64, int64) ([]event.TrafficCount, error) {
	return []event.TrafficCount{{Of: event.FromSource, Name: "sitejet", Slot: event.HealthSlotAt(received), Result: "routed", Count: 4}}, nil
}

func (workers) Health(event.AttemptStats) map[string]deliver.Health { return nil }
func (workers) Poll(string)                                         {}

type tester struct{ connectors.Connector }

func (tester) TestInfo() connectors.TestInfo {
	return connectors.TestInfo{What: "sends", Message: true}
}

func (tester) Test(context.Context, event.DeliveryID) (connectors.TestResult, error) {
	return connectors.TestResult{}, nil
}

// intake takes all but one body, and releases spam.
type intake struct{ f *fake }

func (i intake) Accept(_ *ingest.Plan, r *ingest.Request) (ingest.Ack, error) {
	i.f.mu.Lock()
	defer i.f.mu.Unlock()
	i.f.sent = [4]string{r.Source, r.ContentType, string(r.Body), fmt.Sprintf("%s, fresh %t", r.Headers["X-Topic"], r.Sample.Fresh)}
	if string(r.Body) == "bad" {
		return ingest.Ack{ID: 7 << 30}, &body.Error{Status: 400, Line: 59, Column: 3, Message: "a comma is missing", Hint: "add it"}
	}
	return ingest.Ack{ID: 8 << 30}, i.f.err
}

func (intake) Release(e *event.Event, _ *ingest.Plan, _ time.Time) (ingest.Ack, error) {
	if e.State != event.Spam {
		return ingest.Ack{}, event.ErrNotKept
	}
	return ingest.Ack{ID: e.ID, State: event.Routed}, nil
}

func (intake) WouldRelease(e *event.Event, _ *ingest.Plan, _ time.Time) (event.Event, []event.Delivery, error) {
	if e.State != event.Spam {
		return event.Event{}, nil, event.ErrNotKept
	}
	would := *e
	would.State = event.Routed
	return would, []event.Delivery{{Event: e.ID, Rule: "lead", Action: 1, Connection: "slack"}}, nil
}

func (s service) Forms(_ context.Context, since time.Time) (admin.FormCounts, error) {
	s.f.mu.Lock()
	defer s.f.mu.Unlock()
	s.f.filter.Since = since
	return admin.FormCounts{Items: []admin.FormCount{{Name: "contact", Posts: 3, Spam: 1}}, Since: since}, s.f.err
}

func (s service) Erasures(_ context.Context, before event.AuditID, limit int) (admin.Page[admin.Erasure], error) {
	if before != 9 || limit != 5 {
		return admin.Page[admin.Erasure]{}, nil
	}
	return admin.Page[admin.Erasure]{Items: []admin.Erasure{{Record: 7, Events: 3, Done: true}}}, nil
}

func (s service) Erase(_ context.Context, r admin.EraseRequest) (admin.Erased, error) {
	s.f.mu.Lock()
	defer s.f.mu.Unlock()
	s.f.forgets = append(s.f.forgets, r)
	if s.f.err != nil {
		return admin.Erased{}, s.f.err
	}
	part := admin.Erased{Total: 7, Examined: 5, Events: 2, Origins: []admin.EraseOrigin{{Name: "contact", Form: true, Events: 2}}, Files: 1}
	if r.After == nil {
		part.Next = new(event.ID)
		*part.Next = 7
	}
	return part, nil
}

func (s service) Status(context.Context) (admin.Status, error) {
	return admin.Status{Version: "1.2.3", Config: "7f3a91c", Started: received, Ready: true, Queues: map[string]int{"billing": 2}}, s.f.err
}

func (s service) Replicas(context.Context) (admin.Replicas, error) { return s.f.replicas, s.f.err }

func (s service) Fields(ctx context.Context, name string, form bool) (schema.Source, error) {
	if name != "a b" || form {
		return s.Service.Fields(ctx, name, form)
	}
	b := schema.NewBuilder()
	b.Add([]byte(`{"n": 9007199254740993, "1.3": "x"}`))
	return schema.Source{Name: name, Seen: []schema.Payload{b.Payload("t")}}, s.f.err
}

func (s service) Connections(context.Context) (admin.Page[admin.Connection], error) {
	return admin.Page[admin.Connection]{Items: s.f.connections}, s.f.err
}

func (s service) Connection(ctx context.Context, name string) (admin.Connection, error) {
	for _, c := range s.f.connections {
		if c.Name == name {
			return c, s.f.err
		}
	}
	return s.Service.Connection(ctx, name)
}

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
func serve(t *testing.T, f *fake) (overUnix *client.Client, url string) {
	t.Helper()
	server := web.New(web.Config{
		Plan: func() *ingest.Plan { return &ingest.Plan{} }, Admin: f.service(), Ready: func() error { return nil },
		Metrics: http.NotFoundHandler(), Refused: func(string, string) {}, Logger: slog.New(slog.DiscardHandler),
		Access: access.New(access.Options{People: func() access.People {
			return access.People{Users: []access.User{{Name: "team", Role: access.Operator, Password: event.NewSecret("pass:word")}}}
		}, Now: time.Now, Logger: slog.New(slog.DiscardHandler)}),
		Now: func() time.Time { return received },
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
		err := server.Shutdown(ctx, time.Second)
		_, _ = unix.Close(), tcp.Close() // where the test was over before they were served
		for range 2 {
			if ended := <-done; !errors.Is(ended, net.ErrClosed) {
				err = errors.Join(err, ended)
			}
		}
		if err != nil {
			t.Error(err)
		}
	})
	return c, "http://" + tcp.Addr().String()
}
