package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"hookgate/app/admin"
	"hookgate/internal/event"
	"hookgate/test/lab"
)

// A retry that tries one first sends no other where that fails; it goes on when
// it is told to, by its rate, after the server was killed, and ends with all of
// them. Sending without the fuse, or forgetting the run with the process, breaks
// this test.
func TestRetryRun(t *testing.T) {
	t.Parallel()
	var status atomic.Int32
	status.Store(http.StatusUnprocessableEntity)
	var mu sync.Mutex
	got := map[string]int{} // requests by the delivery's id
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		mu.Lock()
		got[r.Header.Get("webhook-id")]++
		mu.Unlock()
		w.WriteHeader(int(status.Load()))
	}))
	t.Cleanup(receiver.Close)
	requests := func() (n int) {
		mu.Lock()
		defer mu.Unlock()
		for _, count := range got {
			n += count
		}
		return n
	}
	g := lab.Start(t, fmt.Sprintf(`
sources: { shop: { type: webhook, token: 0123456789abcdef } }
connections: { billing: { type: webhook, url: %q } }
rules: [{ name: bill, from: shop, then: [{ to: billing, json: { n: "${{ data.n }}" } }] }]
`, receiver.URL))
	const all = 9
	for n := range all {
		g.Accepted(g.PostJSON("/in/shop/0123456789abcdef", fmt.Appendf(nil, `{"n":%d}`, n)))
	}
	lab.Eventually(t, "all failed", func() bool { return len(g.Deliveries("--state", "failed")) == all })
	before := requests()

	halted := g.CLI("deliveries", "retry", "--failed", "--first", "1", "--stop-after", "3", "--yes")
	if halted.Code != 1 || !strings.Contains(halted.Stdout, "0 of 9 arrived, 1 failed: halted") || !strings.Contains(halted.Stderr, "422") {
		t.Errorf("a run whose first fails: %+v", halted)
	}
	if n := requests() - before; n != 1 {
		t.Errorf("%d were sent although the first failed", n)
	}
	status.Store(http.StatusOK)
	var runs admin.Page[admin.RetryRun]
	if err := json.Unmarshal([]byte(g.MustCLI("deliveries", "runs", "--json")), &runs); err != nil || len(runs.Items) != 1 {
		t.Fatalf("%+v, %v", runs, err)
	}
	if left := g.MustCLI("deliveries", "runs", "--left"); !strings.Contains(left, runs.Items[0].ID.String()) {
		t.Errorf("what halted is not among what can go on: %s", left)
	}
	g.MustCLI("deliveries", "runs", "stop", runs.Items[0].ID.String())
	if left := g.CLI("deliveries", "runs", "--left"); left.Code != 0 || left.Stdout != "" {
		t.Errorf("what was stopped can go on: %+v", left)
	}
	if again := g.CLI("deliveries", "runs", "resume", runs.Items[0].ID.String()); again.Code == 0 || !strings.Contains(again.Stderr, "stopped") {
		t.Errorf("a stopped run goes on: %+v", again)
	}

	done := make(chan lab.Result)
	go func() { done <- g.CLI("deliveries", "retry", "--failed", "--rate", "4/s", "--yes") }()
	lab.Eventually(t, "two were sent", func() bool { return requests() >= before+3 })
	g.Kill()
	<-done // its server is gone
	if n := requests() - before; n == all+1 {
		t.Error("the rate was not kept")
	}
	g.Start()
	newest := func() admin.RetryRun {
		if err := json.Unmarshal([]byte(g.MustCLI("deliveries", "runs", "--json")), &runs); err != nil {
			t.Fatal(err)
		}
		return runs.Items[0]
	}
	lab.Eventually(t, "the run is done", func() bool { return newest().State == event.RetryDone })
	if r := newest(); r.Arrived != all || r.Failed != 0 || r.Total != all {
		t.Errorf("the run: %+v", r)
	}
	if list := g.Deliveries("--state", "delivered"); len(list) != all {
		t.Errorf("%d were delivered", len(list))
	}
}

// Without the pages' scripts or with them: a plan says what a retry does, one is
// tried first, and the page follows the run until it ends.
func TestUIRetryRun(t *testing.T) {
	t.Parallel()
	var status atomic.Int32
	status.Store(http.StatusUnprocessableEntity)
	g := startUI(t, &status)
	for n := range 4 {
		g.PostJSON("/in/sitejet/0123456789abcdef", []byte(strings.Replace(donePayload, "321654", fmt.Sprint(n), 1)))
	}
	lab.Eventually(t, "four failed", func() bool { return len(g.Deliveries("--state", "failed")) == 4 })
	ctx := browser(t)
	logIn(ctx, t, g)
	show(ctx, t, g.URL+"/ui/deliveries")
	settled(ctx, t, "Deliveries")
	press(ctx, t, "a.btn[href*=retry]")
	settled(ctx, t, "Retry 4 deliveries to billing")
	reads(ctx, t, "the plan", "Try one first", "the last try failed")
	accessible(ctx, t, "the plan")
	press(ctx, t, "button.pri")
	reads(ctx, t, "the run halts, and the page shows it", "Stopped by itself")
	accessible(ctx, t, "the run")
	status.Store(http.StatusOK)
	press(ctx, t, "#run button.pri")
	reads(ctx, t, "the run ends, and the page shows it", "Done")
	reads(ctx, t, "the run", "3 of 4", "422")
	lab.Eventually(t, "three arrived", func() bool { return len(g.Deliveries("--state", "delivered")) == 3 })
}
