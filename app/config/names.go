package config

import (
	"hookgate/internal/diag"
	"hookgate/internal/event"
	"hookgate/internal/yamlnode"
	"hookgate/rules"
)

// names are those that sources and forms have, with what has each: they share
// them, for a rule's `from` names either.
type names map[string]owner

type owner struct {
	noun string
	at   diag.Position
}

// entries reads a mapping of names. A name that an entry of another kind, or
// one of another file, has already is refused; within one mapping YAML sees to that.
func entries(n yamlnode.Node, noun string, taken names) ([]Entry, diag.List) {
	if n.Kind() == yamlnode.Null {
		return nil, nil
	}
	if n.Kind() != yamlnode.Map {
		return nil, diag.List{n.Diag("wrong-type", "write one name a line, and its keys below it", "%q must be a mapping of names", n.Path())}
	}
	var list []Entry
	var faults diag.List
	for _, f := range n.Fields() {
		if !rules.IsName(f.Key.Value) {
			faults = append(faults, f.Key.Diag("bad-name", rules.NameHint, "%q can't be the name of %s", f.Key.Value, noun))
		}
		if f.Key.Value == event.Own {
			faults = append(faults, f.Key.Diag("reserved-name", "rename it, here and under from: "+event.Own+"-events, or what it is about",
				"%q is what hookgate tells of itself: %s can't have the name", event.Own, noun))
			continue
		}
		if other, twice := taken[f.Key.Value]; twice {
			hint := "names are those of all files together: rename one"
			if other.noun != noun {
				hint = "sources and forms share their names: rename one"
			}
			if other.noun != noun || other.at.File != f.Key.Pos().File {
				faults = append(faults, f.Key.Diag("duplicate-name", hint,
					"%q is the name of %s already, in %s", f.Key.Value, other.noun, other.at.LineFor(f.Key.Pos())))
			}
			continue
		}
		taken[f.Key.Value] = owner{noun: noun, at: f.Key.Pos()}
		list = append(list, Entry{Name: f.Key, Node: f.Value})
	}
	return list, faults
}
