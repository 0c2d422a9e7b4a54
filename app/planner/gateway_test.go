package planner_test

import (
	"cmp"
	"context"
	"flag"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"hookgate/app/ingest"
	"hookgate/app/ingest/source"
	"hookgate/app/planner"
	"hookgate/db"
	"hookgate/internal/calendar"
	"hookgate/internal/event"
	"hookgate/rules"
	"hookgate/rules/lang"
	"hookgate/test/pgtest"
)

// The same stories are told each time, so that no merge depends on which are drawn;
// make fuzz draws others, as RAPID_SEED=0 does.
func TestMain(m *testing.M) {
	if os.Getenv("RAPID_SEED") == "" {
		if err := flag.Set("rapid.seed", "1"); err != nil {
			panic(err)
		}
	}
	os.Exit(pgtest.Main(m))
}

// gateway is all that decides what becomes of events, over a store on a clock that a
// test sets, with a receiver that answers at once.
type gateway struct {
	*planner.Planner
	t      testing.TB
	store  *db.Store
	intake *ingest.Intake
	plan   *ingest.Plan
	// answers are what the receiver says, by the names of tests of config.yaml.
	answers map[string]lang.Answer
	// calendars are those of the configuration, by name; hours is the one outside of
	// which nothing is sent, nil: always.
	calendars map[string]*calendar.Calendar
	hours     *calendar.Calendar

	mu    sync.Mutex
	now   time.Time
	set   func(time.Time) // the database's clock, where it has one of its own
	open  func(db.Options) (*db.Store, error)
	sent  []sent
	plans map[int64]*ingest.Plan
}

// sent is a delivery that the receiver got.
type sent struct {
	event.Delivery
	at time.Time
}

// forEachEngine runs test over an empty database of each kind.
func forEachEngine(t *testing.T, test func(t *testing.T, g *gateway)) {
	t.Helper()
	for _, engine := range []string{"sqlite", "postgres"} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			test(t, newGateway(t, engine))
		})
	}
}

func newGateway(t testing.TB, engine string) *gateway {
	t.Helper()
	g := &gateway{t: t, now: time.Date(2026, 3, 10, 10, 0, 0, 0, time.UTC), set: func(time.Time) {}, plans: map[int64]*ingest.Plan{}}
	quiet := slog.New(slog.DiscardHandler)
	path := filepath.Join(t.TempDir(), "test.db")
	g.open = func(opt db.Options) (*db.Store, error) { return db.Open(t.Context(), path, opt) }
	if engine != "sqlite" {
		url := pgtest.Shared(t).URL(t)
		g.open = func(opt db.Options) (*db.Store, error) {
			return db.OpenPostgres(t.Context(), event.NewSecret(url), opt)
		}
		g.set = func(now time.Time) { pgtest.SetClock(t, url, now) }
	}
	g.store, g.Planner = g.replica()
	g.set(g.now)
	g.intake = ingest.New(g.store, idle{}, ingest.Options{Logger: quiet, Observe: func(string, event.State) {}, Records: g.store})
	return g
}

// replica is one more planner, over a connection of its own to the database.
func (g *gateway) replica() (*db.Store, *planner.Planner) {
	g.t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	store, err := g.open(db.Options{Logger: quiet, Now: g.clock})
	if err != nil {
		g.t.Fatal(err)
	}
	g.t.Cleanup(func() { _ = store.Close() })
	return store, planner.New(planner.Options{
		Store: store, Logger: quiet, Late: func(time.Duration) {}, Added: func(string) {},
		RuleSet: func(_ context.Context, id int64) (*ingest.RuleSet, error) { return &g.plans[id].RuleSet, nil },
		Opening: func(name string, at time.Time) time.Time {
			if c := g.calendars[name]; c != nil {
				return c.NextOpen(at)
			}
			return at
		},
		Failed: func(*event.Delivery, string) *event.Signal { return nil },
		Passed: g.clock, Shared: true,
	})
}

// idle is a dispatcher that holds nothing: what is to be sent is claimed.
type idle struct{}

func (idle) Reserve(*event.Delivery) bool { return false }
func (idle) Unreserve(*event.Delivery)    {}
func (idle) Deliver(event.Delivery)       {}
func (idle) Poll(string)                  {}

func (g *gateway) clock() time.Time { g.mu.Lock(); defer g.mu.Unlock(); return g.now }

// at sets the clock.
func (g *gateway) at(now time.Time) {
	g.mu.Lock()
	g.now = now
	g.mu.Unlock()
	g.set(now)
}

