// Package rules decides what is sent because of an event: it compiles the
// rules of config.yaml, finds those that an event matches, and renders what
// their actions send.
package rules

import (
	"encoding/json"
	"iter"
	"slices"
	"time"

	"hookgate/internal/diag"
	"hookgate/internal/event"
	"hookgate/internal/yamlnode"
	"hookgate/rules/lang"
)

// Rule is one entry under rules, as it stands in the file.
type Rule struct {
	Name   yamlnode.Text   `yaml:"name,required" doc:"Names the rule in commands and logs; unique." example:"create-subscription"`
	From   []yamlnode.Text `yaml:"from,single,required" doc:"The source or form whose events it listens to, or a list of them." example:"sitejet"`
	Events []yamlnode.Text `yaml:"events,single" doc:"The types of events that it listens to, one or a list; all where left out." example:"[website_status_changed]"`
	When   yamlnode.Text   `yaml:"when" doc:"The rule matches where this expression is true; always where left out." type:"expression" example:"data.website.status == \"Done\""`
	Then   []Action        `yaml:"then" doc:"What is sent, one action an item. It may be left out where there are branches."`

	ForEach  yamlnode.Text `yaml:"for_each" doc:"A list in the event: the rule is judged for each of its elements, which expressions call item, at position index, from 0." type:"expression" example:"data.items"`
	Branches []Branch      `yaml:"branches" doc:"What else is sent: the first branch whose condition is met, and no other."`
}

// plainRule is a Rule without DecodeNode and Describe.
type plainRule Rule

// KeyHint is that of the Rule.
func (*plainRule) KeyHint(key string) string { return (*Rule)(nil).KeyHint(key) }

// DecodeNode implements yamlnode.Decoder: a rule needs then, branches, or both.
func (r *Rule) DecodeNode(n yamlnode.Node) diag.List {
	list := n.Decode(r.Noun(), (*plainRule)(r))
	if n.Kind() == yamlnode.Map && n.Get("then").IsZero() && n.Get("branches").IsZero() {
		list = append(list, yamlnode.MissingKey(n, "then", "then: [{ to: … }]", r.Noun()))
	}
	return list
}

// Describe implements yamlnode.Described.
func (Rule) Describe() yamlnode.Spec { return yamlnode.Describe[plainRule]() }

// Branch is one entry under branches, as it stands in the file.
type Branch struct {
	Name yamlnode.Text `yaml:"name,required" doc:"Names the branch; unique in its rule." example:"hot"`
	When yamlnode.Text `yaml:"when" doc:"The branch is taken where this expression is true and no branch before it was taken. Only the last branch may be without one: it is taken where no other is." type:"expression" example:"data.budget >= 5000"`
	Then []Action      `yaml:"then,required" doc:"What is sent, one action an item."`
}

// Noun names a branch in messages.
func (*Branch) Noun() string { return "a branch" }

// KeyHint says what other tools' words for a branch's keys are here.
func (*Branch) KeyHint(key string) string {
	ours := map[string]string{
		"if": "when", "filter": "when", "condition": "when", "where": "when", "do": "then", "actions": "then", "action": "then", "steps": "then",
	}[key]
	if ours == "" {
		return ""
	}
	return `did you mean "` + ours + `"?`
}

// Actions are all actions of the rule, those of then before those of its branches,
// each with its number: which of the rule's actions to its connection, from 1.
func (r *Rule) Actions() iter.Seq2[int, *Action] {
	return func(yield func(int, *Action) bool) {
		numbers := map[string]int{}
		all := func(list []Action) bool {
			for i := range list {
				to := list[i].To.Value
				numbers[to]++
				if !yield(numbers[to], &list[i]) {
					return false
				}
			}
			return true
		}
		more := all(r.Then)
		for i := 0; more && i < len(r.Branches); i++ {
			more = all(r.Branches[i].Then)
		}
	}
}

