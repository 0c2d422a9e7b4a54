package config

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"path/filepath"
	"slices"
	"unicode/utf8"

	"hookgate/internal/diag"
	"hookgate/internal/yamlnode"
)

// Load reads the file at path, and the .env file beside it. The Config is
// nil when the file is not there or no YAML; else it holds all that could be
// understood, so that later passes can find their faults too, and must not be
// used for anything else while the Report holds an error.
func Load(path string, getenv LookupFunc) (*Config, *Report) {
	content, err := readFile(path)
	if err != nil {
		report := newReport(path, nil)
		report.Add(diag.List{{
			Severity: diag.Error, Code: "no-file", Position: diag.Position{File: path},
			Message: "the file can't be read: " + reason(err),
		}})
		return nil, report
	}
	env := newEnvironment(path, getenv)
	env.readDotenv()
	return parse(path, content, env)
}

// Parse is Load for a file's content that is at hand, as tests have it. There is
// no .env file.
func Parse(path string, content []byte, getenv LookupFunc) (*Config, *Report) {
	return parse(path, content, newEnvironment(path, getenv))
}

func newEnvironment(path string, getenv LookupFunc) *environment {
	return &environment{process: getenv, folder: filepath.Dir(path), found: map[string]answer{}, spoilt: map[string]bool{}}
}

func newReport(path string, content []byte) *Report {
	return &Report{Files: map[string][]byte{path: content}, distrusted: map[string]diag.Position{}}
}

// sections are the keys of the document. Each holds the value as it is, to be
// decoded only if there is one: a section may be empty.
type sections struct {
	Version     yamlnode.Node   `yaml:"version,required"`
	Include     []yamlnode.Text `yaml:"include,single" doc:"Other files that this one is made of: their sources, forms, connections, calendars, recipes, tables, rules and tests, under names that are unique over all files. A * stands for a part of a name. A relative path starts at the folder of this file." example:"[clients/*.yaml]"`
	Server      yamlnode.Node   `yaml:"server"`
	Storage     yamlnode.Node   `yaml:"storage"`
	Retention   yamlnode.Node   `yaml:"retention"`
	Outbound    yamlnode.Node   `yaml:"outbound"`
	Sources     yamlnode.Node   `yaml:"sources"`
	Forms       yamlnode.Node   `yaml:"forms"`
	Connections yamlnode.Node   `yaml:"connections"`
	Calendars   yamlnode.Node   `yaml:"calendars"`
	Recipes     yamlnode.Node   `yaml:"recipes"`
	Tables      yamlnode.Node   `yaml:"tables"`
	Rules       yamlnode.Node   `yaml:"rules"`
	Tests       yamlnode.Node   `yaml:"tests"`
}

// KeyHint names the word of this language for the same thing in another.
func (sections) KeyHint(key string) string {
	switch key {
	case "includes", "import", "imports", "files":
		return `did you mean "include"?`
	case "recipe", "plugins", "kinds", "custom":
		return `did you mean "recipes"?`
	case "connectors", "destinations", "targets", "outputs", "receivers", "actions":
		return `did you mean "connections"?`
	case "webhooks", "inputs", "hooks", "endpoints":
		return `did you mean "sources"?`
	case "routes", "filters", "workflows", "flows", "pipelines":
		return `did you mean "rules"?`
	case "test", "examples", "specs", "cases":
		return `did you mean "tests"?`
	case "table", "lookups", "lookup", "records", "lists":
		return `did you mean "tables"?`
	case "calendar", "business_hours", "opening_hours", "holidays", "hours":
		return `did you mean "calendars"?`
	case "database", "db":
		return `did you mean "storage"?`
	}
	return ""
}

func sectionNames() []string {
	return append([]string{"version", "include", "retention", "outbound", "calendars", "recipes", "tables", "rules", "tests"}, envSections...)
}

