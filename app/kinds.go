package app

import (
	"slices"

	"hookgate/app/config"
	"hookgate/app/diag"
	"hookgate/connectors"
)

// Kinds are the kinds of connections that the configuration can have: those
// that come with hookgate and those of its recipes. The faults of the recipes
// are added to the report; one that has some is left out.
func Kinds(doc *config.Document, report *config.Report) []connectors.Kind {
	kinds := connectors.Kinds()
	for _, file := range doc.Recipes {
		kind, name, list := connectors.ReadRecipe(file.Path, file.Content)
		if len(list) == 0 || list.Err() == nil {
			if slices.ContainsFunc(kinds, func(k connectors.Kind) bool { return k.Name == kind.Name }) {
				list = append(list, name.Diag("duplicate-name", "choose another name", "there is a connector %q already", kind.Name))
			}
		}
		report.Add(list)
		if list.Err() == nil {
			kinds = append(kinds, kind)
		}
	}
	return kinds
}

// kindNamed finds the connector of a connection's type. Where not every recipe
// could be read, a type that there is not may be that of one of them.
func (l *Loaded) kindNamed(c config.Connection) (*connectors.Kind, diag.List) {
	if c.Type.IsZero() {
		return nil, nil // said by config
	}
	names := make([]string, 0, len(l.Kinds))
	for _, k := range l.Kinds {
		if k.Name == c.Type.Value {
			return &k, nil
		}
		names = append(names, k.Name)
	}
	if len(l.Kinds) < len(connectors.Kinds())+len(l.Document.Recipes) {
		return nil, nil
	}
	hint := diag.DidYouMean(c.Type.Value, names)
	if hint == "" {
		hint = "hookgate connectors list shows them; webhook reaches any tool that has an HTTP API"
	}
	return nil, diag.List{c.Type.Diag("unknown-type", hint, "there is no connector called %q", c.Type.Value)}
}
