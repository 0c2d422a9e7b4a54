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

// readRecipes reads the files that the configuration names. A relative path
// starts at the folder of the config file.
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
		path := name.Value
		if !filepath.IsAbs(path) {
			path = filepath.Join(filepath.Dir(doc.Path), path)
		}
		report.Parts = append(report.Parts, path)
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

// hash names the configuration with the recipes, tables and files of holidays that
// it is made of. Without any it is that of the file.
func (doc *Config) hash(content []byte) string {
	whole := content
	for _, r := range doc.Recipes {
		whole = append(append(slices.Clip(whole), 0), r.Content...)
	}
	for _, part := range doc.parts {
		whole = append(append(slices.Clip(whole), 0), part...)
	}
	return Hash(whole)
}
