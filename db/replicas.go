package db

import (
	"context"
	"fmt"
	"time"
)

// Replica is a process that uses the database, or did and still holds something.
type Replica struct {
	ID             int64
	Name, Version  string
	Started, Heard time.Time     // Heard: when it renewed its lease
	Left           time.Duration // of the lease; not positive: it is over
	Alive          bool
	Self           bool           // this process
	Holds          map[string]int // deliveries that it has claimed, by connection
}

// Replicas lists the processes on the database in the order of their start, and
// says whether it can be shared. Of the one on a SQLite file only what it holds
// is known here.
func (s *Store) Replicas(ctx context.Context) (list []Replica, shared bool, err error) {
	self, shared := s.engine.replica()
	holds, err := s.claimed(ctx)
	if err != nil {
		return nil, shared, fmt.Errorf("list replicas: %w", err)
	}
	if !shared {
		return []Replica{{ID: self, Alive: true, Self: true, Holds: holds[self]}}, false, nil
	}
	rows, err := s.read.QueryContext(ctx, `SELECT id, name, version, started, heartbeat, heartbeat + lease - now_us(), dead FROM replicas ORDER BY id`)
	if err != nil {
		return nil, true, fmt.Errorf("list replicas: %w", err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var r Replica
		var started, heard, left int64
		var dead bool
		if err := rows.Scan(&r.ID, &r.Name, &r.Version, &started, &heard, &left, &dead); err != nil {
			return nil, true, fmt.Errorf("list replicas: %w", err)
		}
		r.Holds = holds[r.ID]
		if dead && len(r.Holds) == 0 {
			continue
		}
		r.Started, r.Heard = time.UnixMicro(started).UTC(), time.UnixMicro(heard).UTC()
		r.Left, r.Self = time.Duration(left)*time.Microsecond, r.ID == self
		r.Alive = !dead && left > 0
		list = append(list, r)
	}
	return list, true, rows.Err()
}

// claimed counts the deliveries that are claimed, by owner and connection.
func (s *Store) claimed(ctx context.Context) (map[int64]map[string]int, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT owner, connection, count(*) FROM deliveries WHERE state = 0 AND owner > 0 GROUP BY owner, connection`)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	holds := map[int64]map[string]int{}
	for rows.Next() {
		var by int64
		var connection string
		var n int
		if err := rows.Scan(&by, &connection, &n); err != nil {
			return nil, err
		}
		if holds[by] == nil {
			holds[by] = map[string]int{}
		}
		holds[by][connection] = n
	}
	return holds, rows.Err()
}
