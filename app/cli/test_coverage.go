package cli

import (
	"fmt"
	"strings"

	"hookgate/app/cli/term"
	"hookgate/rules"
	"hookgate/rules/lang"
)

// showCoverage prints what the tests never exercised, and how much they did.
func (s *session) showCoverage(c *coverageReport) {
	s.out.Println()
	for _, g := range c.Gaps {
		what := term.Clean(g.Rule)
		if g.Action != "" {
			what = term.Clean(g.Action)
		}
		if g.Key != "" && (g.Key != "when" || g.Action != "") {
			what += " " + term.Clean(g.Key)
		}
		text := gapText(&g)
		line := fmt.Sprintf("%s  %s", s.out.Name.Render(what), text)
		if width := s.width(); width > 0 && term.Width(what)+2+term.Width(text)+2+term.Width(place(g.At)) > width {
			s.out.Println(s.out.Name.Render(what) + "  " + s.out.Dim.Render(place(g.At)))
			for _, part := range term.Wrap(text, width-4) {
				s.out.Println("    " + part)
			}
			continue
		}
		s.out.Println(line + "  " + s.out.Dim.Render(place(g.At)))
	}
	s.out.Printf("coverage %d %%: %s, %s, %s\n", c.Percent, covered(c.Rules, "rule"), covered(c.Actions, "action"), covered(c.Sides, "side"))
}

func covered(c rules.Covered, noun string) string {
	return fmt.Sprintf("%s of %s", thousands(c.Seen), plural(c.Total, noun))
}

// gapText says what no test exercised.
func gapText(g *rules.Gap) string {
	text := strings.TrimSpace(term.Clean(g.Text))
	switch {
	case g.Key == "" && g.Action == "":
		return "never matched"
	case g.Key == "":
		return "never sent"
	case g.Never && (g.Way == lang.WasTrue || g.Way == lang.Present):
		return text + " was never evaluated"
	}
	switch g.Way {
	case lang.WasTrue:
		return text + " was never true"
	case lang.WasFalse:
		return text + " was never false"
	case lang.Chosen, lang.Otherwise:
		return text + " was never chosen"
	case lang.Present:
		return text + " was always missing"
	case lang.Fallback:
		return "?? " + text + " was never needed"
	}
	return text
}
