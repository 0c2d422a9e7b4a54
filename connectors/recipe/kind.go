package recipe

import (
	"crypto/sha256"
	"encoding/hex"

	"hookgate/connectors"
	"hookgate/internal/diag"
	"hookgate/internal/yamlnode"
)

// ReadKind is the kind that a user's own recipe describes, and where its name
// stands. With an error in the list there is none.
func ReadKind(file string, content []byte) (connectors.Kind, yamlnode.Text, diag.List) {
	r, list := Read(file, content)
	if r == nil {
		return connectors.Kind{}, yamlnode.Text{}, list
	}
	k := Kind(r)
	sum := sha256.Sum256(content)
	k.Hash = hex.EncodeToString(sum[:])
	return k, r.NameText(), list
}

// Kind is the kind of connection that a recipe describes.
func Kind(r *Recipe) connectors.Kind {
	k := connectors.Kind{
		Name: r.Name, Doc: r.Doc, Link: r.Link, Verified: r.Verified, RateLimit: r.Rate, Action: r.Action(),
		New: func(n yamlnode.Node, deps connectors.Deps) (connectors.Connector, diag.List) {
			return newConnector(r, n, deps)
		},
	}
	if r.Test != nil {
		k.Test = r.Test.What
	}
	for _, s := range r.Settings {
		k.Settings = append(k.Settings, s.Spec)
	}
	for _, a := range r.Actions {
		doc := connectors.ActionDoc{Name: a.Name, Doc: a.Doc, Shorthand: a.Shorthand, Direct: a.Direct, Outputs: a.Outputs}
		for _, in := range a.Inputs {
			described := connectors.InputDoc{Setting: in.Spec, Max: in.Max}
			if in.Split > 0 { // the limit of a piece is none of the text's
				described.Max = 0
			}
			doc.Inputs = append(doc.Inputs, described)
		}
		k.Actions = append(k.Actions, doc)
	}
	k.Example = connectors.Example(&k)
	return k
}
