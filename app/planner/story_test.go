package planner_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"hookgate/app/ruletest"
	"hookgate/internal/event"
	"hookgate/internal/yamlnode"
	"hookgate/rules"
	"hookgate/rules/lang"
	"hookgate/test/planned"
)

// story is rules, what the receiver answers, and events that come one after another.
type story struct {
	text    string // of the configuration
	answers map[string]lang.Answer
	parts   []part
	hours   string       // the calendar outside of which the connection sends nothing; "": always
	day     time.Weekday // on which it begins
}

// early reports whether no rule reads what other events leave behind, so that all that
// comes of an event is known when it comes.
func (s *story) early() bool { return !strings.Contains(s.text, "lookup(") }

// part is an event, so long after the first one; "": none comes.
type part struct {
	in   time.Duration
	data string
}

// outcome is what came of one part.
type outcome struct {
	sent   []string // names and texts, sorted
	broken []string // what could not be judged or made, sorted
	// told is where what explain said of the part's event is otherwise than what came of
	// it; "": nowhere.
	told string
}

const calendars = `calendars:
  office: { days: mon-fri, hours: [09:30-12:00, 13:00-17:30], timezone: Europe/Berlin }
  night: { hours: 22:00-06:00, timezone: UTC }
  weekend: { days: [sat, sun], timezone: America/New_York }
`

// drawing draws a story. Names end in n, so that stories do not meet in one store.
type drawing struct {
	*rapid.T
	n int
	// plain leaves out what reads kept tables.
	plain bool
}

func (d *drawing) one(label string, of ...string) string {
	return rapid.SampledFrom(of).Draw(d.T, label)
}

func (d *drawing) chance(label string, in int) bool {
	return rapid.IntRange(1, in).Draw(d.T, label) == 1
}

func (d *drawing) story() story {
	var b strings.Builder
	d.plain = d.chance("plain", 2)
	b.WriteString(calendars)
	fmt.Fprintf(&b, "sources:\n  shop: { type: webhook, token: 0123456789abcdef, dedupe: off }\ntables: { kept%d: {}, answers%d: {} }\nrules:\n", d.n, d.n)
	fmt.Fprintf(&b, "  - { name: told%d, from: shop, when: data.report == true, then: [{ to: billing, text: '${{ toJSON(sortBy(rows(\"answers%d\"), .key)) }}' }] }\n", d.n, d.n)
	s := story{answers: map[string]lang.Answer{lang.AnyStep: {}}}
	s.day = time.Weekday(rapid.IntRange(0, 6).Draw(d.T, "day"))
	if d.chance("hours", 5) {
		s.hours = d.one("hours of the connection", "office", "night", "weekend")
	}
	for i := range rapid.IntRange(1, 3).Draw(d.T, "rules") {
		d.rule(&b, fmt.Sprintf("r%dx%d", d.n, i), &s)
	}
	s.text = b.String()
	in := time.Duration(0)
	for range rapid.IntRange(1, 4).Draw(d.T, "events") {
		s.parts = append(s.parts, part{in, d.event()})
		in += time.Duration(rapid.SampledFrom([]int{1, 5, 30, 60, 90, 200}).Draw(d.T, "pause")) * time.Minute
	}
	s.parts = append(s.parts, part{in: in + 21*24*time.Hour}, part{in + 22*24*time.Hour, `{"k":"a","n":0,"l":[],"report":true}`}, part{in: in + 32*24*time.Hour})
	return s
}

func (d *drawing) event() string {
	return fmt.Sprintf(`{"k":%q,"n":%d,"l":%s}`, d.one("k", "a", "b", ""), rapid.IntRange(0, 3).Draw(d.T, "n"),
		d.one("l", `[]`, `[{"n":1,"k":"a"},{"n":2,"k":"b"},{"n":2,"k":"a"}]`, `[{"n":3,"k":"a"}]`, `null`, `7`))
}

