package connectors

import (
	"sync"
	"time"
)

const (
	// keepPerson is how long a look-up is good for.
	keepPerson = time.Hour
	// maxPeople is how many are kept; beyond it all are forgotten.
	maxPeople = 10_000
)

// people remembers how addresses are mentioned. The zero value is ready for
// use; it is safe for concurrent use.
type people struct {
	mu    sync.Mutex
	known map[string]person
}

type person struct {
	name  string
	until time.Time
}

func (p *people) get(address string, now time.Time) (string, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	known, found := p.known[address]
	return known.name, found && now.Before(known.until)
}

func (p *people) put(address, name string, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.known == nil || len(p.known) >= maxPeople {
		p.known = map[string]person{}
	}
	p.known[address] = person{name, now.Add(keepPerson)}
}
