package app

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"hookgate/app/admin"
	"hookgate/app/config"
	"hookgate/app/ingest"
	"hookgate/connectors"
	"hookgate/internal/calendar"
	"hookgate/internal/diag"
	"hookgate/internal/event"
	"hookgate/internal/table"
	"hookgate/rules"
	"hookgate/rules/lang"
)

// storedRules is what is kept of a plan (RuleSet.Source) to judge by its rules
// later. Of the connections it has the shape of their actions and nothing that
// stands in their settings.
type storedRules struct {
	Config   string                  `json:"config"` // the file's hash
	Text     config.RuleText         `json:"text"`
	Origins  rules.Origins           `json:"origins"`
	Targets  map[string]storedTarget `json:"targets"`
	Timezone string                  `json:"timezone"`
	Lang     string                  `json:"lang,omitempty"` // of those stored before there was one: English
	Words    map[string]lang.Words   `json:"words,omitempty"`
	Tables   map[string]storedTable  `json:"tables,omitempty"`

	Calendars map[string]calendar.Definition `json:"calendars,omitempty"`
}

// storedTable is a table that the rules can look up. The rows of a fixed one
// are a part of their own, which many versions share.
type storedTable struct {
	Hash string        `json:"hash,omitempty"` // of a fixed one
	Keep time.Duration `json:"keep,omitempty"` // of a kept one
}

// storedTarget is what a connection accepts in an action.
type storedTarget struct {
	Type   string        `json:"type"`
	Inputs []storedInput `json:"inputs"`
}

// storedInput is what of a lang.Input decides what is sent, but for what
// follows from the kind's code.
type storedInput struct {
	Name     string    `json:"name"`
	Kind     lang.Kind `json:"kind"`
	Required bool      `json:"required,omitempty"`
	NotEmpty bool      `json:"not_empty,omitempty"`
	Default  string    `json:"default,omitempty"`
	Unless   []string  `json:"unless,omitempty"`
}

// RuleSet is the part of the plan that is stored with the events that it judges.
// Its hash names the file's together with all that the rules depend on: the
// file's own is short, and what a file means can change with hookgate.
func (l *Plan) RuleSet() (event.RuleSet, error) {
	source := l.storedRules(named(l.Config))
	encoded, err := json.Marshal(source)
	if err != nil {
		return event.RuleSet{}, fmt.Errorf("encode the version of the configuration: %w", err)
	}
	sum := sha256.Sum256(encoded)
	set := event.RuleSet{
		Hash: l.Config.Hash + "-" + hex.EncodeToString(sum[:8]), Rules: l.Rules.Names(), Source: encoded,
	}
	for _, t := range l.Config.Tables {
		if t.Fixed != nil {
			set.Parts = append(set.Parts, event.Part{Hash: t.Fixed.Hash(), Text: t.Fixed.Content()})
		}
	}
	return set, nil
}

// named is the text of the rules with the files called as people call them: the
// same on every machine.
func named(doc *config.Config) config.RuleText {
	text := slices.Clone(doc.RuleText)
	for i := range text {
		text[i].File = doc.Name(text[i].File)
	}
	return text
}

// storedRules is what the rules are compiled from.
func (l *Plan) storedRules(text config.RuleText) storedRules {
	source := storedRules{
		Config: l.Config.Hash, Text: text, Origins: l.origins, Targets: map[string]storedTarget{}, Timezone: l.Config.Server.Timezone,
		Lang: l.Config.Server.Lang, Words: l.words,
	}
	if len(l.Config.Calendars) > 0 {
		source.Calendars = map[string]calendar.Definition{}
	}
	for name, c := range l.Config.CalendarsByName() {
		if c != nil { // a rule set is made of what has faults only to look at it
			source.Calendars[name] = c.Definition()
		}
	}
	for _, c := range l.connections {
		target := storedTarget{Type: c.kind.Name}
		for _, i := range c.kind.ActionFor(c.Node).Inputs {
			target.Inputs = append(target.Inputs, storedInput{
				Name: i.Name, Kind: i.Kind, Required: i.Required, NotEmpty: i.NotEmpty, Default: i.Default, Unless: i.Unless,
			})
		}
		source.Targets[c.Name.Value] = target
	}
	for _, t := range l.Config.Tables {
		if source.Tables == nil {
			source.Tables = map[string]storedTable{}
		}
		one := storedTable{Keep: t.Keep}
		if t.Fixed != nil {
			one.Hash = t.Fixed.Hash()
		}
		source.Tables[t.Name.Value] = one
	}
	return source
}

// NewRuleSet compiles a stored version (event.RuleSet.Whole), with the kinds of
// connections that there are today. It was valid when it was stored, so a fault means that this
// hookgate reads the language otherwise.
func NewRuleSet(source []byte, kinds *connectors.Catalog) (*ingest.RuleSet, error) {
	if len(source) == 0 {
		return nil, admin.ErrNoSource
	}
	v, fixed, err := readRules(source)
	if err != nil {
		return nil, fmt.Errorf("read the version of the configuration: %w", err)
	}
	set, faults := v.compile(kinds, fixed, nil)
	if err := faults.Err(); err != nil {
		return nil, fmt.Errorf("the rules of the configuration %s are not understood any more: %w", v.Config, err)
	}
	return set, nil
}

