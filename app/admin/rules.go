package admin

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"hookgate/db"
	"hookgate/internal/diag"
	"hookgate/internal/event"
	"hookgate/internal/memo"
	"hookgate/rules"
	"hookgate/rules/lang"
)

// RuleSettings is a rule as it stands in the configuration.
type RuleSettings struct {
	Name    string   `json:"name"`
	From    []string `json:"from"`
	Events  []string `json:"events,omitempty"` // none: all
	ForEach string   `json:"for_each,omitempty"`
	When    string   `json:"when,omitempty"`
	// Branches are those of the rule, in their order.
	Branches []RuleBranch `json:"branches,omitempty"`
	Actions  []RuleAction `json:"then"`
	// Remembers are the records that it writes, and Lookups the kept tables that
	// it reads.
	Remembers []RuleRemember `json:"remember,omitempty"`
	Lookups   []string       `json:"lookups,omitempty"`
	Text      string         `json:"text"` // its lines of the file
	File      string         `json:"file"` // where they stand: its path from the folder of the configuration
	Line      int            `json:"line"` // where they begin
	// Findings are what check says of it that refuses nothing.
	Findings diag.List `json:"findings,omitempty"`
}

// RuleBranch is a branch of a rule.
type RuleBranch struct {
	Name string `json:"name"`
	When string `json:"when,omitempty"` // "": it is taken where no other is
}

// RuleAction is one thing that a rule sends.
type RuleAction struct {
	Branch string `json:"branch,omitempty"` // "": whenever the rule matches
	To     string `json:"to"`
	Action int    `json:"action"` // the rule's so many-th to this connection, from 1
	When   string `json:"when,omitempty"`
	Key    string `json:"ordering_key,omitempty"`
	// Step is what others of the rule call it, and After says in words what it
	// comes after.
	Step  string `json:"step,omitempty"`
	After string `json:"after,omitempty"`
	// What moves its moment, as it stands in the file.
	Delay      string        `json:"delay,omitempty"`
	DelayUntil string        `json:"delay_until,omitempty"`
	OnlyDuring string        `json:"only_during,omitempty"`
	Throttle   *RuleThrottle `json:"throttle,omitempty"`
	Digest     *RuleDigest   `json:"digest,omitempty"` // nil: each event is sent by itself
	Inputs     []RuleInput   `json:"inputs,omitempty"` // those that are texts
}

// RuleThrottle is how many deliveries of an action may go.
type RuleThrottle struct {
	Times  int    `json:"times"`
	Within string `json:"within"`        // 30 d
	Key    string `json:"key,omitempty"` // "": all of them together
}

// RuleDigest is how an action gathers events, to send one delivery for all of them.
type RuleDigest struct {
	By  string `json:"closes_by"`     // in words, as Digest has it
	Max int    `json:"max"`           // it closes with so many
	Key string `json:"key,omitempty"` // what is gathered apart; "": all of them together
}

// RuleRemember is a record that a rule writes.
type RuleRemember struct {
	Branch string `json:"branch,omitempty"`
	Table  string `json:"table"`
	Key    string `json:"key"`
	When   string `json:"when,omitempty"`
	Add    bool   `json:"add,omitempty"`   // it adds to numbers; else it sets fields
	After  string `json:"after,omitempty"` // what it comes after, in words; "": it is written with the event
}

// RuleInput is a text that an action sends, with its ${{ }}.
type RuleInput struct {
	Name string `json:"name"`
	Text string `json:"text"`
}

// Targets are the connections that the rule sends to, each once.
func (r *RuleSettings) Targets() []string {
	var list []string
	for i := range r.Actions {
		if !slices.Contains(list, r.Actions[i].To) {
			list = append(list, r.Actions[i].To)
		}
	}
	return list
}

// Tables are the kept tables that the rule writes, each once.
func (r *RuleSettings) Tables() []string {
	var list []string
	for _, m := range r.Remembers {
		if !slices.Contains(list, m.Table) {
			list = append(list, m.Table)
		}
	}
	return list
}

