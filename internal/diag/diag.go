// Package diag is how every part of hookgate reports a fault in the
// configuration: a code, the place in the file, what is wrong, and the remedy.
package diag

import (
	"fmt"
	"sort"
	"strings"
)

// Severity says whether a Diagnostic stops the configuration from loading.
type Severity string

// The severities. Only an Error refuses a configuration; Advice is what may be
// as it is meant to be, and fails not even a strict check.
const (
	Error   Severity = "error"
	Warning Severity = "warn"
	Advice  Severity = "hint"
)

// Position is a place in a file. Line and Column count from 1, Column and
// Width in characters (runes). The zero Line means "no place known".
type Position struct {
	File   string `json:"file,omitempty"`
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
	Width  int    `json:"width,omitempty"` // characters to underline, at least 1
}

// String gives file:line:column, as compilers do.
func (p Position) String() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

// LineFor is how a text about the place at tells of this one: line 12, with the
// file where that is another.
func (p Position) LineFor(at Position) string {
	if p.File == at.File {
		return fmt.Sprintf("line %d", p.Line)
	}
	return fmt.Sprintf("line %d of %s", p.Line, p.File)
}

// Diagnostic is one fault. Message says what is wrong, in one line and without
// a full stop; Hint says what to do about it and may be empty.
type Diagnostic struct {
	Severity Severity `json:"severity"`
	Code     string   `json:"code"`
	Path     string   `json:"path,omitempty"` // where in the document: rules[2].then[0].to
	Position
	Message string `json:"message"`
	// Key is, of an unknown key, the key that is meant, and of a missing one that
	// key; "" where that cannot be told, or several would do.
	Key  string `json:"-"`
	Hint string `json:"hint,omitempty"`
}

// Weigh is the Diagnostic with another severity.
func (d Diagnostic) Weigh(s Severity) Diagnostic {
	d.Severity = s
	return d
}

// Error gives the one-line form; Render gives the whole one.
func (d Diagnostic) Error() string {
	s := fmt.Sprintf("%s[%s] %s: %s", d.Severity, d.Code, d.Position, d.Message)
	if d.Hint != "" {
		s += " (" + d.Hint + ")"
	}
	return s
}

// List is what a whole check found.
type List []Diagnostic

// Error joins the one-line forms.
func (l List) Error() string {
	lines := make([]string, len(l))
	for i, d := range l {
		lines[i] = d.Error()
	}
	return strings.Join(lines, "\n")
}

// Err is the Errors of l as an error, nil if there are none. Warnings are no
// part of why something is refused.
func (l List) Err() error {
	var errs List
	for _, d := range l {
		if d.Severity == Error {
			errs = append(errs, d)
		}
	}
	if errs == nil {
		return nil
	}
	return errs
}

// Count counts the diagnostics of one severity.
func (l List) Count(s Severity) int {
	n := 0
	for _, d := range l {
		if d.Severity == s {
			n++
		}
	}
	return n
}

// Sort orders by file, line and column; what has the same place keeps its order.
func (l List) Sort() {
	sort.SliceStable(l, func(i, j int) bool {
		a, b := l[i].Position, l[j].Position
		if a.File != b.File {
			return a.File < b.File
		}
		if a.Line != b.Line {
			return a.Line < b.Line
		}
		return a.Column < b.Column
	})
}
