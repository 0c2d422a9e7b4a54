package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Every mutant still applies, and its test exists: the list cannot rot between
// two runs.
func TestMutants(t *testing.T) {
	t.Parallel()
	root, err := moduleRoot()
	if err != nil {
		t.Fatal(err)
	}
	if len(Mutants) < 40 {
		t.Errorf("there are %d mutants, want at least 40", len(Mutants))
	}
	names := map[string]bool{}
	for i := range Mutants {
		m := &Mutants[i]
		if names[m.Name] {
			t.Errorf("%s: there are two of that name", m.Name)
		}
		names[m.Name] = true
		files, err := m.mutate(root)
		if err != nil {
			t.Errorf("%s: %v", m.Name, err)
		}
		if len(files) == 0 {
			t.Errorf("%s changes nothing", m.Name)
		}
		if !declares(t, filepath.Join(root, m.Package), m.Test) {
			t.Errorf("%s: there is no %s in %s", m.Name, m.Test, m.Package)
		}
	}
}

// declares reports whether the tests of a package have a function of the name.
func declares(t *testing.T, folder, name string) bool {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(folder, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	function := regexp.MustCompile(`(?m)^func ` + regexp.QuoteMeta(name) + `\(t \*testing\.T\)`)
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if function.Match(text) {
			return true
		}
	}
	return false
}

// The documentation has the same list.
func TestTable(t *testing.T) {
	t.Parallel()
	root, err := moduleRoot()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(root, page))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), rows()+end) {
		t.Errorf("the table in %s is not that of the list: run make faults-control", page)
	}
}
