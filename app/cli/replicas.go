package cli

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"hookgate/app/admin"
	"hookgate/app/cli/term"
	"hookgate/app/web/api/client"
)

func newReplicas(s *session) *cobra.Command {
	return &cobra.Command{
		Use: "replicas", GroupID: groupOperate, Short: "List the processes that share the database, and what each holds",
		Example: `  hookgate replicas`,
		Args:    exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return answered(cmd.Context(), s, (*client.Client).Replicas, s.printReplicas)
		},
	}
}

func (s *session) printReplicas(replicas *admin.Replicas) {
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
		name := term.Clean(r.Name)
		if r.Self {
			name += " (answers)"
		}
		left := s.out.Bad.Render("over")
		if r.Alive {
			left = lasting(r.LeaseLeftMS)
		}
		rows = append(rows, []string{
			fmt.Sprint(r.ID), name, term.Clean(r.Version), r.Started.Local().Format(time.DateTime),
			r.Heartbeat.Local().Format(time.DateTime), left, holds(r.Holds),
		})
	}
	s.out.Printf("%s", s.out.Table([]string{"ID", "NAME", "VERSION", "STARTED", "LAST HEARD", "LEASE LEFT", "HOLDS"}, rows))
	for _, c := range replicas.LeftAlone {
		s.out.Println(term.Clean(c.Connection) + " " + why(c))
	}
}

// why says why all replicas leave a connection alone, and for how long.
func why(c admin.LeftAlone) string {
	paused := ""
	if c.PausedMS > 0 {
		paused = "is left alone for " + lasting(c.PausedMS) + ": its receiver asked for it"
	}
	if c.Since == nil {
		return paused
	}
	text := "is left alone since " + c.Since.Local().Format(time.DateTime) + ": attempts failed many times in a row"
	switch {
	case c.Prober != 0:
		return text + "; replica " + fmt.Sprint(c.Prober) + " sends a probe"
	case paused != "":
		return text + ", and its receiver asked for " + lasting(c.PausedMS) + " more"
	case c.ProbeInMS > 0:
		return text + "; a probe is sent in " + lasting(c.ProbeInMS)
	}
	return text + "; the next delivery is a probe"
}

func lasting(ms int64) string {
	return (time.Duration(ms) * time.Millisecond).Round(100 * time.Millisecond).String()
}

// holds lists the deliveries that are claimed, by connection.
func holds(counts map[string]int) string {
	var parts []string
	for _, connection := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, term.Clean(connection)+" "+thousands(counts[connection]))
	}
	if len(parts) == 0 {
		return "nothing"
	}
	return strings.Join(parts, ", ")
}
