package app

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"hookgate/app/config"
	"hookgate/app/ruletest"
	"hookgate/connectors/recipe"
	"hookgate/internal/diag"
	"hookgate/internal/event"
	"hookgate/internal/schema"
	"hookgate/internal/yamlnode"
	"hookgate/rules"
)

// Survey tells what the events of a configuration's sources and forms look
// like, documented and seen; false where nobody could look.
type Survey func(ctx context.Context, l *Plan) (map[string]schema.Source, bool)

// Check is Load that compares the rules with the events that were seen, too, and
// runs the configuration's tests: what a reload would refuse is no valid one.
// withoutEnv lets values of the environment be missing, as they are where a
// change is reviewed.
func Check(ctx context.Context, path string, survey Survey, withoutEnv bool) (*Plan, *config.Report, error) {
	doc, report := config.Load(path, config.LookupEnv)
	if withoutEnv {
		report.List = slices.DeleteFunc(report.List, func(d diag.Diagnostic) bool { return d.Code == "env-missing" })
	}
	plan, report, err := check(doc, report, survey.in(ctx))
	if err != nil {
		return plan, report, err
	}
	for _, r := range ruletest.Failed(plan.RunTests(time.Now, nil, nil)) {
		report.Add(diag.List{r.Diagnostic()})
	}
	for _, file := range doc.Recipes {
		_, list, err := RehearseRecipe(ctx, file.Path, file.Content)
		if err != nil {
			report.Add(diag.List{file.Name.Diag("samples-untried", "", "the samples of this recipe were not tried: %s", err).Weigh(diag.Warning)})
		}
		report.Add(slices.DeleteFunc(list, func(d diag.Diagnostic) bool { return d.Code != recipe.CodeSample })) // the rest is said
	}
	return plan, report, nil
}

// RehearseRecipe reads a recipe and tries its samples. It is nil where the list has
// an error about what is written in it.
func RehearseRecipe(ctx context.Context, path string, content []byte) (*recipe.Recipe, diag.List, error) {
	r, list := recipe.Read(path, content)
	if r == nil {
		return nil, config.ExplainSyntax(list, content), nil
	}
	failed, err := r.Rehearse(ctx)
	return r, append(list, failed...), err
}

// TestsFailed counts the errors of a list that are tests that fail, for which a reload
// is refused, and samples of recipes.
func TestsFailed(list diag.List) (tests, samples int) {
	for _, d := range list {
		switch d.Code {
		case ruletest.CodeFailed:
			tests++
		case recipe.CodeSample:
			samples++
		}
	}
	return tests, samples
}

// OnlyTestsFail reports whether the errors of a list are tests and samples that fail:
// the configuration is understood, and does not do what it is to do.
func OnlyTestsFail(list diag.List) bool {
	tests, samples := TestsFailed(list)
	return tests+samples > 0 && tests+samples == list.Count(diag.Error)
}

// in is the survey with its context; nil for none.
func (s Survey) in(ctx context.Context) func(*Plan) (map[string]schema.Source, bool) {
	if s == nil {
		return nil
	}
	return func(l *Plan) (map[string]schema.Source, bool) { return s(ctx, l) }
}

// check compiles a document and says what can be known of it: beside errors,
// too, as far as it does not follow from them.
func check(doc *config.Config, report *config.Report, survey func(*Plan) (map[string]schema.Source, bool)) (*Plan, *config.Report, error) {
	if doc == nil {
		report.Silence(config.Silenceable()...) // the rules were not looked at
		return nil, report, report.Err()
	}
	l := compile(doc, report)
	l.withoutSecrets()
	known, looked := l.Origins(), false
	if survey != nil && !l.storageFaulty(report.List) {
		if seen, ok := survey(l); ok {
			looked = true
			maps.Copy(known, seen)
		}
	}
	report.Add(l.lint(known, report.List))
	report.Add(ruletest.MissingFiles(l.Tests))
	report.Add(doc.HolidaysEnd(time.Now()))
	switch {
	case brokenBeyondEnv(report.List):
		report.Silence(config.Silenceable()...) // what an error hides may be what a comment ignores
	case looked:
		report.Silence()
	default:
		report.Silence("unseen-field", "unseen-value", "type-mismatch", "may-be-missing", "for-each-size")
	}
	if err := report.Err(); err != nil {
		return nil, report, err
	}
	l.Findings = report.List
	return l, report, nil
}

// storageFaulty reports an error about where the data is: a database that was
// read wrongly is not to be asked, and no part of a broken address is to reach
// a name server or a message.
func (l *Plan) storageFaulty(list diag.List) bool {
	return slices.ContainsFunc(list, func(d diag.Diagnostic) bool {
		return d.Severity == diag.Error && (d.Path == "storage" || strings.HasPrefix(d.Path, "storage."))
	})
}

