package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"hookgate/test/lab"
)

// What the API answers is what its description says, for every route that can
// be read, and no answer has a key that the description lacks.
func TestOpenAPI(t *testing.T) {
	t.Parallel()
	sink := lab.NewSink(t, nil)
	g := lab.New(t, "")
	g.Extra = "  admin: { user: ops, password: e2e-password-0123456789 }\n"
	g.Configure(fmt.Sprintf(`
sources:
  in: { type: webhook, token: e2e-token-0123456789 }
forms:
  contact: { fields: { email: { type: email } } }
connections:
  out: { type: webhook, url: %q }
rules:
  - { name: pass, from: [in, contact], when: data.email != "", then: [{ to: out, json: "${{ data }}" }] }
`, sink.URL))
	g.Start()
	event := g.Settled(g.Accepted(g.PostJSON("/in/in/e2e-token-0123456789", []byte(`{"email":"ada@example.com","n":[1,2.5,null]}`))))
	g.PostJSON("/in/in/e2e-token-0123456789", []byte(`{`))
	get := func(path string) []byte {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, g.URL+"/api/v1"+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.SetBasicAuth("ops", "e2e-password-0123456789")
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		var text bytes.Buffer
		if _, err := text.ReadFrom(res.Body); err != nil || res.StatusCode != http.StatusOK {
			t.Fatalf("%s: %s %s %v", path, res.Status, &text, err)
		}
		return text.Bytes()
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(get("/openapi.json")))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft2020)
	if err := compiler.AddResource("openapi.json", document); err != nil {
		t.Fatal(err)
	}
	ids := map[string]string{
		"/events/{id}": event.ID, "/deliveries/{id}": event.Deliveries[0].ID, "/connections/{name}": "out",
		"/sources/{name}/fields": "in", "/forms/{name}/fields": "contact", "/samples/{name}": "in",
	}
	asked := 0
	paths, _ := at(document, "paths").(map[string]any)
	for path := range paths {
		content, _ := at(document, "paths", path, "get", "responses", "200", "content", "application/json").(map[string]any)
		url := path
		if before, rest, found := strings.Cut(path, "{"); found {
			if ids[path] == "" {
				continue // a replay or a file, of which there is none here
			}
			_, rest, _ = strings.Cut(rest, "}")
			url = before + ids[path] + rest
		}
		if content == nil || path == "/tokens" || path == "/openapi.json" {
			continue // no JSON to read, or not over HTTP
		}
		asked++
		pointer := "openapi.json#/paths/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(path) + "/get/responses/200/content/application~1json/schema"
		schema, err := compiler.Compile(pointer)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		answer, err := jsonschema.UnmarshalJSON(bytes.NewReader(get(url)))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(answer); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		unknown(t, path, content["schema"], answer)
	}
	if asked < 14 {
		t.Errorf("only %d routes were asked", asked)
	}
}

// at goes down the keys of objects.
func at(value any, keys ...string) any {
	for _, key := range keys {
		object, _ := value.(map[string]any)
		value = object[key]
	}
	return value
}

// unknown reports keys of an answer that its schema does not have.
func unknown(t *testing.T, path string, schema, answer any) {
	t.Helper()
	switch v := answer.(type) {
	case []any:
		for _, item := range v {
			unknown(t, path+"[]", at(schema, "items"), item)
		}
	case map[string]any:
		properties, _ := at(schema, "properties").(map[string]any)
		if properties == nil {
			return // any key: a map
		}
		for key, item := range v {
			if _, known := properties[key]; !known {
				text, _ := json.Marshal(item)
				t.Errorf("%s: the description lacks %s: %s", path, key, text)
				continue
			}
			unknown(t, path+"."+key, properties[key], item)
		}
	}
}
