package cli

import (
	"time"

	"github.com/spf13/cobra"

	"hookgate/app/admin"
	"hookgate/app/web/api/client"
)

func newClock(s *session) *cobra.Command {
	return group("clock", groupOperate, "Say that the database's clock is right after a jump", newClockAccept(s))
}

func newClockAccept(s *session) *cobra.Command {
	return &cobra.Command{
		Use: "accept", Short: "Let go what is scheduled, by the clock as it is",
		Long: `Let go what is scheduled, by the clock as it is. The server holds what is
scheduled when the database's clock is more than 10 minutes ahead of the time that
has passed, and after a start more than 7 days after it ran last: a clock that was
set wrong would send all reminders of a year at once. "status" says when it does.`,
		Example: `  hookgate clock accept`,
		Args:    exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return answered(cmd.Context(), s, (*client.Client).AcceptClock, func(c *admin.Clock) {
				s.out.Printf("accepted: it showed %s where %s was expected; what is scheduled goes on\n", c.Shows.Local().Format(time.DateTime), c.Expected.Local().Format(time.DateTime))
			})
		},
	}
}
