package e2e

import (
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"hookgate/test/lab"
)

// A change of the file is judged by what came in before it is in force: a fault
// stands in its place, a rule that matches more says so, and what was in force
// before is kept.
func TestUIConfig(t *testing.T) {
	t.Parallel()
	var status atomic.Int32
	status.Store(http.StatusOK)
	g := startUI(t, &status)
	g.Settled(g.Accepted(g.PostJSON("/in/sitejet/0123456789abcdef", []byte(donePayload))))
	content, err := os.ReadFile(g.ConfigPath())
	if err != nil {
		t.Fatal(err)
	}
	before := string(content)
	ctx := browser(t)
	logIn(ctx, t, g)
	show(ctx, t, g.URL+"/ui/config")
	settled(ctx, t, "Config")
	reads(ctx, t, "the file", "is in force since", "name: activate", `data.previousStatus == "Publish"`)
	if text := pageText(ctx, t); strings.Contains(text, "0123456789abcdef") || strings.Contains(text, "correct horse") {
		t.Error("the page shows a secret of the file")
	}
	accessible(ctx, t, "/ui/config")

	changed := strings.Replace(before, `data.previousStatus == "Interest"`, `data.previousStatus != ""`, 1)
	g.WriteConfig(strings.Replace(changed, "data.website.status == \"Done\" and", "data.website.status = \"Done\" and", 1))
	lab.Eventually(t, "the refusal", func() bool { return strings.Contains(g.Stderr(), "the configuration was refused") })
	show(ctx, t, g.URL+"/ui/config")
	settled(ctx, t, "Config")
	reads(ctx, t, "a file with an error", "The file has an error", "1 error", "^", "expr-syntax")
	accessible(ctx, t, "/ui/config with an error")

	// A test that fails refuses the file, whose rules are understood: what they
	// would have done is told.
	g.WriteConfig(changed + "tests:\n  - { name: none, event: { source: sitejet, data: { previousStatus: Publish, website: { status: Done } } }, expect: [activate/billing] }\n")
	lab.Eventually(t, "the second refusal", func() bool { return strings.Count(g.Stderr(), "the configuration was refused") == 2 })
	show(ctx, t, g.URL+"/ui/config/change")
	settled(ctx, t, "Config")
	reads(ctx, t, "the change", "+1", "−1", `data.previousStatus != ""`, "1 of 1 events would have ended differently", "near/billing would be sent")
	accessible(ctx, t, "/ui/config/change")

	g.WriteConfig(changed)
	lab.Eventually(t, "it is in force", func() bool { return strings.Contains(g.Stdout()+g.Stderr(), "configuration loaded") })
	show(ctx, t, g.URL+"/ui/config/versions")
	settled(ctx, t, "Config")
	reads(ctx, t, "the versions", "in force", "to about", "3 rules")
	accessible(ctx, t, "/ui/config/versions")
	press(ctx, t, "ol.thread li a")
	reads(ctx, t, "the version", `data.previousStatus != ""`)
	reads(ctx, t, "the version", "+1", "−1", `data.previousStatus == "Interest"`)
	press(ctx, t, `form[action="/ui/config/reload"] button`)
	reads(ctx, t, "the reload", "is in force.")
	show(ctx, t, g.URL+"/ui/config/versions/99999")
	settled(ctx, t, "Not found")
}
