package e2e

import (
	"bytes"
	"compress/gzip"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	_ "github.com/mattn/go-sqlite3"

	"hookgate/test/lab"
	"hookgate/test/pgtest"
)

const keptToken = "kept-shop-token-0123456789"

// history is a database with something of everything in it, and what the
// program that made it said of its events.
type history struct {
	Name   string               `json:"-"`
	IDs    map[string]string    `json:"ids"` // of events, by what they are
	Events map[string]lab.Event `json:"events"`
}

// keptConfig is what histories are made with: of the connections one works, one
// fails and is tried again, one refuses, one hangs, and one is paused by hand.
// Orders are of a status that the rule does not know until renamed.
func keptConfig(sink, status string) string {
	return `
sources:
  shop: { type: webhook, token: ` + keptToken + `, event_type: data.kind, event_id: data.id, dedupe: 24h }
forms:
  contact:
    fields: { name: { type: text }, email: { type: email, required: true }, message: { type: text }, brief: { type: file, accept: [pdf] } }
    max_links: 1
    rate_limit: 1000/s
connections:
  good:  { type: webhook, url: ` + sink + `/good }
  flaky: { type: webhook, url: ` + sink + `/flaky, retry: { delays: [100h, 100h] } }
  gone:  { type: webhook, url: ` + sink + `/gone }
  slow:  { type: webhook, url: ` + sink + `/slow, timeout: 60s }
  held:  { type: webhook, url: ` + sink + `/held }
rules:
  - { name: order, from: shop, events: [order], when: 'data.status == "` + status + `" and data.total > 100', then: [ { to: good, json: { number: "${{ data.id }}", total: "${{ data.total }}" } } ] }
  - { name: late, from: shop, events: [late], then: [ { to: flaky, ordering_key: data.customer, json: { number: "${{ data.id }}" } } ] }
  - { name: lost, from: shop, events: [lost], then: [ { to: gone, json: { number: "${{ data.id }}" } } ] }
  - { name: hang, from: shop, events: [hang], then: [ { to: slow, json: { number: "${{ data.id }}" } } ] }
  - { name: wait, from: shop, events: [wait], then: [ { to: held, json: { number: "${{ data.id }}" } } ] }
  - { name: odd, from: shop, events: [odd], when: int(data.count) > 5, then: [ { to: good, json: { number: "${{ data.id }}" } } ] }
  - { name: lead, from: contact, then: [ { to: good, json: { who: "${{ data.email }}" } } ] }
`
}

// keptSink answers as keptConfig's receivers do; what hangs ends with the test,
// or once the receivers are mended.
func keptSink(t *testing.T, mended bool) *lab.Sink {
	ended := t.Context().Done()
	return lab.NewSink(t, func(a lab.Arrival) lab.Answer {
		if mended {
			return lab.Answer{Status: http.StatusOK}
		}
		switch a.Path {
		case "/flaky":
			return lab.Answer{Status: http.StatusServiceUnavailable, Body: "come back later"}
		case "/gone":
			return lab.Answer{Status: http.StatusNotFound, Body: "no such thing"}
		case "/slow":
			<-ended
		}
		return lab.Answer{Status: http.StatusOK, Body: `{"ok":true}`}
	})
}

