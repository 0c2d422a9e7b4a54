package e2e

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"hookgate/app/admin"
	"hookgate/test/lab"
	"hookgate/test/pgtest"
)

const digestsPath = "/in/shop/e2e-shop-token-0123456789"

// digesting gathers what a shop and a form send in one digest for each team, which
// closes in a day.
func digesting(sink string) string {
	return `
sources:
  shop: { type: webhook, token: e2e-shop-token-0123456789 }
forms:
  contact: { fields: { name: { type: text }, team: { type: text } } }
connections:
  board: { type: webhook, url: ` + sink + `/board, retry: { delays: [100ms] } }
rules:
  - name: leads
    from: [shop, contact]
    then:
      - to: board
        digest: { key: data.team, wait: 1d }
        json: { team: "${{ data.team }}", names: "${{ map(items, .data.name) }}" }
`
}

// forEachStorage runs test with a gate on each kind of database, and its receiver.
func forEachStorage(t *testing.T, config func(sink string) string, test func(t *testing.T, g *lab.Gate, sink *lab.Sink)) {
	t.Helper()
	for _, shared := range []bool{false, true} {
		name := "sqlite"
		if shared {
			name = "postgres"
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sink := lab.NewSink(t, nil)
			g := lab.New(t, "")
			if shared {
				g.Database, g.Files = pgtest.Shared(t).URL(t), filepath.Join(g.Dir, "files")
			}
			g.Extra = "  admin: { user: ops, password: e2e-password-0123456789 }\n"
			g.Configure(config(sink.URL))
			g.Start()
			test(t, g, sink)
		})
	}
}

// openDigests are the open digests by their keys.
func openDigests(t *testing.T, g *lab.Gate) map[string]admin.Digest {
	t.Helper()
	var page admin.Page[admin.Digest]
	if err := json.Unmarshal([]byte(g.MustCLI("digests", "list", "--json")), &page); err != nil {
		t.Fatal(err)
	}
	open := map[string]admin.Digest{}
	for _, d := range page.Items {
		open[d.Key] = d
	}
	return open
}

// board is what a digest sends.
type board struct {
	Team  string   `json:"team"`
	Names []string `json:"names"`
}

func boards(t *testing.T, sink *lab.Sink) (list []board) {
	t.Helper()
	for _, a := range sink.Arrivals() {
		var b board
		if err := json.Unmarshal(a.Body, &b); err != nil {
			t.Fatal(err)
		}
		list = append(list, b)
	}
	return list
}

// Open digests are listed, shown, sent and given up by the command line and by the
// API; a replayed event and a released post join what is open; --diff says where
// another key gathers otherwise.
func TestDigests(t *testing.T) {
	t.Parallel()
	forEachStorage(t, digesting, func(t *testing.T, g *lab.Gate, sink *lab.Sink) {
		post := func(name, team string) string {
			t.Helper()
			return g.Accepted(g.PostJSON(digestsPath, []byte(`{"name":"`+name+`","team":"`+team+`"}`)))
		}
		first := post("Ada", "a")
		post("Ben", "a")
		post("Cem", "b")
		open := openDigests(t, g)
		if len(open) != 2 || open["a"].Events != 2 || open["b"].Events != 1 || open["a"].Action != "leads/board" {
			t.Fatalf("open: %+v", open)
		}
		id := open["a"].ID.String()
		has(t, "list", g.MustCLI("digests", "list"), id, "leads/board", "a", "2")
		has(t, "show", g.MustCLI("digests", "show", id), id, `"a"`, "2 events", "1 d after the first", first, "Ada", "Ben")
		has(t, "events show", g.MustCLI("events", "show", first), "in the digest "+id+" with 1 other, closes")

		digestsReplayed(t, g, first)
		digestReleased(t, g)

		has(t, "send", g.MustCLI("digests", "send", id), id+", 3 events of leads/board: closes now")
		sink.Await(t, 1)
		if got := boards(t, sink); got[0].Team != "a" || !slices.Equal(got[0].Names, []string{"Ada", "Ben", "Ada"}) {
			t.Errorf("sent: %+v", got)
		}
		sent := g.Deliveries("--state", "delivered")
		if len(sent) != 1 {
			t.Fatalf("delivered: %+v", sent)
		}
		has(t, "events show, when it has closed", g.MustCLI("events", "show", first), "in the digest "+sent[0].ID+" with 2 others, delivered")
		if again := g.CLI("digests", "send", id); again.Code != 5 || !strings.Contains(again.Stderr, id) {
			t.Errorf("sent again: exit %d, %s", again.Code, again.Stderr)
		}
		digestsByAPI(t, g, sink)
	})
}

