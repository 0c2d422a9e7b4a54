package admin

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aymanbagabas/go-udiff"

	"hookgate/app/ingest"
	"hookgate/app/replay"
	"hookgate/db"
	"hookgate/internal/diag"
	"hookgate/internal/event"
	"hookgate/internal/yamlnode"
	"hookgate/rules"
	"hookgate/rules/lang"
)

// TryRequest asks what a rule would do with what came in if it were another one.
type TryRequest struct {
	Rule string `json:"rule"`
	RuleChange
	// Limit is how many events are tried, the newest that the rule listens to.
	Limit int `json:"limit,omitempty"`
	// Event is the one of which the parts of the condition are told; 0: the newest
	// that would change, else the newest.
	Event event.ID `json:"event,omitempty"`
	// At is when that one is taken to have come; zero: when it did. Answers are what
	// steps are taken to be answered, each as explain takes it: contact={"id":"7"},
	// or contact=failed:reason.
	At      time.Time `json:"at,omitzero"`
	Answers []string  `json:"answers,omitempty"`
}

// RuleChange is another condition of a rule, or other texts that it sends.
type RuleChange struct {
	When   *string     `json:"when,omitempty"` // nil: its own; "": always
	Inputs []TextInput `json:"inputs,omitempty"`
}

// TextInput is another text in place of one that an action sends.
type TextInput struct {
	To     string `json:"to"`
	Action int    `json:"action"`
	RuleInput
}

// Tried is what a rule would do with what came in.
type Tried struct {
	Rule string `json:"rule"`
	When string `json:"when"` // as it was tried
	// Faults say why it cannot be tried, with their places in the condition.
	Faults diag.List `json:"faults,omitempty"`
	replay.RuleCount
	Looked int `json:"looked"` // events that were tried
	// Events are those, the newest first, and Changes those that come out otherwise.
	Events  []TriedEvent         `json:"events"`
	Changes []replay.EventChange `json:"changes"`
	// Seen is one of the events, with the parts of the condition.
	Seen *TriedEvent `json:"seen,omitempty"`
	// Text is the rule's text with the change; Patch the same as a unified diff of
	// the configuration file. "" where nothing of the change could be put into it.
	Text  string `json:"text,omitempty"`
	Patch string `json:"patch,omitempty"`
	// ByHand is what of the change they lack, for it does not stand in the file as a
	// text of its own. The condition is there as "when", to no connection.
	ByHand []TextInput `json:"by_hand,omitempty"`
	// Test is the seen event as a test of the configuration.
	Test string `json:"test,omitempty"`
}

// TriedEvent is an event, and what the rule says of it.
type TriedEvent struct {
	ID      event.ID     `json:"id"`
	Time    time.Time    `json:"time"`
	Summary string       `json:"summary,omitempty"`
	Now     bool         `json:"now"`
	Then    bool         `json:"then"`
	Failed  bool         `json:"failed,omitempty"` // it cannot be judged with the change
	Other   bool         `json:"other,omitempty"`  // something else is sent
	Trace   *rules.Trace `json:"trace,omitempty"`
}

const (
	// tryEvents is how many events are tried unless told, and tryMost at the most.
	tryEvents, tryMost = 200, 2000
	// tryChanges is how many changed events are told in detail.
	tryChanges = 20
	// tryRead and tryTime bound how far back they are looked for.
	tryRead = 20_000
	tryTime = 2 * time.Second
)

