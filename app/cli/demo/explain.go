package demo

import (
	"hookgate/app/cli/term"
	"hookgate/app/cli/trace"
	"hookgate/app/web/api"
)

// printRules prints what each rule that listens said of an event, and why.
func (d *demo) printRules(e *api.EventDetail) {
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
