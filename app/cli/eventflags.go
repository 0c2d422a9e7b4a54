package cli

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"hookgate/app/replay"
	"hookgate/app/web/api/client"
	"hookgate/internal/diag"
	"hookgate/internal/event"
	"hookgate/internal/yamlnode"
)

// eventFlags are the flags that select events.
type eventFlags struct {
	search       event.Search
	states       []string
	since, until string
}

// add declares those that every command has which selects events. What rule
// selects differs, and is said by its caller.
func (f *eventFlags) add(c *cobra.Command, rule string, states []event.State) {
	flags := c.Flags()
	flags.StringVar(&f.search.Source, "source", "", "only of this source or form")
	flags.StringVar(&f.search.Type, "type", "", "only of this type")
	flags.StringSliceVar(&f.states, "state", nil, "only in these `states` (also --status): "+stateNames(states))
	flags.StringVar(&f.search.Rule, "rule", "", rule)
	flags.StringVar(&f.search.Where, "where", "", "only those for which this `expression` of the rules' language holds: 'data.website.status == \"Done\"'")
	flags.SetNormalizeFunc(func(_ *pflag.FlagSet, name string) pflag.NormalizedName {
		if name == "status" {
			name = "state"
		}
		return pflag.NormalizedName(name)
	})
	_ = c.RegisterFlagCompletionFunc("state", cobra.FixedCompletions(completions(states), cobra.ShellCompDirectiveNoFileComp))
}

// addTimes declares those that select among what is stored.
func (f *eventFlags) addTimes(c *cobra.Command) {
	flags := c.Flags()
	flags.StringVar(&f.since, "since", "", "only after this `time`: 15m, 24h, 7d, 2026-03-10 or 2026-03-10T09:00:00Z")
	flags.StringVar(&f.until, "until", "", "only before this `time`, written as for --since")
	flags.StringVar(&f.search.Text, "text", "", "only those that hold this text, in upper or lower case")
}

// listFlags are the flags that select among what is stored, as lists have them.
type listFlags struct {
	eventFlags
	before     string
	deliveries []string
}

// add declares them.
func (f *listFlags) add(c *cobra.Command) {
	f.eventFlags.add(c, "only those that this rule has matched", eventStates())
	f.addTimes(c)
	flags := c.Flags()
	flags.StringVar(&f.search.Connection, "connection", "", "only those of which something goes to this connection")
	flags.StringVar(&f.search.Key, "key", "", "only those of which a delivery has this ordering `key`")
	flags.StringSliceVar(&f.deliveries, "delivery", nil, "only those of which a delivery is in one of these `states`: "+stateNames(deliveryStates()))
	flags.StringVar(&f.before, "before", "", "only those older than the event with this `id`")
}

// parse checks the flags and puts them into search.
func (f *listFlags) parse(s *session) (err error) {
	if err := f.eventFlags.parse(s, eventStates()); err != nil {
		return err
	}
	if f.search.Deliveries, err = parseStates(f.deliveries, deliveryStates()); err != nil {
		return err
	}
	if f.before != "" {
		if f.search.Before, err = event.ParseID(f.before); err != nil {
			return usageError("", err)
		}
	}
	return nil
}

// parse checks the flags and puts them into search.
func (f *eventFlags) parse(s *session, states []event.State) (err error) {
	for i, state := range f.states {
		f.states[i] = strings.ReplaceAll(strings.ReplaceAll(state, "-", "_"), " ", "_")
	}
	if f.search.States, err = parseStates(f.states, states); err != nil {
		return err
	}
	if f.search.Since, err = s.parseTime("since", f.since); err != nil {
		return err
	}
	if f.search.Until, err = s.parseTime("until", f.until); err != nil {
		return err
	}
	if !f.search.Until.IsZero() && !f.search.Since.Before(f.search.Until) {
		return usageError("", errors.New("--until must be later than --since"))
	}
	_, faults := replay.NewQuery(f.search.Where, f.search.Text)
	return s.whereFailure("--where", f.search.Where, faults)
}

// whereFailure shows what is wrong with an expression, if anything is; name is where it
// was typed.
func (s *session) whereFailure(name, where string, faults diag.List) error {
	if faults.Err() == nil {
		return nil
	}
	for i := range faults {
		faults[i].File = name
	}
	if err := diag.Render(s.msg, faults, map[string][]byte{name: []byte(where)}, s.msg.Color()); err != nil {
		return err
	}
	return usageError("", errors.New("the expression is not understood"))
}

// parseTime reads a point in time: a duration back from now, a date, or RFC 3339.
func (s *session) parseTime(flag, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	d, err := yamlnode.ParseDuration(text)
	if err == nil {
		return s.now().Add(-d), nil
	}
	if !errors.Is(err, yamlnode.ErrDuration) {
		return time.Time{}, usageError("a duration is how long ago it was, such as 24h", fmt.Errorf("--%s: %w", flag, err))
	}
	for _, layout := range []string{time.RFC3339, time.DateTime, time.DateOnly} {
		if t, err := time.ParseInLocation(layout, text, time.Local); err == nil {
			return t, nil
		}
	}
	return time.Time{}, usageError("write it like 15m, 24h, 7d, 2026-03-10 or 2026-03-10T09:00:00Z",
		fmt.Errorf("--%s: %q is no time", flag, text))
}

// searchFailure is serverError for a call with an expression: the server may
// know other functions than this program.
func (s *session) searchFailure(where string, err error) error {
	if problem, ok := errors.AsType[*client.Problem](err); ok && len(problem.Errors) > 0 {
		return s.whereFailure("--where", where, problem.Errors)
	}
	return serverError(err)
}
