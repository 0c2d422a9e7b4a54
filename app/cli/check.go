package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"hookgate/app"
	"hookgate/app/config"
	"hookgate/app/diag"
)

// checked is what `check --json` prints.
type checked struct {
	OK          bool      `json:"ok"`
	File        string    `json:"file"`
	Diagnostics diag.List `json:"diagnostics"`
}

func newCheck(s *session) *cobra.Command {
	return &cobra.Command{
		Use: "check [FILE]", GroupID: groupRules, Short: "Check the config and say everything that is wrong with it",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usageError("usage: "+cmd.UseLine(), errors.New("hookgate check wants one config file at the most"))
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 1 {
				s.file = args[0]
			}
			return s.check()
		},
	}
}

func (s *session) check() error {
	path, err := s.findConfig()
	if err != nil && s.json {
		return s.checkJSON("", &config.Report{List: diag.List{{Severity: diag.Error, Code: "no-file", Message: err.Error()}}})
	}
	if err != nil {
		return err
	}
	loaded, report, err := app.Load(path)
	if err != nil && report == nil {
		return &failure{code: exitConfig, err: err}
	}
	if s.json {
		return s.checkJSON(path, report)
	}
	if report.List.Count(diag.Error) > 0 {
		return s.configFailure(report)
	}
	if err := s.renderDiagnostics(report); err != nil {
		return err
	}
	s.printCounts(loaded, report)
	return nil
}

func (s *session) checkJSON(path string, report *config.Report) error {
	result := checked{OK: report.List.Count(diag.Error) == 0, File: path, Diagnostics: report.List}
	if result.Diagnostics == nil {
		result.Diagnostics = diag.List{}
	}
	if err := s.printJSON(result); err != nil {
		return err
	}
	if !result.OK {
		return &failure{code: exitConfig}
	}
	return nil
}

// printCounts prints what a valid config holds.
func (s *session) printCounts(loaded *app.Loaded, report *config.Report) {
	doc := loaded.Document
	counts := fmt.Sprintf("%s, %s, %s, %s", plural(len(doc.Sources), "source"), plural(len(doc.Forms), "form"),
		plural(len(doc.Connections), "connection"), plural(len(doc.Rules), "rule"))
	tick := s.out.Good.Render("✓")
	s.out.Printf("%s %-48s warnings: %d\n", tick, counts, report.List.Count(diag.Warning))
	if report.EnvNeeded > 0 {
		s.out.Printf("%s %d of %d environment values set\n", tick, report.EnvSet, report.EnvNeeded)
	}
}

// configFailure shows what is wrong in the config and gives the failure for it.
func (s *session) configFailure(report *config.Report) error {
	if err := s.renderDiagnostics(report); err != nil {
		return err
	}
	errs := report.List.Count(diag.Error)
	return &failure{code: exitConfig, err: fmt.Errorf("the config has %s", plural(errs, "error"))}
}

// renderDiagnostics shows all diagnostics on stderr.
func (s *session) renderDiagnostics(report *config.Report) error {
	return report.Render(s.msg, s.msg.Color())
}
