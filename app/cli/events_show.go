package cli

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"hookgate/app/admin"
	"hookgate/app/cli/term"
	"hookgate/app/cli/trace"
	"hookgate/app/web/api/client"
	"hookgate/internal/event"
)

func newEventsShow(s *session) *cobra.Command {
	return &cobra.Command{
		Use: "show ID", Short: "Show all that is kept of an event",
		Example: `  hookgate events show evt_7q2`,
		Args:    exactly("the id of an event"),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := event.ParseID(args[0])
			if err != nil {
				return usageError("hookgate events list shows the ids", err)
			}
			return answered(cmd.Context(), s, func(server *client.Client, ctx context.Context) (admin.EventDetail, error) {
				return server.Event(ctx, id)
			}, s.showEvent)
		},
	}
}

func (s *session) showEvent(e *admin.EventDetail) {
	s.out.Printf("%s  %s  %s  %s\n", s.out.Strong.Render(e.ID.String()), s.out.Name.Render(term.Clean(e.Source)),
		term.Clean(e.Type), e.Time.Local().Format(time.DateTime))
	if e.Summary != "" {
		s.out.Println(s.out.Strong.Render(term.Clean(e.Summary)))
	}
	s.out.Println(s.stateSentence(&e.Event))
	if e.Cause != "" && e.State != event.Rejected && e.State != event.Spam { // these name it already
		s.out.Println(s.out.Warn.Render(term.Clean(e.Cause)))
	}
	s.showRules(e)
	s.showReplays(e.Replays)
	s.showGathered(e.Digests)
	s.showSameKey(e.SameKey)
	if len(e.Deliveries) > 0 {
		s.heading("Deliveries")
		for _, d := range inOrder(e.Deliveries) {
			s.showDelivery(&d, "  ")
		}
	}
	s.showRequest(&e.Request)
	s.showBody(e)
}

// showReplays prints what replays did with the event.
func (s *session) showReplays(replays []admin.Replay) {
	if len(replays) == 0 {
		return
	}
	s.heading("Replays")
	for _, r := range replays {
		var matched []string
		for _, v := range r.Rules {
			if v.Result == "match" {
				matched = append(matched, term.Clean(v.Rule))
			}
		}
		what := s.out.Dim.Render("no rule matched")
		if len(matched) > 0 {
			what = plural(r.Deliveries, "delivery") + " by " + strings.Join(matched, ", ")
		}
		s.out.Printf("  %s  %s  %s, of config %s\n", s.out.Dim.Render(r.At.Local().Format(time.DateTime)), r.Run, what, term.Clean(r.Config))
	}
}

// stateSentence is an event's state with its cause.
func (s *session) stateSentence(e *admin.Event) string {
	switch e.State {
	case event.Routed:
		if len(e.Deliveries) == 0 && len(e.Digests) > 0 {
			return s.out.Good.Render("routed") + ": gathered in " + plural(len(e.Digests), "digest")
		}
		return s.out.Good.Render("routed") + ": " + plural(len(e.Deliveries), "delivery")
	case event.RuleError:
		return s.out.Bad.Render("rule error") + ": no rule matched, and at least one could not be evaluated"
	case event.NoMatch, event.Rejected, event.Duplicate, event.Spam:
	}
	return s.eventResult(e)
}

func (s *session) heading(text string) {
	s.out.Printf("\n%s\n", s.out.Strong.Render(text))
}

// showRules prints what each rule said, and why where that is known.
func (s *session) showRules(e *admin.EventDetail) {
	if len(e.Why) == 0 {
		s.showVerdicts(e)
		return
	}
	s.heading("Rules" + s.judgedBy(e.JudgedBy))
	s.showGone("  ", e.JudgedBy)
	view := trace.ForScreen(s.out, s.width())
	view.Outputs, view.Lead = false, func() string { return "  " }
	view.Rules(e.Why)
}

