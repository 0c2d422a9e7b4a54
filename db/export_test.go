package db

import "context"

// Read runs a query of a test.
func (s *Store) Read(ctx context.Context, query string, into ...any) error {
	return s.read.QueryRowContext(ctx, query).Scan(into...)
}
