package recipe

import (
	"slices"

	"hookgate/connectors"
	"hookgate/internal/diag"
	"hookgate/internal/yamlnode"
	"hookgate/rules/lang"
)

// Action is what a rule's action to a connection of the kind accepts: the name
// of one of the recipe's actions with its inputs as a mapping; or the value of
// its shorthand with the other inputs beside it; or the inputs of the direct
// action as they are.
func (r *Recipe) Action() lang.Action {
	out := lang.Action{Noun: "an action to " + r.Name, Check: r.check, Outputs: r.outputs}
	declared := map[string]bool{}
	for _, a := range r.Actions {
		out.Inputs = append(out.Inputs, lang.Input{Name: a.Name, Doc: a.Doc, Kind: lang.ValueInput, Fields: a.fields()})
		declared[a.Name] = true
	}
	for _, a := range r.Actions {
		if !a.Direct && a.Shorthand == "" {
			continue
		}
		for i, in := range a.fields() {
			if beside := a.Direct || a.Inputs[i].Name != a.Shorthand; beside && !declared[in.Name] {
				in.NotEmpty = false // of another action it may be no input that is needed
				declared[in.Name] = true
				out.Inputs = append(out.Inputs, in)
			}
		}
	}
	return out
}

// outputs are the names of what is read from the answer to an action.
func (r *Recipe) outputs(given []yamlnode.Field) (names []string, known bool) {
	for _, f := range given {
		if a := r.action(f.Key.Value); a != nil {
			return a.Outputs, true
		}
	}
	if a := r.direct(); a != nil {
		return a.Outputs, true
	}
	return nil, false
}

// fields are the action's inputs as the language compiles them.
func (a *Action) fields() []lang.Input {
	list := make([]lang.Input, len(a.Inputs))
	for i, in := range a.Inputs {
		list[i] = lang.Input{Name: in.Name, Doc: in.Doc, Kind: lang.ValueInput, NotEmpty: in.Required, Escape: escapes()[in.Escape]}
		if in.Type == yamlnode.TextType || in.Type == yamlnode.EnumType {
			list[i].Kind = lang.TextInput
		}
	}
	return list
}

// check looks at a rule's action as a whole. given are its keys but for those
// that every action has.
func (r *Recipe) check(n yamlnode.Node, given []yamlnode.Field) diag.List {
	var named []yamlnode.Field
	for _, f := range given {
		if r.action(f.Key.Value) != nil {
			named = append(named, f)
		}
	}
	direct := r.direct()
	switch {
	case len(named) > 1:
		return diag.List{named[1].Key.Diag("conflict", "write a second action under then", "%q and %q are two actions", named[0].Key.Value, named[1].Key.Value)}
	case len(named) == 0 && direct != nil:
		return direct.check(n, given, "an action to "+r.Name)
	case len(named) == 0:
		return diag.List{n.Diag("missing-key", "write one of "+joined(r.actionNames()), "the action does not say what to do")}
	}
	f := named[0]
	a := r.action(f.Key.Value)
	if f.Value.Kind() == yamlnode.Map {
		list := a.check(f.Value, f.Value.Fields(), a.Name)
		for _, other := range given {
			if other.Key.Value != f.Key.Value && slices.Contains(r.besideNames(), other.Key.Value) {
				list = append(list, other.Key.Diag("conflict", "", "%q must stand inside of %q, with the other inputs", other.Key.Value, a.Name))
			}
		}
		return list
	}
	return a.checkShorthand(f, n, given)
}

// besideNames are the inputs that may stand beside some action's name.
func (r *Recipe) besideNames() []string {
	var names []string
	for _, a := range r.Actions {
		for _, in := range a.Inputs {
			if a.Direct || a.Shorthand != "" {
				names = append(names, in.Name)
			}
		}
	}
	return names
}