// Input is what the rule's so many-th action to a connection sends under a name; nil
// where there is none.
func (r *Rule) Input(to string, number int, name string) *yamlnode.Field {
	for n, a := range r.Actions() {
		for i := range a.Inputs {
			if n == number && a.To.Value == to && a.Inputs[i].Key.Value == name {
				return &a.Inputs[i]
			}
		}
	}
	return nil
}

// Noun names a rule in messages.
func (*Rule) Noun() string { return "a rule" }

// KeyHint says what other tools' words for a rule's keys are here.
func (*Rule) KeyHint(key string) string {
	ours := map[string]string{
		"filter": "when", "if": "when", "condition": "when", "where": "when", "on": "events", "event": "events", "types": "events",
		"do": "then", "actions": "then", "action": "then", "steps": "then", "source": "from", "sources": "from", "form": "from",
		"foreach": "for_each", "each": "for_each", "loop": "for_each", "with_items": "for_each", "switch": "branches", "paths": "branches", "cases": "branches",
	}[key]
	switch {
	case key == "else" || key == "otherwise" || key == "default":
		return "the last of branches, without a when, is taken where no other is: { name: rest, then: […] }"
	case ours == "":
		return ""
	}
	return `did you mean "` + ours + `"?`
}

// Action is one entry under then, as it stands in the file.
type Action struct {
	To          yamlnode.Text    `yaml:"to" doc:"The connection to send to." example:"billing"`
	Remember    *Remember        `yaml:"remember" doc:"In place of to: a record of a kept table is written; with after, when what it comes after has ended so."`
	Step        yamlnode.Text    `yaml:"step" doc:"Names the action for others that come after it; unique in the rule." example:"contact"`
	After       After            `yaml:"after" doc:"Send when these steps of the rule have been delivered: a name, or a list. A mapping says of each whether it is to be delivered, failed (for good) or ended (however)." example:"{ contact: failed }"`
	When        yamlnode.Text    `yaml:"when" doc:"Send only where this expression is true." type:"expression" example:"data.newsletter == true"`
	OrderingKey yamlnode.Text    `yaml:"ordering_key" doc:"Deliveries of the connection with the same key are sent one at a time, in the order of their events." type:"expression" example:"data.website.id"`
	Delay       yamlnode.Text    `yaml:"delay" doc:"Send so long after the event was accepted. Days and weeks keep the time of day; at most 366d." type:"duration" example:"7d"`
	DelayUntil  yamlnode.Text    `yaml:"delay_until" doc:"Send at the time that this expression gives; a time that is over is now." type:"expression" example:"at(add_time(time(data.appointment), \"-1d\"), \"09:00\")"`
	OnlyDuring  yamlnode.Text    `yaml:"only_during" doc:"Send only while this calendar is open, else when it opens next." example:"office"`
	Throttle    *Throttle        `yaml:"throttle" doc:"Lets only so many go within a time. The others are kept as cancelled, and can be sent by hand."`
	Digest      *Digest          `yaml:"digest" doc:"Gathers events, and sends one for all of them when it closes: items is the list of them, data and event are those of the newest."`
	Inputs      []yamlnode.Field `yaml:",rest"`
	Node        yamlnode.Node    // the whole action
}

// Throttle is how many deliveries of an action may go, as it stands in the file.
type Throttle struct {
	Key    yamlnode.Text `yaml:"key" doc:"What is counted apart: those with the same value of this expression. All of the action together where left out." type:"expression" example:"lower(data.email)"`
	Times  int           `yaml:"times" doc:"How many go within the time." default:"1" min:"1" max:"1000000"`
	Within time.Duration `yaml:"within,required" doc:"The time, from the first that goes. The first after it begins another." example:"30d" above:"0s" max:"3660d"`
}

// Noun names a throttle in messages.
func (*Throttle) Noun() string { return "a throttle" }

