package cli

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"hookgate/app/config"
	"hookgate/internal/diag"
)

func newReload(s *session) *cobra.Command {
	return &cobra.Command{
		Use: "reload", GroupID: groupOperate, Short: "Have the running server read its config again",
		Example: `  hookgate check && hookgate reload`,
		Long: `Have the running server read its config again. A config with errors, or
of which a test fails, is refused whole, and the one before stays in force.`,
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			server, err := s.connect()
			if err != nil {
				return err
			}
			result, err := server.Reload(cmd.Context())
			if err != nil {
				return serverError(err)
			}
			if s.json {
				if err := s.printJSON(result); err != nil {
					return err
				}
			} else if err := diag.Render(s.msg, result.Diagnostics, s.reloadedFiles(result.Diagnostics), s.msg.Color()); err != nil {
				return err
			}
			switch {
			case !result.OK:
				return &failure{code: exitConfig, err: fmt.Errorf("refused: %s, %s stays in force", refusedFor(result.Diagnostics), result.Config)}
			case !s.json:
				s.note("config %s is in force", result.Config)
			}
			return nil
		},
	}
}

// refusedFor counts what a configuration is refused for.
func refusedFor(list diag.List) string {
	tests := 0
	for _, d := range list {
		if d.Code == "test-failed" {
			tests++
		}
	}
	switch {
	case tests == 1:
		return "a test of the config fails"
	case tests > 1:
		return fmt.Sprintf("%d tests of the config fail", tests)
	}
	return "the config has " + plural(list.Count(diag.Error), "error")
}

// reloadedFiles gives the text of the config for the lines that diagnostics
// point at. A server elsewhere has a file of its own, which can't be shown.
func (s *session) reloadedFiles(list diag.List) map[string][]byte {
	files := map[string][]byte{}
	if url, _ := s.env("HOOKGATE_URL"); url != "" {
		return files
	}
	path, err := s.findConfig()
	if err != nil {
		return files
	}
	_, report := config.Load(path, s.env)
	here := &config.Config{Path: path}
	for _, d := range list {
		for file, text := range report.Files {
			if near := "/" + here.Name(file); strings.HasSuffix("/"+filepath.ToSlash(d.File), near) {
				files[d.File] = text
			}
		}
	}
	return files
}
