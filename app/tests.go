package app

import (
	"slices"
	"strings"
	"time"

	"hookgate/app/admin"
	"hookgate/app/ruletest"
	"hookgate/internal/diag"
	"hookgate/rules"
)

// RunTests runs the configuration's tests, or those that only says yes to.
// coverage watches what they exercise; nil: nothing does.
func (l *Plan) RunTests(now func() time.Time, only func(*ruletest.Test) bool, coverage *rules.Coverage) []ruletest.Result {
	runner := ruletest.Runner{Plan: &l.Plan, Now: now, Coverage: coverage}
	var tests []*ruletest.Test
	for _, t := range l.Tests {
		if only == nil || only(t) {
			tests = append(tests, t)
		}
	}
	return runner.RunAll(tests)
}

// test runs the configuration's tests and gives those that fail as faults of
// it.
func (a *App) test(loaded *Plan) (admin.Tests, diag.List) {
	results := loaded.RunTests(a.opt.Now, nil, nil)
	var list diag.List
	for _, r := range ruletest.Failed(results) {
		list = append(list, r.Diagnostic())
	}
	return admin.Tests{Total: len(results), Passed: len(results) - len(list), List: ruleTests(results)}, list
}

// ruleTests are what tests came to, as operators see it.
func ruleTests(results []ruletest.Result) []admin.RuleTest {
	list := make([]admin.RuleTest, 0, len(results))
	for _, r := range results {
		t := admin.RuleTest{Name: r.Name, OK: r.OK}
		for _, action := range slices.Concat(r.Expected, r.Got) {
			rule, _, _ := strings.Cut(action, "/")
			if !slices.Contains(t.Rules, rule) {
				t.Rules = append(t.Rules, rule)
			}
		}
		if len(r.Findings) > 0 {
			t.Why = r.Findings[0].String()
		}
		list = append(list, t)
	}
	return list
}

// start makes loaded the configuration in force as the process starts. A test
// that fails is told loudly and refuses nothing: what worked before a restart
// must work after it.
func (a *App) start(loaded *Plan) error {
	tests, failed := a.test(loaded)
	for _, d := range failed {
		a.opt.Logger.Error("a test of the configuration fails; a reload would be refused", "at", d.String(), "test", d.Message, "hint", d.Hint)
	}
	return a.use(loaded, tests)
}
