package app_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hookgate/app"
	"hookgate/app/admin"
	"hookgate/app/config"
	"hookgate/app/web/api/client"
	"hookgate/internal/event"
)

// A name in a filter that there is not is an error that names the one that may
// be meant; one that is stored of an earlier configuration is none.
func TestFilters_unknownNames(t *testing.T) {
	t.Parallel()
	to, got := sink(t)
	path := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(path, []byte(document("127.0.0.1:0", to, "x")), 0o600); err != nil {
		t.Fatal(err)
	}
	a := mustRun(t, path)
	if code := post(t, a, `{"n":1}`); code != 202 {
		t.Fatal(code)
	}
	await(t, got, `{"is":"x","n":1}`)
	doc, _ := config.Load(path, config.LookupEnv)
	c := client.Unix(app.SocketPath(doc))
	defer c.Close()
	ctx := t.Context()
	since := time.Now().Add(-time.Hour)
	events := func(f event.Filter) error { _, err := c.Events(ctx, event.Search{Filter: f}); return err }
	tail := func(f event.Filter) error {
		return c.Tail(ctx, event.Search{Filter: f}, func() { t.Error("it listens") }, nil, nil)
	}
	if n, err := c.Count(ctx, event.Filter{Source: "s"}); err != nil || n.Count != 1 || n.More || len(n.Days) != 30 || n.Days[29] != 1 {
		t.Errorf("events counted: %+v, %v", n, err)
	}
	for name, tt := range map[string]struct {
		err  error
		want string
	}{
		"events of a source":     {events(event.Filter{Source: "ss"}), `no source or form in force is called "ss": did you mean "s"?`},
		"events of a far source": {events(event.Filter{Source: "elsewhere"}), `no source or form in force is called "elsewhere": there are hookgate, s`},
		"events of a far rule":   {events(event.Filter{Rule: "elsewhere"}), `no rule in force is called "elsewhere": there is only all`},
		"deliveries far away":    {func() error { _, err := c.Deliveries(ctx, event.DeliveryFilter{Connection: "elsewhere"}); return err }(), `no connection in force is called "elsewhere": there is only sink`},
		"events of a rule":       {events(event.Filter{Rule: "al"}), `no rule in force is called "al": did you mean "all"?`},
		"a search": {func() error {
			_, err := c.Events(ctx, event.Search{Filter: event.Filter{Source: "ss"}, Text: "x"})
			return err
		}(), "ss"},
		"tail of a source": {tail(event.Filter{Source: "ss"}), `did you mean "s"?`},
		"tail of a rule":   {tail(event.Filter{Rule: "al"}), `did you mean "all"?`},
		"deliveries":       {func() error { _, err := c.Deliveries(ctx, event.DeliveryFilter{Connection: "sinc"}); return err }(), `no connection in force is called "sinc": did you mean "sink"?`},
		"retry":            {func() error { _, err := c.Retry(ctx, admin.Selection{Connection: "sinc"}); return err }(), `did you mean "sink"?`},
		"cancel, counted":  {func() error { _, err := c.Cancel(ctx, admin.Selection{Rule: "al", DryRun: true}); return err }(), `did you mean "all"?`},
		"replay of a rule": {func() error { _, err := c.CreateReplay(ctx, admin.EventSelection{Source: "s", Rule: "al"}); return err }(), `did you mean "all"?`},
		"preview of a source": {func() error {
			_, err := c.PreviewReplay(ctx, admin.ReplayRequest{EventSelection: admin.EventSelection{Source: "ss"}})
			return err
		}(), `did you mean "s"?`},
		"comparison of a source": {func() error {
			_, err := c.Compare(ctx, admin.CompareRequest{EventSelection: admin.EventSelection{Source: "ss"}})
			return err
		}(), `did you mean "s"?`},
	} {
		if !errors.Is(tt.err, client.ErrNotFound) || !strings.Contains(tt.err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", name, tt.err, tt.want)
		}
	}
	renamed := strings.NewReplacer("  s: {", "  t: {", "from: s", "from: t", "sink:", "other:", "to: sink", "to: other").Replace(document("127.0.0.1:0", to, "x"))
	if err := os.WriteFile(path, []byte(renamed), 0o600); err != nil {
		t.Fatal(err)
	}
	if report, err := a.Reload(); err != nil || report.Err() != nil {
		t.Fatal(err, report)
	}
	if err := events(event.Filter{Source: "s", Since: since}); err != nil {
		t.Errorf("events of a source that was: %v", err)
	}
	if page, err := c.Deliveries(ctx, event.DeliveryFilter{Connection: "sink"}); err != nil || len(page.Items) != 1 {
		t.Errorf("deliveries to a connection that was: %v", err)
	}
}
