package connectors

import (
	"maps"
	"slices"
	"strings"
)

// inGo are the kinds that are written in Go.
func inGo() []Kind {
	kinds := []Kind{amqpKind(), emailKind(), kafkaKind(), natsKind(), slackKind(), webhookKind()}
	for i := range kinds {
		kinds[i].Example = plainExample(&kinds[i])
	}
	return kinds
}

// Kinds are all kinds that come with hookgate, by name. It compiles all
// recipes: who needs a few kinds takes them from a Catalog.
func Kinds() []Kind { return NewCatalog().All() }

// Catalog is the kinds that a configuration can have: those that come with
// hookgate and those of its own recipes. It is immutable.
type Catalog struct {
	ready []Kind // need not be compiled any more
}

// NewCatalog has own beside the kinds that come with hookgate.
func NewCatalog(own ...Kind) *Catalog {
	return &Catalog{ready: append(inGo(), own...)}
}

// Find gives the kind of that name.
func (c *Catalog) Find(name string) (Kind, bool) {
	if i := slices.IndexFunc(c.ready, func(k Kind) bool { return k.Name == name }); i >= 0 {
		return c.ready[i], true
	}
	if read := builtin()[name]; read != nil {
		if r, _ := read(); r != nil { // a test allows no faults in them
			return RecipeKind(r), true
		}
	}
	return Kind{}, false
}

// Names are the kinds' names, sorted.
func (c *Catalog) Names() []string {
	names := slices.Collect(maps.Keys(builtin()))
	for _, k := range c.ready {
		names = append(names, k.Name)
	}
	slices.Sort(names)
	return names
}

// All gives every kind, by name.
func (c *Catalog) All() []Kind {
	all := slices.Clone(c.ready)
	recipes, _ := BuiltinRecipes()
	for _, r := range recipes {
		all = append(all, RecipeKind(r))
	}
	slices.SortFunc(all, func(a, b Kind) int { return strings.Compare(a.Name, b.Name) })
	return all
}
