package recipe

import (
	"slices"

	"hookgate/connectors"
	"hookgate/internal/yamlnode"
	"hookgate/rules/lang"
)

// memory collects the names of what the actions remember, which each of them
// can speak of.
func (b *builder) memory(actions yamlnode.Node) {
	for _, f := range actions.Fields() {
		for _, name := range f.Value.Get("remember").Fields() {
			if !slices.Contains(b.recipe.memory, name.Key.Value) {
				b.recipe.memory = append(b.recipe.memory, name.Key.Value)
			}
		}
	}
}

// keyed compiles what an action remembers and recalls by.
func (b *builder) keyed(a *Action, y *actionYAML) {
	if y.Key.IsZero() {
		if !y.Remember.IsZero() {
			b.add(y.Remember.Diag("missing-key", "such as key: input.reference", `what is remembered needs "key", by which it is found again`))
		}
		return
	}
	if len(b.recipe.memory) == 0 {
		b.add(y.Key.Diag("conflict", "leave it out", `"key" is for what an action of the recipe remembers: none has "remember"`))
	}
	a.key = b.expression(lang.NewCompilerFor(settingsName(b.recipe), inputName(a)), y.Key)
}

// remember compiles what an action keeps of the answer to its last request.
func (b *builder) remember(a *Action, n yamlnode.Node) {
	remember, list := connectors.ReadOutputs(answerCompiler(b.actionNames(a)), n)
	b.add(list...)
	a.remember = remember
}
