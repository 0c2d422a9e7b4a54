package e2e

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hookgate/test/lab"
)

// holding counts the files of a gate that hold a text: the database, its log
// and the folder for files.
func holding(t *testing.T, g *lab.Gate, text string) (list []string) {
	t.Helper()
	err := filepath.WalkDir(g.Dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		raw, err := os.ReadFile(path)
		if err == nil && strings.Contains(strings.ToLower(string(raw)), text) {
			list = append(list, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// apply posts to the form of TestFormsForget, with a file that names the
// visitor, and returns what is wrong with the answer.
func apply(g *lab.Gate, client *http.Client, name, email string) error {
	body := fmt.Sprintf("--B\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\n%s\r\n"+
		"--B\r\nContent-Disposition: form-data; name=\"email\"\r\n\r\n%s\r\n"+
		"--B\r\nContent-Disposition: form-data; name=\"cv\"; filename=\"%s.pdf\"\r\n\r\n%%PDF-1.7 of %s\r\n--B--\r\n", name, email, email, email)
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, g.URL+"/f/apply", strings.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "multipart/form-data; boundary=B")
	req.Header.Set("Accept", "application/json")
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("a post is answered with %s", res.Status)
	}
	return nil
}

// A person asks to be forgotten: her posts, what was sent of them, her files
// and what is kept under her address are gone, also from the bytes of the
// database, its log, and the server's own log. What others sent meanwhile is
// all there. It fails where any table, the log or the folder is left out.
func TestFormsForget(t *testing.T) {
	t.Parallel()
	good := lab.NewSink(t, nil)
	bad := lab.NewSink(t, func(lab.Arrival) lab.Answer { return lab.Answer{Status: http.StatusServiceUnavailable} })
	g := lab.Start(t, `
sources:
  shop: { type: webhook, token: e2e-shop-token-0123456789 }
forms:
  apply:
    fields: { name: { type: text }, email: { type: email, required: true }, cv: { type: file, accept: [pdf] } }
    rate_limit: 1000/s
connections:
  good: { type: webhook, url: `+good.URL+` }
  bad: { type: webhook, url: `+bad.URL+`, retry: { delays: [1h] } }
rules:
  - { name: lead, from: apply, then: [ { to: good, ordering_key: data.email, json: { who: "${{ data.email }}" } }, { to: bad, ordering_key: data.email, json: { who: "${{ data.email }}" } } ] }
  - { name: order, from: shop, then: [ { to: good, json: { who: "${{ data.email }}" } } ] }
`)
	const her = "ada.lovelace@example.com"
	client := lab.NewClient()
	for _, post := range [][2]string{{"Ada", her}, {"Ada", "Ada.Lovelace@Example.com"}, {"my friend is " + her + ".", "ben@example.com"}} {
		if err := apply(g, client, post[0], post[1]); err != nil {
			t.Fatal(err)
		}
	}
	g.Accepted(g.PostJSON("/in/shop/e2e-shop-token-0123456789", []byte(`{"buyer":{"email":"`+her+`"}}`)))
	for _, e := range g.Events() {
		lab.Eventually(t, "all is sent that can be", func() bool {
			for _, d := range g.Show(e.ID).Deliveries {
				if d.State == "sending" || d.State == "waiting" && d.Connection == "good" {
					return false
				}
			}
			return true
		})
	}
	if len(holding(t, g, her)) < 2 {
		t.Fatal("the test looks for what is not there")
	}
	r := g.CLI("forms", "forget", " ADA.lovelace@example.com", "--dry-run")
	has(t, "the preview", r.Stdout+r.Stderr, "apply", "2 events hold this address, with 4 deliveries", "and 2 files", "1 other event", "Nothing was deleted")
	if r = g.CLI("forms", "forget", her); r.Code != 2 || len(g.Events()) != 4 {
		t.Errorf("without --yes: exit %d, %d events left", r.Code, len(g.Events()))
	}

	stop, others := make(chan struct{}), make(chan int)
	go func() { // traffic of others meanwhile
		n := 0
		for ; n < 400; n++ {
			select {
			case <-stop:
				others <- n
				return
			default:
				if err := apply(g, client, "Cy", fmt.Sprintf("cy%d@example.com", n)); err != nil {
					t.Error(err)
				}
			}
		}
		<-stop
		others <- n
	}()
	out := g.MustCLI("forms", "forget", her, "--yes")
	has(t, "what it says", out, "2 events deleted, with 4 deliveries and 2 files")
	out = g.MustCLI("forms", "forget", her, "--yes", "--sources", "--mentions")
	has(t, "what it says of the rest", out, "2 events deleted")
	close(stop)
	n := <-others
	if found := g.Events("--limit", "500"); len(found) != n {
		t.Errorf("%d events of others are left, want %d", len(found), n)
	}
	if found := holding(t, g, her); len(found) != 0 {
		t.Errorf("the address still stands in %v", found)
	}
	if !strings.Contains(g.Stderr(), "what was stored of a person was deleted") {
		t.Error("the log does not tell of it")
	}
	if r := g.CLI("forms", "forget", her, "--yes"); r.Code != 0 || !strings.Contains(r.Stdout, "no event holds this address") {
		t.Errorf("once more: %d %s", r.Code, r.Stdout+r.Stderr)
	}
}