// Try tells what a rule in force would do with the newest events if it were
// another one. Nothing is sent, and nothing is changed.
func (s *Service) Try(ctx context.Context, r TryRequest) (out Tried, err error) {
	now := s.inForce()
	at := slices.IndexFunc(now.Rules, func(c RuleSettings) bool { return c.Name == r.Rule })
	if at < 0 {
		return out, notCalled("rule in force", r.Rule, now.Plan.Rules.Names())
	}
	rule := &now.Rules[at]
	out = Tried{Rule: r.Rule, When: rule.When, Events: []TriedEvent{}, Changes: []replay.EventChange{}}
	if r.When != nil {
		out.When = strings.TrimSpace(*r.When)
		if rule.ForEach != "" { // it may ask for item, which no query knows: compiling the rule tells
			out.Faults = nil
		} else if _, out.Faults = replay.NewQuery(*r.When, ""); out.Faults.Count(diag.Error) > 0 {
			return out, nil
		}
		out.Faults = nil
	}
	before, _, err := s.ruleSet(ctx, now.Plan.ID)
	if err != nil {
		return out, fmt.Errorf("judge by the rules in force: %w", err)
	}
	after := before
	if r.When != nil || len(r.Inputs) > 0 {
		var faults diag.List
		if after, faults = now.Changed(r.Rule, r.RuleChange); faults.Count(diag.Error) > 0 {
			out.Faults = faults
			return out, nil
		}
	}
	answers, err := answersOf(r.Answers)
	if err != nil {
		return out, err
	}
	if err := s.try(ctx, &r, answers, rule, before, after, &out); err != nil {
		return out, fmt.Errorf("try the rule: %w", err)
	}
	if out.Text, out.ByHand = rule.with(out.When, r.Inputs); out.Text != "" {
		out.Patch = now.patch(rule, out.Text)
	}
	return out, nil
}

// answersOf reads what steps are taken to be answered.
func answersOf(texts []string) (map[string]lang.Answer, error) {
	answers := map[string]lang.Answer{}
	for _, text := range texts {
		step, answer, ok := lang.ReadAnswer(text)
		if !ok {
			return nil, refuse(`%q is no step with its answer: write contact={"id":"7"}, or contact=failed:reason`, text)
		}
		answers[step] = answer
	}
	return answers, nil
}

// try judges the events by both versions of the rule.
func (s *Service) try(ctx context.Context, r *TryRequest, answers map[string]lang.Answer, rule *RuleSettings, before, after *ingest.RuleSet, out *Tried) error {
	limit := tryEvents
	if r.Limit > 0 {
		limit = min(r.Limit, tryMost)
	}
	var seen, changed, newest *event.Event
	c := replay.Comparison{Now: before, Then: after, Rule: rule.Name, Limit: tryChanges, Workers: 1, Summary: Summary}
	c.Judged = func(e *event.Event, now, then event.Result, differs bool) {
		tried := TriedEvent{
			ID: e.ID, Time: e.ReceivedAt.UTC(), Summary: Summary(e.Data()), Now: now == event.Matched, Then: then == event.Matched, Failed: then == event.RuleFailed,
		}
		tried.Other = differs && tried.Now && tried.Then
		out.Events = append(out.Events, tried)
		if newest == nil {
			newest = e
		}
		if differs && changed == nil {
			changed = e
		}
		if e.ID == r.Event {
			seen = e
		}
	}
	f := event.Filter{States: event.JudgedStates()}
	if len(rule.From) == 1 {
		f.Source = rule.From[0]
	}
	read, began := 0, time.Now()
	report, err := c.Run(ctx, func(each func(*event.Event) error) error {
		return s.store.Scan(ctx, f, func(e *event.Event) error {
			if out.Looked == limit || read == tryRead || time.Since(began) > tryTime {
				return db.ErrStop
			}
			read++
			if !before.Rules.RuleListens(rule.Name, e.Source, e.Type) {
				return nil
			}
			out.Looked++
			return each(e)
		})
	})
	if err != nil {
		return err
	}
	if len(report.Rules) == 1 {
		out.RuleCount = report.Rules[0]
	}
	out.Changes = report.Events
	slices.Reverse(out.Changes) // the newest first, as everywhere
	return s.seen(ctx, r, answers, after, out, seen, changed, newest)
}

