package source_test

import (
	"os"
	"strings"
	"testing"

	"hookgate/app/ingest/source"
	"hookgate/internal/yamlnode"
	"hookgate/rules/lang"
)

// The users' page must name every scheme and every type.
func TestDocs(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../../docs/sources.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range source.Schemes() {
		if !strings.Contains(string(page), "`"+name+"`") {
			t.Errorf("docs/sources.md does not name the scheme %s", name)
		}
	}
	for _, name := range source.Handshakes() {
		if !strings.Contains(string(page), "| `"+name+"`") {
			t.Errorf("docs/sources.md does not name the challenge %s", name)
		}
	}
	for _, kind := range source.Kinds() {
		if !strings.Contains(string(page), "`type: "+kind.Name+"`") {
			t.Errorf("docs/sources.md does not name the type %s", kind.Name)
		}
	}
}

// The examples of the users' page compile.
func TestDocsExamples(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../../docs/sources.md")
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	for i, block := range strings.Split(string(page), "```yaml\n") {
		text, _, found := strings.Cut(block, "\n```")
		if i == 0 || !found || !strings.HasPrefix(text, "sources:\n") {
			continue
		}
		for _, name := range []string{"TOKEN", "SECRET", "PASSWORD", "OLD_SECRET", "NEW_SECRET"} {
			text = strings.ReplaceAll(text, "${"+name+"}", "c2VjcmV0LXNlY3JldC1zZWNyZXQ")
		}
		n, list := yamlnode.Parse("docs/sources.md", []byte(text))
		for _, f := range n.Get("sources").Fields() {
			_, faults := source.Compile(f.Key, f.Value, lang.NewCompiler())
			list = append(list, faults...)
			count++
		}
		if len(list) > 0 {
			t.Errorf("%v\n%s", list, text)
		}
	}
	if count < 8 {
		t.Errorf("only %d examples were found", count)
	}
}
