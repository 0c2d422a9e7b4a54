package connectors

import (
	"maps"
	"slices"
	"strings"
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
		return c.ready[i], true
	}
	if compile := c.recipes[name]; compile != nil {
		return compile()
	}
	return Kind{}, false
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
	all := slices.Clone(c.ready)
	for _, compile := range c.recipes {
		if k, ok := compile(); ok {
			all = append(all, k)
		}
	}
	slices.SortFunc(all, func(a, b Kind) int { return strings.Compare(a.Name, b.Name) })
	return all
}
