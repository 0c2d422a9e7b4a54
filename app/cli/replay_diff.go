package cli

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"hookgate/app"
	"hookgate/app/admin"
	"hookgate/app/cli/term"
	"hookgate/app/config"
	"hookgate/app/replay"
	"hookgate/app/web/api/client"
)

// diffFlags are those of a replay that compares.
type diffFlags struct {
	on      bool
	base    string
	configs []string
	limit   int
}

// add declares the flags. The one for a config file has another meaning with
// --diff than everywhere else, and so it is declared anew: the short form
// names the file that is used, as ever, the long one what it is compared with.
func (d *diffFlags) add(c *cobra.Command) {
	f := c.Flags()
	f.BoolVar(&d.on, "diff", false, "send nothing: compare the rules in force with those of the config file")
	f.StringVarP(&d.base, "use-config", "c", "", "the config `file` to use, whatever --diff compares")
	f.StringArrayVar(&d.configs, "config", nil, "with --diff: compare with this `file`; given twice, the first one with the second")
	f.IntVar(&d.limit, "limit", 20, "with --diff: print at most so many of the events that change")
	_ = c.MarkFlagFilename("config", "yaml", "yml")
}

// choose gives the flags their meaning: without --diff --config is what it is
// for every command.
func (d *diffFlags) choose(s *session) error {
	if d.base != "" {
		s.file = d.base
	}
	switch {
	case d.on && len(d.configs) > 2:
		return usageError("", errors.New("--diff compares two configs at the most"))
	case d.on && d.limit < 0:
		return usageError("", errors.New("--limit must not be negative"))
	case !d.on && len(d.configs) > 0:
		s.file = d.configs[len(d.configs)-1]
	}
	return nil
}

// comparer puts events through rules: a server, or a database that is read.
type comparer interface {
	Compare(ctx context.Context, r admin.CompareRequest) (admin.Comparison, error)
}

// compare prints what other rules would do.
func (r *replayCall) compare(ctx context.Context, s *session) error {
	request := admin.CompareRequest{EventSelection: r.selection(), Limit: r.diff.limit}
	names, err := r.diff.versions(s, &request)
	if err != nil {
		return err
	}
	found, err := r.compareAt(ctx, s, request)
	if err != nil {
		return s.compareFailure(request.Where, err)
	}
	if s.json {
		if err := s.printJSON(found); err != nil {
			return err
		}
	} else {
		s.printComparison(found, names)
	}
	if found.Changed > 0 {
		return &failure{code: exitFailed}
	}
	return nil
}

// versions puts the versions to compare into the request, and tells how people
// call them.
func (d *diffFlags) versions(s *session, request *admin.CompareRequest) (names [2]string, err error) {
	names = [2]string{"the rules in force", ""}
	var other string
	switch len(d.configs) {
	case 0:
		if other, err = s.findConfig(); err != nil {
			return names, err
		}
	case 1:
		other = d.configs[0]
	default:
		names[0], other = d.configs[0], d.configs[1]
		if request.Now, err = s.versionOf(names[0]); err != nil {
			return names, err
		}
	}
	names[1] = other
	request.Then, err = s.versionOf(other)
	return names, err
}

// versionOf reads a config file as a version to judge by. Values of the
// environment may be missing.
func (s *session) versionOf(path string) (json.RawMessage, error) {
	loaded, report, err := app.LoadRules(path)
	if err != nil && report == nil {
		return nil, &failure{code: exitConfig, err: err}
	}
	if err != nil {
		return nil, s.configFailure(report)
	}
	version, err := loaded.RuleSet()
	if err != nil {
		return nil, &failure{code: exitFailed, err: err}
	}
	return version.Whole(), nil
}

// compareAt has the running server compare, or reads its database where none
// runs.
func (r *replayCall) compareAt(ctx context.Context, s *session, request admin.CompareRequest) (admin.Comparison, error) {
	if s.file == "" && len(r.diff.configs) > 0 { // whose events: those of the first config
		if _, err := s.findConfig(); err != nil || len(r.diff.configs) > 1 {
			s.file = r.diff.configs[0]
		}
	}
	server, err := s.connect()
	if err != nil {
		return admin.Comparison{}, err
	}
	found, err := s.compareAll(ctx, server, request)
	if url, _ := s.env("HOOKGATE_URL"); url != "" || !errors.Is(err, client.ErrUnreachable) {
		return found, err
	}
	path, err := s.findConfig()
	if err != nil {
		return admin.Comparison{}, err
	}
	doc, report := config.Load(path, s.env)
	if doc == nil {
		return admin.Comparison{}, s.configFailure(report)
	}
	past, err := app.OpenPast(ctx, doc.Storage, app.Kinds(doc, report), s.now)
	if err != nil {
		return admin.Comparison{}, &failure{code: exitFailed, err: err, hint: "no server runs with this config either"}
	}
	defer func() { _ = past.Close() }()
	return s.compareAll(ctx, past, request)
}

