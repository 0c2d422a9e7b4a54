package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"hookgate/app/admin"
	"hookgate/app/web/api/client"
	"hookgate/internal/event"
)

// bulk is an action on many deliveries: retry and cancel differ in words only.
type bulk struct {
	use, short, long, example string
	states                    []event.DeliveryState // those that the action makes sense for; the first is the default
	question                  string
	done                      string // past tense, for the last line
	rendered                  bool   // it is about what can be sent only
	do                        func(ctx context.Context, server *client.Client, sel admin.Selection) (admin.Changed, error)
}

func newDeliveriesRetry(s *session) *cobra.Command {
	return newBulk(s, bulk{
		use: "retry [ID...]", short: "Send the same requests again, under the same ids",
		long: `Send the same requests again, under the same ids: one delivery or several by
their ids, or all that the flags select. What was sent stays as it was rendered
when the event came in. What could not be rendered is left alone: mend the rule,
and replay the event.`,
		example: `  hookgate deliveries retry dlv_7q4
  hookgate deliveries retry --failed --connection billing --since 24h --dry-run`,
		states:   []event.DeliveryState{event.Failed, event.Retrying, event.Cancelled},
		question: "Send the same requests again?",
		done:     "sending again",
		rendered: true,
		do: func(ctx context.Context, server *client.Client, sel admin.Selection) (admin.Changed, error) {
			return server.Retry(ctx, sel)
		},
	})
}

func newDeliveriesCancel(s *session) *cobra.Command {
	return newBulk(s, bulk{
		use: "cancel [ID...]", short: "Give up deliveries that are not done",
		long: `Give up deliveries that are not done: one or several by their ids, or all that
the flags select. They are kept, and can be sent with "deliveries retry".`,
		example: `  hookgate deliveries cancel dlv_7q4
  hookgate deliveries cancel --state waiting --connection billing`,
		states:   []event.DeliveryState{event.Retrying, event.Waiting, event.Held},
		question: "Give them up?",
		done:     "cancelled",
		do: func(ctx context.Context, server *client.Client, sel admin.Selection) (admin.Changed, error) {
			return server.Cancel(ctx, sel)
		},
	})
}

func newBulk(s *session, b bulk) *cobra.Command {
	var sel admin.Selection
	var state, since, of string
	var failed bool
	c := &cobra.Command{
		Use: b.use, Short: b.short, Long: b.long, Example: b.example,
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if sel.IDs, err = parseDeliveryIDs(args); err != nil {
				return err
			}
			if sel.Since, err = s.parseSince(since); err != nil {
				return err
			}
			if sel.Event, err = parseOptionalID(of); err != nil {
				return err
			}
			if failed && state != "" {
				return usageError("", errors.New("give --failed or --state, not both"))
			}
			if failed {
				state = string(event.Failed)
			}
			if err := b.choose(cmd, &sel, state); err != nil {
				return err
			}
			return s.runBulk(cmd, b, sel)
		},
	}
	f := c.Flags()
	f.StringVar(&state, "state", "", "all that are in this `state`: "+stateNames(b.states))
	if b.states[0] == event.Failed {
		f.BoolVar(&failed, "failed", false, "all that failed: the same as --state failed")
	}
	f.StringVar(&sel.Connection, "connection", "", "only to this connection")
	f.StringVar(&sel.Rule, "rule", "", "only of this rule")
	f.StringVar(&of, "event", "", "only of the event with this `id`")
	f.StringVar(&since, "since", "", "only after this `time`: 15m, 24h, 7d, 2026-03-10 or 2026-03-10T09:00:00Z")
	f.BoolVar(&sel.DryRun, "dry-run", false, "list them and change nothing")
	return c
}

