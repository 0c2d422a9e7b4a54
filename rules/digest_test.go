package rules_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"hookgate/internal/diag"
	"hookgate/internal/yamlnode"
	"hookgate/rules"
	"hookgate/rules/lang"
)

// An event joins a digest in place of being sent, and has a number for what may be
// made of it.
func TestDigest_joins(t *testing.T) {
	t.Parallel()
	c, sc := berlin(t, "2026-03-27 18:00", `{"n": 7, "team": "a"}`)
	for keys, want := range map[string]struct {
		key         string
		due         string
		after, most time.Duration
		max         int
	}{
		`digest: { key: data.team, cron: 0 17 * * mon-fri }`:                         {key: "a", due: "2026-03-30 17:00", max: 100}, // over a change of the clocks
		`digest: { cron: 0 17 * * *, timezone: America/New_York, max: 5 }`:           {due: "2026-03-27 22:00", max: 5},
		`digest: { key: data.missing, wait: 10m }`:                                   {after: 10 * time.Minute, max: 100},
		`digest: { key: upper(data.team), quiet: 5m }`:                               {key: "A", after: 5 * time.Minute, most: 24 * time.Hour, max: 100},
		`digest: { quiet: 5m, max_wait: 1h }, when: data.n == 7`:                     {after: 5 * time.Minute, most: time.Hour, max: 100},
		`digest: { wait: 2d }, only_during: office, ordering_key: "items[0].data.n"`: {after: 48 * time.Hour, max: 100},
	} {
		out := mustAction(t, c, keys).Match(sc)
		if len(out.Errors) > 0 || len(out.Deliveries) != 1 || !out.Deliveries[0].Later || out.Deliveries[0].Joining == nil {
			t.Errorf("%s: %+v", keys, out)
			continue
		}
		g := out.Deliveries[0].Joining.Gather(9, sc.Event.Time)
		due := ""
		if !g.Due.IsZero() {
			due = g.Due.In(sc.Event.Time.Location()).Format("2006-01-02 15:04")
		}
		if g.Key != want.key || due != want.due || g.After != want.after || g.Latest != want.most || g.Max != want.max || g.Size != 9 || g.Name != "r/slack" {
			t.Errorf("%s: %+v, due %s", keys, g, due)
		}
	}
	if out := mustAction(t, c, `digest: { wait: 1m }, when: data.n == 8`).Match(sc); len(out.Deliveries) != 0 {
		t.Errorf("it joins though its condition is not met: %+v", out)
	}
	if out := mustAction(t, c, `digest: { wait: 1m, key: data.n.deep.er }`).Match(sc); len(out.Errors) != 1 {
		t.Errorf("a key that cannot be evaluated is no rule error: %+v", out)
	}
	long := mustAction(t, c, `digest: { wait: 1m, key: 'repeat(data.team, 3000)' }`).Match(sc)
	if key := long.Deliveries[0].Joining.Key; len(key) > 300 {
		t.Errorf("a key of %d bytes is stored", len(key))
	}
}

// What a digest sends sees all events in it, and is that of the newest.
func TestAtClose(t *testing.T) {
	t.Parallel()
	c, sc := berlin(t, "2026-03-27 18:00", `{"n": "new"}`)
	_, other := berlin(t, "2026-03-27 17:00", `{"n": "old"}`)
	set := mustAction(t, c, `digest: { wait: 1m }, only_during: office, ordering_key: 'join(map(items, .data.n), "+")'`)
	ref := rules.Ref{Rule: "r", Connection: "slack", Action: 1}
	made, during, err := set.AtClose(sc, ref, []any{other.Item(), sc.Item()})
	if err != nil || made.Err != "" || string(made.Output) != `{"text":"new"}` || made.Key != "old+new" || during != "office" {
		t.Errorf("%+v, %s, %v", made, during, err)
	}
	ref.Action = 2
	if _, _, err := set.AtClose(sc, ref, nil); err == nil {
		t.Error("an action that there is not is closed")
	}
}

