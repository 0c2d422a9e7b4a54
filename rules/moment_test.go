package rules_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"hookgate/internal/calendar"
	"hookgate/internal/event"
	"hookgate/internal/jsondoc"
	"hookgate/internal/yamlnode"
	"hookgate/rules"
	"hookgate/rules/lang"
)

// berlin is a compiler of rules in Berlin, and the scope of an event there.
func berlin(t *testing.T, at, data string) (*lang.Compiler, *lang.Scope) {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	c := lang.NewCompiler()
	c.SetPlace(zone, "en")
	var office calendar.Definition
	if err := json.Unmarshal([]byte(lang.ExampleCalendar), &office); err != nil {
		t.Fatal(err)
	}
	open, err := calendar.New(office)
	if err != nil {
		t.Fatal(err)
	}
	c.SetCalendars(map[string]*calendar.Calendar{"office": open})
	when, err := time.ParseInLocation("2006-01-02 15:04", at, zone)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsondoc.Parse([]byte(data))
	if err != nil {
		t.Fatal(err)
	}
	return c, lang.NewScope(doc, lang.Meta{ID: "evt_7", Type: "order", Source: "shop", Time: when}, nil, nil)
}

// action is a rule with one action to slack that has the given keys.
func mustAction(t *testing.T, c *lang.Compiler, keys string) *rules.Set {
	t.Helper()
	node, list := yamlnode.Parse("config.yaml", []byte("rules: [{ name: r, from: shop, then: [{ to: slack, text: \"${{ data.n }}\", "+keys+" }] }]"))
	if err := list.Err(); err != nil {
		t.Fatal(err)
	}
	var f file
	if err := node.Decode("the file", &f).Err(); err != nil {
		t.Fatal(err)
	}
	set, faults := rules.Compile(c, f.Rules, origins(), targets())
	if err := faults.Err(); err != nil {
		t.Fatal(err)
	}
	return set
}

// Days and weeks keep the time of day over a change of the clocks, hours and
// minutes are what has passed. The clocks of Berlin went ahead on 29 March 2026,
// and back on 25 October.
func TestMoment(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		keys, at, want, reason string
	}{
		{"delay: 10m", "2026-03-10 09:00", "2026-03-10T09:10:00+01:00", ""},
		{"delay: 7d", "2026-03-24 09:00", "2026-03-31T09:00:00+02:00", ""},
		{"delay: 24h", "2026-03-28 09:00", "2026-03-29T10:00:00+02:00", ""},
		{"delay: 1w2d3h", "2026-10-20 09:00", "2026-10-29T12:00:00+01:00", ""},
		{"delay: 24h", "2026-10-24 09:00", "2026-10-25T08:00:00+01:00", ""},
		{`delay_until: 'at(add_time(time(data.at), "-1d"), "09:00")'`, "2026-03-10 09:00", "2026-05-01T09:00:00+02:00", ""},
		{"delay_until: data.at", "2026-03-10 09:00", "2026-05-02T14:30:00+02:00", ""},
		{"delay_until: data.n", "2026-03-10 09:00", "2026-03-10T09:00:00+01:00", ""},
		{"only_during: office", "2026-03-10 09:00", "2026-03-10T09:00:00+01:00", ""},
		{"only_during: office", "2026-03-27 18:00", "2026-03-30T09:00:00+02:00", ""},
		{"delay: 7d, only_during: office", "2026-03-27 16:50", "2026-04-07T09:00:00+02:00", ""},
		{"delay_until: data.none", "2026-03-10 09:00", "", "gave no time: data.none"},
		{"delay_until: data.name", "2026-03-10 09:00", "", "gave no time: data.name"},
		{"delay_until: data.far", "2026-03-10 09:00", "", "more than 366 days ahead"},
	} {
		c, sc := berlin(t, tc.at, `{"n":7,"at":"2026-05-02 14:30","name":"Ada","far":"2030-01-01"}`)
		set := mustAction(t, c, tc.keys)
		out := set.Match(sc)
		if len(out.Deliveries) != 1 {
			t.Fatalf("%s: %+v", tc.keys, out)
		}
		r := out.Deliveries[0]
		if tc.reason != "" {
			if !strings.Contains(r.Err, tc.reason) {
				t.Errorf("%s: error %q, want %q", tc.keys, r.Err, tc.reason)
			}
			continue
		}
		if got := r.Moment.In(sc.Event.Time.Location()).Format(time.RFC3339); got != tc.want || r.Err != "" || string(r.Output) != `{"text":"7"}` {
			t.Errorf("%s: %s, %q, %s, want %s", tc.keys, got, r.Err, r.Output, tc.want)
		}
		trace := set.Explain(sc)[0].Actions[0]
		if trace.Moment == nil || !trace.Moment.Equal(r.Moment) || trace.Wait == nil {
			t.Errorf("%s: explained as %+v", tc.keys, trace)
		}
	}
}