func (d *drawing) rule(b *strings.Builder, name string, s *story) {
	each := d.chance("for_each", 4)
	fmt.Fprintf(b, "  - name: %s\n    from: shop\n", name)
	if each {
		b.WriteString("    for_each: data.l\n")
	}
	if d.chance("when", 3) {
		fmt.Fprintf(b, "    when: '%s'\n", d.condition(each, nil))
	}
	var steps []string
	actions := func(indent string, chained bool) {
		for range rapid.IntRange(1, 3).Draw(d.T, "actions") {
			fmt.Fprintf(b, "%s- { %s }\n", indent, d.action(name, each, chained, &steps, s))
		}
	}
	chained := d.chance("chained", 2)
	b.WriteString("    then:\n")
	actions("      ", chained)
	if d.chance("branches", 4) {
		b.WriteString("    branches:\n")
		before := len(steps)
		fmt.Fprintf(b, "      - name: first\n        when: '%s'\n        then:\n", d.condition(each, nil))
		actions("          ", chained)
		steps = slices.Delete(steps, before, len(steps)) // another branch cannot come after them
		b.WriteString("      - name: rest\n        then:\n")
		actions("          ", false)
	}
}

// condition draws one that is true, false, late or an error.
func (d *drawing) condition(each bool, steps []string) string {
	of := []string{"data.n > 0", "data.n < 3", `data.k == "a"`, "data.k.x == 1", `is_open("office", time(event.time))`}
	if !d.plain {
		of = append(of, fmt.Sprintf(`(lookup("kept%d", data.k)?.n ?? 0) < 2`, d.n), fmt.Sprintf(`lookup("kept%d", data.k) == nil`, d.n))
	}
	if each {
		of = append(of, "item.n > 1", "item.k == data.k", "index == 0")
	}
	for _, name := range steps {
		of = append(of, "outputs."+name+" != nil", "errors."+name+" == nil", "outputs."+name+"?.id == data.k", "outputs."+name+"?.id == data.n + 4", "(outputs."+name+"?.id ?? 0) > 3")
	}
	return d.one("condition", of...)
}

// text draws a template, early, late, or of nothing.
func (d *drawing) text(each, digest bool, steps []string) string {
	of := []string{"plain", "${{ data.n }} of ${{ data.k }}", "${{ data.k }}"}
	if !d.plain {
		of = append(of, fmt.Sprintf(`n is ${{ lookup("kept%d", data.k)?.n ?? "none" }}`, d.n))
	}
	if each {
		of = append(of, "${{ item.n }} at ${{ index }}", "${{ item.k }}")
	}
	if digest {
		of = append(of, "${{ len(items) }}: ${{ join(map(items, string(.data.n)), \",\") }}", "${{ items[0].data.k }} then ${{ data.k }}")
	}
	for _, name := range steps {
		of = append(of, "${{ outputs."+name+"?.id ?? errors."+name+" ?? \"nothing\" }}", "${{ outputs."+name+".id }}")
	}
	return d.one("text", of...)
}

