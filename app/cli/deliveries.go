package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"hookgate/app/admin"
	"hookgate/app/cli/term"
	"hookgate/app/web/api/client"
	"hookgate/internal/event"
)

func newDeliveries(s *session) *cobra.Command {
	return group("deliveries", groupDeliveries, "Look at what was sent, send it again, or give it up",
		newDeliveriesList(s), newDeliveriesCauses(s), newDeliveriesShow(s), newDeliveriesRetry(s), newDeliveriesRuns(s), newDeliveriesCancel(s))
}

// deliveryStates returns the states that deliveries can be in.
func deliveryStates() []event.DeliveryState {
	return []event.DeliveryState{
		event.Scheduled, event.Waiting, event.Sending, event.Retrying, event.Held, event.Delivered, event.Failed, event.Cancelled,
	}
}

func newDeliveriesList(s *session) *cobra.Command {
	var q deliveryQuery
	c := &cobra.Command{
		Use: "list", Short: "List deliveries, the newest last",
		Example: `  hookgate deliveries list --failed
  hookgate deliveries list --state failed,retrying --connection billing --since 24h
  hookgate deliveries list --next
  hookgate deliveries list --state scheduled --stale`,
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			filter, err := q.filter(s)
			if err != nil {
				return err
			}
			return s.listDeliveries(cmd, filter)
		},
	}
	f := c.Flags()
	f.BoolVar(&q.next, "next", false, "what is scheduled, the next to go first")
	f.StringVar(&q.after, "after", "", "only what goes after this `place`, with --next")
	f.StringSliceVar(&q.states, "state", nil, "only in these `states`: "+stateNames(deliveryStates()))
	f.BoolVar(&q.failed, "failed", false, "only those that failed: the same as --state failed")
	f.StringVar(&q.Connection, "connection", "", "only to this connection")
	f.StringVar(&q.Rule, "rule", "", "only of this rule")
	f.StringVar(&q.Cause, "cause", "", causeFlag)
	f.BoolVar(&q.Stale, "stale", false, "only what waits by a version of the configuration that is no longer in force")
	f.StringVar(&q.of, "event", "", "only of the event with this `id`")
	f.StringVar(&q.since, "since", "", "only after this `time`: 15m, 24h, 7d, 2026-03-10 or 2026-03-10T09:00:00Z")
	f.StringVar(&q.before, "before", "", "only those older than the delivery with this `id`")
	f.IntVar(&q.Limit, "limit", defaultLimit, "at most so many")
	_ = c.RegisterFlagCompletionFunc("state", cobra.FixedCompletions(completions(deliveryStates()), cobra.ShellCompDirectiveNoFileComp))
	return c
}

// deliveryQuery is what the flags of deliveries list say.
type deliveryQuery struct {
	event.DeliveryFilter
	states                   []string
	since, of, before, after string
	next, failed             bool
}

func (q *deliveryQuery) filter(s *session) (f event.DeliveryFilter, err error) {
	f = q.DeliveryFilter
	if err := checkLimit(f.Limit); err != nil {
		return f, err
	}
	if q.failed {
		q.states = append(q.states, string(event.Failed))
	}
	if f.States, err = parseStates(q.states, deliveryStates()); err != nil {
		return f, err
	}
	if f.Since, err = s.parseSince(q.since); err != nil {
		return f, err
	}
	if f.Event, err = parseOptionalID(q.of); err != nil {
		return f, err
	}
	if q.before != "" {
		if f.Before, err = event.ParseDeliveryID(q.before); err != nil {
			return f, usageError("", err)
		}
	}
	return f, q.turn(&f)
}

// turn has the filter list what is scheduled, the next to go first, where that is
// asked for.
func (q *deliveryQuery) turn(f *event.DeliveryFilter) error {
	if !q.next && q.after == "" {
		return nil
	}
	if len(q.states) > 0 || q.before != "" {
		return usageError("", errors.New("--next lists what is scheduled: it goes with neither --state nor --before"))
	}
	f.Next, f.States = &event.Turn{}, []event.DeliveryState{event.Scheduled}
	if q.after == "" {
		return nil
	}
	if err := f.Next.UnmarshalText([]byte(q.after)); err != nil {
		return usageError("", err)
	}
	return nil
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
	if filter.Next != nil {
		slices.Reverse(page.Items) // the table is read upwards
	}
	s.out.Printf("%s", s.deliveryTable(page.Items))
	if page.Next != "" && filter.Next != nil {
		s.note("there are later ones: --after %s, or a larger --limit", page.Next)
	} else if page.Next != "" {
		s.note("there are older ones: --before %s, or a larger --limit", page.Next)
	}
	return nil
}

