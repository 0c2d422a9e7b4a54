package connectors

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"

	"hookgate/connectors/recipe"
	"hookgate/internal/diag"
	"hookgate/internal/yamlnode"
)

// recipeFiles are the recipes that come with hookgate.
//
//go:embed recipes/*.yaml
var recipeFiles embed.FS

// builtin compiles each of them when it is first asked for, and once: they are
// many, never change, and a configuration uses few.
var builtin = sync.OnceValue(func() map[string]func() (*recipe.Recipe, diag.List) {
	entries, _ := recipeFiles.ReadDir("recipes") // embedded: it is there
	byName := make(map[string]func() (*recipe.Recipe, diag.List), len(entries))
	for _, entry := range entries {
		file := path.Join("recipes", entry.Name())
		byName[strings.TrimSuffix(entry.Name(), ".yaml")] = sync.OnceValues(func() (*recipe.Recipe, diag.List) {
			content, err := recipeFiles.ReadFile(file)
			if err != nil {
				return nil, diag.List{{Severity: diag.Error, Code: "no-file", Position: diag.Position{File: file}, Message: err.Error()}}
			}
			return recipe.Read(file, content)
		})
	}
	return byName
})

// BuiltinRecipes are the recipes that come with hookgate, by name, and the
// faults in them, of which a test allows none. They must not be changed.
func BuiltinRecipes() ([]*recipe.Recipe, diag.List) {
	var all []*recipe.Recipe
	var list diag.List
	for _, name := range slices.Sorted(maps.Keys(builtin())) {
		r, faults := builtin()[name]()
		list = append(list, faults...)
		if r != nil {
			all = append(all, r)
		}
	}
	return all, list
}

// ReadRecipe is the kind that a user's own recipe describes, and where its name
// stands. With an error in the list there is none.
func ReadRecipe(file string, content []byte) (Kind, yamlnode.Text, diag.List) {
	r, list := recipe.Read(file, content)
	if r == nil {
		return Kind{}, yamlnode.Text{}, list
	}
	k := RecipeKind(r)
	sum := sha256.Sum256(content)
	k.Hash = hex.EncodeToString(sum[:])
	return k, r.NameText(), list
}

// RecipeKind is the kind of connection that a recipe describes.
func RecipeKind(r *recipe.Recipe) Kind {
	k := Kind{
		Name: r.Name, Doc: r.Doc, Link: r.Link, Verified: r.Verified, RateLimit: r.Rate, Action: r.Action(),
		New: func(n yamlnode.Node, deps Deps) (Connector, diag.List) { return newRecipe(r, n, deps) },
	}
	if r.Test != nil {
		k.Test = r.Test.What
	}
	for _, s := range r.Settings {
		k.Settings = append(k.Settings, s.Spec)
	}
	for _, a := range r.Actions {
		doc := ActionDoc{Name: a.Name, Doc: a.Doc, Shorthand: a.Shorthand, Direct: a.Direct, Outputs: a.Outputs}
		for _, in := range a.Inputs {
			doc.Inputs = append(doc.Inputs, InputDoc{Setting: in.Spec, Max: in.Max})
		}
		k.Actions = append(k.Actions, doc)
	}
	k.Example = example(&k)
	return k
}

// ActionDoc describes one action of a kind that has several, or names them.
type ActionDoc struct {
	Name, Doc string
	Shorthand string // the input that may stand in place of the inputs; "": none
	Direct    bool   // the inputs may stand without the action's name
	Inputs    []InputDoc
	Outputs   []string // what is read from the answer
}

// InputDoc describes one input of an action.
type InputDoc struct {
	Setting
	Max int // characters or items; 0: any number
}