// KeyHint says what other tools' words for a throttle's keys are here.
func (*Throttle) KeyHint(key string) string {
	ours := map[string]string{
		"count": "times", "limit": "times", "max": "times", "per": "within", "window": "within", "for": "within", "period": "within", "interval": "within",
		"by": "key", "group_by": "key", "on": "key",
	}[key]
	if ours == "" {
		return ""
	}
	return `did you mean "` + ours + `"?`
}

// DecodeNode implements yamlnode.Decoder: it keeps the Node.
func (a *Action) DecodeNode(n yamlnode.Node) diag.List {
	type plain Action // without DecodeNode
	list := n.Decode("an action", (*plain)(a))
	a.Node = n
	if list.Err() == nil && n.Get("to").IsZero() && n.Get("remember").IsZero() {
		list = append(list, yamlnode.MissingKey(n, "to", "name a connection, or write remember", "an action"))
	}
	return list
}

// Describe implements yamlnode.Described. What else an action can hold depends
// on the connection.
func (Action) Describe() yamlnode.Spec {
	type plain Action // without Describe
	s := yamlnode.Describe[plain]()
	for _, name := range []string{"set", "add"} {
		fields := s.Field("remember").Field(name)
		fields.Type, fields.Template, fields.Item = yamlnode.MappingType, true, &yamlnode.Spec{Type: yamlnode.AnyType, Template: true}
	}
	return s
}

// ActionKeys are the keys that every action has, in the order of their names.
func ActionKeys() []string {
	var keys []string
	for _, f := range (Action{}).Describe().Fields {
		if f.Name != "" {
			keys = append(keys, f.Name)
		}
	}
	slices.Sort(keys)
	return keys
}

// Targets has, by the connection's name, what its kind accepts in an action;
// the zero Action where the connection is there but its kind is not known,
// which is reported elsewhere.
type Targets map[string]lang.Action

// Origins has, by the name of the source or form, the event types it can
// have; nil: any.
type Origins map[string][]string

// Outcome is what the rules say of one event.
type Outcome struct {
	Results    []byte          // one event.Result letter a rule, in the file's order
	Errors     []event.Verdict // the rules that could not be evaluated, and why
	Deliveries []Rendered      // in the file's order
	Records    []event.RecordWrite
}

// Matched counts the rules that matched.
func (o *Outcome) Matched() int {
	n := 0
	for _, r := range o.Results {
		if event.Result(r) == event.Matched {
			n++
		}
	}
	return n
}

// BranchOf is the name of the branch that an action of the rule stands in; "" for one
// of then.
func (r *Rule) BranchOf(a *Action) string {
	for i := range r.Branches {
		for j := range r.Branches[i].Then {
			if a == &r.Branches[i].Then[j] {
				return r.Branches[i].Name.Value
			}
		}
	}
	return ""
}

// Name is the delivery's; see event.Delivery.Name.
func (r *Rendered) Name() string {
	return event.ElementName(event.ActionName(r.Rule, r.Connection, r.Action), r.Element)
}

// Rendered is what one action of a rule that matched sends.
type Rendered struct {
	Rule       string
	Connection string
	Action     int             // which of the rule's actions to this connection, from 1
	Element    int             // which element of the rule's for_each it is for, from 1; 0: the rule has none
	Key        string          // ordering key; "" is none
	Output     json.RawMessage // a JSON object: the action's own keys in the file's order
	Warnings   []string        // values that were missing
	Once       *event.Once     // how many with the same key may go; nil: all
	// Err is not "" where the output must not be sent: a value that the
	// connector requires is missing, or a template could not be evaluated.
	Err string

	Moment time.Time   // when it may begin; zero: when its event is accepted
	Wait   *event.Wait // where the moment comes from; nil: it has none
	// Later: it is made later, if at all, and has its number from now on.
	Later   bool
	Joining *Joining   // the digest that the event joins in place of being sent; nil: none
	Flow    event.Flow // what comes after it
	// Record is written where the action's turn comes, in place of sending; nil: it sends.
	Record *event.RecordWrite
	// Done is as what a step was delivered before, which a replay does not send again;
	// 0: it was not.
	Done event.DeliveryID
}
