package replay_test

import (
	"strings"
	"testing"
	"time"

	"hookgate/app/replay"
	"hookgate/internal/event"
)

func stored(text string) *event.Event {
	return &event.Event{
		ID: 1 << 40, Source: "shop", Type: "order.Paid", State: event.Routed, ReceivedAt: time.Date(2026, 3, 10, 10, 42, 7, 0, time.UTC),
		Body: []byte(text), Request: event.Request{Headers: map[string]string{"x-kind": "a"}, Query: map[string]any{"page": "2"}},
	}
}

func TestQuery(t *testing.T) {
	t.Parallel()
	const text = `{"name":"Caf\u00e9 \"Blau\"","n":7,"items":[{"sku":"A-1"}],"none":null}`
	for _, tc := range []struct {
		where, text string
		want        bool
		failure     string
	}{
		{"", "", true, ""},
		{"data.n == 7", "", true, ""},
		{"data.n ==\n  8", "", false, ""},
		{`headers["x-kind"] == "a" and query.page == "2" and event.type == "order.Paid"`, "", true, ""},
		{`event.time startsWith "2026-03-10T10"`, "", true, ""},
		{"data.none.x == 1", "", false, `it has no "x"`},
		{"data.n", "", false, "not true or false"},
		{"", "café \"blau\"", true, ""},
		{"", "a-1", true, ""},
		{"", "ORDER.", true, ""},
		{"", (event.ID(1) << 40).String(), true, ""},
		{"", "a-2", false, ""},
		{"data.n == 7", "a-2", false, ""},
	} {
		q, faults := replay.NewQuery(tc.where, tc.text)
		if faults.Err() != nil {
			t.Errorf("%q: %v", tc.where, faults)
			continue
		}
		got, err := q.Match(stored(text))
		if got != tc.want || (err == nil) != (tc.failure == "") || err != nil && !strings.Contains(err.Error(), tc.failure) {
			t.Errorf("%q, text %q: got %t, %v, want %t, %q", tc.where, tc.text, got, err, tc.want, tc.failure)
		}
	}
	q, _ := replay.NewQuery("true", "")
	if ok, err := q.Match(&event.Event{State: event.Rejected, Body: []byte("{")}); ok || err != nil {
		t.Errorf("a rejected event: %t, %v", ok, err)
	}
}

// A fault has its place in the expression as it was given.
func TestNewQuery_faults(t *testing.T) {
	t.Parallel()
	for where, want := range map[string][2]int{
		`data.n = 7`:                   {1, 8},
		"  data.n == 7 and\n dta.x":    {2, 2},
		`data.name == Done`:            {1, 14},
		"data.n == 7 or ${{ data.n }}": {1, 16},
	} {
		_, faults := replay.NewQuery(where, "")
		if len(faults) == 0 || faults[0].Line != want[0] || faults[0].Column != want[1] {
			t.Errorf("%q: %+v, want one at %v", where, faults, want)
		}
	}
}
