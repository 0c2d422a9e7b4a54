package app

import (
	"context"
	"time"

	"hookgate/db"
)

// keepMemory is how long a connection's memory lasts after the last change of
// an entry.
const keepMemory = 90 * 24 * time.Hour

// memory is what one connection keeps of its earlier deliveries.
type memory struct {
	store      *db.Store
	connection string
}

// Get implements connectors.Memory.
func (m memory) Get(ctx context.Context, key string) (string, bool, error) {
	return m.store.Recall(ctx, m.connection, key)
}

// Put implements connectors.Memory.
func (m memory) Put(_ context.Context, key, value string) error {
	return m.store.Remember(m.connection, key, value, keepMemory)
}
