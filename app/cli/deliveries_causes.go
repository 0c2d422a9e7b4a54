package cli

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"hookgate/app/admin"
	"hookgate/app/cli/term"
	"hookgate/app/web/api/client"
	"hookgate/internal/event"
)

// causeFlag says what --cause selects.
const causeFlag = "only those that failed for this `cause`, as deliveries causes lists them, or that were cancelled for it: by-hand, throttle, condition, removed"

func newDeliveriesCauses(s *session) *cobra.Command {
	var filter event.DeliveryFilter
	var states []string
	var since string
	known := []event.DeliveryState{event.Failed, event.Retrying}
	c := &cobra.Command{
		Use: "causes", Short: "Say why deliveries failed: how many, since when, and what to do about it",
		Long: `Group what failed by connection and error, the most frequent first, and say of
each whether a retry is worth it. The id in front selects its deliveries:
"deliveries retry --cause ID".`,
		Example: `  hookgate deliveries causes --since 24h`,
		Args:    exactly(),
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if filter.States, err = parseStates(states, known); err != nil {
				return err
			}
			if filter.Since, err = s.parseSince(since); err != nil {
				return err
			}
			return answered(cmd.Context(), s, func(server *client.Client, ctx context.Context) (admin.Causes, error) {
				return server.Causes(ctx, filter)
			}, s.printCauses)
		},
	}
	f := c.Flags()
	f.StringSliceVar(&states, "state", nil, "of deliveries in these `states`: "+stateNames(known)+"; failed, if not said")
	f.StringVar(&filter.Connection, "connection", "", "only to this connection")
	f.StringVar(&filter.Rule, "rule", "", "only of this rule")
	f.StringVar(&since, "since", "", "only after this `time`: 15m, 24h, 7d, 2026-03-10 or 2026-03-10T09:00:00Z")
	_ = c.RegisterFlagCompletionFunc("state", cobra.FixedCompletions(completions(known), cobra.ShellCompDirectiveNoFileComp))
	return c
}

// causeWord is in a word what to think of a retry.
func (s *session) causeWord(kind admin.CauseKind) string {
	word, _ := kind.Advice()
	if kind == admin.RetryAgain {
		return s.out.Good.Render(strings.ToLower(word))
	}
	return s.out.Warn.Render(strings.ToLower(word))
}

func (s *session) printCauses(causes *admin.Causes) {
	if len(causes.Items) == 0 {
		s.note("nothing has failed")
		return
	}
	rows := make([][]string, 0, len(causes.Items))
	for i := range causes.Items {
		c := &causes.Items[i]
		rows = append(rows, []string{
			s.out.Dim.Render(c.ID), strconv.Itoa(c.Count), s.out.Name.Render(term.Clean(c.Connection)), term.Clean(c.Error),
			c.Last.Local().Format(time.DateTime), s.causeWord(c.Kind),
		})
	}
	s.out.Printf("%s", s.out.Table([]string{"CAUSE", "COUNT", "CONNECTION", "ERROR", "LAST", ""}, rows))
	if causes.More {
		s.note("gathered from the newest %s; there are older ones", plural(causes.Examined, "delivery"))
	}
}
