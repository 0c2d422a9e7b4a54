package app

import (
	"cmp"
	"slices"

	"hookgate/app/config"
	"hookgate/forms"
	"hookgate/internal/event"
	"hookgate/internal/yamlnode"
)

// Routes is what goes where: one Route for each source or form that a rule
// listens to and each of the rule's actions, in the file's order, and then one
// for each form that answers itself.
type Routes struct {
	Routes []Route `json:"routes"`
	Unused Unused  `json:"unused"`
}

// Route is one way of an event.
type Route struct {
	From       string   `json:"from"`
	Form       bool     `json:"form"` // From is a form
	Events     []string `json:"events"`
	Rule       string   `json:"rule"`
	When       string   `json:"when,omitempty"`
	Connection string   `json:"connection"`
	Kind       string   `json:"kind"`
	Action     int      `json:"action"`              // the rule's so many-th to this connection, from 1
	Only       string   `json:"only_when,omitempty"` // the condition of this action alone
	Key        string   `json:"ordering_key,omitempty"`
}

// Unused are the sources and forms that no rule mentions, and the connections
// that nothing is sent to.
type Unused struct {
	Sources     []string `json:"sources"`
	Forms       []string `json:"forms"`
	Connections []string `json:"connections"`
}

// Routes lists what goes where.
func (l *Plan) Routes() Routes {
	kinds := map[string]string{}
	for _, c := range l.connections {
		kinds[c.Name.Value] = c.kind.Name
	}
	out := Routes{Routes: []Route{}}
	used := map[string]bool{}
	for i := range l.Config.Rules {
		rule := &l.Config.Rules[i]
		for _, from := range rule.From {
			used["from "+from.Value] = true
			for number, action := range rule.Actions() {
				to := action.To.Value
				if action.Remember != nil {
					to = action.Remember.Table.Value
					kinds[to] = cmp.Or(kinds[to], "table")
				} else {
					used["to "+to] = true
				}
				out.Routes = append(out.Routes, Route{
					From: from.Value, Form: l.isForm(from.Value), Events: yamlnode.Values(rule.Events), Rule: rule.Name.Value, When: rule.When.Value,
					Connection: to, Kind: kinds[to], Action: number, Only: action.When.Value, Key: action.OrderingKey.Value,
				})
			}
		}
	}
	for _, e := range l.Config.Forms { // what a form answers itself
		reply := forms.ReadAutoreply(e.Node)
		if reply == nil {
			continue
		}
		to := reply.To.Value
		used["to "+to] = true
		out.Routes = append(out.Routes, Route{
			From: e.Name.Value, Form: true, Events: []string{}, Rule: event.AutoreplyRule, When: reply.When.Value, Connection: to, Kind: kinds[to], Action: 1,
		})
	}
	out.Unused = Unused{Sources: unused(l.Config.Sources, used), Forms: unused(l.Config.Forms, used), Connections: []string{}}
	for _, c := range l.connections {
		if !used["to "+c.Name.Value] {
			out.Unused.Connections = append(out.Unused.Connections, c.Name.Value)
		}
	}
	return out
}

func unused(entries []config.Entry, used map[string]bool) []string {
	list := []string{}
	for _, e := range entries {
		if !used["from "+e.Name.Value] {
			list = append(list, e.Name.Value)
		}
	}
	return list
}

// rulesTo are the rules that send to a connection.
func (r Routes) rulesTo(connection string) []string {
	list := []string{}
	for _, route := range r.Routes {
		if route.Connection == connection && !slices.Contains(list, route.Rule) {
			list = append(list, route.Rule)
		}
	}
	return list
}

// isForm tells forms from sources by the document: without its secret a form
// is not compiled.
func (l *Plan) isForm(name string) bool {
	return slices.ContainsFunc(l.Config.Forms, func(e config.Entry) bool { return e.Name.Value == name })
}
