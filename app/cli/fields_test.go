package cli_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hookgate/internal/schema"
)

const fieldsConfig = `version: 1
server: { listen: "LISTEN" }
sources:
  sitejet: { type: sitejet, token: 0123456789abcdef0123 }
  shop: { type: webhook, token: fedcba98765432100123, event_type: data.type }
forms:
  contact: { fields: { name: { type: text, required: true }, topic: { type: select, options: [web, print] } } }
`

// The fields are the same from a running server and, once it has ended, from
// its file, which is left as it was.
func TestFields(t *testing.T) {
	t.Parallel()
	config := writeConfig(t, strings.Replace(fieldsConfig, "LISTEN", freePort(t), 1))
	_, stop := startServer(t, config)
	for _, text := range []string{
		`{"type": "paid", "id": 7, "token": "geheim", "items": [{"sku": "a"}, {"sku": "b"}]}`, `{"type": "paid", "id": null, "items": []}`, `{"type": "sent"}`,
	} {
		if got := runWith(t, text, "events", "send", "shop", "-", "-c", config); got.code != 0 {
			t.Fatalf("%+v", got)
		}
	}
	_ = runWith(t, `{"type": broken`, "events", "send", "shop", "-", "-c", config) // kept, and no part of the shape
	const shop = `shop: the last 3 events (2 paid, 1 sent)
FIELD             TYPE          SEEN IN  EXAMPLES
data.id           null, number  2 of 3   7
data.items        list          2 of 3
data.items[]      object        1 of 3
data.items[].sku  text          1 of 3   "a", "b"
data.token        text          1 of 3   "••••", …
data.type         text          3 of 3   "paid", "sent"
`
	same := func(where string) {
		t.Helper()
		for args, want := range map[string]string{
			"sources fields shop": shop,
			"forms fields contact": `contact: no event has come yet, and the fields of the form
FIELD       TYPE          SEEN IN  EXAMPLES
data.extra  null, object  –
data.name   text          –
data.topic  null, text    –        "web", "print"
`,
		} {
			if got := run(t, append(strings.Fields(args), "-c", config)...); got.code != 0 || got.out != want {
				t.Errorf("%s: %s: %+v", where, args, got)
			}
		}
		got := run(t, "sources", "fields", "shop", "--type", "sent", "--json", "-c", config)
		var origin schema.Source
		if err := json.Unmarshal([]byte(got.out), &origin); err != nil || len(origin.Seen) != 1 || len(origin.Seen[0].Fields) != 1 {
			t.Errorf("%s: %v %+v", where, err, got)
		}
		for args, want := range map[string]string{
			"sources fields contact":           "contact", // said differently by the server
			"sources fields shp":               "shp",
			"forms fields shop":                "shop",
			"sources fields shop --type refun": `shop has no event of the type "refun"`,
		} {
			if got := run(t, append(strings.Fields(args), "-c", config)...); got.code != 5 || !strings.Contains(got.errOut, want) {
				t.Errorf("%s: %s: %+v", where, args, got)
			}
		}
	}
	same("server")
	if code := stop(); code != 0 {
		t.Fatalf("the server ended with %d", code)
	}
	before := listFolder(t, filepath.Dir(config))
	same("file")
	if after := listFolder(t, filepath.Dir(config)); after != before {
		t.Errorf("looking has changed the folder from %s to %s", before, after)
	}
}

// Without a server and without a database there is what is documented.
func TestFields_documented(t *testing.T) {
	t.Parallel()
	config := writeConfig(t, strings.Replace(fieldsConfig, "LISTEN", "127.0.0.1:0", 1))
	got := run(t, "sources", "fields", "sitejet", "-c", config)
	for _, part := range []string{
		"sitejet: no event has come yet, and what Sitejet documents\n", "data.website.due_date              null, text     –\n",
		`data.website.status                text           –        "Lead", "Interest", "Preparation", "Approval", …`,
	} {
		if got.code != 0 || !strings.Contains(got.out, part) {
			t.Errorf("it lacks %q:\n%s", part, got.out)
		}
	}
}

func listFolder(t *testing.T, folder string) string {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return strings.Join(names, " ")
}

