package cli

import (
	"errors"
	"log/slog"
	"os"

	"github.com/spf13/cobra"

	"hookgate/app/cli/demo"
)

func newDemo(s *session) *cobra.Command {
	var once bool
	c := &cobra.Command{
		Use: "demo", GroupID: groupStart, Short: "See it work: no config and no account needed",
		Example: `  hookgate demo
  hookgate demo --once`,
		Long: `Run the real server with a temporary database and a receiver that stands in for
Slack and a billing service, post sample events and form posts to it, and show
what came in, which rule matched and why, and what was sent. It then serves on
until Ctrl-C. Nothing leaves this machine, and nothing is left behind.`,
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if s.json {
				return usageError("hookgate events list --json has what a server received, as JSON",
					errors.New("demo tells its story to people and has no JSON"))
			}
			ctx, stop := untilSignal(cmd.Context(), os.Exit)
			defer stop()
			level := slog.LevelError // what is rejected on purpose is shown anyway
			if s.verbose {
				level = slog.LevelDebug
			}
			err := demo.Run(ctx, demo.Options{
				Out:     s.out,
				Logger:  slog.New(slog.NewTextHandler(s.stderr, &slog.HandlerOptions{Level: level})),
				Version: version(), Now: s.now, Once: once,
			})
			switch {
			case err == nil:
				return nil
			case errors.Is(err, demo.ErrIncomplete):
				return &failure{code: exitFailed, err: err}
			case ctx.Err() != nil:
				return &failure{code: exitInterrupted, err: errors.New("interrupted")}
			}
			return &failure{code: exitFailed, err: err}
		},
	}
	c.Flags().BoolVar(&once, "once", false, "end after the samples; status 0 only if all deliveries arrived")
	return c
}
