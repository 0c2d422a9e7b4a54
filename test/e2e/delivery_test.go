package e2e

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"hookgate/test/lab"
)

// one routes every event to one sink whose connection has more settings.
func one(sink, settings, then string) string {
	return `
sources:
  in: { type: webhook, token: e2e-webhook-token-0123456789, dedupe: off }
connections:
  sink: { type: webhook, url: ` + sink + settings + ` }
rules:
  - name: one
    from: in
    then: [` + then + `]
`
}

const numberTo = `{ to: sink, json: { n: "${{ data.n }}" } }`

func postNumbers(g *lab.Gate, n int) (ids []string) {
	for i := range n {
		ids = append(ids, g.Accepted(g.PostJSON(echoPath, fmt.Appendf(nil, `{"n":%d}`, i))))
	}
	return ids
}

// A connection's concurrency is reached and never exceeded.
func TestConcurrency(t *testing.T) {
	t.Parallel()
	var now, most atomic.Int32
	open := make(chan struct{})
	sink := lab.NewSink(t, nil)
	sink.Script(func(lab.Arrival) lab.Answer {
		most.Store(max(most.Load(), now.Add(1)))
		<-open
		now.Add(-1)
		return lab.Answer{}
	})
	g := lab.Start(t, one(sink.URL, ", concurrency: 3", numberTo))
	postNumbers(g, 10)
	lab.Eventually(t, "three attempts at once", func() bool { return now.Load() == 3 })
	lab.Stays(t, 200*time.Millisecond, "no more than three", func() bool { return now.Load() == 3 })
	close(open)
	sink.Await(t, 10)
	same(t, "the most at once", int32(3), most.Load())
}

// A connection's rate is kept.
func TestRate(t *testing.T) {
	t.Parallel()
	sink := lab.NewSink(t, nil)
	g := lab.Start(t, one(sink.URL, ", rate_limit: 20/s", numberTo))
	postNumbers(g, 21)
	arrivals := sink.Await(t, 21)
	if took := arrivals[20].At.Sub(arrivals[0].At); took < 850*time.Millisecond {
		t.Errorf("21 requests at 20/s came within %s", took)
	}
}

// A source's rate is answered with 429 and Retry-After.
//
// Promise: P18.
func TestSourceRate(t *testing.T) {
	t.Parallel()
	g := lab.Start(t, strings.Replace(one("http://127.0.0.1:1", "", numberTo), "dedupe: off", "dedupe: off, rate_limit: 3/m", 1))
	statuses := make(map[int]int)
	for range 10 {
		r := g.PostJSON(echoPath, []byte(`{}`))
		statuses[r.Status]++
		if r.Status == 429 && r.Header.Get("Retry-After") == "" {
			t.Error("429 without Retry-After")
		}
	}
	same(t, "answers", map[int]int{202: 3, 429: 7}, statuses)
	same(t, "kept events", 3, len(g.Events()))
}

// A retry that is due after a crash is made after it, under the same id.
//
// Promise: P4, P9.
func TestRetrySurvivesCrash(t *testing.T) {
	t.Parallel()
	var up atomic.Bool
	sink := lab.NewSink(t, func(lab.Arrival) lab.Answer {
		if up.Load() {
			return lab.Answer{}
		}
		return lab.Answer{Status: 503}
	})
	g := lab.Start(t, one(sink.URL, ", retry: { delays: [2s, 2s] }", numberTo))
	id := postNumbers(g, 1)[0]
	sink.Await(t, 1)
	lab.Eventually(t, "the outcome is kept", func() bool { return to(t, g.Show(id), "sink").State == "retrying" })
	up.Store(true)
	g.Kill()
	g.Start()
	arrivals := sink.Await(t, 2)
	if arrivals[0].ID != arrivals[1].ID {
		t.Errorf("the retry has the id %s, the first attempt %s", arrivals[1].ID, arrivals[0].ID)
	}
	d := to(t, g.Settled(id), "sink")
	same(t, "state and attempts", "delivered 2", fmt.Sprint(d.State, " ", d.Attempts))
	if waited := arrivals[1].At.Sub(arrivals[0].At); waited < 1500*time.Millisecond {
		t.Errorf("the retry came after %s, want about 2 s", waited)
	}
}

// When the schedule is over the delivery is failed, and everything is kept.
//
// Promise: P11.
func TestScheduleEnds(t *testing.T) {
	t.Parallel()
	sink := lab.NewSink(t, func(lab.Arrival) lab.Answer { return lab.Answer{Status: 502, Body: "upstream is gone"} })
	g := lab.Start(t, one(sink.URL, ", retry: { delays: [20ms, 20ms] }", numberTo))
	d := to(t, g.Settled(postNumbers(g, 1)[0]), "sink")
	same(t, "state and attempts", "failed 3", fmt.Sprint(d.State, " ", d.Attempts))
	has(t, "error", d.Error, "502", "upstream is gone")
	has(t, "deliveries show", g.MustCLI("deliveries", "show", d.ID), "502", "upstream is gone", `"n": 0`)
	same(t, "requests", 3, sink.Count())
}

