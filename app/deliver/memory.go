package deliver

import (
	"sync"

	"hookgate/internal/event"
)

const (
	// memoryBudget is how many bytes the deliveries of all lanes take up
	// together, beside the one that each lane may have in any case.
	memoryBudget = 32 << 20
	// copies is how often an output is in memory while it is sent: as it was
	// stored, as the connector reads it, as the request that it makes of it.
	copies = 3
	// overhead is what a delivery takes beside its output, in bytes.
	overhead = 512
)

// weight is how much memory a delivery takes up, by the size of its output.
func weight(output int) int64 { return overhead + copies*int64(output) }

func weightOf(d *event.Delivery) int64 { return weight(len(d.Output)) }

// memory gives out what deliveries take up, so that a stuck connection with
// large ones leaves room for the others: one may have a quarter of what the
// others leave, and one delivery of any size. It is safe for concurrent use.
type memory struct {
	most int64

	mu   sync.Mutex
	held int64
	of   map[string]int64 // by connection: a lane can be gone before its deliveries are
}

func newMemory(most int64) *memory { return &memory{most: most, of: map[string]int64{}} }

// take takes n bytes for a delivery to a connection; false: there is no room.
func (m *memory) take(connection string, n int64) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if own := m.of[connection]; own > 0 && own+n > m.share(connection) {
		return false
	}
	m.add(connection, n)
	return true
}

// force takes n bytes for a delivery that the store has handed out already.
func (m *memory) force(connection string, n int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.add(connection, n)
}

// give gives n bytes back.
func (m *memory) give(connection string, n int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.add(connection, -n)
}

func (m *memory) add(connection string, n int64) {
	m.held += n
	if m.of[connection] += n; m.of[connection] == 0 {
		delete(m.of, connection)
	}
}

// share is how much a connection may have altogether.
func (m *memory) share(connection string) int64 { return (m.most - m.held + m.of[connection]) / 4 }

// room is how many bytes of output a connection may still take, at least 1
// where it has nothing, and whether that is half of its share: less is not
// worth a look at the store.
func (m *memory) room(connection string) (bytes int, worth bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	own, share := m.of[connection], m.share(connection)
	left := share - own
	switch {
	case own == 0:
		return int(max(1, left/copies)), true
	case left <= 0:
		return 0, false
	}
	return int(left / copies), left >= share/2
}
