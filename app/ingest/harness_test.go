package ingest_test

import (
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"hookgate/app/ingest"
	"hookgate/app/ingest/source"
	"hookgate/db"
	"hookgate/internal/event"
	"hookgate/test/planned"
)

// dispatcher records what is handed over; a full one takes nothing.
type dispatcher struct {
	mu        sync.Mutex
	full      bool
	reserved  int
	delivered []event.Delivery
	polled    []string
}

func (l *dispatcher) Reserve(*event.Delivery) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.full {
		return false
	}
	l.reserved++
	return true
}

func (l *dispatcher) Unreserve(*event.Delivery) { l.mu.Lock(); defer l.mu.Unlock(); l.reserved-- }

func (l *dispatcher) Deliver(d event.Delivery) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.reserved--
	l.delivered = append(l.delivered, d)
}

func (l *dispatcher) Poll(c string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.polled = append(l.polled, c)
}

const document = `
sources:
  shop: { type: webhook, token: 0123456789abcdef, event_id: data.id, event_type: data.type }
  tried: { type: webhook, token: 0123456789abcdef, challenge: { scheme: monday } }
  slow: { type: webhook, token: 0123456789abcdef, rate_limit: 1/h }
  echo: { type: webhook, token: 0123456789abcdef }
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
  - name: thrice
    from: echo
    then: [{ to: billing, text: "${{ data.note }}${{ data.note }}${{ data.note }}" }]
  - name: lead
    from: [contact, guarded, solved]
    then: [{ to: billing, text: "${{ data.email }}" }]
`

type gateway struct {
	t          *testing.T
	in         *ingest.Intake
	dispatcher *dispatcher
	store      *db.Store
	plan       *ingest.Plan
	seen       []string
	broken     []string
}

func newGateway(t *testing.T) *gateway {
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	store, err := db.Open(t.Context(), filepath.Join(t.TempDir(), "test.db"), db.Options{Logger: quiet, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	g := &gateway{t: t, dispatcher: &dispatcher{}, store: store, plan: planned.Must(t, document)}
	if g.plan.ID, err = store.SavePlan(event.RuleSet{Hash: "hash", Rules: g.plan.Rules.Names()}); err != nil {
		t.Fatal(err)
	}
	g.in = ingest.New(store, g.dispatcher, ingest.Options{
		Logger:    quiet,
		RuleError: func(rule string) { g.broken = append(g.broken, rule) },
		Observe:   func(source string, state event.State) { g.seen = append(g.seen, source+" "+string(state)) },
	})
	return g
}

func (g *gateway) post(name, contentType, text string) (ingest.Ack, error) {
	return g.in.Accept(g.plan, request(name, contentType, text))
}

func request(name, contentType, text string) *ingest.Request {
	return &ingest.Request{
		Request: source.Request{Method: "POST", ContentType: contentType, Body: []byte(text), Now: time.Now()},
		Source:  name, RemoteIP: "192.0.2.1", Headers: map[string]string{"x-test": "1"}, RawQuery: "a=1&b=2&b=3",
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
