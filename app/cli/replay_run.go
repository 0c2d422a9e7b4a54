package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"hookgate/app/admin"
	"hookgate/app/cli/term"
	"hookgate/app/replay"
	"hookgate/app/web/api/client"
)

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
	routes := replay.Routes{}
	var bar *progress
	for {
		part, err := server.PreviewReplay(ctx, request)
		if err != nil {
			return all, s.searchFailure(r.flags.search.Where, err)
		}
		if bar == nil {
			all.Total = part.Total
			bar = s.progress(part.Total, "looking")
			defer bar.end()
		}
		all.Examined += part.Examined
		all.Events += part.Events
		all.Failed += part.Failed
		if all.Failure == "" {
			all.Failure = part.Failure
		}
		routes.Merge(part.Routes)
		bar.set(all.Examined)
		if part.Next == nil {
			all.Routes = routes.List()
			return all, nil
		}
		request.After = part.Next
	}
}

// printPreview prints how many deliveries each rule makes to each connection.
func (s *session) printPreview(p *admin.ReplayPreview) {
	deliveries := 0
	var rows [][]string
	for _, route := range p.Routes {
		deliveries += route.Deliveries
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
	verb := " match"
	if p.Events == 1 {
		verb = " matches"
	}
	s.msg.Printf("%s, which would make %s.\n", plural(p.Events, "event")+verb, plural(deliveries, "new delivery"))
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
