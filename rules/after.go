package rules

import (
	"slices"

	"hookgate/internal/diag"
	"hookgate/internal/yamlnode"
)

// After is what an action comes after, as it stands in the file: the names of
// steps, each with how it is to have ended.
type After []Predecessor

// Predecessor is one step that an action comes after.
type Predecessor struct {
	Step yamlnode.Text
	End  End
}

// End says how a step is to have ended.
type End string

// The ends that an action can come after.
const (
	WhenDelivered End = "delivered"
	WhenFailed    End = "failed" // for good
	WhenEnded     End = "ended"  // delivered, failed, cancelled, or never sent
)

// Ends are all of them, as they are written.
func Ends() []string { return []string{string(WhenDelivered), string(WhenFailed), string(WhenEnded)} }

// DecodeNode implements yamlnode.Decoder: a name, a list of names, or a mapping of
// names to ends.
func (a *After) DecodeNode(n yamlnode.Node) diag.List {
	const hint = "a step's name, a list of names, or { name: failed }"
	var list diag.List
	add := func(name yamlnode.Text, end End) {
		if slices.ContainsFunc(*a, func(p Predecessor) bool { return p.Step.Value == name.Value }) {
			list = append(list, name.Diag("conflict", "leave one out", "it comes after %q twice", name.Value))
			return
		}
		*a = append(*a, Predecessor{name, end})
	}
	switch n.Kind() {
	case yamlnode.Scalar:
		add(n.Text(), WhenDelivered)
	case yamlnode.List:
		for _, item := range n.Items() {
			if item.Kind() != yamlnode.Scalar {
				list = append(list, item.Diag("wrong-type", hint, `"after" must be a list of names`))
				continue
			}
			add(item.Text(), WhenDelivered)
		}
	case yamlnode.Map:
		for _, f := range n.Fields() {
			end := f.Value.Text().Value
			if f.Value.Kind() != yamlnode.Scalar || !slices.Contains(Ends(), end) {
				list = append(list, f.Value.Diag("bad-value", endHint(end), "%q is to be delivered, failed or ended", f.Key.Value))
				continue
			}
			add(f.Key, End(end))
		}
	case yamlnode.Null:
	}
	if len(*a) == 0 && len(list) == 0 {
		list = append(list, n.Diag("empty-value", hint, `"after" names no step`))
	}
	return list
}

// endHint says what other tools' words for an end are here.
func endHint(word string) string {
	ours := map[string]End{
		"success": WhenDelivered, "succeeded": WhenDelivered, "ok": WhenDelivered, "done": WhenDelivered, "sent": WhenDelivered,
		"failure": WhenFailed, "error": WhenFailed, "fails": WhenFailed,
		"always": WhenEnded, "any": WhenEnded, "completed": WhenEnded, "finished": WhenEnded, "skipped": WhenEnded, "cancelled": WhenEnded,
	}[word]
	if ours != "" {
		return "write " + string(ours)
	}
	return "failed means after the last retry; ended is delivered, failed, cancelled or never sent"
}

// Describe implements yamlnode.Described.
func (After) Describe() yamlnode.Spec {
	name := yamlnode.Spec{Type: yamlnode.TextType}
	return yamlnode.Spec{OneOf: []yamlnode.Spec{
		name,
		{Type: yamlnode.ListType, Item: &name},
		{Type: yamlnode.MappingType, Item: &yamlnode.Spec{Type: yamlnode.EnumType, Values: Ends()}},
	}}
}

// Words say for people what an action comes after; "" where that is nothing.
func (a After) Words() string {
	text := ""
	for i, p := range a {
		switch {
		case i > 0:
			text += ", "
		case p.End != WhenFailed:
			text = "after "
		}
		switch p.End {
		case WhenFailed:
			text += "if " + p.Step.Value + " fails"
		case WhenEnded:
			text += p.Step.Value + ", however it ends"
		case WhenDelivered:
			text += p.Step.Value
		}
	}
	return text
}
