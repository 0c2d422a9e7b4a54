package connectors_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hookgate/internal/diag"
	"hookgate/internal/yamlnode"
	"hookgate/rules/lang"
)

// checkAction runs an action's checks the way rules do.
func checkAction(t *testing.T, action lang.Action, text string) string {
	t.Helper()
	n := mustParse(t, text)
	var list diag.List
	for _, f := range n.Fields() {
		for _, in := range action.Inputs {
			if in.Name == f.Key.Value && in.Check != nil {
				list = append(list, in.Check(f.Value)...)
			}
		}
	}
	if action.Check != nil {
		list = append(list, action.Check(n, n.Fields())...)
	}
	var lines []string
	for _, d := range list {
		lines = append(lines, d.Error())
	}
	return strings.Join(lines, "\n")
}

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
		got := checkAction(t, mustKind(t, "webhook").ActionFor(yamlnode.Node{}), text)
		if diff := cmp.Diff(strings.ReplaceAll(want, "a.yaml", "config.yaml"), got); diff != "" {
			t.Errorf("%s\n%s", text, diff)
		}
	}
}

func TestSlack_action(t *testing.T) {
	t.Parallel()
	const (
		hook     = "webhook_url: https://hooks.slack.com/services/x"
		bot      = "bot_token: x"
		botLeads = "bot_token: x\nchannel: '#leads'"
	)
	section := func(key, value string) string { return "blocks: [{ type: section, " + key + ": " + value + " }]" }
	object := func(length int) string { return "{ type: mrkdwn, text: '" + strings.Repeat("x", length) + "' }" }
	for _, tc := range []struct{ connection, text, want string }{
		{hook, "text: hello", ""},
		{hook, "blocks: [{ type: divider }]", ""},
		{hook, "blocks: ${{ data.blocks }}", ""},
		{hook, "blocks: ['${{ data.block }}']", ""},
		{botLeads, "text: hello", ""},
		{botLeads, "text: hello\nchannel: C1", ""},
		{bot, "text: hello\nchannel: C1", ""},
		{bot, "text: hello", `error[missing-key] config.yaml:1:1: an action to Slack as a bot needs "channel" (set it here or on the connection)`},
		{hook, "text: hello\nchannel: C1", `error[conflict] config.yaml:2:1: an incoming webhook posts to its own channel only (leave it out, or use a connection with bot_token)`},
		{hook, "username: x", `error[missing-key] config.yaml:1:1: an action to Slack needs text or blocks`},
		{hook, "text: " + strings.Repeat("ü", 40000), ""},
		{hook, "text: " + strings.Repeat("ü", 40001), `error[too-long] config.yaml:1:7: a text in Slack has at most 40000 characters, this has 40001`},
		{hook, "blocks: [" + strings.Repeat("{ type: divider }, ", 50) + "]", ""},
		{hook, "blocks: [" + strings.Repeat("{ type: divider }, ", 51) + "]", `error[too-long] config.yaml:1:1: a Slack message has at most 50 blocks, this has 51`},
		{hook, section("text", object(3000)), ""},
		{hook, section("text", object(3001)), `error[too-long] config.yaml:1:55: a section block in Slack has at most 3000 characters, this has 3001`},
		{hook, section("fields", "["+strings.Repeat(object(1)+", ", 10)+"]"), ""},
		{hook, section("fields", "["+strings.Repeat(object(1)+", ", 11)+"]"), `error[too-long] config.yaml:1:27: a section block has at most 10 fields, this has 11`},
		{hook, section("fields", "["+object(2001)+"]"), `error[too-long] config.yaml:1:58: a field of a section block in Slack has at most 2000 characters, this has 2001`},
		{hook, "blocks: [{ type: header, text: " + object(150) + " }]", ""},
		{hook, "blocks: [{ type: header, text: " + object(151) + " }]", `error[too-long] config.yaml:1:54: a header block in Slack has at most 150 characters, this has 151`},
		{hook, "blocks: [{ text: x }]", `error[missing-key] config.yaml:1:10: a block needs "type"`},
		{hook, "blocks: hello", `error[wrong-type] config.yaml:1:9: "blocks" must be a list`},
	} {
		action := mustKind(t, "slack").ActionFor(mustParse(t, tc.connection))
		got := checkAction(t, action, tc.text)
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%.80s\n%s", tc.text, diff)
		}
	}
}
