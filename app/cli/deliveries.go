package cli

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"hookgate/app/admin"
	"hookgate/app/cli/term"
	"hookgate/app/web/api/client"
	"hookgate/internal/event"
)

func newDeliveries(s *session) *cobra.Command {
	return group("deliveries", groupDeliveries, "Look at what was sent, send it again, or give it up",
		newDeliveriesList(s), newDeliveriesShow(s), newDeliveriesRetry(s), newDeliveriesCancel(s))
}

// deliveryStates returns the states that deliveries can be in.
func deliveryStates() []event.DeliveryState {
	return []event.DeliveryState{
		event.Waiting, event.Sending, event.Retrying, event.Held, event.Delivered, event.Failed, event.Cancelled,
	}
}

func newDeliveriesList(s *session) *cobra.Command {
	var filter event.DeliveryFilter
	var states []string
	var since, of, before string
	c := &cobra.Command{
		Use: "list", Short: "List deliveries, the newest last",
		Example: `  hookgate deliveries list --state failed,retrying --connection billing --since 24h`,
		Args:    exactly(),
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if err := checkLimit(filter.Limit); err != nil {
				return err
			}
			if filter.States, err = parseStates(states, deliveryStates()); err != nil {
				return err
			}
			if filter.Since, err = s.parseSince(since); err != nil {
				return err
			}
			if filter.Event, err = parseOptionalID(of); err != nil {
				return err
			}
			if before != "" {
				if filter.Before, err = event.ParseDeliveryID(before); err != nil {
					return usageError("", err)
				}
			}
			return s.listDeliveries(cmd, filter)
		},
	}
	f := c.Flags()
	f.StringSliceVar(&states, "state", nil, "only in these `states`: "+stateNames(deliveryStates()))
	f.StringVar(&filter.Connection, "connection", "", "only to this connection")
	f.StringVar(&filter.Rule, "rule", "", "only of this rule")
	f.StringVar(&of, "event", "", "only of the event with this `id`")
	f.StringVar(&since, "since", "", "only after this `time`: 15m, 24h, 7d, 2026-03-10 or 2026-03-10T09:00:00Z")
	f.StringVar(&before, "before", "", "only those older than the delivery with this `id`")
	f.IntVar(&filter.Limit, "limit", defaultLimit, "at most so many")
	_ = c.RegisterFlagCompletionFunc("state", cobra.FixedCompletions(completions(deliveryStates()), cobra.ShellCompDirectiveNoFileComp))
	return c
}

func parseOptionalID(text string) (event.ID, error) {
	if text == "" {
		return 0, nil
	}
	id, err := event.ParseID(text)
	if err != nil {
		return 0, usageError("hookgate events list shows the ids", err)
	}
	return id, nil
}

func (s *session) listDeliveries(cmd *cobra.Command, filter event.DeliveryFilter) error {
	server, err := s.connect()
	if err != nil {
		return err
	}
	page, err := s.collectDeliveries(cmd.Context(), server, filter)
	if err != nil {
		return err
	}
	if s.json {
		return s.printJSON(page)
	}
	if len(page.Items) == 0 {
		s.note("no deliveries match")
		return nil
	}
	s.out.Printf("%s", s.deliveryTable(page.Items))
	if page.Next != "" {
		s.note("there are older ones: --before %s, or a larger --limit", page.Next)
	}
	return nil
}

// collectDeliveries is a page as long as filter.Limit says, however long that is.
func (s *session) collectDeliveries(ctx context.Context, server *client.Client, filter event.DeliveryFilter) (admin.Page[admin.Delivery], error) {
	return collect(filter.Limit, func(size int, before string) (admin.Page[admin.Delivery], error) {
		if before != "" {
			next, err := event.ParseDeliveryID(before)
			if err != nil {
				return admin.Page[admin.Delivery]{}, err
			}
			filter.Before = next
		}
		filter.Limit = size
		page, err := server.Deliveries(ctx, filter)
		if err != nil {
			return page, serverError(err)
		}
		return page, nil
	})
}

func (s *session) deliveryTable(items []admin.Delivery) string {
	rows := make([][]string, 0, len(items))
	for i := len(items) - 1; i >= 0; i-- {
		d := &items[i]
		rows = append(rows, []string{
			s.out.Dim.Render(d.Created.Local().Format(time.DateTime)), d.ID.String(),
			term.Clean(d.Rule) + " → " + s.out.Name.Render(term.Clean(connectionOf(d))),
			s.deliveryState(d), strconv.Itoa(d.Attempts), s.deliveryDetail(d),
		})
	}
	return s.out.Table([]string{"CREATED", "ID", "RULE → CONNECTION", "STATE", "TRIES", ""}, rows)
}

// connectionOf is where d goes, with #2 for a rule's second action to there.
func connectionOf(d *admin.Delivery) string { return strings.TrimPrefix(d.Name, d.Rule+"/") }

// deliveryState is a delivery's state with its sign.
func (s *session) deliveryState(d *admin.Delivery) string {
	switch d.State {
	case event.Delivered:
		return s.out.Good.Render("✓ delivered")
	case event.Failed:
		return s.out.Bad.Render("✗ failed")
	case event.Retrying:
		return s.out.Warn.Render("↻ retrying")
	case event.Cancelled:
		return s.out.Dim.Render("– cancelled")
	case event.Waiting, event.Sending, event.Held:
	}
	return "… " + string(d.State)
}

// deliveryDetail is what else there is to say in a list.
func (s *session) deliveryDetail(d *admin.Delivery) string {
	switch {
	case d.State == event.Delivered:
		return milliseconds(d.DurationMS)
	case d.WaitsFor != nil:
		return "waits for " + d.WaitsFor.String()
	case d.State == event.Retrying && d.Next != nil:
		return "next " + d.Next.Local().Format(time.TimeOnly) + "  " + term.Clean(d.Error)
	}
	return term.Clean(d.Error)
}

func newDeliveriesShow(s *session) *cobra.Command {
	return &cobra.Command{
		Use: "show ID", Short: "Show a delivery: what is sent, every attempt and its answer",
		Example: `  hookgate deliveries show dlv_7q4`,
		Args:    exactly("the id of a delivery"),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := event.ParseDeliveryID(args[0])
			if err != nil {
				return usageError("hookgate deliveries list shows the ids", err)
			}
			return answered(cmd.Context(), s, func(server *client.Client, ctx context.Context) (admin.Delivery, error) {
				return server.Delivery(ctx, id)
			}, func(d *admin.Delivery) {
				s.showDelivery(d, "")
				s.note("its event: hookgate events show %s", d.Event)
			})
		},
	}
}
