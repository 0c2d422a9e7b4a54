package yamlnode

import (
	"slices"

	"go.yaml.in/yaml/v4"

	"hookgate/internal/diag"
)

// maxDepth is how deep a document may nest, and maxSize how many values it may
// hold, where an alias counts as what it stands for.
const maxDepth, maxSize = 100, 200_000

// bounded reports whether the document stays small and finite once its
// aliases are followed; everything after Parse follows them freely.
func (d *document) bounded(y *yaml.Node, depth int, size *int) bool {
	if *size++; depth > maxDepth || *size > maxSize {
		return false
	}
	if y.Kind == yaml.AliasNode {
		return d.bounded(y.Alias, depth+1, size)
	}
	for _, c := range y.Content {
		if !d.bounded(c, depth+1, size) {
			return false
		}
	}
	return true
}

// tooLarge says of a document that is not bounded whether its aliases make it so.
func (n Node) tooLarge() diag.Diagnostic {
	if hasAlias(n.y) {
		return n.Diag("yaml-alias", "write the values out", "the aliases (*name) in this file refer to themselves or grow without bound")
	}
	return n.Diag("yaml-size", "", "this file is too large: it may nest %d levels deep and hold 200,000 values", maxDepth)
}

// hasAlias reports whether an alias stands in what was written.
func hasAlias(y *yaml.Node) bool {
	return y.Kind == yaml.AliasNode || slices.ContainsFunc(y.Content, hasAlias)
}
