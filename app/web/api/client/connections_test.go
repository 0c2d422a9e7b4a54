package client_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hookgate/app/admin"
	"hookgate/app/web/api/client"
	"hookgate/internal/event"
)

func TestConnections(t *testing.T) {
	t.Parallel()
	f := sample()
	f.connections = []admin.Connection{
		{Name: "billing", Type: "webhook", State: "failing", Hour: admin.Window{Attempts: 3, Failed: 1, P95MS: 84.5}, LastErrorAt: &received, Rules: []string{"r"}},
		{Name: "a.b-c", Type: "slack", State: "paused", Paused: &admin.Pause{Since: received, By: "team", Note: "why"}, Held: 9, Rules: []string{}},
	}
	c, url := serve(t, f)
	list, err := c.Connections(t.Context())
	if d := cmp.Diff(f.connections, list.Items); d != "" || err != nil {
		t.Errorf("%v %s", err, d)
	}
	one, err := c.Connection(t.Context(), "a.b-c")
	if d := cmp.Diff(f.connections[1], one); d != "" || err != nil {
		t.Errorf("%v %s", err, d)
	}
	remote, err := client.Remote(url, "team:pass:word")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := remote.Pause(t.Context(), "billing", admin.Pausing{Note: "maintenance"}); err != nil {
		t.Error(err)
	}
	if want := (event.PauseState{Connection: "billing", Paused: true, By: "team", Note: "maintenance"}); f.switched != want {
		t.Errorf("got %+v, want %+v", f.switched, want)
	}
	if _, err := c.Resume(t.Context(), "billing", admin.Resuming{Rate: "5/s"}); err != nil {
		t.Error(err)
	}
	if want := (event.PauseState{Connection: "billing", Count: 5, Per: time.Second, By: "local"}); f.switched != want {
		t.Errorf("got %+v, want %+v", f.switched, want)
	}
	if f.seen != nil {
		t.Errorf("who names nothing that was seen is compared with %v", f.seen)
	}
	for seen, want := range map[string]time.Time{"": {}, received.Format(time.RFC3339Nano): received} {
		if _, err := c.Pause(t.Context(), "billing", admin.Pausing{Seen: &seen}); err != nil || f.seen == nil || !f.seen.Equal(want) {
			t.Errorf("a pause that has seen %q is compared with %v, %v", seen, f.seen, err)
		}
		f.seen = nil
		if _, err := c.Resume(t.Context(), "billing", admin.Resuming{Seen: &seen}); err != nil || f.seen == nil || !f.seen.Equal(want) {
			t.Errorf("a resumption that has seen %q is compared with %v, %v", seen, f.seen, err)
		}
	}
	for _, confirm := range []bool{false, true} {
		tested, err := c.TestConnection(t.Context(), "billing", confirm)
		if err != nil || tested.Done != confirm || tested.What != "sends" {
			t.Errorf("%v: %+v, %v", confirm, tested, err)
		}
	}
}

func TestConnections_faults(t *testing.T) {
	t.Parallel()
	f := sample()
	f.connections = []admin.Connection{{Name: "billing"}}
	c, _ := serve(t, f)
	for name, call := range map[string]func() error{
		"show":   func() error { _, err := c.Connection(t.Context(), "biling"); return err },
		"pause":  func() error { _, err := c.Pause(t.Context(), "biling", admin.Pausing{}); return err },
		"resume": func() error { _, err := c.Resume(t.Context(), "biling", admin.Resuming{}); return err },
		"test":   func() error { _, err := c.TestConnection(t.Context(), "biling", true); return err },
	} {
		if err := call(); !errors.Is(err, client.ErrNotFound) || !strings.Contains(err.Error(), `did you mean "billing"?`) {
			t.Errorf("%s: %v", name, err)
		}
	}
	var problem *client.Problem
	if _, err := c.Resume(t.Context(), "billing", admin.Resuming{Rate: "fast"}); !errors.As(err, &problem) || problem.Status != 400 || !strings.Contains(problem.Detail, "a rate is written like 5/s") {
		t.Errorf("a rate that is none: %v", err)
	}
	if _, err := c.Pause(t.Context(), "billing", admin.Pausing{Seen: new("noon")}); !errors.As(err, &problem) || problem.Status != 400 {
		t.Errorf("what nobody can have seen: %v", err)
	}
	f.err = event.ErrNotAsSeen
	if _, err := c.Resume(t.Context(), "billing", admin.Resuming{Seen: new("")}); !errors.As(err, &problem) || problem.Status != 409 || !strings.Contains(problem.Detail, "billing was paused, or goes on, since it was seen") {
		t.Errorf("not as it was seen: %v", err)
	}
	f.err = nil
	if _, err := c.Pause(t.Context(), "billing", admin.Pausing{Note: strings.Repeat("x", 501)}); !errors.As(err, &problem) || problem.Status != 400 {
		t.Errorf("a long note: %v", err)
	}
}
