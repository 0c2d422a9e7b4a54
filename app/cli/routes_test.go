package cli_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hookgate/app"
)

const routed = `version: 1
sources:
  shop: { type: webhook, token: 0123456789abcdef }
  idle: { type: webhook, token: 0123456789abcdef }
forms:
  contact: { fields: any }
  unread: { fields: any, autoreply: { to: mail, when: data.reply == true, recipient: a@b.example, subject: x, text: x } }
connections:
  mail: { type: email, from: a@b.example, smtp: { host: mail.b.example, port: 465, user: u, password: p } }
  billing: { type: webhook, url: "https://billing.example/" }
  a-connection-with-a-long-name-in-the-middle: { type: webhook, url: "https://billing.example/" }
  spare: { type: slack, webhook_url: "https://hooks.slack.example/x" }
rules:
  - name: create-subscription
    from: [shop, contact]
    when: data.previousStatus == "Interest" and data.website.status == "Preparation" and data.website.title != ""
    then:
      - { to: billing, ordering_key: data.id, json: {} }
      - { to: billing, when: data.n > 1000, json: {} }
  - name: a-rule-with-a-name-that-is-longer-than-most
    from: shop
    events: [website_status_changed, website_created]
    then: [{ to: a-connection-with-a-long-name-in-the-middle, json: {} }]
`

func TestRoutes(t *testing.T) {
	t.Parallel()
	config := writeConfig(t, routed)
	got := run(t, "routes", "-c", config)
	golden(t, "routes", got.out)
	for line := range strings.Lines(got.out) {
		if len([]rune(line)) > 81 {
			t.Errorf("%d columns: %q", len([]rune(line)), line)
		}
	}
	golden(t, "routes_dot", run(t, "routes", "--dot", "-c", config).out)
	golden(t, "routes_mermaid", run(t, "routes", "--mermaid", "-c", config).out)
	var routes app.Routes
	if err := json.Unmarshal([]byte(run(t, "routes", "--json", "-c", config).out), &routes); err != nil {
		t.Fatal(err)
	}
	if len(routes.Routes) != 6 || routes.Routes[5].Rule != "autoreply" || len(routes.Unused.Sources) != 1 || routes.Routes[1].Action != 2 || routes.Routes[2].From != "contact" || !routes.Routes[2].Form || routes.Routes[0].Key != "data.id" {
		t.Errorf("got %+v", routes)
	}
	secret := writeConfig(t, strings.Replace(routed, "shop: { type: webhook, token: 0123456789abcdef }", `shop: { type: webhook, token: "${ROUTES_TEST_TOKEN}" }`, 1))
	if without := run(t, "routes", "-c", secret); without.code != 0 || without.out != got.out {
		t.Errorf("without its secrets: exit %d\n%s%s", without.code, without.errOut, without.out)
	}
	if got := run(t, "routes", "--dot", "--mermaid", "-c", config); got.code != 2 {
		t.Errorf("two pictures: %+v", got)
	}
	broken := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(broken, []byte("version: 1\nrulez: []\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := run(t, "routes", "-c", broken); got.code != 3 || !strings.Contains(got.errOut, "unknown-key") {
		t.Errorf("an invalid config: %+v", got)
	}
}
