package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"hookgate/app/admin"
	"hookgate/app/cli/term"
	"hookgate/app/web/api/client"
	"hookgate/internal/yamlnode"
)

func newConnections(s *session) *cobra.Command {
	return group("connections", groupOperate, "See how connections are, test, pause and resume them",
		newConnectionsList(s), newConnectionsShow(s), newConnectionsTest(s), newConnectionsPause(s), newConnectionsResume(s))
}

func newConnectionsList(s *session) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the connections and how they are",
		Example: `  hookgate connections list`,
		Args:    exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return answered(cmd.Context(), s, (*client.Client).Connections, func(page *admin.Page[admin.Connection]) { s.printConnections(page.Items) })
		},
	}
}

func newConnectionsShow(s *session) *cobra.Command {
	return &cobra.Command{
		Use: "show NAME", Short: "Show all that is known of one connection",
		Example: `  hookgate connections show billing`,
		Args:    exactly("the name of a connection"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return answered(cmd.Context(), s, func(server *client.Client, ctx context.Context) (admin.Connection, error) {
				return server.Connection(ctx, args[0])
			}, s.printConnection)
		},
	}
}

func newConnectionsPause(s *session) *cobra.Command {
	var note string
	c := &cobra.Command{
		Use: "pause NAME", Short: "Hold what goes to a connection; nothing is lost",
		Example: `  hookgate connections pause billing --note "maintenance until noon"`,
		Long: `Hold what goes to a connection. Events are accepted as ever, their deliveries
wait as "held" until hookgate connections resume, over restarts and on all
replicas. What is being sent right now is finished.`,
		Args: exactly("the name of a connection"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return answered(cmd.Context(), s, func(server *client.Client, ctx context.Context) (admin.Connection, error) {
				return server.Pause(ctx, args[0], note)
			}, func(c *admin.Connection) {
				s.note("%s is paused since %s (%s): %s held, %s being sent", term.Clean(c.Name), s.when(c.Paused.Since), term.Clean(c.Paused.By), thousands(c.Held), thousands(c.Sending))
				s.note("hookgate connections resume %s lets it go on", term.Clean(c.Name))
			})
		},
	}
	c.Flags().StringVar(&note, "note", "", "`why`, for those who wonder")
	return c
}

func newConnectionsResume(s *session) *cobra.Command {
	var rate string
	c := &cobra.Command{
		Use: "resume NAME", Short: "Let a paused connection go on, and send what was held",
		Example: `  hookgate connections resume billing --rate 5/s`,
		Args:    exactly("the name of a connection"),
		RunE: func(cmd *cobra.Command, args []string) error {
			var parsed yamlnode.Rate
			if err := parsed.UnmarshalText([]byte(rate)); rate != "" && err != nil {
				return usageError("", fmt.Errorf("--rate %s: %w", rate, err))
			}
			server, err := s.connect()
			if err != nil {
				return err
			}
			before, err := server.Connection(cmd.Context(), args[0])
			if err != nil {
				return serverError(err)
			}
			c, err := server.Resume(cmd.Context(), args[0], rate)
			if err != nil {
				return serverError(err)
			}
			if s.json {
				return s.printJSON(c)
			}
			s.printResumed(&before, &c)
			return nil
		},
	}
	c.Flags().StringVar(&rate, "rate", "", "send what was held at this `rate` at most, such as 5/s")
	return c
}

func (s *session) printResumed(before, c *admin.Connection) {
	at := "as quickly as it may"
	switch {
	case c.Releasing != "":
		at = "at " + c.Releasing + " at most"
	case c.RateLimit != "":
		at = "at " + c.RateLimit
	}
	if before.Paused == nil {
		s.note("%s was not paused; it sends %s", term.Clean(c.Name), at)
		return
	}
	s.note("%s goes on: what was held (%s) is sent %s", term.Clean(c.Name), thousands(before.Held), at)
}

func newConnectionsTest(s *session) *cobra.Command {
	return &cobra.Command{
		Use: "test NAME", Short: "Try a connection: by a harmless call, or by a test message",
		Example: `  hookgate connections test slack-web`,
		Args:    exactly("the name of a connection"),
		RunE: func(cmd *cobra.Command, args []string) error {
			server, err := s.connect()
			if err != nil {
				return err
			}
			tested, err := server.TestConnection(cmd.Context(), args[0], false)
			if err != nil {
				return serverError(err)
			}
			if !tested.Done && !tested.Untestable {
				if !s.yes && !s.interactive() {
					return usageError("--yes does it", fmt.Errorf("a test of %s %s", term.Clean(args[0]), term.Clean(tested.What)))
				}
				yes, err := s.confirm(fmt.Sprintf("This %s. Do it?", term.Clean(tested.What)))
				if err != nil || !yes {
					return err
				}
				if tested, err = server.TestConnection(cmd.Context(), args[0], true); err != nil {
					return serverError(err)
				}
			}
			return s.printTested(args[0], &tested)
		},
	}
}

func (s *session) printTested(name string, t *admin.Tested) error {
	if s.json {
		if err := s.printJSON(t); err != nil {
			return err
		}
	}
	if t.Untestable {
		return &failure{
			code: exitFailed, err: fmt.Errorf("connections of the kind of %s have no test of their own", name),
			hint: "send a sample through a rule: hookgate events send SOURCE FILE; a recipe of your own can have a test",
		}
	}
	if s.json {
		if !t.OK {
			return &failure{code: exitFailed}
		}
		return nil
	}
	sign := s.out.Good.Render("✓")
	if !t.OK {
		sign = s.out.Bad.Render("✗")
	}
	s.out.Printf("%s %s: %s\n", sign, term.Clean(name), term.Clean(t.What))
	result := []string{}
	switch {
	case t.Status > 0:
		result = append(result, fmt.Sprint(t.Status))
	case !t.OK:
		result = append(result, "none")
	}
	result = append(result, milliseconds(t.DurationMS))
	if t.Said != "" {
		result = append(result, term.Clean(t.Said))
	}
	s.out.Printf("  answer: %s\n", strings.Join(result, ", "))
	for _, name := range slices.Sorted(maps.Keys(t.Outputs)) {
		s.out.Printf("  output %s: %s\n", term.Clean(name), term.Clean(t.Outputs[name]))
	}
	if text := strings.TrimSpace(t.Answer); text != "" && t.Said == "" {
		s.out.Println(term.Indent(term.Cut(term.Clean(text), 4*s.out.Width()), "  "))
	}
	if !t.OK {
		return &failure{code: exitFailed, err: errors.New(t.Error), hint: testHint(t)}
	}
	return nil
}