func (d *drawing) action(rule string, each, chained bool, steps *[]string, s *story) string {
	kind := d.one("kind", "plain", "plain", "step", "step", "digest", "remember", "remember")
	if kind == "remember" && chained && len(*steps) > 0 {
		return d.answer(each, *steps)
	}
	if kind == "remember" {
		return fmt.Sprintf("remember: { table: kept%d, key: data.k, %s }", d.n, d.one("write", "add: { n: 1 }", `set: { n: "${{ data.n }}" }`, "add: { n: \"${{ data.n }}\" }"))
	}
	words := []string{"to: billing"}
	if kind == "digest" && !each {
		closes := d.one("closes", "wait: 45m", "quiet: 20m, max_wait: 50m", "cron: '0 * * * *'")
		key := d.one("digest key", "", "key: data.k, ", "key: data.n, ")
		words = append(words, fmt.Sprintf("digest: { %s%s, max: %d }", key, closes, rapid.IntRange(1, 3).Draw(d.T, "max")))
		if d.chance("digest when", 3) {
			words = append(words, fmt.Sprintf("when: '%s'", d.condition(each, nil)))
		}
		d.during(&words)
		return strings.Join(append(words, fmt.Sprintf("text: '%s'", d.text(each, true, nil))), ", ")
	}
	var before []string
	if kind == "step" && chained {
		before = d.after(&words, *steps)
		name := fmt.Sprintf("s%d", len(*steps))
		*steps = append(*steps, name)
		words = append(words, "step: "+name)
		s.answers[rule+"/"+name] = rapid.SampledFrom([]lang.Answer{
			{Outputs: map[string]any{"id": "a"}}, {Outputs: map[string]any{"id": "7"}}, {Outputs: map[string]any{"id": 7}}, {Failed: true, Error: "it said no"},
		}).Draw(d.T, "answer")
	}
	switch {
	case d.chance("delay", 4):
		words = append(words, "delay: "+d.one("delay", "10m", "1h", "1d"))
	case d.chance("delay_until", 5):
		words = append(words, "delay_until: '"+d.until(each, before)+"'")
	}
	d.during(&words)
	if d.chance("throttle", 4) {
		words = append(words, "throttle: { "+d.one("throttle key", "", "key: data.k, ", "key: data.n, ")+d.one("times", "", "times: 2, ")+"within: 2h }")
	}
	if d.chance("ordered", 5) {
		words = append(words, "ordering_key: data.k")
	}
	if d.chance("filtered", 3) {
		words = append(words, fmt.Sprintf("when: '%s'", d.condition(each, before)))
	}
	return strings.Join(append(words, fmt.Sprintf("text: '%s'", d.text(each, false, before))), ", ")
}

// answer draws what is remembered of answers, in a table of its own: a sum, or fields
// that say the same whenever they are set.
func (d *drawing) answer(each bool, steps []string) string {
	var words []string
	before := d.after(&words, steps)
	if len(before) == 0 {
		before = steps[:1]
		words = append(words, "after: "+steps[0])
	}
	name := before[len(before)-1]
	if d.chance("filtered", 3) {
		words = append(words, fmt.Sprintf("when: '%s'", d.condition(each, before)))
	}
	key := d.one("answer key", "data.k", "outputs."+name+"?.id", `"all"`)
	write := d.one("answer write", "add: { n: 1 }", `add: { n: "${{ data.n }}" }`, `add: { sum: "${{ outputs.`+name+`?.id }}" }`,
		`set: { id_`+name+`: "${{ outputs.`+name+`?.id ?? errors.`+name+` }}" }`)
	if strings.HasPrefix(write, "set") {
		key = fmt.Sprintf("string(data.k) + %q + string(data.n)", name)
	}
	return strings.Join(append(words, fmt.Sprintf("remember: { table: answers%d, key: '%s', %s }", d.n, key, write)), ", ")
}

// during draws a calendar that an action keeps to.
func (d *drawing) during(words *[]string) {
	if d.chance("only_during", 6) {
		*words = append(*words, "only_during: "+d.one("calendar", "office", "night", "weekend"))
	}
}

// until draws when an action has its moment: to come, over, early, late, or no time.
func (d *drawing) until(each bool, steps []string) string {
	of := []string{
		`add_time(event.time, "40m")`, `add_time(event.time, "-1h")`, "data.k", `at(time(event.time), "16:00")`, `next_open("office", time(event.time))`,
		`add_open_days("office", time(event.time), data.n)`, `add_time(event.time, string(data.n) + "d")`,
	}
	if each {
		of = append(of, `add_time(event.time, string(item.n) + "h")`)
	}
	if !d.plain {
		of = append(of, fmt.Sprintf(`add_time(event.time, string(lookup("kept%d", data.k)?.n ?? 5) + "h")`, d.n))
	}
	for _, name := range steps {
		of = append(of, `add_time(event.time, (outputs.`+name+`?.id ?? "3") + "h")`)
	}
	return d.one("until", of...)
}

