// Package email sends mail by an SMTP server.
package email

import (
	"context"

	"hookgate/connectors"
	"hookgate/internal/diag"
	"hookgate/internal/event"
	"hookgate/internal/yamlnode"
)

// Kind is the kind of connection that this package makes.
func Kind() connectors.Kind {
	k := connectors.Kind{
		Name:     "email",
		Doc:      "An e-mail by an SMTP server, encrypted, with text, HTML and attachments.",
		Settings: connectors.SettingsOf[settingsYAML](),
		Action:   newAction(),
		Reply:    newReply(),
		New:      newConnector,
	}
	k.Example = connectors.ExampleOf(&k, "", "recipient: team@agency.example\nsubject: New lead from ${{ data.name }}\ntext: ${{ data.message }}")
	return k
}

// connector sends mail by one SMTP server.
type connector struct {
	settings settings
	secrets  *connectors.Redactor
	deps     connectors.Deps
	hello    string
}

func newConnector(n yamlnode.Node, deps connectors.Deps) (connectors.Connector, diag.List) {
	settings, list := readSettings(n, deps)
	if list.Err() != nil {
		return nil, list
	}
	return &connector{
		settings: settings, deps: deps.WithDefaults(), secrets: connectors.NewRedactor(settings.secrets()...), hello: helloName(),
	}, list
}

// Deliver sends one message to all of its recipients, or to none. Its
// Message-ID is the delivery's id at every attempt, by which a mailbox can
// recognise a message that came twice.
func (e *connector) Deliver(parent context.Context, d event.Delivery) (event.Receipt, error) {
	m, err := e.message(d)
	if err != nil {
		return event.Receipt{}, connectors.Permanent(err)
	}
	ctx, cancel := context.WithTimeout(parent, e.deps.Timeout)
	defer cancel()
	if err := m.attach(ctx, e.deps.Files); err != nil {
		return event.Receipt{}, connectors.FileError(parent, ctx, err, e.deps.Timeout)
	}
	id := m.msg.GetMessageID()
	receipt, err := e.send(ctx, m)
	receipt.Answer = e.secrets.Clean(receipt.Answer, false)
	if err != nil {
		return receipt, e.sendError(parent, ctx, err)
	}
	receipt.Outputs = map[string]event.Output{"id": event.TextOutput(id)}
	return receipt, nil
}

// TestInfo implements Tester.
func (e *connector) TestInfo() connectors.TestInfo {
	return connectors.TestInfo{What: "signs in to the mail server and leaves again"}
}

// Test implements Tester.
func (e *connector) Test(parent context.Context, _ event.DeliveryID) (connectors.TestResult, error) {
	ctx, cancel := context.WithTimeout(parent, e.deps.Timeout)
	defer cancel()
	receipt, err := e.converse(ctx, func(d *dialogue) (event.Receipt, error) {
		d.at = ""
		if err := d.Noop(); err != nil {
			return event.Receipt{}, err
		}
		_ = d.Quit() // what is said now changes nothing
		return event.Receipt{Status: smtpOK}, nil
	})
	receipt.Answer = e.secrets.Clean(receipt.Answer, false)
	if err != nil {
		return connectors.TestResult{Receipt: receipt}, e.sendError(parent, ctx, err)
	}
	said := "the server answers; nobody signs in"
	if e.settings.user != "" {
		said = "signed in"
	}
	return connectors.TestResult{Receipt: receipt, Said: said}, nil
}
