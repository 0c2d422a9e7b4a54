package ui

import (
	"testing"

	"hookgate/app/admin"
	"hookgate/internal/diag"
)

// What is said of another file stands at no line of this one. Without the
// comparison of names the table's fault stood at a rule.
func TestSourceLines(t *testing.T) {
	t.Parallel()
	at := func(file string, line int) diag.Diagnostic {
		return diag.Diagnostic{Severity: diag.Error, Position: diag.Position{File: file, Line: line, Column: 3, Width: 2}}
	}
	p := configPage{File: admin.ConfigFile{File: "config.yaml", Now: admin.CheckedFile{
		Rules:    admin.RuleText{Line: 4, Text: "rules:\n  - a\n"},
		Findings: diag.List{at("/x/config.yaml", 5), at("/x/managers.csv", 4)},
	}}}
	p.Lines = sourceLines(&p.File)
	if len(p.Lines) != 2 || p.Lines[0].Class != "" || p.Lines[1].Class != "er" || p.Lines[1].Number != 5 || p.Lines[1].Findings[0].Caret != "  ^^" {
		t.Errorf("%+v", p.Lines)
	}
	own, other := p.File.Now.Findings[0], p.File.Now.Findings[1]
	if !p.InRules(own) || p.InRules(other) || p.Elsewhere(own) != "" || p.Elsewhere(other) != "managers.csv" {
		t.Error("the fault of the table is taken for one of the rules")
	}
}
