package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"hookgate/app"
	"hookgate/app/cli/term"
	"hookgate/app/config"
	"hookgate/app/web/api/client"
	"hookgate/internal/diag"
	"hookgate/internal/schema"
)

// checked is what `check --json` prints.
type checked struct {
	OK          bool      `json:"ok"`
	File        string    `json:"file"`
	Diagnostics diag.List `json:"diagnostics"`
	// Unseen is why stored events could not be looked at; "": they were, or
	// there are none.
	Unseen string `json:"unseen,omitempty"`
}

func newCheck(s *session) *cobra.Command {
	var strict, withoutEnv bool
	c := &cobra.Command{
		Use: "check [FILE]", GroupID: groupRules, Short: "Check the config and say everything that is wrong with it",
		Example: `  hookgate check
  hookgate check --strict --json /etc/hookgate/config.yaml`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usageError("usage: "+cmd.UseLine(), errors.New("hookgate check wants one config file at the most"))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				s.file = args[0]
			}
			return s.check(cmd.Context(), strict, withoutEnv)
		},
	}
	c.Flags().BoolVar(&strict, "strict", false, "fail on a warning too")
	c.Flags().BoolVar(&withoutEnv, "without-env", false, "let values of the environment be missing, as where a change is reviewed")
	return c
}

func (s *session) check(ctx context.Context, strict, withoutEnv bool) error {
	path, err := s.findConfig()
	if err != nil && s.json {
		return s.checkJSON(checked{}, strict, &config.Report{List: diag.List{{Severity: diag.Error, Code: "no-file", Message: err.Error()}}})
	}
	if err != nil {
		return err
	}
	unseen := ""
	loaded, report, err := app.Check(ctx, path, s.seen(&unseen), withoutEnv)
	if err != nil && report == nil {
		return &failure{code: exitConfig, err: err}
	}
	if s.json {
		return s.checkJSON(checked{File: path, Unseen: unseen}, strict, report)
	}
	if unseen != "" {
		s.note("stored events were not looked at: %s", term.Clean(unseen))
	}
	if report.List.Count(diag.Error) > 0 {
		return s.configFailure(report)
	}
	if strict || !s.quiet {
		if err := s.renderDiagnostics(report); err != nil {
			return err
		}
	}
	s.printCounts(loaded, report)
	if warnings := report.List.Count(diag.Warning); strict && warnings > 0 {
		return &failure{code: exitFailed, err: fmt.Errorf("the config has %s, and --strict allows none", plural(warnings, "warning"))}
	}
	return nil
}

// seen asks the server that runs what it has seen of each source and form, and
// where none does looks into the database. unseen gets why it could not.
func (s *session) seen(unseen *string) app.Survey {
	return func(ctx context.Context, l *app.Plan) (map[string]schema.Source, bool) {
		origins, found, err := s.seenBy(ctx, l)
		if err != nil {
			*unseen = strings.Join(strings.Fields(err.Error()), " ")
		}
		return origins, found
	}
}

func (s *session) seenBy(ctx context.Context, l *app.Plan) (map[string]schema.Source, bool, error) {
	server, err := s.connect()
	if err != nil {
		return app.Seen(ctx, l)
	}
	origins := l.Origins()
	found := false
	for name, o := range origins {
		remote, err := server.Fields(ctx, name, o.Form)
		switch {
		case errors.Is(err, client.ErrUnreachable):
			return app.Seen(ctx, l)
		case err == nil: // else it does not have this one yet
			o.Seen = remote.Seen
			origins[name] = o
			found = found || o.Events() > 0
		}
	}
	return origins, found, nil
}

func (s *session) checkJSON(result checked, strict bool, report *config.Report) error {
	errs, warnings := report.List.Count(diag.Error), report.List.Count(diag.Warning)
	result.OK, result.Diagnostics = errs == 0 && (!strict || warnings == 0), report.List
	if result.Diagnostics == nil {
		result.Diagnostics = diag.List{}
	}
	if err := s.printJSON(result); err != nil {
		return err
	}
	switch {
	case errs > 0 && !app.OnlyTestsFail(report.List):
		return &failure{code: exitConfig}
	case !result.OK:
		return &failure{code: exitFailed}
	}
	return nil
}

// printCounts prints what a valid config holds.
func (s *session) printCounts(loaded *app.Plan, report *config.Report) {
	doc := loaded.Config
	counts := fmt.Sprintf("%s, %s, %s, %s", plural(len(doc.Sources), "source"), plural(len(doc.Forms), "form"),
		plural(len(doc.Connections), "connection"), plural(len(doc.Rules), "rule"))
	if n := len(doc.Included); n > 0 {
		counts += ", " + plural(n+1, "file")
	}
	tick := s.out.Good.Render("✓")
	s.out.Printf("%s %-48s warnings: %d\n", tick, counts, report.List.Count(diag.Warning))
	if report.EnvNeeded > 0 {
		s.out.Printf("%s %d of %d environment values set\n", tick, report.EnvSet, report.EnvNeeded)
	}
}

// load reads the config for a command that needs a valid one, and shows what
// is wrong where it is not.
func (s *session) load() (*app.Plan, *config.Report, error) {
	path, err := s.findConfig()
	if err != nil {
		return nil, nil, err
	}
	loaded, report, err := app.Load(path)
	if err != nil && report == nil {
		return nil, nil, &failure{code: exitConfig, err: err}
	}
	if report.List.Count(diag.Error) > 0 {
		return nil, report, s.configFailure(report)
	}
	return loaded, report, nil
}

// loadRules is load for a command that only judges by the rules: values of the
// environment may be missing, as they do where a change is reviewed.
func (s *session) loadRules() (*app.Plan, *config.Report, error) {
	path, err := s.findConfig()
	if err != nil {
		return nil, nil, err
	}
	loaded, report, err := app.LoadRules(path)
	if err != nil && report == nil {
		return nil, nil, &failure{code: exitConfig, err: err}
	}
	if err != nil {
		return nil, report, s.configFailure(report)
	}
	return loaded, report, nil
}

// configFailure shows what is wrong in the config and gives the failure for it.
func (s *session) configFailure(report *config.Report) error {
	if err := s.renderDiagnostics(report); err != nil {
		return err
	}
	found := plural(report.List.Count(diag.Error), "error")
	if warnings := report.List.Count(diag.Warning); warnings > 0 {
		found += " and " + plural(warnings, "warning")
	}
	if app.OnlyTestsFail(report.List) {
		why := "samples of a recipe fail"
		if tests, _ := app.TestsFailed(report.List); tests > 0 {
			why = "tests fail, and a reload would be refused"
		}
		return &failure{code: exitFailed, err: fmt.Errorf("the config has %s: %s", found, why)}
	}
	return &failure{code: exitConfig, err: fmt.Errorf("the config has %s", found)}
}

// renderDiagnostics shows all diagnostics on stderr.
func (s *session) renderDiagnostics(report *config.Report) error {
	return report.Render(s.msg, s.msg.Color())
}
