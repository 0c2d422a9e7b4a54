package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"hookgate/app/cli/term"
	"hookgate/app/ruletest"
	"hookgate/internal/diag"
	"hookgate/rules"
	"hookgate/rules/lang"
)

// testFlags are those of test.
type testFlags struct {
	run, junit string
	coverage   bool
}

// tested is what `test --json` prints.
type tested struct {
	OK       bool              `json:"ok"`
	Passed   int               `json:"passed"`
	Failed   int               `json:"failed"`
	Tests    []ruletest.Result `json:"tests"`
	Coverage *coverageReport   `json:"coverage,omitempty"`
}

type coverageReport struct {
	Percent int `json:"percent"`
	rules.CoverageReport
}

func newTest(s *session) *cobra.Command {
	var flags testFlags
	c := &cobra.Command{
		Use: "test", GroupID: groupRules, Short: "Run the tests of the config",
		Long: `Run the tests that stand under "tests" in the config: events through the rules,
and what must come of them. Nothing is sent. No server is needed; a running one
refuses a config of which a test fails.`,
		Example: `  hookgate test --run 'Interest|Done'
  hookgate test --coverage --junit report.xml`,
		Args: exactly(),
		RunE: func(*cobra.Command, []string) error { return s.test(&flags) },
	}
	f := c.Flags()
	f.StringVar(&flags.run, "run", "", "run the tests whose names match this regular `expression`")
	f.StringVar(&flags.junit, "junit", "", "write the results as JUnit XML into this `file`, too")
	f.BoolVar(&flags.coverage, "coverage", false, "say which rules, actions and sides of conditions no test exercises")
	_ = c.MarkFlagFilename("junit", "xml")
	return c
}

func (s *session) test(flags *testFlags) error {
	only, err := testFilter(flags.run)
	if err != nil {
		return err
	}
	loaded, _, err := s.loadRules()
	if err != nil {
		return err
	}
	var coverage *rules.Coverage
	if flags.coverage {
		coverage = loaded.Rules.Coverage()
	}
	began := s.now()
	out := tested{OK: true, Tests: loaded.RunTests(s.now, only, coverage)}
	for i := range out.Tests {
		if out.Tests[i].OK {
			out.Passed++
		} else {
			out.Failed++
			out.OK = false
		}
	}
	if flags.run != "" && len(out.Tests) == 0 {
		return usageError("", fmt.Errorf("no test has a name that matches %q", flags.run))
	}
	if coverage != nil {
		report := coverage.Report()
		out.Coverage = &coverageReport{Percent: report.Percent(), CoverageReport: report}
	}
	if flags.junit != "" {
		if err := writeJUnit(flags.junit, loaded.Config.Path, began, out.Tests); err != nil {
			return &failure{code: exitFailed, err: err}
		}
	}
	return s.showTests(&out)
}

// testFilter is the filter of --run; nil: every test.
func testFilter(expression string) (func(*ruletest.Test) bool, error) {
	if expression == "" {
		return nil, nil
	}
	pattern, err := regexp.Compile(expression)
	if err != nil {
		return nil, usageError("", fmt.Errorf("--run: %w", err))
	}
	return func(t *ruletest.Test) bool { return pattern.MatchString(t.Name) }, nil
}

func (s *session) showTests(out *tested) error {
	if s.json {
		if out.Tests == nil {
			out.Tests = []ruletest.Result{}
		}
		if err := s.printJSON(out); err != nil {
			return err
		}
	} else {
		for i := range out.Tests {
			s.showTest(&out.Tests[i])
		}
		switch {
		case len(out.Tests) == 0:
			s.out.Println("There are no tests: write some under tests in the config.")
		case out.Failed > 0:
			s.out.Printf("%d passed, %s\n", out.Passed, s.out.Bad.Render(fmt.Sprintf("%d failed", out.Failed)))
		default:
			s.out.Printf("%d passed\n", out.Passed)
		}
		if out.Coverage != nil {
			s.showCoverage(out.Coverage)
		}
	}
	if !out.OK {
		return &failure{code: exitFailed}
	}
	return nil
}

