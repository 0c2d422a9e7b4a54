package e2e

import (
	"html"
	"net/http"
	"os"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
)

// What an event's page gives to copy works where it is pasted: the test passes in
// config.yaml, and the body is what came.
func TestUIEventCopy(t *testing.T) {
	t.Parallel()
	var status atomic.Int32
	status.Store(http.StatusOK)
	g := startUI(t, &status)
	id := g.Settled(g.Accepted(g.PostJSON("/in/sitejet/0123456789abcdef", []byte(donePayload)))).ID
	team := newVisitor(t, g)
	team.logIn("team", "correct horse battery")
	if code, h, body := team.do("GET", "/ui/events/"+id+"/body", nil); code != http.StatusOK || body != donePayload || !strings.HasPrefix(h.Get("Content-Disposition"), "attachment") {
		t.Errorf("the body: %d %v %s", code, h, body)
	}
	copies := func(tab string) (list []string) {
		_, _, page := team.do("GET", "/ui/events/"+id+"?tab="+tab, nil)
		for _, m := range regexp.MustCompile(`data-copy="([^"]*)"`).FindAllStringSubmatch(page, -1) {
			list = append(list, html.UnescapeString(m[1]))
		}
		return list
	}
	var test string
	for _, text := range copies("payload") {
		if strings.HasPrefix(text, "- name:") {
			test = text
		}
	}
	has(t, "the test", test, "activate/billing", "Harry's Diner")
	config, err := os.ReadFile(g.ConfigPath())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(g.ConfigPath(), append(config, "\ntests:\n"+test...), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := g.CLI("test"); got.Code != 0 || !strings.Contains(got.Stdout+got.Stderr, "1 passed") {
		t.Errorf("hookgate test: %+v", got)
	}
	g.MustCLI("events", "replay", id, "--yes")
	if _, _, page := team.do("GET", "/ui/events/"+id+"?tab=replays", nil); !strings.Contains(page, `<code class="end">run_`) {
		t.Errorf("the replays of the event: %.2000s", page)
	}
	has(t, "the command", strings.Join(copies("request"), " "), "curl -X POST", "/in/sitejet/TOKEN", `Harry'\''s Diner`)
}
