package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"hookgate/app"
	"hookgate/app/admin"
	"hookgate/app/cli/term"
	"hookgate/app/web/api/client"
	"hookgate/internal/event"
)

func newForms(s *session) *cobra.Command {
	return group("forms", groupForms, "Look at the forms of the config and what they got, print them for a website",
		newFormsList(s), newFields(s, true), newFormsSnippet(s), newFormsPosts(s), newFormsFiles(s), newFormsRead(s), newFormsNotSpam(s), newFormsExport(s), newFormsDelete(s), newFormsForget(s), newFormsForgotten(s))
}

// listedForm is a form in the list: what the config says of it, and what came,
// as far as a server was there to tell.
type listedForm struct {
	Name    string   `json:"name"`
	Title   string   `json:"title"`
	Address string   `json:"address"`
	Fields  []string `json:"fields"` // null: any
	Posts   *int     `json:"posts,omitempty"`
	New     *int     `json:"new,omitempty"`
	Spam    *int     `json:"spam,omitempty"`
	Files   *int     `json:"files,omitempty"` // 1,000 at most
}

func newFormsList(s *session) *cobra.Command {
	var since string
	c := &cobra.Command{
		Use: "list", Short: "List the forms: address, fields, posts, spam, files",
		Example: `  hookgate forms list --since 30d`,
		Args:    exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			loaded, _, err := s.load()
			if err != nil {
				return err
			}
			from, err := s.parseSince(since)
			if err != nil {
				return err
			}
			counts, err := s.formCounts(cmd.Context(), from)
			if err != nil {
				return err
			}
			list := listForms(loaded, counts)
			if s.json {
				return s.printJSON(map[string]any{"items": list, "since": from.UTC()})
			}
			s.printForms(list, from)
			return nil
		},
	}
	c.Flags().StringVar(&since, "since", "7d", "count posts only after this `time`: 15m, 24h, 7d, 2026-03-10 or 2026-03-10T09:00:00Z")
	return c
}

// formCounts asks the server; nil where none runs.
func (s *session) formCounts(ctx context.Context, since time.Time) (map[string]admin.FormCount, error) {
	server, err := s.connect()
	if err != nil {
		return nil, err
	}
	counts, err := server.Forms(ctx, since)
	switch remote, _ := s.env("HOOKGATE_URL"); {
	case err == nil:
		byName := make(map[string]admin.FormCount, len(counts.Items))
		for _, c := range counts.Items {
			byName[c.Name] = c
		}
		return byName, nil
	case remote == "" && errors.Is(err, client.ErrUnreachable):
		s.note("no server runs: what the forms got is not shown")
		return nil, nil
	}
	return nil, serverError(err)
}

func listForms(loaded *app.Plan, counts map[string]admin.FormCount) []listedForm {
	list := []listedForm{}
	for _, in := range inbounds(loaded.Config) {
		f := loaded.Forms[in.name]
		if f == nil || !strings.HasPrefix(in.path, "/f/") {
			continue
		}
		item := listedForm{Name: in.name, Title: f.Title(), Address: in.masked(), Fields: f.FieldNames()}
		if counts != nil {
			c := counts[in.name]
			item.Posts, item.New, item.Spam, item.Files = &c.Posts, &c.New, &c.Spam, &c.Files
		}
		list = append(list, item)
	}
	return list
}

func (s *session) printForms(list []listedForm, since time.Time) {
	if len(list) == 0 {
		s.out.Println("the config has no forms")
		return
	}
	header := []string{"FORM", "ADDRESS", "FIELDS"}
	counted := list[0].Posts != nil
	if counted {
		header = append(header, "POSTS", "NEW", "SPAM", "FILES")
	}
	var rows [][]string
	for _, f := range list {
		fields := fmt.Sprint(len(f.Fields))
		if f.Fields == nil {
			fields = "any"
		}
		row := []string{term.Clean(f.Name), term.Clean(f.Address), fields}
		if counted {
			row = append(row, thousands(*f.Posts), thousands(*f.New), thousands(*f.Spam), thousands(*f.Files))
		}
		rows = append(rows, row)
	}
	s.out.Printf("%s", s.out.Table(header, rows))
	if counted {
		s.note("posts and spam since %s; new are those that nobody has read; hookgate events list --source FORM --state spam shows why", since.Local().Format(time.DateTime))
	}
}

func newFormsNotSpam(s *session) *cobra.Command {
	dryRun := false
	c := &cobra.Command{
		Use: "notspam ID...", Short: "Give posts that were kept as spam, or as repeats, to the rules",
		Example: `  hookgate events list --source contact --state spam
  hookgate forms notspam evt_7q2`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			ids, err := parsePostIDs(args, "hookgate events list --state spam shows the ids")
			if err != nil {
				return err
			}
			server, err := s.connect()
			if err != nil {
				return err
			}
			if dryRun {
				return s.ifNotSpam(cmd.Context(), server, ids)
			}
			released := []admin.Released{}
			for _, id := range ids {
				one, err := server.NotSpam(cmd.Context(), id)
				if err != nil {
					return serverError(err)
				}
				if released = append(released, one); !s.json {
					s.out.Printf("%s %s\n", id, one.State)
				}
			}
			if s.json {
				return s.printJSON(map[string]any{"items": released})
			}
			return nil
		},
	}
	c.Flags().BoolVar(&dryRun, "dry-run", false, "say what would be sent, and send nothing")
	return c
}

// ifNotSpam says what would be sent of posts that are kept.
func (s *session) ifNotSpam(ctx context.Context, server *client.Client, ids []event.ID) error {
	plans := []admin.ReleasePlan{}
	for _, id := range ids {
		plan, err := server.IfNotSpam(ctx, id)
		if err != nil {
			return serverError(err)
		}
		plans = append(plans, plan)
	}
	if s.json {
		return s.printJSON(map[string]any{"items": plans})
	}
	for i := range plans {
		p := &plans[i]
		s.out.Printf("%s %s, kept for: %s\n", p.ID, p.State, term.Clean(p.Cause))
		for j := range p.Deliveries {
			d := &p.Deliveries[j]
			s.out.Printf("  → %s  %s  %s\n", term.Clean(d.Connection), term.Clean(d.Rule), term.Clean(cmp.Or(d.Error, string(d.Output))))
		}
		for _, name := range p.Digests {
			s.out.Printf("  → %s, gathered in a digest\n", term.Clean(name))
		}
		for _, v := range p.Rules {
			s.out.Printf("  ✗ %s: %s\n", term.Clean(v.Rule), term.Clean(v.Message))
		}
	}
	s.note("Nothing was sent.")
	return nil
}

func parsePostIDs(args []string, hint string) ([]event.ID, error) {
	if len(args) == 0 {
		return nil, usageError(hint, errors.New("say which posts"))
	}
	ids := make([]event.ID, len(args))
	for i, text := range args {
		id, err := event.ParseID(text)
		if err != nil {
			return nil, usageError(hint, err)
		}
		ids[i] = id
	}
	return ids, nil
}
