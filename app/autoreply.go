package app

import (
	"maps"
	"slices"

	"hookgate/forms"
	"hookgate/internal/diag"
	"hookgate/internal/event"
	"hookgate/internal/yamlnode"
	"hookgate/rules"
	"hookgate/rules/lang"
)

// autoreplies compiles what forms answer by mail: each is a rule of its own
// that no other rule sees, with one action.
func (l *Plan) autoreplies(compiler *lang.Compiler, targets rules.Targets) diag.List {
	l.Autoreplies = map[string]*rules.Set{}
	var list diag.List
	for _, e := range l.Config.Forms {
		name, reply := e.Name.Value, forms.ReadAutoreply(e.Node)
		if reply == nil {
			continue
		}
		own := maps.Clone(targets)
		i := slices.IndexFunc(l.connections, func(c kindOf) bool { return c.Name.Value == reply.To.Value })
		if i >= 0 {
			kind := l.connections[i].kind
			if kind.Reply.Noun == "" {
				list = append(list, reply.To.Diag("wrong-type", "name a connection of type email", "%q is a %s connection, which cannot reply to a form", reply.To.Value, kind.Name))
				continue
			}
			own[reply.To.Value] = kind.Reply
		}
		set, faults := rules.Compile(compiler, []rules.Rule{{
			Name: yamlnode.Plain(event.AutoreplyRule), From: []yamlnode.Text{yamlnode.Plain(name)}, When: reply.When,
			Then: []rules.Action{{To: reply.To, Inputs: reply.Inputs, Node: reply.Node}},
		}}, rules.Origins{name: []string{event.FormSubmitted}}, own)
		list = append(list, faults...)
		l.Autoreplies[name] = set
	}
	return list
}