// makeHistory has g make a history and kills it while it sends.
func makeHistory(t *testing.T, g *lab.Gate) history {
	t.Helper()
	h := history{IDs: map[string]string{}, Events: map[string]lab.Event{}}
	post := func(name, body string) string {
		t.Helper()
		h.IDs[name] = g.Accepted(g.PostJSON("/in/shop/"+keptToken, []byte(body)))
		return h.IDs[name]
	}
	g.Start()
	g.MustCLI("connections", "pause", "held", "--yes", "--note", "moving house")
	g.Settled(post("order", `{"kind":"order","id":"o1","status":"paid","total":250.50}`))
	g.PostJSON("/in/shop/"+keptToken, []byte(`{"kind":"order","id":"o1","status":"paid","total":250.50}`))
	post("unmatched", `{"kind":"order","id":"o2","status":"bezahlt","total":9007199254740993}`)
	post("unmatched for good", `{"kind":"other","id":"o3"}`)
	post("broken", `{"kind":"odd","id":"o4","count":"many"}`)
	if r := g.PostJSON("/in/shop/"+keptToken, []byte(`{"kind":`)); r.Status != http.StatusBadRequest {
		t.Errorf("a broken body is answered with %d", r.Status)
	}
	post("retrying", `{"kind":"late","id":"l1","customer":"ada"}`)
	post("behind it", `{"kind":"late","id":"l2","customer":"ada"}`)
	g.Settled(post("failed", `{"kind":"lost","id":"x1"}`))
	ev := g.Settled(post("cancelled", `{"kind":"lost","id":"x2"}`))
	g.MustCLI("deliveries", "cancel", ev.Deliveries[0].ID, "--yes")
	post("held", `{"kind":"wait","id":"w1"}`)
	client := lab.NewClient()
	for _, email := range []string{"ben@example.com", "ada@example.com"} {
		if err := applyTo(g, client, "contact", email); err != nil {
			t.Fatal(err)
		}
	}
	spam := "email=eve%40example.com&message=http%3A%2F%2Fa.example+http%3A%2F%2Fb.example+http%3A%2F%2Fc.example"
	g.Do(http.MethodPost, "/f/contact", []byte(spam), "Content-Type", formType, "Accept", "application/json")
	g.MustCLI("forms", "forget", "ada@example.com", "--yes")
	post("under way", `{"kind":"hang","id":"h1"}`)
	lab.Eventually(t, "what hangs is being sent", func() bool { return g.Show(h.IDs["under way"]).Deliveries[0].State == "sending" })
	lab.Eventually(t, "the first attempt has failed", func() bool { return g.Show(h.IDs["retrying"]).Deliveries[0].Attempts == 1 })
	for _, ev := range g.Events("--limit", "100") {
		h.Events[ev.ID] = g.Show(ev.ID)
		for name, state := range map[string]string{"duplicate": "duplicate", "rejected": "rejected", "spam": "spam"} {
			if ev.State == state {
				h.IDs[name] = ev.ID
			}
		}
		if ev.Source == "contact" && ev.State == "routed" {
			h.IDs["lead"] = ev.ID
		}
	}
	g.Kill()
	return h
}

// applyTo posts a visitor's address and a file to a form.
func applyTo(g *lab.Gate, client *http.Client, form, email string) error {
	body := "--B\r\nContent-Disposition: form-data; name=\"email\"\r\n\r\n" + email + "\r\n" +
		"--B\r\nContent-Disposition: form-data; name=\"brief\"; filename=\"plan.pdf\"\r\n\r\n%PDF-1.7 of " + email + "\r\n--B--\r\n"
	return multipartPost(g, client, form, body)
}

// TestHistories opens the database of each version that was released, on either
// engine, and one of today's, killed while they were sending: it is brought up
// to date, read, explained, sent, replayed and erased. `make history-fixture`
// adds one.
//
// Promise: P25.
func TestHistories(t *testing.T) {
	t.Parallel()
	kept, err := filepath.Glob("testdata/histories/*.json")
	if err != nil || len(kept) == 0 && os.Getenv("HISTORY_TO") == "" {
		t.Fatalf("there are no histories: %v", err)
	}
	for _, path := range kept {
		name := strings.TrimSuffix(filepath.Base(path), ".json")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			raw, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			h := history{Name: name}
			if err := json.Unmarshal(raw, &h); err != nil {
				t.Fatal(err)
			}
			g := lab.New(t, "")
			restore(t, g, strings.TrimSuffix(path, ".json"))
			readHistory(t, g, h)
		})
	}
	for _, engine := range []string{"sqlite", "postgres"} {
		t.Run("today-"+engine, func(t *testing.T) {
			t.Parallel()
			g := lab.New(t, keptConfig(keptSink(t, false).URL, "paid"))
			if engine == "postgres" {
				g.Database, g.Files = pgtest.Shared(t).URL(t), filepath.Join(g.Dir, "files")
				g.Lease = "5s"
			}
			g.Program = os.Getenv("HISTORY_PROGRAM")
			h := makeHistory(t, g)
			if to := os.Getenv("HISTORY_TO"); to != "" {
				keep(t, g, h, to+"-"+engine)
			}
			g.Program = ""
			readHistory(t, g, h)
		})
	}
}

// keep writes a history where restore finds it.
func keep(t *testing.T, g *lab.Gate, h history, path string) {
	t.Helper()
	text, err := json.MarshalIndent(h, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path+".json", text, 0o600); err != nil {
		t.Fatal(err)
	}
	var raw []byte
	if g.Database != "" {
		raw = pgtest.Dump(t, g.Database)
	} else {
		checkpoint(t, g.Storage)
		if raw, err = os.ReadFile(g.Storage); err != nil {
			t.Fatal(err)
		}
	}
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if _, err := w.Write(raw); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path+".gz", packed.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}

// checkpoint brings what is in the log of a killed process into the file.
func checkpoint(t *testing.T, path string) {
	t.Helper()
	conn, err := sql.Open("sqlite3", path)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.ExecContext(t.Context(), "PRAGMA wal_checkpoint(TRUNCATE)"); err != nil {
		t.Fatal(err)
	}
}

