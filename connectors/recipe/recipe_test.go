package recipe_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hookgate/connectors/recipe"
	"hookgate/internal/event"
	"hookgate/internal/yamlnode"
)

const head = "recipe: 1\nname: mytool\ndoc: Does things.\nsettings:\n  api_url: { type: url, default: https://api.mytool.example, doc: Another address. }\n"

const action = "actions:\n  add:\n    doc: Adds it.\n    inputs:\n      email: { required: true, doc: The address., example: a@b.de }\n"

// Every fault of a recipe is found at its place.
func TestRead_faults(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		head: `error[missing-key] mytool.yaml:1:1: a recipe needs "actions"`,
		head + action + "    request: { path: /x }\nsuccss: status == 1":               `mytool.yaml:12:1: a recipe has no key "succss" (did you mean "success"?)`,
		head + action + "    request: { pth: /x }":                                     `mytool.yaml:11:16: a request has no key "pth" (did you mean "path"?)`,
		head + action + "    request: { path: x }":                                     `mytool.yaml:11:22: "path" starts with /`,
		head + action + "    request: { path: '/x?y=${{ input.email }}' }":             `mytool.yaml:11:22: "path" holds a "?" (write what follows "?" under query)`,
		head + action + "    request: { path: /x, json: { e: '${{ input.emial }}' } }": `mytool.yaml:11:48: input has no "emial" (did you mean "email"?)`,
		head + action + "    request: { path: '/${{ settings.list }}' }":               `mytool.yaml:11:37: settings has no "list" (it has api_url)`,
		head + action + "    request: { path: /x, success: status = 200 }":             `mytool.yaml:11:42: "=" is not an operator (write == to compare)`,
		head + action + "    request: { path: /x, success: data.x }":                   `mytool.yaml:11:35: unknown name "data"`,
		head + action + "    request: { path: /x, json: 1, form: { a: b } }":           `mytool.yaml:11:5: a request has one body (keep one of json, form and body)`,
		head + action + "    request: { path: /x, method: FETCH }":                     `"FETCH" is no method that can be used here`,
		head + action + "    request: { path: /x, headers: { 'a b': c } }":             `"a b" is not a valid header name`,
		head + action + "    request: { path: /x }\n    steps: [{ path: /y }]":         `an action has either "request" or "steps"`,
		head + action + "    steps: [{ path: /x }, { name: b, path: /y }]":             `a step needs "name"`,
		head + action + "    steps: [{ name: a, path: '/${{ steps.b.body }}' }]":       `steps has no "b"`,
		head + action: `mytool.yaml:7:3: the action "add" needs "request" or "steps"`,
		head + action + "    shorthand: mail\n    request: { path: /x }":                                                                                   `"mail" is no input of this action`,
		head + action + "    request: { path: /x }\nauth: {}":                                                                                              `mytool.yaml:12:1: auth does not say how to log in`,
		head + action + "    request: { path: /x }\nauth: { bearer: '${{ settings.k }}' }":                                                                 `settings has no "k"`,
		head + action + "    request: { path: /x }\nerrors: [{ when: status == 1, is: bad }]":                                                              `"is" cannot be "bad" (it can be permanent, transient, delivered, expired)`,
		head + action + "    request: { path: /x }\nsamples: [{ action: { add: { mail: x } } }]":                                                           `add has no key "mail" (did you mean "email"?)`,
		head + action + "    request: { path: /x }\ntest: { what: asks }":                                                                                  `mytool.yaml:12:1: a test needs "request" (one that changes nothing)`,
		head + action + "    request: { path: /x }\ntest: { request: { path: /x } }":                                                                       `a test needs "what"`,
		head + action + "    request: { path: /x }\ntest: { what: Asks., request: { path: /x } }":                                                          `"what" goes on where a sentence has begun`,
		head + action + "    request: { path: /x }\ntest: { what: asks, request: { method: DELETE, path: /x } }":                                           `a test changes nothing: "DELETE" cannot be its method (it can be GET, POST)`,
		head + action + "    request: { path: /x }\ntest: { what: asks, request: { name: a, path: /x } }":                                                  `a test has one request, which is always made`,
		head + action + "    request: { path: /x }\ntest: { what: asks, request: { when: 'true', path: /x } }":                                             `a test has one request, which is always made`,
		head + action + "    request: { path: /x }\ntest: { what: asks, request: { path: '/${{ input.email }}' } }":                                        `unknown name "input"`,
		head + action + "    request: { path: /x }\ntest: { what: asks, request: { path: /x }, says: '${{ delivery.id }}' }":                               `unknown name "delivery"`,
		head + action + "    request: { path: /x }\ntests: { what: asks }":                                                                                 `(did you mean "test"?)`,
		head + action + "    request: { path: /x }\n    outputs: [id]":                                                                                     `mytool.yaml:12:5: "outputs" must be a mapping of names to expressions (such as { id: body.id })`,
		head + action + "    request: { path: /x }\n    outputs: { id: [body.id] }":                                                                        `mytool.yaml:12:16: "id" must be an expression (such as body.id)`,
		head + action + "    request: { path: /x }\n    remember: { id: body.id }":                                                                         `mytool.yaml:12:5: what is remembered needs "key", by which it is found again (such as key: input.reference)`,
		head + action + "    request: { path: /x }\n    key: input.email":                                                                                  `mytool.yaml:12:10: "key" is for what an action of the recipe remembers: none has "remember" (leave it out)`,
		head + action + "    request: { path: /x }\n    key: input.emial\n    remember: { id: body.id }":                                                   `mytool.yaml:12:16: input has no "emial" (did you mean "email"?)`,
		head + action + "    request: { path: /x }\n    key: body.id\n    remember: { id: body.id }":                                                       `mytool.yaml:12:10: unknown name "body"`,
		head + action + "    request: { path: '/${{ memory.idd }}' }\n    key: input.email\n    remember: { id: body.id }":                                 `memory has no "idd" (did you mean "id"?)`,
		head + action + "    request: { path: '/${{ memory.id }}' }":                                                                                       `unknown name "memory"`,
		head + action + "    request: { path: /x }\nsamples: [{ test: true }]":                                                                             `this recipe has no test`,
		head + action + "    request: { path: /x }\nsamples: [{ request: { url: /x } }]":                                                                   `a sample needs "action" (or test: true)`,
		head + action + "    request: { path: /x }\ntest: { what: asks, request: { path: /x } }\nsamples: [{ test: true, action: { add: { email: x } } }]": `a sample has either "action" or "test"`,
		strings.Replace(head, "recipe: 1", "recipe: 2", 1) + action + "    request: { path: /x }":                                                          `mytool.yaml:1:9: this hookgate reads version 1 of the format only`,
		strings.Replace(head, "name: mytool", "name: My Tool", 1) + action + "    request: { path: /x }":                                                   `"My Tool" cannot be a name here`,
		strings.Replace(head, "type: url", "type: uri", 1) + action + "    request: { path: /x }":                                                          `there is no type "uri" (did you mean "url"?)`,
		strings.Replace(head, "api_url:", "timeout:", 1) + action + "    request: { url: 'https://x' }":                                                    `every connection has a setting "timeout" already`,
		strings.Replace(head, "api_url:", "other:", 1) + action + "    request: { path: /x }":                                                              `a request needs "url"`,
		head + "actions:\n  add:\n    doc: Adds it.\n    inputs: { text: { max: 5, unit: words, doc: A text. } }\n    request: { path: /x }":               `there is no unit "words" (it can be utf16, bytes, json, html)`,
		head + "actions:\n  add:\n    doc: Adds it.\n    inputs: { text: { unit: bytes, doc: A text. } }\n    request: { path: /x }":                       `"unit", "cut" and "split" go with "max" and a text`,
		head + "actions:\n  add:\n    doc: Adds it.\n    inputs: { text: { max: 5, type: list, split: 2, doc: A text. } }\n    request: { path: /x }":      `"unit", "cut" and "split" go with "max" and a text`,
		head + "actions:\n  add:\n    doc: Adds it.\n    inputs: { text: { max: 5, unit: html, cut: true, doc: A text. } }\n    request: { path: /x }":     `a text that is counted as html cannot be cut or split`,
		head + "actions:\n  add:\n    doc: Adds it.\n    inputs: { text: { max: 2, unit: bytes, split: 3, doc: A text. } }\n    request: { path: /x }":     `"max" leaves no room for the …`,
	} {
		r, list := recipe.Read("mytool.yaml", []byte(text))
		if r != nil || list.Err() == nil || !strings.Contains(list.Error(), want) {
			t.Errorf("%s\ngot  %v\nwant %s", strings.TrimPrefix(text, head), list, want)
		}
	}
}

