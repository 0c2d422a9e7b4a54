package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"hookgate/app/admin"
	"hookgate/app/cli/term"
	"hookgate/app/web/api/client"
	"hookgate/internal/event"
)

func newTables(s *session) *cobra.Command {
	return group("tables", groupRules, "See and change what rules remember in kept tables",
		newTablesList(s), newTablesGet(s), newTablesSet(s), newTablesDelete(s), newTablesExport(s))
}

func newTablesList(s *session) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the kept tables with how many records they have",
		Example: `  hookgate tables list`,
		Args:    exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return answered(cmd.Context(), s, (*client.Client).Tables, func(page *admin.Page[admin.Table]) { s.printTables(page.Items) })
		},
	}
}

func (s *session) printTables(list []admin.Table) {
	if len(list) == 0 {
		s.note("the config has no table with keep")
		return
	}
	lines := [][]string{{"TABLE", "RECORDS", "KEPT FOR"}}
	for _, t := range list {
		keep := t.Keep
		if keep == "" {
			keep = "no longer in the config"
		}
		lines = append(lines, []string{s.out.Name.Render(term.Clean(t.Name)), thousands(t.Records), keep})
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

func newTablesGet(s *session) *cobra.Command {
	return &cobra.Command{
		Use: "get TABLE KEY", Short: "Show a record",
		Example: `  hookgate tables get sites 7`,
		Args:    exactly("a table", "a key"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return answered(cmd.Context(), s, func(server *client.Client, ctx context.Context) (admin.Record, error) {
				return server.Record(ctx, event.RecordKey{Table: args[0], Key: args[1]})
			}, s.printRecord)
		},
	}
}

func (s *session) printRecord(r *admin.Record) {
	s.out.Printf("%s\n", term.Clean(string(r.Value)))
	by := "by hand"
	if r.Event != nil {
		by = "by " + r.Event.String()
	}
	s.note("changed %s %s, kept until %s", s.when(r.Changed), by, r.Expires.Local().Format(time.DateOnly))
}

func newTablesSet(s *session) *cobra.Command {
	return &cobra.Command{
		Use: "set TABLE KEY FIELD=VALUE...", Short: "Set fields of a record, which begins to be where there is none",
		Example: `  hookgate tables set sites 7 status=Publish
  hookgate tables set turns sales n=0 note=null`,
		Long: `Set fields of a record, as a rule's remember does: the others stay, and null
removes one. A value is JSON where it can be read as such, else a text. The log has
a line of it with who did it.`,
		Args: cobra.MinimumNArgs(3),
		RunE: func(cmd *cobra.Command, args []string) error {
			change, wrong := admin.ChangeOf(args[2:])
			if wrong != "" {
				return usageError("write it as status=Done", fmt.Errorf("%q sets no field", wrong))
			}
			return answered(cmd.Context(), s, func(server *client.Client, ctx context.Context) (admin.Record, error) {
				return server.SetRecord(ctx, event.RecordKey{Table: args[0], Key: args[1]}, change)
			}, s.printRecord)
		},
	}
}

func newTablesDelete(s *session) *cobra.Command {
	return &cobra.Command{
		Use: "delete TABLE KEY", Short: "Delete a record",
		Example: `  hookgate tables delete sites 7`,
		Args:    exactly("a table", "a key"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return answered(cmd.Context(), s, func(server *client.Client, ctx context.Context) (admin.Removed, error) {
				return server.DeleteRecord(ctx, event.RecordKey{Table: args[0], Key: args[1]})
			}, func(gone *admin.Removed) { s.out.Printf("%s deleted\n", plural(gone.Records, "record")) })
		},
	}
}

func newTablesExport(s *session) *cobra.Command {
	return &cobra.Command{
		Use: "export TABLE", Short: "Write the records of a table, one JSON object a line",
		Example: `  hookgate tables export sites > sites.jsonl`,
		Args:    exactly("a table"),
		RunE: func(cmd *cobra.Command, args []string) error {
			server, err := s.connect()
			if err != nil {
				return err
			}
			for after := ""; ; {
				page, err := server.Records(cmd.Context(), args[0], after, admin.MaxLimit)
				if err != nil {
					return serverError(err)
				}
				for i := range page.Items {
					text, err := json.Marshal(page.Items[i])
					if err != nil {
						return errors.Join(errors.New("a record cannot be written"), err)
					}
					s.out.Printf("%s\n", text)
				}
				if after = page.Next; after == "" {
					return nil
				}
			}
		},
	}
}
