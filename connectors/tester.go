package connectors

import (
	"context"

	"hookgate/internal/event"
)

// Tester is a Connector that can be tried without an event. A kind that has
// no harmless call sends a message that says that it is a test.
type Tester interface {
	Connector
	// TestInfo tells what Test does.
	TestInfo() TestInfo
	// Test does it, within the connection's timeout; its error is like that of
	// Deliver. id is one that no delivery has.
	Test(ctx context.Context, id event.DeliveryID) (TestResult, error)
}

// TestInfo is what a test of a connection does.
type TestInfo struct {
	What string // "asks Slack whom the token belongs to"
	// Message reports that the receiver takes it for more than a question:
	// people read it, or programs act on it.
	Message bool
}

// TestResult is what was answered.
type TestResult struct {
	event.Receipt
	Said string // what it means, for people; "" where the status says all
}
