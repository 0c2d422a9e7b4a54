package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"hookgate/app/admin"
	"hookgate/test/lab"
)

// holding counts the files of a gate that hold a text: the database, its log
// and the folder for files.
func holding(t *testing.T, g *lab.Gate, text string) (list []string) {
	t.Helper()
	return filesWith(t, g.Dir, text)
}

// filesWith are the files below a folder that hold a text.
func filesWith(t *testing.T, folder, text string) (list []string) {
	t.Helper()
	err := filepath.WalkDir(folder, func(path string, entry os.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // removed meanwhile
		}
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		raw, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
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
	return multipartPost(g, client, "apply", body)
}

// multipartPost posts a body of multipart/form-data, with the boundary B, to a form.
func multipartPost(g *lab.Gate, client *http.Client, form, body string) error {
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, g.URL+"/f/"+form, strings.NewReader(body))
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

// forgetful is what the gates of these tests run: files, ordering keys, a
// delivery that waits, and one that waits behind it.
func forgetful(good, bad string) string {
	return `
sources:
  shop: { type: webhook, token: e2e-shop-token-0123456789 }
forms:
  apply:
    fields: { name: { type: text }, email: { type: email, required: true }, cv: { type: file, accept: [pdf] } }
    rate_limit: 1000/s
connections:
  good: { type: webhook, url: ` + good + ` }
  bad: { type: webhook, url: ` + bad + `, retry: { delays: [1h] } }
rules:
  - { name: lead, from: apply, then: [ { to: good, ordering_key: data.email, json: { who: "${{ data.email }}" } }, { to: bad, ordering_key: data.email, json: { who: "${{ data.email }}" } } ] }
  - { name: order, from: shop, then: [ { to: good, json: { who: "${{ data.email }}" } } ] }
`
}

// deletions are what forms forgotten lists.
func deletions(t *testing.T, g *lab.Gate) []admin.Erasure {
	t.Helper()
	var list admin.Page[admin.Erasure]
	if err := json.Unmarshal([]byte(g.MustCLI("forms", "forgotten", "--json")), &list); err != nil {
		t.Fatal(err)
	}
	return list.Items
}

// On PostgreSQL, with two replicas, nothing of her is in any row of any table
// afterwards, and nothing in the folder; what others sent is. It fails where a
// table is left out, and where another replica is not told what may go now.
func TestFormsForget_postgres(t *testing.T) {
	t.Parallel()
	good := lab.NewSink(t, nil)
	bad := lab.NewSink(t, func(lab.Arrival) lab.Answer { return lab.Answer{Status: http.StatusServiceUnavailable} })
	gates := replicas(t, 2, forgetful(good.URL, bad.URL))
	database, folder := gates[0].Database, gates[0].Files
	const her = "ada.lovelace@example.com"
	client := lab.NewClient()
	for i, post := range [][2]string{{"Ada", her}, {"Ada again", "Ada.Lovelace@Example.com"}, {"Ben", "ben@example.com"}, {"my friend is " + her, "cy@example.com"}} {
		if err := apply(gates[i%2], client, post[0], post[1]); err != nil {
			t.Fatal(err)
		}
	}
	lab.Eventually(t, "all is sent that can be", func() bool {
		return len(good.Arrivals()) == 4 && len(bad.Arrivals()) >= 4
	})
	if rows := rowsWith(t, database, her); len(rows) < 3 || len(filesWith(t, folder, her)) != 2 {
		t.Fatalf("the test looks for what is not there: %v", rows)
	}
	r := gates[0].CLI("forms", "forget", her, "--dry-run")
	has(t, "the preview", r.Stdout+r.Stderr, "2 events hold this address, with 4 deliveries", "and 2 files", "1 other event", "Nothing was deleted")
	if n := len(deletions(t, gates[0])); n != 0 {
		t.Errorf("a preview left %d records", n)
	}
	r = gates[0].CLI("forms", "forget", her, "--yes")
	has(t, "what it says", r.Stdout+r.Stderr, "2 events deleted, with 4 deliveries and 2 files", "until VACUUM", "has the number aud_")
	r = gates[1].CLI("forms", "forget", her, "--yes", "--mentions")
	has(t, "what it says of the rest", r.Stdout+r.Stderr, "1 event deleted, with 2 deliveries and 1 file")
	if rows := rowsWith(t, database, "ada.lovelace"); len(rows) != 0 {
		t.Errorf("the address still stands in %v", rows)
	}
	lab.Eventually(t, "her files are gone", func() bool { return len(filesWith(t, folder, her)) == 0 })
	if left := gates[1].Events(); len(left) != 1 || len(filesWith(t, folder, "ben@example.com")) != 1 {
		t.Errorf("%d events of others are left", len(left))
	}
	list := deletions(t, gates[1])
	if len(list) != 2 || !list[0].Done || !list[0].Mentions || list[0].Events != 1 || list[1].Events != 2 || list[1].Deliveries != 4 || list[1].Files != 2 {
		t.Errorf("records %+v", list)
	}
	// The next of her ordering key is taken, not held behind what is gone.
	before := len(good.Arrivals())
	if err := apply(gates[1], client, "Ada", her); err != nil {
		t.Fatal(err)
	}
	lab.Eventually(t, "a new post of hers is sent", func() bool { return len(good.Arrivals()) == before+1 })
}

// rowsWith are the tables that hold a text in any column, with how many rows.
func rowsWith(t *testing.T, database, text string) (found []string) {
	t.Helper()
	ctx := t.Context()
	conn, err := pgx.Connect(ctx, database)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(ctx) }()
	rows, err := conn.Query(ctx, `SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema() AND table_type = 'BASE TABLE'`)
	if err != nil {
		t.Fatal(err)
	}
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(tables) < 8 {
		t.Fatalf("tables %v, %v", tables, err)
	}
	hex := fmt.Sprintf("%x", text) // as bytea is written
	for _, table := range tables {
		var n int
		query := fmt.Sprintf(`SELECT count(*) FROM %s r WHERE lower(r::text) LIKE '%%' || $1 || '%%' OR r::text LIKE '%%' || $2 || '%%'`, pgx.Identifier{table}.Sanitize())
		if err := conn.QueryRow(ctx, query, text, hex).Scan(&n); err != nil {
			t.Fatalf("%s: %v", table, err)
		}
		if n > 0 {
			found = append(found, fmt.Sprintf("%s (%d)", table, n))
		}
	}
	return found
}

