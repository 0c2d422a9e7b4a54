package app_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hookgate/app"
	"hookgate/app/admin"
	"hookgate/app/config"
	"hookgate/app/web/api/client"
	"hookgate/internal/event"
)

// rerendered runs a gateway by rules, has it accept an event, and gives it other rules.
type rerendered struct {
	*client.Client
	t    *testing.T
	app  *app.App
	path string
	to   string
	got  chan string
}

func newRerendered(t *testing.T, rules string) *rerendered {
	t.Helper()
	g := &rerendered{t: t, path: filepath.Join(t.TempDir(), "config.yaml")}
	g.got = make(chan string, 10)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		g.got <- string(body)
		_, _ = w.Write([]byte(`{"id":"a1"}`))
	}))
	t.Cleanup(srv.Close)
	g.to = srv.URL
	g.write(rules)
	g.app = mustRun(t, g.path)
	doc, _ := config.Load(g.path, config.LookupEnv)
	g.Client = client.Unix(app.SocketPath(doc))
	t.Cleanup(g.Close)
	return g
}

func (g *rerendered) write(rules string) {
	g.t.Helper()
	text := document("127.0.0.1:0", g.to, "x")
	text = text[:strings.Index(text, "connections:")] + fmt.Sprintf(`connections:
  sink: { type: webhook, url: "%s", outputs: { id: body.id }, retry: { delays: [50ms] } }
  other: { type: webhook, url: "%s" }
tables: { made: { keep: 30d } }
rules:
%s
`, g.to, g.to, rules)
	if err := os.WriteFile(g.path, []byte(text), 0o600); err != nil {
		g.t.Fatal(err)
	}
}

func (g *rerendered) reload(rules string) {
	g.t.Helper()
	g.write(rules)
	if report, err := g.app.Reload(); err != nil || report.Err() != nil {
		g.t.Fatal(err, report.List)
	}
}

// failed waits for the delivery of a rule that failed.
func (g *rerendered) failed(rule string) admin.Delivery {
	g.t.Helper()
	var list []admin.Delivery
	until(g.t, "something of the rule has failed", func() bool {
		list = g.those(event.DeliveryFilter{States: []event.DeliveryState{event.Failed}, Rule: rule, Limit: 1})
		return len(list) == 1
	})
	return list[0]
}

func (g *rerendered) those(f event.DeliveryFilter) []admin.Delivery {
	g.t.Helper()
	page, err := g.Deliveries(g.t.Context(), f)
	if err != nil {
		g.t.Fatal(err)
	}
	return page.Items
}

func (g *rerendered) again(d admin.Delivery) admin.Changed {
	g.t.Helper()
	changed, err := g.Retry(g.t.Context(), admin.Selection{IDs: []event.DeliveryID{d.ID}, Render: true})
	if err != nil {
		g.t.Fatal(err)
	}
	return changed
}

// A step that could not be rendered is rendered again by the rules in force, wherever it
// stands by now, with what the steps before it were answered, under its id; these are
// not sent again, and what comes after it goes on.
func TestRetry_render(t *testing.T) {
	t.Parallel()
	const chain = `  - name: r
    from: s
    then:
      - { step: a, to: sink, json: { a: 1 } }
      %s
      - { step: b, to: sink, after: a, json: { n: "%s", of: "${{ outputs.a.id }}" } }
      - { to: sink, after: b, json: { last: 1 } }`
	g := newRerendered(t, fmt.Sprintf(chain, "", "${{ int(data.n) }}"))
	if code := post(t, g.app, `{"n":"x"}`); code != http.StatusAccepted {
		t.Fatal(code)
	}
	await(t, g.got, `{"a":1}`)
	d := g.failed("r")
	if changed := g.again(d); changed.Count != 0 || len(changed.Left) != 1 || !strings.HasPrefix(changed.Left[0].Reason, "it could not be rendered: ") {
		t.Fatalf("by the same rules: %+v", changed)
	}
	g.reload(fmt.Sprintf(chain, `- { to: other, when: "false", json: {} }`, "${{ data.n }}"))
	if changed, err := g.Retry(t.Context(), admin.Selection{Rule: "r", Render: true, DryRun: true}); err != nil || changed.Count != 1 {
		t.Fatalf("counted %+v, %v", changed, err)
	}
	if changed := g.again(d); changed.Count != 1 || len(changed.Left) != 0 {
		t.Fatalf("by other rules: %+v", changed)
	}
	await(t, g.got, `{"n":"x","of":"a1"}`)
	await(t, g.got, `{"last":1}`)
	after, err := g.Delivery(t.Context(), d.ID)
	if err != nil || after.State != event.Delivered || after.Error != "" {
		t.Errorf("after that: %+v, %v", after, err)
	}
	if changed := g.again(d); changed.Count != 0 || len(changed.Left) != 0 {
		t.Errorf("what was delivered: %+v", changed)
	}
}

