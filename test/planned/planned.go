// Package planned makes the plan that a test of what comes in works by.
package planned

import (
	"testing"
	"time"

	"hookgate/app/ingest"
	"hookgate/app/ingest/source"
	"hookgate/forms"
	"hookgate/internal/body"
	"hookgate/internal/calendar"
	"hookgate/internal/event"
	"hookgate/internal/yamlnode"
	"hookgate/rules"
	"hookgate/rules/lang"
)

// Must compiles the sources, forms and rules of a configuration's text. Rules
// send to the one connection that there is, billing, which wants a text;
// without rules, nothing is sent.
func Must(t testing.TB, text string) *ingest.Plan {
	t.Helper()
	root, list := yamlnode.Parse("c.yaml", []byte(text))
	plan := &ingest.Plan{
		Sources: map[string]*source.Source{}, Forms: map[string]*forms.Form{}, Senders: map[string]*source.Source{}, Limits: body.DefaultLimits(),
	}
	c, origins := lang.NewCompiler(), rules.Origins{}
	c.SetTables(Kept(root))
	c.SetCalendars(Calendars(t, root))
	for _, f := range root.Get("sources").Fields() {
		s, faults := source.Compile(f.Key, f.Value, c)
		list = append(list, faults...)
		plan.Sources[f.Key.Value], origins[f.Key.Value] = s, nil
	}
	for _, f := range root.Get("forms").Fields() {
		form, faults := forms.Compile(f.Key, f.Value)
		list = append(list, faults...)
		plan.Forms[f.Key.Value], origins[f.Key.Value] = form, []string{event.FormSubmitted}
		if form != nil && form.Webhook() {
			expression, subject := form.EventID()
			sender, faults := source.CompileForm(f.Key, f.Value, source.IDs{Expression: expression, Subject: subject}, c)
			list = append(list, faults...)
			plan.Senders[f.Key.Value] = sender
		}
	}
	var parsed []rules.Rule
	if section := root.Get("rules"); !section.IsZero() {
		list = append(list, section.Decode("the file", &parsed)...)
	}
	billing := lang.Action{Noun: "an action", Inputs: []lang.Input{{Name: "text", Kind: lang.TextInput, Required: true}}}
	set, faults := rules.Compile(c, parsed, origins, rules.Targets{"billing": billing})
	if err := append(list, faults...).Err(); err != nil {
		t.Fatal(err)
	}
	plan.Rules = set
	return plan
}

// Calendars are the calendars of a configuration, by name.
func Calendars(t testing.TB, root yamlnode.Node) map[string]*calendar.Calendar {
	t.Helper()
	var section map[string]struct {
		Days     []calendar.Days  `yaml:"days,single"`
		Hours    []calendar.Hours `yaml:"hours,single"`
		Timezone string           `yaml:"timezone"`
	}
	if n := root.Get("calendars"); !n.IsZero() {
		if err := n.Decode("the calendars", &section).Err(); err != nil {
			t.Fatal(err)
		}
	}
	all := map[string]*calendar.Calendar{}
	for name, in := range section {
		made, err := calendar.New(calendar.Definition{Days: in.Days, Hours: in.Hours, Zone: in.Timezone})
		if err != nil {
			t.Fatal(err)
		}
		all[name] = made
	}
	return all
}

// Kept are the tables of a configuration, each of which keeps its records for
// 300 days.
func Kept(root yamlnode.Node) map[string]*lang.Table {
	tables := map[string]*lang.Table{}
	for _, f := range root.Get("tables").Fields() {
		tables[f.Key.Value] = &lang.Table{Keep: 300 * 24 * time.Hour}
	}
	return tables
}