// check knows what has come: from the server, then from its file.
func TestCheck_seen(t *testing.T) {
	t.Parallel()
	const rules = `connections:
  hook: { type: webhook, url: https://api.billing.example }
  hook2: { type: webhook, url: https://api.billing.example }
  hook3: { type: webhook, url: https://api.billing.example }
rules:
  - name: r
    from: [sitejet, shop, contact]
    then: [{ to: hook, json: { ok: true } }]
  - name: order
    from: shop
    when: data.typ == "paid"
    then: [{ to: hook2, json: { id: 1 } }]
  - name: fine
    from: shop
    # hookgate:ignore unseen-field
    when: data.type == "paid"
    then: [{ to: hook3, json: { id: 2 } }]
`
	config := writeConfig(t, strings.Replace(fieldsConfig, "LISTEN", freePort(t), 1)+rules)
	before := run(t, "check", "--strict", "-c", config) // nothing is known of the shop's events
	if before.code != 0 || strings.Contains(before.errOut, "warn[") || !strings.Contains(before.out, "warnings: 0") {
		t.Errorf("before any event: %+v", before)
	}
	_, stop := startServer(t, config)
	for range 3 {
		if got := runWith(t, `{"type": "paid"}`, "events", "send", "shop", "-", "-c", config); got.code != 0 {
			t.Fatalf("%+v", got)
		}
	}
	same := func(where string) {
		t.Helper()
		got := run(t, "check", "-c", config)
		for _, part := range []string{
			"warn[unseen-field] ", ": none of the last 3 shop events had data.typ\n", `did you mean "type"?      (check --strict fails on this)`,
			"warn[unused-ignore] ", ": there is no unseen-field to ignore here\n",
		} {
			if got.code != 0 || strings.Count(got.errOut, part) != 1 {
				t.Errorf("%s: not once %q: %+v", where, part, got)
			}
		}
		if !strings.Contains(got.out, "warnings: 2") {
			t.Errorf("%s: %+v", where, got)
		}
		strict := run(t, "check", "--strict", "-c", config)
		if strict.code != 1 || !strings.Contains(strict.errOut, "hookgate: the config has 2 warnings, and --strict allows none") {
			t.Errorf("%s: strict: %+v", where, strict)
		}
		if asJSON := run(t, "check", "--strict", "--json", "-c", config); asJSON.code != 1 || !strings.Contains(asJSON.out, `"ok": false`) {
			t.Errorf("%s: strict JSON: %+v", where, asJSON)
		}
	}
	same("server")
	if code := stop(); code != 0 {
		t.Fatalf("the server ended with %d", code)
	}
	same("file")
}

// The list has the forms of the config, and counts what a running server got.
func TestFormsList(t *testing.T) {
	t.Parallel()
	listen := freePort(t)
	config := writeConfig(t, strings.Replace(fieldsConfig, "LISTEN", listen, 1))
	const without = "FORM     ADDRESS"
	if got := run(t, "forms", "list", "-c", config); got.code != 0 || !strings.HasPrefix(got.out, without) || strings.Contains(got.out, "POSTS") || !strings.Contains(got.errOut, "no server runs") {
		t.Errorf("without a server: %+v", got)
	}
	_, stop := startServer(t, config)
	defer stop()
	for _, post := range []string{"name=Ada", "name=Bot&_gotcha=1", "name=Bot2&_gotcha=1"} {
		res, err := http.Post("http://"+listen+"/f/contact", "application/x-www-form-urlencoded", strings.NewReader(post))
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
	}
	got := run(t, "forms", "list", "--json", "-c", config)
	var list struct {
		Items []struct {
			Name, Title, Address string
			Fields               []string
			Posts, Spam          int
		}
	}
	if err := json.Unmarshal([]byte(got.out), &list); err != nil || len(list.Items) != 1 {
		t.Fatalf("%v: %+v", err, got)
	}
	if f := list.Items[0]; f.Name != "contact" || f.Title != "Contact" || f.Address != "http://"+listen+"/f/contact" || len(f.Fields) != 2 || f.Posts != 1 || f.Spam != 2 {
		t.Errorf("got %+v", f)
	}
}