// seen tells the parts of the condition for the first of the events that there is.
func (s *Service) seen(ctx context.Context, r *TryRequest, answers map[string]lang.Answer, after *ingest.RuleSet, out *Tried, list ...*event.Event) error {
	if r.Event != 0 && list[0] == nil { // it is older than what was tried
		e, err := s.store.Event(ctx, r.Event)
		if err != nil {
			return missing(err, "there is no event %s: "+gone, r.Event)
		}
		list[0] = &e
	}
	for _, e := range list {
		if e == nil {
			continue
		}
		out.Seen = &TriedEvent{ID: e.ID, Time: e.ReceivedAt.UTC(), Summary: Summary(e.Data())}
		if !r.At.IsZero() {
			moved := *e
			moved.ReceivedAt, e = r.At, &moved
		}
		traces := after.ExplainWith(e, answers)
		for i := range traces {
			if traces[i].Rule == r.Rule {
				out.Seen.Trace = &traces[i]
				out.Seen.Then = traces[i].Result == rules.Matched
			}
		}
		out.Test = testOf(after, e, r.Rule, answers, !r.At.IsZero())
		break
	}
	return nil
}

// testOf writes an event as a test of the configuration that expects what the
// rules send for it: at once, and what has its moment later then. Steps have the
// answers, and are delivered without outputs where there is none, as in a test.
func testOf(set *ingest.RuleSet, e *event.Event, rule string, answers map[string]lang.Answer, at bool) string {
	all := map[string]lang.Answer{lang.AnyStep: {}}
	maps.Copy(all, answers)
	traces := set.ExplainWith(e, all)
	var sent []string
	later := map[time.Duration][]string{}
	for i := range traces {
		for a := range traces[i].Sends() {
			name := event.WithoutElement(a.Name)
			if !a.Sent || a.Err != "" || a.Remember != nil || traces[i].Result != rules.Matched {
				continue
			}
			if a.Moment != nil && a.Moment.After(e.ReceivedAt) {
				in := a.Moment.Sub(e.ReceivedAt).Truncate(time.Minute) + 2*time.Minute // at has no fractions of a second
				later[in] = append(later[in], name)
			} else if !slices.Contains(sent, name) {
				sent = append(sent, name)
			}
		}
	}
	var b strings.Builder
	name := cmp.Or(Summary(e.Data()), e.Type)
	fmt.Fprintf(&b, "- name: %s\n", yamlnode.Quote(name+" ("+e.ID.String()+")"))
	if at || len(later) > 0 {
		zone := cmp.Or(set.Location, time.UTC)
		fmt.Fprintf(&b, "  at: %s\n", e.ReceivedAt.In(zone).Format("2006-01-02T15:04:05"))
	}
	fmt.Fprintf(&b, "  event: { source: %s%s, data: %s }\n", e.Source, typeHeaders(e), e.Data())
	if len(answers) > 0 {
		fmt.Fprintf(&b, "  answers: %s\n", answersText(rule, answers))
	}
	fmt.Fprintf(&b, "  expect: [%s]\n", strings.Join(sent, ", "))
	for i, in := range slices.Sorted(maps.Keys(later)) {
		if i == 0 {
			b.WriteString("  later:\n")
		}
		fmt.Fprintf(&b, "    - { in: %dm, expect: [%s] }\n", in/time.Minute, strings.Join(later[in], ", "))
	}
	return b.String()
}

// typeHeaders are the headers of an event that say what type it is of, as some
// senders do.
func typeHeaders(e *event.Event) string {
	var headers []string
	for key, value := range e.Request.Headers {
		if len(value) > 2 && strings.HasPrefix(e.Type, value) {
			headers = append(headers, yamlnode.Quote(key)+": "+yamlnode.Quote(value))
		}
	}
	if len(headers) == 0 {
		return ""
	}
	slices.Sort(headers)
	return ", headers: { " + strings.Join(headers, ", ") + " }"
}