// compareAll adds up the parts of a comparison.
func (s *session) compareAll(ctx context.Context, by comparer, request admin.CompareRequest) (admin.Comparison, error) {
	var all admin.Comparison
	var bar *progress
	for {
		part, err := by.Compare(ctx, request)
		if err != nil {
			return all, err
		}
		if bar == nil {
			all.Config, all.Against, all.Total = part.Config, part.Against, part.Total
			all.Rules, all.Events = []replay.RuleCount{}, []replay.EventChange{}
			bar = s.progress(part.Total, "comparing")
			defer bar.end()
		}
		all.Read += part.Read
		all.Merge(&part.Report, request.Limit)
		bar.set(all.Read)
		if part.Next == nil {
			return all, nil
		}
		request.After = part.Next
	}
}

func (s *session) compareFailure(where string, err error) error {
	if f, ok := errors.AsType[*failure](err); ok {
		return f
	}
	return s.searchFailure(where, err)
}

// printComparison prints how often each rule matches, and the events that
// change.
func (s *session) printComparison(c admin.Comparison, names [2]string) {
	s.note("%s judged by %s (%s) and by %s (%s)", plural(c.Examined, "event"), names[0], c.Config, term.Clean(names[1]), c.Against)
	var rows [][]string
	for i := range c.Rules {
		rows = append(rows, s.ruleRow(&c.Rules[i]))
	}
	if len(rows) > 0 {
		s.out.Printf("%s", s.out.Table([]string{"RULE", "NOW", "THEN", "MORE", "FEWER", "OUTPUT", ""}, rows))
	}
	for i := range c.Events {
		s.printChange(&c.Events[i])
	}
	if more := c.Changed - len(c.Events); more > 0 && len(c.Events) > 0 {
		s.note("… and %s more: --limit %d prints all", plural(more, "event"), c.Changed)
	}
	if c.Failed > 0 {
		s.note("%s left out: %s", plural(c.Failed, "event"), term.Clean(c.Failure))
	}
	if c.Changed == 0 {
		s.out.Printf("None of %s changes. Nothing was sent.\n", plural(c.Examined, "event"))
		return
	}
	verb := "change"
	if c.Changed == 1 {
		verb = "changes"
	}
	s.out.Printf("%s of %s %s. Nothing was sent.\n", thousands(c.Changed), plural(c.Examined, "event"), verb)
}

func (s *session) ruleRow(r *replay.RuleCount) []string {
	count := func(n int, sign string) string {
		if n == 0 {
			return s.out.Dim.Render("0")
		}
		return sign + thousands(n)
	}
	note := ""
	switch {
	case r.New:
		note = s.out.Good.Render("new")
	case r.Removed:
		note = s.out.Bad.Render("gone")
	}
	if r.ErrorsNow+r.ErrorsThen > 0 {
		note = strings.TrimSpace(note + " " + s.out.Bad.Render("errors: "+strconv.Itoa(r.ErrorsNow)+" → "+strconv.Itoa(r.ErrorsThen)))
	}
	return []string{
		term.Clean(r.Rule), thousands(r.Now), thousands(r.Then), s.out.Good.Render(count(r.More, "+")),
		s.out.Bad.Render(count(r.Fewer, "−")), s.out.Warn.Render(count(r.Outputs, "~")), note,
	}
}

// printChange prints one event and what differs for it:
//
//	2026-03-10 10:42:07  evt_7q2  sitejet  website_status_changed  Harry's Diner
//	  − activate-subscription/billing
//	  ~ announce-status/slack-web  text: "moved to Done" → "is Done"
func (s *session) printChange(e *replay.EventChange) {
	s.out.Printf("\n%s  %s  %s  %s  %s\n", s.out.Dim.Render(e.Time.Local().Format(time.DateTime)), e.ID,
		s.out.Name.Render(term.Clean(e.Source)), term.Clean(e.Type), s.out.Strong.Render(term.Cut(term.Clean(e.Summary), 40)))
	for _, route := range e.Routes {
		name := term.Clean(route.Route)
		switch route.Change {
		case replay.Added:
			s.out.Println("  " + s.out.Good.Render("+ "+name))
		case replay.Removed:
			s.out.Println("  " + s.out.Bad.Render("− "+name))
		case replay.Error:
			s.out.Println("  " + s.out.Bad.Render("✗ "+name+" cannot judge it: ") + term.Clean(route.Message))
		default:
			s.out.Println("  " + s.out.Warn.Render("~ "+name))
			for _, d := range route.Differences {
				s.out.Printf("      %s: %s → %s\n", term.Clean(d.Path), s.out.Bad.Render(orNothing(d.Now)), s.out.Good.Render(orNothing(d.Then)))
			}
		}
	}
}

func orNothing(text string) string {
	if text == "" {
		return "nothing"
	}
	return term.Clean(text)
}
