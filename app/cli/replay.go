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
	"hookgate/app/cli/term"
	"hookgate/app/web/api/client"
	"hookgate/internal/event"
	"hookgate/internal/yamlnode"
)

const replayLong = `Put stored events through the rules that are in force now, and send what comes
of it as new deliveries of the same events. Name events by their ids, or select
them with flags. The old deliveries stay as they are, and nothing of them is
sent again by itself: deliveries retry does that.

With --unfinished what was delivered is not sent again, and what is on its way goes
on by itself. Of steps that come after each other those that were delivered stay, and
the others use what these were answered.

Delays count from the event's time. What had its moment more than an hour ago is
left out; --include-past sends it.

Rules look up in kept tables what was there when the event was accepted; --tables now
has them look up what is there now.

Events go in the order in which they came. A replay that was interrupted goes
on with --continue and does no event twice.

With --diff nothing is sent: the rules in force and those of the config file, or
of another one, judge the same stored events, and what differs is printed. The
exit status is 1 where anything does. It needs no running server.`

// replayCall is one call of events replay.
type replayCall struct {
	flags    eventFlags
	ids      []event.ID
	dryRun   bool
	list     bool
	past     bool
	left     bool
	tables   string
	rate     string
	goOn     string
	pace     yamlnode.Rate // rate, as it is read
	perEvent time.Duration // at the least
	diff     diffFlags
}

func newEventsReplay(s *session) *cobra.Command {
	call := &replayCall{}
	c := &cobra.Command{
		Use: "replay [ID...]", Short: "Put stored events through today's rules", Long: replayLong,
		Example: `  hookgate replay --source sitejet --since 24h --state no_match
  hookgate replay evt_7q2 --rule announce-status
  hookgate replay --diff --config other.yaml --since 30d`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := call.parse(s, cmd, args); err != nil {
				return err
			}
			ctx, stop := untilSignal(cmd.Context(), os.Exit)
			defer stop()
			if call.diff.on {
				return call.compare(ctx, s)
			}
			return call.run(ctx, s)
		},
	}
	call.flags.add(c, "send only what this rule of today sends", event.JudgedStates())
	call.flags.addTimes(c)
	f := c.Flags()
	f.BoolVar(&call.dryRun, "dry-run", false, "count what would be sent, and send nothing")
	f.BoolVar(&call.past, "include-past", false, "also send what had its moment more than an hour ago")
	f.BoolVar(&call.left, "unfinished", false, "leave out what was delivered or is on its way")
	f.StringVar(&call.tables, "tables", "then", "what rules look up in kept tables: what was there `then`, or what is there now")
	f.StringVar(&call.rate, "rate", "", "at most so many events, such as 50/s or 600/m")
	f.StringVar(&call.goOn, "continue", "", "go on with the replay of this `id`")
	f.BoolVar(&call.list, "list", false, "list the replays there were")
	call.diff.add(c)
	return c
}

// newReplay is events replay under a name of its own.
func newReplay(s *session) *cobra.Command {
	c := newEventsReplay(s)
	c.GroupID = groupEvents
	return c
}

func (r *replayCall) parse(s *session, cmd *cobra.Command, args []string) error {
	if err := r.flags.parse(s, event.JudgedStates()); err != nil {
		return err
	}
	for _, arg := range args {
		id, err := event.ParseID(arg)
		if err != nil {
			return usageError("hookgate events list shows the ids", err)
		}
		r.ids = append(r.ids, id)
	}
	if r.tables != "then" && r.tables != "now" {
		return usageError("", fmt.Errorf("--tables is then or now, not %q", r.tables))
	}
	if r.rate != "" {
		var rate yamlnode.Rate
		if err := rate.UnmarshalText([]byte(r.rate)); err != nil || rate.Count <= 0 {
			return usageError("write it like 50/s or 600/m", fmt.Errorf("--rate: %q is no rate", r.rate))
		}
		r.pace, r.perEvent = rate, rate.Per/time.Duration(rate.Count)
	}
	if err := r.diff.choose(s); err != nil {
		return err
	}
	return r.check(cmd)
}

