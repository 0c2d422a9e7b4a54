package cli

import (
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"hookgate/app/admin"
	"hookgate/app/cli/term"
	"hookgate/internal/event"
)

func newFormsFiles(s *session) *cobra.Command {
	var before string
	var limit int
	c := &cobra.Command{
		Use: "files NAME", Short: "List the files that a form got, those of the newest posts last",
		Example: `  hookgate forms files jobs`,
		Args:    exactly("the name of a form"),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if err := checkLimit(limit); err != nil {
				return err
			}
			var from event.ID
			if before != "" {
				if from, err = event.ParseID(before); err != nil {
					return usageError("", err)
				}
			}
			server, err := s.connect()
			if err != nil {
				return err
			}
			page, err := server.FormFiles(cmd.Context(), args[0], from, min(limit, pageSize))
			if err != nil {
				return err
			}
			if s.json {
				return s.printJSON(page)
			}
			s.printFormFiles(&page)
			return nil
		},
	}
	f := c.Flags()
	f.StringVar(&before, "before", "", "only those of posts older than the one with this `id`")
	f.IntVar(&limit, "limit", defaultLimit, "those of so many posts at most")
	return c
}

func (s *session) printFormFiles(page *admin.Page[admin.FormFile]) {
	rows := make([][]string, 0, len(page.Items))
	for _, f := range slices.Backward(page.Items) {
		rows = append(rows, []string{
			f.Time.Local().Format(time.DateTime), term.Clean(f.Name), f.Type, strconv.FormatInt(f.Size, 10), f.Post.String(), f.Until.Local().Format(time.DateOnly), f.ID,
		})
	}
	if len(rows) > 0 {
		s.out.Printf("%s", s.out.Table([]string{"RECEIVED", "FILE", "TYPE", "BYTES", "POST", "KEPT UNTIL", "ID"}, rows))
	}
	switch {
	case len(page.Items) == 0:
		s.note("no files")
	case page.Next != "":
		s.note("there are older ones: --before %s, or a larger --limit", page.Next)
	}
}
