package cli

import (
	"time"

	"hookgate/app/admin"
	"hookgate/app/web/api/client"

	"github.com/spf13/cobra"
)

func newFormsForgotten(s *session) *cobra.Command {
	return &cobra.Command{
		Use: "forgotten", Short: "List the deletions of forms forget: number, time, how much",
		Example: `  hookgate forms forgotten`,
		Args:    exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return answered(cmd.Context(), s, (*client.Client).Erasures, s.printForgotten)
		},
	}
}

func (s *session) printForgotten(list *admin.Page[admin.Erasure]) {
	if len(list.Items) == 0 {
		s.out.Println("nobody was forgotten")
		return
	}
	rows := make([][]string, len(list.Items))
	for i, f := range list.Items {
		state := "done"
		if !f.Done {
			state = "not finished"
		}
		rows[i] = []string{f.Record.String(), f.At.Local().Format(time.DateTime), thousands(f.Events), thousands(f.Deliveries), thousands(f.Files), state}
	}
	s.out.Printf("%s", s.out.Table([]string{"NUMBER", "WHEN", "EVENTS", "DELIVERIES", "FILES", "STATE"}, rows))
}