// check refuses flags that do not go together, and a call that selects nothing.
func (r *replayCall) check(cmd *cobra.Command) error {
	selects := false
	for _, name := range []string{"source", "type", "state", "since", "until", "where", "text"} {
		selects = selects || cmd.Flags().Changed(name)
	}
	switch {
	case r.diff.on && (r.list || r.goOn != "" || r.dryRun || r.rate != "" || r.left || r.tables == "now"):
		return usageError("", errors.New("--diff sends nothing: --list, --continue, --dry-run, --rate, --unfinished and --tables do not go with it"))
	case r.list || r.goOn != "":
		if len(r.ids) > 0 || selects || r.list && r.goOn != "" {
			return usageError("", errors.New("--list and --continue stand alone: they select no events"))
		}
	case len(r.ids) > 0 && selects:
		return usageError("", errors.New("give ids or flags that select, not both"))
	case len(r.ids) == 0 && !selects && !r.diff.on:
		return usageError("give their ids, or --source, --type, --state, --since, --until, --where or --text", errors.New("say which events"))
	}
	return nil
}

func (r *replayCall) selection() admin.EventSelection {
	f := r.flags.search
	return admin.EventSelection{
		IDs: r.ids, Source: f.Source, Type: f.Type, States: f.States, Since: f.Since, Until: f.Until, Where: f.Where, Text: f.Text, Rule: f.Rule,
		IncludePast: r.past, Unfinished: r.left, TablesNow: r.tables == "now",
	}
}

func (r *replayCall) run(ctx context.Context, s *session) error {
	server, err := s.connect()
	if err != nil {
		return err
	}
	switch {
	case r.list:
		return s.listReplays(ctx, server)
	case r.goOn != "":
		id, err := event.ParseRunID(r.goOn)
		if err != nil {
			return usageError("hookgate events replay --list shows the ids", err)
		}
		run, err := server.Replay(ctx, id)
		if err != nil {
			return serverError(err)
		}
		return r.do(ctx, s, server, run)
	}
	if yes, err := r.preview(ctx, s, server); err != nil || !yes {
		return err
	}
	run, err := server.CreateReplay(ctx, r.selection())
	if err != nil {
		return s.searchFailure(r.flags.search.Where, err)
	}
	return r.do(ctx, s, server, run)
}

// preview tells what the replay would do and asks. It reports whether to go on.
func (r *replayCall) preview(ctx context.Context, s *session, server *client.Client) (bool, error) {
	if !r.dryRun && (len(r.ids) > 0 || s.yes) {
		return true, nil
	}
	found, err := r.count(ctx, s, server)
	if err != nil {
		return false, err
	}
	if s.json {
		if r.dryRun {
			return false, s.printJSON(found)
		}
	} else {
		s.printPreview(&found)
	}
	if r.dryRun {
		s.note("Nothing was sent.")
		return false, nil
	}
	if found.Events == 0 {
		return false, nil
	}
	return s.confirm("Replay them by the rules in force?")
}

// count adds up the parts of the preview.
func (r *replayCall) count(ctx context.Context, s *session, server *client.Client) (admin.ReplayPreview, error) {
	request := admin.ReplayRequest{EventSelection: r.selection()}
	var all admin.ReplayPreview
	var bar *progress
	for {
		part, err := server.PreviewReplay(ctx, request)
		if err != nil {
			return all, s.searchFailure(r.flags.search.Where, err)
		}
		all.Add(&part)
		if bar == nil {
			bar = s.progress(all.Total, "looking")
			defer bar.end()
		}
		bar.set(all.Examined)
		if part.Next == nil {
			all.Paces = admin.AddPace(all.Paces, "", all.Events, r.pace)
			return all, nil
		}
		request.After = part.Next
	}
}

// printPreview prints how many deliveries each rule makes to each connection.
func (s *session) printPreview(p *admin.ReplayPreview) {
	var rows [][]string
	for _, route := range p.Routes {
		note := ""
		if route.Failing > 0 {
			note = s.out.Bad.Render(thousands(route.Failing) + " could not be made")
		}
		rows = append(rows, []string{term.Clean(route.Rule) + " → " + s.out.Name.Render(term.Clean(route.Connection)), thousands(route.Deliveries), note})
	}
	if len(rows) > 0 {
		s.out.Printf("%s", s.out.Table([]string{"RULE → CONNECTION", "DELIVERIES", ""}, rows))
	}
	if p.Failed > 0 {
		s.note("the expression could not be evaluated for %s: %s", plural(p.Failed, "event"), term.Clean(p.Failure))
	}
	if p.Errors > 0 {
		s.note("a rule cannot be evaluated for %s: %s", plural(p.Errors, "event"), term.Clean(p.Error))
	}
	if p.Finished > 0 {
		s.note("%s left out: nothing is missing of what the rules in force send", plural(p.Finished, "event"))
	}
	if p.Past > 0 {
		s.note("%s left out: the moment was over more than an hour ago (--include-past sends it)", plural(p.Past, "delivery"))
	}
	if p.GoingOn > 0 {
		s.note("going on behind steps that were delivered: %s; what that sends shows then", plural(p.GoingOn, "chain"))
	}
	verb := " match"
	if p.Events == 1 {
		verb = " matches"
	}
	s.msg.Printf("%s, which would make %s%s.\n", plural(p.Events, "event")+verb, plural(p.Deliveries(), "new delivery"), paceWords(p.Paces, ""))
}

