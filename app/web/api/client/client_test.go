package client_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hookgate/app/admin"
	"hookgate/app/web/api/client"
	"hookgate/internal/diag"
	"hookgate/internal/event"
)

func TestEvents(t *testing.T) {
	t.Parallel()
	f := sample()
	c, _ := serve(t, f)
	page, err := c.Events(t.Context(), event.Search{Filter: event.Filter{
		Source: "sitejet", Type: "a&b", States: []event.State{event.Routed, event.Rejected}, Since: received.Add(-time.Hour), Before: 1 << 50, Limit: 2,
	}})
	if err != nil {
		t.Fatal(err)
	}
	want := event.Filter{Source: "sitejet", Type: "a&b", States: []event.State{event.Routed, event.Rejected}, Since: received.Add(-time.Hour), Before: 1 << 50, Limit: 2}
	if diff := cmp.Diff(want, f.filter); diff != "" {
		t.Errorf("filter:\n%s", diff)
	}
	if len(page.Items) != 2 || page.Next != (firstEvent-1).String() {
		t.Fatalf("%d items, next %q", len(page.Items), page.Next)
	}
	e := page.Items[0]
	if e.Summary != "Harry's Diner · Publish → Done" || len(e.Deliveries) != 1 || len(e.Rules) != 4 {
		t.Errorf("event %+v", e)
	}
	d := e.Deliveries[0]
	if d.Name != "activate/billing#2" || d.Status != 503 || d.DurationMS != 84.5 || d.History != nil || d.Output != nil {
		t.Errorf("delivery %+v", d)
	}
	all, err := c.Events(t.Context(), event.Search{})
	if err != nil || all.Next != "" || len(all.Items) != 3 {
		t.Fatalf("%+v %v", all, err)
	}
	if dup := all.Items[2]; dup.Summary != "a [31m b" || dup.DuplicateOf == nil || *dup.DuplicateOf != firstEvent {
		t.Errorf("duplicate %+v", dup)
	}
}

// The events of a list have their deliveries read together. Fails when those of a list
// are cut as those of one event are.
func TestEvents_manyDeliveries(t *testing.T) {
	t.Parallel()
	f := &fake{}
	for n := range event.ID(3) {
		id := firstEvent - n
		f.events = append(f.events, event.Event{ID: id, Source: "sitejet", ReceivedAt: received, State: event.Routed, Body: []byte(`{}`)})
		for range 300 {
			f.deliveries = append(f.deliveries, event.Delivery{
				ID: firstDelivery - event.DeliveryID(len(f.deliveries)), Event: id, Rule: "r", Connection: "x", State: event.Delivered, Created: received,
			})
		}
	}
	c, _ := serve(t, f)
	page, err := c.Events(t.Context(), event.Search{})
	if err != nil || len(page.Items) != 3 {
		t.Fatalf("%d events, %v, want 3", len(page.Items), err)
	}
	for i, e := range page.Items {
		if len(e.Deliveries) != 300 || e.Deliveries[0].ID != f.deliveries[300*i].ID || e.Deliveries[299].Event != e.ID {
			t.Errorf("event %d has %d deliveries, want its 300", i, len(e.Deliveries))
		}
	}
}

func TestEvent(t *testing.T) {
	t.Parallel()
	c, _ := serve(t, sample())
	e, err := c.Event(t.Context(), firstEvent)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(e.Body, "9007199254740993") || !strings.Contains(string(e.Data), "9007199254740993") || e.Request.RemoteIP != "203.0.113.7" {
		t.Errorf("event %+v", e)
	}
	want := []admin.Verdict{{Rule: "create", Result: "no"}, {Rule: "activate", Result: "match"}, {Rule: "lead", Result: "skipped"}, {Rule: "broken", Result: "error", Message: "nil"}}
	if diff := cmp.Diff(want, e.Rules); diff != "" {
		t.Error(diff)
	}
	history := e.Deliveries[0].History
	if len(history) != 2 || history[0].Error != "timeout" || history[1].Answer != "busy \uFFFD" || string(e.Deliveries[0].Output) != `{"json":{"website_id":321654,"title":"<b> & co"}}` {
		t.Errorf("deliveries %+v", e.Deliveries)
	}
	raw, err := c.Event(t.Context(), firstEvent-1)
	if err != nil || raw.Body != "" || string(raw.Base64) != "{\xff" || raw.Data != nil || raw.Cause != "invalid JSON" {
		t.Errorf("rejected %+v %v", raw, err)
	}
	if _, err := c.Event(t.Context(), 42); !errors.Is(err, client.ErrNotFound) || !strings.Contains(err.Error(), event.ID(42).String()) {
		t.Errorf("unknown: %v", err)
	}
}

