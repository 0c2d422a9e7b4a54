package ingest_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"hookgate/app/ingest"
	"hookgate/forms"
	"hookgate/internal/event"
)

func TestForm(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	const kind = "application/x-www-form-urlencoded"
	post := func(text string) (ingest.Ack, forms.Result, error) {
		ack, err := g.in.Accept(g.plan, request("contact", kind, text))
		return ack, ack.Form, err
	}
	ack, _, err := post("email=ada%40example.com")
	if err != nil || ack.State != event.Routed {
		t.Fatal(ack, err)
	}
	e, ds := g.stored(ack.ID)
	if !e.Form || e.Type != event.FormSubmitted || !bytes.Contains(e.JSON, []byte(`"ada@example.com"`)) || string(ds[0].Output) != `{"text":"ada@example.com"}` {
		t.Errorf("stored %+v with %+v", e, ds)
	}
	if ack, _, err = post("email=ada%40example.com&_subject=Hello"); err != nil {
		t.Fatal(err)
	}
	if e, _ := g.stored(ack.ID); e.Request.Query["_subject"] != "Hello" || bytes.Contains(e.JSON, []byte("Hello")) {
		t.Errorf("what the page says of its post: query %v, data %s", e.Request.Query, e.JSON)
	}
	if ack, result, err := post("email=nobody"); err != nil || ack.ID != 0 || len(result.Problems) != 1 {
		t.Errorf("with a problem: got %+v, %+v, %v", ack, result.Problems, err)
	}
	ack, result, err := post("email=bot%40example.com&_gotcha=http")
	if err != nil || ack.State != event.Spam || result.Spam == "" {
		t.Fatalf("spam: got %+v, %v", ack, err)
	}
	if e, ds := g.stored(ack.ID); e.State != event.Spam || e.Cause == "" || len(ds) != 0 {
		t.Errorf("spam: stored %+v with %d deliveries", e, len(ds))
	}
}

// TestRelease: what was taken for spam is delivered once somebody says that it
// is none, and only once.
func TestRelease(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	ack, err := g.post("contact", "application/x-www-form-urlencoded", "email=ada%40example.com&_gotcha=filled")
	if err != nil || ack.State != event.Spam {
		t.Fatal(ack, err)
	}
	kept, _ := g.stored(ack.ID)
	would, sends, err := g.in.WouldRelease(&kept, g.plan, kept.ReceivedAt)
	if err != nil || would.State != event.Routed || len(sends) != 1 || string(sends[0].Output) != `{"text":"ada@example.com"}` {
		t.Errorf("it would be %s with %+v, %v", would.State, sends, err)
	}
	if e, ds := g.stored(ack.ID); e.State != event.Spam || len(ds) != 0 {
		t.Errorf("asking has stored %s with %d deliveries", e.State, len(ds))
	}
	released, err := g.in.Release(&kept, g.plan, kept.ReceivedAt)
	if err != nil || released.ID != ack.ID || released.State != event.Routed {
		t.Fatalf("got %+v, %v", released, err)
	}
	e, ds := g.stored(ack.ID)
	if e.State != event.Routed || !strings.Contains(e.Cause, "honeypot") || len(ds) != 1 || string(ds[0].Output) != `{"text":"ada@example.com"}` {
		t.Errorf("stored %+v with %+v", e, ds)
	}
	for _, again := range []event.Event{kept, e} {
		if again.State == event.Routed {
			if _, _, err := g.in.WouldRelease(&again, g.plan, again.ReceivedAt); !errors.Is(err, event.ErrNotKept) {
				t.Errorf("what a released one would be: %v", err)
			}
		}
		if _, err := g.in.Release(&again, g.plan, again.ReceivedAt); !errors.Is(err, event.ErrNotKept) {
			t.Errorf("released again as %s: %v", again.State, err)
		}
	}
	if _, ds := g.stored(ack.ID); len(ds) != 1 {
		t.Errorf("%d deliveries", len(ds))
	}
}
