package config_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"hookgate/app/config"
	"hookgate/app/ruletest"
	"hookgate/internal/yamlnode"
	"hookgate/rules"
	"hookgate/rules/lang"
)

func readDocs(t *testing.T) string {
	t.Helper()
	docs, err := os.ReadFile("../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(docs)
}

// Every key that is decoded is explained, and every code that any part of the
// configuration can be refused with.
func TestDocs_complete(t *testing.T) {
	t.Parallel()
	docs := readDocs(t)
	for _, part := range []any{
		config.Server{}, config.Storage{}, config.Retention{}, config.Outbound{}, config.Connection{}, rules.Rule{}, rules.Action{},
	} {
		for _, f := range reflect.VisibleFields(reflect.TypeOf(part)) {
			key, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
			if key != "" && !strings.Contains(docs, "| `"+key+"` |") {
				t.Errorf("%T: %q is not in a table", part, key)
			}
		}
	}
	for _, f := range config.DescribeCalendar().Fields {
		if !strings.Contains(docs, "| `"+f.Name+"` |") {
			t.Errorf("%q of a calendar is not in a table", f.Name)
		}
	}
	test := ruletest.Describe()
	for _, spec := range []yamlnode.Spec{test, *test.Field("event")} {
		for _, f := range spec.Fields {
			if !strings.Contains(docs, "| `"+f.Name+"` |") {
				t.Errorf("%q of a test is not in a table", f.Name)
			}
		}
	}
	code := regexp.MustCompile(`(?:Diag|DiagAt|Warn|warn|warnUnused|ignoreFault|fail|wrong|newFault)\([^"\n]*"([a-z]+(?:-[a-z]+)+|conflict|unverified)"|(?:Code:|\bconst Code\w+ =) +"([a-z-]+)"`)
	found := 0
	for _, room := range []string{"app", "connectors", "forms", "internal", "rules"} {
		err := filepath.WalkDir(filepath.Join("../..", room), func(file string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") {
				return err
			}
			text, err := os.ReadFile(file)
			for _, m := range code.FindAllStringSubmatch(string(text), -1) {
				found++
				if name := m[1] + m[2]; !strings.Contains(docs, "`"+name+"`") {
					t.Errorf("%s: the code %q is not explained", file, name)
				}
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if found < 60 {
		t.Errorf("only %d codes found: has their form changed?", found)
	}
}

// The defaults and the bounds that the page tells are those of the fields' tags.
func TestDocs_values(t *testing.T) {
	t.Parallel()
	docs := readDocs(t)
	for section, spec := range map[string]yamlnode.Spec{
		"server": yamlnode.Describe[config.Server](), "storage": yamlnode.Describe[config.Storage](),
		"retention": yamlnode.Describe[config.Retention](), "connections": yamlnode.Describe[config.Connection](),
	} {
		_, text, found := strings.Cut(docs, "\n### "+section+"\n")
		if !found {
			t.Fatalf("the page has no section %q", section)
		}
		text, _, _ = strings.Cut(text, "\n### ")
		checkValues(t, text, "", spec.Fields)
	}
}

// checkValues looks for what fields may be in the text of their section: those of the
// section have their own rows, those within them too or are explained in that of row.
func checkValues(t *testing.T, text, row string, fields []yamlnode.Spec) {
	t.Helper()
	for _, f := range fields {
		key := f.Name
		if row != "" && !strings.Contains(text, "| `"+key+"` |") {
			key = row
		}
		if f.Type == yamlnode.ObjectType {
			checkValues(t, text, key, f.Fields)
			continue
		}
		_, explained, _ := strings.Cut(text, "| `"+key+"` |")
		explained, _, _ = strings.Cut(explained, "\n")
		if explained == "" || f.Default != "" && !strings.Contains(explained, f.Default+"`") {
			t.Errorf("%s: the default %s is not told: %s", f.Name, f.Default, explained)
		}
		within := f.Within
		if f.Item != nil {
			within = f.Item.Within
		}
		for _, bound := range []string{within.Min, within.Max} {
			if !regexp.MustCompile(`\b` + bound + `\b`).MatchString(text) {
				t.Errorf("%s: the bound %s is not told", f.Name, bound)
			}
		}
	}
}

// The codes that the page calls warnings or advice are those that a comment can
// silence.
func TestDocs_silenceable(t *testing.T) {
	t.Parallel()
	_, errors, _ := strings.Cut(readDocs(t), "## Errors")
	code := regexp.MustCompile("`([a-z-]+)`")
	var explained []string
	for line := range strings.SplitSeq(errors, "\n") {
		names, meaning, found := strings.Cut(strings.TrimPrefix(line, "| "), " | ")
		if !found || !strings.HasPrefix(meaning, "warning:") && !strings.HasPrefix(meaning, "advice:") {
			continue
		}
		for _, m := range code.FindAllStringSubmatch(names, -1) {
			if m[1] != "unused-ignore" && m[1] != "bad-ignore" { // about these comments themselves
				explained = append(explained, m[1])
			}
		}
	}
	slices.Sort(explained)
	if diff := gocmp.Diff(slices.Sorted(slices.Values(config.Silenceable())), explained); diff != "" {
		t.Errorf("config.Silenceable has (-), docs/configuration.md explains as a warning (+):\n%s", diff)
	}
}

// The errors that the page shows are those that are printed.
func TestDocs_errors(t *testing.T) {
	t.Parallel()
	golden, err := os.ReadFile("testdata/language/language.golden")
	if err != nil {
		t.Fatal(err)
	}
	_, block, _ := strings.Cut(readDocs(t), "```text\nerror[")
	block, _, _ = strings.Cut("error["+block, "```")
	shown := 0
	for part := range strings.SplitSeq(strings.TrimSpace(block), "\nerror[") {
		shown++
		if !strings.Contains(string(golden), part) {
			t.Errorf("not printed like this:\n%s", part)
		}
	}
	if shown != 2 {
		t.Errorf("found %d errors on the page", shown)
	}
}

// The expressions that the page shows compile.
func TestDocs_expressions(t *testing.T) {
	t.Parallel()
	_, block, _ := strings.Cut(readDocs(t), "```text\ndata.website.status ==")
	block, _, _ = strings.Cut("data.website.status =="+block, "\n```")
	lines := strings.Split(block, "\n")
	if len(lines) < 8 {
		t.Fatalf("found %q", lines)
	}
	for _, line := range lines {
		code, _, _ := strings.Cut(line, "   ")
		if _, list := lang.NewCompiler().Predicate(yamlnode.Plain(code)); len(list) > 0 {
			t.Errorf("%s: %v", code, list)
		}
	}
}