// do goes on with a run until it is done or ctx ends.
func (r *replayCall) do(ctx context.Context, s *session, server *client.Client, run admin.ReplayRun) error {
	bar := s.progress(run.Total, "events")
	defer bar.end()
	total, limit := run.Total, 0
	if r.perEvent > 0 {
		limit = max(1, int(time.Second/5/r.perEvent))
	}
	for !run.Done {
		bar.set(run.Seen)
		before := run.Events
		next, err := server.StepReplay(ctx, run.ID, limit)
		if err == nil {
			err = pause(ctx, r.perEvent*time.Duration(next.Events-before))
			run = next
		}
		if err != nil {
			bar.end()
			return r.stopped(run, total, err)
		}
	}
	bar.end()
	if s.json {
		return s.printJSON(run)
	}
	s.out.Printf("%s: %s replayed, %s made\n", run.ID, plural(run.Events, "event"), plural(run.Deliveries, "delivery"))
	if run.Events < len(r.ids) {
		return &failure{
			code: exitFailed, err: fmt.Errorf("%s left out: not known, or never judged by rules (rejected, duplicate, spam)", plural(len(r.ids)-run.Events, "event")),
			hint: "hookgate events show ID tells the state",
		}
	}
	return nil
}

// stopped tells how far a run is that did not come to its end, and how to go on.
func (*replayCall) stopped(run admin.ReplayRun, total int, err error) error {
	hint := "go on with hookgate events replay --continue " + run.ID.String()
	if errors.Is(err, context.Canceled) {
		return &failure{
			code: exitInterrupted, hint: hint,
			err: fmt.Errorf("interrupted after %s of %s", thousands(run.Seen), plural(total, "event")),
		}
	}
	if f, ok := errors.AsType[*failure](serverError(err)); ok {
		f.hint = strings.TrimSpace(f.hint + "\n" + hint)
		return f
	}
	return err
}

// pause waits, or ends with ctx.
func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// listReplays prints the runs there were, the newest last.
func (s *session) listReplays(ctx context.Context, server *client.Client) error {
	page, err := server.Replays(ctx, event.RunFilter{Limit: defaultLimit})
	if err != nil {
		return serverError(err)
	}
	if s.json {
		return s.printJSON(page.Items)
	}
	list := page.Items
	if len(list) == 0 {
		s.note("there was no replay yet")
		return nil
	}
	var rows [][]string
	for i := len(list) - 1; i >= 0; i-- {
		run := &list[i]
		state := s.out.Good.Render("done")
		if !run.Done {
			state = s.out.Warn.Render("not done")
		}
		rows = append(rows, []string{
			s.out.Dim.Render(run.Created.Local().Format(time.DateTime)), run.ID.String(), state,
			term.Clean(run.By), thousands(run.Events), thousands(run.Deliveries), s.out.Dim.Render(selectionText(&run.Selection)),
		})
	}
	s.out.Printf("%s", s.out.Table([]string{"BEGUN", "ID", "STATE", "BY", "EVENTS", "DELIVERIES", "SELECTION"}, rows))
	return nil
}

// selectionText writes a selection as the flags that make it.
func selectionText(sel *admin.EventSelection) string {
	var parts []string
	add := func(flag, value string) {
		if value != "" {
			parts = append(parts, "--"+flag+" "+term.Clean(value))
		}
	}
	if len(sel.IDs) > 0 {
		parts = append(parts, plural(len(sel.IDs), "id"))
	}
	add("source", sel.Source)
	add("type", sel.Type)
	for _, state := range sel.States {
		add("state", string(state))
	}
	if !sel.Since.IsZero() {
		add("since", sel.Since.Local().Format(time.DateTime))
	}
	if !sel.Until.IsZero() {
		add("until", sel.Until.Local().Format(time.DateTime))
	}
	add("rule", sel.Rule)
	add("where", sel.Where)
	add("text", sel.Text)
	if sel.IncludePast {
		parts = append(parts, "--include-past")
	}
	if sel.Unfinished {
		parts = append(parts, "--unfinished")
	}
	if sel.TablesNow {
		parts = append(parts, "--tables now")
	}
	return strings.Join(parts, " ")
}
