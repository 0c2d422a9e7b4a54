package connectors

import (
	"context"
	"encoding/json"
	"fmt"

	"hookgate/internal/event"
)

// Trial implements Tester.
func (w *webhook) Trial() Trial {
	return Trial{
		What:    "sends a " + w.settings.method + ` request with the JSON body {"hookgate_test": true, …}`,
		Message: true,
	}
}

// Try sends a request that says that it is a test, with all that requests of
// this connection carry.
func (w *webhook) Try(ctx context.Context, id event.DeliveryID) (Tried, error) {
	output, err := json.Marshal(map[string]any{"json": map[string]any{
		"hookgate_test": true, "message": "This is a test of the connection. Nothing has happened.",
	}})
	if err != nil {
		return Tried{}, fmt.Errorf("encode the test: %w", err)
	}
	receipt, err := w.Deliver(ctx, event.Delivery{ID: id, Output: output})
	return Tried{Receipt: receipt}, err
}
