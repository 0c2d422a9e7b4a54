package ui

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"hookgate/app/admin"
)

// inTemplates finds the texts of templates: {{.T "…"}}, {{$.T "…"}}, {{$v.T "…"}}, and so on.
var inTemplates = regexp.MustCompile(`\.(?:T|Count|Tell) ("(?:[^"\\]|\\.)*")`)

// usedTexts are the texts that the pages show, from templates and code.
func usedTexts(t *testing.T) map[string]bool {
	t.Helper()
	used := map[string]bool{}
	err := fs.WalkDir(templateFiles, "templates", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := fs.ReadFile(templateFiles, path)
		if err != nil {
			return err
		}
		for _, m := range inTemplates.FindAllSubmatch(content, -1) {
			text, err := strconv.Unquote(string(m[1]))
			if err != nil {
				t.Errorf("%s: %s: %v", path, m[1], err)
			}
			used[text] = true
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if strings.HasSuffix(entry.Name(), ".go") && !strings.HasSuffix(entry.Name(), "_test.go") {
			textsOfCode(t, entry.Name(), used)
		}
	}
	for _, m := range eventMarks {
		used[m.Word] = true
	}
	for _, m := range deliveryMarks {
		used[m.Word] = true
	}
	for _, m := range connectionMarks {
		used[m.Word] = true
	}
	for _, m := range retryMarks {
		used[m.Word] = true
	}
	for _, kind := range []admin.CauseKind{admin.RetryAgain, admin.RetryNever, admin.MendRule} {
		word, why := kind.Advice()
		used[word], used[why] = true, true
	}
	for _, text := range []string{noSuchDelivery, noSuchEvent, noSuchTime, noSuchPage, noSuchDigest, noSuchReplay, noSuchSelection, noSuchPost, noSuchForm} {
		used[text] = true
	}
	for many, one := range ofOne {
		if !used[many] {
			t.Errorf("no page has this text any more: %q", many)
		}
		used[one] = true
	}
	for _, v := range usualViews {
		used[v.Name] = true
	}
	return used
}

// translated are the functions that take a text of the pages, with its place
// among their arguments.
var translated = map[string]int{"T": 0, "Count": 0, "Tell": 0, "tell": 0, "text": 0, "add": 0, "render": 2, "refusal": 2, "refuse": 2, "notFound": 1, "bulk": 2, "endDigest": 2}

func textsOfCode(t *testing.T, name string, used map[string]bool) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		called := ""
		switch f := call.Fun.(type) {
		case *ast.SelectorExpr:
			called = f.Sel.Name
		case *ast.Ident:
			called = f.Name
		}
		at, ok := translated[called]
		if !ok || at >= len(call.Args) {
			return true
		}
		if lit, ok := call.Args[at].(*ast.BasicLit); ok && lit.Kind == token.STRING {
			text, err := strconv.Unquote(lit.Value)
			if err != nil {
				t.Error(err)
			}
			if text != "hookgate" {
				used[text] = true
			}
		}
		return true
	})
}

// Every text of the pages is there in German, with the same places for values,
// and no translation is left of a text that is gone.
func TestGerman(t *testing.T) {
	used := usedTexts(t)
	if len(used) < 100 {
		t.Fatalf("only %d texts were found: the test looks in the wrong places", len(used))
	}
	verbs := regexp.MustCompile(`%[a-z]`)
	for text := range used {
		own, ok := germanTexts[text]
		if !ok {
			t.Errorf("not there in German: %q", text)
			continue
		}
		if got, want := strings.Join(verbs.FindAllString(own, -1), ""), strings.Join(verbs.FindAllString(text, -1), ""); got != want {
			t.Errorf("%q has the places %s, and in German %s", text, want, got)
		}
	}
	for text := range germanTexts {
		if !used[text] {
			t.Errorf("no page has this text any more: %q", text)
		}
	}
}

// Every page can be made: they are when somebody asks for one.
func TestPages(t *testing.T) {
	t.Parallel()
	assets, err := readAssets(staticFiles)
	if err != nil {
		t.Fatal(err)
	}
	pages, err := readPages(templateFiles, assets)
	if err != nil || len(pages) < 20 {
		t.Fatal(len(pages), err)
	}
	for name, made := range pages {
		if page, err := made(); err != nil || page.Lookup("layout") == nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Without scripts a time is of today by the server's zone: its minute, and else its day.
func TestView_Time_when(t *testing.T) {
	t.Parallel()
	zone := time.FixedZone("east", 9*3600)
	v := &view{Lang: german, Now: time.Date(2026, 3, 9, 16, 0, 0, 0, time.UTC), location: zone} // the 10th there
	for at, want := range map[time.Time]string{
		time.Date(2026, 3, 9, 15, 5, 0, 0, time.UTC):  `data-as="when">00:05</time>`,
		time.Date(2026, 3, 9, 14, 59, 0, 0, time.UTC): `data-as="when">9. März</time>`,
		time.Date(2025, 3, 10, 5, 0, 0, 0, time.UTC):  `data-as="when">10. März</time>`,
	} {
		if got := string(v.Time(at, "when")); !strings.HasSuffix(got, want) {
			t.Errorf("%s: got %s, want %s", at, got, want)
		}
	}
}
