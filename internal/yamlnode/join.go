package yamlnode

import (
	"slices"

	"go.yaml.in/yaml/v4"
)

// of is the document that a node of the tree below one of d's stands in: d
// itself, but where Join has put several together.
func (d *document) of(y *yaml.Node) *document {
	if owner, found := d.owners[y]; found {
		return owner
	}
	return d
}

// Join is the mapping that the mappings of several documents make together: a
// list or a mapping that stands under the same key in several of them has the
// entries of all, in their order, and a key of theirs stands as often as it is
// given. Of what is neither, or is of another shape than the first, the first
// counts. All values tell still where they stand in their own file, and are the
// same as those of the nodes that were joined.
func Join(roots ...Node) Node {
	if len(roots) == 1 {
		return roots[0]
	}
	first := roots[0]
	doc := *first.doc
	doc.owners = map[*yaml.Node]*document{}
	whole := &yaml.Node{Kind: yaml.MappingNode, Line: first.y.Line, Column: first.y.Column}
	joined := map[string]int{} // where the value of a key is in whole.Content
	for _, root := range roots {
		for _, f := range root.Fields() {
			if i, found := joined[f.Key.Value]; found {
				whole.Content[i] = doc.join(Node{y: whole.Content[i], doc: doc.of(whole.Content[i])}, f.Value)
				continue
			}
			doc.own(f.Key.node)
			doc.own(f.Value)
			whole.Content = append(whole.Content, f.Key.node.y, f.Value.y)
			joined[f.Key.Value] = len(whole.Content) - 1
		}
	}
	return Node{y: whole, doc: &doc}
}

// own notes which document the node stands in.
func (d *document) own(n Node) { d.owners[n.y] = n.doc }

// join is the value of a key with that of a further document.
func (d *document) join(before, more Node) *yaml.Node {
	switch {
	case before.Kind() == Null:
		d.own(more)
		return more.y
	case before.Kind() != more.Kind() || before.Kind() == Scalar:
		return before.y
	}
	y := before.resolved()
	out := &yaml.Node{Kind: y.Kind, Tag: y.Tag, Line: y.Line, Column: y.Column}
	for _, part := range []Node{before, more} {
		for _, item := range part.Items() {
			d.own(item)
			out.Content = append(out.Content, item.y)
		}
		for _, f := range part.Fields() {
			d.own(f.Key.node)
			d.own(f.Value)
			out.Content = append(out.Content, f.Key.node.y, f.Value.y)
		}
	}
	return out
}

// Without is the mapping without the keys, each a key of its own document still.
func (n Node) Without(keys ...string) Node {
	if n.Kind() != Map {
		return n
	}
	y := n.resolved()
	n.y = &yaml.Node{Kind: yaml.MappingNode, Tag: y.Tag, Line: y.Line, Column: y.Column}
	for _, f := range (Node{y: y, doc: n.doc, path: n.path}).Fields() {
		if !slices.Contains(keys, f.Key.Value) {
			n.y.Content = append(n.y.Content, f.Key.node.y, f.Value.y)
		}
	}
	return n
}
