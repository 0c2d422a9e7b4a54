// Package doctor looks a gateway over: its configuration, its files, its disk,
// the server that runs, and the receivers. It changes nothing and sends nothing;
// each thing that it finds comes with what to do about it.
package doctor

import (
	"context"
	"time"

	"hookgate/app"
	"hookgate/app/admin"
	"hookgate/app/config"
)

// Finding is one thing that is wrong, or could be better.
type Finding struct {
	// Check is what was looked at: config, database, disk and so on.
	Check string `json:"check"`
	// Advice says that nothing is broken by it.
	Advice bool   `json:"advice,omitempty"`
	What   string `json:"what"`
	Remedy string `json:"remedy"`
}

// Server is what is asked of a running server.
type Server interface {
	Status(ctx context.Context) (admin.Status, error)
}

// Options are what Examine works with.
type Options struct {
	Path    string // of the configuration
	Env     config.LookupFunc
	Version string
	Now     func() time.Time
	// Server is the one that runs; its error says that none does.
	Server Server
	// Unreachable tells an error of Server that says that none runs.
	Unreachable func(error) bool
}

// Report is what was looked at, and what was found.
type Report struct {
	Checked  []string  `json:"checked"`
	Findings []Finding `json:"findings"`
}

// Problems counts the findings that are more than advice.
func (r *Report) Problems() int {
	n := 0
	for _, f := range r.Findings {
		if !f.Advice {
			n++
		}
	}
	return n
}

// examination is one that is under way.
type examination struct {
	opt     Options
	report  Report
	plan    *app.Plan      // nil where the configuration cannot be used
	doc     *config.Config // nil where not even its storage can be told
	running bool
}

// Examine looks everything over. What cannot be looked at, because of what was
// found before, is left out of Report.Checked.
func Examine(ctx context.Context, opt Options) Report {
	x := &examination{opt: opt, report: Report{Checked: []string{}, Findings: []Finding{}}}
	for _, check := range []struct {
		name string
		look func(context.Context, func(what, remedy string)) bool
	}{
		{"config", x.config},
		{"server", x.server},
		{"database", x.database},
		{"clock", x.clock},
		{"uploads", x.uploads},
		{"disk", x.disk},
		{"public_url", x.publicURL},
		{"login", x.login},
		{"connections", x.connections},
		{"backup", x.backup},
	} {
		looked := check.look(ctx, func(what, remedy string) {
			x.report.Findings = append(x.report.Findings, Finding{Check: check.name, What: what, Remedy: remedy})
		})
		if looked {
			x.report.Checked = append(x.report.Checked, check.name)
		}
	}
	return x.report
}

// advise adds what breaks nothing.
func (x *examination) advise(check, what, remedy string) {
	x.report.Findings = append(x.report.Findings, Finding{Check: check, Advice: true, What: what, Remedy: remedy})
}
