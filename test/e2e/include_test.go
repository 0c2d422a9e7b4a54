package e2e

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"hookgate/internal/diag"
	"hookgate/test/lab"
)

// clientFile is the part of a configuration that a client has in a file of its own.
func clientFile(name, when string) string {
	return "sources: { " + name + ": { type: webhook, token: 0123456789abcdef } }\nrules:\n  - name: " + name + "-all\n    from: " + name + "\n    when: " + when +
		"\n    then: [{ to: log, text: \"${{ data.n }}\" }]\n"
}

// A running server takes in the file of a client that comes, refuses all while
// one has a fault and tells of which, and explains what came in by rules whose
// file is gone.
//
// Negative control: the watcher concerns itself with the files that were read
// alone: then the first file never comes into force.
func TestInclude(t *testing.T) {
	t.Parallel()
	sink := lab.NewSink(t, nil)
	g := lab.New(t, `
include: [clients/*.yaml]
connections: { log: { type: log }, alarm: { type: webhook, url: "`+sink.URL+`" } }
rules:
  - { name: alarm, from: hookgate, events: config_refused, then: [{ to: alarm, json: { file: "${{ data.file }}", error: "${{ data.error }}" } }] }
`)
	clients := filepath.Join(g.Dir, "clients")
	if err := os.Mkdir(clients, 0o700); err != nil {
		t.Fatal(err)
	}
	write := func(name, text string) {
		temp := filepath.Join(clients, ".new") // by rename: half a file would be read
		if err := os.WriteFile(temp, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(temp, filepath.Join(clients, name)); err != nil {
			t.Fatal(err)
		}
	}
	accepts := func(source string) bool {
		return g.PostJSON("/in/"+source+"/0123456789abcdef", []byte(`{"n":7}`)).Status == http.StatusAccepted
	}
	inForce := func(what string, times int) {
		lab.Eventually(t, what, func() bool { return strings.Count(g.Stderr(), "configuration loaded") >= times })
	}
	g.Start()
	write("ada.yaml", clientFile("ada", "data.n > 5"))
	inForce("the first file", 1)
	event := g.Settled(g.Accepted(g.PostJSON("/in/ada/0123456789abcdef", []byte(`{"n":8}`))))
	same(t, "deliveries", []string{"ada-all/log"}, names(event))

	write("ben.yaml", clientFile("ben", "data.n = 5"))
	told := struct{ File, Error string }{}
	if err := json.Unmarshal(sink.Await(t, 1)[0].Body, &told); err != nil {
		t.Fatal(err)
	}
	if told.File != "clients/ben.yaml" || !strings.HasPrefix(told.Error, `line 5: "=" is not an operator`) {
		t.Errorf("told of %+v", told)
	}
	if !accepts("ada") || accepts("ben") {
		t.Error("the configuration before is not in force")
	}
	write("ben.yaml", clientFile("ben", "data.n == 5"))
	inForce("the second file", 2)

	if err := os.Remove(filepath.Join(clients, "ada.yaml")); err != nil {
		t.Fatal(err)
	}
	inForce("that the first file is gone", 3)
	if accepts("ada") || !accepts("ben") {
		t.Error("the source of a file that is gone still takes events in")
	}
	var explained struct {
		Rules []struct {
			Rule  string
			Parts []struct{ At diag.Position }
		}
	}
	if err := json.Unmarshal([]byte(g.MustCLI("explain", event.ID, "--json")), &explained); err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(explained.Rules, func(r struct {
		Rule  string
		Parts []struct{ At diag.Position }
	},
	) bool {
		return r.Rule == "ada-all"
	})
	if at < 0 || explained.Rules[at].Parts[0].At.String() != "clients/ada.yaml:5:11" {
		t.Errorf("explained by %+v", explained)
	}
}
