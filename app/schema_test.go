package app_test

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"hookgate/app"
	"hookgate/connectors"
	"hookgate/connectors/all"
	"hookgate/connectors/recipe"
	"hookgate/internal/yamlnode"
)

// mustSchema is the schema of config.yaml, as an editor loads it.
func mustSchema(t *testing.T, own ...connectors.Kind) *jsonschema.Schema {
	t.Helper()
	text, err := app.Schema(append(all.Kinds(), own...))
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler() // it checks the schema by that of its draft
	if err := compiler.AddResource("config.schema.json", doc); err != nil {
		t.Fatal(err)
	}
	compiled, err := compiler.Compile("config.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return compiled
}

func mustValue(t *testing.T, text string) yamlnode.Node {
	t.Helper()
	n, list := yamlnode.Parse("config.yaml", []byte(text))
	if list.Err() != nil {
		t.Fatal(list)
	}
	return n
}

func documentedRecipe(t *testing.T) string {
	t.Helper()
	page, err := os.ReadFile("../docs/recipes.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "```yaml\n")
	text, _, _ := strings.Cut(rest, "```")
	return text
}

// documentedKind is the recipe that its page shows.
func documentedKind(t *testing.T) connectors.Kind {
	t.Helper()
	kind, _, list := recipe.ReadKind("docs/recipes.md", []byte(documentedRecipe(t)))
	if len(list) > 0 {
		t.Fatal(list)
	}
	return kind
}

// The example and every part of a configuration that the pages show is valid.
func TestSchema_examples(t *testing.T) {
	t.Parallel()
	schema := mustSchema(t, documentedKind(t))
	sections := map[string]bool{}
	for _, f := range app.Describe(all.Kinds()).Fields {
		sections[f.Name] = true
	}
	pages, err := filepath.Glob("../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile("(?ms)^( *)```yaml\n(.*?)^ *```$")
	foreign := regexp.MustCompile("(?ms)^ *<!-- not run: another program -->\n+ *```.*?^ *```$")
	checked := 0
	for _, page := range append(pages, "../README.md", "../config.yaml") {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		samples := []string{string(text)}
		if strings.HasSuffix(page, ".md") {
			samples = nil
			for _, m := range block.FindAllStringSubmatch(foreign.ReplaceAllString(string(text), ""), -1) {
				samples = append(samples, regexp.MustCompile("(?m)^"+m[1]).ReplaceAllString(m[2], ""))
			}
		}
		for _, sample := range samples {
			n, list := yamlnode.Parse(page, []byte(sample))
			ours := list.Err() == nil && len(n.Fields()) > 0
			for _, f := range n.Fields() {
				ours = ours && sections[f.Key.Value]
			}
			if !ours {
				continue // of another program, or a line of a larger part
			}
			value := n.Any().(map[string]any)
			value["version"] = 1
			checked++
			if err := schema.Validate(value); err != nil {
				t.Errorf("%s:\n%s\n%v", page, sample, err)
			}
		}
	}
	if checked < 12 {
		t.Errorf("only %d samples found: has their form changed?", checked)
	}
}

func TestSchema_values(t *testing.T) {
	t.Parallel()
	schema := mustSchema(t)
	for text, valid := range map[string]bool{
		"server: { max_body: 5MB }":                                                  true,
		"server: { max_body: '${MAX}' }":                                             true,
		"server: { max_body: lots }":                                                 false,
		"server: { listen: [80] }":                                                   false,
		"server:":                                                                    true,
		"severs: {}":                                                                 false,
		"retention: { events: 90d, spam: 1d12h }":                                    true,
		"retention: { events: 90 days }":                                             false,
		"retention: { events: '${KEEP}' }":                                           false, // the environment does not serve here
		"sources: { s: { type: sitejet, token: '${TOKEN}' } }":                       true,
		"sources: { s: { type: sitejt } }":                                           false,
		"sources: { s: { token: abc } }":                                             false,
		"sources: { 'a b': { type: sitejet } }":                                      false,
		"sources: { s: { type: sitejet, verify: {} } }":                              false,
		"sources: { s: { type: webhook, methods: GET, token: x } }":                  true,
		"sources: { s: { type: webhook, methods: [FETCH], token: x } }":              false,
		"sources: { s: { type: webhook, verify: { scheme: github, secret: x } } }":   true,
		"sources: { s: { type: webhook, verify: { scheme: github, tolerance: 5m }}}": false, // it signs no time
		"sources: { s: { type: webhook, verify: { scheme: basic, user: x } } }":      false,
		"forms: { f: { fields: any } }":                                              true,
		"forms: { f: { fields: some } }":                                             false,
		"forms: { f: { fields: { a: { type: email, required: true } } } }":           true,
		"forms: { f: { fields: { a: { type: mail } } } }":                            false,
		"connections: { c: { type: slack, webhook_url: x } }":                        true,
		"connections: { c: { type: slack, url: x } }":                                false,
		"connections: { c: { type: webhook } }":                                      false,
		"connections: { c: { type: webhook, url: x, concurrency: '${N}' } }":         true,
		"connections: { c: { type: webhook, url: x, concurrency: many } }":           false,
		"connections: { c: { type: webhook, url: x, rate_limit: 5/s } }":             true,
		"connections: { c: { type: webhook, url: x, rate_limit: 5 per second } }":    false,
		"connections: { c: { type: webhook, url: x, success: [2xx, 409] } }":         true,
		"connections: { c: { type: webhook, url: x, retry: { delays: [] } } }":       true,
		"connections: { c: { type: webhook, url: x, method: FETCH } }":               false,
		"rules: [{ name: a, from: s, then: [{ to: c, text: x }] }]":                  true,
		"rules: [{ name: a, from: [s], then: [{ to: c, json: { a: [1] } }] }]":       true,
		"rules: [{ name: a, from: s, filter: x, then: [] }]":                         false,
		"rules: [{ name: a, from: s, then: [{ connection: c }] }]":                   false,
		"rules: [{ name: a, from: s, then: [{ to: c, txt: x }] }]":                   false,
		"rules: [{ name: a, then: [] }]":                                             false,
		"rules: { name: a }":                                                         false,
		"rules:":                                                                     true,
	} {
		value := mustValue(t, text).Any().(map[string]any)
		value["version"] = 1
		if err := schema.Validate(value); (err == nil) != valid {
			t.Errorf("%s: valid is %v, want %v: %v", text, err == nil, valid, err)
		}
	}
	if schema.Validate(map[string]any{"server": nil}) == nil || schema.Validate(map[string]any{"version": 2}) == nil {
		t.Error("a file without version: 1 is valid")
	}
}

// The schema and the strict decoder know the same keys at every place: what
// the decoder names when it is shown a key that nothing has, is what the
// schema was made from. It fails for a key that is decoded without a
// description, and for one that is described and not decoded.
func TestSchema_knowsWhatIsDecoded(t *testing.T) {
	t.Parallel()
	places := 0
	visit(app.Describe(all.Kinds()), "", nil, func(path string, s yamlnode.Spec, wrap func(string) string) {
		var names []string
		for _, f := range s.Fields {
			if !f.Template { // an action's inputs depend on where it goes
				names = append(names, f.Name)
			}
			if !strings.HasSuffix(f.Doc, ".") && !strings.HasSuffix(f.Doc, "…") {
				t.Errorf("%s: %q is not explained: %q", path, f.Name, f.Doc)
			}
			if f.Type == yamlnode.AnyType && len(f.OneOf) == 0 && !f.Template {
				t.Errorf("%s: %q can be anything: describe it", path, f.Name)
			}
		}
		if s.Open || slices.ContainsFunc(s.Fields, func(f yamlnode.Spec) bool { return f.Template }) {
			return
		}
		places++
		file := filepath.Join(t.TempDir(), "config.yaml")
		text := wrap("qqqqqqqqqqqq: 1")
		if path != "" {
			text = "version: 1\n" + text
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, report, _ := app.Load(file)
		sort.Strings(names)
		want := "it has " + strings.Join(names, ", ")
		var hints []string
		for _, d := range report.List {
			if d.Code == "unknown-key" && strings.Contains(d.Message, "qqqqqqqqqqqq") {
				hints = append(hints, d.Hint)
			}
		}
		if len(hints) != 1 || hints[0] != want {
			t.Errorf("%s: the decoder says %q, the schema %q\n%s\n%v", path, hints, want, text, report.List)
		}
	})
	if places < 25 {
		t.Errorf("only %d places were visited", places)
	}
}

// visit calls see for every object that s describes. wrap puts one line of
// YAML into it, as far from the top as it is.
func visit(s yamlnode.Spec, path string, outer func(string) string, see func(string, yamlnode.Spec, func(string) string)) {
	if outer == nil {
		outer = func(inner string) string { return inner }
	}
	for _, one := range s.OneOf {
		wrap := outer
		if s.By != "" {
			wrap = func(inner string) string { return outer(s.By + ": " + one.Name + ", " + inner) }
			one.Type = yamlnode.ObjectType
			if !slices.ContainsFunc(one.Fields, func(f yamlnode.Spec) bool { return f.Name == s.By }) {
				one.Fields = append(slices.Clone(one.Fields), yamlnode.Spec{Name: s.By, Type: yamlnode.TextType, Doc: "It selects."})
			}
		}
		visit(one, path+"("+one.Name+")", wrap, see)
	}
	if len(s.OneOf) > 0 {
		return
	}
	switch s.Type {
	case yamlnode.ObjectType:
		see(path, s, outer)
		for _, f := range s.Fields {
			visit(f, path+"."+f.Name, func(inner string) string {
				if path == "" {
					return f.Name + ": " + enclose(f, inner)
				}
				return outer(f.Name + ": " + enclose(f, inner))
			}, see)
		}
	case yamlnode.ListType:
		visit(*s.Item, path+"[]", func(inner string) string { return outer(enclose(*s.Item, inner)) }, see)
	case yamlnode.MappingType:
		if s.Item != nil {
			visit(*s.Item, path+".x", func(inner string) string { return outer("x: " + enclose(*s.Item, inner)) }, see)
		}
	default:
	}
}

// enclose puts brackets around what stands in a value of this shape.
func enclose(s yamlnode.Spec, inner string) string {
	switch {
	case s.Type == yamlnode.ListType:
		return "[" + inner + "]"
	case s.Type == yamlnode.ObjectType, s.Type == yamlnode.MappingType, len(s.OneOf) > 0:
		return "{" + inner + "}"
	}
	return inner
}
