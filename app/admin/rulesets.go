package admin

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"

	"hookgate/app/ingest"
	"hookgate/internal/event"
)

// ErrNoSource reports a version of the configuration that was stored before
// what its rules are compiled from was kept.
var ErrNoSource = errors.New("this version of the configuration was stored by an older hookgate, without its rules")

// keptRuleSets is how many rule sets that are no longer in force stay compiled.
const keptRuleSets = 8

// ruleSets keeps the stored rule sets, compiled, that were asked for
// last. The zero value is ready for use.
type ruleSets struct {
	mu   sync.Mutex
	kept []compiled // the one asked for last at the end
}

// compiled is a stored rule set; rules is nil where its rules were not kept.
type compiled struct {
	ruleSet event.RuleSet
	rules   *ingest.RuleSet
}

func (v *ruleSets) find(plan int64) (compiled, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	i := slices.IndexFunc(v.kept, func(c compiled) bool { return c.ruleSet.Plan == plan })
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
	if slices.ContainsFunc(v.kept, func(k compiled) bool { return k.ruleSet.Plan == c.ruleSet.Plan }) {
		return // somebody else asked at the same time
	}
	if len(v.kept) == keptRuleSets {
		v.kept = slices.Delete(v.kept, 0, 1)
	}
	v.kept = append(v.kept, c)
}

// ruleSet gives the stored version with the number, compiled. The version is
// good beside an error too, where it is known at all.
func (s *Service) ruleSet(ctx context.Context, plan int64) (*ingest.RuleSet, event.RuleSet, error) {
	if found, ok := s.ruleSets.find(plan); ok {
		return found.rules, found.ruleSet, nil
	}
	version, err := s.store.Plan(ctx, plan)
	if err != nil {
		return nil, event.RuleSet{Plan: plan}, err
	}
	set, err := s.inForce().Compile(version.Whole())
	if err != nil {
		return nil, version, err
	}
	version.Source, version.Parts = nil, nil
	s.ruleSets.keep(compiled{version, set})
	return set, version, nil
}

// RuleSet gives the stored version of the rules with the number, compiled.
func (s *Service) RuleSet(ctx context.Context, plan int64) (*ingest.RuleSet, error) {
	set, _, err := s.ruleSet(ctx, plan)
	return set, err
}

// configOf is the hash of the file that a version is from.
func configOf(v event.RuleSet) string {
	hash, _, _ := strings.Cut(v.Hash, "-")
	return hash
}