// digestsReplayed replays an event into the digest that is open, and asks what another
// key would do.
func digestsReplayed(t *testing.T, g *lab.Gate, id string) {
	t.Helper()
	has(t, "preview of a replay", g.MustCLI("replay", id, "--dry-run"), "leads → board")
	has(t, "a replay", g.MustCLI("events", "replay", "--source", "shop", "--text", "Ada", "--yes"), "1 event replayed, 1 delivery made")
	if open := openDigests(t, g); open["a"].Events != 3 || open["b"].Events != 1 {
		t.Errorf("after a replay: %+v", open)
	}
	text, err := os.ReadFile(g.ConfigPath())
	if err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(g.Dir, "other.yaml")
	for change, want := range map[string]string{
		"key: data.name, wait: 1d":         `key \"a\", closes 1 d after the first, 100 at most" → "key \"Ada\"`,
		"key: data.team, quiet: 2h":        "closes 2 h after the last, 1 d after the first at the latest",
		"key: data.team, wait: 1d":         "",
		"key: data.team, wait: 1d, max: 7": "7 at most",
	} {
		changed := strings.Replace(string(text), "key: data.team, wait: 1d", change, 1)
		if err := os.WriteFile(other, []byte(changed), 0o600); err != nil {
			t.Fatal(err)
		}
		got := g.CLI("replay", "--diff", "--config", other)
		if (got.Code == 0) != (want == "") || !strings.Contains(got.Stdout, want) {
			t.Errorf("--diff with %s: exit %d, want %q in\n%s%s", change, got.Code, want, got.Stdout, got.Stderr)
		}
	}
	if open := openDigests(t, g); open["a"].Events != 3 {
		t.Errorf("--diff has joined something: %+v", open)
	}
}

// digestReleased takes a post for spam, which joins nothing, and releases it, which
// joins.
func digestReleased(t *testing.T, g *lab.Gate) {
	t.Helper()
	g.Do(http.MethodPost, "/f/contact", []byte("name=Dan&team=c&_gotcha=x"), "Content-Type", "application/x-www-form-urlencoded")
	if open := openDigests(t, g); open["c"].Events != 0 {
		t.Errorf("spam has joined a digest: %+v", open)
	}
	spam := g.Events("--state", "spam")
	if len(spam) != 1 {
		t.Fatalf("spam: %+v", spam)
	}
	g.MustCLI("forms", "notspam", spam[0].ID)
	if open := openDigests(t, g); open["c"].Events != 1 {
		t.Errorf("what was released is in no digest: %+v", open)
	}
	has(t, "events show of a released post", g.MustCLI("events", "show", spam[0].ID), "in the digest dgs_", "closes")
}