// What is made of a digest that closes outside of the action's hours goes when they
// begin, and explain says when. Break: Goes is when it closes.
func TestDigest_goes(t *testing.T) {
	t.Parallel()
	c, sc := berlin(t, "2026-03-27 18:00", `{"n": 7}`)
	for keys, want := range map[string]string{
		`digest: { wait: 1h }, only_during: office`:  "2026-03-27 19:00 2026-03-30 09:00",
		`digest: { wait: 64h }, only_during: office`: "2026-03-30 11:00 ",
		`digest: { wait: 1h }`:                       "2026-03-27 19:00 ",
	} {
		traces := mustAction(t, c, keys).Explain(sc)
		d := traces[0].Actions[0].Digest
		got := d.At.Format("2006-01-02 15:04") + " "
		if d.Goes != nil {
			got += d.Goes.Format("2006-01-02 15:04")
		}
		if got != want {
			t.Errorf("%s: closes and goes %q, want %q", keys, got, want)
		}
	}
}

// What does not go together with a digest, or in one, is told with its remedy.
func TestDigest_faults(t *testing.T) {
	t.Parallel()
	for keys, want := range map[string]string{
		`digest: {}`:                                     `missing-key`,
		`digest: { key: data.n, max: 5 }`:                `missing-key`,
		`digest: { wait: 1m, quiet: 1m }`:                `a digest closes by wait or by quiet, not by both`,
		`digest: { wait: 1m, timezone: Europe/Berlin }`:  `a timezone is for a digest that closes by cron`,
		`digest: { wait: 1m, max_wait: 1h }`:             `max_wait is for a digest that closes by quiet`,
		`digest: { quiet: 2h, max_wait: 1h }`:            `max_wait is shorter than quiet`,
		`digest: { cron: 0 17 * * *, timezone: Berlin }`: `"timezone" is no name of the IANA database`,
		`digest: { cron: 0 17 * * }`:                     `this has 4 fields, and a cron has five`,
		`digest: { wait: 1m, max: 1001 }`:                `max`,
		`digest: { wait: 400d }`:                         `wait`,
		`digest: { wait: 1m, debounce: 5m }`:             `did you mean "quiet"?`,
		`digest: { window: 1m }`:                         `did you mean "wait"?`,
		`debounce: 5m`:                                   `digest: { key: …, quiet: 5m }`,
		`batch: 5`:                                       `digest: { key: …, wait: 10m }`,
		`digest: { wait: 1m }, delay: 1h`:                `an action with a digest has no delay`,
		`digest: { wait: 1m }, delay_until: event.time`:  `an action with a digest has no delay_until`,
		`digest: { wait: 1m }, throttle: { within: 1h }`: `an action with a digest has no throttle`,
		`digest: { wait: 1m, key: "items[0].data.n" }`:   `items`,
		`digest: { wait: 1m }, when: len(items) > 1`:     `items`,
	} {
		_, faults := compileDigest(t, "from: shop, then: [{ to: slack, text: x, "+keys+" }]")
		if !strings.Contains(faultText(faults), want) || faults.Err() == nil {
			t.Errorf("%s: %q, want %s", keys, faultText(faults), want)
		}
	}
	for rule, want := range map[string]string{
		`from: shop, for_each: data.list, then: [{ to: slack, text: x, digest: { wait: 1m } }]`:                           `a rule with for_each has no digest`,
		`from: shop, then: [{ to: slack, step: one, text: x, digest: { wait: 1m } }, { to: slack, after: one, text: y }]`: `nothing comes after it`,
		`from: shop, then: [{ to: slack, step: one, text: x }, { to: slack, after: one, text: y, digest: { wait: 1m } }]`: `an action with a digest has no after`,
		`from: shop, then: [{ to: slack, text: "${{ len(items) }}" }]`:                                                    `items`,
	} {
		if _, faults := compileDigest(t, rule); !strings.Contains(faultText(faults), want) || faults.Err() == nil {
			t.Errorf("%s: %q, want %s", rule, faultText(faults), want)
		}
	}
}

func compileDigest(t *testing.T, keys string) (*rules.Set, diag.List) {
	t.Helper()
	node, list := yamlnode.Parse("config.yaml", []byte("rules: [{ name: r, "+keys+" }]"))
	if err := list.Err(); err != nil {
		t.Fatal(err)
	}
	var f file
	faults := node.Decode("the file", &f)
	set, more := rules.Compile(lang.NewCompiler(), f.Rules, origins(), targets())
	return set, slices.Concat(faults, more)
}

func faultText(list diag.List) string {
	var lines []string
	for i := range list {
		lines = append(lines, list[i].Code+": "+list[i].Message+" ("+list[i].Hint+")")
	}
	return strings.Join(lines, "\n")
}
