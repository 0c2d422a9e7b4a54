package app

import (
	"hookgate/app/config"
	"hookgate/connectors"
	"hookgate/connectors/all"
	"hookgate/connectors/recipe"
	"hookgate/internal/diag"
)

// Kinds are the kinds of connections that the configuration can have: those
// that come with hookgate and those of its recipes. The faults of the recipes
// are added to the report; one that has some is left out.
func Kinds(doc *config.Config, report *config.Report) *connectors.Catalog {
	var own []connectors.Kind
	for _, file := range doc.Recipes {
		kind, name, list := recipe.ReadKind(file.Path, file.Content)
		list = config.ExplainSyntax(list, file.Content)
		if len(list) == 0 || list.Err() == nil {
			if _, taken := all.Catalog(own...).Find(kind.Name); taken {
				list = append(list, name.Diag("duplicate-name", "choose another name", "there is a connector %q already", kind.Name))
			}
		}
		report.Add(list)
		if list.Err() == nil {
			own = append(own, kind)
		}
	}
	return all.Catalog(own...)
}

// kindNamed finds the connector of a connection's type. Where not every recipe
// could be read, a type that there is not may be that of one of them.
func (l *Plan) kindNamed(c config.Connection) (*connectors.Kind, diag.List) {
	if c.Type.IsZero() {
		return nil, nil // said by config
	}
	if k, ok := l.Kinds.Find(c.Type.Value); ok {
		return &k, nil
	}
	names := l.Kinds.Names()
	if len(names) < len(all.Catalog().Names())+len(l.Config.Recipes)+l.Config.Unread {
		return nil, nil
	}
	hint := diag.DidYouMean(c.Type.Value, names)
	if hint == "" {
		hint = "hookgate connectors list shows them; webhook reaches any tool that has an HTTP API"
	}
	return nil, diag.List{c.Type.Diag("unknown-type", hint, "there is no connector called %q", c.Type.Value)}
}
