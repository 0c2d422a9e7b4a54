package connectors

import (
	"context"

	"hookgate/internal/diag"
	"hookgate/internal/event"
	"hookgate/internal/yamlnode"
)

func emailKind() Kind {
	return Kind{
		Name:     "email",
		Doc:      "An e-mail by an SMTP server, encrypted, with text, HTML and attachments.",
		Settings: settingsOf[emailYAML](),
		Action:   emailAction(),
		Reply:    emailReply(),
		New:      newEmail,
	}
}

// emailConnector sends mail by one SMTP server.
type emailConnector struct {
	settings emailSettings
	secrets  *redactor
	deps     Deps
	hello    string
}

func newEmail(n yamlnode.Node, deps Deps) (Connector, diag.List) {
	settings, list := readEmailSettings(n, deps)
	if list.Err() != nil {
		return nil, list
	}
	return &emailConnector{
		settings: settings, deps: deps.withDefaults(), secrets: newRedactor(settings.secrets()...), hello: helloName(),
	}, list
}

// Deliver sends one message to all of its recipients, or to none. Its
// Message-ID is the delivery's id at every attempt, by which a mailbox can
// recognise a message that came twice.
func (e *emailConnector) Deliver(parent context.Context, d event.Delivery) (event.Receipt, error) {
	m, err := e.message(d)
	if err != nil {
		return event.Receipt{}, Permanent(err)
	}
	ctx, cancel := context.WithTimeout(parent, e.deps.Timeout)
	defer cancel()
	if err := m.attach(ctx, e.deps.Files); err != nil {
		return event.Receipt{}, attachError(parent, ctx, err, e.deps.Timeout)
	}
	id := m.msg.GetMessageID()
	receipt, err := e.send(ctx, m)
	receipt.Answer = e.secrets.clean(receipt.Answer, false)
	if err != nil {
		return receipt, e.sendError(parent, ctx, err)
	}
	receipt.Outputs = map[string]string{"id": id}
	return receipt, nil
}
