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
	"hookgate/internal/diag"
)

func newStatus(s *session) *cobra.Command {
	return &cobra.Command{
		Use: "status", GroupID: groupOperate, Short: "Say on one screen how the running server is",
		Example: `  hookgate status
  hookgate status --json`,
		Long: `Say on one screen how the running server is: its version, the config in force and
the last that was refused, what waits, which connections are not well, how full
the disk is, and when the last backup was made. The status is 0 while the server
answers.`,
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return answered(cmd.Context(), s, (*client.Client).Status, s.printStatus)
		},
	}
}

func (s *session) printStatus(st *admin.Status) {
	line := func(name, format string, args ...any) {
		s.out.Printf("%s%s\n", s.out.Dim.Render(term.Pad(name, 13)), fmt.Sprintf(format, args...))
	}
	state := s.out.Good.Render("● ready")
	if !st.Ready {
		state = s.out.Bad.Render("✗ not ready: " + term.Clean(st.NotReady))
	}
	line("hookgate", "%s  %s, up %s", term.Clean(st.Version), state, age(s.now().Sub(st.Started)))
	line("config", "%s in force since %s, %d of %s passed", st.Config, s.when(st.Loaded), st.Tests.Passed, plural(st.Tests.Total, "test"))
	if st.Refused != nil {
		line("refused", "%s", s.out.Bad.Render(s.when(st.Refused.At)+"  "+refusalText(st.Refused.Diagnostics)))
	}
	if st.UntrustedProxy != "" {
		line("proxy", "%s", s.out.Warn.Render(st.UntrustedProxy+" is not trusted: all visitors behind it share one rate limit; add it to server.trusted_proxies"))
	}
	line("waiting", "%s", waitingText(st))
	if st.Scheduled > 0 {
		line("scheduled", "%s", plural(st.Scheduled, "delivery"))
	}
	if late := st.Late; late != nil {
		line("late", "%s", s.out.Bad.Render(fmt.Sprintf("%s of what is scheduled, the first since %s: the server's log says why", plural(late.Count, "moment"), s.when(late.Since))))
	}
	if c := st.Clock; c != nil {
		line("clock", "%s", s.out.Bad.Render(fmt.Sprintf("not trusted: it showed %s where %s was expected, so nothing that is scheduled goes: set it right, or say hookgate clock accept",
			s.when(c.Shows), s.when(c.Expected))))
	}
	for i, c := range st.Failing {
		name := ""
		if i == 0 {
			name = "connections"
		}
		line(name, "%s  %s%s", s.out.Name.Render(term.Clean(c.Name)), s.connectionState(&admin.Connection{State: c.State}), s.failingText(&c))
	}
	if len(st.Failing) == 0 {
		line("connections", "%s", s.out.Good.Render("all well"))
	}
	if len(st.Schedules) > 0 {
		line("schedules", "%s", s.ticksText(st.Schedules))
	}
	line("storage", "%s", storageText(&st.Storage))
	for _, q := range st.Quotas {
		line("quota", "%s has stored %s of %s in files today", term.Clean(q.Form), size(q.Used), size(q.Limit))
	}
	if b := st.LastBackup; b == nil {
		line("backup", "%s", s.out.Warn.Render("none: hookgate backup FILE"))
	} else {
		verified := ""
		if b.Verified {
			verified = ", verified"
		}
		line("backup", "%s  %s, %s%s", s.when(b.Made), term.Clean(b.File), size(b.Bytes), verified)
	}
}

// ticksText tells of the schedules that come next, or are late.
func (s *session) ticksText(list []admin.NextTick) string {
	const shown = 3
	var parts []string
	for i, tick := range list {
		text := term.Clean(tick.Name) + " " + dayTime(tick.At.Local())
		if tick.Late {
			text = s.out.Bad.Render(text + " is late")
		}
		if i == shown {
			parts = append(parts, fmt.Sprintf("and %d more", len(list)-shown))
			break
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, ", ")
}

// dayTime is a time within the year.
func dayTime(t time.Time) string { return t.Format("Mon 2 Jan 15:04") }

// refusalText is the first fault, and how many others there are.
func refusalText(list diag.List) string {
	if len(list) == 0 {
		return ""
	}
	text := list[0].String() + " " + list[0].Message
	if more := len(list) - 1; more > 0 {
		text += fmt.Sprintf(", and %d more", more)
	}
	return term.Clean(strings.Join(strings.Fields(text), " "))
}

func waitingText(st *admin.Status) string {
	total := 0
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(st.Queues)) {
		if n := st.Queues[name]; n > 0 {
			total += n
			parts = append(parts, fmt.Sprintf("%s %s", term.Clean(name), thousands(n)))
		}
	}
	if total == 0 {
		return "nothing"
	}
	return fmt.Sprintf("%s (%s), the first for %s", thousands(total), strings.Join(parts, ", "), age(time.Duration(st.OldestWaitingS*float64(time.Second))))
}

func (s *session) failingText(c *admin.FailingConnection) string {
	text := ""
	if c.Waiting > 0 {
		text += fmt.Sprintf("  %s waiting", thousands(c.Waiting))
	}
	if p := c.Paused; p != nil {
		if p.Until != nil {
			text += "  until " + s.opening(*p.Until)
		}
		if p.Note != "" {
			text += "  " + term.Clean(p.Note)
		}
	} else if c.LastError != "" {
		text += "  " + term.Clean(c.LastError)
	}
	return text
}

func storageText(st *admin.Storage) string {
	text := fmt.Sprintf("%s, %s", st.Kind, size(st.Bytes))
	if st.Path != "" {
		text = fmt.Sprintf("%s, %s", st.Path, size(st.Bytes))
	}
	if d := st.Disk; d != nil && d.Total > 0 {
		text += fmt.Sprintf("; %s of %s free on the disk", size(d.Free), size(d.Total))
	}
	return text
}

// age is a time span in its two largest units at most.
func age(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 24*time.Hour:
		return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%d d %d h", int(d.Hours())/24, int(d.Hours())%24)
}

func newPrune(s *session) *cobra.Command {
	var dryRun bool
	c := &cobra.Command{
		Use: "prune", GroupID: groupOperate, Short: "Delete now what retention no longer keeps",
		Example: `  hookgate prune --dry-run`,
		Long: `Delete now what the retention of the config no longer keeps; the server does so
by itself every ten minutes. What is not delivered is never deleted. It works
beside the traffic and can be interrupted. --dry-run only counts.`,
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			server, err := s.connect()
			if err != nil {
				return err
			}
			if !dryRun {
				counted, err := server.Prune(cmd.Context(), true)
				if err != nil {
					return serverError(err)
				}
				if counted.Events+counted.Submissions+counted.Spam > 0 {
					s.note("%s", prunedText(&counted))
					if yes, err := s.confirm("Delete them for good?"); err != nil || !yes {
						return err
					}
				}
			}
			out, err := server.Prune(cmd.Context(), dryRun)
			if err != nil {
				return serverError(err)
			}
			switch {
			case s.json:
				return s.printJSON(out)
			case dryRun:
				s.out.Println(prunedText(&out))
			default:
				s.out.Printf("%s deleted\n", plural(out.Deleted, "event"))
			}
			return nil
		},
	}
	c.Flags().BoolVar(&dryRun, "dry-run", false, "count what would be deleted, and delete nothing")
	return c
}

func prunedText(p *admin.Pruned) string {
	return fmt.Sprintf("Older than the config keeps: %s, %s, %s.",
		plural(p.Events, "event"), plural(p.Submissions, "form post"), plural(p.Spam, "spam post"))
}
