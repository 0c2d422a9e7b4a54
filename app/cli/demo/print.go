package demo

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"hookgate/app/admin"
	"hookgate/app/cli/term"
	"hookgate/internal/event"
)

// dayTime is how times of the next days are written.
const dayTime = "Mon 2 Jan 15:04"

// columns is the width that the demo is laid out for.
const columns = 80

func (d *demo) printIntro() {
	o := d.Out
	o.Println(o.Strong.Render("hookgate demo") + ": the real server with a temporary database, and a receiver")
	o.Println("that stands in for Slack and a billing service. Nothing leaves this machine.")
	o.Println()
	o.Println("  server    " + d.base)
	o.Println("  receiver  " + d.receiver.url())
	o.Println("  config    " + d.place.config())
	if d.past > 0 {
		o.Printf("  past      a made-up month of %d requests is stored, for the pages to show\n", d.past)
	}
}

func (d *demo) printTitle(number int, title string) {
	head := fmt.Sprintf("%2d ─ %s ", number, title)
	rule := strings.Repeat("─", max(0, columns-term.Width(head)))
	d.Out.Printf("\n%s%s\n", d.Out.Strong.Render(head), d.Out.Dim.Render(rule))
}

// label starts a block: in, rule or out.
func (d *demo) label(text string) string { return "  " + d.Out.Dim.Render(term.Pad(text, 6)) }

func (d *demo) printResult(r *result) {
	o := d.Out
	target := "POST /in/" + r.source + "/••••"
	if r.form != nil {
		target = "POST /f/" + r.source
	}
	status := fmt.Sprintf("%d %s", r.status, http.StatusText(r.status))
	style := o.Good
	if r.status >= http.StatusBadRequest {
		style = o.Bad
	}
	o.Printf("%s%s  %s  %s  %s\n", d.label("in"), target, style.Render(status), r.event.ID, milliseconds(r.took))
	if r.status != r.sample.status {
		o.Printf("        %s\n", o.Bad.Render(fmt.Sprintf("expected was status %d", r.sample.status)))
	}
	switch r.event.State {
	case event.Rejected:
		d.printRejected(r)
	case event.Spam:
		o.Printf("%s%s: kept as spam, no rule sees it\n", d.label("spam"), o.Warn.Render(term.Clean(r.event.Cause)))
	case event.Routed, event.NoMatch, event.RuleError, event.Duplicate:
		d.printRules(&r.event)
	}
	if r.note != "" {
		o.Printf("        %s\n", o.Dim.Render(r.note))
	}
	d.printOut(r)
}

func (d *demo) printRejected(r *result) {
	cause := r.problem.Detail
	if cause == "" {
		cause = r.event.Cause
	}
	for i, line := range term.Wrap("rejected: "+term.Clean(cause), columns-8) {
		lead := "        "
		if i == 0 {
			lead = d.label("✗")
		}
		d.Out.Println(lead + d.Out.Bad.Render(line))
	}
	d.Out.Println("        kept as it came: hookgate events show " + r.event.ID.String())
}

// printOut prints what was sent and what came back.
func (d *demo) printOut(r *result) {
	for i := range r.event.Deliveries {
		delivery := &r.event.Deliveries[i]
		name := d.label("out") + d.Out.Name.Render(term.Clean(delivery.Connection))
		switch {
		case delivery.State == event.Scheduled && delivery.Moment != nil:
			d.Out.Printf("%s  %s\n", name, d.Out.Warn.Render("scheduled for "+delivery.Moment.Local().Format(dayTime)))
			continue
		case delivery.State == event.Delivered:
			d.Out.Printf("%s  %s  %s%s\n", name, d.Out.Good.Render(fmt.Sprintf("✓ %d %s", delivery.Status, http.StatusText(delivery.Status))),
				fmt.Sprintf("%.1f ms", delivery.DurationMS), d.signature(r, delivery))
		default:
			d.Out.Printf("%s  %s\n", name, d.Out.Bad.Render("✗ "+string(delivery.State)+" "+term.Clean(delivery.Error)))
		}
		for _, a := range r.arrivals {
			if serviceOf(delivery) == a.service {
				d.printBody(a.body)
			}
		}
	}
	for i := range r.event.Digests {
		if g := &r.event.Digests[i]; g.Closes != nil {
			d.Out.Printf("%s%s  gathered in a digest, which %s\n", d.label("out"), d.Out.Name.Render(term.Clean(g.Action)),
				d.Out.Warn.Render("closes "+g.Closes.Local().Format(dayTime)))
		}
	}
	for _, name := range r.want {
		if !delivered(r.event.Deliveries, name) {
			d.Out.Printf("        %s\n", d.Out.Bad.Render("✗ expected was "+name))
		}
	}
}

// signature says what the receiver found of the request's signature.
func (d *demo) signature(r *result, delivery *admin.Delivery) string {
	for _, a := range r.arrivals {
		switch {
		case a.service != serviceOf(delivery) || !a.signed:
		case a.fault != nil:
			return "  " + d.Out.Bad.Render("✗ signature: "+a.fault.Error())
		default:
			return "  signature verified"
		}
	}
	return ""
}

// serviceOf is which part of the receiver a delivery goes to.
func serviceOf(delivery *admin.Delivery) string {
	service, _, _ := strings.Cut(delivery.Connection, "-")
	return service
}

func delivered(deliveries []admin.Delivery, name string) bool {
	for _, d := range deliveries {
		if d.Name == name && d.State == event.Delivered {
			return true
		}
	}
	return false
}

// printBody prints a request's body as its receiver got it: a message's lines
// as such, JSON in one piece.
func (d *demo) printBody(body []byte) {
	var message struct {
		Text string `json:"text"`
	}
	text := string(body)
	var compact bytes.Buffer
	if json.Unmarshal(body, &message) == nil && message.Text != "" {
		text = message.Text
	} else if json.Compact(&compact, body) == nil {
		text = compact.String()
	}
	for line := range strings.Lines(term.CleanBlock(text)) {
		for _, part := range term.Wrap(strings.TrimRight(line, "\n"), columns-10) {
			d.Out.Println("          " + part)
		}
	}
}

// printLive prints what arrives while the demo serves on.
func (d *demo) printLive(a arrival) {
	note := ""
	if a.fault != nil {
		note = "  " + d.Out.Bad.Render("✗ signature: "+a.fault.Error())
	}
	d.Out.Printf("%s  %s received%s\n", d.Out.Dim.Render(d.Now().Format(time.TimeOnly)), d.Out.Name.Render(a.service), note)
	d.printBody(a.body)
}

func milliseconds(t time.Duration) string {
	return fmt.Sprintf("%.1f ms", float64(t.Microseconds())/1000)
}