// Uses tells whether the rule looks up a kept table, or writes it.
func (r *RuleSettings) Uses(table string) bool {
	return slices.Contains(r.Lookups, table) || slices.Contains(r.Tables(), table)
}

// RuleTest is a test of the configuration, and what it came to when that was
// loaded.
type RuleTest struct {
	Name  string   `json:"name"`
	OK    bool     `json:"ok"`
	Why   string   `json:"why,omitempty"` // it fails
	Rules []string `json:"-"`             // whose deliveries it expects or got
}

// Rule is a rule in force, with what it does to what comes in.
type Rule struct {
	RuleSettings
	Tests []RuleTest `json:"tests"`
	// Matches counts the events that it matches, of those looked through; Days
	// the same by day, the oldest first. Errors are those that it cannot judge.
	Matches int   `json:"matches"`
	Days    []int `json:"days"`
	Errors  int   `json:"errors,omitempty"`
	// Origins counts what it matches by source or form, and Sent what it sends by
	// connection.
	Origins map[string]int `json:"origins"`
	Sent    map[string]int `json:"sent"`
	// Near counts the events that missed it by one part of its condition alone;
	// NearMisses tells which parts, the most frequent first.
	Near       int        `json:"near"`
	NearMisses []NearMiss `json:"near_misses,omitempty"`
}

// NearMiss are events that missed a rule by the same part of its condition, with
// the same value.
type NearMiss struct {
	Part  string `json:"part"`
	Note  string `json:"note,omitempty"` // what was compared: it is "Publish"
	Count int    `json:"count"`
	// Event is the newest of them.
	Event   event.ID  `json:"event"`
	Time    time.Time `json:"time"`
	Summary string    `json:"summary,omitempty"`
	// When is the rule's condition as it would match these, too; "" where there is
	// no simple way.
	When string `json:"when,omitempty"`
}

// RuleList are the rules in force, judged by what came in.
type RuleList struct {
	Items  []Rule    `json:"items"`
	Config string    `json:"config"`
	Since  time.Time `json:"since"`  // from when on events were looked through
	Looked int       `json:"looked"` // how many
	// Stopped: there are more events in the time than were looked through.
	Stopped bool  `json:"stopped,omitempty"`
	Tests   Tests `json:"tests"`
	// Replies are what forms answer themselves, without a rule.
	Replies []Reply `json:"replies,omitempty"`
	// Clocked are the sources of which the clock makes events, and Manual those
	// that only operators send.
	Clocked map[string]*Schedule `json:"clocked,omitempty"`
	Manual  []string             `json:"manual,omitempty"`
}

// Reply is a form that answers itself, and the connection that it does so by.
type Reply struct {
	Form string `json:"form"`
	To   string `json:"to"`
}

const (
	// surveyDays is how far back rules are judged, and surveyEvents and
	// surveyTime bound it.
	surveyDays   = 30
	surveyEvents = 20_000
	surveyTime   = time.Second
	// told bounds the near misses of a rule that are told apart, kept those that
	// are shown.
	told, kept = 500, 3
)

// RuleSettings are what the rules in force say.
func (s *Service) RuleSettings() []RuleSettings { return s.inForce().Rules }

// Uses are where the rules in force read the data of such events.
func (s *Service) Uses(source, typ string) []rules.Use {
	return s.inForce().Plan.Rules.Uses(source, typ)
}

// Rules lists the rules in force: how often each matches, which events missed
// it by one part of its condition, and what its tests came to. Nothing is sent.
func (s *Service) Rules(ctx context.Context) (RuleList, error) {
	now := s.inForce()
	found, err := s.survey(ctx, now)
	if err != nil {
		return RuleList{}, err
	}
	out := RuleList{Items: []Rule{}, Config: now.Plan.Hash, Since: found.since.UTC(), Looked: found.looked, Stopped: found.stopped, Tests: now.Tests, Replies: now.Replies}
	for i := range now.Rules {
		rule := Rule{RuleSettings: now.Rules[i], Tests: []RuleTest{}, Days: make([]int, surveyDays)}
		for _, t := range now.Tests.List {
			if slices.Contains(t.Rules, rule.Name) {
				rule.Tests = append(rule.Tests, t)
			}
		}
		if at := slices.Index(now.Plan.Rules.Names(), rule.Name); at >= 0 {
			found.rules[at].tell(&rule)
		}
		out.Items = append(out.Items, rule)
	}
	s.tellSources(&out, now)
	return out, nil
}

