package e2e

import (
	"os/exec"
	"strings"
	"testing"

	"hookgate/test/lab"
)

// A shell is offered the names and ids that the running server has, and where none
// runs the names of the config.
func TestCompletion_names(t *testing.T) {
	t.Parallel()
	config := `
sources: { shop: { type: webhook, token: 0123456789abcdef } }
forms: { contact: { fields: any } }
tables: { seen: { keep: 9d }, plans: { key: k, rows: [{ k: a }] } }
connections: { log: { type: log } }
rules: [{ name: all, from: [shop, contact], then: [{ to: log, text: x }] }]
`
	g := lab.New(t, config)
	lines := map[string]string{
		"connections pause ": "log\n", "connections pause log ": "", "deliveries list --connection ": "log\n", "events list --rule ": "all\n", "events list --source ": "shop\ncontact\n",
		"sources fields ": "shop\n", "forms export ": "contact\n", "sources url ": "shop\ncontact\n", "tables get ": "seen\n", "events show ": "",
	}
	offered := func(line string) string {
		t.Helper()
		args := append([]string{"__complete"}, strings.Split(line, " ")...)
		cmd := exec.CommandContext(t.Context(), lab.Binary(t), args...)
		cmd.Env = []string{"HOOKGATE_CONFIG=" + g.ConfigPath()}
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		list, _, _ := strings.Cut(string(out), ":")
		return list
	}
	ask := func(what string) {
		t.Helper()
		for line, want := range lines {
			if got := offered(line); got != want {
				t.Errorf("%s: %q is offered %q, want %q", what, line, got, want)
			}
		}
	}
	g.Configure(config)
	ask("without a server")
	g.Start()
	event := g.Settled(g.Accepted(g.PostJSON("/in/shop/0123456789abcdef", []byte(`{"n":7}`))))
	lines["events show "] = event.ID + "\tshop webhook\n"
	lines["replay "] = event.ID + "\tshop webhook\n"
	lines["explain "] = event.ID + "\tshop webhook\n"
	lines["deliveries show "] = event.Deliveries[0].ID + "\tall/log delivered\n"
	ask("with one")
}
