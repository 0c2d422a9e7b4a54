package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"hookgate/app/admin"
	"hookgate/app/cli/term"
	"hookgate/app/web/api/client"
	"hookgate/internal/event"
)

// runFlags say how a retry goes; they select nothing.
var runFlags = []string{"first", "stop-after", "rate", "render"}

// retryRunFlags say how a run goes; nil where a command has no runs.
type retryRunFlags struct {
	first, stopAfter int
	rate             string
}

func (r *retryRunFlags) add(f *pflag.FlagSet) {
	if r == nil {
		return
	}
	f.IntVar(&r.first, "first", 0, "send so many first, and the others once these have arrived")
	f.IntVar(&r.stopAfter, "stop-after", 0, "stop after so many failures in a row")
	f.StringVar(&r.rate, "rate", "", "at most so many in a `time`: 5/s, 100/m")
}

func (r *retryRunFlags) wanted() bool { return r != nil && *r != retryRunFlags{} }

// runRetry begins a run, and shows how it goes on until it ends.
func (s *session) runRetry(cmd *cobra.Command, b bulk, sel admin.Selection) error {
	server, err := s.connect()
	if err != nil {
		return err
	}
	ctx, q := cmd.Context(), admin.RetryRequest{Selection: sel, First: b.run.first, StopAfter: b.run.stopAfter, Rate: b.run.rate}
	counted := q
	counted.DryRun = true
	found, err := server.BeginRetry(ctx, counted)
	if err != nil {
		return serverError(err)
	}
	said := matchSentence(sel, admin.Changed{Count: found.Total, Paces: found.Paces})
	switch {
	case sel.DryRun && s.json:
		return s.printJSON(found)
	case sel.DryRun:
		s.note("%s Nothing was changed.", said)
		return nil
	case found.Total == 0:
		s.note("%s", said)
		return s.noteRetrying(ctx, server, sel)
	case len(sel.IDs) == 0 && !s.yes:
		s.msg.Printf("%s\n", said)
		if yes, err := s.confirm(b.question); err != nil || !yes {
			return err
		}
	}
	run, err := server.BeginRetry(ctx, q)
	if err != nil {
		return serverError(err)
	}
	return s.followRetry(ctx, server, run)
}

// followRetry shows how a run goes on. It ends with the run, and the run does not
// end with it.
func (s *session) followRetry(ctx context.Context, server *client.Client, run admin.RetryRun) error {
	p := s.progress(run.Total, "sent again")
	for !run.Ended() {
		p.set(run.Settled())
		select {
		case <-ctx.Done():
			p.end()
			s.note("the run goes on: hookgate deliveries runs pause %s", run.ID)
			return ctx.Err()
		case <-time.After(300 * time.Millisecond):
		}
		next, err := server.RetryRun(ctx, run.ID)
		if err != nil && ctx.Err() == nil {
			p.end()
			return serverError(err)
		}
		if err == nil {
			run = next
		}
	}
	p.end()
	if s.json {
		if err := s.printJSON(run); err != nil {
			return err
		}
	} else {
		s.out.Println(runSentence(&run))
	}
	if run.State == event.RetryHalted {
		return &failure{code: exitFailed, err: errors.New("the run has stopped: " + term.Clean(run.Said)), hint: "hookgate deliveries runs resume " + run.ID.String() + " goes on with it"}
	}
	if run.Failed > 0 {
		return &failure{code: exitFailed, err: fmt.Errorf("%s failed again: %s", plural(run.Failed, "delivery"), term.Clean(run.Said)), hint: "what can be tried again is, by its schedule"}
	}
	return nil
}

// runSentence says how far a run is: 411 of 412 arrived, 1 failed, done.
func runSentence(r *admin.RetryRun) string {
	text := fmt.Sprintf("%s of %s arrived", thousands(r.Arrived), thousands(r.Total))
	if r.Failed > 0 {
		text += fmt.Sprintf(", %s failed", thousands(r.Failed))
	}
	if r.UnderWay > 0 {
		text += fmt.Sprintf(", %s under way", thousands(r.UnderWay))
	}
	return text + ": " + string(r.State)
}

func newDeliveriesRuns(s *session) *cobra.Command {
	var before string
	f := event.RunFilter{}
	list := &cobra.Command{
		Use: "runs", Short: "List retries that go step by step; pause, resume or stop one",
		Long: `List retries that were begun with --first, --stop-after or --rate, or on the
pages, and how far each is. They are done by the server, also after a restart.`,
		Example: `  hookgate deliveries runs --left
  hookgate deliveries runs pause run_7q4`,
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if err := checkLimit(f.Limit); err != nil {
				return err
			}
			if before != "" {
				if f.Before, err = event.ParseRunID(before); err != nil {
					return usageError("hookgate deliveries runs shows the ids", err)
				}
			}
			f.Limit = min(f.Limit, pageSize)
			return answered(cmd.Context(), s, func(server *client.Client, ctx context.Context) (admin.Page[admin.RetryRun], error) {
				return server.RetryRuns(ctx, f)
			}, s.printRuns)
		},
	}
	flags := list.Flags()
	flags.BoolVar(&f.Left, "left", false, "only those that have something left to send")
	flags.StringVar(&before, "before", "", "only those older than the run with this `id`")
	flags.IntVar(&f.Limit, "limit", defaultLimit, "so many at most")
	for _, verb := range []struct {
		use, short string
		to         event.RetryState
	}{
		{"pause", "Pause a run: nothing more is sent until it is resumed", event.RetryPaused},
		{"resume", "Have a run go on that was paused or that stopped by itself", event.RetryRunning},
		{"stop", "Stop a run for good: what it has not sent stays as it is", event.RetryStopped},
	} {
		list.AddCommand(&cobra.Command{
			Use: verb.use + " ID", Short: verb.short, Example: "  hookgate deliveries runs " + verb.use + " run_7q4", Args: exactly("the id of a run"),
			RunE: func(cmd *cobra.Command, args []string) error {
				id, err := event.ParseRunID(args[0])
				if err != nil {
					return usageError("hookgate deliveries runs shows the ids", err)
				}
				return answered(cmd.Context(), s, func(server *client.Client, ctx context.Context) (admin.RetryRun, error) {
					return server.SteerRetry(ctx, id, verb.to)
				}, func(r *admin.RetryRun) { s.out.Println(runSentence(r)) })
			},
		})
	}
	return list
}

func (s *session) printRuns(page *admin.Page[admin.RetryRun]) {
	if len(page.Items) == 0 {
		s.note("no retry that goes step by step")
		return
	}
	rows := make([][]string, 0, len(page.Items))
	for i := range page.Items {
		r := &page.Items[i]
		rows = append(rows, []string{s.out.Dim.Render(r.Created.Local().Format(time.DateTime)), r.ID.String(), term.Clean(r.Selection.Connection), runSentence(r), term.Clean(r.Said)})
	}
	s.out.Printf("%s", s.out.Table([]string{"BEGUN", "ID", "CONNECTION", "", ""}, rows))
	if page.Next != "" {
		s.note("there are older ones: --before %s, or a larger --limit", page.Next)
	}
}
