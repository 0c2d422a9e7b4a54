package cli

import (
	"github.com/spf13/cobra"

	"hookgate/app"
)

func newSchema(s *session) *cobra.Command {
	return &cobra.Command{
		Use: "schema", GroupID: groupRules, Short: "Print the JSON Schema of config.yaml, by which editors complete it",
		Example: `  hookgate schema > config.schema.json`,
		Long: `Print the JSON Schema of config.yaml, by which editors complete and check it.

It knows the kinds of connections that come with hookgate, and those of the
recipes that the config names, where there is one.

With this line at its top, editors with the YAML language server (Visual Studio
Code with the extension YAML, Neovim, Emacs, Helix and others) use it:

  # yaml-language-server: $schema=./config.schema.json`,
		Args: exactly(),
		RunE: func(*cobra.Command, []string) error {
			kinds, err := s.kinds()
			if err != nil {
				return err
			}
			text, err := app.Schema(kinds)
			if err != nil {
				return err
			}
			_, err = s.stdout.Write(text)
			return err
		},
	}
}
