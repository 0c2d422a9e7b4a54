package ui

import (
	"testing"

	"hookgate/app/admin"
	"hookgate/internal/diag"
)

// What is said of another file stands at no line of this one. Without the
// comparison of names the table's fault stood at a rule.
func TestSourceParts(t *testing.T) {
	t.Parallel()
	at := func(file string, line int) diag.Diagnostic {
		return diag.Diagnostic{Severity: diag.Error, Position: diag.Position{File: file, Line: line, Column: 3, Width: 2}}
	}
	p := configPage{File: admin.ConfigFile{File: "config.yaml", Now: admin.CheckedFile{
		Rules:    []admin.RuleText{{File: "config.yaml", Line: 4, Text: "rules:\n  - a\n"}, {File: "clients/config.yaml", Line: 1, Text: "rules:\n"}},
		Included: []string{"clients/config.yaml"},
		Findings: diag.List{at("config.yaml", 5), at("managers.csv", 4), at("clients/config.yaml", 1)},
	}}}
	p.Parts = sourceParts(&p.File)
	lines := p.Parts[0].Lines
	if len(lines) != 2 || lines[0].Class != "" || lines[1].Class != "er" || lines[1].Number != 5 || lines[1].Findings[0].Caret != "  ^^" {
		t.Errorf("%+v", lines)
	}
	if second := p.Parts[1]; second.Lines[0].Class != "er" || p.LineOf(p.File.Now.Findings[2]) != "#f1l1" {
		t.Errorf("%+v", second)
	}
	if files := p.Files(); len(files) != 2 || files[1] != (fileRow{Name: "clients/config.yaml", Link: "#f1l", Errors: 1}) {
		t.Errorf("%+v", files)
	}
	own, other := p.File.Now.Findings[0], p.File.Now.Findings[1]
	if p.LineOf(own) != "#l5" || p.LineOf(other) != "" || p.Elsewhere(own) != "" || p.Elsewhere(other) != "managers.csv" {
		t.Error("the fault of the table is taken for one of the rules")
	}
}