// lint looks for what is valid and can yet hardly be meant. faults are the
// errors that were found before.
func (l *Plan) lint(known rules.Known, faults diag.List) diag.List {
	if len(l.Config.Rules) == 0 {
		return nil // a beginning: what is there is for the rules to come
	}
	list := rules.Lint(l.Config.Rules, l.Rules, l.origins, known, faults)
	listened, sentTo := map[string]bool{}, map[string]bool{}
	for i := range l.Config.Rules {
		for _, from := range l.Config.Rules[i].From {
			listened[from.Value] = true
		}
		for _, action := range l.Config.Rules[i].Actions() {
			sentTo[action.To.Value] = true
		}
	}
	for _, e := range l.Config.Forms {
		sendsTo(e.Node, sentTo)
	}
	if !hides(faults, "from") {
		list = append(list, warnUnused(l.Config.Sources, listened, "unused-source", "no rule listens to the source %q: its events are kept, and nothing is done")...)
		list = append(list, warnUnused(l.Config.Forms, listened, "unused-form", "no rule listens to the form %q: its posts are kept, and nobody is told")...)
	}
	list = append(list, l.noAlerts(faults)...)
	list = append(list, l.clockChanges(time.Now())...)
	list = append(list, l.lateFallbacks()...)
	list = append(list, l.outlivesRetention()...)
	list = append(list, l.reservedInputs()...)
	if hides(faults, "to", "then", "autoreply") {
		return list
	}
	var connections []config.Entry
	for _, c := range l.Config.Connections {
		connections = append(connections, config.Entry{Name: c.Name, Node: c.Node})
	}
	return append(list, warnUnused(connections, sentTo, "unused-connection", "nothing is sent to the connection %q")...)
}

// noAlerts advises to be told of what fails for good: who finds that out alone
// finds it out late. It stands at the first rule. A single rule is a beginning,
// and where there are errors there is something else to do.
func (l *Plan) noAlerts(faults diag.List) diag.List {
	if len(l.Config.Rules) < 2 || brokenBeyondEnv(faults) || l.Rules.Listens(event.Own, event.DeliveryFailed) {
		return nil
	}
	return diag.List{l.Config.Rules[0].Name.Diag("no-alerts",
		`add { name: alarm, from: hookgate, events: delivery_failed, then: [{ to: …, text: "${{ data.text }}" }] }`,
		"nobody is told when a delivery fails for good").Weigh(diag.Advice)}
}

// clockChanges advises of schedules at times that changes of the clocks leave
// out or repeat within a year.
func (l *Plan) clockChanges(now time.Time) diag.List {
	var list diag.List
	for _, e := range l.Config.Sources {
		src := l.Sources[e.Name.Value]
		if src == nil || src.Schedule() == nil {
			continue
		}
		s := src.Schedule()
		var parts []string
		for _, shift := range s.Cron.Shifts(now, now.AddDate(1, 0, 0), s.Location) {
			day, at := shift.Wall.Format("2 January 2006"), shift.Wall.Format("15:04")
			if shift.Twice {
				parts = append(parts, fmt.Sprintf("on %s %s comes twice, and the first time counts", day, at))
			} else {
				parts = append(parts, fmt.Sprintf("on %s there is no %s, and it comes at %s", day, at, shift.At.Format("15:04")))
			}
		}
		if len(parts) > 0 {
			list = append(list, e.Node.Get("cron").Diag("dst", "take another hour, or say that it is meant: # "+"hookgate:ignore dst", "clocks are changed at this time: %s",
				strings.Join(parts, "; ")).Weigh(diag.Advice))
		}
	}
	return list
}

// lateAfter is how long a fallback may wait for the last retry without a word.
const lateAfter = time.Hour

// lateFallbacks advises of what comes after a failure that is only known long after:
// a connection has failed for good when its last retry has.
func (l *Plan) lateFallbacks() diag.List {
	retries := map[string]time.Duration{}
	for _, c := range l.connections {
		p := policy(c.Retry)
		if retries[c.Name.Value] = p.For; p.For == 0 {
			for _, d := range p.Delays {
				retries[c.Name.Value] += d
			}
		}
	}
	var list diag.List
	for i := range l.Config.Rules {
		to := map[string]string{}
		for _, a := range l.Config.Rules[i].Actions() {
			to[a.Step.Value] = a.To.Value
		}
		for _, a := range l.Config.Rules[i].Actions() {
			for _, p := range a.After {
				if wait := retries[to[p.Step.Value]]; p.End == rules.WhenFailed && wait > lateAfter {
					list = append(list, p.Step.Diag("late-fallback", "send "+p.Step.Value+" over a connection of its own, with retry: { delays: [10s, 1m] }",
						"%s has failed after its last retry: with those of %s that is after %s", p.Step.Value, to[p.Step.Value], wait.Round(time.Minute)).Weigh(diag.Advice))
				}
			}
		}
	}
	return list
}