// after draws what an action comes after, and gives the steps that it can speak of.
func (d *drawing) after(words *[]string, steps []string) (before []string) {
	if len(steps) == 0 || d.chance("first", 3) {
		return nil
	}
	var ends []string
	for _, name := range steps {
		if d.chance("after "+name, 2) {
			before = append(before, name)
			ends = append(ends, name+": "+d.one("end", "delivered", "ended", "failed"))
		}
	}
	if len(before) > 0 {
		*words = append(*words, "after: { "+strings.Join(ends, ", ")+" }")
	}
	return before
}

// run has events come to a gateway, and tells what came of each part.
func (g *gateway) run(s *story) (list []outcome, start time.Time) {
	g.t.Helper()
	start = g.clock().Add(time.Hour).Truncate(24 * time.Hour).Add(33 * time.Hour) // at nine
	for start.Weekday() != s.day {
		start = start.Add(24 * time.Hour)
	}
	g.advance(start)
	g.configure(planned.Must(g.t, s.text), s.text)
	root, _ := yamlnode.Parse("c.yaml", []byte(s.text))
	g.calendars = planned.Calendars(g.t, root)
	g.answers, g.hours = s.answers, g.calendars[s.hours]
	failed := event.DeliveryFilter{States: []event.DeliveryState{event.Failed}, Limit: 1000, Since: start}
	known := map[event.DeliveryID]bool{}
	var told []*explained
	for i, p := range s.parts {
		var o outcome
		g.advance(start.Add(p.in))
		if p.data != "" {
			one := &explained{part: i, traces: g.explain(p.data)}
			one.id = g.post(p.data)
			g.settle()
			e, err := g.store.Event(g.t.Context(), one.id)
			if err != nil {
				g.t.Fatal(err)
			}
			for _, v := range e.Errors {
				o.broken = append(o.broken, v.Rule)
			}
			one.verdicts, told = e.Verdicts, append(told, one)
		}
		for _, d := range g.took() {
			o.sent = append(o.sent, d.Name()+" "+string(d.Output))
		}
		made, err := g.store.Deliveries(g.t.Context(), failed)
		if err != nil {
			g.t.Fatal(err)
		}
		for i := range made {
			if d := &made[i]; !known[d.ID] && d.Attempts == 0 {
				o.broken = append(o.broken, d.Name())
				known[d.ID] = true
			}
		}
		slices.Sort(o.sent)
		slices.Sort(o.broken)
		list = append(list, o)
	}
	for _, one := range told {
		list[one.part].told = g.compare(s, one)
	}
	return list, start
}

// explained is what explain said of an event before it came.
type explained struct {
	part     int
	id       event.ID
	traces   []rules.Trace
	verdicts []event.Verdict
}

// compare tells where explain was wrong of an event, now that all has come of it; "":
// nowhere.
func (g *gateway) compare(s *story, one *explained) string {
	g.t.Helper()
	made, err := g.store.Deliveries(g.t.Context(), event.DeliveryFilter{Event: one.id, Limit: 1000})
	if err != nil {
		g.t.Fatal(err)
	}
	rows := map[string]*event.Delivery{}
	for i := range made {
		rows[made[i].Name()] = &made[i]
	}
	letters := map[string]event.Result{rules.Matched: event.Matched, rules.NotMatched: event.NotMatched, rules.Failed: event.RuleFailed}
	for i := range one.traces {
		t := &one.traces[i]
		at := slices.IndexFunc(one.verdicts, func(v event.Verdict) bool { return v.Rule == t.Rule })
		if at < 0 || one.verdicts[at].Result != letters[t.Result] || t.Error != "" && t.Error != one.verdicts[at].Message {
			return fmt.Sprintf("%s is %s %s, and was %v", t.Rule, t.Result, t.Error, one.verdicts)
		}
		for _, chain := range elements(t) {
			if text := s.compareChain(chain, rows); text != "" {
				return text
			}
		}
	}
	return ""
}

