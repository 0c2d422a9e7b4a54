package rules_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"hookgate/internal/diag"
	"hookgate/internal/event"
	"hookgate/internal/jsondoc"
	"hookgate/internal/yamlnode"
	"hookgate/rules"
	"hookgate/rules/lang"
)

type file struct {
	Rules []rules.Rule `yaml:"rules"`
}

// targets stand for connections as connectors declare them.
func targets() rules.Targets {
	return rules.Targets{
		"billing": {Noun: "an action to a webhook", Inputs: []lang.Input{
			{Name: "json", Kind: lang.ValueInput}, {Name: "path", Kind: lang.TextInput},
		}, Check: func(n yamlnode.Node, given []yamlnode.Field) diag.List {
			if len(given) == 0 {
				return diag.List{n.Diag("missing-key", "", "an action to a webhook needs a body")}
			}
			return nil
		}},
		"slack": {Noun: "an action to Slack", Inputs: []lang.Input{
			{Name: "text", Kind: lang.TextInput, Required: true, Escape: strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace},
			{Name: "channel", Kind: lang.TextInput, Check: func(n yamlnode.Node) diag.List {
				if n.Text().Value == "bad" {
					return diag.List{n.Diag("bad-value", "", "no channel")}
				}
				return nil
			}},
		}},
	}
}

func origins() rules.Origins {
	return rules.Origins{"sitejet": {"website_created", "website_status_changed"}, "shop": nil, "contact": {event.FormSubmitted}}
}

func compile(t testing.TB, yaml string) (*rules.Set, diag.List) {
	t.Helper()
	node, list := yamlnode.Parse("config.yaml", []byte(yaml))
	if err := list.Err(); err != nil {
		t.Fatal(err)
	}
	var f file
	list = node.Decode("the file", &f)
	set, faults := rules.Compile(lang.NewCompiler(), f.Rules, origins(), targets())
	list = append(list, faults...)
	list.Sort()
	return set, list
}

func mustCompile(t testing.TB, yaml string) *rules.Set {
	t.Helper()
	set, list := compile(t, yaml)
	if err := list.Err(); err != nil {
		t.Fatal(err)
	}
	return set
}

func seed(t testing.TB) []byte {
	t.Helper()
	text, err := os.ReadFile("testdata/website_status_changed.json")
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func scope(t testing.TB, text []byte, source, typ string) *lang.Scope {
	t.Helper()
	doc, err := jsondoc.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return lang.NewScope(doc, lang.Meta{ID: "evt_7", Type: typ, Source: source, Time: time.Unix(0, 0)}, nil, nil)
}

const example = `rules:
  - name: create-subscription
    from: sitejet
    events: [website_status_changed]
    when: data.previousStatus == "Interest" and data.website.status == "Preparation"
    then:
      - { to: billing, json: { action: create } }
  - name: activate-subscription
    from: sitejet
    events: [website_status_changed]
    when: data.website.status == "Done"
    then:
      - to: billing
        ordering_key: data.website.id
        json:
          action: activate
          website_id: ${{ data.website.id }}
          sold_by: ${{ data.website.closed_by?.email }}
          due: ${{ data.website.due_date }}
      - { to: billing, when: data.website.following, json: {} }
      - { to: billing, ordering_key: data.website.nothing, path: "/x/${{ event.id }}" }
  - name: announce
    from: [sitejet, contact]
    when: data.website.status in ["Assign", "Done"]
    then:
      - { to: slack, channel: "#web", text: "*${{ data.website.title }}* <moved> ${{ data.website.nothing ?? 'a<b' }}" }
      - { to: slack, text: "${{ data.website.nothing }}" }
      - { to: slack, text: "x ${{ lower(data.website.due_date) }}" }
      - { to: slack, text: x, ordering_key: data.website.due_date.x }
  - name: broken
    from: sitejet
    when: data.website.assigned_to.name == "x"
    then: [{ to: slack, text: x }]
  - name: broken-action
    from: sitejet
    then:
      - { to: slack, text: x }
      - { to: slack, text: x, when: data.website.title }
  - name: created
    from: sitejet
    events: website_created
    then: [{ to: slack, text: x }]
  - name: lead
    from: [shop, contact]
    then: [{ to: slack, text: x }]
`