// restore puts a kept history where g expects its database.
func restore(t *testing.T, g *lab.Gate, path string) {
	t.Helper()
	f, err := os.Open(path + ".gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	unpacked, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := io.ReadAll(unpacked)
	if err != nil {
		t.Fatal(err)
	}
	files := g.Storage + ".files"
	if strings.HasSuffix(path, "-postgres") {
		files = filepath.Join(g.Dir, "files")
		g.Database, g.Files = pgtest.Shared(t).Restore(t, raw), files
	} else if err := os.WriteFile(g.Storage, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	// The contents of the files are not kept: the folder is a new one.
	if err := os.MkdirAll(files, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(files, ".adopt"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
}

// readHistory starts today's program on the history, with receivers that are
// mended and a rule that knows the status.
func readHistory(t *testing.T, g *lab.Gate, h history) {
	t.Helper()
	sink := keptSink(t, true)
	g.Configure(keptConfig(sink.URL, "bezahlt"))
	g.Start()
	if got := len(g.Events("--limit", "100")); got != len(h.Events) {
		t.Errorf("%d events, want %d", got, len(h.Events))
	}
	states := map[string]string{
		"order": "routed", "duplicate": "duplicate", "unmatched": "no_match", "unmatched for good": "no_match", "broken": "rule_error", "rejected": "rejected",
		"retrying": "routed", "behind it": "routed", "failed": "routed", "cancelled": "routed", "held": "routed", "lead": "routed", "spam": "spam", "under way": "routed",
	}
	for name, state := range states {
		got, want := g.Show(h.IDs[name]), h.Events[h.IDs[name]]
		if got.State != state {
			t.Errorf("%s is %s, want %s", name, got.State, state)
		}
		same(t, name+" by its maker and today", facts(want), facts(got))
	}
	for name, state := range map[string]string{"retrying": "retrying", "behind it": "waiting", "failed": "failed", "cancelled": "cancelled", "held": "held"} {
		if got := g.Show(h.IDs[name]).Deliveries[0].State; got != state {
			t.Errorf("the delivery of %s is %s, want %s", name, got, state)
		}
	}
	has(t, "the pause", g.MustCLI("connections", "show", "held"), "paused", "moving house")
	has(t, "the erasure", g.MustCLI("forms", "forgotten"), "aud_", "done")
	// The rules that judged it are those that explain it.
	has(t, "explain", g.MustCLI("explain", h.IDs["unmatched"]), `data.status == "paid"`, "bezahlt", "no longer in force")
	has(t, "explain what was routed", g.MustCLI("explain", h.IDs["order"]), "1 of 7 rules match")
	has(t, "replay", g.MustCLI("events", "replay", "--status", "no-match", "--yes"), "2 events replayed, 1 delivery made")
	g.MustCLI("connections", "resume", "held", "--yes")
	g.MustCLI("deliveries", "retry", "--failed", "--yes")
	g.MustCLI("deliveries", "retry", g.Show(h.IDs["retrying"]).Deliveries[0].ID, "--yes")
	for _, name := range []string{"under way", "held", "failed", "retrying", "behind it", "unmatched"} {
		for _, d := range g.Settled(h.IDs[name]).Deliveries {
			if d.State != "delivered" {
				t.Errorf("%s: %s is %s", name, d.Name, d.State)
			}
		}
	}
	out := filepath.Join(g.Dir, "contact.csv")
	g.MustCLI("forms", "export", "contact", "--out", out)
	text, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	has(t, "export", string(text), "ben@example.com", "plan.pdf")
	g.MustCLI("forms", "forget", "ben@example.com", "--yes")
	if got := g.CLI("events", "show", h.IDs["lead"]); got.Code != 5 {
		t.Errorf("an erased post: exit %d, %s", got.Code, got.Stdout)
	}
}

// facts are what no later version may say differently of an event.
func facts(ev lab.Event) map[string]any {
	made := []string{}
	for _, d := range ev.Deliveries {
		made = append(made, fmt.Sprint(d.ID, " ", d.Name, " ", compact(d.Output)))
	}
	var rules []string
	for _, r := range ev.Rules {
		rules = append(rules, r.Rule+" "+r.Result)
	}
	return map[string]any{
		"source": ev.Source, "type": ev.Type, "state": ev.State, "duplicate of": ev.DuplicateOf, "rules": rules, "deliveries": made,
		"body": ev.Body, "data": compact(ev.Data), "method": ev.Request.Method, "headers": ev.Request.Headers,
	}
}

// compact is JSON without blanks: a fixture's is indented.
func compact(text json.RawMessage) string {
	var short bytes.Buffer
	_ = json.Compact(&short, text) // what is no JSON is empty
	return short.String()
}
