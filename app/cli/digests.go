package cli

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"hookgate/app/admin"
	"hookgate/app/cli/term"
	"hookgate/app/web/api/client"
	"hookgate/internal/event"
	"hookgate/rules"
)

func newDigests(s *session) *cobra.Command {
	return group("digests", groupDeliveries, "See, send and give up digests that are open",
		newDigestsList(s), newDigestsShow(s),
		newDigestsEnd(s, "send", "Close a digest now: what it has gathered is sent", "closes now", (*client.Client).SendDigest),
		newDigestsEnd(s, "cancel", "Give a digest up: nothing is sent of what it has gathered", "given up", (*client.Client).CancelDigest))
}

func newDigestsList(s *session) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the digests that are open, the first that closes first",
		Example: `  hookgate digests list`,
		Args:    exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return answered(cmd.Context(), s, (*client.Client).Digests, func(page *admin.Page[admin.Digest]) { s.printDigests(page.Items) })
		},
	}
}

func (s *session) printDigests(list []admin.Digest) {
	if len(list) == 0 {
		s.note("no digest is open")
		return
	}
	lines := [][]string{{"CLOSES", "ID", "ACTION", "KEY", "EVENTS"}}
	for i := range list {
		d := &list[i]
		lines = append(lines, []string{s.closes(d.Closes), s.out.Dim.Render(d.ID.String()), s.out.Name.Render(term.Clean(d.Action)), term.Cut(term.Clean(d.Key), 40), thousands(d.Events)})
	}
	widths := fit(lines, s.out.Width())
	for i, line := range lines {
		text := columns(line, widths)
		if i == 0 {
			text = s.out.Strong.Render(text)
		}
		s.out.Println(text)
	}
}

// closes is when a digest closes, for people.
func (s *session) closes(at time.Time) string {
	if !at.After(s.now()) {
		return "now"
	}
	return event.MomentText(at.Local(), s.now())
}

func newDigestsShow(s *session) *cobra.Command {
	return &cobra.Command{
		Use: "show ID", Short: "Show an open digest with the events in it",
		Example: `  hookgate digests show dgs_7q2`,
		Args:    exactly("the id of a digest"),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := event.ParseDigestID(args[0])
			if err != nil {
				return usageError("hookgate digests list shows the ids", err)
			}
			return answered(cmd.Context(), s, func(server *client.Client, ctx context.Context) (admin.DigestDetail, error) {
				return server.Digest(ctx, id)
			}, s.showDigest)
		},
	}
}

func (s *session) showDigest(d *admin.DigestDetail) {
	s.out.Printf("%s  %s", s.out.Strong.Render(d.ID.String()), s.out.Name.Render(term.Clean(d.Action)))
	if d.Keyed {
		s.out.Printf("  %q", term.Clean(d.Key))
	}
	by := term.Clean(d.By)
	if d.OnlyDuring != "" {
		by += ", and goes while " + term.Clean(d.OnlyDuring) + " is open"
	}
	s.out.Printf("\n%s, opened %s, closes %s: %s\n", plural(d.Events, "event"), s.when(d.Opened), s.closes(d.Closes), by)
	for _, i := range d.Items {
		s.out.Printf("  %s  %s  %s  %s  %s\n", s.out.Dim.Render(i.Time.Local().Format(time.DateTime)), s.out.Dim.Render(i.Event.String()),
			s.out.Name.Render(term.Clean(i.Source)), term.Clean(i.Type), s.out.Strong.Render(term.Clean(i.Summary)))
	}
}

func newDigestsEnd(s *session, name, short, done string, act func(*client.Client, context.Context, event.DigestID) (admin.Digest, error)) *cobra.Command {
	return &cobra.Command{
		Use: name + " ID", Short: short,
		Example: `  hookgate digests ` + name + ` dgs_7q2`,
		Args:    exactly("the id of a digest"),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := event.ParseDigestID(args[0])
			if err != nil {
				return usageError("hookgate digests list shows the ids", err)
			}
			return answered(cmd.Context(), s, func(server *client.Client, ctx context.Context) (admin.Digest, error) {
				return act(server, ctx, id)
			}, func(d *admin.Digest) {
				s.out.Printf("%s, %s of %s: %s\n", d.ID, plural(d.Events, "event"), term.Clean(d.Action), done)
			})
		},
	}
}

// showGathered prints in which digests an event is.
func (s *session) showGathered(list []admin.Gathered) {
	if len(list) == 0 {
		return
	}
	s.heading("Digests")
	for i := range list {
		g := &list[i]
		text := "  " + s.out.Name.Render(term.Clean(g.Action)) + "  " + s.gatheredWords(g)
		if g.Key != "" {
			text += s.out.Dim.Render("  key " + term.Clean(g.Key))
		}
		s.out.Println(text)
	}
}

// gatheredWords say in which digest an event is: in the digest dlv_7q2 with 6 others,
// delivered.
func (s *session) gatheredWords(g *admin.Gathered) string {
	with := ""
	switch {
	case g.Others == 1:
		with = " with 1 other"
	case g.Others > 1:
		with = " with " + thousands(g.Others) + " others"
	}
	switch {
	case g.Digest != nil:
		return "in the digest " + g.Digest.String() + with + ", closes " + s.closes(*g.Closes)
	case g.Delivery != nil:
		return "in the digest " + g.Delivery.String() + with + ", " + string(g.State)
	}
	return "was in a digest that was given up"
}

// gatheredResult is the same in a list of events.
func (s *session) gatheredResult(g *admin.Gathered) string {
	action := term.Clean(g.Action)
	return strings.TrimSpace(action[strings.IndexByte(action, '/')+1:] + " ⊞ " + s.gatheredWords(g))
}

// findDigests has traces tell which open digests the event would join, where a server
// runs that knows.
func (s *session) findDigests(ctx context.Context, traces []rules.Trace) {
	var joins []*rules.DigestTrace
	for i := range traces {
		for a := range traces[i].Sends() {
			if a.Digest != nil && a.Digest.Joining != nil {
				joins = append(joins, a.Digest)
			}
		}
	}
	if len(joins) == 0 {
		return
	}
	server, err := s.connect()
	if err != nil {
		return
	}
	page, err := server.Digests(ctx)
	if err != nil {
		return
	}
	for _, j := range joins {
		at := slices.IndexFunc(page.Items, func(d admin.Digest) bool {
			return !d.Full && d.Name == j.Joining.Name && d.Key == j.Key && d.Closes.After(s.now())
		})
		if at < 0 {
			continue
		}
		d := &page.Items[at]
		j.Open, j.Events = &d.ID, d.Events
		j.ClosesAt(j.Joining.ClosesOpen(d.Opened, d.Closes, s.now()).In(j.At.Location()))
	}
}
