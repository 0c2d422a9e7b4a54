package cli

import (
	"github.com/spf13/cobra"

	"hookgate/app"
)

func newSchema(s *session) *cobra.Command {
	included := false
	c := &cobra.Command{
		Use: "schema", GroupID: groupRules, Short: "Print the JSON Schema of config.yaml, by which editors complete it",
		Example: `  hookgate schema > config.schema.json
  hookgate schema --included > clients/included.schema.json`,
		Long: `Print the JSON Schema of config.yaml, by which editors complete and check it.

It knows the kinds of connections that come with hookgate, and those of the
recipes that the config names, where there is one.

With this line at its top, editors with the YAML language server (Visual Studio
Code with the extension YAML, Neovim, Emacs, Helix and others) use it:

  # yaml-language-server: $schema=./config.schema.json

With --included it is the schema of a file that config.yaml includes, which has
fewer sections and needs no version.`,
		Args: exactly(),
		RunE: func(*cobra.Command, []string) error {
			kinds, err := s.kinds()
			if err != nil {
				return err
			}
			schema := app.Schema
			if included {
				schema = app.IncludedSchema
			}
			text, err := schema(kinds)
			if err != nil {
				return err
			}
			_, err = s.stdout.Write(text)
			return err
		},
	}
	c.Flags().BoolVar(&included, "included", false, "of a file that config.yaml includes")
	return c
}