func elements(t *rules.Trace) []*rules.Trace {
	if t.Result == rules.Failed || len(t.Elements) == 0 {
		return []*rules.Trace{t}
	}
	var list []*rules.Trace
	for i := range t.Elements {
		list = append(list, &t.Elements[i])
	}
	return list
}

// compareChain compares what explain said of a rule's actions with what came of them.
func (s *story) compareChain(t *rules.Trace, rows map[string]*event.Delivery) string {
	for i := range t.Actions { // explain does not know how often a throttle has let one go
		if d := rows[t.Actions[i].Name]; d != nil && d.Cancelled == event.ByThrottle {
			return ""
		}
	}
	for i := range t.Actions {
		a := &t.Actions[i]
		if a.Remember != nil || a.Digest != nil || !s.early() && (a.After != "" || a.Wait != nil) {
			continue
		}
		if text := s.compareAction(a, rows[a.Name]); text != "" {
			return a.Name + ": " + text
		}
	}
	return ""
}

// compareAction compares what explain said of an action with its delivery; nil: it has
// none.
func (s *story) compareAction(a *rules.ActionTrace, d *event.Delivery) string {
	switch {
	case !a.Sent:
		if d != nil && d.State != event.Cancelled {
			return fmt.Sprintf("it is not sent (%s), and is %s", a.Reason, d.State)
		}
		return ""
	case d == nil:
		return "it is sent, and was not"
	case a.Err != "":
		if d.State != event.Failed || d.Attempts > 0 || d.Error != a.Err {
			return fmt.Sprintf("it cannot be sent (%s), and is %s: %s", a.Err, d.State, d.Error)
		}
		return ""
	case d.Attempts == 0:
		return fmt.Sprintf("it is sent, and is %s: %s", d.State, d.Error)
	case string(d.Output) != string(a.Output) || d.Key != a.Key || !slices.Equal(d.Warnings, a.Warnings):
		return fmt.Sprintf("it is %s %q %q, and was %s %q %q", a.Output, a.Key, a.Warnings, d.Output, d.Key, d.Warnings)
	case s.hours == "" && a.Moment != nil && !d.Moment.IsZero() && !d.Moment.Equal(*a.Moment):
		return fmt.Sprintf("its moment is %s, and was %s", a.Moment, d.Moment)
	}
	return ""
}

// tried is what a test of config.yaml says that comes of a story, in the words of run.
func tried(t *testing.T, s *story, want []outcome, began time.Time) []ruletest.Finding {
	t.Helper()
	var b strings.Builder
	quoted := func(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }
	for i, p := range s.parts {
		indent := "    "
		if i == 0 {
			fmt.Fprintf(&b, "tests:\n  - name: story\n    at: %s\n", began.Format(time.RFC3339))
			writeAnswers(&b, s.answers)
		} else {
			if i == 1 {
				b.WriteString("    later:\n")
			}
			fmt.Fprintf(&b, "      - in: %s\n", p.in)
			indent = "        "
		}
		if p.data != "" {
			fmt.Fprintf(&b, "%sevent: { source: shop, data: %s }\n", indent, p.data)
		}
		names, asserts := expected(want[i].sent)
		fmt.Fprintf(&b, "%sexpect: [%s]\n%sassert:\n", indent, strings.Join(names, ", "), indent)
		for _, a := range append(asserts, fmt.Sprintf("len(output) == %d", len(names))) {
			fmt.Fprintf(&b, "%s  - %s\n", indent, quoted(a))
		}
	}
	plan := planned.Must(t, s.text)
	root, _ := yamlnode.Parse("c.yaml", []byte(s.text))
	n, list := yamlnode.Parse("t.yaml", []byte(b.String()))
	if list.Err() != nil {
		t.Fatalf("%s\n%v", b.String(), list)
	}
	c := lang.NewCompiler()
	c.SetTables(planned.Kept(root))
	c.SetCalendars(planned.Calendars(t, root))
	tests, list := ruletest.Compile(n.Get("tests"), c, plan.Rules, nil, rules.Origins{"shop": nil})
	if list.Err() != nil {
		t.Fatalf("%s\n%s\n%v", s.text, b.String(), list)
	}
	r := ruletest.Runner{Plan: plan, Now: time.Now}
	got := r.Run(tests[0])
	return got.Findings
}