// What the rules in force do not send as the same delivery is left as it is, and says
// why; one whose condition is not met is cancelled with that.
func TestRetry_renderOther(t *testing.T) {
	t.Parallel()
	const rule = `  - { name: r, from: s, then: [{ %s json: { n: "${{ int(data.n) }}" } }] }`
	g := newRerendered(t, fmt.Sprintf(rule, "step: a, to: sink,"))
	if code := post(t, g.app, `{"n":"x"}`); code != http.StatusAccepted {
		t.Fatal(code)
	}
	d := g.failed("r")
	for _, c := range []struct{ rules, want string }{
		{`  - { name: q, from: s, then: [{ to: sink, json: {} }] }`, "by the rules in force there is no rule r: hookgate replay sends what its event comes to now"},
		{fmt.Sprintf(rule, "step: b, to: sink,"), "by the rules in force the rule r has no step a: "},
		{fmt.Sprintf(rule, "step: a, to: other,"), "by the rules in force the step a goes to other, and not to sink: "},
		{fmt.Sprintf(rule, "step: a, to: sink, digest: { wait: 1h },"), "by the rules in force r/sink gathers events in a digest: "},
	} {
		g.reload(c.rules)
		if changed := g.again(d); changed.Count != 0 || len(changed.Left) != 1 || !strings.HasPrefix(changed.Left[0].Reason, c.want) || changed.Left[0].Event != d.Event {
			t.Errorf("%s: %+v, want %q", c.rules, changed, c.want)
		}
	}
	g.reload(fmt.Sprintf(rule, `step: a, to: sink, when: data.n == "y",`))
	if changed := g.again(d); changed.Unmet != 1 || changed.Count != 0 {
		t.Errorf("not met: %+v", changed)
	}
	after, err := g.Delivery(t.Context(), d.ID)
	if err != nil || after.State != event.Cancelled || after.Cancelled != event.ByCondition || after.Error != `data.n == "y": it is "x"` {
		t.Errorf("cancelled: %+v, %v", after, err)
	}
}

// A digest that could not be rendered is rendered again with all that is in it.
func TestRetry_renderDigest(t *testing.T) {
	t.Parallel()
	const rule = `  - { name: r, from: s, then: [{ to: sink, digest: { wait: 1h, max: 2 }, json: { n: "%s" } }] }`
	g := newRerendered(t, fmt.Sprintf(rule, "${{ map(items, int(.data.n)) }}"))
	for _, n := range []string{"1", "x"} {
		if code := post(t, g.app, fmt.Sprintf(`{"n":%q}`, n)); code != http.StatusAccepted {
			t.Fatal(code)
		}
	}
	d := g.failed("r")
	g.reload(fmt.Sprintf(rule, "${{ map(items, .data.n) }}"))
	if changed := g.again(d); changed.Count != 1 {
		t.Fatalf("%+v", changed)
	}
	await(t, g.got, `{"n":["1","x"]}`)
}

// A replay of what is unfinished sends nothing that was delivered: of a chain it goes on
// with the step that failed, which finds what the one before was answered. What is
// finished is no part of it, and what was counted is not counted again.
func TestReplay_unfinished(t *testing.T) {
	t.Parallel()
	const rules = `  - name: r
    from: s
    then:
      - { step: a, to: sink, json: { a: "${{ data.n }}" } }
      - { step: b, to: sink, after: a, json: { n: "%s", of: "${{ outputs.a.id }}" } }
      - { step: c, to: sink, after: b, json: { last: "${{ outputs.a.id }}" } }
      - { to: other, after: { a: failed }, json: { never: 1 } }
      - { after: a, remember: { table: made, key: "'a'", add: { n: 1 } } }
      - { after: c, remember: { table: made, key: "'c'", add: { n: 1 } } }
      - { to: other, json: { plain: 1 } }`
	g := newRerendered(t, fmt.Sprintf(rules, "${{ int(data.n) }}"))
	if code := post(t, g.app, `{"n":"x"}`); code != http.StatusAccepted {
		t.Fatal(code)
	}
	want := map[string]bool{`{"a":"x"}`: true, `{"plain":1}`: true}
	for range 2 {
		if text := <-g.got; !want[text] {
			t.Fatalf("sent %s", text)
		}
	}
	d := g.failed("r")
	g.reload(fmt.Sprintf(rules, "${{ data.n }}"))
	sel := admin.EventSelection{Source: "s", Unfinished: true}
	for i, events := range []int{1, 0} {
		counted, err := g.PreviewReplay(t.Context(), admin.ReplayRequest{EventSelection: sel})
		if err != nil || counted.Events != events || counted.GoingOn != events || len(counted.Routes) != 0 {
			t.Fatalf("%d: counted %+v, %v", i, counted, err)
		}
		run, err := g.CreateReplay(t.Context(), sel)
		if err != nil {
			t.Fatal(err)
		}
		if run, err = g.StepReplay(t.Context(), run.ID, 0); err != nil || run.Events != events || !run.Done {
			t.Fatalf("%d: %+v, %v", i, run, err)
		}
		if i == 0 {
			await(t, g.got, `{"n":"x","of":"a1"}`)
			await(t, g.got, `{"last":"a1"}`)
			until(t, "the record after the last step is written", func() bool {
				_, err := g.Record(t.Context(), event.RecordKey{Table: "made", Key: "c"})
				return err == nil
			})
		}
	}
	if after, err := g.Delivery(t.Context(), d.ID); err != nil || after.State != event.Failed {
		t.Errorf("the old one: %+v, %v", after, err)
	}
	for _, key := range []string{"a", "c"} {
		if one, err := g.Record(t.Context(), event.RecordKey{Table: "made", Key: key}); err != nil || string(one.Value) != `{"n":1}` {
			t.Errorf("what was written after %s: %s, %v", key, one.Value, err)
		}
	}
	if len(g.got) > 0 {
		t.Errorf("and sent %s", <-g.got)
	}
}