// ruleSetOf is NewRuleSet for who has the records of kept tables.
func ruleSetOf(source []byte, kinds *connectors.Catalog, records ingest.Records) (*ingest.RuleSet, error) {
	set, err := NewRuleSet(source, kinds)
	if err != nil {
		return nil, err
	}
	set.Records = records
	return set, nil
}

// readRules reads a stored version, and the fixed tables beside it, by their
// hashes.
func readRules(source []byte) (v storedRules, fixed map[string]*table.Fixed, err error) {
	parts := []json.RawMessage{source}
	if source[0] == '[' {
		if err := json.Unmarshal(source, &parts); err != nil {
			return v, nil, err
		}
	}
	if len(parts) == 0 {
		return v, nil, errors.New("it is empty")
	}
	if err := json.Unmarshal(parts[0], &v); err != nil {
		return v, nil, err
	}
	fixed = map[string]*table.Fixed{}
	for _, part := range parts[1:] {
		t, err := table.Parse(part)
		if err != nil {
			return v, nil, err
		}
		fixed[t.Hash()] = t
	}
	return v, fixed, nil
}

// tables are those that the rules look up. One whose rows are not there, which
// nothing should bring about, is empty.
func (v *storedRules) tables(fixed map[string]*table.Fixed) map[string]*lang.Table {
	tables := map[string]*lang.Table{}
	for name, t := range v.Tables {
		one := &lang.Table{Fixed: fixed[t.Hash], Keep: t.Keep}
		if t.Hash != "" && one.Fixed == nil {
			one.Fixed, _ = table.New("", nil, nil)
		}
		tables[name] = one
	}
	return tables
}

// tablesOf are the tables of a configuration.
func tablesOf(doc *config.Config) map[string]*lang.Table {
	tables := map[string]*lang.Table{}
	for _, t := range doc.Tables {
		tables[t.Name.Value] = &lang.Table{Fixed: t.Fixed, Keep: t.Keep}
	}
	return tables
}

// compile makes the rule set; change may change its rules first.
func (v *storedRules) compile(kinds *connectors.Catalog, fixed map[string]*table.Fixed, change func([]rules.Rule)) (*ingest.RuleSet, diag.List) {
	list, faults := v.Text.Rules()
	if faults.Err() != nil {
		return nil, faults
	}
	if change != nil {
		change(list)
	}
	location, err := time.LoadLocation(v.Timezone)
	if err != nil {
		location = time.UTC // the machine's list of zones lacks it now; times are shown in UTC
	}
	compiler := lang.NewCompiler()
	compiler.SetPlace(location, v.Lang)
	compiler.SetWords(v.Words)
	compiler.SetTables(v.tables(fixed))
	compiler.SetCalendars(v.calendars())
	set, faults := rules.Compile(compiler, list, v.Origins, v.targets(kinds))
	if faults.Err() != nil {
		return nil, faults
	}
	return &ingest.RuleSet{Hash: v.Config, Rules: set, Location: location, Gone: v.gone(kinds)}, faults
}

// calendars are those that the rules could ask for. One whose zone this machine
// lacks now goes by UTC.
func (v *storedRules) calendars() map[string]*calendar.Calendar {
	all := map[string]*calendar.Calendar{}
	for name, d := range v.Calendars {
		made, err := calendar.New(d)
		if err != nil {
			d.Zone = "UTC"
			made, _ = calendar.New(d)
		}
		all[name] = made
	}
	return all
}

// gone are the connections whose type is none of kinds.
func (v *storedRules) gone(kinds *connectors.Catalog) []ingest.GoneConnection {
	var list []ingest.GoneConnection
	for _, name := range slices.Sorted(maps.Keys(v.Targets)) {
		wanted := v.Targets[name].Type
		if _, known := kinds.Find(wanted); !known {
			list = append(list, ingest.GoneConnection{Name: name, Type: wanted})
		}
	}
	return list
}

// targets are the actions that the connections accepted. How values are
// escaped is the business of the kind, as it is today.
func (v *storedRules) targets(kinds *connectors.Catalog) rules.Targets {
	targets := rules.Targets{}
	for name, t := range v.Targets {
		action := lang.Action{Noun: "an action to " + name}
		var today []lang.Input
		if kind, ok := kinds.Find(t.Type); ok {
			today = kind.Action.Inputs
		}
		for _, in := range t.Inputs {
			input := lang.Input{
				Name: in.Name, Kind: in.Kind, Required: in.Required, NotEmpty: in.NotEmpty, Default: in.Default, Unless: in.Unless,
			}
			if i := slices.IndexFunc(today, func(l lang.Input) bool { return l.Name == in.Name }); i >= 0 {
				input.Escape, input.Fields = today[i].Escape, today[i].Fields
			}
			action.Inputs = append(action.Inputs, input)
		}
		targets[name] = action
	}
	return targets
}
