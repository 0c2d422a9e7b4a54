package ruletest

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"hookgate/app/ingest"
	"hookgate/app/ingest/samples"
	"hookgate/app/ingest/source"
	"hookgate/internal/body"
	"hookgate/internal/diag"
	"hookgate/internal/event"
	"hookgate/rules"
	"hookgate/rules/lang"
)

// Result is what a test came to.
type Result struct {
	Name     string        `json:"name"`
	OK       bool          `json:"ok"`
	At       diag.Position `json:"at,omitzero"`
	Expected []string      `json:"expected"` // nil where the test does not say
	Got      []string      `json:"got"`
	Findings []Finding     `json:"findings,omitempty"` // why it failed
	Took     time.Duration `json:"-"`

	path string // in the document
}

// FindingKind says what a Finding is about.
type FindingKind string

// The kinds of findings.
const (
	Missing    FindingKind = "missing"    // it was expected and is not sent
	Unexpected FindingKind = "unexpected" // it is sent and was not expected
	RuleError  FindingKind = "error"      // a rule cannot be evaluated, or an output cannot be made
	Assertion  FindingKind = "assert"
	Refused    FindingKind = "refused" // the event would never reach a rule
)

// Finding is one reason for which a test failed.
type Finding struct {
	Kind FindingKind   `json:"kind"`
	Name string        `json:"name,omitempty"` // of the action or rule, or the assertion's source
	Text string        `json:"text"`           // one line, without Name
	At   diag.Position `json:"at,omitzero"`    // of what did not hold
}

// ErrNoJudge says that a connection cannot judge what a test has its receiver answer.
var ErrNoJudge = errors.New("the answer cannot be judged")

// maxFile is how much of a test's file is read, in bytes.
const maxFile = 64 << 20

// Runner runs tests against one plan.
type Runner struct {
	Plan *ingest.Plan
	Now  func() time.Time
	// Judge says what a connection makes of what its receiver answers to an attempt, as
	// the server does, and how long it waits for the next one then; 0: there is none.
	// nil: all that is said of the answer is how the step ends.
	Judge func(d *event.Delivery, a lang.HTTPAnswer, tries int, age time.Duration) (receipt event.Receipt, wait time.Duration, err error)
	// Coverage watches what the tests exercise; nil: nothing does.
	Coverage *rules.Coverage
}

// Run runs one test.
func (r *Runner) Run(t *Test) Result {
	began := time.Now()
	out := Result{Name: t.Name, At: t.At, Got: []string{}, path: t.node}
	if t.expects {
		out.Expected = append([]string{}, t.expect...)
	}
	plan := *r.Plan
	s := story{runner: r, zone: r.Plan.Location, plan: &plan, kept: &records{book: event.Records{}}}
	plan.Records = s.kept
	s.tell(t, &out)
	out.OK = len(out.Findings) == 0
	out.Took = time.Since(began)
	return out
}

// RunAll runs the tests in their order.
func (r *Runner) RunAll(tests []*Test) []Result {
	results := make([]Result, len(tests))
	for i, t := range tests {
		results[i] = r.Run(t)
	}
	return results
}

// Failed are the results of tests that failed.
func Failed(results []Result) []Result {
	return slices.DeleteFunc(slices.Clone(results), func(r Result) bool { return r.OK })
}

// run asks the rules about the event of a test, or of a later part of it, at
// now. What is due then was scheduled before.
func (s *story) run(t *Test, out *Result, now time.Time) error {
	s.kept.at(now)
	r, due := s.runner, s.due(now)
	if !t.event {
		return s.compareDue(t, out, due, now)
	}
	request, err := r.request(t, now)
	if err != nil {
		return err
	}
	request.Records = s.kept
	d := ingest.Decide(s.plan, request)
	defer d.Close()
	if err := d.Err(); err != nil {
		if d.Event.Form && errors.As(err, new(*ingest.RefusedError)) {
			return fmt.Errorf("by the form %s: %w", t.source, err)
		}
		return err
	}
	if d.Event.State == event.Spam {
		return t.judgeSpam(d.Event.Cause)
	}
	if r.Coverage != nil {
		r.Coverage.Observe(d.Scope())
	}
	if err := d.Keep(s.kept.book, now); err != nil {
		return err //nolint:wrapcheck // it is for people
	}
	c := comparison{test: t, out: out, set: s.plan.Rules, event: &d.Event, traces: d.Explain()}
	then := s.take(d, c.traces, now)
	c.then = slices.Concat(due, then, s.due(now))
	c.waits = s.waits(now)
	if reply := d.ExplainReply(); reply != nil {
		c.traces = append(c.traces, *reply)
	}
	c.errors()
	c.deliveries()
	c.rules()
	c.asserts(d.Scope())
	return nil
}

