package logline_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"hookgate/internal/event"
	"hookgate/test/connectortest"
)

func TestDeliver(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	deps := connectortest.Deps(t)
	deps.Logger = slog.New(slog.NewTextHandler(&log, nil))
	c := connectortest.MustConnector(t, "log", "level: warn", deps)
	for output, want := range map[string][3]string{
		`{"text":"is \"Done\"\nnow"}`:   {"delivered", "is \"Done\"\nnow", `text="is \"Done\"\nnow"`},
		`{"json":{"id":1},"text":"hi"}`: {"delivered", "hi", `json="{\"id\":1}" text=hi`},
		`{"json":[1,2]}`:                {"delivered", "[1,2]", "json=[1,2]"},
		`{"subject":"of another kind"}`: {"permanent", "", ""},
		`{"text":"` + long() + `"}`:     {"delivered", long()[:64<<10], "text=aaa"},
	} {
		log.Reset()
		receipt, err := c.Deliver(t.Context(), event.Delivery{ID: 4711, Rule: "announce", Connection: "notes", Output: []byte(output)})
		if got := connectortest.Outcome(err); got != want[0] || string(receipt.Answer) != want[1] || !strings.Contains(log.String(), want[2]) {
			t.Errorf("%.60s: %s, %.60q, %.200s", output, got, receipt.Answer, log.String())
		}
		if want[0] == "delivered" && (!strings.Contains(log.String(), "level=WARN") || !strings.Contains(log.String(), "rule=announce connection=notes")) {
			t.Errorf("the line is %.200s", log.String())
		}
	}
}

func long() string { return strings.Repeat("a", 65<<10) }

func TestTest(t *testing.T) {
	t.Parallel()
	c := connectortest.MustTester(t, "log", "{}")
	if tried, err := c.Test(t.Context(), 1); err != nil || c.TestInfo().Message || tried.Said != "it is in the log" {
		t.Errorf("%+v, %v", tried, err)
	}
	if got := connectortest.Faults(t, "log", "level: loud", connectortest.Deps(t)); !strings.Contains(got, "it can be info, warn, error") {
		t.Errorf("got %s", got)
	}
}
