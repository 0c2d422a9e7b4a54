package cli_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestHelp_examples walks all commands by their help, as a user does, and wants
// an example of each that does something.
func TestHelp_examples(t *testing.T) {
	t.Parallel()
	seen := 0
	var walk func(path ...string)
	walk = func(path ...string) {
		got := run(t, append(slices.Clone(path), "--help")...)
		members := members(got.out)
		for _, m := range members {
			if m != "help" && m != "completion" && m != "version" {
				walk(append(slices.Clone(path), m)...)
			}
		}
		if len(members) > 0 {
			return
		}
		seen++
		_, examples, _ := strings.Cut(got.out, "\nExamples:\n")
		examples, _, _ = strings.Cut(examples, "\n\n")
		if !strings.Contains(examples, "hookgate ") || !strings.Contains(examples, " "+path[len(path)-1]) {
			t.Errorf("hookgate %s --help has no example of the command: %q", strings.Join(path, " "), examples)
		}
	}
	walk()
	if seen < 25 {
		t.Errorf("%d commands were found, want all", seen)
	}
}

var memberLine = regexp.MustCompile(`(?m)^  ([a-z][a-z-]*) +[A-Z]`)

// members are the commands that a help lists.
func members(help string) []string {
	help, _, _ = strings.Cut(help, "\nFlags:")
	_, list, _ := strings.Cut(help, "\n  hookgate ") // the usage
	var names []string
	for _, m := range memberLine.FindAllStringSubmatch(list, -1) {
		names = append(names, m[1])
	}
	return names
}
