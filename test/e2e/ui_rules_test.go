package e2e

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"hookgate/app/admin"
	"hookgate/test/lab"
)

// The page of rules says how often each matched, which events missed it by one
// condition with the value, and what its tests came to; the API says the same.
func TestUIRules(t *testing.T) {
	t.Parallel()
	var status atomic.Int32
	status.Store(http.StatusOK)
	g := startUI(t, &status)
	for _, to := range []string{"Done", "Fertig", "Fertig"} {
		g.Accepted(g.PostJSON("/in/sitejet/0123456789abcdef", []byte(strings.Replace(donePayload, `"Done"`, `"`+to+`"`, 1)+strings.Repeat(" ", len(g.Events())))))
	}
	ctx := browser(t)
	unscripted(ctx, t)
	logIn(ctx, t, g)
	lab.Eventually(t, "the rules", func() bool {
		show(ctx, t, g.URL+"/ui/rules")
		settled(ctx, t, "Rules")
		return strings.Contains(pageText(ctx, t), "judged by the rules in force: 3 events")
	})
	has(t, "the page", pageText(ctx, t), "activate", "1 match", "2 events missed it by one condition", `data.website.status == "Done"`, `it is "Fertig"`, "every event", "no test")
	press(ctx, t, `a[href="/ui/rules?view=silent"]`)
	lab.Eventually(t, "the rules that matched nothing", func() bool { return !strings.Contains(pageText(ctx, t), "activate") })
	has(t, "the page", pageText(ctx, t), "lead", "none in 30 days")

	_, _, body := newVisitor(t, g).do("GET", "/api/v1/rules", nil, "Authorization", basicOf("vera", "only looking around"))
	var list admin.RuleList
	if err := json.Unmarshal([]byte(body), &list); err != nil {
		t.Fatal(err)
	}
	rule := list.Items[0]
	same(t, "the rule", []any{"activate", 1, 2, 1, 3}, []any{rule.Name, rule.Matches, rule.Near, rule.Days[len(rule.Days)-1], list.Looked})
	same(t, "what would match them too", `data.previousStatus == "Publish" and data.website.status in ["Done", "Fertig"]`, rule.NearMisses[0].When)
	has(t, "its text", rule.Text, "- name: activate", "when: data.previousStatus")
}
