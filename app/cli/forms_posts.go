package cli

import (
	"slices"

	"github.com/spf13/cobra"

	"hookgate/app/admin"
	"hookgate/app/cli/term"
	"hookgate/internal/event"
)

func newFormsPosts(s *session) *cobra.Command {
	var since, before string
	search := event.Search{Filter: event.Filter{FormsOnly: true, States: event.JudgedStates()}}
	c := &cobra.Command{
		Use: "posts NAME", Short: "List what a form got, without spam, the newest last, and what of it nobody has read",
		Example: `  hookgate forms posts contact --since 7d`,
		Args:    exactly("the name of a form"),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			search.Source = args[0]
			if err := checkLimit(search.Limit); err != nil {
				return err
			}
			if search.Since, err = s.parseSince(since); err != nil {
				return err
			}
			if before != "" {
				if search.Before, err = event.ParseID(before); err != nil {
					return usageError("", err)
				}
			}
			return s.eventPages(cmd, search, s.printPosts)
		},
	}
	f := c.Flags()
	f.StringVar(&since, "since", "", "only after this `time`: 24h, 7d, 2026-03-10 or 2026-03-10T09:00:00Z")
	f.StringVar(&before, "before", "", "only those older than the post with this `id`")
	f.IntVar(&search.Limit, "limit", defaultLimit, "at most so many")
	return c
}

// printPosts prints posts, the newest last; a dot stands before those that nobody
// has read.
func (s *session) printPosts(page *admin.Page[admin.Event]) {
	unread := 0
	lines := s.eventLines(page.Items)
	for i, line := range slices.Backward(lines) {
		mark := "  "
		if page.Items[i].New {
			mark, unread = s.out.Strong.Render("●")+" ", unread+1
		}
		s.out.Println(mark + line)
	}
	switch {
	case len(lines) == 0:
		s.note("no posts")
	case page.Next != "":
		s.note("%d new (●); there are older ones: --before %s, or a larger --limit", unread, page.Next)
	default:
		s.note("%d new (●)", unread)
	}
}

func newFormsRead(s *session) *cobra.Command {
	var again bool
	c := &cobra.Command{
		Use: "read ID...", Short: "Note that posts were read, or with --undo that they are new again",
		Example: `  hookgate forms read evt_7q2
  hookgate forms read --undo evt_7q2`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			ids, err := parsePostIDs(args, "hookgate forms posts NAME shows the ids")
			if err != nil {
				return err
			}
			server, err := s.connect()
			if err != nil {
				return err
			}
			marks := []admin.ReadMark{}
			for _, id := range ids {
				one, err := server.SetRead(cmd.Context(), id, !again)
				if err != nil {
					return serverError(err)
				}
				if marks = append(marks, one); !s.json {
					s.out.Printf("%s %s\n", term.Clean(one.ID.String()), map[bool]string{true: "new", false: "read"}[one.New])
				}
			}
			if s.json {
				return s.printJSON(map[string]any{"items": marks})
			}
			return nil
		},
	}
	c.Flags().BoolVar(&again, "undo", false, "they are new again")
	return c
}
