package db

import "context"

// Read runs a query of a test.
func (s *Store) Read(ctx context.Context, query string, into ...any) error {
	return s.read.QueryRowContext(ctx, query).Scan(into...)
}

// Freeze makes a store on PostgreSQL silent, as a process is that was stopped:
// it renews its lease no more, until it commits something.
func (s *Store) Freeze() { s.pulse.stop() }

// Replica is the store's registration.
func (s *Store) Replica() int64 { return s.engine.(*postgres).id.Load() }