func TestDelivery(t *testing.T) {
	t.Parallel()
	f := sample()
	c, _ := serve(t, f)
	d, err := c.Delivery(t.Context(), firstDelivery)
	if err != nil {
		t.Fatal(err)
	}
	if d.Next == nil || !d.Next.Equal(received.Add(time.Minute)) || d.WaitsFor == nil || *d.WaitsFor != firstDelivery-9 || len(d.History) != 2 || d.Key != "321654" {
		t.Errorf("delivery %+v", d)
	}
	if _, err := c.Delivery(t.Context(), 42); !errors.Is(err, client.ErrNotFound) {
		t.Errorf("unknown: %v", err)
	}
	filter := event.DeliveryFilter{
		IDs: []event.DeliveryID{firstDelivery, 9}, States: []event.DeliveryState{event.Failed}, Connection: "billing",
		Rule: "activate", Event: firstEvent, Since: received, Before: 1 << 50, Limit: 7, Rendered: true,
	}
	page, err := c.Deliveries(t.Context(), filter)
	if err != nil || len(page.Items) != 1 {
		t.Fatalf("%+v %v", page, err)
	}
	if diff := cmp.Diff(filter, f.selected); diff != "" {
		t.Errorf("filter:\n%s", diff)
	}
}

func TestBulk(t *testing.T) {
	t.Parallel()
	f := sample()
	c, _ := serve(t, f)
	open := []event.DeliveryState{event.Waiting, event.Sending, event.Retrying, event.Held}
	for _, tc := range []struct {
		name   string
		do     func(context.Context, admin.Selection) (admin.Changed, error)
		in     admin.Selection
		states []event.DeliveryState
		want   admin.Changed
	}{
		{"retry", c.Retry, admin.Selection{Connection: "billing"}, []event.DeliveryState{event.Failed}, admin.Changed{Count: 412}},
		{"retry, counted", c.Retry, admin.Selection{State: event.Failed, DryRun: true}, []event.DeliveryState{event.Failed}, admin.Changed{Count: 412, Keyed: 161, Keys: 40, Overtaken: 3}},
		{"retry cancelled", c.Retry, admin.Selection{State: event.Cancelled}, []event.DeliveryState{event.Cancelled}, admin.Changed{Count: 412}},
		{"retry by id", c.Retry, admin.Selection{IDs: []event.DeliveryID{5}}, []event.DeliveryState{event.Failed, event.Retrying, event.Cancelled, event.Scheduled}, admin.Changed{Count: 412}},
		{"cancel", c.Cancel, admin.Selection{Rule: "x", Since: received}, open, admin.Changed{Count: 3}},
		{"cancel failed", c.Cancel, admin.Selection{State: event.Failed}, []event.DeliveryState{event.Failed}, admin.Changed{Count: 3}},
		{"cancel by id", c.Cancel, admin.Selection{IDs: []event.DeliveryID{5}}, append([]event.DeliveryState{event.Failed, event.Scheduled}, open...), admin.Changed{Count: 3}},
	} {
		got, err := tc.do(t.Context(), tc.in)
		if err != nil || cmp.Diff(tc.want, got) != "" {
			t.Errorf("%s: %+v %v", tc.name, got, err)
		}
		want := event.DeliveryFilter{IDs: tc.in.IDs, States: tc.states, Connection: tc.in.Connection, Rule: tc.in.Rule, Since: tc.in.Since}
		want.Rendered = strings.HasPrefix(tc.name, "retry")
		if tc.name == "retry cancelled" { // what a throttle or a condition held back is asked for by name
			want.Cause, want.Cancelled = string(event.ByHand), event.ByHand
		}
		if diff := cmp.Diff(want, f.selected); diff != "" {
			t.Errorf("%s: filter:\n%s", tc.name, diff)
		}
	}
	for name, call := range map[string]func() (admin.Changed, error){
		"retry of what was delivered":    func() (admin.Changed, error) { return c.Retry(t.Context(), admin.Selection{State: event.Delivered}) },
		"retry of nothing in particular": func() (admin.Changed, error) { return c.Retry(t.Context(), admin.Selection{DryRun: true}) },
		"cancel of everything":           func() (admin.Changed, error) { return c.Cancel(t.Context(), admin.Selection{}) },
	} {
		var problem *client.Problem
		if _, err := call(); !errors.As(err, &problem) || problem.Status != 400 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSearch(t *testing.T) {
	t.Parallel()
	f := sample()
	c, _ := serve(t, f)
	search := event.Search{
		Filter: event.Filter{Source: "sitejet", Rule: "activate", Since: received, Until: received.Add(time.Hour), Limit: 7},
		Where:  `data.id > 5`,
	}
	page, err := c.Events(t.Context(), search)
	if err != nil || len(page.Items) != 1 || page.Items[0].ID != firstEvent || page.Next != "" {
		t.Fatalf("%+v %v", page, err)
	}
	if how := page.Search; how == nil || how.Examined != 3 || how.Stopped || how.Failed != 1 || !strings.Contains(how.Failure, "null") {
		t.Errorf("%+v", how)
	}
	if diff := cmp.Diff(search.Filter, f.filter); diff != "" {
		t.Errorf("filter:\n%s", diff)
	}
	page, err = c.Events(t.Context(), event.Search{Filter: event.Filter{Limit: 1}, Text: "DINER"})
	if err != nil || len(page.Items) != 1 || page.Next != firstEvent.String() || page.Search.Examined != 1 {
		t.Errorf("text: %+v %v", page, err)
	}
	var problem *client.Problem
	_, err = c.Events(t.Context(), event.Search{Where: "data.x = 1"})
	if !errors.As(err, &problem) || problem.Status != 400 || len(problem.Errors) != 1 || problem.Errors[0].Column != 8 {
		t.Errorf("bad expression: %v %+v", err, problem)
	}
}

func TestSend(t *testing.T) {
	t.Parallel()
	f := sample()
	c, _ := serve(t, f)
	got, err := c.Send(t.Context(), admin.Sending{Source: "sitejet", ContentType: "text/plain", Body: []byte("hello"), Headers: map[string]string{"X-Topic": "paid: yes"}, Fresh: true})
	if err != nil || got.ID != 8<<30 || f.sent != [4]string{"sitejet", "text/plain", "hello", "paid: yes, fresh true"} {
		t.Fatalf("%+v %v %q", got, err, f.sent)
	}
	var problem *client.Problem
	if _, err := c.Send(t.Context(), admin.Sending{Source: "sitejet", ContentType: "application/json", Body: []byte("bad")}); !errors.As(err, &problem) ||
		problem.Line != 59 || problem.Column != 3 || problem.ID != event.ID(7<<30).String() || err.Error() != "a comma is missing (add it)" {
		t.Errorf("bad body: %v %+v", err, problem)
	}
	if _, err := c.Send(t.Context(), admin.Sending{Source: "nobody"}); !errors.Is(err, client.ErrNotFound) || !strings.Contains(err.Error(), `"nobody"`) {
		t.Errorf("unknown source: %v", err)
	}
	if _, err := c.Send(t.Context(), admin.Sending{}); !errors.As(err, &problem) || problem.Status != 400 {
		t.Errorf("no source: %v", err)
	}
	list, err := c.Samples(t.Context(), "sitejet")
	if err != nil || len(list) < 7 || list[0].Name != "website_status_changed" || !strings.Contains(list[0].Body, "Harry's Diner") {
		t.Errorf("samples: %v %v", list, err)
	}
	if _, err := c.Samples(t.Context(), "nobody"); !errors.Is(err, client.ErrNotFound) {
		t.Errorf("samples of nobody: %v", err)
	}
}

func TestStatusAndReload(t *testing.T) {
	t.Parallel()
	f := sample()
	c, _ := serve(t, f)
	status, err := c.Status(t.Context())
	if err != nil || status.Version != "1.2.3" || status.Queues["billing"] != 2 || !status.Started.Equal(received) {
		t.Errorf("status %+v %v", status, err)
	}
	for _, want := range []admin.Reloaded{
		{OK: true, Config: "7f3a91c"},
		{Config: "7f3a91c", Diagnostics: diag.List{{Severity: diag.Error, Code: "unknown-key", Message: "no"}}},
	} {
		f.reloaded = want
		got, err := c.Reload(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
}

func TestReplicas(t *testing.T) {
	t.Parallel()
	f := sample()
	c, _ := serve(t, f)
	f.replicas = admin.Replicas{Shared: true, Items: []admin.Replica{
		{ID: 7, Name: "a", Version: "1.2.3", Started: received, Heartbeat: received.Add(time.Minute), LeaseLeftMS: 28_500, Alive: true, Self: true, Holds: map[string]int{"billing": 3}},
		{ID: 6, Name: "b", Started: received, Heartbeat: received, LeaseLeftMS: -10},
	}}
	got, err := c.Replicas(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(f.replicas, got); diff != "" {
		t.Error(diff)
	}
	f.err = event.ErrUnavailable
	if _, err := c.Replicas(t.Context()); err == nil {
		t.Error("a fault of the server is no error")
	}
}
