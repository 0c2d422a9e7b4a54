package alert_test

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"hookgate/app/admin"
	"hookgate/app/alert"
	"hookgate/app/ingest"
	"hookgate/app/ingest/source"
	"hookgate/internal/event"
	"hookgate/internal/yamlnode"
	"hookgate/rules"
	"hookgate/rules/lang"
)

// desk is a Teller with what it works with in memory.
type desk struct {
	t           *testing.T
	now         time.Time
	broken      map[string]bool
	connections []admin.Connection
	signals     []event.Signal // that stand
	ended       []string
	teller      *alert.Teller
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	node, _ := yamlnode.Parse("config.yaml", []byte(`rules: [{ name: alarm, from: hookgate, then: [{ to: chat, text: x }] }]`))
	var file struct {
		Rules []rules.Rule `yaml:"rules"`
	}
	node.Decode("the file", &file)
	set, faults := rules.Compile(lang.NewCompiler(), file.Rules, rules.Origins{event.Own: event.OwnTypes()}, rules.Targets{"chat": {}})
	if err := faults.Err(); err != nil {
		t.Fatal(err)
	}
	plan := &ingest.Plan{RuleSet: ingest.RuleSet{Rules: set}}
	d := &desk{t: t, now: time.Date(2026, 3, 10, 10, 0, 0, 0, time.UTC), broken: map[string]bool{"billing": false}}
	d.connections = []admin.Connection{{Name: "billing", State: "ok", Waiting: 12, LastError: "connection refused"}}
	d.teller = alert.New(alert.Options{
		Store: d, Intake: d, Plan: func() *ingest.Plan { return plan }, Broken: func() map[string]bool { return d.broken },
		Connections: func(context.Context) (admin.Page[admin.Connection], error) {
			return admin.Page[admin.Connection]{Items: d.connections}, nil
		},
		Logger: slog.New(slog.DiscardHandler), Now: func() time.Time { return d.now }, Lost: func() {},
	})
	return d
}

func (d *desk) Signal(list ...event.Signal) error { d.signals = append(d.signals, list...); return nil }

func (d *desk) EndSignal(name, key string, then *event.Signal) error {
	d.ended = append(d.ended, name+" "+key)
	d.signals = slices.DeleteFunc(d.signals, func(s event.Signal) bool { return s.Name == name && s.Key == key })
	if then != nil {
		d.signals = append(d.signals, *then)
	}
	return nil
}

func (d *desk) SignalKeys(_ context.Context, name string) (keys []string, err error) {
	for _, s := range d.signals {
		if s.Name == name {
			keys = append(keys, s.Key)
		}
	}
	return keys, nil
}

func (d *desk) DueSignals(context.Context, int) ([]event.Signal, error) { return nil, nil }
func (d *desk) Event(context.Context, event.ID) (e event.Event, err error) {
	return e, event.ErrNotFound
}
func (d *desk) Untold(time.Time) []event.Signal                                   { return nil }
func (d *desk) Tell(*ingest.Plan, *event.Signal, []byte, time.Time) (bool, error) { return true, nil }

// after lets time pass, looks, and gives the signals that stand by then.
func (d *desk) after(pass time.Duration) string {
	d.t.Helper()
	d.now = d.now.Add(pass)
	if err := d.teller.Look(d.t.Context()); err != nil {
		d.t.Fatal(err)
	}
	var names []string
	for _, s := range d.signals {
		names = append(names, s.Name+" "+s.Key)
	}
	return strings.Join(names, ", ")
}

// A breaker that opens is told of once, however often it opens before it has
// been closed for a minute; then that it works again. Fails where each change
// of the breaker is told of.
func TestTeller_breaker(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	if got := d.after(0); got != "" {
		t.Errorf("while it works: %s", got)
	}
	const failing = "connection_failing billing"
	for range 5 {
		d.broken["billing"] = true
		if got := d.after(10 * time.Second); got != failing {
			t.Errorf("while it is open: %s", got)
		}
		d.broken["billing"] = false
		if got := d.after(10 * time.Second); got != failing {
			t.Errorf("when it has closed: %s", got)
		}
	}
	if got := d.after(time.Minute); got != "connection_recovered billing 2026-03-10T10:02:40Z" {
		t.Errorf("after a minute: %s", got)
	}
	if d.signals = nil; d.after(time.Minute) != "" || len(d.ended) != 1 {
		t.Errorf("told again: %v, %v", d.signals, d.ended)
	}
}

// After a start, breakers are closed: what had failed before is not told to work
// while its last attempt failed.
func TestTeller_breakerAfterStart(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.signals = []event.Signal{{Name: event.ConnectionFailing, Key: "billing"}}
	d.connections[0].State = "failing"
	for range 3 {
		if got := d.after(time.Minute); got != "connection_failing billing" {
			t.Errorf("while its last attempt failed: %s", got)
		}
	}
	d.connections[0].State = "ok"
	if got := d.after(time.Minute); !strings.HasPrefix(got, event.ConnectionRecovered) {
		t.Errorf("when one got through: %s", got)
	}
}

func TestTeller_behind(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	since := d.now
	d.connections[0].DueSince = &since
	for _, step := range []struct {
		after time.Duration
		want  string
	}{
		{14 * time.Minute, ""},
		{time.Minute, "connection_behind billing 15m"},
		{20 * time.Minute, "connection_behind billing 15m"},
		{25 * time.Minute, "connection_behind billing 15m, connection_behind billing 1h"},
	} {
		if got := d.after(step.after); got != step.want {
			t.Errorf("after %s: %s, want %s", d.now.Sub(since), got, step.want)
		}
	}
	if d.connections[0].DueSince = nil; d.after(time.Minute) != "" {
		t.Errorf("it has caught up, and %v stand", d.signals)
	}
}

// Each type has a sample, which says what it is in a sentence.
func TestOwnSamples(t *testing.T) {
	t.Parallel()
	var types []string
	for _, sample := range source.OwnSamples() {
		types = append(types, sample.Type)
		if sample.Write(); sample.Text == "" || strings.Contains(sample.Text, ": :") || strings.HasSuffix(sample.Text, ": ") {
			t.Errorf("%s: %s", sample.Type, sample.Text)
		}
	}
	if !slices.Equal(types, event.OwnTypes()) {
		t.Errorf("samples of %v, types are %v", types, event.OwnTypes())
	}
}
