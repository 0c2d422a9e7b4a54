package config

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"hookgate/internal/diag"
	"hookgate/internal/yamlnode"
)

// maxIncluded is how many files a configuration can include: each is read, and
// watched, whole.
const maxIncluded = 1000

// sourceFile is one of the YAML files that a configuration is made of.
type sourceFile struct {
	path    string // from where the process runs
	content []byte
	root    yamlnode.Node
}

// mainOnly are the sections that an included file cannot have: there is one
// server, and one place that tells which files there are.
var mainOnly = []string{"server", "storage", "retention", "outbound", "include"}

// readSource parses one file. The root of what is no mapping is no Map, and the
// list says why.
func readSource(path string, content []byte, report *Report) (sourceFile, diag.List) {
	f := sourceFile{path: path, content: bytes.TrimPrefix(content, []byte("\uFEFF"))}
	report.Files[path] = f.content
	if !utf8.Valid(f.content) {
		return f, diag.List{notUTF8(path, f.content)}
	}
	var list diag.List
	f.root, list = yamlnode.Parse(path, f.content)
	if f.root.Kind() != yamlnode.Map {
		if read, faults, broken := parseParts(path, f.content); read.Kind() == yamlnode.Map {
			f.root, list = read, explain(read, faults, f.content)
			report.unsaid = append(report.unsaid, consequences(broken)...)
		}
	}
	report.roots = append(report.roots, f.root)
	return f, list
}

// included reads the files that main names: those of each pattern by their
// names, one that several patterns match where the first has it.
func included(main sourceFile, report *Report) ([]sourceFile, diag.List) {
	var s struct {
		Include []yamlnode.Text `yaml:"include,single"`
	}
	_ = main.root.Decode("the file", &s) // what is wrong with it is said where all sections are decoded
	var paths []string
	var list diag.List
	for _, text := range s.Include {
		if text.IsZero() || len(references(text.Value)) > 0 {
			continue
		}
		p := includePattern{text: text, main: main.path, glob: globOf(main.path, text.Value)}
		report.Parts.Patterns = append(report.Parts.Patterns, p.glob)
		found, faults := p.match()
		list = append(list, faults...)
		for _, path := range found {
			if !slices.Contains(paths, path) {
				paths = append(paths, path)
			}
		}
	}
	if len(paths) > maxIncluded {
		list = append(list, main.root.Get("include").Diag("bad-value", "", `"include" names %d files, and %d is the most`, len(paths), maxIncluded))
		paths = paths[:maxIncluded]
	}
	unread := list.Err() != nil
	var files []sourceFile
	for _, path := range paths {
		f, faults := includedFile(path, report)
		list = append(list, faults...)
		if f.root.Kind() == yamlnode.Map {
			files = append(files, f)
		} else {
			unread = unread || faults.Err() != nil
		}
	}
	if unread { // what is not found may stand there
		report.unsaid = append(report.unsaid, consequences([]string{"sources", "forms", "connections", "calendars", "recipes", "tables", "rules"})...)
	}
	return files, list
}

// globOf is the pattern from where the process runs: a relative one starts at
// the folder of the file that it stands in.
func globOf(file, path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(literally(filepath.Dir(file)), path)
}

// literally is a path as a pattern that nothing but it matches.
func literally(path string) string {
	if filepath.Separator == '\\' { // where a pattern can have no escapes
		return path
	}
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}

// includePattern is one entry of the section include.
type includePattern struct {
	text yamlnode.Text
	main string // the file that it stands in
	glob string // the pattern, from where the process runs
}

// match finds the files. Links are followed, hidden files and folders are left
// out, and so is the file that includes where a pattern happens to match it.
func (p includePattern) match() ([]string, diag.List) {
	fault := func(code, hint, format string, args ...any) ([]string, diag.List) {
		return nil, diag.List{p.text.Diag(code, hint, format, args...)}
	}
	found, err := filepath.Glob(p.glob)
	switch {
	case p.text.Value == "":
		return fault("empty-value", "such as clients/*.yaml", `"include" names no file`)
	case err != nil:
		return fault("bad-value", "such as clients/*.yaml", "%q is no pattern of files", p.text.Value)
	case strings.Contains(p.text.Value, "**"):
		return fault("bad-value", "write a pattern for each depth: clients/*.yaml, clients/*/*.yaml", "** is not understood, * matches the names in one folder")
	}
	var files []string
	for _, path := range found {
		info, err := os.Stat(path)
		switch {
		case !hasPattern(p.text.Value):
			if err == nil && info.IsDir() {
				return fault("bad-file", "write "+strings.TrimRight(p.text.Value, "/")+"/*.yaml", "%q is a folder", p.text.Value)
			}
			if p.isMain(path) {
				return fault("bad-file", "take it out", "the file includes itself")
			}
		case hidden(path, p.glob), err == nil && info.IsDir(), p.isMain(path):
			continue
		}
		files = append(files, path)
	}
	slices.Sort(files)
	if len(files) == 0 {
		return nil, diag.List{p.nothing()}
	}
	return files, nil
}