// answersText are answers as a test has them: by the rule and the step.
func answersText(rule string, answers map[string]lang.Answer) string {
	list := make([]string, 0, len(answers))
	for _, step := range slices.Sorted(maps.Keys(answers)) {
		a, name := answers[step], step
		if !strings.Contains(step, "/") {
			name = rule + "/" + step
		}
		switch outputs, err := json.Marshal(a.Outputs); {
		case a.Failed:
			list = append(list, name+": { failed: "+yamlnode.Quote(cmp.Or(a.Error, "failed"))+" }")
		case err == nil:
			list = append(list, name+": { outputs: "+string(outputs)+" }")
		}
	}
	return "{ " + strings.Join(list, ", ") + " }"
}

// with is the rule's text with another condition and other texts, "" where it stays
// as it is, and what of them could not be put into it.
func (c *RuleSettings) with(when string, inputs []TextInput) (text string, byHand []TextInput) {
	if strings.TrimSpace(when) != strings.TrimSpace(c.When) {
		inputs = append([]TextInput{{RuleInput: RuleInput{Name: "when", Text: when}}}, inputs...)
	}
	text = c.Text
	for _, in := range inputs {
		if changed, ok := in.into(text); ok {
			text = changed
		} else {
			byHand = append(byHand, in)
		}
	}
	if text == c.Text {
		text = ""
	}
	return text, byHand
}

// into puts a text into that of a rule, in the place of the one that is there.
func (in *TextInput) into(text string) (changed string, ok bool) {
	root, rule, ok := alone(text)
	if !ok {
		return "", false
	}
	if in.To == "" {
		part := root.Items()[0].Get(in.Name)
		if in.Text != "" || part.IsZero() {
			return root.With(part, in.Text)
		}
		// Without a condition: the lines of it go.
		first, last := part.Lines()
		lines := strings.Split(text, "\n")
		changed = strings.Join(slices.Delete(lines, first-1, last), "\n")
		bare, left, ok := alone(changed)
		return changed, ok && left.When.IsZero() && left.Name.Value == rule.Name.Value && len(left.Then) == len(rule.Then) &&
			len(bare.Items()[0].Fields()) == len(root.Items()[0].Fields())-1
	}
	part := rule.Input(in.To, in.Action, in.Name)
	if part == nil {
		return "", false
	}
	if _, isText := part.Value.Any().(string); !isText {
		return "", false
	}
	return root.With(part.Value, in.Text)
}

// alone reads a rule's text by itself; ok is false where it does not stand alone.
func alone(text string) (root yamlnode.Node, rule *rules.Rule, ok bool) {
	root, list := yamlnode.Parse("rule", []byte(text))
	var decoded []rules.Rule
	if list.Err() == nil {
		list = root.Decode("the file", &decoded)
	}
	if list.Err() != nil || len(decoded) != 1 {
		return root, nil, false
	}
	return root, &decoded[0], true
}

// patch is a unified diff that puts another text of a rule into its file.
func (now *InForce) patch(rule *RuleSettings, text string) string {
	for _, part := range now.RuleText {
		lines := strings.SplitAfter(part.Text, "\n")
		at := rule.Line - part.Line
		if part.File != rule.File || at < 0 || at > len(lines) {
			continue
		}
		rest, found := strings.CutPrefix(strings.Join(lines[at:], ""), rule.Text)
		if !found {
			continue
		}
		was, is := part.Text, strings.Join(lines[:at], "")+text+rest
		if part.Blank {
			was, is = was+"\n", is+"\n"
		}
		unified, err := udiff.ToUnifiedDiff("a/"+rule.File, "b/"+rule.File, was, udiff.Lines(was, is), udiff.DefaultContextLines)
		if err != nil { // edits that come from the text fit it
			return ""
		}
		for _, h := range unified.Hunks {
			h.FromLine += part.Line - 1
			h.ToLine += part.Line - 1
		}
		return unified.String()
	}
	return ""
}