// tellSources says of the sources that nobody posts to where their events come from.
func (s *Service) tellSources(out *RuleList, now *InForce) {
	for _, name := range now.Sources {
		switch src := now.Plan.Sources[name]; {
		case src == nil || src.Posted():
		case src.Schedule() != nil:
			if out.Clocked == nil {
				out.Clocked = map[string]*Schedule{}
			}
			out.Clocked[name] = NewSchedule(src.Schedule(), s.opt.Now())
		default:
			out.Manual = append(out.Manual, name)
		}
	}
}

// survey is what came of judging events by the rules in force.
type survey struct {
	at      time.Time // when it was begun
	since   time.Time
	oldest  time.Time // when the last event that was looked at came in
	looked  int
	stopped bool
	rules   []ruleUse // in the order of the set
}

// ruleUse is what a rule did with the events of a survey.
type ruleUse struct {
	days                  [surveyDays]int
	matches, errors, near int
	misses                map[[2]string]*NearMiss // by part and note: the newest told
	oldest                time.Time               // when the last of them came in
	origins, sent         map[string]int
}

func (u *ruleUse) tell(r *Rule) {
	r.Matches, r.Errors, r.Near = u.matches, u.errors, u.near
	copy(r.Days, u.days[:])
	r.Origins, r.Sent = u.origins, u.sent
	for _, m := range u.misses {
		r.NearMisses = append(r.NearMisses, *m)
	}
	slices.SortFunc(r.NearMisses, func(a, b NearMiss) int { return cmp.Or(b.Count-a.Count, cmp.Compare(b.Event, a.Event)) })
	r.NearMisses = r.NearMisses[:min(len(r.NearMisses), kept)]
	for i := range r.NearMisses {
		r.NearMisses[i].When = widened(r.When, r.NearMisses[i].Part, r.NearMisses[i].Note)
	}
}

// Alike tells of the events that missed a rule by one part of its condition, how many did
// so by the same part with the same value.
type Alike struct {
	Rule     string
	NearMiss           // Part and Note as they were asked for; Count 0 and no Event: none missed it so
	Near     int       // by whatever part alone
	Since    time.Time // of these, from when on
	Whole    bool      // that is all of the time that is looked through
	At       time.Time // when they were looked through: what came since is not among them
}

// Alike looks for the events that missed a rule in force by a part of its condition that
// has the text, with the note that says what was compared.
func (s *Service) Alike(ctx context.Context, rule, part, note string) (Alike, error) {
	now := s.inForce()
	names := now.Plan.Rules.Names()
	at := slices.Index(names, rule)
	if at < 0 {
		return Alike{}, notCalled("rule in force", rule, names)
	}
	found, err := s.survey(ctx, now)
	if err != nil {
		return Alike{}, err
	}
	use := &found.rules[at]
	out := Alike{Rule: rule, NearMiss: NearMiss{Part: part, Note: note}, Near: min(use.near, told), At: found.at}
	out.Since, out.Whole = found.toldSince(use)
	if m := use.misses[[2]string{part, note}]; m != nil {
		out.NearMiss = *m
		if i := slices.IndexFunc(now.Rules, func(r RuleSettings) bool { return r.Name == rule }); i >= 0 {
			out.When = widened(now.Rules[i].When, part, note)
		}
	}
	return out, nil
}

// toldSince is from when on the near misses of a rule are told apart: that of all that
// there is, where whole, else of the last event that was looked at, or told apart.
func (v *survey) toldSince(use *ruleUse) (since time.Time, whole bool) {
	switch {
	case use.near > told:
		return use.oldest, false
	case v.stopped:
		return v.oldest, false
	}
	return v.since.UTC(), true
}

// survey judges the newest events by the rules in force, or has done so lately.
func (s *Service) survey(ctx context.Context, now *InForce) (*survey, error) {
	return s.surveys.Get(ctx, now.Plan.ID, func(ctx context.Context) (*survey, error) { return s.look(ctx, now) })
}

