package ui

import (
	"encoding/json"
	"html/template"
	"slices"
	"strings"
	"time"

	"hookgate/app/admin"
	"hookgate/internal/event"
	"hookgate/rules"
)

// way is one thing that a rule does, with what moves or bounds it, or the head of
// a branch.
type way struct {
	Branch string // that begins here; "": none does
	When   string // the condition of the branch, or of the action
	To     string
	Step   string
	Table  string // of a record that is written in place of a delivery
	Facts  []fact
}

// fact is one thing to know of an action: a word, and an expression of the file.
type fact struct{ Icon, Word, Code string }

// Ways are what a rule does, branch by branch; none where it only sends, for then
// its connections tell it all.
func (v *view) Ways(r *admin.RuleSettings) []way {
	var list []way
	more := len(r.Branches) > 0
	of := func(branch string) {
		for i := range r.Actions {
			if a := &r.Actions[i]; a.Branch == branch {
				facts := v.Facts(*a)
				more = more || len(facts) > 0 || a.When != "" || a.Step != ""
				list = append(list, way{To: a.To, Step: a.Step, When: a.When, Facts: facts})
			}
		}
		for _, m := range r.Remembers {
			if m.Branch == branch {
				more = true
				one := way{Table: m.Table, When: m.When, Facts: []fact{{Icon: "save", Word: v.Remembering(m), Code: m.Key}}}
				if m.After != "" {
					one.Facts = slices.Insert(one.Facts, 0, fact{Icon: "sending", Word: v.after(m.After)})
				}
				list = append(list, one)
			}
		}
	}
	of("")
	for _, b := range r.Branches {
		list = append(list, way{Branch: b.Name, When: b.When})
		of(b.Name)
	}
	if !more {
		return nil
	}
	return list
}

// Facts are what moves the moment of an action, or bounds how many go, or makes one
// of many events.
func (v *view) Facts(a admin.RuleAction) []fact {
	var list []fact
	if a.After != "" {
		list = append(list, fact{Icon: "sending", Word: v.after(a.After)})
	}
	switch {
	case a.Delay != "":
		list = append(list, fact{Icon: "wait", Word: v.T("%s later", a.Delay)})
	case a.DelayUntil != "":
		list = append(list, fact{Icon: "wait", Word: v.T("at"), Code: a.DelayUntil})
	}
	if a.OnlyDuring != "" {
		list = append(list, fact{Icon: "hold", Word: v.T("only while %s is open", a.OnlyDuring)})
	}
	if t := a.Throttle; t != nil {
		one := fact{Icon: "ban", Word: v.T("%d in %s at most", t.Times, t.Within)}
		if t.Key != "" {
			one.Word, one.Code = v.T("%d in %s at most for each", t.Times, t.Within), t.Key
		}
		list = append(list, one)
	}
	if d := a.Digest; d != nil {
		one := fact{Icon: "book", Word: v.T("gathered: one message for all, %s; %d at most", v.closesBy(d.By), d.Max)}
		if d.Key != "" {
			one.Word, one.Code = v.T("gathered: one message, %s, %d at most, for each", v.closesBy(d.By), d.Max), d.Key
		}
		list = append(list, one)
	}
	return list
}

// Remembering says what becomes of the record that a rule writes.
func (v *view) Remembering(m admin.RuleRemember) string {
	if m.Add {
		return v.T("adds to the record")
	}
	return v.T("writes the record")
}

// SourceIcon stands for where the events of a source come from, and SourceWord
// says it; "" where somebody posts to it.
func (v *view) SourceIcon(l *admin.RuleList, name string) string {
	switch {
	case l.Clocked[name] != nil:
		return "wait"
	case slices.Contains(l.Manual, name):
		return "user"
	}
	return "site"
}

// SourceWord says when the clock makes events of a source, or that only people do.
func (v *view) SourceWord(l *admin.RuleList, name string) string {
	switch s := l.Clocked[name]; {
	case s != nil:
		return s.In(string(v.Lang))
	case slices.Contains(l.Manual, name):
		return v.T("by hand")
	}
	return ""
}

// after says what an action comes after, from the words of the trace.
func (v *view) after(words string) string {
	rest, after := strings.CutPrefix(words, "after ")
	parts := strings.Split(rest, ", ")
	for i, part := range parts {
		step, fails := strings.CutPrefix(part, "if ")
		switch {
		case part == "however it ends":
			parts[i] = v.T("however it ends")
		case fails:
			parts[i] = v.T("if %s fails", strings.TrimSuffix(step, " fails"))
		}
	}
	if rest = strings.Join(parts, ", "); after {
		return v.T("after %s", rest)
	}
	return rest
}

// WaitWords say what a moment comes from; "" where nothing moves it.
func (v *view) WaitWords(w *event.Wait) string {
	text := ""
	switch {
	case w == nil:
		return ""
	case w.Delay != "":
		text = v.T("%s later", w.Delay)
	case w.Until:
		text = v.T("as delay_until says")
	}
	switch {
	case w.During == "":
	case text == "":
		text = v.T("when %s is open", w.During)
	default:
		text = v.T("%s, then %s", text, w.During)
	}
	return text
}

// notSent is why an action sends nothing, for people.
type notSent struct {
	Text template.HTML
	Bad  bool // it is a fault
}

// NotSent says why nothing is sent by an action; nil: it is sent.
func (v *view) NotSent(a rules.ActionTrace) *notSent {
	switch {
	case a.Sent && a.Err != "":
		return &notSent{v.Tell("It cannot be sent: %s", inEnglish(a.Err)), true}
	case a.Sent:
		return nil
	case a.Reason != "":
		return &notSent{Text: v.Tell("Not sent: %s", inEnglish(a.Reason))}
	case a.Err != "":
		return &notSent{Text: v.Tell("Not sent: %s", inEnglish(a.Err))}
	}
	return &notSent{Text: v.Tell("Not sent: its own condition is not met")}
}

// TraceFacts are what an action of an event comes after, and what bounds it.
func (v *view) TraceFacts(a rules.ActionTrace) []fact {
	var list []fact
	if a.After != "" {
		list = append(list, fact{Icon: "sending", Word: v.after(a.After)})
	}
	if a.Asked {
		list = append(list, fact{Icon: "check", Word: v.T("its own condition is asked then")})
	}
	if a.Throttle != "" {
		list = append(list, fact{Icon: "ban", Code: a.Throttle})
	}
	if a.Key != "" {
		list = append(list, fact{Icon: "key", Word: v.T("In order by"), Code: a.Key})
	}
	return list
}

// shownElements is how many elements of a rule with for_each are shown.
const shownElements = 20

// Shown are the first of the elements, by their numbers from 1.
func (*view) Shown(list []rules.Trace) map[int]rules.Trace {
	out := map[int]rules.Trace{}
	for i := range list[:min(len(list), shownElements)] {
		out[i+1] = list[i]
	}
	return out
}

// Hidden is how many elements are not shown.
func (*view) Hidden(list []rules.Trace) int { return max(0, len(list)-shownElements) }

// Moment is a time with its day and the zone, as a text.
func (v *view) Moment(at time.Time) string {
	local := at.In(v.location)
	return v.Lang.clock(local, "full") + local.Format(" MST")
}

// PrettyAny is a value as indented JSON.
func (v *view) PrettyAny(value any) string {
	text, err := json.Marshal(value)
	if err != nil { // it comes from JSON
		return ""
	}
	return v.Pretty(text)
}
