package source

import (
	"hookgate/internal/diag"
	"hookgate/internal/yamlnode"
	"hookgate/rules/lang"
)

// formKeys are what a form that a form builder sends has of a source.
type formKeys struct {
	Token   yamlnode.Text   `yaml:"token"`
	Verify  yamlnode.Node   `yaml:"verify"`
	Methods []yamlnode.Text `yaml:"methods,single"`
	Dedupe  yamlnode.Text   `yaml:"dedupe"`
	Rate    yamlnode.Rate   `yaml:"rate_limit"`
	EventID yamlnode.Text   `yaml:"event_id"`

	Rest []yamlnode.Field `yaml:",rest"` // the form's own
}

// CompileForm reads who sends the posts of a form: what proves them, and how
// repeats are recognised. ids is for the latter where the configuration has no
// event_id. The Source is nil where the list holds an error.
func CompileForm(name yamlnode.Text, n yamlnode.Node, ids IDs, c *lang.Compiler) (*Source, diag.List) {
	b := &builder{source: &Source{Name: name.Value, Type: "form"}, node: n, compiler: c}
	var keys formKeys
	b.list = n.Decode("a form via webhook", &keys)
	b.shared(common{Token: keys.Token, Methods: keys.Methods, Rate: keys.Rate})
	var sender scheme
	switch {
	case !keys.Verify.IsZero():
		sender = b.verify(keys.Verify)
	case n.Get("token").IsZero():
		b.fail(n.Diag("missing-key", makeOne, `a form via webhook needs "token", which makes its address secret, or "verify"`))
	}
	if ids.Expression == "" {
		ids = sender.ids
	}
	b.findID(keys.EventID, ids)
	b.dedupe(keys.Dedupe)
	if b.list.Err() != nil {
		return nil, b.list
	}
	return b.source, b.list
}
