package all_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"hookgate/rules/lang"
	"hookgate/test/connectortest"
)

// What a visitor writes cannot mention anybody in a chat, hide a link behind
// other words or be an image: for each kind, the input that people read and
// what must not be in it.
func TestConformance_mentions(t *testing.T) {
	t.Parallel()
	attacks := []string{"<users/all>", "@all", "@channel", "(@here)", "<!channel>", "<@U123>", "[click](https://evil.example)", "<https://evil.example|Click>", "![x](https://evil.example/x.png)", "@octocat"}
	markdown := []string{"@all", "@channel", "@here", "@octocat", "[click](", "![x](", "<@U123>"}
	for kind, inert := range map[string][]string{
		"google_chat": {"<users/all>", "<https://evil.example|"},
		"mattermost":  markdown,
		"slack":       {"<!channel>", "<@U123>", "<https://evil.example|"},
	} {
		sent := ""
		base := connectortest.MustServe(t, func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			sent = string(body)
			_, _ = io.WriteString(w, "ok")
		})
		scope, inputs := connectortest.MustInputs(t, kind, `{"a":"`+strings.Join(attacks, " ")+` ada@example.com"}`)
		output := renderText(t, scope, inputs, kind)
		c := connectortest.MustConnector(t, kind, "webhook_url: "+base+"/hooks/x", connectortest.Deps(t))
		if _, err := c.Deliver(t.Context(), connectortest.Delivery(output)); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
		sent = strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&").Replace(sent)
		for _, live := range inert {
			if strings.Contains(sent, live) {
				t.Errorf("%s: %s is live in %s", kind, live, sent)
			}
		}
		if !strings.Contains(sent, "ada@example.com") {
			t.Errorf("%s: an address was changed: %s", kind, sent)
		}
	}
}

// renderText is the rendered action whose text is the event's a.
func renderText(t *testing.T, scope *lang.Scope, inputs map[string]lang.Input, kind string) string {
	t.Helper()
	n := connectortest.MustParse(t, "v: 'New: ${{ data.a }}'").Get("v")
	in, found := inputs["text"]
	if !found {
		t.Fatalf("%s has no input text", kind)
	}
	template, list := lang.NewCompiler().Template(n, in)
	if err := list.Err(); err != nil {
		t.Fatal(err)
	}
	text, _, err := template.AppendJSON(nil, scope)
	if err != nil {
		t.Fatal(err)
	}
	return `{"text":` + string(text) + `}`
}
