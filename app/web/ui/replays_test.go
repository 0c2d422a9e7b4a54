package ui

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hookgate/internal/event"
)

// What a replay was begun for is written so that the search understands it.
func TestQueryOf(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 24, 9, 30, 0, 0, time.UTC)
	for _, want := range []event.Search{
		{},
		{Filter: event.Filter{Source: "shop", Type: "order paid", Rule: "large", States: []event.State{event.NoMatch, event.RuleError}, Since: at, Until: at.Add(time.Hour)}, Text: "Ada Löwe", Where: `data.a == "x y"`},
		{Where: "data.n > 1"},
	} {
		got, _, err := readQuery(queryOf(want), at, english)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%q: %v (-want +got)\n%s", queryOf(want), err, diff)
		}
	}
}
