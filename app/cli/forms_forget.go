package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"hookgate/app/admin"
	"hookgate/app/admin/address"
	"hookgate/app/cli/term"
	"hookgate/app/web/api/client"
	"hookgate/internal/event"
)

const forgetLong = `Delete what is stored of a person: every form post that holds this e-mail
address as a value, in upper or lower case, with its deliveries, their attempts
and answers, and its files. Deliveries that have not ended are given up; one
that is being sent this moment may still arrive.

It shows first what it will delete, and asks. It works beside the traffic; an
interrupted one is finished by running it again. Backups, logs and those who got
the deliveries keep what they have.`

func newFormsForget(s *session) *cobra.Command {
	var r admin.EraseRequest
	c := &cobra.Command{
		Use: "forget EMAIL", Short: "Delete all that is stored of a person: posts, deliveries, files", Long: forgetLong,
		Example: `  hookgate forms forget ada@example.com --dry-run
  hookgate forms forget ada@example.com --sources`,
		Args: exactly("an e-mail address"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if _, err := address.Parse(args[0]); err != nil {
				return usageError("write it as ada@example.com", fmt.Errorf("%q: %w", args[0], err))
			}
			r.Address = args[0]
			ctx, stop := untilSignal(cmd.Context(), os.Exit)
			defer stop()
			return s.forgetPerson(ctx, r)
		},
	}
	f := c.Flags()
	f.BoolVar(&r.Sources, "sources", false, "events of sources too, not only form posts")
	f.BoolVar(&r.Mentions, "mentions", false, "also what holds the address only within a longer text")
	f.BoolVar(&r.DryRun, "dry-run", false, "count what would be deleted, and delete nothing")
	return c
}

func (s *session) forgetPerson(ctx context.Context, r admin.EraseRequest) error {
	server, err := s.connect()
	if err != nil {
		return err
	}
	if r.DryRun || !s.yes {
		preview := r
		preview.DryRun = true
		found, err := s.forgetAll(ctx, server, preview, "looking")
		if err != nil {
			return serverError(err)
		}
		if r.DryRun && s.json {
			return s.printJSON(found)
		}
		s.printFound(&r, &found)
		if r.DryRun {
			s.note("Nothing was deleted.")
			return nil
		}
		if found.Events+found.Records > 0 {
			if yes, err := s.confirm("Delete all of it for good?"); err != nil || !yes {
				return err
			}
		}
	}
	// Also where no event was found: what an interrupted deletion left is
	// taken away by this.
	gone, err := s.forgetAll(ctx, server, r, "deleting")
	if err != nil {
		return stoppedForget(&gone, err)
	}
	if s.json {
		return s.printJSON(gone)
	}
	s.printGone(&gone)
	return nil
}

// printGone says what was deleted, and what is left to do.
func (s *session) printGone(gone *admin.Erased) {
	s.out.Printf("%s\n", deletedSentence(gone))
	if gone.Record != nil {
		s.note("This deletion has the number %s: hookgate forms forgotten lists them.", *gone.Record)
	}
	for _, text := range gone.Remains {
		s.note("%s", term.Clean(text))
	}
	if gone.Events > 0 {
		s.note("Backups, logs and those who got the deliveries keep what they have.")
	}
}

// forgetAll adds up all parts; with an error, those before it.
func (s *session) forgetAll(ctx context.Context, server *client.Client, r admin.EraseRequest, what string) (admin.Erased, error) {
	all := admin.Erased{Origins: []admin.EraseOrigin{}}
	var bar *progress
	for {
		part, err := server.Erase(ctx, r)
		if err != nil {
			return all, err
		}
		if bar == nil {
			bar = s.progress(part.Total, what)
			defer bar.end()
		}
		all.Add(&part)
		bar.set(all.Examined)
		if part.Next == nil {
			return all, nil
		}
		r.After, r.Record = part.Next, part.Record
	}
}