// judgedBy tells which version of the configuration judged an event:
//
//	, of config 7f3a91c (in force)
func (s *session) judgedBy(by *admin.JudgedBy) string {
	switch {
	case by == nil:
		return ""
	case by.InForce:
		return ", of config " + term.Clean(by.Config) + " (in force)"
	}
	return ", of config " + term.Clean(by.Config) + " (first loaded " + by.Since.Local().Format(time.DateTime) + ", no longer in force)"
}

// showGone says which connections of that version have a type that nobody knows
// any more.
func (s *session) showGone(indent string, by *admin.JudgedBy) {
	if by == nil {
		return
	}
	for _, g := range by.Gone {
		s.wrapped(indent, fmt.Sprintf("The connection %s had the type %s, which the config in force does not know any more: its recipe was taken out. "+
			"What the rules send to it is shown as they write it, without what the type makes of it.", g.Name, g.Type))
	}
}

func (s *session) showVerdicts(e *admin.EventDetail) {
	if len(e.Rules) == 0 {
		return
	}
	s.heading("Rules" + s.judgedBy(e.JudgedBy))
	for _, v := range e.Rules {
		result := term.Pad(v.Result, 7)
		switch v.Result {
		case "match":
			result = s.out.Good.Render(result)
		case "error":
			result = s.out.Bad.Render(result)
		default:
			result = s.out.Dim.Render(result)
		}
		line := fmt.Sprintf("  %s  %s", result, term.Clean(v.Rule))
		if v.Message != "" {
			line += ": " + term.Clean(v.Message)
		}
		s.out.Println(line)
	}
}

func (s *session) showRequest(r *event.Request) {
	s.heading("Request")
	s.out.Printf("  %s", term.Clean(r.Method))
	if r.RemoteIP != "" { // a sample that was sent by hand has none
		s.out.Printf(" from %s", term.Clean(r.RemoteIP))
	}
	if r.ContentType != "" {
		s.out.Printf(", %s", term.Clean(r.ContentType))
	}
	s.out.Println()
	for _, name := range slices.Sorted(maps.Keys(r.Headers)) {
		s.out.Printf("  %s %s\n", s.out.Dim.Render(term.Clean(name)+":"), term.Clean(r.Headers[name]))
	}
	for _, name := range slices.Sorted(maps.Keys(r.Query)) {
		s.out.Printf("  %s %s\n", s.out.Dim.Render("query "+term.Clean(name)+":"), term.Clean(fmt.Sprint(r.Query[name])))
	}
}

func (s *session) showBody(e *admin.EventDetail) {
	s.heading("Body")
	switch {
	case len(e.Base64) > 0:
		s.out.Printf("  %s that are no text: --json has them in base64\n", plural(len(e.Base64), "byte"))
	case strings.TrimSpace(e.Body) == "" && len(e.Data) > len("{}"): // of a post with files the fields are kept, not the body
		s.out.Println(term.CleanBlock(indented(e.Data)))
	case strings.TrimSpace(e.Body) == "":
		s.out.Println("  empty")
	default:
		s.out.Println(term.CleanBlock(strings.TrimRight(e.Body, "\r\n")))
	}
}

// showSameKey prints the events next to one that share an ordering key with it, the
// newest first.
func (s *session) showSameKey(list []admin.SameKey) {
	for i := range list {
		k := &list[i]
		s.heading("Same key")
		s.out.Printf("  %s\n", term.Clean(k.Key))
		for _, e := range slices.Backward(k.Later) {
			s.sameLine("later", &e)
		}
		for _, e := range k.Earlier {
			s.sameLine("earlier", &e)
		}
		if k.More {
			s.note("hookgate events list --key %q lists the others", term.Clean(k.Key))
		}
	}
}

func (s *session) sameLine(word string, e *admin.Event) {
	s.out.Printf("  %s  %s  %s  %s  %s\n", s.out.Dim.Render(term.Pad(word, 7)), s.out.Dim.Render(e.Time.Local().Format(time.DateTime)), s.out.Dim.Render(e.ID.String()), term.Clean(e.Type), s.out.Strong.Render(term.Clean(e.Summary)))
}