func parseDeliveryIDs(args []string) ([]event.DeliveryID, error) {
	var ids []event.DeliveryID
	for _, arg := range args {
		id, err := event.ParseDeliveryID(arg)
		if err != nil {
			return nil, usageError("hookgate deliveries list shows the ids", err)
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// choose checks that the call says which deliveries it is about.
func (b *bulk) choose(cmd *cobra.Command, sel *admin.Selection, state string) error {
	filtered := false
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if f.Name != "dry-run" && cmd.LocalNonPersistentFlags().Lookup(f.Name) != nil {
			filtered = true
		}
	})
	switch {
	case len(sel.IDs) > 0 && filtered:
		return usageError("", errors.New("give ids or flags that select, not both"))
	case len(sel.IDs) > 0:
		return nil
	case !filtered:
		return usageError("give their ids, or --state, --connection, --rule, --event or --since",
			errors.New("say which deliveries"))
	case state == "":
		state = string(b.states[0])
	}
	states, err := parseStates([]string{state}, b.states)
	if err != nil {
		return err
	}
	sel.State = states[0]
	return nil
}

func (s *session) runBulk(cmd *cobra.Command, b bulk, sel admin.Selection) error {
	server, err := s.connect()
	if err != nil {
		return err
	}
	ctx := cmd.Context()
	if sel.DryRun || len(sel.IDs) == 0 && !s.yes {
		preview := sel
		preview.DryRun = true
		found, err := b.do(ctx, server, preview)
		if err != nil {
			return serverError(err)
		}
		if sel.DryRun {
			return s.dryRun(ctx, server, b, sel, found)
		}
		s.msg.Printf("%s\n", matchSentence(sel, found))
		if found.Count == 0 {
			return s.noteRetrying(ctx, server, sel)
		}
		if yes, err := s.confirm(b.question); err != nil || !yes {
			return err
		}
	}
	changed, err := b.do(ctx, server, sel)
	if err != nil {
		return serverError(err)
	}
	if s.json {
		return s.printJSON(changed)
	}
	if changed.Count == 0 && len(sel.IDs) == 0 {
		s.note("%s", matchSentence(sel, changed))
		return s.noteRetrying(ctx, server, sel)
	}
	if changed.Count > 0 {
		s.out.Printf("%s: %s\n", plural(changed.Count, "delivery"), b.done)
	}
	if changed.Count < len(sel.IDs) {
		return &failure{
			code: exitFailed,
			err:  fmt.Errorf("%s left as it was: not known, not in a state for it, or never rendered", plural(len(sel.IDs)-changed.Count, "delivery")),
			hint: "hookgate deliveries show ID tells the state; what could not be rendered needs a replay of its event",
		}
	}
	return nil
}

// noteRetrying says, where none has failed for good, how many are tried again by
// themselves: who asks for failed ones may mean those.
func (s *session) noteRetrying(ctx context.Context, server *client.Client, sel admin.Selection) error {
	if sel.State != event.Failed {
		return nil
	}
	sel.State, sel.DryRun = event.Retrying, true
	retrying, err := server.Retry(ctx, sel)
	if err != nil {
		return serverError(err)
	}
	if retrying.Count > 0 {
		s.note("%s wait for the next attempt (retrying): --state retrying sends at once", plural(retrying.Count, "delivery"))
	}
	return nil
}

// matchSentence says what a bulk action is about:
//
//	412 failed deliveries to billing match, 161 of them under 40 ordering keys.
func matchSentence(sel admin.Selection, found admin.Changed) string {
	noun := "delivery"
	if sel.State != "" {
		noun = string(sel.State) + " " + noun
	}
	text := plural(found.Count, noun)
	if sel.Connection != "" {
		text += " to " + sel.Connection
	}
	if sel.Rule != "" {
		text += " of " + sel.Rule
	}
	if found.Count == 1 {
		text += " matches"
	} else {
		text += " match"
	}
	if found.Keyed > 0 {
		text += fmt.Sprintf(", %s of them under %s", thousands(found.Keyed), plural(found.Keys, "ordering key"))
	}
	return text + "."
}

// dryRun lists what a bulk action is about.
func (s *session) dryRun(ctx context.Context, server *client.Client, b bulk, sel admin.Selection, found admin.Changed) error {
	if s.json {
		return s.printJSON(found)
	}
	filter := event.DeliveryFilter{
		IDs: sel.IDs, Connection: sel.Connection, Rule: sel.Rule, Event: sel.Event, Since: sel.Since, Limit: max(1, found.Count), Rendered: b.rendered,
	}
	if sel.State != "" {
		filter.States = []event.DeliveryState{sel.State}
	}
	page, err := s.collectDeliveries(ctx, server, filter)
	if err != nil {
		return err
	}
	if len(page.Items) > 0 {
		s.out.Printf("%s", s.deliveryTable(page.Items))
	}
	s.note("%s Nothing was changed.", matchSentence(sel, found))
	if found.Count == 0 {
		return s.noteRetrying(ctx, server, sel)
	}
	return nil
}
