package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
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
	return m.store.Recall(ctx, m.connection, short(key))
}

// Put implements connectors.Memory.
func (m memory) Put(_ context.Context, key, value string) error {
	return m.store.Remember(m.connection, short(key), value, keepMemory)
}

// short is key, or what stands for one that is longer than a database puts into
// an index: keys are made of what events hold.
func short(key string) string {
	const longest = 1000 // bytes
	if len(key) <= longest {
		return key
	}
	sum := sha256.Sum256([]byte(key))
	return "sha256 " + hex.EncodeToString(sum[:])
}

// Claim implements connectors.Memory.
func (m memory) Claim(_ context.Context, key string, keep time.Duration) (release func(), err error) {
	number, err := m.store.ClaimKey(m.connection, key, keep)
	if err != nil || number == 0 {
		return nil, err
	}
	return func() { m.store.ReleaseKey(m.connection, key, number) }, nil
}
