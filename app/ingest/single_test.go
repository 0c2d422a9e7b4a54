package ingest_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// deciding are the calls that decide what becomes of a request, by the package
// that has to be imported for them: functions of that package, and methods of
// what it makes.
var deciding = map[string]struct{ functions, methods []string }{
	"hookgate/internal/body": {functions: []string{"Decode", "Fields", "ReadUpload"}},
	"hookgate/forms":         {methods: []string{"Submit", "Receive"}},
	"hookgate/rules":         {methods: []string{"Rules.Match", "Rules.Explain"}}, // of a plan or a set that has Rules
}

// TestDecide_isTheOnlyWay: no package but this one understands a body, has a
// form judge a post, or asks a set of rules. Whoever wants to know what becomes
// of an event asks Decide, or an ingest.RuleSet, so that no second answer can
// come about.
func TestDecide_isTheOnlyWay(t *testing.T) {
	t.Parallel()
	root := filepath.Join("..", "..")
	var found []string
	for _, top := range []string{"app", "connectors", "db"} {
		err := filepath.WalkDir(filepath.Join(root, top), func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			name, err := filepath.Rel(root, path)
			if err != nil || strings.HasPrefix(filepath.ToSlash(name), "app/ingest/") {
				return err
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			for _, call := range decidingCalls(file) {
				found = append(found, filepath.ToSlash(name)+": "+call)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, call := range found {
		t.Errorf("%s: ask ingest.Decide, which alone decides what becomes of a request", call)
	}
	// The test can fail: this is what it looks for.
	file, err := parser.ParseFile(token.NewFileSet(), "x.go", `package x
import (
	"hookgate/forms"
	b "hookgate/internal/body"
	"hookgate/rules"
)
func second(f *forms.Form, plan struct{ Rules *rules.Set }) { b.Decode(b.Input{}, b.Limits{}); f.Submit(nil); plan.Rules.Match(nil) }
`, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := decidingCalls(file), []string{"b.Decode", "f.Submit", "Rules.Match"}; !slices.Equal(got, want) {
		t.Errorf("found %v, want %v", got, want)
	}
}

// decidingCalls are the calls in a file that only package ingest may make.
func decidingCalls(file *ast.File) []string {
	functions, methods := map[string][]string{}, slices.Clone(deciding["hookgate/rules"].methods) // rules are reached without importing them, too
	for _, spec := range file.Imports {
		path, _ := strconv.Unquote(spec.Path.Value)
		calls, ok := deciding[path]
		if !ok {
			continue
		}
		name := path[strings.LastIndexByte(path, '/')+1:]
		if spec.Name != nil {
			name = spec.Name.Name
		}
		functions[name], methods = calls.functions, append(methods, calls.methods...)
	}
	var list []string
	ast.Inspect(file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		selector, ok := call.Fun.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		on := ""
		switch x := selector.X.(type) {
		case *ast.Ident:
			on = x.Name
		case *ast.SelectorExpr:
			on = x.Sel.Name
		}
		_, isPackage := functions[on]
		if isPackage && slices.Contains(functions[on], selector.Sel.Name) || !isPackage && (slices.Contains(methods, selector.Sel.Name) || slices.Contains(methods, on+"."+selector.Sel.Name)) {
			list = append(list, on+"."+selector.Sel.Name)
		}
		return true
	})
	return list
}
