package email_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"hookgate/connectors/email"
	"hookgate/rules/lang"
	"hookgate/test/connectortest"
)

func TestEmail_settings(t *testing.T) {
	t.Parallel()
	smtp := func(more string) string { return "from: a@agency.example\nsmtp: { host: mail.example" + more + " }" }
	for text, want := range map[string]string{
		smtp(""):                       "",
		smtp(", port: 465, tls: auto"): "",
		smtp(", user: u, password: p"): "",
		smtp(", tls: none"):            `warn[no-encryption] config.yaml:2:34: mail to this server, and the password, can be read on the way (leave tls out, or write starttls)`,
		"from: a@x.example\nsmtp: { host: localhost, tls: none }":         "",
		"from: Zoë, really <z@müller.example>\nsmtp: { host: h.example }": "",
		"smtp: { host: h.example }":                                       `error[missing-key] config.yaml:1:1: an email connection needs "from"`,
		"from: a@x.example":                                               `error[missing-key] config.yaml:1:1: an email connection needs "smtp"`,
		"from: a@x.example\nsmtp: { }":                                    `error[missing-key] config.yaml:2:1: smtp needs "host"`,
		"from: agency\nsmtp: { host: h }":                                 `error[bad-address] config.yaml:1:7: "from" is no address: it is not an address like ada@example.com (write it like Agency <hello@agency.example>)`,
		smtp(", user: u"):                                                 `error[missing-key] config.yaml:2:1: smtp has "user" but no "password"`,
		smtp(", password: p"):                                             `error[missing-key] config.yaml:2:1: smtp has "password" but no "user" (it is often the whole address)`,
		smtp(", tls: start"):                                              `error[bad-value] config.yaml:2:34: "tls" must be auto, starttls, tls or none, not "start"`,
		smtp(", port: 70000"):                                             `error[bad-value] config.yaml:2:35: "port" must be from 1 to 65535`,
		smtp(", ssl: true"):                                               `error[unknown-key] config.yaml:2:29: smtp has no key "ssl" (did you mean "tls"?)`,
		smtp(", ca: missing.pem"):                                         `error[bad-file] config.yaml:2:33: the certificates cannot be read: there is no such file`,
		smtp(", ca: settings_test.go"):                                    `error[bad-file] config.yaml:2:33: the file holds no certificate in PEM form (it starts with -----BEGIN CERTIFICATE-----)`,
		"from: a@x.example\nsmtp: { host: 'smtp://h' }":                   `error[bad-value] config.yaml:2:15: "host" is a host, not a URL (write mail.agency.example)`,
		"from: a@x.example\nsmtp: { host: 'h:25' }":                       `error[bad-value] config.yaml:2:15: "host" holds a port (the port has a key of its own: port)`,
		"from: a@x.example\nsmtp: { host: 'hello@host' }":                 `error[bad-value] config.yaml:2:15: "hello@host" is no host (write mail.agency.example)`,
	} {
		if diff := cmp.Diff(want, connectortest.Faults(t, "email", text, connectortest.Deps(t))); diff != "" {
			t.Errorf("%s\n%s", text, diff)
		}
	}
}

