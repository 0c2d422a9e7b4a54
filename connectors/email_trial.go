package connectors

import (
	"context"

	"hookgate/internal/event"
)

// Trial implements Tester.
func (e *emailConnector) Trial() Trial {
	return Trial{What: "signs in to the mail server and leaves again"}
}

// Try implements Tester.
func (e *emailConnector) Try(parent context.Context, _ event.DeliveryID) (Tried, error) {
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
	receipt.Answer = e.secrets.clean(receipt.Answer, false)
	if err != nil {
		return Tried{Receipt: receipt}, e.sendError(parent, ctx, err)
	}
	said := "the server answers; nobody signs in"
	if e.settings.user != "" {
		said = "signed in"
	}
	return Tried{Receipt: receipt, Said: said}, nil
}
