package app

import (
	"fmt"
	"slices"
	"strings"

	"hookgate/app/admin"
	"hookgate/app/config"
	"hookgate/app/ingest"
	"hookgate/internal/diag"
	"hookgate/internal/jsondoc"
	"hookgate/internal/table"
	"hookgate/internal/yamlnode"
	"hookgate/rules"
)

// ruleSettings are the rules as they stand in the file, for operators.
func (l *Plan) ruleSettings() []admin.RuleSettings {
	places := rulePlaces(named(l.Config), len(l.Config.Rules))
	list := make([]admin.RuleSettings, 0, len(l.Config.Rules))
	for i := range l.Config.Rules {
		in := &l.Config.Rules[i]
		out := admin.RuleSettings{
			Name: in.Name.Value, From: yamlnode.Values(in.From), Events: yamlnode.Values(in.Events), ForEach: in.ForEach.Value, When: in.When.Value, Text: places[i].text, File: places[i].file, Line: places[i].line,
		}
		for _, b := range in.Branches {
			out.Branches = append(out.Branches, admin.RuleBranch{Name: b.Name.Value, When: b.When.Value})
		}
		for number, action := range in.Actions() {
			if r := action.Remember; r != nil {
				out.Remembers = append(out.Remembers, admin.RuleRemember{
					Branch: in.BranchOf(action), Table: r.Table.Value, Key: r.Key.Value, When: action.When.Value, Add: !r.Add.IsZero(), After: action.After.Words(),
				})
				continue
			}
			made := ruleAction(action, number)
			made.Branch = in.BranchOf(action)
			out.Actions = append(out.Actions, made)
		}
		out.Lookups = l.Rules.Lookups(out.Name)
		out.Findings = findingsOf(l.findings(), i)
		list = append(list, out)
	}
	return list
}

func ruleAction(in *rules.Action, number int) admin.RuleAction {
	out := admin.RuleAction{
		To: in.To.Value, Action: number, When: in.When.Value, Key: in.OrderingKey.Value,
		Step: in.Step.Value, After: in.After.Words(), Delay: in.Delay.Value, DelayUntil: in.DelayUntil.Value, OnlyDuring: in.OnlyDuring.Value,
	}
	if t := in.Throttle; t != nil {
		out.Throttle = &admin.RuleThrottle{Times: max(t.Times, 1), Within: t.Span(), Key: t.Key.Value}
	}
	if d := in.Digest; d != nil {
		out.Digest = &admin.RuleDigest{By: d.Words(), Max: d.Most(), Key: d.Key.Value}
	}
	for _, f := range in.Inputs {
		if f.Value.Kind() == yamlnode.Scalar {
			out.Inputs = append(out.Inputs, admin.RuleInput{Name: f.Key.Value, Text: f.Value.Text().Value})
		}
	}
	return out
}

// findingsOf are those about the rule with the index.
func findingsOf(list diag.List, rule int) diag.List {
	var own diag.List
	path := fmt.Sprintf("rules[%d]", rule)
	for _, d := range list {
		if d.Path == path || strings.HasPrefix(d.Path, path+".") {
			own = append(own, d)
		}
	}
	return own
}

// findings are those of the plan, with the files called as people call them.
func (l *Plan) findings() diag.List { return calledByName(l.Config, l.Findings) }

// calledByName is the list with the configuration's own files called as people
// call them, and not by where they are on this machine.
func calledByName(doc *config.Config, list diag.List) diag.List {
	list = slices.Clone(list)
	for i := range list {
		if list[i].File != "" {
			list[i].File = doc.Name(list[i].File)
		}
	}
	return list
}

// place is where a rule stands, and its lines.
type place struct {
	file string
	line int
	text string
}

// rulePlaces cuts the section rules into its n entries; what shares a line with
// another is only placed.
func rulePlaces(text config.RuleText, n int) []place {
	var places []place
	for _, part := range text {
		places = append(places, partPlaces(part)...)
	}
	if len(places) != n {
		return make([]place, n)
	}
	return places
}

// partPlaces cuts the section of one file.
func partPlaces(section config.RulePart) []place {
	root, _ := yamlnode.Parse(section.File, []byte(section.Text))
	items := root.Get("rules").Items()
	places := make([]place, len(items))
	lines := strings.Split(section.Text, "\n")
	for i, item := range items {
		from, to := item.Pos().Line, len(lines)
		if i+1 < len(items) {
			to = items[i+1].Pos().Line - 1
		}
		places[i].file, places[i].line = section.File, section.Line+from-1
		if to < from {
			continue
		}
		own := lines[from-1 : to]
		for len(own) > 0 && (strings.TrimSpace(own[len(own)-1]) == "" || strings.HasPrefix(strings.TrimSpace(own[len(own)-1]), "#")) {
			own = own[:len(own)-1]
		}
		places[i].text = strings.Join(own, "\n") + "\n"
	}
	return places
}

// changed makes a rule set of the plan's rules with one of them changed, judged
// as a stored version is.
func (l *Plan) changed(rule string, c admin.RuleChange) (*ingest.RuleSet, diag.List) {
	stored := l.storedRules(l.Config.RuleText)
	var list diag.List
	set, faults := stored.compile(l.Kinds, l.fixedTables(), func(all []rules.Rule) {
		for i := range all {
			if all[i].Name.Value != rule {
				continue
			}
			if c.When != nil {
				all[i].When = yamlnode.Plain(strings.TrimSpace(*c.When))
			}
			for _, in := range c.Inputs {
				list = append(list, changeInput(&all[i], in)...)
			}
		}
	})
	return set, append(list, faults...)
}

// fixedTables are the rows of the tables, by their hashes.
func (l *Plan) fixedTables() map[string]*table.Fixed {
	fixed := map[string]*table.Fixed{}
	for _, t := range l.Config.Tables {
		if t.Fixed != nil {
			fixed[t.Fixed.Hash()] = t.Fixed
		}
	}
	return fixed
}

// changeInput puts another text into an action of a rule.
func changeInput(rule *rules.Rule, in admin.TextInput) diag.List {
	input := rule.Input(in.To, in.Action, in.Name)
	if input == nil {
		return diag.List{{Severity: diag.Error, Code: "unknown-key", Message: fmt.Sprintf("the rule sends no text %q to %s", in.Name, in.To)}}
	}
	node, list := yamlnode.Parse("text", jsondoc.AppendString(nil, in.Text))
	input.Value = node
	return list
}
