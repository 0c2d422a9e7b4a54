// Package docs holds what users read. Its tests keep the pages together: every
// link leads somewhere, and every page can be found from the index.
package docs_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#{1,6} +(.+?) *$`)
	fence   = regexp.MustCompile("(?ms)^ *```.*?^ *```")
	merged  = regexp.MustCompile(`(?m)^(<{7}|={7}|>{7})( .*)?$`)
	code    = regexp.MustCompile("`[^`\n]*`")
)

// A link in any page of the repository names a file that exists, and a heading
// of it that exists.
func TestLinks(t *testing.T) {
	t.Parallel()
	for path, text := range pages(t) {
		prose := code.ReplaceAllString(fence.ReplaceAllString(text, ""), "")
		for _, m := range link.FindAllStringSubmatch(prose, -1) {
			if strings.Contains(m[1], ":") {
				continue // Elsewhere in the world: a test talks to loopback only.
			}
			file, anchor, _ := strings.Cut(m[1], "#")
			target := path
			if file != "" {
				target = filepath.Join(filepath.Dir(path), file)
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s links to %s, which does not exist", path, m[1])
				continue
			}
			if anchor != "" && !anchors(t, target)[anchor] {
				t.Errorf("%s links to %s, and that page has no such heading", path, m[1])
			}
		}
	}
}

// No page holds what git writes into a file that it could not merge.
func TestMerged(t *testing.T) {
	t.Parallel()
	for path, text := range pages(t) {
		if at := merged.FindString(text); at != "" {
			t.Errorf("%s holds the line %s of a merge that was not ended", path, at)
		}
	}
}

// Every page is in the index, and every decision has a number of its own.
func TestIndex(t *testing.T) {
	t.Parallel()
	index, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	here, err := filepath.Glob("*.md")
	if err != nil {
		t.Fatal(err)
	}
	decisions, err := filepath.Glob("decisions/*.md")
	if err != nil {
		t.Fatal(err)
	}
	numbers := map[string]string{}
	for _, page := range decisions {
		number, _, _ := strings.Cut(filepath.Base(page), "-")
		if other, taken := numbers[number]; taken {
			t.Errorf("%s and %s have the same number", other, page)
		}
		numbers[number] = page
	}
	german, err := filepath.Glob("de/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range slices.Concat(here, decisions, german) {
		if page != "README.md" && !strings.Contains(string(index), "]("+page+")") {
			t.Errorf("docs/README.md does not link to %s", page)
		}
	}
}

// pages returns the text of each Markdown file of the repository.
func pages(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && path != ".." && strings.HasPrefix(d.Name(), ".") {
			return filepath.SkipDir
		}
		if filepath.Ext(path) != ".md" {
			return nil
		}
		text, err := os.ReadFile(path)
		found[path] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// anchors returns the names under which a page's headings can be linked to: in
// small letters, without punctuation, with hyphens for spaces.
func anchors(t *testing.T, path string) map[string]bool {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, m := range heading.FindAllStringSubmatch(fence.ReplaceAllString(string(text), ""), -1) {
		names[strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
				return unicode.ToLower(r)
			}
			return -1
		}, link.ReplaceAllString(m[1], "]"))] = true
	}
	return names
}
