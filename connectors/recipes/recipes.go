// Package recipes holds the connectors that come with hookgate as recipes: each
// is one YAML in this folder, and needs no code.
package recipes

import (
	"embed"
	"maps"
	"slices"
	"strings"
	"sync"

	"hookgate/connectors"
	"hookgate/connectors/recipe"
	"hookgate/internal/diag"
)

//go:embed *.yaml
var files embed.FS

// byName compiles each of them when it is first asked for, and once: they are
// many, never change, and a configuration uses few.
var byName = sync.OnceValue(func() map[string]func() (*recipe.Recipe, diag.List) {
	entries, _ := files.ReadDir(".") // embedded: it is there
	compile := make(map[string]func() (*recipe.Recipe, diag.List), len(entries))
	for _, entry := range entries {
		file := entry.Name()
		compile[strings.TrimSuffix(file, ".yaml")] = sync.OnceValues(func() (*recipe.Recipe, diag.List) {
			content, err := files.ReadFile(file)
			if err != nil {
				return nil, diag.List{{Severity: diag.Error, Code: "no-file", Position: diag.Position{File: file}, Message: err.Error()}}
			}
			return recipe.Read("recipes/"+file, content)
		})
	}
	return compile
})

// Kinds are the kinds that the recipes describe, by name, compiled when asked
// for.
func Kinds() map[string]func() (connectors.Kind, bool) {
	kinds := make(map[string]func() (connectors.Kind, bool), len(byName()))
	for name, read := range byName() {
		kinds[name] = func() (connectors.Kind, bool) {
			r, _ := read()
			if r == nil { // a test allows no faults in them
				return connectors.Kind{}, false
			}
			return recipe.Kind(r), true
		}
	}
	return kinds
}

// All are the recipes, by name, and the faults in them, of which a test allows
// none. They must not be changed.
func All() ([]*recipe.Recipe, diag.List) {
	var all []*recipe.Recipe
	var list diag.List
	for _, name := range slices.Sorted(maps.Keys(byName())) {
		r, faults := byName()[name]()
		list = append(list, faults...)
		if r != nil {
			all = append(all, r)
		}
	}
	return all, list
}
