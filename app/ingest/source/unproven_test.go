package source_test

import (
	"testing"

	"hookgate/app/ingest/source"
	"hookgate/internal/jsondoc"
	"hookgate/internal/yamlnode"
	"hookgate/rules/lang"
)

// A source without its secrets tells types, and lets nobody in.
func TestUnproven(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"{ type: webhook, token: '${X}', event_type: data.kind }", "{ type: webhook, event_type: data.kind }",
		"{ type: webhook, verify: { scheme: github, secret: '' }, event_type: data.kind }",
	} {
		n, list := yamlnode.Parse("c.yaml", []byte(text))
		if list.Err() != nil {
			t.Fatal(list)
		}
		s := source.WithoutSecrets(yamlnode.Plain("shop"), n, lang.NewCompiler())
		doc, err := jsondoc.Parse([]byte(`{"kind":"order"}`))
		if err != nil {
			t.Fatal(err)
		}
		sc := lang.NewScope(doc, lang.Meta{}, nil, nil)
		if typ, _, err := s.Identify(sc); typ != "order" || err != nil {
			t.Errorf("%s: type %q, %v", text, typ, err)
		}
		sc.Release()
		doc.Release()
		for _, token := range []string{"", "${X}"} {
			if s.Authenticate(&source.Request{Method: "POST", Token: token, Header: func(string) string { return "" }}) == nil {
				t.Errorf("%s: a request with the token %q is let in", text, token)
			}
		}
	}
}