// nothing says that there is no such file. That a folder has none yet is what
// whoever begins with a folder wants to see work; that there is no such folder,
// or file, is not what anybody means.
func (p includePattern) nothing() diag.Diagnostic {
	if !hasPattern(p.text.Value) {
		return p.text.Diag("no-file", "a relative path starts at the folder of the file that includes", "there is no file %q", p.text.Value)
	}
	folder := filepath.Dir(p.text.Value)
	if hasPattern(folder) {
		return p.text.Diag("empty-include", "it is read when it is there", "no file matches %q", p.text.Value).Weigh(diag.Warning)
	}
	if _, err := os.ReadDir(unescaped(filepath.Dir(p.glob))); err != nil {
		return p.text.Diag("no-file", "make the folder, or correct the path; a relative one starts at the folder of the file that includes",
			"the folder %q cannot be read: %s", folder, reason(err))
	}
	return p.text.Diag("empty-include", "the first file is read as soon as it is there", "no file matches %q", p.text.Value).Weigh(diag.Warning)
}

func (p includePattern) isMain(path string) bool {
	a, err := os.Stat(path)
	b, other := os.Stat(p.main)
	return err == nil && other == nil && os.SameFile(a, b)
}

// hasPattern reports whether a path has signs that stand for others.
func hasPattern(path string) bool { return strings.ContainsAny(path, "*?[") }

// unescaped takes back what literally does.
func unescaped(glob string) string {
	if filepath.Separator == '\\' {
		return glob
	}
	return strings.NewReplacer(`\\`, `\`, `\*`, `*`, `\?`, `?`, `\[`, `[`).Replace(glob)
}

// hidden reports whether the name begins with a dot and the pattern's does not:
// editors keep their own files so beside the one that is edited.
func hidden(path, glob string) bool {
	return strings.HasPrefix(filepath.Base(path), ".") && !strings.HasPrefix(filepath.Base(glob), ".")
}

// includedFile reads one file, without the sections that it cannot have. One
// that says nothing yet is none.
func includedFile(path string, report *Report) (sourceFile, diag.List) {
	report.Parts.Files = append(report.Parts.Files, path)
	content, err := readFile(path)
	if err != nil {
		return sourceFile{}, diag.List{{
			Severity: diag.Error, Code: "no-file", Position: diag.Position{File: path}, Message: "the included file can't be read: " + reason(err),
		}}
	}
	f, list := readSource(path, content, report)
	if f.root.Kind() != yamlnode.Map {
		if isBlank(f.content) {
			return sourceFile{}, nil
		}
		if list.Err() == nil {
			list = diag.List{f.root.Diag("bad-file", "begin it with a section: rules:", "an included file must be a mapping of sources, connections, rules and the like")}
		}
		return sourceFile{}, ExplainSyntax(list, f.content)
	}
	drop := []string{"version"}
	if version := f.root.Get("version"); !version.IsZero() {
		list = append(list, checkVersion(version)...)
	}
	for _, field := range f.root.Fields() {
		name := field.Key.Value
		switch {
		case name == "include":
			list = append(list, field.Key.Diag("not-here", "name all files in the one that is loaded", "an included file includes no others"))
		case slices.Contains(mainOnly, name):
			list = append(list, field.Key.Diag("not-here", "move it into the file that includes", "%q cannot stand in an included file", name))
		case field.Value.Kind() == yamlnode.Scalar || field.Value.Kind() != yamlnode.Null && slices.Contains(listSections, name) != (field.Value.Kind() == yamlnode.List):
			if slices.Contains(sectionNames(), name) && name != "version" {
				list = append(list, wrongShape(field))
				drop = append(drop, name)
			}
			continue
		default:
			continue
		}
		drop = append(drop, name)
	}
	f.root = f.root.Without(drop...)
	return f, list
}

// listSections are the sections that are lists; the others are mappings.
var listSections = []string{"recipes", "rules", "tests"}

func wrongShape(field yamlnode.Field) diag.Diagnostic {
	if slices.Contains(listSections, field.Key.Value) {
		return field.Value.Diag("wrong-type", "begin each entry with a -", "%q must be a list", field.Key.Value)
	}
	return field.Value.Diag("wrong-type", "write one name a line, and its keys below it", "%q must be a mapping of names", field.Key.Value)
}
