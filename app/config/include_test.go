package config_test

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hookgate/app/config"
	"hookgate/internal/diag"
)

// MustWriteTree writes files into a new folder, with the folders that they are
// in, and returns it. A name that ends in / is a folder.
func MustWriteTree(t *testing.T, files map[string]string) string {
	t.Helper()
	folder := t.TempDir()
	for name, content := range files {
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(name, "/") {
			if err := os.MkdirAll(path, 0o700); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

func client(name string) string {
	return "sources: { " + name + ": { type: webhook, token: \"${TOKEN}\" } }\nconnections: { to-" + name + ": { type: log } }\nrules:\n  - name: " + name + "-all\n    from: " + name + "\n    then: [{ to: log, text: '${{ data.x }}' }]\n"
}

// Each file brings its part, its relative paths start at its own folder, and the
// order is that of the patterns and of the names.
func TestLoad_include(t *testing.T) {
	t.Parallel()
	folder := MustWriteTree(t, map[string]string{
		"config.yaml":           "version: 1\ninclude: [clients/z*.yaml, clients/*.yaml, 'more/*/hooks.yaml']\nconnections: { log: { type: log } }\nrules: [{ name: first, from: zoo, then: [] }]\n",
		"clients/bar.yaml":      "\uFEFF" + client("bar") + "recipes: [own/mine.yaml]\ntables: { t: { key: k, file: t.csv } }\ncalendars: { c: { holidays: days.txt } }\ntests: [{ name: bar }]\n",
		"clients/own/mine.yaml": "# a recipe without text, which is told\n",
		"clients/t.csv":         "k,v\n1,2\n",
		"clients/days.txt":      "12-25\n",
		"clients/zoo.yaml":      client("zoo"),
		"clients/.draft.yaml":   "no: [yaml",
		"clients/empty.yaml":    "# to come\n",
		"clients/sub.yaml/":     "",
		"more/deep/hooks.yaml":  "version: 1\n" + client("deep"),
		".env":                  "TOKEN=0123456789abcdefghijkl\n",
	})
	doc, report := config.Load(filepath.Join(folder, "config.yaml"), lookup(nil))
	if codes(report.List) != "bad-file" || report.EnvSet != 1 { // the recipe alone
		t.Fatal(report.List)
	}
	var got []string
	for _, e := range doc.Sources {
		got = append(got, e.Name.Value+" "+doc.Name(e.Name.Pos().File))
	}
	for i := range doc.Rules {
		got = append(got, doc.Rules[i].Name.Value+" "+doc.Name(doc.Rules[i].Name.Pos().String()))
	}
	for _, part := range doc.RuleText {
		got = append(got, doc.Name(part.File))
	}
	if diff := cmp.Diff([]string{
		"zoo clients/zoo.yaml", "bar clients/bar.yaml", "deep more/deep/hooks.yaml",
		"first config.yaml:4:17", "zoo-all clients/zoo.yaml:4:11", "bar-all clients/bar.yaml:4:11", "deep-all more/deep/hooks.yaml:5:11",
		"config.yaml", "clients/zoo.yaml", "clients/bar.yaml", "more/deep/hooks.yaml",
	}, got); diff != "" {
		t.Error(diff)
	}
	if len(doc.Tests.Items()) != 1 || doc.Tables[0].Fixed == nil || doc.Calendars[0].Calendar == nil {
		t.Errorf("got the tests %v, the table %v, the calendar %v", doc.Tests.Items(), doc.Tables, doc.Calendars)
	}
	again, list := doc.RuleText.Rules()
	if list.Err() != nil || len(again) != 4 || again[2].Name.Pos() != doc.Rules[2].Name.Pos() {
		t.Errorf("got the rules %v again, %v", again, list)
	}
}

// The hash names all files: what they hold, and what they are called.
func TestLoad_includeHash(t *testing.T) {
	t.Parallel()
	hash := func(files map[string]string) string {
		files["config.yaml"] = "version: 1\ninclude: '*/*.yaml'\n"
		doc, report := config.Load(filepath.Join(MustWriteTree(t, files), "config.yaml"), lookup(nil))
		if report.Err() != nil {
			t.Fatal(report.List)
		}
		return doc.Hash
	}
	one := hash(map[string]string{"a/x.yaml": "rules: []\n"})
	if same := hash(map[string]string{"a/x.yaml": "rules: []\n"}); same != one {
		t.Errorf("the same has %s and %s", one, same)
	}
	for name, files := range map[string]map[string]string{
		"another text": {"a/x.yaml": "rules: []\n#\n"}, "another name": {"b/x.yaml": "rules: []\n"}, "one more": {"a/x.yaml": "rules: []\n", "a/y.yaml": ""}, "none": {"a/": ""},
	} {
		if name != "one more" && hash(files) == one { // a file that says nothing changes nothing
			t.Errorf("%s has the same hash", name)
		}
	}
}

func TestLoad_includeFaults(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		main  string // behind version: 1
		files map[string]string
		want  []string
	}{
		"a name twice": {
			"include: 'c/*.yaml'\nsources:\n  a: { type: webhook }\n",
			map[string]string{"c/b.yaml": "sources:\n  a: { type: webhook }\nforms: { b: {} }\nconnections: { x: { type: log } }\n", "c/c.yaml": "sources: { b: {} }\nconnections: { x: { type: log } }\ncalendars: { k: {} }\ntables: { k: { keep: 9d } }\n", "c/d.yaml": "calendars: { k: {} }\ntables: { k: { keep: 9d } }\n"},
			[]string{
				`c/b.yaml:2:3: "a" is the name of a source already, in line 4 of config.yaml`,
				`c/b.yaml:3:10: "b" is the name of a source already, in line 1 of c/c.yaml`,
				`c/c.yaml:2:16: "x" is the name of a connection already, in line 4 of c/b.yaml`,
				`c/d.yaml:1:14: "k" is the name of a calendar already, in line 3 of c/c.yaml`,
				`c/d.yaml:2:11: "k" is the name of a table already, in line 4 of c/c.yaml`,
			},
		},
		"what cannot stand there": {
			"include: [a.yaml]\n",
			map[string]string{"a.yaml": "version: 2\nserver: { listen: ':1' }\ninclude: [b.yaml]\nsources: [x]\nrules: { a: b }\ntests: 5\nrulez: []\n"},
			[]string{
				"a.yaml:1:10: this hookgate reads version 1 of the language only", `a.yaml:2:1: "server" cannot stand in an included file`, "a.yaml:3:1: an included file includes no others",
				`a.yaml:4:1: "sources" must be a mapping of names`, `a.yaml:5:1: "rules" must be a list`, `a.yaml:6:8: "tests" must be a list`, `a.yaml:7:1: the file has no key "rulez"`,
			},
		},
		"files that are not there": {
			"include: [no.yaml, none/*.yaml, c, 'c/[', 'c/**/x.yaml', config.yaml, '', 'c/*.yaml', 'x*/*.yaml']\n",
			map[string]string{"c/": ""},
			[]string{
				`config.yaml:2:11: there is no file "no.yaml"`, `config.yaml:2:20: the folder "none" cannot be read: no such file or directory`, `config.yaml:2:33: "c" is a folder`,
				`config.yaml:2:36: "c/[" is no pattern of files`, "config.yaml:2:43: ** is not understood, * matches the names in one folder", "config.yaml:2:58: the file includes itself",
				`config.yaml:2:71: "include" names no file`, `config.yaml:2:75: no file matches "c/*.yaml"`, `config.yaml:2:87: no file matches "x*/*.yaml"`,
			},
		},
		"what cannot be read": {
			"include: ['c/*.yaml']\nrules: [{ name: r, from: lost, then: [] }]\n",
			map[string]string{"c/a.yaml": "- a\n", "c/b.yaml": "sources: [\n", "c/c.yaml": "a\xff: 1\n", "c/d.yaml": "rules:\n\t- x\nsources: { s: { token: '${NONE}' } }\n"},
			[]string{
				"c/a.yaml:1:1: an included file must be a mapping of sources, connections, rules and the like", "c/b.yaml:2:1: did not find expected node content",
				"c/c.yaml:1:2: the file is not UTF-8 text", "c/d.yaml:2:1: this line is indented with a tab", "c/d.yaml:3:25: NONE is not set",
			},
		},
		"no list": {"include: { a: b }\n", nil, []string{`config.yaml:2:1: "include" must be a text, not a mapping`}},
		"a value": {"include: ['${DIR}/*.yaml']\n", nil, []string{
			"config.yaml:2:12: environment values can't be used in include, only in server, storage, sources, forms, connections",
		}},
	} {
		files := map[string]string{"config.yaml": "version: 1\n" + c.main}
		maps.Copy(files, c.files)
		folder := MustWriteTree(t, files)
		_, report := config.Load(filepath.Join(folder, "config.yaml"), lookup(nil))
		var got []string
		for _, d := range report.List {
			got = append(got, strings.ReplaceAll(d.String()+": "+d.Message, folder+"/", ""))
			if d.Code != "empty-include" && d.Severity != diag.Error {
				t.Errorf("%s: %s is %s", name, d.Code, d.Severity)
			}
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// A comment silences a warning of its own file alone.
func TestLoad_includeIgnore(t *testing.T) {
	t.Parallel()
	folder := MustWriteTree(t, map[string]string{
		"config.yaml": "version: 1\ninclude: [c/*.yaml] # hookgate:ignore empty-include\n", "c/": "",
	})
	_, report := config.Load(filepath.Join(folder, "config.yaml"), lookup(nil))
	if report.Silence(); len(report.List) != 0 {
		t.Error(report.List)
	}
	folder = MustWriteTree(t, map[string]string{
		"config.yaml": "version: 1\ninclude: [c/*.yaml]\nsources: { b: {} }\n", "c/a.yaml": "\nsources: { a: {} } # hookgate:ignore unverified\n",
	})
	_, report = config.Load(filepath.Join(folder, "config.yaml"), lookup(nil))
	if report.Silence(); codes(report.List) != "unused-ignore" || !strings.HasSuffix(report.List[0].String(), "c/a.yaml:2:38") {
		t.Error(report.List)
	}
}

// What came, went or changed is told apart from what lies beside it.
func TestParts(t *testing.T) {
	t.Parallel()
	folder := MustWriteTree(t, map[string]string{
		"config.yaml": "version: 1\ninclude: [clients/*.yaml, 'deep/*/hooks.yaml']\n", "clients/a.yaml": "tables: { t: { key: a, file: data/t.csv } }\n", "clients/data/t.csv": "a\n1\n", "deep/x/": "", "other/": "",
	})
	_, report := config.Load(filepath.Join(folder, "config.yaml"), lookup(nil))
	for path, want := range map[string]bool{
		"clients/a.yaml": true, "clients/new.yaml": true, "clients/.new.yaml": false, "clients/a.yaml~": false, "clients": true, "clients/data/t.csv": true, "clients/data/u.csv": false,
		"deep/x/hooks.yaml": true, "deep/y/hooks.yaml": true, "deep/y": true, "deep": true, "other": false, "deep/y/z": false,
	} {
		if got := report.Parts.Concern(filepath.Join(folder, path)); got != want {
			t.Errorf("%s: %v", path, got)
		}
	}
	got := map[string]bool{}
	for _, f := range report.Parts.Folders() {
		near, _ := filepath.Rel(folder, f)
		got[near] = true
	}
	if diff := cmp.Diff(map[string]bool{".": true, "clients": true, "clients/data": true, "deep": true, "deep/x": true}, got); diff != "" {
		t.Error(diff)
	}
}

// A folder whose own name looks like a pattern is none.
func TestLoad_includeFolderLikePattern(t *testing.T) {
	t.Parallel()
	folder := MustWriteTree(t, map[string]string{"a[b]*/config.yaml": "version: 1\ninclude: [c/*.yaml]\n", "a[b]*/c/x.yaml": "sources: { s: {} }\n"})
	doc, report := config.Load(filepath.Join(folder, "a[b]*", "config.yaml"), lookup(nil))
	if report.Err() != nil || len(doc.Sources) != 1 || !report.Parts.Concern(filepath.Join(folder, "a[b]*", "c", "y.yaml")) {
		t.Errorf("got %v, %v", doc.Sources, report.List)
	}
}
