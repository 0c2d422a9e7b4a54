package ingest_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"hookgate/app/ingest"
	"hookgate/internal/body"
	"hookgate/internal/event"
)

func TestEvent_routed(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	const text = `{"type":"order","id":"o1","total":9007199254740993,"customer":"c7","note":"hi"}`
	ack, err := g.post("shop", "application/json", text)
	if err != nil || ack.State != event.Routed {
		t.Fatal(ack, err)
	}
	e, ds := g.stored(ack.ID)
	if string(e.Body) != text || e.JSON != nil || e.Type != "order" || string(e.Results) != "m-e--" || e.Request.Query["a"] != "1" ||
		fmt.Sprint(e.Request.Query["b"]) != "[2 3]" || e.Request.Headers["x-test"] != "1" || e.Request.RemoteIP != "192.0.2.1" {
		t.Errorf("stored %+v", e)
	}
	if len(e.Errors) != 1 || e.Errors[0].Rule != "broken" || e.Errors[0].Message == "" {
		t.Errorf("rule errors: %+v", e.Errors)
	}
	if len(ds) != 2 || ds[1].Key != "c7" || string(ds[1].Output) != `{"text":"9007199254740993 from `+ack.ID.String()+`"}` || ds[0].Name() != "paid/billing#2" {
		t.Errorf("deliveries %+v", ds)
	}
	if len(g.dispatcher.delivered) != 2 || g.dispatcher.delivered[0].ID != ds[1].ID || g.dispatcher.reserved != 0 {
		t.Errorf("handed over %+v, %d places still reserved", g.dispatcher.delivered, g.dispatcher.reserved)
	}
	if len(g.seen) != 1 || g.seen[0] != "shop routed" || len(g.broken) != 1 || g.broken[0] != "broken" {
		t.Errorf("observed %q, rule errors of %q", g.seen, g.broken)
	}
}

func TestEvent_states(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	for _, c := range []struct {
		name, source, text string
		want               event.State
	}{
		{"no rule listens", "slow", `{}`, event.NoMatch},
		{"a rule error alone", "shop", `{"type":"other","customer":7}`, event.RuleError},
		{"no match", "shop", `{"type":"order","total":1,"customer":{"name":"y"}}`, event.NoMatch},
	} {
		ack, err := g.post(c.source, "application/json", c.text)
		if err != nil || ack.State != c.want {
			t.Errorf("%s: got %s, %v, want %s", c.name, ack.State, err, c.want)
		}
		if e, _ := g.stored(ack.ID); e.State != c.want {
			t.Errorf("%s: stored as %s", c.name, e.State)
		}
	}
}

func TestEvent_repeat(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	const text = `{"type":"order","id":"o1","total":20,"customer":"c","note":"n"}`
	first, err := g.post("shop", "application/json", text)
	if err != nil {
		t.Fatal(err)
	}
	again, err := g.post("shop", "application/json", text)
	if err != nil || again.ID != first.ID || again.State != event.Duplicate {
		t.Errorf("repeat: got %+v, %v, want the id of %s", again, err, first.ID)
	}
	if len(g.dispatcher.delivered) != 2 || g.dispatcher.reserved != 0 {
		t.Errorf("handed over %d, %d places still reserved, want 2 and 0", len(g.dispatcher.delivered), g.dispatcher.reserved)
	}
}

// A GET has nothing but its query: two of them with different queries are two
// events, whatever their empty bodies say.
func TestEvent_repeatByBodyAndQuery(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	get := func(query, text string) ingest.Ack {
		r := request("plain", "", text)
		r.Method, r.RawQuery = "GET", query
		ack, err := g.in.Accept(g.plan, r)
		if err != nil {
			t.Fatal(err)
		}
		return ack
	}
	first := get("a=1", "")
	if again := get("a=1", ""); again.ID != first.ID {
		t.Errorf("the same query: got %+v, want a repeat of %s", again, first.ID)
	}
	for _, other := range []ingest.Ack{get("a=2", ""), get("", ""), get("a=1", "{}"), get("", "{}")} {
		if other.State == event.Duplicate {
			t.Errorf("another query or body: got %+v, want a new event", other)
		}
	}
}

func TestEvent_rejected(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	ack, err := g.post("shop", "application/json", "{\"a\":1\n\"b\":2}")
	var fault *body.Error
	if !errors.As(err, &fault) || fault.Status != 400 || fault.Line == 0 {
		t.Fatalf("got %v, want a body.Error with its line", err)
	}
	e, ds := g.stored(ack.ID)
	if e.State != event.Rejected || e.Cause != fault.Message || string(e.Body) != "{\"a\":1\n\"b\":2}" || len(ds) != 0 {
		t.Errorf("stored %+v", e)
	}
}

func TestEvent_keyTakenAndLanesFull(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	text := func(n int) string {
		return fmt.Sprintf(`{"type":"order","id":"o%d","total":20,"customer":"same","note":"n"}`, n)
	}
	for n := range 2 {
		if _, err := g.post("shop", "application/json", text(n)); err != nil {
			t.Fatal(err)
		}
	}
	// Of the second event only the delivery without a key goes at once.
	if len(g.dispatcher.delivered) != 3 || g.dispatcher.reserved != 0 || len(g.dispatcher.polled) != 0 {
		t.Errorf("handed over %d, reserved %d, polled %v; want 3, 0, none", len(g.dispatcher.delivered), g.dispatcher.reserved, g.dispatcher.polled)
	}
	g.dispatcher.full = true
	ack, err := g.post("shop", "application/json", text(3))
	if err != nil {
		t.Fatal(err)
	}
	if _, ds := g.stored(ack.ID); len(g.dispatcher.delivered) != 3 || len(g.dispatcher.polled) == 0 || ds[0].State != event.Waiting {
		t.Errorf("with a full dispatcher: handed over %d, polled %v, %+v", len(g.dispatcher.delivered), g.dispatcher.polled, ds)
	}
}

func TestEvent_outputThatCannotBeMade(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	ack, err := g.post("shop", "application/json", `{"type":"order","total":20,"customer":"c"}`)
	if err != nil {
		t.Fatal(err)
	}
	_, ds := g.stored(ack.ID)
	if ds[0].State != event.Failed || !strings.Contains(ds[0].Error, "data.note is missing") || ds[1].State != event.Sending {
		t.Errorf("got %+v, want the second action failed with its reason and the first under way", ds)
	}
}

func TestEvent_rateOfSource(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	if _, err := g.post("slow", "application/json", `{}`); err != nil {
		t.Fatal(err)
	}
	_, err := g.post("slow", "application/json", `{}`)
	var busy *ingest.BusyError
	if !errors.As(err, &busy) || !busy.Source || busy.RetryAfter <= 0 {
		t.Errorf("got %v, want a BusyError of the source", err)
	}
	if _, err := g.post("shop", "application/json", `{}`); err != nil {
		t.Errorf("another source: %v", err)
	}
}

// TestEvent_matchedButNothingToSend: a rule that matches is a match, also where
// the conditions of all its actions are not met.
func TestEvent_matchedButNothingToSend(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	ack, err := g.post("shop", "application/json", `{"type":"picky"}`)
	if err != nil || ack.State != event.Routed {
		t.Fatalf("got %s, %v, want routed", ack.State, err)
	}
	if e, ds := g.stored(ack.ID); len(ds) != 0 || !bytes.Contains(e.Results, []byte("m")) {
		t.Errorf("stored %s with %d deliveries", e.Results, len(ds))
	}
}
