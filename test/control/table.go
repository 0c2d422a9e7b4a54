package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

const (
	page  = "docs/reliability.md"
	begin = "<!-- control: begin, written by make faults-control -->\n"
	end   = "<!-- control: end -->\n"
)

// rows are the lines of the table: what is broken, and the test that notices.
func rows() string {
	var b strings.Builder
	b.WriteString("| what is broken | what notices |\n|---|---|\n")
	for _, m := range Mutants {
		fmt.Fprintf(&b, "| %s | `%s` in `%s` |\n", m.Name, m.Test, m.Package)
	}
	return b.String()
}

// writeTable says in the documentation that all were caught.
func writeTable(root string, now time.Time) error {
	path := filepath.Join(root, page)
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	before, rest, found := strings.Cut(string(text), begin)
	_, after, ended := strings.Cut(rest, end)
	if !found || !ended {
		return fmt.Errorf("%s has no place for the table", page)
	}
	said := fmt.Sprintf("All %d were caught on %s, on %d cores.\n\n", len(Mutants), now.UTC().Format(time.DateOnly), runtime.NumCPU())
	return os.WriteFile(path, []byte(before+begin+said+rows()+end+after), 0o644)
}
