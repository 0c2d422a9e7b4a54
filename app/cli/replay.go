package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"hookgate/app/admin"
	"hookgate/internal/event"
	"hookgate/internal/yamlnode"
)

const replayLong = `Put stored events through the rules that are in force now, and send what comes
of it as new deliveries of the same events. Name events by their ids, or select
them with flags. The old deliveries stay as they are, and nothing of them is
sent again by itself: deliveries retry does that.

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
	rate     string
	goOn     string
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
	if r.rate != "" {
		var rate yamlnode.Rate
		if err := rate.UnmarshalText([]byte(r.rate)); err != nil || rate.Count <= 0 {
			return usageError("write it like 50/s or 600/m", fmt.Errorf("--rate: %q is no rate", r.rate))
		}
		r.perEvent = rate.Per / time.Duration(rate.Count)
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
	case r.diff.on && (r.list || r.goOn != "" || r.dryRun || r.rate != ""):
		return usageError("", errors.New("--diff sends nothing: --list, --continue, --dry-run and --rate do not go with it"))
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