func writeAnswers(b *strings.Builder, answers map[string]lang.Answer) {
	b.WriteString("    answers:\n")
	for name, a := range answers {
		switch {
		case name == lang.AnyStep:
		case a.Failed:
			fmt.Fprintf(b, "      %s: { failed: %s }\n", name, a.Error)
		default:
			fmt.Fprintf(b, "      %s: { outputs: { id: %#v } }\n", name, a.Outputs["id"])
		}
	}
}

// expected are the names of what is sent, and assertions of their texts.
func expected(sent []string) (names, asserts []string) {
	texts, elements := map[string][]string{}, map[string]bool{}
	for _, line := range sent {
		full, output, _ := strings.Cut(line, " ")
		name := event.WithoutElement(full)
		text := strings.TrimSuffix(strings.TrimPrefix(output, `{"text":`), "}")
		if len(texts[name]) == 0 {
			names = append(names, name)
		}
		texts[name] = append(texts[name], text)
		elements[name] = elements[name] || name != full
	}
	for _, name := range names {
		slices.Sort(texts[name])
		if len(texts[name]) == 1 && !elements[name] {
			asserts = append(asserts, fmt.Sprintf(`output[%q].text == %s`, name, texts[name][0]))
			continue
		}
		asserts = append(asserts, fmt.Sprintf(`sort(map(output[%q], .text)) == [%s]`, name, strings.Join(texts[name], ", ")))
	}
	return names, asserts
}

// Random rules and random events go the same way through both engines, through a test of
// config.yaml, and as explain says before: what is sent, when, with which text, and what
// is an error.
func TestStory(t *testing.T) {
	t.Parallel()
	engines := map[string]*gateway{"sqlite": newGateway(t, "sqlite"), "postgres": newGateway(t, "postgres")}
	n := 0
	var sent, broken int
	rapid.Check(t, func(rt *rapid.T) {
		n++
		d := drawing{T: rt, n: n}
		s := d.story()
		got := map[string][]outcome{}
		var start time.Time
		var mu sync.Mutex
		var both sync.WaitGroup
		for name, g := range engines {
			both.Go(func() {
				list, began := g.run(&s)
				mu.Lock()
				got[name], start = list, began
				mu.Unlock()
			})
		}
		both.Wait()
		want := got["sqlite"]
		for i := range want {
			if a, b := fmt.Sprintf("%q", want[i]), fmt.Sprintf("%q", got["postgres"][i]); a != b {
				rt.Fatalf("%s%v\nin part %d SQLite and PostgreSQL differ:\n%s\n%s", s.text, s.parts, i, a, b)
			}
			if want[i].told != "" {
				rt.Fatalf("%s%v\n%+v\nof part %d explain says otherwise: %s", s.text, s.parts, s.answers, i, want[i].told)
			}
			sent, broken = sent+len(want[i].sent), broken+len(want[i].broken)
		}
		if s.hours != "" { // a test does not know when a connection is open
			return
		}
		var errs []string
		for _, f := range tried(t, &s, want, start) {
			if f.Kind != ruletest.RuleError {
				rt.Fatalf("%s%v\n%+v\nengine: %q\nthe test says otherwise: %s %s", s.text, s.parts, s.answers, want, f.Kind, f)
			}
			errs = append(errs, f.Name)
		}
		var all []string
		for i := range want {
			all = append(all, want[i].broken...)
		}
		slices.Sort(errs)
		slices.Sort(all)
		if !slices.Equal(errs, all) {
			rt.Fatalf("%s%v\n%+v\nerrors of the engines: %v\nof the test: %v", s.text, s.parts, s.answers, all, errs)
		}
	})
	if t.Logf("%d sent, %d could not be", sent, broken); sent == 0 || broken == 0 {
		t.Error("too little was tried")
	}
}
