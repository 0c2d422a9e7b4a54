package intake_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"hookgate/app/body"
	"hookgate/app/event"
	"hookgate/app/intake"
	"hookgate/app/source"
	"hookgate/app/yamlpos"
	"hookgate/db"
	"hookgate/forms"
	"hookgate/rules"
	"hookgate/rules/lang"
)

// lanes records what is handed over; full ones take nothing.
type lanes struct {
	mu         sync.Mutex
	full       bool
	reserved   int
	delivered  []event.Delivery
	overflowed []string
}

func (l *lanes) Reserve(string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.full {
		return false
	}
	l.reserved++
	return true
}
func (l *lanes) Unreserve(string) { l.mu.Lock(); defer l.mu.Unlock(); l.reserved-- }
func (l *lanes) Deliver(d event.Delivery) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.reserved--
	l.delivered = append(l.delivered, d)
}

func (l *lanes) Overflowed(c string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.overflowed = append(l.overflowed, c)
}

const document = `
sources:
  shop: { type: webhook, token: 0123456789abcdef, event_id: data.id, event_type: data.type }
  slow: { type: webhook, token: 0123456789abcdef, rate_limit: 1/h }
  plain: { type: webhook, token: 0123456789abcdef, methods: [GET, POST], dedupe: body 10m }
forms:
  contact: { fields: { email: { type: email, required: true } } }
  guarded:
    fields: { email: { type: email, required: true }, message: {} }
    min_time: 3s
    max_links: 2
    blocklist: { words: [casino*], domains: [spam.example] }
  solved:
    fields: { email: { type: email, required: true } }
    captcha: { type: turnstile, secret: geheim }
rules:
  - name: paid
    from: shop
    events: [order]
    when: data.total > 10
    then:
      - { to: billing, ordering_key: data.customer, text: "${{ data.total }} from ${{ event.id }}" }
      - { to: billing, text: "${{ data.note }}" }
  - name: picky
    from: shop
    events: [picky]
    then: [{ to: billing, when: data.type == "other", text: x }]
  - name: broken
    from: shop
    events: [order, other]
    when: data.customer.name == "x"
    then: [{ to: billing, text: x }]
  - name: lead
    from: [contact, guarded, solved]
    then: [{ to: billing, text: "${{ data.email }}" }]
`

type gateway struct {
	t      *testing.T
	in     *intake.Intake
	lanes  *lanes
	store  *db.Store
	plan   *intake.Plan
	seen   []string
	broken []string
}