// collectDeliveries is a page as long as filter.Limit says, however long that is.
func (s *session) collectDeliveries(ctx context.Context, server *client.Client, filter event.DeliveryFilter) (admin.Page[admin.Delivery], error) {
	return collect(filter.Limit, func(size int, before string) (admin.Page[admin.Delivery], error) {
		if before != "" && filter.Next != nil {
			if err := filter.Next.UnmarshalText([]byte(before)); err != nil {
				return admin.Page[admin.Delivery]{}, err
			}
		} else if before != "" {
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
	case event.Scheduled:
		return "◷ scheduled"
	case event.Held:
		return "… " + s.heldUntil(d)
	case event.Waiting, event.Sending:
	}
	return "… " + string(d.State)
}

// heldUntil says how long a delivery is held, as far as that is known.
func (s *session) heldUntil(d *admin.Delivery) string {
	if d.HeldUntil == nil {
		return "held"
	}
	return "held until " + s.opening(*d.HeldUntil)
}

// opening is a local time to come, with its day where that is not today.
func (s *session) opening(t time.Time) string {
	t, now := t.Local(), s.now().Local()
	const week = 6 * 24 * time.Hour
	switch {
	case t.Format(time.DateOnly) == now.Format(time.DateOnly):
		return t.Format("15:04")
	case t.Sub(now) < week:
		return t.Format("Mon 15:04")
	case t.Year() == now.Year():
		return t.Format("Mon 2 Jan 15:04")
	}
	return t.Format("Mon 2 Jan 2006 15:04")
}

// momentOf says when a scheduled delivery begins, and what that comes from.
func (s *session) momentOf(d *admin.Delivery) string {
	if d.Moment == nil {
		return ""
	}
	return event.MomentText(d.Moment.Local(), s.now()) + ": " + term.Clean(d.MomentBy)
}

// tookOf is how long the attempt took that delivered; "" where there was none: a record
// was written.
func tookOf(d *admin.Delivery) string {
	if d.Attempts == 0 {
		return ""
	}
	return milliseconds(d.DurationMS)
}

// deliveryDetail is what else there is to say in a list.
func (s *session) deliveryDetail(d *admin.Delivery) string {
	switch {
	case d.State == event.Scheduled:
		return s.momentOf(d)
	case d.State == event.Delivered:
		return tookOf(d)
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

// bulk is an action on many deliveries: retry and cancel differ in words only.
type bulk struct {
	use, short, long, example string
	states                    []event.DeliveryState // those that the action makes sense for; the first is the default
	question                  string
	done                      string         // past tense, for the last line
	rendered                  bool           // it is about what can be sent only
	run                       *retryRunFlags // nil: it is never a run
	do                        func(ctx context.Context, server *client.Client, sel admin.Selection) (admin.Changed, error)
}

func newDeliveriesRetry(s *session) *cobra.Command {
	return newBulk(s, bulk{
		use: "retry [ID...]", short: "Send the same requests again, under the same ids",
		long: `Send the same requests again, under the same ids: one delivery or several by
their ids, or all that the flags select. What was sent stays as it was rendered
when the event came in; the moment of one that is scheduled is now, and its
condition is asked. What could not be rendered is left alone: mend the rule, and
use --render.

With --render what failed is rendered again by the rules in force, and goes under
the same id. The action is found by its step, else by its connection and number; its
condition is asked, and what the steps before it were answered is used. One whose
condition is not met now is cancelled. What can't be rendered stays as it is.

With --first, --stop-after or --rate it is a run that the server does step by
step and that can be paused and stopped: this shows how it goes on, and it goes on
without this. See "deliveries runs".`,
		example: `  hookgate deliveries retry dlv_7q4
  hookgate deliveries retry --failed --connection billing --first 1 --stop-after 3
  hookgate deliveries retry --failed --connection billing --since 24h --dry-run
  hookgate deliveries retry --render --rule welcome`,
		states:   []event.DeliveryState{event.Failed, event.Retrying, event.Cancelled, event.Scheduled},
		question: "Send the same requests again?",
		done:     "sending again",
		rendered: true,
		run:      &retryRunFlags{},
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
		states:   []event.DeliveryState{event.Retrying, event.Waiting, event.Held, event.Scheduled},
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
			switch {
			case sel.Render && b.run.wanted():
				return usageError("", errors.New("--render goes at once: it does not go with --first, --stop-after or --rate"))
			case sel.Render:
				return s.renderAgain(cmd, b, sel)
			case b.run.wanted():
				return s.runRetry(cmd, b, sel)
			}
			return s.runBulk(cmd, b, sel)
		},
	}
	f := c.Flags()
	f.StringVar(&state, "state", "", "all that are in this `state`: "+stateNames(b.states))
	if b.run != nil {
		f.BoolVar(&sel.Render, "render", false, "render what failed again, by the rules in force")
		f.BoolVar(&sel.SkipOvertaken, "skip-overtaken", false, "leave out what a later delivery with the same ordering key has overtaken")
	}
	if b.states[0] == event.Failed {
		f.BoolVar(&failed, "failed", false, "all that failed: the same as --state failed")
	}
	f.StringVar(&sel.Connection, "connection", "", "only to this connection")
	f.StringVar(&sel.Rule, "rule", "", "only of this rule")
	f.StringVar(&sel.Cause, "cause", "", causeFlag)
	f.StringVar(&of, "event", "", "only of the event with this `id`")
	f.StringVar(&since, "since", "", "only after this `time`: 15m, 24h, 7d, 2026-03-10 or 2026-03-10T09:00:00Z")
	b.run.add(f)
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
		if f.Name != "dry-run" && !slices.Contains(runFlags, f.Name) && cmd.LocalNonPersistentFlags().Lookup(f.Name) != nil {
			filtered = true
		}
	})
	switch {
	case len(sel.IDs) > 0 && filtered:
		return usageError("", errors.New("give ids or flags that select, not both"))
	case len(sel.IDs) > 0:
		return nil
	case !filtered:
		return usageError("give their ids, or --state, --connection, --rule, --cause, --event or --since",
			errors.New("say which deliveries"))
	case state == "" && slices.Contains(event.CancelCauses(), event.CancelCause(sel.Cause)):
		state = string(event.Cancelled)
	case state == "":
		state = string(b.states[0])
	case state == string(event.Cancelled) && sel.Cause == "":
		sel.Cause = string(event.ByHand)
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
	goOn, err := s.countFirst(ctx, server, b, sel, b.question, func(found admin.Changed) (more bool, err error) {
		if sel.DryRun {
			return false, s.dryRun(ctx, server, b, sel, found)
		}
		s.msg.Printf("%s\n", matchSentence(sel, found))
		if found.Count == 0 {
			return false, s.noteRetrying(ctx, server, sel)
		}
		return true, nil
	})
	if err != nil || !goOn {
		return err
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
			hint: "hookgate deliveries show ID tells the state; what could not be rendered goes with --render, by a better rule",
		}
	}
	return nil
}

// countFirst counts what a change would come to and shows it, where only that is asked
// for, or where it is for all that flags select. It reports whether to go on: show says
// whether there is something to do, and then the question is asked.
func (s *session) countFirst(ctx context.Context, server *client.Client, b bulk, sel admin.Selection, question string, show func(admin.Changed) (more bool, err error)) (goOn bool, err error) {
	if !sel.DryRun && (len(sel.IDs) > 0 || s.yes) {
		return true, nil
	}
	sel.DryRun = true
	found, err := b.do(ctx, server, sel)
	if err != nil {
		return false, serverError(err)
	}
	if more, err := show(found); err != nil || !more {
		return false, err
	}
	return s.confirm(question)
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
	switch n := thousands(found.Overtaken); {
	case found.Overtaken == 0:
	case sel.SkipOvertaken:
		text += fmt.Sprintf("; %s more left out, for a later one with the same key has arrived", n)
	default:
		text += fmt.Sprintf("; of %s a later one with the same key has arrived (--skip-overtaken leaves them out)", n)
	}
	return text + paceWords(found.Paces, sel.Connection) + "."
}

// paceWords say about how long what would be sent takes; "" where no rate tells. The
// connection that is named already is not named again.
func paceWords(paces []admin.Pace, named string) string {
	slowest := admin.Slowest(paces)
	if slowest == nil {
		return ""
	}
	text := fmt.Sprintf("; about %s at %s", slowest.About(), slowest.Rate)
	if slowest.Connection != "" && slowest.Connection != named {
		text += ", the rate of " + slowest.Connection
	}
	return text
}

// dryRun lists what a bulk action is about.
func (s *session) dryRun(ctx context.Context, server *client.Client, b bulk, sel admin.Selection, found admin.Changed) error {
	if s.json {
		return s.printJSON(found)
	}
	filter := event.DeliveryFilter{
		IDs: sel.IDs, Connection: sel.Connection, Rule: sel.Rule, Cause: sel.Cause, Event: sel.Event, Since: sel.Since, Limit: max(1, found.Count), Rendered: b.rendered, NotOvertaken: sel.SkipOvertaken,
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

// answerLines is how much of a receiver's answer is shown; --json has it all.
const answerLines = 12

// showDelivery writes a delivery with its attempts, each line after indent.
func (s *session) showDelivery(d *admin.Delivery, indent string) {
	line := indent + d.ID.String() + "  " + s.out.Strong.Render(term.Clean(d.Name)) + "  " + s.deliveryState(d)
	if detail := s.deliveryDetail(d); detail != "" {
		line += "  " + detail
	}
	s.out.Println(line)
	if d.Key != "" {
		s.out.Printf("%s  %s %s\n", indent, s.out.Dim.Render("ordering key:"), term.Clean(d.Key))
	}
	for _, w := range d.Warnings {
		s.out.Printf("%s  %s\n", indent, s.out.Warn.Render("! "+term.Clean(w)))
	}
	for _, a := range d.History {
		s.showAttempt(&a, indent+"  ")
	}
	if len(d.Output) > 0 {
		s.out.Printf("%s  %s\n", indent, s.out.Dim.Render("output"))
		s.out.Println(term.Indent(term.CleanBlock(indented(d.Output)), indent+"    "))
	}
}

func (s *session) showAttempt(a *admin.Attempt, indent string) {
	line := indent + "attempt " + strconv.Itoa(a.Number) + "  " + a.Started.Local().Format(time.DateTime)
	if a.Status != 0 {
		line += "  " + statusText(a)
	}
	line += "  " + milliseconds(a.DurationMS)
	if a.Error != "" {
		line += "  " + s.out.Bad.Render("✗ "+term.Clean(a.Error))
	} else {
		line += "  " + s.out.Good.Render("✓")
	}
	s.out.Println(line)
	if a.Request != "" {
		s.out.Printf("%s  %s\n", indent, s.out.Dim.Render(term.Clean(a.Request)))
	}
	for _, name := range slices.Sorted(maps.Keys(a.Headers)) {
		s.out.Printf("%s  %s\n", indent, s.out.Dim.Render(term.Clean(name+": "+a.Headers[name])))
	}
	for _, name := range slices.Sorted(maps.Keys(a.Outputs)) {
		s.out.Printf("%s  %s %s\n", indent, s.out.Dim.Render(term.Clean(name)), term.Clean(a.Outputs[name].String()))
	}
	if answer := strings.TrimSpace(a.Answer); answer != "" {
		lines := strings.Split(term.CleanBlock(answer), "\n")
		if len(lines) > answerLines {
			lines = append(lines[:answerLines], "…")
		}
		s.out.Println(s.out.Dim.Render(indent + "  answer"))
		s.out.Println(term.Indent(strings.Join(lines, "\n"), indent+"    "))
	}
}

// indented lays out JSON for reading; what is no JSON stays as it is.
func indented(text json.RawMessage) string {
	var b bytes.Buffer
	if err := json.Indent(&b, text, "", "  "); err != nil {
		return string(text)
	}
	return b.String()
}

// statusText is the status of an answer with its name in HTTP, but for one of
// another protocol, which the error tells: 503 means something else to a mail
// server.
func statusText(a *admin.Attempt) string {
	number := strconv.Itoa(a.Status)
	named := strings.TrimSpace(number + " " + http.StatusText(a.Status))
	if strings.HasPrefix(a.Error, number+" ") && !strings.HasPrefix(a.Error, named) {
		return number
	}
	return named
}
