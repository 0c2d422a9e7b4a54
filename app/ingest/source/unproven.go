package source

import (
	"errors"

	"hookgate/internal/yamlnode"
	"hookgate/rules/lang"
)

// errUnproven refuses every request to a source of Unproven.
var errUnproven = errors.New("its secrets are not known here")

// refuser proves nothing.
type refuser struct{}

func (refuser) verify(*Request) error { return errUnproven }

// WithoutSecrets reads a source as Compile does, whatever is wrong with its secrets,
// for who only wants to know what it makes of an event: where a change of the
// configuration is reviewed, its secrets are missing. It lets nobody in.
func WithoutSecrets(name yamlnode.Text, n yamlnode.Node, c *lang.Compiler) *Source {
	b := &builder{source: &Source{Name: name.Value}, node: n, compiler: c}
	given := n.Get("type").Text()
	for _, kind := range Kinds() {
		if kind.Name == given.Value {
			b.source.Type = kind.Name
			kind.compile(b)
		}
	}
	b.source.verify = refuser{}
	return b.source
}
