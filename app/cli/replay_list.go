package cli

import (
	"context"
	"strings"
	"time"

	"hookgate/app/admin"
	"hookgate/app/cli/term"
	"hookgate/app/web/api/client"
)

// listReplays prints the runs there were, the newest last.
func (s *session) listReplays(ctx context.Context, server *client.Client) error {
	page, err := server.Replays(ctx, defaultLimit)
	if err != nil {
		return serverError(err)
	}
	if s.json {
		return s.printJSON(page.Items)
	}
	list := page.Items
	if len(list) == 0 {
		s.note("there was no replay yet")
		return nil
	}
	var rows [][]string
	for i := len(list) - 1; i >= 0; i-- {
		run := &list[i]
		state := s.out.Good.Render("done")
		if !run.Done {
			state = s.out.Warn.Render("not done")
		}
		rows = append(rows, []string{
			s.out.Dim.Render(run.Created.Local().Format(time.DateTime)), run.ID.String(), state,
			term.Clean(run.By), thousands(run.Events), thousands(run.Deliveries), s.out.Dim.Render(selectionText(&run.Selection)),
		})
	}
	s.out.Printf("%s", s.out.Table([]string{"BEGUN", "ID", "STATE", "BY", "EVENTS", "DELIVERIES", "SELECTION"}, rows))
	return nil
}

// selectionText writes a selection as the flags that make it.
func selectionText(sel *admin.EventSelection) string {
	var parts []string
	add := func(flag, value string) {
		if value != "" {
			parts = append(parts, "--"+flag+" "+term.Clean(value))
		}
	}
	if len(sel.IDs) > 0 {
		parts = append(parts, plural(len(sel.IDs), "id"))
	}
	add("source", sel.Source)
	add("type", sel.Type)
	for _, state := range sel.States {
		add("state", string(state))
	}
	if !sel.Since.IsZero() {
		add("since", sel.Since.Local().Format(time.DateTime))
	}
	if !sel.Until.IsZero() {
		add("until", sel.Until.Local().Format(time.DateTime))
	}
	add("rule", sel.Rule)
	add("where", sel.Where)
	add("text", sel.Text)
	return strings.Join(parts, " ")
}
