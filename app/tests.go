package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"hookgate/app/admin"
	"hookgate/app/ruletest"
	"hookgate/connectors"
	"hookgate/internal/diag"
	"hookgate/internal/egress"
	"hookgate/internal/event"
	"hookgate/rules"
	"hookgate/rules/lang"
)

// RunTests runs the configuration's tests, or those that only says yes to.
// coverage watches what they exercise; nil: nothing does.
func (l *Plan) RunTests(now func() time.Time, only func(*ruletest.Test) bool, coverage *rules.Coverage) []ruletest.Result {
	runner := ruletest.Runner{Plan: &l.Plan, Now: now, Coverage: coverage, Judge: l.judge}
	var tests []*ruletest.Test
	for _, t := range l.Tests {
		if only == nil || only(t) {
			tests = append(tests, t)
		}
	}
	return runner.RunAll(tests)
}

// judge has a connection judge what its receiver answers to an attempt in a test.
func (l *Plan) judge(d *event.Delivery, a lang.HTTPAnswer, tries int, age time.Duration) (receipt event.Receipt, wait time.Duration, err error) {
	i := slices.IndexFunc(l.connections, func(c kindOf) bool { return c.Name.Value == d.Connection })
	if i < 0 { // it has an error, which is told
		return receipt, 0, fmt.Errorf("%w: there is no connection %s", ruletest.ErrNoJudge, d.Connection)
	}
	c := &l.connections[i]
	made, faults := c.kind.New(c.Node, connectors.Deps{Egress: egress.New(egress.Config{AllowPrivate: l.Config.Outbound.AllowPrivate}), Timeout: c.Timeout})
	if err := faults.Err(); err != nil {
		return receipt, 0, fmt.Errorf("%w by %s: %w", ruletest.ErrNoJudge, d.Connection, err)
	}
	if closer, ok := made.(io.Closer); ok {
		defer func() { _ = closer.Close() }()
	}
	judge, ok := made.(connectors.Judge)
	if !ok {
		return receipt, 0, fmt.Errorf("%w: %s is not answered by HTTP, write { outputs: … } or { failed: … }", ruletest.ErrNoJudge, d.Connection)
	}
	header := http.Header{}
	for name, value := range a.Headers {
		header.Set(name, value)
	}
	receipt, err = judge.Judge(*d, connectors.Answer{Status: a.Status, Header: header, Body: a.Body})
	if err == nil || connectors.IsPermanent(err) {
		return receipt, 0, err
	}
	var after time.Duration
	if e, ok := errors.AsType[*connectors.Error](err); ok {
		after = e.After
	}
	if next, again := policy(c.Retry).Next(tries, age, after, middle); again {
		wait = max(next, time.Nanosecond)
	}
	return receipt, wait, err
}

// middle is the random number by which a delay is as it is written.
const middle = 0.5

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
	if err := a.awaitOlder(context.Background(), loaded); err != nil {
		return err
	}
	return a.use(loaded, tests)
}
