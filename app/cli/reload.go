package cli

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"hookgate/app/diag"
)

func newReload(s *session) *cobra.Command {
	return &cobra.Command{
		Use: "reload", GroupID: groupOperate, Short: "Have the running server read its config again",
		Long: `Have the running server read its config again. A config with errors is refused
whole, and the one before stays in force.`,
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
				return &failure{code: exitConfig, err: fmt.Errorf("refused: the config has %s, %s stays in force",
					plural(result.Diagnostics.Count(diag.Error), "error"), result.Config)}
			case !s.json:
				s.note("config %s is in force", result.Config)
			}
			return nil
		},
	}
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
	content, err := os.ReadFile(filepath.Clean(path))
	if err != nil {
		return files
	}
	for _, d := range list {
		if filepath.Base(d.File) == filepath.Base(path) {
			files[d.File] = content
		}
	}
	return files
}