// printFound says what would be deleted, and what would stay.
func (s *session) printFound(r *admin.EraseRequest, found *admin.Erased) {
	var rows [][]string
	for _, o := range found.Origins {
		kind := "source"
		if o.Form {
			kind = "form"
		}
		rows = append(rows, []string{term.Clean(o.Name), kind, thousands(o.Events)})
	}
	if len(rows) > 0 {
		s.out.Printf("%s", s.out.Table([]string{"FROM", "KIND", "EVENTS"}, rows))
	}
	verb := "hold"
	if found.Events == 1 {
		verb = "holds"
	}
	deliveries := plural(found.Deliveries, "delivery")
	if found.Open > 0 {
		deliveries += fmt.Sprintf(" (%s not sent yet)", thousands(found.Open))
	}
	s.msg.Printf("%s %s this address, with %s and %s.\n", plural(found.Events, "event"), verb, deliveries, plural(found.Files, "file"))
	if found.Records > 0 {
		s.msg.Printf("%s of kept tables, whose key or value holds it, would go as well.\n", plural(found.Records, "record"))
	}
	if found.Mentions > 0 {
		s.note("It also stands within a longer text of %s, which would stay: --mentions takes them too, hookgate events list --text shows them.",
			plural(found.Mentions, "other event"))
	}
	if !r.Sources {
		s.note("Only form posts were looked into: --sources looks into the events of sources too.")
	}
}

func deletedSentence(gone *admin.Erased) string {
	text := "no event holds this address"
	if gone.Events > 0 {
		text = fmt.Sprintf("%s deleted, with %s and %s", plural(gone.Events, "event"), plural(gone.Deliveries, "delivery"), plural(gone.Files, "file"))
	}
	if gone.Records > 0 {
		text += fmt.Sprintf("; %s deleted", plural(gone.Records, "record"))
	}
	return text
}

// stoppedForget tells how far a deletion is that did not come to its end.
func stoppedForget(gone *admin.Erased, err error) error {
	const hint = "run the same command again to finish it"
	if errors.Is(err, context.Canceled) {
		return &failure{code: exitInterrupted, hint: hint, err: fmt.Errorf("interrupted: %s so far", deletedSentence(gone))}
	}
	if f, ok := errors.AsType[*failure](serverError(err)); ok {
		f.hint = strings.TrimSpace(f.hint + "\n" + hint)
		return f
	}
	return err
}

func newFormsForgotten(s *session) *cobra.Command {
	limit := defaultLimit
	c := &cobra.Command{
		Use: "forgotten", Short: "List the deletions of forms forget and forms delete: number, time, how much, by whom",
		Example: `  hookgate forms forgotten`,
		Args:    exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := checkLimit(limit); err != nil {
				return err
			}
			return answered(cmd.Context(), s, func(server *client.Client, ctx context.Context) (admin.Page[admin.Erasure], error) {
				return collect(limit, func(size int, next string) (admin.Page[admin.Erasure], error) {
					var before event.AuditID
					if next != "" {
						if err := before.UnmarshalText([]byte(next)); err != nil {
							return admin.Page[admin.Erasure]{}, err
						}
					}
					return server.Erasures(ctx, before, size)
				})
			}, s.printForgotten)
		},
	}
	c.Flags().IntVar(&limit, "limit", defaultLimit, "at most so many")
	return c
}

func newFormsDelete(s *session) *cobra.Command {
	return &cobra.Command{
		Use: "delete ID...", Short: "Delete posts for good, with their deliveries and files",
		Example: `  hookgate forms delete evt_7q2`,
		Args:    cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			ids, err := parsePostIDs(args, "hookgate forms posts NAME shows the ids")
			if err != nil {
				return err
			}
			server, err := s.connect()
			if err != nil {
				return err
			}
			if yes, err := s.confirm(fmt.Sprintf("Delete %s for good, with deliveries and files?", plural(len(ids), "post"))); err != nil || !yes {
				return err
			}
			records := []admin.Erasure{}
			for _, id := range ids {
				one, err := server.DeletePost(cmd.Context(), id)
				if err != nil {
					return serverError(err)
				}
				if records = append(records, one); !s.json {
					s.out.Printf("%s deleted, with %s and %s\n", id, plural(one.Deliveries, "delivery"), plural(one.Files, "file"))
				}
			}
			if s.json {
				return s.printJSON(map[string]any{"items": records})
			}
			s.note("Backups, logs and those who got the deliveries keep what they have.")
			return nil
		},
	}
}

func (s *session) printForgotten(list *admin.Page[admin.Erasure]) {
	if len(list.Items) == 0 {
		s.out.Println("nobody was forgotten")
		return
	}
	rows := make([][]string, len(list.Items))
	for i, f := range list.Items {
		state := "done"
		if !f.Done {
			state = "not finished"
		}
		if f.Post {
			state += ", one post"
		}
		rows[i] = []string{f.Record.String(), f.At.Local().Format(time.DateTime), thousands(f.Events), thousands(f.Deliveries), thousands(f.Files), term.Clean(f.By), state}
	}
	s.out.Printf("%s", s.out.Table([]string{"NUMBER", "WHEN", "EVENTS", "DELIVERIES", "FILES", "BY", "STATE"}, rows))
}
