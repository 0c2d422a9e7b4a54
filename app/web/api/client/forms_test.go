package client_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hookgate/app/admin"
	"hookgate/app/web/api/client"
	"hookgate/internal/event"
)

func TestForms(t *testing.T) {
	t.Parallel()
	f := &fake{events: []event.Event{{ID: 7, State: event.Spam}, {ID: 8, State: event.Routed}}}
	c, _ := serve(t, f)
	counts, err := c.Forms(t.Context(), received)
	if err != nil || len(counts.Items) != 1 || counts.Items[0].Spam != 1 || !counts.Since.Equal(received) || !f.filter.Since.Equal(received) {
		t.Errorf("got %+v since %s, %v", counts, f.filter.Since, err)
	}
	plan, err := c.IfNotSpam(t.Context(), 7)
	if err != nil || plan.State != event.Routed || len(plan.Deliveries) != 1 || plan.Deliveries[0].Connection != "slack" {
		t.Errorf("got %+v, %v", plan, err)
	}
	if _, err := c.IfNotSpam(t.Context(), 8); err == nil || !strings.Contains(err.Error(), "nothing to release") {
		t.Errorf("of no spam: %v", err)
	}
	released, err := c.NotSpam(t.Context(), 7)
	if err != nil || released.ID != 7 || released.State != event.Routed {
		t.Errorf("got %+v, %v", released, err)
	}
	if _, err := c.NotSpam(t.Context(), 8); err == nil || !strings.Contains(err.Error(), "nothing to release") {
		t.Errorf("of no spam: %v", err)
	}
	if _, err := c.NotSpam(t.Context(), 9); !errors.Is(err, client.ErrNotFound) {
		t.Errorf("of no event: %v", err)
	}
}

func TestForget(t *testing.T) {
	t.Parallel()
	f := &fake{}
	c, _ := serve(t, f)
	asked := admin.EraseRequest{Address: "ada@example.com", Sources: true, Mentions: true, DryRun: true}
	part, err := c.Erase(t.Context(), asked)
	if err != nil || part.Events != 2 || part.Next == nil || part.Total != 7 {
		t.Fatalf("%+v, %v", part, err)
	}
	next := asked
	next.After = part.Next
	if part, err = c.Erase(t.Context(), next); err != nil || part.Next != nil {
		t.Errorf("the rest: %+v, %v", part, err)
	}
	if list, err := c.Erasures(t.Context(), 9, 5); err != nil || len(list.Items) != 1 || list.Items[0].Record != 7 || !list.Items[0].Done {
		t.Errorf("the deletions: %+v, %v", list, err)
	}
	if diff := cmp.Diff([]admin.EraseRequest{asked, next}, f.forgets); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
}
