package connectors

import (
	"context"
	"sync"
	"time"
)

// Memory keeps what one connection has to know of its earlier deliveries, over
// restarts and for all replicas. Entries are forgotten after a long time. It is
// safe for concurrent use.
type Memory interface {
	Get(ctx context.Context, key string) (value string, found bool, err error)
	Put(ctx context.Context, key, value string) error
	// Claim gives key to the caller alone, of all replicas, until release is
	// called or, should it never be, for keep; release is nil while somebody
	// else has it.
	Claim(ctx context.Context, key string, keep time.Duration) (release func(), err error)
}

// NewMemory is a Memory of this process alone, which ends with it.
func NewMemory() Memory { return &ownMemory{} }

// ownMemory is a Memory of this process alone.
type ownMemory struct {
	mu     sync.Mutex
	values map[string]string
	claims map[string]*time.Time // until when
}

// Get implements Memory.
func (m *ownMemory) Get(_ context.Context, key string) (string, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	value, found := m.values[key]
	return value, found, nil
}

// Put implements Memory.
func (m *ownMemory) Put(_ context.Context, key, value string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.values == nil {
		m.values = map[string]string{}
	}
	m.values[key] = value
	return nil
}

// Claim implements Memory.
func (m *ownMemory) Claim(_ context.Context, key string, keep time.Duration) (release func(), err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if until := m.claims[key]; until != nil && time.Now().Before(*until) {
		return nil, nil
	}
	if m.claims == nil {
		m.claims = map[string]*time.Time{}
	}
	until := time.Now().Add(keep)
	m.claims[key] = &until
	return func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		if m.claims[key] == &until {
			delete(m.claims, key)
		}
	}, nil
}