// checkShorthand checks an action whose key holds one of its inputs.
func (a *Action) checkShorthand(f yamlnode.Field, n yamlnode.Node, given []yamlnode.Field) diag.List {
	whole := connectors.Templated(f.Value)
	switch {
	case a.Shorthand == "" && whole && len(given) == 1:
		return nil // a ${{ }} that gives the mapping
	case a.Shorthand == "":
		return diag.List{f.Key.Diag("wrong-type", "it has "+joined(a.inputNames()), "%q must be a mapping of the action's inputs", a.Name)}
	}
	var list diag.List
	beside := map[string]bool{a.Shorthand: true}
	for _, other := range given {
		if other.Key.Value == f.Key.Value {
			list = append(list, a.input(a.Shorthand).check(f.Value, a.Name)...)
			continue
		}
		beside[other.Key.Value] = true
		in := a.input(other.Key.Value)
		if in == nil || in.Name == a.Shorthand {
			list = append(list, yamlnode.UnknownKey(other.Key, a.Name, a.inputNames(), nil))
			continue
		}
		list = append(list, in.check(other.Value, in.Name)...)
	}
	return append(list, a.required(n, beside, a.Name)...)
}

func (a *Action) inputNames() []string {
	names := make([]string, len(a.Inputs))
	for i, in := range a.Inputs {
		names[i] = in.Name
	}
	return names
}

// check checks the inputs in fields, which stand in n. noun is what messages
// call the whole.
func (a *Action) check(n yamlnode.Node, fields []yamlnode.Field, noun string) diag.List {
	var list diag.List
	found := map[string]bool{}
	for _, f := range fields {
		found[f.Key.Value] = true
		in := a.input(f.Key.Value)
		if in == nil {
			list = append(list, yamlnode.UnknownKey(f.Key, noun, a.inputNames(), nil))
			continue
		}
		list = append(list, in.check(f.Value, in.Name)...)
	}
	return append(list, a.required(n, found, noun)...)
}

func (a *Action) required(n yamlnode.Node, found map[string]bool, noun string) diag.List {
	var list diag.List
	for _, in := range a.Inputs {
		if in.Required && !found[in.Name] {
			list = append(list, yamlnode.MissingKey(n, in.Name, in.Doc, noun))
		}
	}
	return list
}

// check checks what is certain before rendering.
func (in *Input) check(n yamlnode.Node, name string) diag.List {
	if connectors.Templated(n) {
		return nil
	}
	fits := true
	switch n.Kind() {
	case yamlnode.List:
		fits = in.Type == yamlnode.ListType || in.Type == yamlnode.AnyType
	case yamlnode.Map:
		fits = in.Type == yamlnode.MappingType || in.Type == yamlnode.AnyType
	case yamlnode.Null:
		return in.checkEmpty(n, name, nil)
	case yamlnode.Scalar:
		return in.checkScalar(n, name)
	}
	if !fits {
		return diag.List{n.Diag("wrong-type", "", "%q must be %s", name, in.want())}
	}
	return nil
}

// checkEmpty refuses a required value that is nothing.
func (in *Input) checkEmpty(n yamlnode.Node, name string, value any) diag.List {
	if value != nil || !in.Required {
		return nil
	}
	return diag.List{n.Diag("empty-value", "", "%q is empty: it must be %s", name, in.want())}
}

func (in *Input) checkScalar(n yamlnode.Node, name string) diag.List {
	var value any = n.Text().Value
	if in.Type != yamlnode.TextType && in.Type != yamlnode.EnumType {
		value = n.Any()
	}
	taken, err := in.take(value, "the receiver")
	if err != nil {
		code, hint := "bad-value", ""
		if in.Type == yamlnode.EnumType {
			hint = diag.DidYouMean(n.Text().Value, in.Values)
		}
		if in.Max > 0 && in.Type == yamlnode.TextType {
			code = "too-long"
		}
		return diag.List{n.Diag(code, hint, "%s", err)}
	}
	return in.checkEmpty(n, name, taken)
}

// want is what messages call a value of the input's type.
func (in *Input) want() string {
	switch in.Type {
	case yamlnode.NumberType:
		return "a number"
	case yamlnode.BoolType:
		return "true or false"
	case yamlnode.ListType:
		return "a list"
	case yamlnode.MappingType:
		return "a mapping"
	case yamlnode.EnumType:
		return "one of " + joined(in.Values)
	default:
		return "a text"
	}
}
