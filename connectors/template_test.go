package connectors_test

import (
	"testing"

	"hookgate/rules/lang"
)

// What comes from outside cannot ping a channel, wherever it stands in a
// message.
func TestSlack_escaping(t *testing.T) {
	t.Parallel()
	scope, inputs := mustInputs(t, "slack", `{"name":"<!channel> & <@U1>","list":["<!here>"]}`)
	const name = "&lt;!channel&gt; &amp; &lt;@U1&gt;"
	for _, tc := range []struct{ input, yaml, want string }{
		{"text", "'*New* <https://h.example|lead>: ${{ data.name }}'", `"*New* <https://h.example|lead>: ` + name + `"`},
		{"text", "${{ data.name }}", `"` + name + `"`},
		{"text", "${{ raw(data.name) }}", `"<!channel> & <@U1>"`},
		{"blocks", "[{ type: section, text: { type: mrkdwn, text: '${{ data.name }}' } }]", `[{"type":"section","text":{"type":"mrkdwn","text":"` + name + `"}}]`},
		{"blocks", "[{ type: section, text: { type: mrkdwn, text: '*${{ data.name }}*' } }]", `[{"type":"section","text":{"type":"mrkdwn","text":"*` + name + `*"}}]`},
		{"blocks", "[{ type: section, fields: '${{ data.list }}' }]", `[{"type":"section","fields":["&lt;!here&gt;"]}]`},
	} {
		template, list := lang.NewCompiler().Template(mustParse(t, "v: "+tc.yaml).Get("v"), inputs[tc.input])
		if err := list.Err(); err != nil {
			t.Fatal(err)
		}
		if got, _, err := template.AppendJSON(nil, scope); err != nil || string(got) != tc.want {
			t.Errorf("%s: got %s, %v, want %s", tc.yaml, got, err, tc.want)
		}
	}
}
