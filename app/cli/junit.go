package cli

import (
	"cmp"
	"encoding/xml"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"hookgate/app/ruletest"
)

// The elements of a JUnit report, as CI systems read it (there is no standard;
// this is what testmoapp/junitxml gathers of Jenkins, GitLab and others).
type junitSuites struct {
	XMLName  xml.Name     `xml:"testsuites"`
	Name     string       `xml:"name,attr"`
	Tests    int          `xml:"tests,attr"`
	Failures int          `xml:"failures,attr"`
	Errors   int          `xml:"errors,attr"`
	Time     string       `xml:"time,attr"`
	Suites   []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name      string      `xml:"name,attr"`
	Tests     int         `xml:"tests,attr"`
	Failures  int         `xml:"failures,attr"`
	Errors    int         `xml:"errors,attr"`
	Skipped   int         `xml:"skipped,attr"`
	Time      string      `xml:"time,attr"`
	Timestamp string      `xml:"timestamp,attr"`
	File      string      `xml:"file,attr"`
	Cases     []junitCase `xml:"testcase"`
}

type junitCase struct {
	Name    string        `xml:"name,attr"`
	Class   string        `xml:"classname,attr"`
	Time    string        `xml:"time,attr"`
	File    string        `xml:"file,attr"`
	Line    int           `xml:"line,attr"`
	Failure *junitFailure `xml:"failure"`
}

type junitFailure struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr"`
	Text    string `xml:",chardata"`
}

// writeJUnit writes the results of the tests into a file.
func writeJUnit(name, config string, began time.Time, results []ruletest.Result) error {
	suite := junitSuite{Name: filepath.Base(config), Tests: len(results), Timestamp: began.UTC().Format("2006-01-02T15:04:05"), File: config}
	var took time.Duration
	for i := range results {
		r := &results[i]
		took += r.Took
		c := junitCase{Name: r.Name, Class: "hookgate", Time: seconds(r.Took), File: cmp.Or(r.At.File, config), Line: r.At.Line}
		if !r.OK {
			suite.Failures++
			c.Failure = failureOf(r)
		}
		suite.Cases = append(suite.Cases, c)
	}
	suite.Time = seconds(took)
	report := junitSuites{Name: "hookgate", Tests: suite.Tests, Failures: suite.Failures, Time: suite.Time, Suites: []junitSuite{suite}}
	text, err := xml.MarshalIndent(report, "", "  ")
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	text = append(append([]byte(xml.Header), text...), '\n')
	// Other users' CI agents read it, and it holds no secret.
	if err := writeFile(name, 0o644, func(w io.Writer) error { _, err := w.Write(text); return err }); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}

func failureOf(r *ruletest.Result) *junitFailure {
	f := &junitFailure{Type: string(r.Findings[0].Kind), Message: r.Findings[0].String()}
	var lines []string
	if r.Expected != nil {
		lines = append(lines, "expected   "+names(r.Expected), "got        "+names(r.Got))
	}
	for _, finding := range r.Findings {
		lines = append(lines, finding.String())
	}
	if at := place(r.At); at != "" {
		lines = append(lines, at)
	}
	f.Text = strings.Join(lines, "\n")
	return f
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.3f", d.Seconds()) }
