package lab

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os/exec"
	"strings"
	"time"
)

// Result is what a call of the command line gave.
type Result struct {
	Code           int
	Stdout, Stderr string
}

// CLI runs `hookgate ARGS… -c CONFIG` beside the running gate.
func (g *Gate) CLI(args ...string) Result {
	g.tb.Helper()
	return g.CLIWith("", args...)
}

// CLIWith is CLI with a standard input.
func (g *Gate) CLIWith(stdin string, args ...string) Result {
	g.tb.Helper()
	program := g.program() // the first one waits for it to be built
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, append(args, "-c", g.ConfigPath())...)
	cmd.Dir = g.Dir
	cmd.Env = g.environment()
	cmd.Stdin = strings.NewReader(stdin)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		g.tb.Fatalf("hookgate %s: %v", strings.Join(args, " "), err)
	}
	return Result{Code: cmd.ProcessState.ExitCode(), Stdout: stdout.String(), Stderr: stderr.String()}
}

// MustCLI is CLI for a call that has to succeed; it returns standard output.
func (g *Gate) MustCLI(args ...string) string {
	g.tb.Helper()
	r := g.CLI(args...)
	if r.Code != 0 {
		g.tb.Fatalf("hookgate %s: exit status %d\n%s%s", strings.Join(args, " "), r.Code, r.Stdout, r.Stderr)
	}
	return r.Stdout
}

// Event is an event as `events list --json` and `events show --json` print it.
type Event struct {
	ID          string     `json:"id"`
	Source      string     `json:"source"`
	Type        string     `json:"type"`
	Summary     string     `json:"summary"`
	State       string     `json:"state"`
	Cause       string     `json:"cause"`
	DuplicateOf string     `json:"duplicate_of"`
	Rules       []Verdict  `json:"rules"`
	Deliveries  []Delivery `json:"deliveries"`

	Body    string          `json:"body"`
	Base64  []byte          `json:"body_base64"`
	Data    json.RawMessage `json:"data"`
	Request struct {
		Method      string            `json:"method"`
		ContentType string            `json:"content_type"`
		Headers     map[string]string `json:"headers"`
		Query       map[string]any    `json:"query"`
	} `json:"request"`
}

// Verdict is what a rule said of an event.
type Verdict struct {
	Rule    string `json:"rule"`
	Result  string `json:"result"`
	Message string `json:"message"`
}

// Delivery is a delivery as the command line prints it with --json.
type Delivery struct {
	ID         string          `json:"id"`
	Event      string          `json:"event"`
	Name       string          `json:"name"`
	Rule       string          `json:"rule"`
	Connection string          `json:"connection"`
	State      string          `json:"state"`
	Attempts   int             `json:"attempts"`
	Next       time.Time       `json:"next"` // the next attempt
	Error      string          `json:"error"`
	WaitsFor   string          `json:"waits_for"`
	Status     int             `json:"status"`
	Warnings   []string        `json:"warnings"`
	Output     json.RawMessage `json:"output"`
	History    []struct {
		Number int    `json:"number"`
		Status int    `json:"status"`
		Error  string `json:"error"`
		Answer string `json:"answer"`
	} `json:"history"`
}

// Show is `events show ID --json`.
func (g *Gate) Show(id string) Event {
	g.tb.Helper()
	return decode[Event](g, g.MustCLI("events", "show", id, "--json"))
}

// Events is `events list --json ARGS…`, newest first.
func (g *Gate) Events(args ...string) []Event {
	g.tb.Helper()
	return list[Event](g, g.MustCLI(append([]string{"events", "list", "--json"}, args...)...))
}

// Deliveries is `deliveries list --json ARGS…`, newest first.
func (g *Gate) Deliveries(args ...string) []Delivery {
	g.tb.Helper()
	return list[Delivery](g, g.MustCLI(append([]string{"deliveries", "list", "--json"}, args...)...))
}

// Settled waits until every delivery of an event has ended, and returns it.
func (g *Gate) Settled(id string) Event {
	g.tb.Helper()
	var ev Event
	Eventually(g.tb, "the deliveries of "+id+" end", func() bool {
		ev = g.Show(id)
		for _, d := range ev.Deliveries {
			if d.State != "delivered" && d.State != "failed" && d.State != "cancelled" {
				return false
			}
		}
		return true
	})
	return ev
}

// Accepted is the id in a 202, and fails the test for any other answer.
func (g *Gate) Accepted(r Reply) string {
	g.tb.Helper()
	if r.Status != 202 {
		g.tb.Fatalf("status %d, want 202: %s", r.Status, r.Body)
	}
	id := decode[struct{ ID string }](g, r.Body).ID
	if !strings.HasPrefix(id, "evt_") {
		g.tb.Fatalf("the answer has no event id: %s", r.Body)
	}
	return id
}

func decode[T any](g *Gate, text string) T {
	g.tb.Helper()
	var v T
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		g.tb.Fatalf("%v in %s", err, text)
	}
	return v
}

// list reads a page, or one object a line.
func list[T any](g *Gate, text string) []T {
	g.tb.Helper()
	var page struct {
		Items *[]T `json:"items"`
	}
	if err := json.Unmarshal([]byte(text), &page); err == nil && page.Items != nil {
		return *page.Items
	}
	var items []T
	if err := json.Unmarshal([]byte(text), &items); err == nil {
		return items
	}
	dec := json.NewDecoder(strings.NewReader(text))
	for dec.More() {
		var v T
		if err := dec.Decode(&v); err != nil {
			g.tb.Fatalf("%v in %s", err, text)
		}
		items = append(items, v)
	}
	return items
}
