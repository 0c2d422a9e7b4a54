package demo

import (
	"hookgate/app/cli/screen"
	"hookgate/app/cli/trace"
	"hookgate/app/web/api"
	"hookgate/rules"
)

// printRules prints what each rule that listens said of an event, and why.
func (d *demo) printRules(e *api.EventDetail) {
	label := d.label("rule")
	for i := range e.Why {
		t := &e.Why[i]
		if t.Result == rules.Skipped {
			continue
		}
		d.Out.Printf("%s%s  %s\n", label, screen.Pad(screen.Clean(t.Rule), 22), trace.Verdict(d.Out, t))
		label = d.label("")
		trace.Parts(d.Out, t.Parts, 10)
	}
	if label == d.label("rule") {
		d.Out.Printf("%snone listens to %s: kept, nothing to send\n", label, screen.Clean(e.Type))
	}
}
