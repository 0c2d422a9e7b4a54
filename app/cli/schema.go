package cli

import (
	"github.com/spf13/cobra"

	"hookgate/app"
	"hookgate/connectors"
)

func newSchema(s *session) *cobra.Command {
	return &cobra.Command{
		Use: "schema", GroupID: groupRules, Short: "Print the JSON Schema of config.yaml, by which editors complete it",
		Long: `Print the JSON Schema of config.yaml, by which editors complete and check it.

  hookgate schema > config.schema.json

With this line at its top, editors with the YAML language server (Visual Studio
Code with the extension YAML, Neovim, Emacs, Helix and others) use it:

  # yaml-language-server: $schema=./config.schema.json`,
		Args: exactly(),
		RunE: func(*cobra.Command, []string) error {
			text, err := app.Schema(connectors.Kinds())
			if err != nil {
				return err
			}
			_, err = s.stdout.Write(text)
			return err
		},
	}
}
