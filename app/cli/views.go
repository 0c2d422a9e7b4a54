package cli

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"hookgate/app/admin"
	"hookgate/app/cli/term"
	"hookgate/app/web/api/client"
)

func newViews(s *session) *cobra.Command {
	return group("views", groupEvents, "Lists of events that are kept under a name, for the pages", newViewsList(s), newViewsSave(s), newViewsDelete(s))
}

func newViewsList(s *session) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the views that are kept",
		Example: `  hookgate views list`,
		Args:    exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return answered(cmd.Context(), s, (*client.Client).Views, func(page *admin.Page[admin.View]) { s.printViews(page.Items) })
		},
	}
}

func (s *session) printViews(list []admin.View) {
	if len(list) == 0 {
		s.note("no view is kept: hookgate views save NAME QUERY keeps one")
		return
	}
	rows := make([][]string, len(list))
	for i := range list {
		v := &list[i]
		rows[i] = []string{s.out.Name.Render(term.Clean(v.Name)), term.Clean(v.Query), term.Clean(v.By)}
	}
	s.out.Printf("%s", s.out.Table([]string{"VIEW", "QUERY", "BY"}, rows))
}

func newViewsSave(s *session) *cobra.Command {
	return &cobra.Command{
		Use: "save NAME QUERY", Short: "Keep a list of events under a name, in the place of one of that name",
		Long: "Keeps a list of events under a name: a tab of the page Events for all who use it.\n" +
			"The query is what one types into the search of that page; one that the search refuses is not kept.",
		Example: `  hookgate views save "Sold websites" "source:sitejet rule:create-subscription"`,
		Args:    exactly("a name", "a query"),
		RunE: func(cmd *cobra.Command, args []string) error {
			server, err := s.connect()
			if err != nil {
				return err
			}
			v, err := server.SetView(cmd.Context(), admin.ViewRequest{Name: args[0], Query: args[1]})
			if problem, ok := errors.AsType[*client.Problem](err); ok && len(problem.Errors) > 0 {
				search, _, err := admin.ReadQuery(args[1], s.now())
				if err != nil {
					return err
				}
				return s.whereFailure("where:", search.Where, problem.Errors)
			}
			switch {
			case err != nil:
				return serverError(err)
			case s.json:
				return s.printJSON(v)
			}
			s.out.Printf("the view %s is kept\n", term.Clean(v.Name))
			return nil
		},
	}
}

func newViewsDelete(s *session) *cobra.Command {
	return &cobra.Command{
		Use: "delete NAME", Short: "Delete a view: its events stay as they are",
		Example: `  hookgate views delete "Sold websites"`,
		Args:    exactly("the name of a view"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return answered(cmd.Context(), s, func(server *client.Client, ctx context.Context) (admin.View, error) {
				return server.DeleteView(ctx, args[0])
			}, func(v *admin.View) { s.out.Printf("the view %s is deleted\n", term.Clean(v.Name)) })
		},
	}
}