// outlivesRetention warns of what is sent so long after its event that the event is
// kept longer than retention says.
func (l *Plan) outlivesRetention() diag.List {
	var list diag.List
	for i := range l.Config.Rules {
		r := &l.Config.Rules[i]
		kept, key := l.shortestKept(r)
		for _, a := range r.Actions() {
			late, at := latest(a)
			if late <= kept || kept == 0 {
				continue
			}
			list = append(list, at.Diag("outlives-retention", "keep the events so long: retention: { "+key+": "+days(late)+" }",
				"it is sent up to %s after its event, and retention keeps events for %s: an event that waits is kept longer", days(late), days(kept)).Weigh(diag.Warning))
		}
	}
	return list
}

// shortestKept is how long the events of a rule are kept at least, and the key of
// retention that says so.
func (l *Plan) shortestKept(r *rules.Rule) (kept time.Duration, key string) {
	for _, from := range r.From {
		one, of := l.Config.Retention.Events, "events"
		if l.Forms[from.Value] != nil {
			one, of = l.Config.Retention.Submissions, "submissions"
		}
		if kept == 0 || one < kept {
			kept, key = one, of
		}
	}
	return kept, key
}

// latest is how long after its event an action is sent by what the configuration says
// alone, and where that stands.
func latest(a *rules.Action) (time.Duration, yamlnode.Node) {
	if a.Digest != nil {
		wait := a.Digest.Wait
		if a.Digest.Quiet > 0 {
			wait = max(a.Digest.Quiet, a.Digest.MaxWait)
		}
		return wait, a.Node.Get("digest")
	}
	d, err := rules.ParseDelay(a.Delay.Value)
	if a.Delay.IsZero() || err != nil {
		return 0, a.Node
	}
	return time.Duration(d.Days)*24*time.Hour + d.Elapsed, a.Node.Get("delay")
}

// days are a time for people who think in days.
func days(d time.Duration) string {
	if d%(24*time.Hour) == 0 {
		return fmt.Sprintf("%dd", d/(24*time.Hour))
	}
	return d.String()
}

// reservedInputs warns of recipes whose inputs have the names of an action's own keys:
// beside them, what is written there is the key.
func (l *Plan) reservedInputs() diag.List {
	keys := rules.ActionKeys()
	var list diag.List
	for _, c := range l.connections {
		for _, in := range c.kind.Action.Inputs {
			if slices.Contains(keys, in.Name) {
				list = append(list, c.Type.Diag("reserved-input", "give the input another name in the recipe, or write it below the name of its action",
					"%s has an input %q: beside an action's keys that is the key %s of hookgate", c.kind.Name, in.Name, in.Name).Weigh(diag.Warning))
			}
		}
	}
	return list
}

// sendsTo finds the connections that a form names itself, as its autoreply does.
func sendsTo(n yamlnode.Node, into map[string]bool) {
	for _, f := range n.Fields() {
		if f.Key.Value == "to" {
			into[f.Value.Text().Value] = true
		}
		sendsTo(f.Value, into)
	}
	for _, item := range n.Items() {
		sendsTo(item, into)
	}
}

func warnUnused(entries []config.Entry, used map[string]bool, code, format string) diag.List {
	var list diag.List
	for _, e := range entries {
		if !used[e.Name.Value] {
			hint := "take it out, or say that it is meant: # " + "hookgate:ignore " + code
			list = append(list, e.Name.Diag(code, hint, format, e.Name.Value).Weigh(diag.Warning))
		}
	}
	return list
}

// Seen is the Survey of the database, for commands that run beside no server.
// The error says why there was none to look into.
func Seen(ctx context.Context, l *Plan) (map[string]schema.Source, bool, error) {
	names := slices.Sorted(maps.Keys(l.Origins()))
	seen, err := l.Survey(ctx, names...)
	return seen, err == nil && slices.ContainsFunc(names, func(n string) bool { o := seen[n]; return o.Events() > 0 }), err
}

// brokenBeyondEnv reports an error that is more than a value of the
// environment that is missing, as they are in a pipeline.
func brokenBeyondEnv(list diag.List) bool {
	return slices.ContainsFunc(list, func(d diag.Diagnostic) bool { return d.Severity == diag.Error && d.Code != "env-missing" })
}

// hides reports whether an error may keep a name from being read that stands
// under one of the keys in some rule or form: then nothing that has a name can
// be called unused.
func hides(faults diag.List, keys ...string) bool {
	return slices.ContainsFunc(faults, func(d diag.Diagnostic) bool {
		if d.Severity != diag.Error || !strings.HasPrefix(d.Path, "rules") && !strings.HasPrefix(d.Path, "forms") {
			return false
		}
		switch d.Code {
		case "unknown-key":
			return d.Key == "" || slices.Contains(keys, d.Key)
		case "missing-key":
			return slices.Contains(keys, d.Key)
		}
		last := d.Path[strings.LastIndexByte(d.Path, '.')+1:]
		last, _, _ = strings.Cut(last, "[")
		return last == "rules" || slices.Contains(keys, last)
	})
}
