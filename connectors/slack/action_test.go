package slack_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hookgate/rules/lang"
	"hookgate/test/connectortest"
)

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
		{hook, "text: ''", `error[empty-value] config.yaml:1:7: the text of a message to Slack is empty (write what the message says)`},
		{hook, "text: ''\nblocks: [{ type: divider }]", ""},
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
		action := connectortest.MustKind(t, "slack").ActionFor(connectortest.MustParse(t, tc.connection))
		got := connectortest.CheckAction(t, action, tc.text)
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%.80s\n%s", tc.text, diff)
		}
	}
}

// What comes from outside cannot ping a channel, wherever it stands in a
// message.
//
// Promise: T12.
func TestSlack_escaping(t *testing.T) {
	t.Parallel()
	scope, inputs := connectortest.MustInputs(t, "slack", `{"name":"<!channel> & <@U1>","list":["<!here>"]}`)
	const name = "&lt;!channel&gt; &amp; &lt;@U1&gt;"
	for _, tc := range []struct{ input, yaml, want string }{
		{"text", "'*New* <https://h.example|lead>: ${{ data.name }}'", `"*New* <https://h.example|lead>: ` + name + `"`},
		{"text", "${{ data.name }}", `"` + name + `"`},
		{"text", "${{ raw(data.name) }}", `"<!channel> & <@U1>"`},
		{"blocks", "[{ type: section, text: { type: mrkdwn, text: '${{ data.name }}' } }]", `[{"type":"section","text":{"type":"mrkdwn","text":"` + name + `"}}]`},
		{"blocks", "[{ type: section, text: { type: mrkdwn, text: '*${{ data.name }}*' } }]", `[{"type":"section","text":{"type":"mrkdwn","text":"*` + name + `*"}}]`},
		{"blocks", "[{ type: section, fields: '${{ data.list }}' }]", `[{"type":"section","fields":["&lt;!here&gt;"]}]`},
	} {
		template, list := lang.NewCompiler().Template(connectortest.MustParse(t, "v: "+tc.yaml).Get("v"), inputs[tc.input])
		if err := list.Err(); err != nil {
			t.Fatal(err)
		}
		if got, _, err := template.AppendJSON(nil, scope); err != nil || string(got) != tc.want {
			t.Errorf("%s: got %s, %v, want %s", tc.yaml, got, err, tc.want)
		}
	}
}