// Which answers are tried again is published: the table of docs/delivery.md.
//
// Promise: P10.
func TestWhatIsRetried(t *testing.T) {
	t.Parallel()
	sink := lab.NewSink(t, nil)
	g := lab.Start(t, one(sink.URL, ", retry: { delays: [10ms] }", numberTo))
	for status, attempts := range map[int]int{
		200: 1, 201: 1, 202: 1, 204: 1, 301: 1, 302: 1, 307: 1, 400: 1, 401: 1, 403: 1, 404: 1, 405: 1, 410: 1, 422: 1,
		408: 2, 409: 2, 425: 2, 429: 2, 500: 2, 502: 2, 503: 2, 504: 2,
	} {
		sink.Script(func(lab.Arrival) lab.Answer {
			return lab.Answer{Status: status, Header: map[string]string{"Location": sink.URL + "/elsewhere"}}
		})
		d := to(t, g.Settled(postNumbers(g, 1)[0]), "sink")
		state := "failed"
		if status/100 == 2 {
			state = "delivered"
		}
		same(t, fmt.Sprint("status ", status), fmt.Sprint(state, " ", attempts), fmt.Sprint(d.State, " ", d.Attempts))
	}
	for _, a := range sink.Arrivals() {
		if a.Path != "/" {
			t.Errorf("a redirect was followed to %s", a.Path)
		}
	}
}

// A rule that fails on an event harms no other; a required value that is
// missing fails its delivery and nothing is sent.
//
// Promise: P19.
func TestRuleErrorsAndMissingValues(t *testing.T) {
	t.Parallel()
	sink := lab.NewSink(t, nil)
	g := lab.Start(t, `
sources:
  in: { type: webhook, token: e2e-webhook-token-0123456789, dedupe: off }
connections:
  sink: { type: webhook, url: `+sink.URL+` }
  slack: { type: slack, webhook_url: "`+sink.URL+`/slack" }
rules:
  - { name: nil-access, from: in, when: data.user.name == "x", then: [{ to: sink, json: {} }] }
  - { name: no-bool, from: in, when: data.word, then: [{ to: sink, json: {} }] }
  - { name: good, from: in, when: data.word == "Done", then: [{ to: sink, json: { gone: "${{ data.gone }}" } }] }
  - { name: empty, from: in, then: [{ to: slack, text: "${{ data.gone }}" }] }
`)
	id := g.Accepted(g.PostJSON(echoPath, []byte(`{"word":"Done"}`)))
	ev := g.Settled(id)
	results := make(map[string]string)
	for _, v := range ev.Rules {
		results[v.Rule] = v.Result
		if v.Result == "error" && v.Message == "" {
			t.Errorf("rule %s: no message", v.Rule)
		}
	}
	same(t, "results", map[string]string{"nil-access": "error", "no-bool": "error", "good": "match", "empty": "match"}, results)
	d := to(t, ev, "sink")
	same(t, "state", "delivered", d.State)
	has(t, "warnings", strings.Join(d.Warnings, " "), "data.gone")
	same(t, "null", any(map[string]any{"gone": nil}), value(t, sink.Await(t, 1)[0].Body))
	d = to(t, ev, "slack")
	same(t, "state", "failed", d.State)
	has(t, "error and warnings", d.Error+strings.Join(d.Warnings, " "), "text is empty", "data.gone")
	same(t, "requests", 1, sink.Count())
	has(t, "events show", g.MustCLI("events", "show", id), "nil-access", "data.user", "not true or false")
}

// A delivery that waits for its next attempt can be cancelled.
func TestCancel(t *testing.T) {
	t.Parallel()
	sink := lab.NewSink(t, func(lab.Arrival) lab.Answer { return lab.Answer{Status: 503} })
	g := lab.Start(t, one(sink.URL, ", retry: { delays: [1h] }", numberTo))
	id := postNumbers(g, 1)[0]
	lab.Eventually(t, "it waits", func() bool { return to(t, g.Show(id), "sink").State == "retrying" })
	g.MustCLI("deliveries", "cancel", to(t, g.Show(id), "sink").ID, "--yes")
	same(t, "state", "cancelled", to(t, g.Show(id), "sink").State)
	same(t, "requests", 1, sink.Count())
}

// A private address is refused unless it is allowed, however it is written.
//
// Promise: T9.
func TestPrivateAddresses(t *testing.T) {
	t.Parallel()
	sink := lab.NewSink(t, nil)
	port := sink.URL[strings.LastIndex(sink.URL, ":"):]
	for _, host := range []string{"127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]", "0.0.0.0"} {
		t.Run(host, func(t *testing.T) {
			t.Parallel()
			g := lab.New(t, "")
			g.Configure(one("http://"+host+port, ", retry: { delays: [10ms] }", numberTo))
			config := strings.Replace(g.Header(), "allow_private: [127.0.0.0/8]", "allow_private: []", 1) +
				one("\"http://"+host+port+"\"", ", retry: { delays: [10ms] }", numberTo)
			g.WriteConfig(config)
			if g.CLI("check").Code == 3 {
				return // it is refused when the configuration is read
			}
			if err := g.Launch(); err != nil {
				t.Fatal(err)
			}
			if err := g.AwaitReady(); err != nil {
				t.Fatal(err)
			}
			d := to(t, g.Settled(postNumbers(g, 1)[0]), "sink")
			same(t, "state", "failed", d.State)
			if n := sink.Count(); n != 0 {
				t.Errorf("%d requests arrived", n)
			}
		})
	}
}
