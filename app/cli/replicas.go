package cli

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"hookgate/app/cli/screen"
	"hookgate/app/web/api"
)

func newReplicas(s *session) *cobra.Command {
	return &cobra.Command{
		Use: "replicas", GroupID: groupOperate, Short: "List the processes that share the database, and what each holds",
		Example: `  hookgate replicas`,
		Args:    exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			server, err := s.connect()
			if err != nil {
				return err
			}
			replicas, err := server.Replicas(cmd.Context())
			if err != nil {
				return serverError(err)
			}
			if s.json {
				return s.printJSON(replicas)
			}
			s.printReplicas(&replicas)
			return nil
		},
	}
}

func (s *session) printReplicas(replicas *api.Replicas) {
	if !replicas.Shared {
		held := ""
		if len(replicas.Items) > 0 && len(replicas.Items[0].Holds) > 0 {
			held = "; it holds " + holds(replicas.Items[0].Holds)
		}
		s.out.Println("the database is a SQLite file: there is one process" + held)
		return
	}
	var rows [][]string
	for i := range replicas.Items {
		r := &replicas.Items[i]
		name := screen.Clean(r.Name)
		if r.Self {
			name += " (answers)"
		}
		left := s.out.Bad.Render("over")
		if r.Alive {
			left = (time.Duration(r.LeaseLeftMS) * time.Millisecond).Round(100 * time.Millisecond).String()
		}
		rows = append(rows, []string{
			fmt.Sprint(r.ID), name, screen.Clean(r.Version), r.Started.Local().Format(time.DateTime),
			r.Heartbeat.Local().Format(time.DateTime), left, holds(r.Holds),
		})
	}
	s.out.Printf("%s", s.out.Table([]string{"ID", "NAME", "VERSION", "STARTED", "LAST HEARD", "LEASE LEFT", "HOLDS"}, rows))
}

// holds lists the deliveries that are claimed, by connection.
func holds(counts map[string]int) string {
	var parts []string
	for _, connection := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, screen.Clean(connection)+" "+thousands(counts[connection]))
	}
	if len(parts) == 0 {
		return "nothing"
	}
	return strings.Join(parts, ", ")
}
