package demo

import (
	"hookgate/app/admin"
	"hookgate/app/cli/term"
	"hookgate/app/cli/trace"
)

// printRules prints what each rule that listens said of an event, and why.
func (d *demo) printRules(e *admin.EventDetail) {
	label := d.label("rule")
	before := label
	lead := func() string {
		text := label
		label = d.label("")
		return text
	}
	trace.View{Out: d.Out, Width: columns - 8, Lead: lead}.Rules(e.Why)
	if label == before {
		d.Out.Printf("%snone listens to %s: kept, nothing to send\n", label, term.Clean(e.Type))
	}
}
