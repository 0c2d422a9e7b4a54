package cli_test

import (
	"encoding/json"
	"encoding/xml"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const agencyTests = `
tests:
  - name: Interest → Preparation creates a subscription and nothing else
    event: { source: sitejet, sample: website_status_changed }
    set: { previousStatus: Interest, website.status: Preparation }
    expect: [create-subscription/billing]
  - name: Publish → Done activates and announces
    event: { source: sitejet, file: fixtures/website_status_changed.json }
    expect: [activate-subscription/billing, announce-status/slack-web]
    assert:
      - output["announce-status/slack-web"].text contains "Harry's Diner"
  - name: a lead without a budget goes to the ordinary channel
    event: { source: contact, data: { name: Ada, email: ada@example.com, message: Hi, consent: true } }
    expect: [new-lead/slack-bot]
    assert:
      - output["new-lead/slack-bot"].channel == "#leads"
`

// withTests is the agency's configuration with tests; change is made to its
// rules first.
func withTests(t *testing.T, tests string, change ...string) string {
	t.Helper()
	config, _ := agency(t)
	text := strings.NewReplacer(change...).Replace(fixture(t, "agency.yaml")) + tests
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return config
}

func TestTest(t *testing.T) {
	t.Parallel()
	broken := []string{`in ["Assign","Done"]`, `in ["Assign"]`}
	for name, c := range map[string]struct {
		tests  string
		change []string
		args   []string
		code   int
	}{
		"session":  {tests: agencyTests, change: broken, code: 1},
		"passed":   {tests: agencyTests},
		"run":      {tests: agencyTests, change: broken, args: []string{"--run", "^a lead"}},
		"coverage": {tests: agencyTests, args: []string{"--coverage"}},
		"quiet":    {tests: agencyTests, change: broken, args: []string{"-q"}, code: 1},
		"none":     {},
		"failures": {code: 1, tests: `
tests:
  - name: a post that the form refuses
    event: { source: contact, data: { name: Ada, email: ada@, message: Hi, consent: true } }
    expect: []
  - name: more than is expected
    event: { source: contact, data: { name: Ada, email: ada@example.com, message: Hi, consent: true, newsletter: true } }
    expect: [new-lead/slack-bot]
    assert: output["new-lead/billing"].json.subscribe == data.name
  - name: a rule that cannot be evaluated
    event: { source: sitejet, type: website_status_changed, data: { previousStatus: Interest } }
    expect: [create-subscription/billing]
  - name: a rule matches
    event: { source: sitejet, sample: website_status_changed }
    unmatched: true
  - name: a rule that does not listen
    event: { source: quote, data: { name: Ada } }
    expect: [announce-status/slack-web, new-lead/slack-bot, new-lead/billing]
`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := withTests(t, c.tests, c.change...)
			got := run(t, append([]string{"test", "-c", config}, c.args...)...)
			if got.code != c.code || got.errOut != "" {
				t.Errorf("exit status %d, want %d; stderr %q", got.code, c.code, got.errOut)
			}
			golden(t, "test_"+name, strings.ReplaceAll(got.out, filepath.Dir(config)+"/", ""))
		})
	}
}

func TestTest_usage(t *testing.T) {
	t.Parallel()
	config := withTests(t, agencyTests)
	for want, args := range map[string][]string{
		`no test has a name that matches "zzz"`: {"--run", "zzz"},
		"missing closing )":                     {"--run", "("},
	} {
		if got := run(t, append([]string{"test", "-c", config}, args...)...); got.code != 2 || !strings.Contains(got.errOut, want) {
			t.Errorf("%v: %+v", args, got)
		}
	}
	bad := withTests(t, strings.Replace(agencyTests, "create-subscription/billing", "create-subscription/biling", 1))
	got := run(t, "test", "-c", bad)
	if got.code != 3 || !strings.Contains(got.errOut, `error[unknown-action]`) || !strings.Contains(got.errOut, `did you mean "create-subscription/billing"?`) {
		t.Errorf("a test with a fault: %+v", got)
	}
	if got := run(t, "test", "-c", config, "--junit", filepath.Join(filepath.Dir(config), "no", "report.xml")); got.code != 1 || !strings.Contains(got.errOut, "write the report") {
		t.Errorf("a report that cannot be written: %+v", got)
	}
}

func TestTest_json(t *testing.T) {
	t.Parallel()
	config := withTests(t, agencyTests, `in ["Assign","Done"]`, `in ["Assign"]`)
	got := run(t, "test", "--json", "--coverage", "-c", config)
	var out struct {
		OK             bool
		Passed, Failed int
		Tests          []struct {
			Name          string
			OK            bool
			At            struct{ Line int }
			Expected, Got []string
			Findings      []struct {
				Kind, Name, Text string
				At               struct{ Line, Column int }
			}
		}
		Coverage struct {
			Percent int
			Rules   struct{ Seen, Total int }
			Gaps    []struct{ Rule, Key, Way string }
		}
	}
	if err := json.Unmarshal([]byte(got.out), &out); err != nil {
		t.Fatalf("%v: %s", err, got.out)
	}
	if got.code != 1 || out.OK || out.Passed != 2 || out.Failed != 1 || len(out.Tests) != 3 || !out.Tests[0].OK {
		t.Errorf("%+v", out)
	}
	failed := out.Tests[1]
	if failed.OK || failed.At.Line == 0 || len(failed.Expected) != 2 || len(failed.Got) != 1 || len(failed.Findings) != 1 || failed.Findings[0].At.Line == 0 {
		t.Errorf("the failed test is %+v", failed)
	}
	if out.Coverage.Rules.Total != 4 || out.Coverage.Percent <= 0 || len(out.Coverage.Gaps) == 0 {
		t.Errorf("the coverage is %+v", out.Coverage)
	}
}

