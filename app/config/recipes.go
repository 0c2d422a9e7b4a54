package config

import (
	"path/filepath"
	"slices"

	"hookgate/internal/diag"
	"hookgate/internal/yamlnode"
)

// RecipeFile is a file with a kind of connection of the user's own.
type RecipeFile struct {
	Name    yamlnode.Text // as it stands in the configuration
	Path    string        // from where the process runs
	Content []byte
}

// pathOf is the path of a file that the configuration names. A relative one
// starts at the folder of the file that it stands in.
func pathOf(name yamlnode.Text) string {
	if filepath.IsAbs(name.Value) {
		return name.Value
	}
	return filepath.Join(filepath.Dir(name.Pos().File), name.Value)
}

// readRecipes reads the files that the configuration names.
func (doc *Config) readRecipes(n yamlnode.Node, report *Report) diag.List {
	if n.Kind() == yamlnode.Null {
		return nil
	}
	var list diag.List
	if n.Kind() != yamlnode.List {
		return diag.List{n.Diag("wrong-type", "write recipes: [./mytool.yaml]", `"recipes" must be a list of files`)}
	}
	for _, item := range n.Items() {
		var name yamlnode.Text
		if faults := item.Decode("this", &name); faults.Err() != nil {
			list = append(list, faults...)
			continue
		}
		path := pathOf(name)
		report.Parts.Files = append(report.Parts.Files, path)
		content, err := readFile(path)
		if err != nil {
			list = append(list, name.Diag("bad-file", "", "the recipe can't be read: %s", reason(err)))
			doc.Unread++
			continue
		}
		if _, twice := report.Files[path]; twice {
			list = append(list, name.Diag("duplicate-name", "", "this file stands twice here"))
			continue
		}
		report.Files[path] = content
		if isBlank(content) {
			list = append(list, name.Diag("bad-file", "begin it with recipe: 1", "the recipe is empty"))
			doc.Unread++
			continue
		}
		doc.Recipes = append(doc.Recipes, RecipeFile{Name: name, Path: path, Content: content})
	}
	return list
}

// hash names the configuration by the contents of all files that it is made
// of, and the names of those that are included. Without any other file it is
// that of the one.
func (doc *Config) hash(main sourceFile, files []sourceFile) string {
	whole := slices.Clip(main.content)
	add := func(text []byte) { whole = append(append(whole, 0), text...) }
	for _, f := range files {
		add([]byte(doc.Name(f.path)))
		add(f.content)
	}
	for _, r := range doc.Recipes {
		add(r.Content)
	}
	for _, part := range doc.parts {
		add(part)
	}
	return Hash(whole)
}

// Name is what people call a file of the configuration: its path from the
// folder of the file that is loaded, with / between its parts; of that file
// itself its name.
func (doc *Config) Name(path string) string {
	if near, err := filepath.Rel(filepath.Dir(doc.Path), path); err == nil {
		path = near
	}
	return filepath.ToSlash(path)
}
