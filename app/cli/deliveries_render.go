package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"hookgate/app/admin"
	"hookgate/app/cli/term"
)

// renderAgain has failed deliveries rendered again by the rules in force, and sent.
func (s *session) renderAgain(cmd *cobra.Command, b bulk, sel admin.Selection) error {
	server, err := s.connect()
	if err != nil {
		return err
	}
	ctx := cmd.Context()
	goOn, err := s.countFirst(ctx, server, b, sel, "Render and send them?", func(found admin.Changed) (more bool, err error) {
		if sel.DryRun && s.json {
			return false, s.printJSON(found)
		}
		s.msg.Printf("%s would be rendered again and sent.\n", plural(found.Count, "failed delivery"))
		s.noteUnmet(found.Unmet, "would be cancelled: the condition is not met now")
		s.noteLeft(found.Left)
		if sel.DryRun || found.Count+found.Unmet == 0 {
			s.note("Nothing was changed.")
			return false, nil
		}
		return true, nil
	})
	if err != nil || !goOn {
		return err
	}
	changed, err := b.do(ctx, server, sel)
	if err != nil {
		return serverError(err)
	}
	if s.json {
		return s.printJSON(changed)
	}
	s.out.Printf("%s: rendered again, sending\n", plural(changed.Count, "delivery"))
	s.noteUnmet(changed.Unmet, "cancelled: the condition is not met now")
	s.noteLeft(changed.Left)
	if known := changed.Count + changed.Unmet; known < len(sel.IDs) || len(changed.Left) > 0 {
		return &failure{
			code: exitFailed, err: errors.New("not all of them were rendered again"),
			hint: "hookgate deliveries show ID tells the state: only what has failed is rendered again",
		}
	}
	return nil
}

func (s *session) noteUnmet(n int, what string) {
	if n > 0 {
		s.note("%s %s", plural(n, "delivery"), what)
	}
}

// noteLeft says of deliveries that stay as they are why.
func (s *session) noteLeft(list []admin.Left) {
	for i := range list {
		l := &list[i]
		which := fmt.Sprintf("%s of %s", l.Delivery, l.Event)
		if l.Count > 1 {
			which = fmt.Sprintf("%s, such as %s", plural(l.Count, "delivery"), which)
		}
		s.note("left as it was: %s: %s", which, term.Clean(l.Reason))
	}
}
