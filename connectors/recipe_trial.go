package connectors

import (
	"context"

	"hookgate/internal/event"
)

// triable is a connection by a recipe that has a test.
type triable struct{ *recipeConnector }

// Trial implements Tester.
func (c triable) Trial() Trial { return Trial{What: c.recipe.Test.What} }

// Try implements Tester.
func (c triable) Try(ctx context.Context, _ event.DeliveryID) (Tried, error) {
	call := c.recipe.Try(c.values)
	receipt, err := c.carryOut(ctx, call)
	tried := Tried{Receipt: receipt}
	if err == nil {
		tried.Said = excerpt(c.redactor().text(call.Said()))
	}
	return tried, err
}

// redactor hides the access token, too, where one has been got.
func (c *recipeConnector) redactor() *redactor {
	if at := c.shown.Load(); at != nil {
		return at.secrets
	}
	return c.secrets
}
