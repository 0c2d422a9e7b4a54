package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"hookgate/test/lab"
)

// live is a line of `events tail --json`.
type live struct {
	lab.Event
	Update    bool `json:"update"`
	Forwarded struct {
		Status int    `json:"status"`
		Error  string `json:"error"`
		Answer string `json:"answer"`
	} `json:"forwarded"` // with --forward
}

// tail runs `hookgate events tail --json ARGS…` until the test ends; it is
// listening when tail returns.
func tail(t *testing.T, g *lab.Gate, args ...string) <-chan live {
	t.Helper()
	return tailWith(t, g, nil, args...)
}

// tailWith is tail with more environment variables.
func tailWith(t *testing.T, g *lab.Gate, env []string, args ...string) <-chan live {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cmd := exec.CommandContext(ctx, lab.Binary(t), append([]string{"events", "tail", "--json", "-c", g.ConfigPath()}, args...)...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGINT) }
	cmd.Dir, cmd.Env = g.Dir, append(os.Environ(), env...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	messages, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := make(chan live, 1000)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for scanner := bufio.NewScanner(out); scanner.Scan(); {
			var l live
			if err := json.Unmarshal(scanner.Bytes(), &l); err != nil {
				t.Errorf("%v: %s", err, scanner.Text())
			}
			lines <- l
		}
	}()
	listening := bufio.NewScanner(messages)
	if !listening.Scan() {
		t.Fatal("tail said nothing")
	}
	t.Cleanup(func() {
		cancel()
		<-ended
		_ = cmd.Wait()
		if code := cmd.ProcessState.ExitCode(); code != 130 {
			t.Errorf("interrupted, tail ends with %d, want 130", code)
		}
	})
	return lines
}

// shown waits for the next line.
func shown(t *testing.T, lines <-chan live) live {
	t.Helper()
	select {
	case l := <-lines:
		return l
	case <-time.After(lab.Patience):
		t.Fatal("tail shows nothing")
	}
	return live{}
}

// An event is shown when its deliveries were tried, and the end of a retry has
// a line of its own; what the flags do not select is not shown.
func TestEventsTail(t *testing.T) {
	t.Parallel()
	tries := make(chan struct{}, 1)
	sink := lab.NewSink(t, func(lab.Arrival) lab.Answer {
		select {
		case tries <- struct{}{}:
			return lab.Answer{Status: 503}
		default:
			return lab.Answer{}
		}
	})
	g := lab.Start(t, strings.Replace(shop(sink.URL, "paid"), "100ms", "5s", 1)) // long after the event is shown
	every, some := tail(t, g), tail(t, g, "--rule", "orders", "--where", `data.status == "paid" and data.number == 2`)
	post := func(body string) string {
		t.Helper()
		return g.Accepted(g.PostJSON("/in/shop/e2e-shop-token-0123456789", []byte(body)))
	}
	first := post(`{"number":1,"status":"paid","total":1}`)
	l := shown(t, every)
	if l.ID != first || l.State != "routed" || len(l.Deliveries) != 1 || l.Update {
		t.Fatalf("the first: %+v", l)
	}
	l = shown(t, every)
	if l.ID != first || !l.Update || len(l.Deliveries) != 1 || l.Deliveries[0].State != "delivered" || l.Deliveries[0].Attempts != 2 {
		t.Fatalf("the end of its retry: %+v", l)
	}
	second := post(`{"number":2,"status":"paid","total":1}`)
	for name, lines := range map[string]<-chan live{"every event": every, "some": some} {
		if l := shown(t, lines); l.ID != second || l.Deliveries[0].State != "delivered" {
			t.Errorf("%s: %+v, want the second, delivered", name, l)
		}
	}
	if rejected := g.PostJSON("/in/shop/e2e-shop-token-0123456789", []byte(`{"a":1 "b"`)); rejected.Status != 400 {
		t.Fatal(rejected.Status)
	}
	if l := shown(t, every); l.State != "rejected" || l.Cause == "" {
		t.Errorf("the third: %+v, want the rejected one", l)
	}
	if bad := g.CLI("events", "tail", "--where", "data.x ="); bad.Code != 2 {
		t.Errorf("a bad expression: exit %d", bad.Code)
	}
}