func newGateway(t *testing.T) *gateway {
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	store, err := db.Open(t.Context(), filepath.Join(t.TempDir(), "test.db"), db.Options{Logger: quiet, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	g := &gateway{t: t, lanes: &lanes{}, store: store, plan: mustPlan(t)}
	if g.plan.ID, err = store.SavePlan(event.Version{Hash: "hash", Rules: g.plan.Rules.Names()}); err != nil {
		t.Fatal(err)
	}
	g.in = intake.New(store, g.lanes, intake.Options{
		Logger: quiet, Limits: body.DefaultLimits(),
		RuleError: func(rule string) { g.broken = append(g.broken, rule) },
		Observe:   func(source string, state event.State) { g.seen = append(g.seen, source+" "+string(state)) },
	})
	return g
}

func mustPlan(t *testing.T) *intake.Plan {
	t.Helper()
	root, list := yamlpos.Parse("c.yaml", []byte(document))
	plan := &intake.Plan{Sources: map[string]*source.Source{}, Forms: map[string]*forms.Form{}}
	c := lang.NewCompiler()
	for _, f := range root.Get("sources").Fields() {
		s, faults := source.Compile(f.Key, f.Value, c)
		list = append(list, faults...)
		plan.Sources[f.Key.Value] = s
	}
	for _, f := range root.Get("forms").Fields() {
		form, faults := forms.Compile(f.Key, f.Value)
		list = append(list, faults...)
		plan.Forms[f.Key.Value] = form
	}
	var parsed []rules.Rule
	list = append(list, root.Get("rules").Decode("the file", &parsed)...)
	target := lang.Action{Noun: "an action", Inputs: []lang.Input{{Name: "text", Kind: lang.TextInput, Required: true}}}
	set, faults := rules.Compile(c, parsed, rules.Origins{"shop": nil, "slow": nil, "contact": {event.FormSubmitted}, "guarded": {event.FormSubmitted}, "solved": {event.FormSubmitted}}, rules.Targets{"billing": target})
	if err := append(list, faults...).Err(); err != nil {
		t.Fatal(err)
	}
	plan.Rules = set
	return plan
}

func (g *gateway) post(name, contentType, text string) (intake.Ack, error) {
	return g.in.Event(g.plan.Sources[name], g.plan, request(contentType, text))
}

func request(contentType, text string) *intake.Request {
	return &intake.Request{
		Request:  source.Request{Method: "POST", ContentType: contentType, Body: []byte(text), Now: time.Now()},
		RemoteIP: "192.0.2.1", Headers: map[string]string{"x-test": "1"}, RawQuery: "a=1&b=2&b=3",
	}
}

func (g *gateway) stored(id event.ID) (event.Event, []event.Delivery) {
	g.t.Helper()
	e, err := g.store.Event(g.t.Context(), id)
	if err != nil {
		g.t.Fatal(err)
	}
	ds, err := g.store.Deliveries(g.t.Context(), event.DeliveryFilter{Event: id})
	if err != nil {
		g.t.Fatal(err)
	}
	return e, ds
}

func TestEvent_routed(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	const text = `{"type":"order","id":"o1","total":9007199254740993,"customer":"c7","note":"hi"}`
	ack, err := g.post("shop", "application/json", text)
	if err != nil || ack.State != event.Routed {
		t.Fatal(ack, err)
	}
	e, ds := g.stored(ack.ID)
	if string(e.Body) != text || e.JSON != nil || e.Type != "order" || string(e.Results) != "m-e-" || e.Request.Query["a"] != "1" ||
		fmt.Sprint(e.Request.Query["b"]) != "[2 3]" || e.Request.Headers["x-test"] != "1" || e.Request.RemoteIP != "192.0.2.1" {
		t.Errorf("stored %+v", e)
	}
	if len(e.Errors) != 1 || e.Errors[0].Rule != "broken" || e.Errors[0].Message == "" {
		t.Errorf("rule errors: %+v", e.Errors)
	}
	if len(ds) != 2 || ds[1].Key != "c7" || string(ds[1].Output) != `{"text":"9007199254740993 from `+ack.ID.String()+`"}` || ds[0].Name() != "paid/billing#2" {
		t.Errorf("deliveries %+v", ds)
	}
	if len(g.lanes.delivered) != 2 || g.lanes.delivered[0].ID != ds[1].ID || g.lanes.reserved != 0 {
		t.Errorf("handed over %+v, %d places still reserved", g.lanes.delivered, g.lanes.reserved)
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
	if len(g.lanes.delivered) != 2 || g.lanes.reserved != 0 {
		t.Errorf("handed over %d, %d places still reserved, want 2 and 0", len(g.lanes.delivered), g.lanes.reserved)
	}
}

// A GET has nothing but its query: two of them with different queries are two
// events, whatever their empty bodies say.
func TestEvent_repeatByBodyAndQuery(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	get := func(query, text string) intake.Ack {
		r := request("", text)
		r.Method, r.RawQuery = "GET", query
		ack, err := g.in.Event(g.plan.Sources["plain"], g.plan, r)
		if err != nil {
			t.Fatal(err)
		}
		return ack
	}
	first := get("a=1", "")
	if again := get("a=1", ""); again.ID != first.ID {
		t.Errorf("the same query: got %+v, want a repeat of %s", again, first.ID)
	}
	for _, other := range []intake.Ack{get("a=2", ""), get("", ""), get("a=1", "{}"), get("", "{}")} {
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
	if len(g.lanes.delivered) != 3 || g.lanes.reserved != 0 || len(g.lanes.overflowed) != 0 {
		t.Errorf("handed over %d, reserved %d, overflowed %v; want 3, 0, none", len(g.lanes.delivered), g.lanes.reserved, g.lanes.overflowed)
	}
	g.lanes.full = true
	ack, err := g.post("shop", "application/json", text(3))
	if err != nil {
		t.Fatal(err)
	}
	if _, ds := g.stored(ack.ID); len(g.lanes.delivered) != 3 || len(g.lanes.overflowed) == 0 || ds[0].State != event.Waiting {
		t.Errorf("with full lanes: handed over %d, overflowed %v, %+v", len(g.lanes.delivered), g.lanes.overflowed, ds)
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
	if ds[0].State != event.GaveUp || !strings.Contains(ds[0].Error, "data.note is missing") || ds[1].State != event.Sending {
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
	var busy *intake.BusyError
	if !errors.As(err, &busy) || !busy.Source || busy.RetryAfter <= 0 {
		t.Errorf("got %v, want a BusyError of the source", err)
	}
	if _, err := g.post("shop", "application/json", `{}`); err != nil {
		t.Errorf("another source: %v", err)
	}
}

func TestForm(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	const kind = "application/x-www-form-urlencoded"
	post := func(text string) (intake.Ack, forms.Result, error) {
		return g.in.Form(g.plan.Forms["contact"], g.plan, request(kind, text))
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

// TestNotSpam: what was taken for spam is delivered once somebody says that it
// is none, and only once.
func TestNotSpam(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	ack, _, err := g.in.Form(g.plan.Forms["contact"], g.plan, request("application/x-www-form-urlencoded", "email=ada%40example.com&_gotcha=filled"))
	if err != nil || ack.State != event.Spam {
		t.Fatal(ack, err)
	}
	kept, _ := g.stored(ack.ID)
	released, err := g.in.NotSpam(&kept, g.plan)
	if err != nil || released.ID != ack.ID || released.State != event.Routed {
		t.Fatalf("got %+v, %v", released, err)
	}
	e, ds := g.stored(ack.ID)
	if e.State != event.Routed || !strings.Contains(e.Cause, "honeypot") || len(ds) != 1 || string(ds[0].Output) != `{"text":"ada@example.com"}` {
		t.Errorf("stored %+v with %+v", e, ds)
	}
	for _, again := range []event.Event{kept, e} {
		if _, err := g.in.NotSpam(&again, g.plan); !errors.Is(err, event.ErrNotKept) {
			t.Errorf("released again as %s: %v", again.State, err)
		}
	}
	if _, ds := g.stored(ack.ID); len(ds) != 1 {
		t.Errorf("%d deliveries", len(ds))
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