// look judges events, the newest first, until there are no more of the time or
// the bounds are reached.
func (s *Service) look(ctx context.Context, now *InForce) (*survey, error) {
	clock := s.opt.Now().UTC()
	if now.Plan.Location != nil {
		clock = clock.In(now.Plan.Location)
	}
	midnight := time.Date(clock.Year(), clock.Month(), clock.Day(), 0, 0, 0, 0, clock.Location())
	out := &survey{
		at: clock.UTC(), since: midnight.AddDate(0, 0, 1-surveyDays), rules: make([]ruleUse, len(now.Plan.Rules.Names())),
	}
	for i := range out.rules {
		out.rules[i].origins, out.rules[i].sent = map[string]int{}, map[string]int{}
	}
	began, worked := time.Now(), time.Duration(0)
	err := s.store.Scan(ctx, event.Filter{States: event.JudgedStates(), Since: out.since}, func(e *event.Event) error {
		if out.looked%50 == 49 {
			part := time.Since(began)
			worked += part
			memo.Rest(ctx, part)
			began = time.Now()
		}
		if out.looked == surveyEvents || worked > surveyTime {
			out.stopped = true
			return db.ErrStop
		}
		out.looked++
		out.oldest = e.ReceivedAt.UTC()
		out.add(now, e, midnight)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("judge what came in by the rules: %w", err)
	}
	return out, nil
}

// add judges one event; today began at midnight.
func (v *survey) add(now *InForce, e *event.Event, midnight time.Time) {
	day := surveyDays - 1
	for start := midnight; e.ReceivedAt.Before(start) && day > 0; day-- {
		start = start.AddDate(0, 0, -1)
	}
	out, err := now.Plan.DecideNear(e, func(rule int, part func() lang.Part) {
		use := &v.rules[rule]
		if use.near++; use.near <= told {
			use.miss(e, part())
		}
	})
	if err != nil { // it has no data: no rule can tell anything of it
		return
	}
	for i, result := range out.Results {
		switch event.Result(result) {
		case event.Matched:
			v.rules[i].matches++
			v.rules[i].origins[e.Source]++
			v.rules[i].days[day]++
		case event.RuleFailed:
			v.rules[i].errors++
		case event.NotMatched, event.Skipped:
		}
	}
	names := now.Plan.Rules.Names()
	for i := range out.Deliveries {
		if at := slices.Index(names, out.Deliveries[i].Rule); at >= 0 && !out.Deliveries[i].Later {
			v.rules[at].sent[out.Deliveries[i].Connection]++
		}
	}
}

func (u *ruleUse) miss(e *event.Event, part lang.Part) {
	if u.oldest = e.ReceivedAt.UTC(); u.misses == nil {
		u.misses = map[[2]string]*NearMiss{}
	}
	key := [2]string{part.Text, part.Note}
	if u.misses[key] == nil { // the newest comes first
		u.misses[key] = &NearMiss{Part: part.Text, Note: part.Note, Event: e.ID, Time: e.ReceivedAt.UTC(), Summary: Summary(e.Data())}
	}
	u.misses[key].Count++
}

// widened is a condition in which a comparison with a text takes another one,
// too: == becomes in, and a list gets longer. "" where the part is no such
// comparison, or stands there twice.
func widened(when, part, note string) string {
	value, compared := strings.CutPrefix(note, "it is ")
	if !compared || !strings.HasPrefix(value, `"`) || strings.HasSuffix(value, "…") || strings.Count(when, part) != 1 {
		return ""
	}
	var wider string
	switch left, right, equals := strings.Cut(part, " == "); {
	case equals && strings.HasPrefix(right, `"`) && strings.HasSuffix(right, `"`):
		wider = left + " in [" + right + ", " + value + "]"
	case strings.HasSuffix(part, "]") && strings.Contains(part, " in [") && !strings.Contains(part, " not in "):
		wider = strings.TrimSuffix(part, "]") + ", " + value + "]"
	default:
		return ""
	}
	return strings.Replace(when, part, wider, 1)
}
