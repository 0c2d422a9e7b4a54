package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"hookgate/app/admin"
	"hookgate/app/cli/term"
	"hookgate/app/cli/trace"
	"hookgate/app/trial"
	"hookgate/forms"
	"hookgate/internal/body"
	"hookgate/internal/diag"
	"hookgate/internal/event"
	"hookgate/rules"
)

// explanation is what `explain --json` prints.
type explanation struct {
	ID      *event.ID       `json:"id,omitempty"` // of an event that is kept
	Source  string          `json:"source"`
	Type    string          `json:"type"`
	Summary string          `json:"summary,omitempty"`
	Spam    string          `json:"spam,omitempty"`  // why no rule sees it
	Cause   string          `json:"cause,omitempty"` // which expression of the source does not fit
	Data    json.RawMessage `json:"data,omitempty"`
	// JudgedBy is the version of the config whose rules are told, for an event
	// that is kept.
	JudgedBy *admin.JudgedBy `json:"judged_by,omitempty"`
	Matched  int             `json:"matched"`
	Rules    []rules.Trace   `json:"rules"`
	// Autoreply is what the form would answer by mail.
	Autoreply *rules.Trace `json:"autoreply,omitempty"`
}

// traces are those of the rules, and of the form's own reply.
func (x *explanation) traces() []rules.Trace {
	if x.Autoreply == nil {
		return x.Rules
	}
	return append(slices.Clip(x.Rules), *x.Autoreply)
}

// refusal is the same for what would not become an event.
type refusal struct {
	Source   string          `json:"source"`
	Rejected string          `json:"rejected"`
	Line     int             `json:"line,omitempty"`
	Column   int             `json:"column,omitempty"`
	Hint     string          `json:"hint,omitempty"`
	Problems []fieldProblems `json:"problems,omitempty"`
}

type fieldProblems struct {
	Field   string     `json:"field"`
	Code    forms.Code `json:"code"`
	Message string     `json:"message"`
}

// faults are what could not be evaluated, with their places in the config.
func (x *explanation) faults() diag.List {
	var list diag.List
	add := func(at diag.Position, code, message string) {
		if at.Line > 0 {
			list = append(list, diag.Diagnostic{Severity: diag.Error, Code: code, Position: at, Message: message})
		}
	}
	for _, t := range x.traces() {
		if t.Result == rules.Failed {
			add(t.At, "rule-error", t.Rule+": "+t.Error)
		}
		for _, a := range t.Actions {
			if a.Err != "" {
				add(a.At, "output", a.Name+": "+a.Err)
			}
		}
	}
	return list
}

// showExplanation prints the trace; files are the texts of the config for the
// carets below it.
func (s *session) showExplanation(x *explanation, files map[string][]byte) error {
	for _, t := range x.Rules {
		if t.Result == rules.Matched {
			x.Matched++
		}
	}
	if s.json {
		if x.Rules == nil {
			x.Rules = []rules.Trace{}
		}
		return s.printJSON(x)
	}
	head := s.out.Strong.Render(term.Clean(x.Type))
	if x.Summary != "" {
		head += " · " + term.Clean(x.Summary)
	}
	s.out.Println(head)
	if x.JudgedBy != nil {
		s.out.Println(s.out.Dim.Render("judged by the rules" + strings.TrimPrefix(s.judgedBy(x.JudgedBy), ",")))
		s.showGone("", x.JudgedBy)
	}
	if x.Cause != "" {
		s.out.Println(s.out.Warn.Render("an expression of the source does not fit: " + term.Clean(x.Cause)))
	}
	if x.Spam != "" {
		s.out.Println(s.out.Warn.Render("spam: "+term.Clean(x.Spam)) + ": it would be kept, and no rule would see it")
		return nil
	}
	if len(x.traces()) == 0 {
		s.out.Println("There is no rule. Nothing was sent.")
		return nil
	}
	view := trace.ForScreen(s.out, s.width())
	view.Keys = s.verbose
	view.Table(x.traces())
	if err := diag.Render(s.out, x.faults(), files, s.out.Color()); err != nil {
		return err
	}
	s.out.Println(summaryOf(x))
	return nil
}

func summaryOf(x *explanation) string {
	verb := "match"
	if x.Matched == 1 {
		verb = "matches"
	}
	text := fmt.Sprintf("%d of %s %s.", x.Matched, plural(len(x.Rules), "rule"), verb)
	if x.ID != nil {
		return text + " What was sent: hookgate events show " + x.ID.String()
	}
	return text + " Nothing was sent."
}

// showRefusal says why no rule would see the sample.
func (s *session) showRefusal(source string, refused *trial.RefusedError) error {
	out := refusal{Source: source, Rejected: refused.Error()}
	if fault, ok := errors.AsType[*body.Error](refused); ok {
		out.Line, out.Column, out.Hint = fault.Line, fault.Column, fault.Hint
	}
	for _, p := range refused.Problems {
		out.Problems = append(out.Problems, fieldProblems{Field: p.Field, Code: p.Code, Message: p.Message(forms.English)})
	}
	if s.json {
		if err := s.printJSON(out); err != nil {
			return err
		}
		return &failure{code: exitFailed}
	}
	if len(out.Problems) == 0 {
		s.out.Println(s.out.Bad.Render("✗ rejected: "+term.Clean(out.Rejected)) + ": no rule would see it")
		if out.Hint != "" {
			s.out.Println("  " + term.Clean(out.Hint))
		}
		return &failure{code: exitFailed}
	}
	s.out.Println(s.out.Bad.Render("✗ refused by the form "+term.Clean(source)) + ": nothing would be kept")
	widest := 0
	for _, p := range out.Problems {
		widest = max(widest, term.Width(term.Clean(p.Field)))
	}
	for _, p := range out.Problems {
		s.out.Println("  " + s.out.Name.Render(term.Pad(term.Clean(p.Field), widest)) + "  " + term.Clean(p.Message))
	}
	return &failure{code: exitFailed}
}