// Where a change of the config is reviewed there are no secrets: tests and
// explain do without them, and check does not.
func TestTest_withoutSecrets(t *testing.T) {
	t.Parallel()
	config := withTests(t, agencyTests, "0123456789abcdef0123", "\"${NOT_SET_HERE}\"")
	if got := run(t, "test", "-c", config); got.code != 0 || !strings.HasSuffix(got.out, "3 passed\n") {
		t.Errorf("test: %+v", got)
	}
	if got := runWith(t, `{"event":"website_status_changed"}`, "explain", "-", "--source", "sitejet", "-c", config); got.code != 0 || !strings.HasPrefix(got.out, "website_status_changed\n") {
		t.Errorf("explain: %+v", got)
	}
	if got := run(t, "check", "-c", config); got.code != 3 {
		t.Errorf("check: %+v", got)
	}
}

// The report is what CI systems read: counts that agree with the cases, and
// text of any kind as XML allows it.
func TestTest_junit(t *testing.T) {
	t.Parallel()
	config := withTests(t, agencyTests+"  - name: \"<&\\\"\\x01ä\"\n    event: { source: contact, data: { name: \"]]>\\x02\" } }\n    expect: []\n",
		`in ["Assign","Done"]`, `in ["Assign"]`)
	file := filepath.Join(filepath.Dir(config), "report.xml")
	if got := run(t, "test", "--junit", file, "-c", config); got.code != 1 {
		t.Fatalf("%+v", got)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var report struct {
		XMLName  xml.Name `xml:"testsuites"`
		Tests    int      `xml:"tests,attr"`
		Failures int      `xml:"failures,attr"`
		Suites   []struct {
			Name     string `xml:"name,attr"`
			Tests    int    `xml:"tests,attr"`
			Failures int    `xml:"failures,attr"`
			Time     string `xml:"time,attr"`
			Cases    []struct {
				Name    string `xml:"name,attr"`
				Class   string `xml:"classname,attr"`
				Line    int    `xml:"line,attr"`
				Failure *struct {
					Message string `xml:"message,attr"`
					Text    string `xml:",chardata"`
				} `xml:"failure"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	if err := xml.Unmarshal(text, &report); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	if report.Tests != 4 || report.Failures != 2 || len(report.Suites) != 1 || report.Suites[0].Tests != 4 || report.Suites[0].Failures != 2 || report.Suites[0].Name != "config.yaml" {
		t.Errorf("%+v", report)
	}
	cases := report.Suites[0].Cases
	if len(cases) != 4 || cases[0].Failure != nil || cases[0].Class == "" || cases[1].Line == 0 ||
		!strings.Contains(cases[1].Failure.Message, `data.website.status in ["Assign"] was false`) || !strings.Contains(cases[1].Failure.Text, "expected   activate-subscription/billing") {
		t.Errorf("%+v", cases)
	}
	if !strings.HasPrefix(cases[3].Name, `<&"`) || cases[3].Failure == nil {
		t.Errorf("%+v", cases[3])
	}
}

// inForce is the hash of the configuration that a server uses.
func inForce(t *testing.T, config string) string {
	t.Helper()
	var status struct{ Config string }
	if err := json.Unmarshal([]byte(run(t, "status", "--json", "-c", config).out), &status); err != nil || status.Config == "" {
		t.Fatalf("%+v, %v", status, err)
	}
	return status.Config
}

// A reload is refused while a test fails, and a start is not.
func TestReload_failingTest(t *testing.T) {
	t.Parallel()
	config := withTests(t, agencyTests, "version: 1", "version: 1\nserver: { listen: \""+freePort(t)+"\" }")
	good, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	bad := []byte(strings.Replace(string(good), `in ["Assign","Done"]`, `in ["Assign"]`, 1))
	_, stop := startServer(t, config)
	before := inForce(t, config)
	if err := os.WriteFile(config, bad, 0o600); err != nil {
		t.Fatal(err)
	}
	got := run(t, "reload", "-c", config)
	if now := inForce(t, config); now != before {
		t.Errorf("%s is in force, want still %s", now, before)
	}
	for _, want := range []string{
		`error[test-failed] `, `the test "Publish → Done activates and announces" fails: missing announce-status: data.website.status in ["Assign"] was false (it is "Done")`,
		"  - name: Publish → Done activates and announces\n", "hookgate test shows all of it", "refused: a test of the config fails, ", "stays in force",
	} {
		if !strings.Contains(got.errOut, want) {
			t.Errorf("stderr lacks %q:\n%s", want, got.errOut)
		}
	}
	if got.code != 3 {
		t.Errorf("exit status %d, want 3", got.code)
	}
	stop()
	logs, stop := startServer(t, config)
	told := false
	for _, record := range logs {
		message, _ := record["msg"].(string)
		told = told || strings.HasPrefix(message, "a test of the configuration fails") && record["level"] == "ERROR"
	}
	if !told {
		t.Errorf("the start does not tell of the failing test: %v", logs)
	}
	if err := os.WriteFile(config, good, 0o600); err != nil {
		t.Fatal(err)
	}
	if got := run(t, "reload", "-c", config); got.code != 0 {
		t.Errorf("with tests that pass: %+v", got)
	}
	stop()
}
