package app

import (
	"context"
	"slices"
	"sync"

	"hookgate/app/replay"
	"hookgate/internal/event"
)

// keptRuleSets is how many rule sets that are no longer in force stay compiled.
const keptRuleSets = 8

// ruleSets keeps the stored rule sets, compiled, that were asked for
// last. The zero value is ready for use.
type ruleSets struct {
	mu   sync.Mutex
	kept []compiled // the one asked for last at the end
}

// compiled is a stored rule set; judge is nil where its rules were not kept.
type compiled struct {
	version event.RuleSet
	judge   *replay.Judge
}

func (v *ruleSets) find(plan int64) (compiled, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	i := slices.IndexFunc(v.kept, func(c compiled) bool { return c.version.Plan == plan })
	if i < 0 {
		return compiled{}, false
	}
	found := v.kept[i]
	v.kept = append(slices.Delete(v.kept, i, i+1), found)
	return found, true
}

func (v *ruleSets) keep(c compiled) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if slices.ContainsFunc(v.kept, func(k compiled) bool { return k.version.Plan == c.version.Plan }) {
		return // somebody else asked at the same time
	}
	if len(v.kept) == keptRuleSets {
		v.kept = slices.Delete(v.kept, 0, 1)
	}
	v.kept = append(v.kept, c)
}

// judgeOf gives the stored version with the number, compiled. The version is
// good beside an error too, where it is known at all.
func (a *App) judgeOf(ctx context.Context, plan int64) (*replay.Judge, event.RuleSet, error) {
	if found, ok := a.ruleSets.find(plan); ok {
		return found.judge, found.version, nil
	}
	version, err := a.store.Plan(ctx, plan)
	if err != nil {
		return nil, event.RuleSet{Plan: plan}, err
	}
	judge, err := NewJudge(version.Source, a.plan.Load().Kinds)
	if err != nil {
		return nil, version, err
	}
	version.Source = nil
	a.ruleSets.keep(compiled{version, judge})
	return judge, version, nil
}
