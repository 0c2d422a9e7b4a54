package web

import (
	"net/netip"
	"sync"
)

// shares gives out a number of places so that a few greedy addresses leave room
// for the others: one may have a sixteenth of those that the others leave, and
// at least one. It is safe for concurrent use.
type shares struct {
	most, each int // places altogether, and of one address at most

	mu    sync.Mutex
	taken int
	of    map[netip.Addr]int // by network: an IPv6 customer has 2^64 addresses
}

func newShares(most, each int) *shares {
	return &shares{most: most, each: each, of: map[netip.Addr]int{}}
}

// take takes a place for an address; a trusted one has no share of its own.
// Whoever got one gives it back.
func (s *shares) take(from netip.Addr, trusted bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	own := s.of[from]
	share := min(s.each, max(1, (s.most-s.taken+own)/16))
	if s.taken >= s.most || !trusted && own >= share {
		return false
	}
	s.taken++
	s.of[from]++
	return true
}

func (s *shares) give(from netip.Addr) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taken--
	if s.of[from]--; s.of[from] <= 0 {
		delete(s.of, from)
	}
}

// portion is memory that is given out so that a few greedy addresses leave room
// for the others: one may have half of what the others leave. Whoever needs
// little of it goes without a share, and has a quarter more of it. It is safe
// for concurrent use.
type portion struct {
	most int64 // bytes

	mu   sync.Mutex
	held int64
	of   map[netip.Addr]int64 // by network
}

func newPortion(most int64) *portion { return &portion{most: most, of: map[netip.Addr]int64{}} }

// take takes n bytes for an address; little says that it has little so far.
// What was taken is given back.
func (p *portion) take(from netip.Addr, n int64, little bool) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	own := p.of[from]
	if little && p.held+n > p.most+p.most/4 || !little && own+n > (p.most-p.held+own)/2 {
		return false
	}
	p.held += n
	p.of[from] = own + n
	return true
}

func (p *portion) give(from netip.Addr, n int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.held -= n
	if p.of[from] -= n; p.of[from] <= 0 {
		delete(p.of, from)
	}
}