// What reads what is known later is asked and rendered at its moment, and
// nothing of it before.
func TestMoment_late(t *testing.T) {
	t.Parallel()
	c, sc := berlin(t, "2026-03-10 09:00", `{"n":7}`)
	c = c.With(lang.Name{Name: "outputs", Late: true})
	for keys, late := range map[string]bool{
		"delay: 1h": false, "delay: 1h, when: data.n == 7": false, "delay: 1h, when: outputs.x == 1": true, `delay: 1h, channel: "#${{ outputs.x }}"`: true,
	} {
		out := mustAction(t, c, keys).Match(sc)
		if len(out.Deliveries) != 1 || out.Deliveries[0].Wait.Late != late || (string(out.Deliveries[0].Output) == "{}") != late {
			t.Errorf("%s: %+v", keys, out)
		}
	}
	set := mustAction(t, c, "delay: 1h, when: data.n == 7")
	asked, err := set.AtMoment(sc, rules.Ref{Rule: "r", Connection: "slack", Action: 1})
	if err != nil || !asked.Sent || string(asked.Output) != `{"text":"7"}` {
		t.Errorf("at its moment: %+v, %v", asked, err)
	}
	asked, err = mustAction(t, c, "delay: 1h, when: data.n == 8").AtMoment(sc, rules.Ref{Rule: "r", Connection: "slack", Action: 1})
	if err != nil || asked.Sent || asked.Reason != "data.n == 8: it is 7" {
		t.Errorf("not met: %+v, %v", asked, err)
	}
	if _, err := set.AtMoment(sc, rules.Ref{Rule: "r", Connection: "slack", Action: 2}); err == nil {
		t.Error("an action that is not there was asked")
	}
}

// What can't be a moment is an error of check, with its remedy.
func TestMoment_faults(t *testing.T) {
	t.Parallel()
	for keys, code := range map[string]string{
		"delay: soon": "bad-value", "delay: 0s": "bad-value", "delay: 367d": "bad-value", "delay: -1h": "bad-value",
		"delay: 1h, delay_until: data.at": "conflict", "delay_until: data.": "expr-syntax", "only_during: nights": "unknown-calendar", "sleep: 1h": "unknown-key",
	} {
		_, list := compile(t, "rules: [{ name: r, from: shop, then: [{ to: slack, text: x, "+keys+" }] }]")
		if len(list) != 1 || list[0].Code != code || list[0].Hint == "" && code != "expr-syntax" {
			t.Errorf("%s: %+v, want %s", keys, list, code)
		}
	}
}

// Wait says in words where a moment comes from.
func TestWait_words(t *testing.T) {
	t.Parallel()
	for want, w := range map[string]event.Wait{
		"7d later": {Delay: "7d"}, "7d later, then office": {Delay: "7d", During: "office"}, "as delay_until says": {Until: true}, "when office is open": {During: "office"},
	} {
		if got := w.Words(); got != want {
			t.Errorf("%+v: %q, want %q", w, got, want)
		}
	}
}

// What is made for each element, or counted, has its moment for itself: an early one is
// rendered and has its count when the event is accepted, a late one at its moment.
func TestMoment_elements(t *testing.T) {
	t.Parallel()
	set, list := compile(t, `rules: [{ name: r, from: shop, for_each: data.list, then: [{ to: slack, delay: 1h, throttle: { key: item, within: 1d }, text: "${{ item }}" }] }]`)
	if err := list.Err(); err != nil {
		t.Fatal(err)
	}
	sc := scope(t, []byte(`{"list":["a","b"]}`), "shop", "order")
	defer sc.Release()
	out := set.Match(sc)
	if len(out.Deliveries) != 2 {
		t.Fatalf("%+v", out)
	}
	for i, want := range []string{`{"text":"a"}`, `{"text":"b"}`} {
		d := &out.Deliveries[i]
		asked, err := set.AtMoment(sc, rules.Ref{Rule: "r", Connection: "slack", Action: 1, Element: d.Element})
		if err != nil || !asked.Sent || asked.Name() != d.Name() {
			t.Errorf("%d: %+v, %v", i, asked, err)
		}
		if d.Element != i+1 || d.Wait == nil || string(d.Output) != want || string(asked.Output) != want || d.Once == nil || asked.Once == nil || d.Once.Key != asked.Once.Key {
			t.Errorf("%d: accepted %+v, at its moment %+v", i, d, asked)
		}
	}
	if out.Deliveries[0].Once.Key == out.Deliveries[1].Once.Key {
		t.Error("the elements are counted together")
	}
}