// A person asks to be forgotten: her posts, what was sent of them, her files
// and what is kept under her address are gone, also from the bytes of the
// database, its log, and the server's own log. What others sent meanwhile is
// all there. It fails where any table, the log or the folder is left out.
func TestFormsForget(t *testing.T) {
	t.Parallel()
	good := lab.NewSink(t, nil)
	bad := lab.NewSink(t, func(lab.Arrival) lab.Answer { return lab.Answer{Status: http.StatusServiceUnavailable} })
	g := lab.Start(t, forgetful(good.URL, bad.URL))
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
	if list := deletions(t, g); len(list) != 2 || !list[0].Done || !list[0].Sources || list[1].Sources || list[1].Events != 2 || list[1].Files != 2 {
		t.Errorf("records %+v", list)
	}
	if r := g.CLI("forms", "forget", her, "--yes"); r.Code != 0 || !strings.Contains(r.Stdout, "no event holds this address") {
		t.Errorf("once more: %d %s", r.Code, r.Stdout+r.Stderr)
	}
}

// What others' events looked up of her, and what receivers answered of her, goes
// too: a record, the event that read it, the event whose step was answered her
// address, and the record of that answer. Break: leave Reads out of address.In, or do not ask lookIntoSteps.
func TestFormsForget_looked(t *testing.T) {
	t.Parallel()
	const her = "ada.lovelace@example.com"
	crm := lab.NewSink(t, func(a lab.Arrival) lab.Answer {
		return lab.Answer{Status: http.StatusOK, Body: `{"owner":"` + strings.Replace(her, "ada", strings.Trim(string(a.Body), `"`), 1) + `"}`}
	})
	good := lab.NewSink(t, nil)
	g := lab.Start(t, `
sources:
  shop: { type: webhook, token: e2e-shop-token-0123456789 }
tables: { projects: { keep: 30d } }
connections:
  crm: { type: webhook, url: `+crm.URL+` }
  good: { type: webhook, url: `+good.URL+` }
rules:
  - { name: own, from: shop, when: data.owner != nil, then: [{ remember: { table: projects, key: data.project, set: { owner: "${{ data.owner }}" } } }] }
  - { name: done, from: shop, when: data.done == true, then: [{ to: good, json: { tell: "${{ lookup('projects', data.project).owner }}" } }] }
  - name: ask
    from: shop
    when: data.ask != nil
    then:
      - { step: who, to: crm, json: "${{ data.ask }}", outputs: { owner: body.owner } }
      - { to: good, after: who, json: { tell: "${{ outputs.who.owner }}" } }
      - { after: who, remember: { table: projects, key: data.ask, set: { owner: "${{ outputs.who.owner }}" } } }
`)
	for _, body := range []string{
		`{"project":"p7","owner":"` + her + `"}`, `{"project":"p8","owner":"ben@example.com"}`,
		`{"project":"p7","done":true}`, `{"project":"p8","done":true}`, `{"ask":"ada"}`, `{"ask":"ben"}`,
	} {
		g.Accepted(g.PostJSON("/in/shop/e2e-shop-token-0123456789", []byte(body)))
	}
	lab.Eventually(t, "all is delivered", func() bool { return len(g.Deliveries("--state", "delivered")) == 8 })
	if len(holding(t, g, her)) == 0 {
		t.Fatal("the test looks for what is not there")
	}
	r := g.CLI("forms", "forget", her, "--sources", "--dry-run")
	has(t, "the preview", r.Stdout+r.Stderr, "3 events hold this address, with 4 deliveries", "2 records of kept tables")
	has(t, "what it says", g.MustCLI("forms", "forget", her, "--sources", "--yes"), "3 events deleted, with 4 deliveries", "2 records deleted")
	if found := holding(t, g, her); len(found) != 0 {
		t.Errorf("the address still stands in %v", found)
	}
	same(t, "what is left of others", []int{3, 4}, []int{len(g.Events()), len(g.Deliveries("--state", "delivered"))})
	has(t, "the record of another", g.MustCLI("tables", "get", "projects", "p8"), "ben@example.com")
}
