package promises_test

import (
	"os"
	"strings"
	"testing"

	"hookgate/test/lab"
	"hookgate/test/promises"
)

const (
	page  = "/docs/reliability.md"
	begin = "<!-- promises: begin, written by make promises -->\n"
	end   = "<!-- promises: end -->\n"
)

// Every promise has a test, and the documentation names them all. PROMISES=write
// (make promises) writes the table anew.
func TestTable(t *testing.T) {
	t.Parallel()
	root, err := lab.Root()
	if err != nil {
		t.Fatal(err)
	}
	found, err := promises.Tests(root)
	if err != nil {
		t.Fatal(err)
	}
	table, err := promises.Table(found)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(root + page)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, began := strings.Cut(string(text), begin)
	old, after, ended := strings.Cut(rest, end)
	switch {
	case !began || !ended:
		t.Fatalf("%s has no place for the table", page)
	case old == table:
	case os.Getenv("PROMISES") == "write":
		if err := os.WriteFile(root+page, []byte(before+begin+table+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
	default:
		t.Error("the table of promises is stale: run make promises")
	}
}

// What lacks a test, or names a promise that there is not, is found.
func TestTable_faults(t *testing.T) {
	t.Parallel()
	found := map[string][]string{}
	for _, p := range promises.All {
		found[p.ID] = []string{"`TestX` in `db`"}
	}
	if _, err := promises.Table(found); err != nil {
		t.Error(err)
	}
	delete(found, "P13")
	found["P99"] = []string{"`TestY` in `db`"}
	_, err := promises.Table(found)
	if err == nil || !strings.Contains(err.Error(), "P13 has no test") || !strings.Contains(err.Error(), "no promise P99") {
		t.Errorf("got %v", err)
	}
}