func TestEmail_action(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"recipient: a@x.example\ntext: x":                                 "",
		"recipient: ${{ data.email }}\nhtml: x":                           "",
		"recipient: [a@x.example, '${{ data.email }}']\ntext: x":          "",
		"recipient: Ada <a@x.example>, b@x.example\ntext: x":              "",
		"recipient: a@x.example\ntext: x\nattachments: ${{ data.brief }}": "",
		"recipient: a@x.example\ntext: x\nheaders: { X-A: [b, c] }":       "",
		"recipient: ada\ntext: x":                                         `error[bad-address] config.yaml:1:12: "ada" is no address: it is not an address like ada@example.com (write it like Ada <ada@example.com>)`,
		"recipient: \"\"\ntext: x":                                        `error[empty-value] config.yaml:1:12: "recipient" is empty: nobody would get the message (write it like Ada <ada@example.com>)`,
		"recipient: [~, \" \"]\ntext: x":                                  `error[empty-value] config.yaml:1:1: "recipient" is empty: nobody would get the message (write it like Ada <ada@example.com>)`,
		"recipient: []\ntext: x":                                          `error[empty-value] config.yaml:1:1: "recipient" is empty: nobody would get the message (write it like Ada <ada@example.com>)`,
		"recipient: [~, a@x.example]\ntext: x":                            "",
		"recipient: { a: b }\ntext: x":                                    `error[wrong-type] config.yaml:1:1: "recipient" must be an address or a list of addresses (write it like Ada <ada@example.com>)`,
		"recipient: a@x.example\nsubject: \"a\\nb\"\ntext: x":             `error[bad-header] config.yaml:2:10: "subject" holds a line break (write it in one line)`,
		"recipient: a@x.example\ntext: x\nheaders: { Bcc: b@x.example }":  `error[bad-header] config.yaml:3:12: the header "Bcc" has a key of its own: bcc`,
		"recipient: a@x.example\ntext: x\nheaders: { Date: b }":           `error[bad-header] config.yaml:3:12: the header "Date" cannot be set: hookgate or the mail server sets it`,
		"recipient: a@x.example\ntext: x\nheaders: { X: \"a\\rb\" }":      `error[bad-header] config.yaml:3:15: "X" holds a line break (write it in one line)`,
		"recipient: a@x.example\ntext: x\nattachments: brief.pdf":         `error[wrong-type] config.yaml:3:14: "attachments" must be files of the form (write ${{ data.brief }}, with the name of the form's file field)`,
	} {
		if diff := cmp.Diff(want, connectortest.CheckAction(t, connectortest.MustKind(t, "email").Action, text)); diff != "" {
			t.Errorf("%s\n%s", text, diff)
		}
	}
}

// No value of an event adds a recipient, a header or mark-up, wherever it
// stands in a message.
func TestEmail_escaping(t *testing.T) {
	t.Parallel()
	scope, inputs := connectortest.MustInputs(t, "email", `{"name":"Ada, <b>\r\nBcc: x@evil.example","email":"a@x.example, x@evil.example\r\nTo: y@evil.example"}`)
	for _, tc := range []struct{ input, yaml, want string }{
		{"recipient", "${{ data.email }}", `"a@x.example  x@evil.example  To  y@evil.example"`},
		{"reply_to", "'${{ data.name }} <a@x.example>'", `"Ada   b   Bcc  x@evil.example <a@x.example>"`},
		{"subject", "'From ${{ data.name }}'", `"From Ada, <b>  Bcc: x@evil.example"`},
		{"headers", "{ X-Name: '${{ data.name }}' }", `{"X-Name":"Ada, <b>  Bcc: x@evil.example"}`},
		{"html", "'<p>${{ data.name }}</p>'", `"<p>Ada, &lt;b&gt;\r\nBcc: x@evil.example</p>"`},
		{"text", "'${{ data.name }}'", `"Ada, <b>\r\nBcc: x@evil.example"`},
	} {
		template, list := lang.NewCompiler().Template(connectortest.MustParse(t, "v: "+tc.yaml).Get("v"), inputs[tc.input])
		if err := list.Err(); err != nil {
			t.Fatal(err)
		}
		if got, _, err := template.AppendJSON(nil, scope); err != nil || string(got) != tc.want {
			t.Errorf("%s: got %s, %v, want %s", tc.input, got, err, tc.want)
		}
	}
	for value, want := range map[string]string{
		// A name from a form is what it is, and the address beside it counts.
		`Miller, "Jo" x@y`:                 "Miller   Jo  x@y",
		"Bo <bo@x.example>":                "Bo <bo@x.example>",
		`"Doe, Jane" <jane@x.example>`:     "Doe  Jane <jane@x.example>",
		"a@x.example, Bo <b@x.example>":    "a@x.example  Bo  b@x.example",
		`"a, b"@x.example`:                 "a  b @x.example",
		`Bo <"a>, c@y.example"@x.example>`: "Bo   a   c@y.example @x.example",
	} {
		if got := email.EscapeAddress(value); got != want {
			t.Errorf("%s: got %q, want %q", value, got, want)
		}
	}
}