// placeColumn is where a failed test's place stands.
const placeColumn = 60

// showTest prints one test, and why it failed.
func (s *session) showTest(r *ruletest.Result) {
	if r.OK {
		if !s.quiet {
			s.out.Println(s.out.Good.Render("✓") + " " + term.Clean(r.Name))
		}
		return
	}
	s.out.Printf("%s %s  %s\n", s.out.Bad.Render("✗"), term.Pad(term.Clean(r.Name), placeColumn-4), s.out.Dim.Render(place(r.At)))
	compared := false
	for _, f := range r.Findings {
		compared = compared || f.Kind == ruletest.Missing || f.Kind == ruletest.Unexpected || f.Kind == ruletest.RuleError
	}
	if compared && r.Expected != nil {
		s.testLine("expected", names(r.Expected))
		s.testLine("got", names(r.Got))
	}
	for _, f := range r.Findings {
		text := f.Text
		if f.Name != "" {
			text = f.Name + ": " + text
		}
		if f.Kind == ruletest.Assertion {
			text = f.Name + " " + f.Text
		}
		if f.Kind == ruletest.RuleError || f.Kind == ruletest.Assertion {
			text += "  " + place(f.At)
		}
		s.testLine(string(f.Kind), text)
	}
}

// testLine prints one line about a test, wrapped to the screen.
func (s *session) testLine(word, text string) {
	const indent, column = 4, 11
	width := s.width()
	if width == 0 {
		width = 120
	}
	for i, line := range term.Wrap(term.Clean(text), max(width-indent-column, 20)) {
		head := term.Pad(word, column)
		if i > 0 {
			head = strings.Repeat(" ", column)
		}
		s.out.Println(strings.TrimRight(strings.Repeat(" ", indent)+s.out.Dim.Render(head)+line, " "))
	}
}

func names(list []string) string {
	if len(list) == 0 {
		return "nothing"
	}
	return strings.Join(list, "  ")
}

// place is file:line, the file as it is called from here.
func place(at diag.Position) string {
	if at.Line == 0 {
		return ""
	}
	file := at.File
	if here, err := os.Getwd(); err == nil {
		if near, err := filepath.Rel(here, file); err == nil && filepath.IsAbs(file) && !strings.HasPrefix(near, "..") {
			file = near
		}
	}
	return fmt.Sprintf("%s:%d", file, at.Line)
}

// showCoverage prints what the tests never exercised, and how much they did.
func (s *session) showCoverage(c *coverageReport) {
	s.out.Println()
	for _, g := range c.Gaps {
		what := term.Clean(g.Rule)
		if g.Branch != "" {
			what += " branch " + term.Clean(g.Branch)
		}
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
	parts := []string{covered(c.Rules, "rule")}
	if c.Branches.Total > 0 {
		parts = append(parts, covered(c.Branches, "branch"))
	}
	parts = append(parts, covered(c.Actions, "action"), covered(c.Sides, "side"))
	s.out.Printf("coverage %d %%: %s\n", c.Percent, strings.Join(parts, ", "))
}

func covered(c rules.Covered, noun string) string {
	return fmt.Sprintf("%s of %s", thousands(c.Seen), plural(c.Total, noun))
}

// gapText says what no test exercised.
func gapText(g *rules.Gap) string {
	text := strings.TrimSpace(term.Clean(g.Text))
	switch {
	case g.Key == "" && g.Branch != "":
		return "never taken"
	case g.Key == "" && g.Action == "":
		return "never matched"
	case g.Key == "":
		return "never sent"
	case g.Never && (g.Outcome == lang.WasTrue || g.Outcome == lang.Present):
		return text + " was never evaluated"
	}
	switch g.Outcome {
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
