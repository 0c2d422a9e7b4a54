// Package reader does what the pages say, as a reader would: each page's blocks
// in their order, in a folder of its own, with the real program, and with a
// running server where the page starts one.
//
// What a block is stands in the line of its fence: `sh` are commands, `console`
// commands behind `$ ` with what they print, `yaml` is a configuration or a part
// of one. Comments before a block say the rest; see notes.
package reader

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"hookgate/test/lab"
)

// notes are the comments that a block may have before it, `<!-- name: value -->`.
var notes = map[string]string{
	"not run":   "why this block cannot be run here: one of reasons",
	"file":      "the name under which a reader saves the block",
	"output":    "\"an example\": the figures are those of another server; of a table the heading is compared",
	"meanwhile": "a command that stands for what happens elsewhere while a reader is here",
	"exit":      "the exit status of the last command, where it is not 0",
	"rules":     "\"new\": the configuration has no other rules than these",
	"folder":    "\"new\": the commands are for an empty folder",
}

// reasons are why a block is not run. Its calls of hookgate are held against the
// tree of commands all the same.
var reasons = map[string]string{
	"root":            "it changes the machine: packages, users, services",
	"containers":      "it wants an engine for containers, or a cluster",
	"postgresql":      "it wants a PostgreSQL server, or replicas on one",
	"tests":           "it runs all the tests, and this is one of them",
	"another program": "it is a file of another program",
	"part of a file":  "it is a line for a file that another block has, or a shell",
}

// languages are what a block can be in. The others are run.
var languages = []string{"sh", "console", "yaml", "text", "ini", "caddyfile", "sql", "html", "js", "json"}

// block is a fenced block of a page, without the indentation of its fence.
type block struct {
	page  string
	line  int // of its fence
	lang  string
	lines []string
	notes map[string]string
}

func (b *block) String() string { return fmt.Sprintf("%s:%d", b.page, b.line) }

func (b *block) text() string { return strings.Join(b.lines, "\n") + "\n" }

var (
	fence   = regexp.MustCompile("^( *)```(.*)$")
	comment = regexp.MustCompile(`^ *<!-- ([a-z ]+): (.*) -->$`)
	prompt  = regexp.MustCompile(`(?m)^(\$ |(\S*/)?hookgate )`)
)

// blocks are those of a page's text, in their order.
func blocks(page, text string) ([]*block, error) {
	var found []*block
	var open *block
	var indent string
	pending := map[string]string{}
	for i, line := range strings.Split(text, "\n") {
		m := fence.FindStringSubmatch(line)
		switch {
		case open != nil && m != nil:
			if err := open.check(); err != nil {
				return nil, err
			}
			found, open = append(found, open), nil
		case open != nil:
			open.lines = append(open.lines, strings.TrimPrefix(line, indent))
		case m != nil:
			indent, open = m[1], &block{page: page, line: i + 1, lang: m[2], notes: pending}
			pending = map[string]string{}
		case comment.MatchString(line):
			m := comment.FindStringSubmatch(line)
			pending[m[1]] = m[2]
		case strings.TrimSpace(line) != "" && len(pending) > 0:
			pending = map[string]string{} // a comment about something else
		}
	}
	return found, nil
}

// check refuses what this package would not understand, so that no block is left
// out by a slip of the pen.
func (b *block) check() error {
	if !slices.Contains(languages, b.lang) {
		return fmt.Errorf("%s: the fence says no language of %q, but %q", b, languages, b.lang)
	}
	for name := range b.notes {
		if notes[name] == "" {
			return fmt.Errorf("%s: there is no note %q", b, name)
		}
	}
	if why, found := b.notes["not run"]; found && reasons[why] == "" {
		return fmt.Errorf("%s: %q is no reason for not being run", b, why)
	}
	if b.lang == "text" && prompt.MatchString(b.text()) {
		return fmt.Errorf("%s: there is a command in a block that says it is text", b)
	}
	return nil
}

// pages are the paths, below the repository's folder, of what is read.
func pages(t *testing.T) []string {
	t.Helper()
	root, err := lab.Root()
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, pattern := range []string{"README*.md", "CONTRIBUTING.md", "docs/*.md", "docs/de/*.md"} {
		some, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil || len(some) == 0 {
			t.Fatalf("%s: %v", pattern, err)
		}
		for _, path := range some {
			all = append(all, strings.TrimPrefix(path, root+"/"))
		}
	}
	return all
}

func readFile(t *testing.T, page string) string {
	t.Helper()
	root, err := lab.Root()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(root, page))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// A block that says nothing of what it is, or something that is not understood,
// is a fault: it would not be run.
func TestBlocks_faults(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"```\nhookgate check\n```":                              "no language",
		"```bash\nhookgate check\n```":                          "no language",
		"```text\n$ hookgate check\n```":                        "a command in a block",
		"<!-- not run: no time -->\n```sh\nhookgate check\n```": "no reason",
		"<!-- never: root -->\n\n```sh\nhookgate check\n```":    "no note",
	} {
		if _, err := blocks("page.md", text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	got, err := blocks("page.md", "a\n\n  <!-- not run: root -->\n  ```sh\n  hookgate check\n    x\n  ```\n")
	if err != nil || len(got) != 1 || got[0].text() != "hookgate check\n  x\n" || got[0].notes["not run"] != "root" || got[0].line != 4 {
		t.Errorf("%+v, %v", got, err)
	}
}
