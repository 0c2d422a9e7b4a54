package cli

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"hookgate/app"
	"hookgate/app/cli/term"
	"hookgate/app/config"
	"hookgate/internal/diag"
)

// rehearsed is what `recipes test --json` prints.
type rehearsed struct {
	OK          bool      `json:"ok"`
	Diagnostics diag.List `json:"diagnostics"`
}

func newRecipes(s *session) *cobra.Command {
	return group("recipes", groupRules, "Try recipes of your own", newRecipesTest(s))
}

func newRecipesTest(s *session) *cobra.Command {
	return &cobra.Command{
		Use: "test FILE...", Short: "Try the samples of recipes: what they send, and what becomes of the answers",
		Long: `Try the samples that stand under "samples" in recipes. Their requests go to a
receiver that the command itself is, on the loopback of this machine; nothing is
sent to anybody else. No config is needed. check does the same with the recipes
that the config names.`,
		Example: `  hookgate recipes test mytool.yaml`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usageError("usage: "+cmd.UseLine(), errors.New("hookgate recipes test wants the file of a recipe"))
			}
			return nil
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return []string{"yaml", "yml"}, cobra.ShellCompDirectiveFilterFileExt
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			report := &config.Report{Files: map[string][]byte{}}
			for _, path := range args {
				if err := s.rehearse(cmd.Context(), path, report); err != nil {
					return err
				}
			}
			return s.rehearsed(report)
		},
	}
}

// rehearse tries the samples of a recipe; what it finds is added to the report.
func (s *session) rehearse(ctx context.Context, path string, report *config.Report) error {
	content, err := os.ReadFile(path) //nolint:gosec // who runs the command names it
	if err != nil {
		return &failure{code: exitConfig, err: fmt.Errorf("the recipe can't be read: %w", err)}
	}
	report.Files[path] = content
	r, list, err := app.RehearseRecipe(ctx, path, content)
	report.Add(list)
	switch {
	case err != nil || list.Count(diag.Error) > 0 || s.json:
		return err
	case len(r.Samples) == 0:
		s.note("%s has no samples: what it sends is not tried", term.Clean(r.Name))
		return nil
	}
	answers := 0
	for i := range r.Samples {
		answers += len(r.Samples[i].Answers)
	}
	s.out.Printf("%s %s: %s, %s\n", s.out.Good.Render("✓"), s.out.Name.Render(term.Clean(r.Name)), plural(len(r.Samples), "sample"), plural(answers, "answer"))
	return nil
}

func (s *session) rehearsed(report *config.Report) error {
	failed := report.List.Count(diag.Error)
	if s.json {
		out := rehearsed{OK: failed == 0, Diagnostics: report.List}
		if out.Diagnostics == nil {
			out.Diagnostics = diag.List{}
		}
		if err := s.printJSON(out); err != nil {
			return err
		}
	} else if err := s.renderDiagnostics(report); err != nil {
		return err
	}
	switch {
	case failed == 0:
		return nil
	case app.OnlyTestsFail(report.List):
		return &failure{code: exitFailed}
	}
	return &failure{code: exitConfig}
}