const whole = head + `  key: { secret: true, required: true, doc: The key., example: "${KEY}" }
auth: { query: { key: "${{ settings.key }}" } }
actions:
  add:
    doc: Adds it.
    shorthand: kind
    inputs:
      kind: { type: enum, options: [lead, contact], required: true, doc: What it is., example: lead }
      id: { max: 5, doc: Its number. }
      short: { max: 4, cut: true, doc: A short text. }
      count: { type: number, default: 1, doc: How many. }
      ok: { type: bool, doc: Whether it is good. }
      list: { type: list, max: 2, doc: A list. }
      fields: { type: map, doc: Other fields. }
    request:
      method: PUT
      path: /things/${{ input.id }}/x
      query: { q: "${{ input.short }}", when: "${{ delivery.created }}" }
      headers: { X-Kind: "${{ input.kind }}", X-Id: "${{ delivery.id }}" }
      form: { count: "${{ input.count }}", ok: "${{ input.ok }}", f: "${{ input.fields }}", l: "${{ input.list }}", fixed: null }
  note:
    doc: Leaves a note.
    direct: true
    inputs: { text: { required: true, doc: The note., example: Hello, escape: markdown } }
    request: { path: /notes, json: { text: "${{ input.text }}", none: "${{ input.text == 'x' ? nil : nil }}", null: null, deep: [{ a: "${{ nil }}" }, "${{ nil }}", 1] } }
`

