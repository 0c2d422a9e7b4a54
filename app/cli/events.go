package cli

import (
	"cmp"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"hookgate/app/admin"
	"hookgate/app/cli/term"
	"hookgate/internal/event"
)

func newEvents(s *session) *cobra.Command {
	return group("events", groupEvents, "Look at what came in, replay it, or send a sample",
		newEventsList(s), newEventsExport(s), newEventsShow(s), newEventsTail(s), newEventsSend(s), newEventsReplay(s))
}

// eventStates returns the states of events.
func eventStates() []event.State {
	return []event.State{event.Routed, event.NoMatch, event.RuleError, event.Rejected, event.Duplicate, event.Spam}
}

// defaultLimit is how many lines a list shows when nobody says.
const defaultLimit = 50

func newEventsList(s *session) *cobra.Command {
	var flags listFlags
	c := &cobra.Command{
		Use: "list", Short: "List events, the newest last",
		Example: `  hookgate events list --source sitejet --since 1h
  hookgate events list --since 7d --where 'data.website.status == "Done"'`,
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := checkLimit(flags.search.Limit); err != nil {
				return err
			}
			if err := flags.parse(s); err != nil {
				return err
			}
			return s.eventPages(cmd, flags.search, s.printEvents)
		},
	}
	flags.add(c)
	c.Flags().IntVar(&flags.search.Limit, "limit", defaultLimit, "at most so many")
	return c
}

// eventPages lists what a search finds, by print where it is for people.
func (s *session) eventPages(cmd *cobra.Command, search event.Search, print func(*admin.Page[admin.Event])) error {
	server, err := s.connect()
	if err != nil {
		return err
	}
	how, told := admin.Search{}, s.now()
	page, err := collect(search.Limit, func(size int, before string) (admin.Page[admin.Event], error) {
		if before != "" {
			next, err := event.ParseID(before)
			if err != nil {
				return admin.Page[admin.Event]{}, err
			}
			search.Before = next
		}
		search.Limit = size
		page, err := server.Events(cmd.Context(), search)
		if found := page.Search; found != nil {
			how.Examined += found.Examined
			how.Stopped = found.Stopped
			how.Failed += found.Failed
			if how.Failure == "" {
				how.Failure = found.Failure
			}
			page.Search = &how
			if now := s.now(); how.Stopped && now.Sub(told) >= tellEvery {
				told = now
				s.note("%s", lookedInto(&page))
			}
		}
		return page, err
	})
	cut := cmd.Context().Err()
	if err != nil && (cut == nil || page.Search == nil) {
		return s.searchFailure(search.Where, err)
	}
	if s.json {
		return cmp.Or(s.printJSON(page), cut)
	}
	print(&page)
	return cut
}

// tellEvery is how often a search that takes its time says how far it is.
const tellEvery = 2 * time.Second

// lookedInto says how far a search is.
func lookedInto(page *admin.Page[admin.Event]) string {
	text := "looked into " + plural(page.Search.Examined, "event")
	if at, err := event.ParseID(page.Next); err == nil {
		text += ", back to " + at.Time().Local().Format(time.DateTime)
	}
	return text
}

// printEvents prints a page, the newest last, and what there is to say of it.
func (s *session) printEvents(page *admin.Page[admin.Event]) {
	lines := s.eventLines(page.Items)
	for _, line := range slices.Backward(lines) {
		s.out.Println(line)
	}
	if how := page.Search; how != nil && how.Failed > 0 {
		s.note("the expression could not be evaluated for %s: %s", plural(how.Failed, "event"), term.Clean(how.Failure))
	}
	switch {
	case page.Search != nil && page.Search.Stopped:
		s.note("%s: --before %s goes on from there, --source, --type and --since make it quicker", lookedInto(page), page.Next)
	case len(lines) == 0:
		s.note("no events match")
	case page.Next != "":
		s.note("there are older ones: --before %s, or a larger --limit", page.Next)
	}
}

// parseSince reads the flag --since.
func (s *session) parseSince(text string) (time.Time, error) { return s.parseTime("since", text) }

func completions[T ~string](values []T) []cobra.Completion {
	list := make([]cobra.Completion, len(values))
	for i, v := range values {
		list[i] = string(v)
	}
	return list
}
