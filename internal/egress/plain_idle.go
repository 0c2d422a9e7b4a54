package egress

import (
	"sync"
	"time"
)

// idleConns keeps connections between requests, the latest to be taken first.
type idleConns struct {
	mu       sync.Mutex
	byHost   map[string][]*plainConn
	count    int
	sweeping bool // a sweep is ahead
	closing  bool // what comes back is closed, until somebody wants one again
}

// get takes a connection to host out; nil: there is none that is alive.
func (i *idleConns) get(host string) *plainConn {
	for {
		c := i.take(host)
		if c == nil {
			return nil
		}
		if time.Since(c.since) < idleFor && c.probe() {
			return c
		}
		_ = c.conn.Close()
	}
}

func (i *idleConns) take(host string) *plainConn {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.closing = false
	list := i.byHost[host]
	if len(list) == 0 {
		return nil
	}
	last := len(list) - 1
	c := list[last]
	list[last] = nil
	i.byHost[host] = list[:last]
	i.count--
	return c
}

// put keeps c, or closes it where there are enough.
func (i *idleConns) put(c *plainConn) {
	if !i.keep(c) {
		_ = c.conn.Close()
	}
}

func (i *idleConns) keep(c *plainConn) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	list := i.byHost[c.host]
	if i.closing || i.count >= idleTotal || len(list) >= idlePerHost {
		return false
	}
	if i.byHost == nil {
		i.byHost = map[string][]*plainConn{}
	}
	c.since = time.Now()
	i.byHost[c.host] = append(list, c)
	i.count++
	i.plan()
	return true
}

// plan has the idle ones looked at after a time. i is locked.
func (i *idleConns) plan() {
	if !i.sweeping && i.count > 0 {
		i.sweeping = true
		time.AfterFunc(idleFor, i.sweep)
	}
}

// sweep closes what was idle for too long.
func (i *idleConns) sweep() {
	for _, c := range i.old(time.Now().Add(-idleFor)) {
		_ = c.conn.Close()
	}
}

// old takes out what is idle since before. Each list is in the order of time.
func (i *idleConns) old(before time.Time) (old []*plainConn) {
	i.mu.Lock()
	defer i.mu.Unlock()
	for host, list := range i.byHost {
		n := 0
		for n < len(list) && list[n].since.Before(before) {
			n++
		}
		old = append(old, list[:n]...)
		if n == len(list) {
			delete(i.byHost, host)
		} else {
			i.byHost[host] = append([]*plainConn(nil), list[n:]...)
		}
	}
	i.count -= len(old)
	i.sweeping = false
	i.plan()
	return old
}

// close ends what is idle, and what comes back.
func (i *idleConns) close() {
	i.mu.Lock()
	all := i.byHost
	i.byHost, i.count, i.closing = nil, 0, true
	i.mu.Unlock()
	for _, list := range all {
		for _, c := range list {
			_ = c.conn.Close()
		}
	}
}
