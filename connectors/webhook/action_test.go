package webhook_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hookgate/internal/yamlnode"
	"hookgate/test/connectortest"
)

func TestWebhook_action(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"json: { a: 1 }":                     "",
		"json:":                              "",
		"form: { a: 1, b: [x, y] }":          "",
		"form: ${{ data.form }}":             "",
		"body: x\ncontent_type: text/csv":    "",
		"query: { a: '${{ data.a }}' }":      "",
		"method: GET":                        "",
		"method: delete\nheaders: { A: b }":  "",
		"json: 1\nmethod: ${{ data.m }}":     "",
		"headers: { X: y }":                  `error[missing-key] a.yaml:1:1: an action to a webhook needs json, form or body (a request without a body has query, or method GET or DELETE)`,
		"method: PUT":                        `error[missing-key] a.yaml:1:1: an action to a webhook needs json, form or body (a request without a body has query, or method GET or DELETE)`,
		"json: 1\nbody: x":                   `error[conflict] a.yaml:2:1: "json" and "body" are both the body (keep one of json, form and body)`,
		"json: 1\nmethod: TRACE":             `error[bad-value] a.yaml:2:9: "TRACE" is no method that can be used here (it can be POST, PUT, PATCH, DELETE, GET)`,
		"form: [a]":                          `error[wrong-type] a.yaml:1:1: "form" must be a mapping of names to texts`,
		"form: a=b":                          `error[wrong-type] a.yaml:1:7: "form" must be a mapping of names to texts`,
		"json: 1\nquery: { a: { b: c } }":    `error[wrong-type] a.yaml:2:10: "a" must be a text or a list of texts`,
		"json: 1\nquery: { a: [[b]] }":       `error[wrong-type] a.yaml:2:10: "a" must be a text or a list of texts`,
		"json: 1\nheaders: { Host: h }":      `error[bad-header] a.yaml:2:12: the header "Host" cannot be set: it follows from the URL`,
		"json: 1\nheaders: { 'a b': h }":     `error[bad-header] a.yaml:2:12: the header "a b" is not a valid header name`,
		"json: 1\nheaders: { A: \"b\\nc\" }": `error[bad-header] a.yaml:2:15: "A" holds a line break (write it in one line)`,
		"body: x\ncontent_type: \"a\\rb\"":   `error[bad-header] a.yaml:2:15: "content_type" holds a line break (write it in one line)`,
	} {
		got := connectortest.CheckAction(t, connectortest.MustKind(t, "webhook").ActionFor(yamlnode.Node{}), text)
		if diff := cmp.Diff(strings.ReplaceAll(want, "a.yaml", "config.yaml"), got); diff != "" {
			t.Errorf("%s\n%s", text, diff)
		}
	}
}
