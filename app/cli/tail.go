package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"hookgate/app/admin"
	"hookgate/app/cli/term"
	"hookgate/app/web/api/client"
	"hookgate/internal/event"
)

// reconnectAfter is the pause before the server is looked for again.
const reconnectAfter = time.Second

func newEventsTail(s *session) *cobra.Command {
	var flags eventFlags
	var forward, sign string
	c := &cobra.Command{
		Use: "tail", Short: "Show events as they come in, until Ctrl-C",
		Example: `  hookgate events tail --rule announce-status
  hookgate events tail --where 'data.website.status == "Done"' --json
  hookgate events tail --source shop --forward http://localhost:3000/hooks --sign SHOP_SECRET`,
		Long: `Show events as they come in, until Ctrl-C: a line for each once its deliveries
have been tried, or after three seconds. What ends later, after a retry or a
wait, gets a line of its own. With --json each line is an object.

With --forward each event is posted to a program of yours, as its sender did: the
body as it came, the headers but for credentials. Each is posted once; the line
says what was answered. What was refused, is spam or a repeat is not, unless
--state says so.`,
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := flags.parse(s, eventStates()); err != nil {
				return err
			}
			if forward == "" && sign != "" {
				return usageError("say where to, with --forward", errors.New("--sign is for what is forwarded"))
			}
			ctx, stop := untilSignal(cmd.Context(), os.Exit)
			defer stop()
			if forward == "" {
				return s.tail(ctx, flags.search)
			}
			f, err := s.newForwarder(forward, sign, flags.search)
			if err != nil {
				return err
			}
			return f.run(ctx)
		},
	}
	flags.add(c, "only what this rule listens to, whether it matches or not", eventStates())
	c.Flags().StringVar(&flags.search.Text, "text", "", "only those that hold this text, in upper or lower case")
	c.Flags().StringVar(&forward, "forward", "", "post each event to this `URL`, such as http://localhost:3000/hooks")
	c.Flags().StringVar(&sign, "sign", "", "sign what is forwarded as its sender does, with the secret in this environment `variable`")
	return c
}

// tail follows the stream. A server that goes away is waited for: it may be
// restarting.
func (s *session) tail(ctx context.Context, search event.Search) error {
	server, err := s.connect()
	if err != nil {
		return err
	}
	defer server.Close()
	view := &tailView{session: s}
	listened := false
	for {
		before := view.connections
		err := server.Tail(ctx, search, view.connected, view.show, view.dropped)
		listened = listened || view.connections > 0
		switch {
		case ctx.Err() != nil:
			return &failure{code: exitInterrupted}
		case !listened || !errors.Is(err, client.ErrUnreachable):
			return s.searchFailure(search.Where, err)
		case view.connections > before:
			s.note("the server is gone, waiting for it")
		}
		if pause(ctx, reconnectAfter) != nil {
			return &failure{code: exitInterrupted}
		}
	}
}

// tailView prints what the stream brings.
type tailView struct {
	session     *session
	connections int
	widths      [4]int // of the columns so far
}

func (v *tailView) connected() {
	if v.connections++; v.connections > 1 {
		v.session.note("the server is back; hookgate events list shows what came in meanwhile")
		return
	}
	v.session.note("waiting for events, Ctrl-C ends")
}

func (v *tailView) dropped(n int) {
	v.session.note("too much at once: %s left out here; hookgate events list has them", plural(n, "line"))
}

func (v *tailView) show(e admin.Live) error {
	if v.session.json {
		text, err := json.Marshal(e)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(v.session.data(true), "%s\n", text)
		return err
	}
	v.session.out.Println(v.line(&e))
	return v.session.failed()
}

// line is what tail prints of an event, or of the later end of a delivery:
//
//	10:42:07  evt_7q2  sitejet  website_status_changed  Harry's Diner  2 rules  billing ✓ 84 ms  slack-web ✓ 210 ms
//	10:47:37  evt_7q2  sitejet  website_status_changed  Harry's Diner  billing ✓ 90 ms (attempt 2)
func (v *tailView) line(e *admin.Live) string {
	at := e.Time
	if e.Update {
		at = v.session.now()
	}
	return strings.TrimRight(v.columns(at, &e.Event)+v.result(e), " ")
}

// columns are the beginning of a line: when, and which event.
func (v *tailView) columns(at time.Time, e *admin.Event) string {
	s := v.session
	cells := [4]string{e.ID.String(), term.Clean(e.Source), term.Clean(e.Type), term.Cut(term.Clean(e.Summary), 40)}
	var b strings.Builder
	b.WriteString(s.out.Dim.Render(at.Local().Format(time.TimeOnly)) + "  ")
	for i, cell := range cells {
		v.widths[i] = max(v.widths[i], term.Width(cell))
		if v.widths[i] > 0 {
			b.WriteString(s.columnStyle(i+1).Render(term.Pad(cell, v.widths[i])) + "  ")
		}
	}
	return b.String()
}

func (v *tailView) result(e *admin.Live) string {
	s := v.session
	switch {
	case e.Update:
		var parts []string
		for i := range e.Deliveries {
			d := &e.Deliveries[i]
			text := s.deliveryResult(d)
			if d.Attempts > 1 {
				text += " (attempt " + strconv.Itoa(d.Attempts) + ")"
			}
			parts = append(parts, text)
		}
		return strings.Join(parts, "  ")
	case e.State == event.Rejected:
		return s.eventResult(&e.Event) + s.out.Dim.Render(" (kept; hookgate events show "+e.ID.String()+")")
	case e.State == event.Routed:
		matched := 0
		for _, r := range e.Rules {
			if r.Result == "match" {
				matched++
			}
		}
		return plural(matched, "rule") + "  " + s.eventResult(&e.Event)
	}
	return s.eventResult(&e.Event)
}
