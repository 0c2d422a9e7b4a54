package rules

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"

	"hookgate/internal/diag"
)

// twice warns of rules, and of actions of one rule, that are the same.
func (l *linter) twice() {
	rules := map[string]int{}
	for i := range l.list {
		if l.doubts[i].any { // it may be meant to be another
			continue
		}
		in, r := &l.list[i], l.set.rules[i]
		parts := []string{sorted(r.from), sorted(r.events), words(in.ForEach.Value), words(in.When.Value)}
		parts = append(parts, l.actionsTwice(in.Then)...)
		for j := range in.Branches {
			parts = append(parts, "\x02", words(in.Branches[j].When.Value))
			parts = append(parts, l.actionsTwice(in.Branches[j].Then)...)
		}
		key := strings.Join(parts, "\x00")
		first, known := rules[key]
		if !known {
			rules[key] = i
			continue
		}
		other := l.list[first].Name
		l.add(in.Name.Diag("duplicate-rule", "take one of them out", "this rule does the same as %q in %s: all is sent twice", other.Value, other.Pos().LineFor(in.Name.Pos())).Weigh(diag.Warning))
	}
}

// actionsTwice warns of actions of one list that are the same, and gives their keys.
func (l *linter) actionsTwice(list []Action) []string {
	keys := make([]string, len(list))
	for i := range list {
		keys[i] = list[i].key()
		if slices.Contains(keys[:i], keys[i]) && list[i].Remember == nil {
			l.add(list[i].To.Diag("duplicate-action", "take one of them out", "the same action stands twice in this rule").Weigh(diag.Warning))
		}
	}
	return keys
}

// key is the same for actions that do the same: all that they say, but for their
// names as steps and the blanks of their conditions.
func (a *Action) key() string {
	says := map[string]any{}
	for _, f := range a.Node.Fields() {
		says[f.Key.Value] = f.Value.Any()
	}
	delete(says, "step")
	says["when"], says["ordering_key"] = words(a.When.Value), words(a.OrderingKey.Value)
	text, err := json.Marshal(says)
	if err != nil { // what YAML holds always has a JSON form, but for .nan and .inf
		return a.Node.Path()
	}
	return string(text)
}

func sorted(names []string) string { return strings.Join(slices.Sorted(slices.Values(names)), "\x01") }

func words(text string) string { return strings.Join(strings.Fields(text), " ") }

// sender is an action that sends to some connection.
type sender struct {
	rule   *rule
	in     *Action
	action *action
}

// overtaking advises an ordering key where two rules send to one connection
// for events of the same origin: without it, what one sends can overtake what
// the other does. It says so once for each such pair of names.
func (l *linter) overtaking() {
	ways, senders := l.ways()
	advised := map[*Action]bool{}
	for _, w := range ways {
		first, other := unordered(senders[w])
		if first == nil || advised[first.in] {
			continue
		}
		advised[first.in] = true
		hint := "ordering_key: what names the thing that the events are about, such as data.id"
		if key := other.in.OrderingKey.Value; key != "" {
			hint = "ordering_key: " + key + ", as there"
		}
		l.add(first.in.To.Diag("no-ordering-key", hint, "%q sends to %s for %s too, and one can overtake the other", other.rule.name, w.to, w.from).Weigh(diag.Advice))
	}
}

// way is that of an origin's events to a connection.
type way struct{ from, to string }

// ways are all that rules send, in the order of the file, and who sends on each.
func (l *linter) ways() (ways []way, senders map[way][]sender) {
	senders = map[way][]sender{}
	for i, r := range l.set.rules {
		if l.doubts[i].any {
			continue
		}
		at := 0
		for _, in := range l.list[i].Actions() {
			a := r.actions[at]
			if at++; a.remember != nil {
				continue
			}
			for _, from := range r.from {
				w := way{from, a.connection}
				if senders[w] == nil {
					ways = append(ways, w)
				}
				senders[w] = append(senders[w], sender{r, in, a})
			}
		}
	}
	return ways, senders
}

// unordered is the first action without a key, and one of another rule that
// some event triggers too.
func unordered(list []sender) (first, other *sender) {
	for i := range list {
		if list[i].action.key != nil {
			continue
		}
		for j := range list {
			if list[j].rule != list[i].rule && overlap(list[i].rule, list[j].rule) {
				return &list[i], &list[j]
			}
		}
	}
	return nil, nil
}

// overlap reports whether some event can make both of them send.
func overlap(a, b *rule) bool {
	if a.events == nil || b.events == nil {
		return true
	}
	return slices.ContainsFunc(a.events, func(t string) bool { return slices.Contains(b.events, t) })
}

// setter is an action that sets fields of a record.
type setter struct {
	rule *rule
	in   *Action
	when string // under which conditions: the rule's, and its own
}

// delayedOrder advises where an action has an ordering key and its moment later: others
// of the key that come meanwhile go before it.
func (l *linter) delayedOrder(in *Action) {
	for _, name := range []string{"delay", "delay_until", "only_during"} {
		if in.Node.Get(name).IsZero() || in.OrderingKey.IsZero() {
			continue
		}
		l.add(in.OrderingKey.Diag("delayed-order", "leave the ordering_key out, or say that it is meant: # "+"hookgate:ignore delayed-order",
			"with %s the delivery takes its place in the order of the key when its moment comes: events that come meanwhile go before it", name).Weigh(diag.Advice))
		return
	}
}

// rememberedTwice warns of two actions that set one field of one record for the
// same events, under the same conditions, to what may be different values: then
// neither is done.
func (l *linter) rememberedTwice() {
	byRecord := map[string][]setter{}
	for i, r := range l.set.rules {
		if l.doubts[i].any || r.forEach != nil || len(r.branches) > 0 {
			continue
		}
		for _, in := range l.list[i].Actions() {
			if in.Remember == nil || in.Remember.Set.IsZero() || in.After != nil { // what comes later is meant to win
				continue
			}
			record := in.Remember.Table.Value + "\x00" + words(in.Remember.Key.Value)
			one := setter{rule: r, in: in, when: words(l.list[i].When.Value) + "\x00" + words(in.When.Value)}
			for _, other := range byRecord[record] {
				l.setTwice(&other, &one)
			}
			byRecord[record] = append(byRecord[record], one)
		}
	}
}

func (l *linter) setTwice(first, second *setter) {
	meets := slices.ContainsFunc(second.rule.from, func(from string) bool { return slices.Contains(first.rule.from, from) })
	types := first.rule.events == nil || second.rule.events == nil ||
		slices.ContainsFunc(second.rule.events, func(typ string) bool { return slices.Contains(first.rule.events, typ) })
	if !meets || !types || first.when != second.when {
		return
	}
	for _, f := range second.in.Remember.Set.Fields() {
		other := first.in.Remember.Set.Get(f.Key.Value)
		if other.IsZero() || reflect.DeepEqual(other.Any(), f.Value.Any()) {
			continue
		}
		l.add(f.Key.Diag("remember-twice", "where the two differ, neither is done: set it in one place", "rule %q sets %q of the same record in %s",
			first.rule.name, f.Key.Value, other.Pos().LineFor(f.Key.Pos())).Weigh(diag.Warning))
	}
}
