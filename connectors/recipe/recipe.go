// Package recipe is how a kind of connection is described in one YAML file: its
// settings, how it logs in, its actions with their inputs, the requests they
// make, and what the answers mean. docs/recipes.md is the format for people.
//
// A Recipe decides and does not do: it checks what is written for it, makes
// requests and judges answers. The connector of Kind sends them.
package recipe

import (
	"hookgate/connectors"
	"hookgate/internal/diag"
	"hookgate/internal/yamlnode"
	"hookgate/rules/lang"
)

// Version is the version of the format that this package reads.
const Version = 1

// Recipe is one kind of connection, compiled. It is immutable and safe for
// concurrent use.
type Recipe struct {
	Name     string // as written in `type:`
	Doc      string // one sentence
	Link     string // the vendor's documentation
	Verified string // where the facts in it come from
	Rate     yamlnode.Rate
	Settings []*Setting
	Actions  []*Action
	Test     *Test // nil: a connection cannot be tried without an event
	Samples  []Sample

	name   yamlnode.Text
	auth   []*auth
	judge  judge    // of every answer, behind what its request says itself
	memory []string // the names of all that its actions remember
}

// Action is one thing that can be done with a connection of the kind.
type Action struct {
	Name, Doc string
	// Shorthand is the input that the action's key itself can hold; its other
	// inputs then stand beside that key. "": there is none.
	Shorthand string
	// Direct says that the inputs may stand in a rule's action without the
	// action's name.
	Direct bool
	Inputs []*Input
	// Outputs are the names of what is read from the answer.
	Outputs []string

	steps    []*step
	outputs  connectors.Outputs
	key      *lang.Expression // what it remembers and recalls by; nil: it does neither
	remember connectors.Outputs
}

// Input is one value that an action takes.
type Input struct {
	yamlnode.Spec
	Max    int    // units of a text, or of each text of a mapping, or items of a list; 0: any number
	Cut    bool   // a longer text is cut to Max
	Split  int    // a text is given as a list of at most so many, each within Max; 0: it is not
	Escape string // the name of the mark-up that values must not speak
	unit   unit   // what Max counts of a text
	value  any    // the default; nil: none
}

// recipeYAML is a recipe as it is written.
type recipeYAML struct {
	Recipe     yamlnode.Node `yaml:"recipe,required"`
	Name       yamlnode.Text `yaml:"name,required"`
	Doc        yamlnode.Text `yaml:"doc,required"`
	Link       yamlnode.Text `yaml:"link"`
	Verified   yamlnode.Text `yaml:"verified"`
	Rate       yamlnode.Rate `yaml:"rate_limit"`
	Settings   yamlnode.Node `yaml:"settings"`
	Auth       yamlnode.Node `yaml:"auth"`
	Actions    yamlnode.Node `yaml:"actions,required"`
	Test       yamlnode.Node `yaml:"test"`
	Success    yamlnode.Text `yaml:"success"`
	Errors     []faultYAML   `yaml:"errors"`
	Message    yamlnode.Node `yaml:"message"`
	RetryAfter yamlnode.Text `yaml:"retry_after"`
	Samples    yamlnode.Node `yaml:"samples"`
}

// KeyHint names the word of this format for the same thing in another.
func (recipeYAML) KeyHint(key string) string {
	switch key {
	case "type", "kind", "id":
		return `did you mean "name"?`
	case "version":
		return `did you mean "recipe"? write recipe: 1`
	case "description":
		return `did you mean "doc"?`
	case "parameters", "params", "config", "options":
		return `did you mean "settings"?`
	case "operations", "methods", "inputs", "request":
		return `did you mean "actions"?`
	case "trial", "try", "check", "ping", "tests":
		return `did you mean "test"?`
	}
	return ""
}

// Read reads and compiles a recipe and reports every fault in it, with its
// place in file. With an error in the list there is no Recipe.
func Read(file string, content []byte) (*Recipe, diag.List) {
	root, list := yamlnode.Parse(file, content)
	if list.Err() != nil {
		return nil, list
	}
	var y recipeYAML
	list = append(list, root.Decode("a recipe", &y)...)
	b := &builder{recipe: &Recipe{
		Name: y.Name.Value, Doc: y.Doc.Value, Link: y.Link.Value, Verified: y.Verified.Value, Rate: y.Rate, name: y.Name,
	}}
	b.add(list...)
	b.header(&y)
	b.settings(y.Settings)
	b.auth(y.Auth)
	b.commonJudge(&y)
	b.actions(y.Actions)
	b.test(y.Test)
	b.samples(y.Samples)
	if b.list.Err() != nil {
		return nil, b.list
	}
	return b.recipe, b.list
}

// NameText is the name with its place in the file.
func (r *Recipe) NameText() yamlnode.Text { return r.name }

// action is the one with that name, nil where there is none.
func (r *Recipe) action(name string) *Action {
	for _, a := range r.Actions {
		if a.Name == name {
			return a
		}
	}
	return nil
}

// direct is the action whose inputs may stand without its name, if there is one.
func (r *Recipe) direct() *Action {
	for _, a := range r.Actions {
		if a.Direct {
			return a
		}
	}
	return nil
}

// input is the one with that name, nil where there is none.
func (a *Action) input(name string) *Input {
	for _, in := range a.Inputs {
		if in.Name == name {
			return in
		}
	}
	return nil
}

// Noun is what messages call a connection of the kind.
func (r *Recipe) Noun() string { return diag.A(r.Name) + " connection" }