func parse(path string, content []byte, env *environment) (*Config, *Report) {
	report := newReport(path, content)
	main, list := readSource(path, content, report)
	switch {
	case !utf8.Valid(main.content):
		report.Add(append(list, env.list...))
		return nil, report
	case main.root.Kind() != yamlnode.Map:
		report.Add(append(explain(main.root, list, main.content), env.list...))
		return nil, report
	}
	files, faults := included(main, report)
	list = append(list, faults...)
	doc := defaults()
	doc.Path = path
	root := doc.join(append([]sourceFile{main}, files...))
	p := interpolator{env: env, report: report, faulty: map[diag.Position]bool{}, needed: map[string]bool{}}
	p.document(root, sectionNames())
	for name := range p.needed {
		report.EnvNeeded++
		if a := env.lookup(name); a.value != "" {
			report.EnvSet++
		}
	}
	list = append(list, doc.decode(root)...)
	list = append(list, doc.readCalendars(root.Get("calendars"), report)...)
	list = append(list, doc.readRecipes(root.Get("recipes"), report)...)
	list = append(list, doc.readTables(root.Get("tables"), report)...)
	doc.Hash = doc.hash(main, files)
	report.Add(slices.Concat(list, p.list, env.list))
	return doc, report
}

// join makes one document of the files, and keeps the text of their rules.
func (doc *Config) join(files []sourceFile) yamlnode.Node {
	roots := make([]yamlnode.Node, 0, len(files))
	for i, f := range files {
		if i > 0 {
			doc.Included = append(doc.Included, f.path)
		}
		if part, has := rulePart(f); has {
			doc.RuleText = append(doc.RuleText, part)
		}
		roots = append(roots, f.root)
	}
	if len(doc.RuleText) == 0 {
		doc.RuleText = RuleText{{File: doc.Path, Line: 1, Text: "rules: []\n"}}
	}
	return yamlnode.Join(roots...)
}

// Hash names a file's content in seven hexadecimal digits, as Config.Hash.
func Hash(content []byte) string {
	sum := sha256.Sum256(bytes.TrimPrefix(content, []byte("\uFEFF")))
	return hex.EncodeToString(sum[:])[:7]
}

// decode fills the document from the file's.
func (doc *Config) decode(root yamlnode.Node) diag.List {
	var s sections
	list := root.Decode("the file", &s)
	list = append(list, checkVersion(s.Version)...)
	list = append(list, doc.Server.decode(s.Server)...)
	list = append(list, doc.Storage.decode(s.Storage, filepath.Dir(doc.Path))...)
	list = append(list, doc.Retention.decode(s.Retention)...)
	list = append(list, doc.Outbound.decode(s.Outbound)...)
	taken := names{}
	var faults diag.List
	doc.Sources, faults = entries(s.Sources, "a source", taken)
	list = append(list, faults...)
	doc.Forms, faults = entries(s.Forms, "a form", taken)
	list = append(list, faults...)
	doc.Connections, faults = connections(s.Connections)
	list = append(list, faults...)
	doc.Tests = s.Tests
	list = append(list, lostSpellings(s.Tests)...)
	if s.Rules.Kind() == yamlnode.Null {
		return list
	}
	return append(list, s.Rules.Decode("the file", &doc.Rules)...)
}

// lostSpellings are the numbers below n that are not sent as they are written.
func lostSpellings(n yamlnode.Node) diag.List {
	var list diag.List
	if d, lost := n.LostSpelling(); lost {
		list = append(list, d)
	}
	for _, child := range children(n) {
		list = append(list, lostSpellings(child)...)
	}
	return list
}

// checkVersion refuses files that another version of the language was meant for.
func checkVersion(n yamlnode.Node) diag.List {
	var version int
	switch {
	case n.IsZero():
		return nil // said by the decoder
	case n.Kind() == yamlnode.Scalar && len(n.Decode("the file", &version)) == 0 && version == 1:
		return nil
	}
	return diag.List{n.Diag("bad-version", "write version: 1", "this hookgate reads version 1 of the language only")}
}
