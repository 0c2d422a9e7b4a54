package event

import "time"

// Filter selects events; its zero fields select all. Lists are newest first.
type Filter struct {
	Source string
	Type   string
	States []State
	Since  time.Time
	Before ID // only older ones: the cursor of the next page
	Limit  int
}

// DeliveryFilter selects deliveries; its zero fields select all. Lists are newest first.
type DeliveryFilter struct {
	IDs        []DeliveryID
	States     []DeliveryState
	Connection string
	Rule       string
	Event      ID
	Since      time.Time
	Before     DeliveryID
	Limit      int
}
