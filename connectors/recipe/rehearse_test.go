package recipe_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hookgate/connectors/recipe"
)

// What a sample says and the recipe does not do is told at its place. Break: leave
// out any of the comparisons.
func TestRehearse(t *testing.T) {
	t.Parallel()
	const text = `recipe: 1
name: mytool
doc: Adds contacts to MyTool.
link: https://docs.mytool.example/api
settings:
  api_key: { secret: true, required: true, doc: The key., example: k }
  api_url: { type: url, default: https://api.mytool.example/v1, doc: Another address. }
auth:
  bearer: ${{ settings.api_key }}
actions:
  add:
    doc: Adds a contact.
    inputs: { email: { required: true, doc: The address., example: a@b.example }, n: { type: number, doc: A number. } }
    request:
      path: /contacts
      json: { person: { email: "${{ input.email }}", n: "${{ input.n }}" } }
      success: status == 201
    outputs: { id: body.id }
test:
  what: asks MyTool for the account
  request: { path: /account }
  says: the account is ${{ body.name }}
message: ${{ body.error }}
samples:
  - settings: { api_key: canary-1, api_url: BASE/v1 }
    action: { add: { email: ada@example.com, n: 1 } }
    request: { url: /v1/contacts, headers: { Authorization: Bearer canary-1 }, json: { person: { email: ada@example.com, n: 1 } } }
    answers:
      - { status: 201, body: { id: c1 }, is: delivered, outputs: { id: c1 } }
      - { status: 422, body: { error: no such domain }, is: permanent, message: no such domain }
      - { status: 503, headers: { Retry-After: "30" }, is: transient, after: 30s }
  - test: true
    request: { url: /v1/account }
    answers:
      - { status: 200, body: { name: Agency }, is: delivered, says: the account is Agency }
`
	for name, c := range map[string]struct{ old, now, want string }{
		"as they are":    {"", "", ""},
		"class":          {"body: { id: c1 }, is: delivered, outputs: { id: c1 }", "body: { id: c1 }, is: transient", `29:46 with the answer 201 {"id":"c1"} it is delivered, not transient`},
		"message":        {"message: no such domain }", "message: no such tool }", `30:61 with the answer 422 {"error":"no such domain"} the message has no "no such tool": 422 Unprocessable Entity: no such domain`},
		"wait":           {"after: 30s", "after: 40s", `31:60 with the answer 503 it asks to wait 30s, not 40s`},
		"output":         {"outputs: { id: c1 }", "outputs: { id: c2 }", `29:46 with the answer 201 {"id":"c1"} the output id is "c1", not "c2"`},
		"path":           {"url: /v1/contacts,", "url: /contacts,", `27:5 the request is POST /v1/contacts, not POST /contacts`},
		"query":          {"url: /v1/contacts,", `url: "/v1/contacts?a=1",`, `27:5 of the query a is "", not "1"`},
		"header":         {"Authorization: Bearer canary-1 }, json", "Authorization: Bearer canary-2 }, json", `27:5 the header Authorization is "Bearer canary-1", not "Bearer canary-2"`},
		"a value":        {"n: 1 } } }", "n: 2 } } }", `27:5 person.n is 1, not 2`},
		"too little":     {"person: { email: ada@example.com, n: 1 } }", "person: { email: ada@example.com } }", `27:5 person has n, which the sample has not`},
		"too much":       {"person: { email: ada@example.com, n: 1 } }", "person: { email: ada@example.com, n: 1, x: 2 } }", `27:5 person has no x`},
		"says":           {"says: the account is Agency }", "says: the account is Firm }", `35:52 with the answer 200 {"name":"Agency"} it says "the account is Agency", not "the account is Firm"`},
		"method":         {"request: { url: /v1/account }", "request: { url: /v1/account, method: POST }", `33:5 the request is GET /v1/account, not POST /v1/account`},
		"nothing to try": {"    request: { url: /v1/account }\n", "", `32:5 a sample needs a request, and "answers" to the last one`},
		"settings":       {"api_key: canary-1, api_url: BASE/v1", "api_url: BASE/v1", `25:5 its settings cannot be used: a mytool connection needs "api_key"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if !strings.Contains(text, c.old) {
				t.Fatalf("the recipe has no %q", c.old)
			}
			r, list := recipe.Read("mytool.yaml", []byte(strings.Replace(text, c.old, c.now, 1)))
			if err := list.Err(); err != nil {
				t.Fatal(err)
			}
			list, err := r.Rehearse(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			var got string
			if len(list) > 0 {
				if list[0].Code != recipe.CodeSample || list[0].File != "mytool.yaml" {
					t.Errorf("got %v", list[0])
				}
				got = fmt.Sprintf("%d:%d %s", list[0].Line, list[0].Column, list[0].Message)
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}
