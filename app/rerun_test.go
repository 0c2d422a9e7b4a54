package app_test

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"hookgate/app"
	"hookgate/app/admin"
	"hookgate/app/config"
	"hookgate/app/web/api/client"
	"hookgate/internal/event"
)

// mustServe runs a gateway with some events stored, and gives its client.
func mustServe(t *testing.T, events int) (*client.Client, chan string) {
	t.Helper()
	to, got := sink(t)
	path := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(path, []byte(document("127.0.0.1:0", to, "x")), 0o600); err != nil {
		t.Fatal(err)
	}
	a := mustRun(t, path)
	for n := range events {
		if code := post(t, a, fmt.Sprintf(`{"n":%d}`, n)); code != http.StatusAccepted {
			t.Fatal(code)
		}
		<-got
	}
	doc, _ := config.Load(path, config.LookupEnv)
	c := client.Unix(app.SocketPath(doc))
	t.Cleanup(c.Close)
	return c, got
}

// Two who go on with one replay at the same time do no event twice: one of
// them is refused, and may try again.
func TestReplay_twoAtOnce(t *testing.T) {
	t.Parallel()
	const n = 40
	c, got := mustServe(t, n)
	run, err := c.CreateReplay(t.Context(), admin.EventSelection{Source: "s"})
	if err != nil || run.Total != n {
		t.Fatalf("%+v, %v", run, err)
	}
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for done := false; !done; {
				next, err := c.StepReplay(t.Context(), run.ID, 3)
				var problem *client.Problem
				switch {
				case errors.As(err, &problem) && problem.Status == http.StatusBadRequest && strings.Contains(problem.Detail, "continued"):
				case err != nil:
					t.Error(err)
					return
				}
				done = next.Done
			}
		})
	}
	wg.Wait()
	last, err := c.Replay(t.Context(), run.ID)
	if err != nil || last.By != "local" || last.Selection.Source != "s" {
		t.Errorf("begun by %q of %+v, %v", last.By, last.Selection, err)
	}
	if !last.Done || last.Events != n || last.Deliveries != n || last.Seen != n {
		t.Errorf("%+v, %v, want %d of everything", last, err, n)
	}
	for range n {
		<-got
	}
	page, err := c.Deliveries(t.Context(), event.DeliveryFilter{Limit: 500})
	if err != nil || len(page.Items) != 2*n {
		t.Errorf("%d deliveries, %v, want two for each of %d events", len(page.Items), err, n)
	}
}

// What a replay cannot do is refused, each time with the reason.
func TestReplay_refusals(t *testing.T) {
	t.Parallel()
	c, _ := mustServe(t, 1)
	ctx := t.Context()
	for name, tc := range map[string]struct {
		sel  admin.EventSelection
		want string
	}{
		"nothing selected": {admin.EventSelection{}, "say which events"},
		"only a rule":      {admin.EventSelection{Rule: "all"}, "say which events"},
		"spam":             {admin.EventSelection{States: []event.State{event.Spam}}, "no rule has seen their data"},
		"a bad expression": {admin.EventSelection{Where: "data.x ="}, "not understood"},
		"too many ids":     {admin.EventSelection{IDs: make([]event.ID, 501)}, "at most 500 ids"},
	} {
		var problem *client.Problem
		_, previewed := c.PreviewReplay(ctx, admin.ReplayRequest{EventSelection: tc.sel})
		_, created := c.CreateReplay(ctx, tc.sel)
		for _, err := range []error{previewed, created} {
			if !errors.As(err, &problem) || problem.Status != http.StatusBadRequest || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%s: got %v, want 400 with %q", name, err, tc.want)
			}
		}
	}
	if _, err := c.StepReplay(ctx, 42, 0); !errors.Is(err, client.ErrNotFound) {
		t.Errorf("no such run: %v", err)
	}
	if _, err := c.Compare(ctx, admin.CompareRequest{Then: []byte(`{"text":{"Text":"rules: [{nme: x}]"}}`)}); err == nil || !strings.Contains(err.Error(), "not understood") {
		t.Errorf("rules that are none: %v", err)
	}
	same, err := c.Compare(ctx, admin.CompareRequest{Limit: 1})
	if err != nil || same.Examined != 1 || same.Changed != 0 || same.Config != same.Against {
		t.Errorf("the rules in force with themselves: %+v, %v", same, err)
	}
}

// BenchmarkReplay sends 2,000 stored events again: they are judged, their
// deliveries stored in batches, and handed to a lane that sends them.
func BenchmarkReplay(b *testing.B) {
	const n = 2000
	to, got := sink(b)
	path := filepath.Join(b.TempDir(), "config.yaml")
	if err := os.WriteFile(path, []byte(document("127.0.0.1:0", to, "x")), 0o600); err != nil {
		b.Fatal(err)
	}
	a := mustRun(b, path)
	for i := range n {
		if code := post(b, a, fmt.Sprintf(`{"n":%d}`, i)); code != http.StatusAccepted {
			b.Fatal(code)
		}
		<-got
	}
	doc, _ := config.Load(path, config.LookupEnv)
	c := client.Unix(app.SocketPath(doc))
	defer c.Close()
	var storing time.Duration
	for b.Loop() {
		began := time.Now()
		run, err := c.CreateReplay(b.Context(), admin.EventSelection{Source: "s"})
		for err == nil && !run.Done {
			run, err = c.StepReplay(b.Context(), run.ID, 0)
		}
		if err != nil || run.Deliveries != n {
			b.Fatalf("%+v, %v", run, err)
		}
		storing += time.Since(began)
		for range n {
			<-got
		}
	}
	b.ReportMetric(float64(n)*float64(b.N)/storing.Seconds(), "stored/s")
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "events/s")
}