func mustRecipe(t *testing.T) (*recipe.Recipe, *recipe.Values) {
	t.Helper()
	r, list := recipe.Read("mytool.yaml", []byte(whole))
	if len(list) > 0 {
		t.Fatal(list)
	}
	n, list := yamlnode.Parse("config.yaml", []byte("type: mytool\nkey: s3cret\n"))
	values, faults := r.Values(n, "type")
	if len(list)+len(faults) > 0 {
		t.Fatal(list, faults)
	}
	return r, values
}

// request is the first request for an output, in one text, or the error.
func request(t *testing.T, output string) string {
	t.Helper()
	r, values := mustRecipe(t)
	call, err := r.Call(values, event.Delivery{ID: 4711, Event: event.ID(1) << 40, Output: []byte(output)})
	if err != nil {
		return err.Error()
	}
	req, err := call.Next()
	if err != nil {
		return err.Error()
	}
	return req.Method + " " + req.URL.String() + " " + req.Header.Get("X-Kind") + " " + string(req.Body)
}

func TestCall(t *testing.T) {
	t.Parallel()
	const at = "&when=" // the rest of the query is a time
	for output, want := range map[string]string{
		`{"add":{"kind":"LEAD","id":"a/?"}}`: "PUT https://api.mytool.example/things/a%2F%3F/x?when=",
		`{"add":"lead","id":7,"short":"äöüxyz","fields":{"a":{"b":1.50},"c":[1,"x"]},"list":"one","ok":"Yes","count":"2.5"}`: "PUT https://api.mytool.example/things/7/x?q=" +
			"%C3%A4%C3%B6%C3%BC%E2%80%A6" + at,
		`{"add":{"kind":"lead","id":".."}}`:             "path: a value in it is empty, or one or two dots",
		`{"add":{"kind":"lead","id":" "}}`:              "path: input.id is missing",
		`{"add":{"kind":"lead"}}`:                       "path: input.id is missing",
		`{"add":{"kind":"other","id":"1"}}`:             "kind is none of lead, contact",
		`{"add":{"kind":"lead","id":"123456"}}`:         "id has 6 characters, mytool takes 5",
		`{"add":{"kind":"lead","id":1,"list":[1,2,3]}}`: "list has 3 items, 2 is the most",
		`{"add":{"kind":"lead","id":1,"count":"many"}}`: "count is not a number",
		`{"add":{"kind":"lead","id":1,"ok":"perhaps"}}`: "ok is not true or false",
		`{"add":{"kind":"lead","id":1,"fields":"x"}}`:   "fields is not a mapping",
		`{"add":{"kind":"lead","id":[1]}}`:              "id is not a text",
		`{"add":{"id":"1"}}`:                            "kind is empty",
		`{"add":null,"id":"1"}`:                         "kind is empty",
		`{"add":{"kind":"lead","nme":1}}`:               `add has no input "nme"`,
		`{"add":{},"note":{}}`:                          "it holds two actions, add and note",
		`{"note":7}`:                                    "note does not hold the action's inputs",
		`{"text":""}`:                                   "text is empty",
		`{"text":"hi"}`:                                 `POST https://api.mytool.example/notes  {"text":"hi","null":null,"deep":[{},1]}`,
		`{"note":{"text":"\"\n"}}`:                      `POST https://api.mytool.example/notes  {"text":"\"\n","null":null,"deep":[{},1]}`,
	} {
		got := request(t, output)
		if !strings.Contains(got, want) {
			t.Errorf("%s\ngot  %s\nwant %s", output, got, want)
		}
	}
	got := request(t, `{"add":"lead","id":7,"fields":{"a":{"b":1.50},"c":[1,"x"]},"list":"one","ok":"Yes","count":"2.5"}`)
	if want := " lead count=2.5&f%5Ba%5D%5Bb%5D=1.50&f%5Bc%5D%5B0%5D=1&f%5Bc%5D%5B1%5D=x&fixed=&l%5B0%5D=one&ok=true"; !strings.HasSuffix(got, want) {
		t.Errorf("got %s, want %s", got, want)
	}
}