// judgeSpam is for a post that no rule sees: right where nothing is expected.
func (t *Test) judgeSpam(why string) error {
	if len(t.expect) > 0 || len(t.asserts) > 0 || (!t.expects && !t.unmatched) {
		return fmt.Errorf("it is taken for spam, so that no rule sees it: %s", why)
	}
	return nil
}

// request is the test's event, as its sender would send it.
func (r *Runner) request(t *Test, now time.Time) (*ingest.Request, error) {
	out := &ingest.Request{
		Request: source.Request{Method: http.MethodPost, ContentType: "application/json", Body: t.data, Now: now},
		Source:  t.source, Headers: t.headers,
		Sample: &ingest.Sample{Type: t.typ, Query: t.query, Set: t.set, Answers: t.answers},
	}
	if t.sample != "" {
		if err := r.sample(t, out); err != nil {
			return nil, err
		}
	}
	if t.file != "" {
		content, err := readFile(t.path)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", t.file, err)
		}
		out.Body, out.ContentType = content, body.GuessType(t.path, content)
	}
	for name, value := range t.headers {
		if strings.EqualFold(name, "content-type") {
			out.ContentType = value
		}
	}
	return out, nil
}

// sample makes the request a post of the sample that the test names.
func (r *Runner) sample(t *Test, out *ingest.Request) error {
	list, err := samples.For(r.Plan, t.source)
	if err != nil {
		return err
	}
	chosen, err := samples.Choose(list, t.source, t.sample)
	if unknown, ok := errors.AsType[*samples.UnknownError](err); ok {
		return fmt.Errorf("%w: %s", err, unknown.Hint())
	}
	if err == nil {
		chosen.Request(out)
	}
	return err
}

// MissingFiles warns of the tests' files that cannot be read: a test without
// its file fails where it runs.
func MissingFiles(tests []*Test) diag.List {
	var list diag.List
	for _, t := range tests {
		if t.file == "" {
			continue
		}
		if reason := unreadable(t.path); reason != nil {
			list = append(list, t.fileText.Diag("no-test-file", "a relative path starts at the folder of the file that names it", "the test's file can't be read: %v", reason).Weigh(diag.Warning))
		}
	}
	return list
}

// unreadable says why a file cannot be read; nil: it is there.
func unreadable(path string) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return errors.New("there is no such file")
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return errors.New("it is no ordinary file")
	}
	return nil
}

func readFile(path string) ([]byte, error) {
	if err := unreadable(path); err != nil {
		return nil, err
	}
	file, err := os.Open(path) //nolint:gosec // the configuration names it
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	content, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	if err == nil && len(content) > maxFile {
		err = fmt.Errorf("it is larger than %d MB", maxFile>>20)
	}
	return content, err
}

// CodeFailed is the code of a test that fails.
const CodeFailed = "test-failed"

// Diagnostic is a failed test as a fault of the configuration.
func (r *Result) Diagnostic() diag.Diagnostic {
	d := diag.Diagnostic{Severity: diag.Error, Code: CodeFailed, Path: r.path, Position: r.At, Message: fmt.Sprintf("the test %q fails", r.Name)}
	for i, f := range r.Findings {
		if i == 0 {
			d.Message += ": " + f.String()
		}
	}
	if more := len(r.Findings) - 1; more > 0 {
		d.Message += fmt.Sprintf(", and %d more", more)
	}
	d.Hint = "hookgate test shows all of it"
	return d
}

// String is the finding in one line.
func (f Finding) String() string {
	switch {
	case f.Name == "":
		return f.Text
	case f.Kind == Missing, f.Kind == Unexpected:
		return string(f.Kind) + " " + f.Name + ": " + f.Text
	}
	return f.Name + " " + f.Text
}
