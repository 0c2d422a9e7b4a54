package connectors

import (
	"maps"
	"slices"

	"hookgate/internal/diag"
	"hookgate/internal/yamlnode"
)

// Catalog is the kinds that a configuration can have: those that come with
// hookgate and those of its own recipes. It is immutable.
type Catalog struct {
	ready   []Kind
	recipes map[string]func() (Kind, bool)
}

// NewCatalog has the kinds in ready, and those that recipes gives by name, each
// compiled when it is first asked for: they are many, and a configuration uses
// few.
func NewCatalog(ready []Kind, recipes map[string]func() (Kind, bool)) *Catalog {
	return &Catalog{ready: ready, recipes: recipes}
}

// Find gives the kind of that name.
func (c *Catalog) Find(name string) (Kind, bool) {
	if i := slices.IndexFunc(c.ready, func(k Kind) bool { return k.Name == name }); i >= 0 {
		return checked(c.ready[i]), true
	}
	if compile := c.recipes[name]; compile != nil {
		k, ok := compile()
		return checked(k), ok
	}
	return Kind{}, false
}

// checked is the kind whose New checks, too, what holds for every kind.
func checked(k Kind) Kind {
	create := k.New
	k.New = func(settings yamlnode.Node, deps Deps) (Connector, diag.List) {
		connector, faults := create(settings, deps)
		for _, d := range checkSettings(k, settings) {
			// Where an expression stands, the kind knows better what to do.
			if !slices.ContainsFunc(faults, func(known diag.Diagnostic) bool { return known.Path == d.Path && known.Code == "template-in-when" }) {
				faults = append(faults, d)
			}
		}
		if faults.Err() != nil {
			return nil, faults
		}
		return connector, faults
	}
	return k
}

// Names are the kinds' names, sorted.
func (c *Catalog) Names() []string {
	names := slices.Collect(maps.Keys(c.recipes))
	for _, k := range c.ready {
		names = append(names, k.Name)
	}
	slices.Sort(names)
	return names
}

// All gives every kind, by name.
func (c *Catalog) All() []Kind {
	var all []Kind
	for _, name := range c.Names() {
		if k, ok := c.Find(name); ok {
			all = append(all, k)
		}
	}
	return all
}
