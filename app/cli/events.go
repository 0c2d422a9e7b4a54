package cli

import (
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"hookgate/app/event"
	"hookgate/app/web/api"
	"hookgate/app/yamlpos"
)

func newEvents(s *session) *cobra.Command {
	return group("events", groupEvents, "Look at what came in, or send a sample",
		newEventsList(s), newEventsShow(s), newEventsSend(s))
}

// eventStates returns the states of events.
func eventStates() []event.State {
	return []event.State{event.Routed, event.NoMatch, event.RuleError, event.Rejected, event.Duplicate, event.Spam}
}

// defaultLimit is how many lines a list shows when nobody says.
const defaultLimit = 50

func newEventsList(s *session) *cobra.Command {
	var filter event.Filter
	var states []string
	var since, before string
	c := &cobra.Command{
		Use: "list", Short: "List events, the newest last",
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if err := checkLimit(filter.Limit); err != nil {
				return err
			}
			if filter.States, err = parseStates(states, eventStates()); err != nil {
				return err
			}
			if filter.Since, err = s.parseSince(since); err != nil {
				return err
			}
			if before != "" {
				if filter.Before, err = event.ParseID(before); err != nil {
					return usageError("", err)
				}
			}
			return s.listEvents(cmd, filter)
		},
	}
	f := c.Flags()
	f.StringVar(&filter.Source, "source", "", "only of this source or form")
	f.StringVar(&filter.Type, "type", "", "only of this type")
	f.StringSliceVar(&states, "state", nil, "only in these `states`: "+stateNames(eventStates()))
	f.StringVar(&since, "since", "", "only after this `time`: 15m, 24h, 7d, 2026-03-10 or 2026-03-10T09:00:00Z")
	f.StringVar(&before, "before", "", "only those older than the event with this `id`")
	f.IntVar(&filter.Limit, "limit", defaultLimit, "at most so many")
	_ = c.RegisterFlagCompletionFunc("state", cobra.FixedCompletions(completions(eventStates()), cobra.ShellCompDirectiveNoFileComp))
	return c
}

func (s *session) listEvents(cmd *cobra.Command, filter event.Filter) error {
	server, err := s.connect()
	if err != nil {
		return err
	}
	page, err := collect(filter.Limit, func(size int, before string) (api.Page[api.Event], error) {
		if before != "" {
			next, err := event.ParseID(before)
			if err != nil {
				return api.Page[api.Event]{}, err
			}
			filter.Before = next
		}
		filter.Limit = size
		return server.Events(cmd.Context(), filter)
	})
	if err != nil {
		return err
	}
	if s.json {
		return s.printJSON(page)
	}
	lines := s.eventLines(page.Items)
	for _, line := range slices.Backward(lines) {
		s.out.Println(line)
	}
	switch {
	case len(lines) == 0:
		s.note("no events match")
	case page.Next != "":
		s.note("there are older ones: --before %s, or a larger --limit", page.Next)
	}
	return nil
}

// parseSince reads a point in time: a duration back from now, a date, or RFC 3339.
func (s *session) parseSince(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if d, err := yamlpos.ParseDuration(text); err == nil {
		return s.now().Add(-d), nil
	}
	for _, layout := range []string{time.RFC3339, time.DateTime, time.DateOnly} {
		if t, err := time.ParseInLocation(layout, text, time.Local); err == nil {
			return t, nil
		}
	}
	return time.Time{}, usageError("write it like 15m, 24h, 7d, 2026-03-10 or 2026-03-10T09:00:00Z",
		fmt.Errorf("--since: %q is no time", text))
}

func completions[T ~string](values []T) []cobra.Completion {
	list := make([]cobra.Completion, len(values))
	for i, v := range values {
		list[i] = string(v)
	}
	return list
}
