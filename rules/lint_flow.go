package rules

import (
	"fmt"
	"slices"
	"strings"

	"hookgate/internal/diag"
	"hookgate/internal/schema"
	"hookgate/rules/lang"
)

// elements warns of a list of which an event had so many items that the rule, with
// for_each over it, makes more deliveries of such an event than it may. It judges lists
// that stand in the event, and actions that are sent for each item.
func (l *linter) elements(in *Rule, r *rule, a *lang.Analysis, to audience) {
	each := r.certain()
	if each == 0 || len(a.Reads) != 1 || a.Reads[0].Root != "data" || in.When.Value != "" && ofElement(in.When.Value) {
		return
	}
	read := &a.Reads[0]
	whole := strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(in.ForEach.Value), "?? []"))
	if whole != read.Place.Text() {
		return
	}
	most := MaxElements / each
	times, longest := 0, 0
	for i := range to.views {
		f := to.views[i].seen.Find(read.Keys())
		if f == nil {
			continue
		}
		for _, n := range f.Lengths {
			if longest = max(longest, n); n > most {
				times++
			}
		}
	}
	if times == 0 {
		return
	}
	n, names := to.events()
	count := fmt.Sprint(times)
	if times >= schema.MaxLengths {
		count += " or more"
	}
	l.add(read.Place.Warn("for-each-size", "have the sender send less at a time, or take a part: for_each: "+whole+fmt.Sprintf("[:%d]", most),
		"%s of the last %d %s events had more than %d items in %s, up to %d: of such an event nothing is sent, for it makes %d deliveries at most",
		count, n, names, most, schema.Path(read.Keys()), longest, MaxElements))
}

// ofElement reports whether a condition may be about the element.
func ofElement(expression string) bool {
	return strings.Contains(expression, "item") || strings.Contains(expression, "index")
}

// certain is how many deliveries the rule makes of each element that its condition
// lets through, at least.
func (r *rule) certain() int {
	if r.chain != nil {
		return len(r.chain.order) // ids are reserved for all of them
	}
	count := func(sends []*action) (n int) {
		for _, a := range sends {
			if a.when == nil && a.remember == nil {
				n++
			}
		}
		return n
	}
	least := count(r.then)
	if len(r.branches) > 0 && len(r.then) == 0 && r.branches[len(r.branches)-1].when == nil {
		least = count(r.branches[0].sends)
		for _, b := range r.branches {
			least = min(least, count(b.sends))
		}
	}
	return least
}

// outputs warns of what is read of a step's outputs where they can be null: where the
// step need not have been delivered. Who looks at the outputs themselves, in the same
// expression or in the action's condition, reckons with it.
func (l *linter) outputs(a *action, when, of *lang.Analysis) {
	for i := range of.Outputs {
		r := &of.Outputs[i]
		name := r.Steps[0].Key
		if len(r.Steps) < 2 || a.surely(name) || looksAt(when, name) || looksAt(of, name) {
			continue
		}
		text := r.Place.Text()
		base := lang.OutputsName + "." + name
		l.add(r.Place.Warn("may-be-missing", "write "+strings.Replace(text, base+".", base+"?.", 1)+", which is null then",
			"%s is null unless %s was delivered, and this comes %s", base, name, a.words))
	}
}

// looksAt reports whether an expression asks for the outputs of a step as a whole.
func looksAt(a *lang.Analysis, name string) bool {
	return a != nil && slices.ContainsFunc(a.Outputs, func(r lang.Read) bool { return len(r.Steps) == 1 && r.Steps[0].Key == name })
}

// surely reports whether the step was delivered wherever it is the action's turn.
func (a *action) surely(name string) bool {
	return slices.ContainsFunc(a.after, func(n need) bool {
		return n.end == WhenDelivered && n.of.step == name || n.end != WhenEnded && n.of.surely(name)
	})
}

// columns warns of columns of kept tables that no rule writes. A table that no rule
// writes is filled by hand, and where a rule has an error it may be the one that does.
func (l *linter) columns(a *lang.Analysis) {
	for _, c := range a.Columns {
		known := l.written()[c.Table]
		if len(known) == 0 || slices.Contains(known, c.Name) || slices.ContainsFunc(l.doubts, func(d doubts) bool { return d.any }) {
			continue
		}
		hint := diag.DidYouMean(c.Name, known)
		if hint == "" {
			hint = "rules set " + strings.Join(known, ", ")
		}
		l.add(c.Place.Warn("unseen-field", hint, "no rule sets %q in the table %q", c.Name, c.Table))
	}
}

// written are the fields that rules write, by kept table.
func (l *linter) written() map[string][]string {
	if l.fields != nil {
		return l.fields
	}
	l.fields = map[string][]string{}
	for i := range l.list {
		for _, a := range l.list[i].Actions() {
			if a.Remember == nil {
				continue
			}
			table := a.Remember.Table.Value
			for _, f := range slices.Concat(a.Remember.Set.Fields(), a.Remember.Add.Fields()) {
				if !slices.Contains(l.fields[table], f.Key.Value) {
					l.fields[table] = append(l.fields[table], f.Key.Value)
				}
			}
		}
	}
	return l.fields
}
