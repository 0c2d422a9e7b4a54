package config

import (
	"bytes"
	"path/filepath"

	"hookgate/internal/diag"
	"hookgate/internal/yamlnode"
)

// LoadStorage reads where the data is kept, and nothing else of the file at
// path: what is wrong in other sections, even that they are no YAML, does not
// matter. The Config holds Path and Storage only; it is nil where these cannot
// be told. Values that the environment lacks are faults in the Report alone.
func LoadStorage(path string, getenv LookupFunc) (*Config, *Report) {
	content, err := readFile(path)
	if err != nil {
		return Load(path, getenv) // for its words
	}
	content = bytes.TrimPrefix(content, []byte("\uFEFF"))
	block, found := blockOf(content, "storage")
	if !found && bytes.Contains(content, []byte("storage")) { // in flow style, or a word of another section
		if doc, report := Load(path, getenv); doc != nil {
			return doc, report
		}
	}
	root, list := yamlnode.Parse(path, block)
	if found && (list.Err() != nil || root.Kind() != yamlnode.Map) {
		return Load(path, getenv)
	}
	env := newEnvironment(path, getenv)
	env.readDotenv()
	report := newReport(path, content)
	p := interpolator{env: env, report: report, faulty: map[diag.Position]bool{}, needed: map[string]bool{}}
	p.document(root, []string{"storage"})
	doc := defaults()
	doc.Path = path
	report.Add(append(p.list, doc.Storage.decode(root.Get("storage"), filepath.Dir(path))...))
	return doc, report
}

// blockOf leaves of a file the lines of one section, each in its place; found is
// false where no part of the file has its name.
func blockOf(content []byte, name string) (block []byte, found bool) {
	for _, p := range partsOf(content) {
		if p.name == name {
			block, found = append(block, p.text...), true
		} else {
			block = append(block, blank(p.text)...)
		}
	}
	return block, found
}