// digestsByAPI does by HTTP what the command line does.
func digestsByAPI(t *testing.T, g *lab.Gate, sink *lab.Sink) {
	t.Helper()
	call := func(method, path string, want int, into any) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, g.URL+"/api/v1"+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.SetBasicAuth("ops", "e2e-password-0123456789")
		req.Header.Set("Content-Type", "application/json")
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = res.Body.Close() }()
		if res.StatusCode != want {
			t.Fatalf("%s %s: %s, want %d", method, path, res.Status, want)
		}
		if err := json.NewDecoder(res.Body).Decode(into); err != nil {
			t.Fatal(err)
		}
	}
	var page admin.Page[admin.Digest]
	call(http.MethodGet, "/digests", http.StatusOK, &page)
	ids := map[string]string{}
	for _, d := range page.Items {
		ids[d.Key] = d.ID.String()
	}
	if len(ids) != 2 {
		t.Fatalf("open: %+v", page.Items)
	}
	var detail admin.DigestDetail
	call(http.MethodGet, "/digests/"+ids["c"], http.StatusOK, &detail)
	if len(detail.Items) != 1 || detail.Items[0].Source != "contact" || detail.Key != "c" {
		t.Errorf("shown: %+v", detail)
	}
	var ended admin.Digest
	call(http.MethodPost, "/digests/"+ids["c"]+"/send", http.StatusOK, &ended)
	sink.Await(t, 2)
	call(http.MethodPost, "/digests/"+ids["b"]+"/cancel", http.StatusOK, &ended)
	if ended.Key != "b" || ended.Events != 1 {
		t.Errorf("given up: %+v", ended)
	}
	var problem struct{ Title string }
	for _, path := range []string{"/digests/" + ids["b"] + "/cancel", "/digests/" + ids["b"] + "/send"} {
		call(http.MethodPost, path, http.StatusNotFound, &problem)
	}
	if open := openDigests(t, g); len(open) != 0 {
		t.Errorf("left: %+v", open)
	}
	g.Stop()
	if got := sink.Count(); got != 2 {
		t.Errorf("%d digests were sent, want the two that were", got)
	}
}

// A person is forgotten of whom a digest tells that has closed and was not delivered:
// nothing that is kept names her any more, and the others come in one of their own,
// which says why.
func TestDigests_forgotten(t *testing.T) {
	t.Parallel()
	config := func(sink string) string {
		return strings.Replace(digesting(sink), `digest: {`, `ordering_key: items[0].data.email
        digest: {`, 1)
	}
	forEachStorage(t, config, func(t *testing.T, g *lab.Gate, sink *lab.Sink) {
		const her = "ada.lovelace@example.com"
		for _, body := range []string{
			`{"name":"` + her + `","team":"a","email":"` + her + `"}`, `{"name":"Ben","team":"a","email":"ben@example.com"}`, `{"name":"Cem","team":"a","email":"cem@example.com"}`,
		} {
			g.Accepted(g.PostJSON(digestsPath, []byte(body)))
		}
		g.MustCLI("connections", "pause", "board")
		g.MustCLI("digests", "send", openDigests(t, g)["a"].ID.String())
		var closed []lab.Delivery
		lab.Eventually(t, "it has closed", func() bool { closed = g.Deliveries(); return len(closed) == 1 })
		g.MustCLI("forms", "forget", her, "--sources", "--yes")
		if found := keptOf(t, g, "ada.lovelace"); len(found) != 0 {
			t.Errorf("she is still in %v", found)
		}
		old := g.MustCLI("deliveries", "show", closed[0].ID)
		has(t, "what was made of it", old, "cancelled", "an event in the digest was forgotten")
		g.MustCLI("connections", "resume", "board")
		sink.Await(t, 1)
		g.Settled(closed[0].Event)
		if got := boards(t, sink); len(got) != 1 || !slices.Equal(got[0].Names, []string{"Ben", "Cem"}) {
			t.Errorf("sent: %+v", got)
		}
	})
}

// keptOf are the files or tables of a gate that hold a text.
func keptOf(t *testing.T, g *lab.Gate, text string) []string {
	t.Helper()
	if g.Database != "" {
		return rowsWith(t, g.Database, text)
	}
	var list []string
	for _, file := range g.DatabaseFiles() {
		raw, err := os.ReadFile(file)
		if err == nil && strings.Contains(strings.ToLower(string(raw)), text) {
			list = append(list, file)
		}
	}
	return list
}
