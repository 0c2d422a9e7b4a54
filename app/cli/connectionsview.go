package cli

import (
	"fmt"
	"strings"
	"time"

	"hookgate/app/admin"
	"hookgate/app/cli/term"
)

// printConnections prints the table of `connections list`.
func (s *session) printConnections(list []admin.Connection) {
	if len(list) == 0 {
		s.note("the config has no connections")
		return
	}
	lines := [][]string{{"CONNECTION", "TYPE", "STATE", "1 H", "24 H", "P95", "WAITING", "LAST ERROR"}}
	for i := range list {
		c := &list[i]
		detail := ""
		if c.State != "ok" || c.Failed > 0 {
			detail = term.Clean(c.LastError)
		}
		lines = append(lines, []string{
			s.out.Name.Render(term.Clean(c.Name)), c.Type, s.connectionState(c), rateOf(c.Hour), rateOf(c.Day), p95Of(c.Day), waitingOf(c), detail,
		})
	}
	widths := fit(lines, s.out.Width())
	for i, line := range lines {
		text := columns(line, widths)
		if i == 0 {
			text = s.out.Strong.Render(text)
		}
		s.out.Println(text)
	}
}

// when is a local time, with its date where that is not today.
func (s *session) when(t time.Time) string {
	t = t.Local()
	if y, m, d := s.now().Local().Date(); time.Date(y, m, d, 0, 0, 0, 0, t.Location()).After(t) {
		return t.Format("2006-01-02 15:04")
	}
	return t.Format("15:04")
}

// connectionState is a sign and a word.
func (s *session) connectionState(c *admin.Connection) string {
	switch c.State {
	case "paused":
		return s.out.Warn.Render("‖ paused")
	case "open":
		return s.out.Bad.Render("✗ open")
	case "failing":
		return s.out.Bad.Render("▲ failing")
	}
	return s.out.Good.Render("● " + c.State)
}

// rateOf is how many attempts of a window got through.
func rateOf(w admin.Window) string {
	if w.Attempts == 0 {
		return "–"
	}
	percent := 100 * float64(w.Attempts-w.Failed) / float64(w.Attempts)
	switch {
	case w.Failed == 0:
		return "100 %"
	case percent > 99.9: // it is not all
		return "99.9 %"
	case percent >= 10:
		return fmt.Sprintf("%.3g %%", percent)
	}
	return fmt.Sprintf("%.1f %%", percent)
}

func p95Of(w admin.Window) string {
	if w.Attempts == 0 {
		return "–"
	}
	return milliseconds(w.P95MS)
}

func waitingOf(c *admin.Connection) string {
	if c.Paused != nil {
		return thousands(c.Held) + " held"
	}
	return thousands(c.Waiting + c.Sending)
}

// printConnection prints one connection, a fact a line.
func (s *session) printConnection(c *admin.Connection) {
	fact := func(name, format string, args ...any) {
		s.out.Printf("%s%s\n", s.out.Dim.Render(term.Pad(name, 12)), fmt.Sprintf(format, args...))
	}
	s.out.Printf("%s  %s  %s\n", s.out.Strong.Render(term.Clean(c.Name)), c.Type, s.connectionState(c))
	if c.Paused != nil {
		fact("paused", "since %s by %s", s.when(c.Paused.Since), term.Clean(c.Paused.By))
		if c.Paused.Note != "" {
			fact("note", "%s", term.Clean(c.Paused.Note))
		}
		fact("held", "%s", thousands(c.Held))
	}
	if c.Releasing != "" {
		fact("releasing", "what was held, at %s at most", c.Releasing)
	}
	fact("waiting", "%s", thousands(c.Waiting))
	fact("sending", "%s", thousands(c.Sending))
	fact("failed", "%s in 24 h", thousands(c.Failed))
	for _, w := range []struct {
		name string
		admin.Window
	}{{"1 h", c.Hour}, {"24 h", c.Day}} {
		if w.Attempts == 0 {
			fact(w.name, "no attempts")
			continue
		}
		fact(w.name, "%s of %s delivered, 95 of 100 within %s", rateOf(w.Window), plural(w.Attempts, "attempt"), p95Of(w.Window))
	}
	if c.LastError != "" {
		at := ""
		if c.LastErrorAt != nil {
			at = s.when(*c.LastErrorAt) + "  "
		}
		fact("last error", "%s%s", at, term.Clean(c.LastError))
	}
	limit := c.RateLimit
	if limit == "" {
		limit = "no rate limit"
	}
	fact("settings", "timeout %s, concurrency %d, %s", c.Timeout, c.Concurrency, limit)
	names := make([]string, len(c.Rules))
	for i, rule := range c.Rules {
		names[i] = term.Clean(rule)
	}
	if len(names) == 0 {
		names = []string{"none: nothing is sent here"}
	}
	fact("rules", "%s", strings.Join(names, ", "))
}