// configure has the gateway judge what comes by a plan.
func (g *gateway) configure(plan *ingest.Plan, text string) {
	g.t.Helper()
	id, err := g.store.SavePlan(event.RuleSet{Hash: text, Rules: plan.Rules.Names()})
	if err != nil {
		g.t.Fatal(err)
	}
	plan.ID, plan.Records = id, g.store
	g.plan, g.plans[id] = plan, plan
}

// explain tells what the rules say of an event that nobody has sent.
func (g *gateway) explain(data string) []rules.Trace {
	r := g.request(data)
	r.Records, r.Sample = g.store, &ingest.Sample{Answers: g.answers, Fresh: true}
	d := ingest.Decide(g.plan, r)
	defer d.Close()
	if err := d.Err(); err != nil {
		g.t.Fatal(err)
	}
	return d.Explain()
}

func (g *gateway) request(data string) *ingest.Request {
	return &ingest.Request{
		Request: source.Request{Method: http.MethodPost, ContentType: "application/json", Body: []byte(data), Now: g.clock()}, Source: "shop",
	}
}

// post accepts an event of the source shop.
func (g *gateway) post(data string) event.ID {
	g.t.Helper()
	ack, err := g.intake.Accept(g.plan, g.request(data))
	if err != nil {
		g.t.Fatal(err)
	}
	return ack.ID
}

// settle does all that is due now, and sends what is to be sent.
func (g *gateway) settle() {
	g.t.Helper()
	for {
		if err := g.Look(g.t.Context()); err != nil {
			g.t.Fatal(err)
		}
		claimed := g.claim()
		slices.SortFunc(claimed, func(a, b event.Delivery) int { return cmp.Compare(a.ID, b.ID) })
		for i := range claimed {
			g.send(&claimed[i])
		}
		if len(claimed) == 0 && !g.due(g.clock()) {
			return
		}
	}
}

// claim takes what is to be sent now.
func (g *gateway) claim() []event.Delivery {
	g.t.Helper()
	if g.hours != nil && !g.hours.Open(g.clock()) {
		return nil
	}
	claimed, _, err := g.store.Claim("billing", g.clock(), 1000, 64<<20)
	if err != nil {
		g.t.Fatal(err)
	}
	return claimed
}

// due reports whether something has its time at or before at.
func (g *gateway) due(at time.Time) bool { next, found := g.next(); return found && !next.After(at) }

// next is when something has its time next.
func (g *gateway) next() (at time.Time, found bool) {
	g.t.Helper()
	list, err := g.store.Timers(g.t.Context(), event.MomentTimer, event.FollowTimer, event.DigestTimer)
	if err != nil {
		g.t.Fatal(err)
	}
	if len(list) > 0 {
		at, found = list[0].Due, true
	}
	if g.hours == nil || g.hours.Open(g.clock()) {
		return at, found
	}
	held, err := g.store.Deliveries(g.t.Context(), event.DeliveryFilter{States: []event.DeliveryState{event.Waiting}, Limit: 1})
	if err != nil {
		g.t.Fatal(err)
	}
	if opens := g.hours.NextOpen(g.clock()); len(held) > 0 && (!found || opens.Before(at)) {
		return opens, true
	}
	return at, found
}

// advance lets time pass, and does what is due on the way at its time.
func (g *gateway) advance(to time.Time) {
	g.t.Helper()
	for {
		g.settle()
		next, found := g.next()
		if !found || next.After(to) {
			break
		}
		g.at(next)
	}
	g.at(to)
	g.settle()
}

// send has the receiver answer a delivery.
func (g *gateway) send(d *event.Delivery) {
	g.t.Helper()
	answer := g.plan.Rules.Answered(rules.Ref{Rule: d.Rule, Connection: d.Connection, Action: d.Action, Element: d.Element}, g.answers)
	a, o := event.Attempt{Delivery: d.ID, Number: d.Attempts + 1, Started: g.clock()}, event.Outcome{State: event.Delivered}
	switch {
	case answer == nil:
	case answer.Failed:
		a.Error, o.State = answer.Error, event.Failed
	default:
		a.Outputs = rules.OutputsOf(answer.Outputs)
	}
	done := make(chan *event.Delivery, 1)
	g.store.Record(d, a, o, func(next *event.Delivery) { done <- next })
	g.mu.Lock()
	g.sent = append(g.sent, sent{*d, g.now})
	g.mu.Unlock()
	if next := <-done; next != nil { // the next of its ordering key, which is claimed
		g.send(next)
	}
}

// took are the deliveries that were sent since it was asked last.
func (g *gateway) took() (list []sent) {
	list, g.sent = g.sent, nil
	return list
}
