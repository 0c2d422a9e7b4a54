package cli

import (
	"io"

	"github.com/spf13/cobra"

	"hookgate/app/cli/mcp"
)

func newMCP(s *session) *cobra.Command {
	var payloads bool
	c := &cobra.Command{
		Use: "mcp", GroupID: groupRules, Short: "Let an assistant write rules, by the Model Context Protocol",
		Long: `Answer an assistant that speaks the Model Context Protocol on stdin and stdout. It
can read what config.yaml can hold, look at stored events and explain them, check
and test a changed text, and compare what it would have made of stored events.
Nothing is sent or changed. It starts without a running server; what needs one
says so. Personal data in values is hidden unless --payloads is given.`,
		Example: `  hookgate mcp -c /etc/hookgate/config.yaml`,
		Args:    exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return mcp.Serve(cmd.Context(), mcp.Options{Version: version(), Run: Run, Config: s.findConfig, Payloads: payloads},
				io.NopCloser(s.stdin), unclosed{s.stdout})
		},
	}
	c.Flags().BoolVar(&payloads, "payloads", false, "show personal data in the values of events")
	return c
}

// unclosed is a stream that stays open: it is the process's own.
type unclosed struct{ io.Writer }

// Close does nothing.
func (unclosed) Close() error { return nil }