// What a rule's action writes is checked as far as it is certain.
func TestAction_check(t *testing.T) {
	t.Parallel()
	r, _ := mustRecipe(t)
	for text, want := range map[string]string{
		"add: { kind: lead, id: '${{ data.id }}' }": "",
		"add: lead\nid: 1":                          "",
		"add: ${{ data.kind }}\nid: 1":              "",
		"text: hi":                                  "",
		"note: { text: hi }":                        "",
		"note: ${{ data.all }}":                     "",
		"{}":                                        `error[missing-key] config.yaml:1:1: an action to mytool needs "text" (The note.)`,
		"add: { id: 1 }":                            `error[missing-key] config.yaml:1:1: add needs "kind" (What it is.)`,
		"add: { kind: led }":                        `error[bad-value] config.yaml:1:14: kind is none of lead, contact (did you mean "lead"?)`,
		"add: { kind: lead, id: '123456' }":         `error[too-long] config.yaml:1:24: id has 6 characters, the receiver takes 5`,
		"add: { kind: lead, list: { a: b } }":       `error[wrong-type] config.yaml:1:20: "list" must be a list`,
		"add: { kind: lead, ok: maybe }":            `error[bad-value] config.yaml:1:24: ok is not true or false`,
		"text: ''":                                  `error[empty-value] config.yaml:1:7: "text" is empty: it must be a text`,
		"add: { kind: lead, cuont: 1 }":             `error[unknown-key] config.yaml:1:20: add has no key "cuont" (did you mean "count"?)`,
		"add: lead\ntext: x":                        `error[unknown-key] config.yaml:2:1: add has no key "text" (it has count, fields, id, kind, list, ok, short)`,
		"add: lead\nnote: { text: x }":              `error[conflict] config.yaml:2:1: "add" and "note" are two actions (write a second action under then)`,
		"add: { kind: lead }\nid: 1":                `error[conflict] config.yaml:2:1: "id" must stand inside of "add", with the other inputs`,
		"note: hi":                                  `error[wrong-type] config.yaml:1:1: "note" must be a mapping of the action's inputs (it has text)`,
	} {
		n, list := yamlnode.Parse("config.yaml", []byte(text))
		if len(list) > 0 {
			t.Fatal(list)
		}
		list = r.Action().Check(n, n.Fields())
		if diff := cmp.Diff(want, list.Error()); diff != "" {
			t.Errorf("%s\n%s", text, diff)
		}
	}
}

func TestValues_faults(t *testing.T) {
	t.Parallel()
	r, _ := mustRecipe(t)
	for text, want := range map[string]string{
		"key: x":              "",
		"{}":                  `error[missing-key] config.yaml:1:1: a mytool connection needs "key" (The key.)`,
		"key: ''":             `error[bad-value] config.yaml:1:6: "key" is empty`,
		"key: [x]":            `error[wrong-type] config.yaml:1:1: "key" must be a text, not a list`,
		"key: x\nky: y":       `error[unknown-key] config.yaml:2:1: a mytool connection has no key "ky" (did you mean "key"?)`,
		"key: x\napi_url: ''": `error[bad-value] config.yaml:2:10: "api_url" is empty`,
	} {
		n, list := yamlnode.Parse("config.yaml", []byte(text))
		if len(list) > 0 {
			t.Fatal(list)
		}
		_, list = r.Values(n, "type")
		if diff := cmp.Diff(want, list.Error()); diff != "" {
			t.Errorf("%s\n%s", text, diff)
		}
	}
}
