package demo

import (
	"fmt"
	"strconv"
	"strings"

	"hookgate/app/cli/term"
	"hookgate/internal/event"
)

// printSummary prints a line a sample and reports whether all went as expected.
func (d *demo) printSummary(results []result) bool {
	o := d.Out
	rows := make([][]string, len(results))
	wanted, arrived, complete := 0, 0, true
	for i := range results {
		r := &results[i]
		sign := o.Good.Render("✓")
		if !r.ok() {
			sign, complete = o.Bad.Render("✗"), false
		}
		rows[i] = []string{sign, term.Cut(r.title, 45), strconv.Itoa(r.status), summary(r)}
		wanted += len(r.want)
		arrived += r.arrived()
	}
	o.Printf("\n%s\n", o.Dim.Render(strings.Repeat("─", columns)))
	o.Printf("%s\n", o.Table([]string{"", "WHAT CAME IN", "", "WHAT BECAME OF IT"}, rows))
	style := o.Good
	if !complete {
		style = o.Bad
	}
	o.Println(style.Render(fmt.Sprintf("%d of %d expected deliveries arrived.", arrived, wanted)))
	return complete
}

// summary says in a few words what became of a sample.
func summary(r *result) string {
	switch r.event.State {
	case event.Rejected:
		return "rejected, kept"
	case event.Spam:
		return "spam, kept"
	case event.Routed, event.NoMatch, event.RuleError, event.Duplicate:
	}
	if len(r.event.Deliveries) == 0 {
		return "no rule matched, kept"
	}
	var parts []string
	later := len(r.event.Digests)
	for _, delivery := range r.event.Deliveries {
		sign := "✗"
		switch delivery.State {
		case event.Delivered:
			sign = "✓"
		case event.Scheduled:
			later++
			continue
		case event.Waiting, event.Sending, event.Retrying, event.Held, event.Failed, event.Cancelled:
		}
		parts = append(parts, term.Clean(delivery.Connection)+" "+sign)
	}
	if later > 0 {
		parts = append(parts, fmt.Sprintf("%d to come", later))
	}
	return strings.Join(parts, ", ")
}

// printTry says what to do with the server that goes on.
func (d *demo) printTry(link string) {
	o := d.Out
	o.Printf("\n%s\n\n", o.Strong.Render("It serves on until Ctrl-C. Try it:"))
	o.Println("  the pages              " + link)
	o.Println("                         (the link logs in once, within ten minutes)")
	o.Println("  a page with the form   " + d.receiver.url() + "/")
	o.Println()
	o.Println(o.Dim.Render("  # in another terminal (from the source: go run . instead of hookgate)"))
	o.Println("  export HOOKGATE_CONFIG=" + d.place.config())
	o.Println("  hookgate samples show sitejet | curl -H 'Content-Type: application/json' -d @- \\")
	o.Println("    " + d.base + "/in/sitejet/" + d.place.token)
	o.Println("  hookgate events list")
	o.Println("  hookgate deliveries list")
	o.Println("  hookgate events send sitejet --sample --set website.status=Assign")
	o.Println()
}
