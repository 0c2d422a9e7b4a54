package app_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hookgate/app"
	"hookgate/app/config"
	"hookgate/app/web/api/client"
	"hookgate/internal/event"
)

// An event is explained by the rules that judged it, whatever is in force by
// then, and the answer says which they were.
func TestWhy_byTheVersionThatJudged(t *testing.T) {
	t.Parallel()
	to, got := sink(t)
	path := filepath.Join(t.TempDir(), "config.yaml")
	write := func(text, when string) {
		t.Helper()
		text = strings.Replace(document("127.0.0.1:0", to, text), "from: s,", "from: s, when: '"+when+"',", 1)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("first", "data.n == 1")
	a := mustRun(t, path)
	if code := post(t, a, `{"n":1}`); code != 202 {
		t.Fatal(code)
	}
	await(t, got, `{"is":"first","n":1}`)
	doc, _ := config.Load(path, config.LookupEnv)
	c := client.Unix(app.SocketPath(doc))
	defer c.Close()
	page, err := c.Events(t.Context(), event.Search{})
	if err != nil || len(page.Items) != 1 {
		t.Fatal(page, err)
	}
	id := page.Items[0].ID
	show := func() (config, why string, inForce bool) {
		t.Helper()
		e, err := c.Event(t.Context(), id)
		if err != nil || e.JudgedBy == nil || !e.JudgedBy.Known {
			t.Fatalf("%+v, %v", e.JudgedBy, err)
		}
		text, err := json.Marshal(e.Why)
		if err != nil {
			t.Fatal(err)
		}
		return e.JudgedBy.Config, string(text), e.JudgedBy.InForce
	}
	config, why, inForce := show()
	if !inForce || config != doc.Hash || !strings.Contains(why, `data.n == 1`) || !strings.Contains(why, `\"is\":\"first\"`) && !strings.Contains(why, `"is":"first"`) {
		t.Errorf("in force: %s %t %s", config, inForce, why)
	}
	write("second", "data.n == 2")
	if report, err := a.Reload(); err != nil || report.Err() != nil {
		t.Fatal(err, report)
	}
	again, later, inForce := show()
	if inForce || again != config || later != why {
		t.Errorf("after the reload: %s %t\n%s\nwant what it was before\n%s", again, inForce, later, why)
	}
}
