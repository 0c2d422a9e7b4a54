package db

import (
	"context"
	"log/slog"
	"maps"
	"runtime"
	"slices"
	"sync"

	"github.com/jackc/pgx/v5/pgtype"
)

// Read runs a query of a test.
func (s *Store) Read(ctx context.Context, query string, into ...any) error {
	return s.read.QueryRowContext(ctx, query).Scan(into...)
}

// WatchReads has each query that the store reads with told to watch.
func (s *Store) WatchReads(watch func(query string)) { s.read.watch = watch }

// LimitReaders is how many connections the store reads with at most.
func (s *Store) LimitReaders(n int) { s.read.db.SetMaxOpenConns(n) }

// Statements are those that the writer has prepared, on SQLite. It may be
// called while nothing is written.
func (s *Store) Statements() []string { return slices.Sorted(maps.Keys(s.engine.(*sqlite).statements)) }

// Freeze makes a store on PostgreSQL silent, as a process is that was stopped:
// it renews its lease no more, until it commits something.
func (s *Store) Freeze() { s.pulse.stop() }

// commitCounter is an engine that counts the transactions which are asked of it.
type commitCounter struct {
	engine
	commits int
}

func (c *commitCounter) commit(b *batch) error {
	c.commits++
	return c.engine.commit(b)
}

// Together has what the calls write committed as one batch, and tells how many
// transactions that took and what they returned. The store's committer ends.
func (s *Store) Together(calls ...func() error) (transactions int, results []error) {
	s.pulse.stop()
	s.commit.stop()
	e := &commitCounter{engine: s.engine}
	before := s.commit
	defer func() { s.commit = before }()
	s.commit = &committer{
		engine: e, logger: slog.New(slog.DiscardHandler), fatal: make(chan struct{}),
		accepts: make(chan *acceptOp, maxBatch), results: make(chan *resultOp, maxBatch), writes: make(chan *writeOp, maxBatch),
	}
	results = make([]error, len(calls))
	var done sync.WaitGroup
	for i, call := range calls {
		done.Go(func() { results[i] = call() })
	}
	b := &batch{}
	for len(b.accepts)+len(b.writes) < len(calls) {
		s.commit.drain(b)
		runtime.Gosched()
	}
	s.commit.apply(b)
	done.Wait()
	return e.commits, results
}

// Replica is the store's registration.
func (s *Store) Replica() int64 { return s.engine.(*postgres).id.Load() }

// ClaimQuery is the statement of Claim on PostgreSQL: $1 owner, $2 until, $3
// connection, $4 now, $5 limit.
func ClaimQuery() string { return new(bound).bind(postgresDialect().claim()) }

// PruneQueries are the statements of Prune on PostgreSQL: one that locks a page
// of the events that meet condition ($1 the one before, $2 the end, $3 how
// many), and one that deletes what may go of them ($1).
func PruneQueries(condition string) (lock, prune string) {
	return lockPageQuery(condition), prunePageQuery
}

// ExpireFilesQuery is the statement that takes files from events, on
// PostgreSQL: those after $1 up to $2.
func ExpireFilesQuery() string { return new(bound).bind(expireFilesQuery) }

// RegisterColumns teaches a connection's types to take the columns of Columns.
func RegisterColumns(types *pgtype.Map) { registerColumns(types) }

// Columns has a column of each type.
type Columns struct{ long, integer, short, yes, text, bytes column }

// Reset empties the columns.
func (c *Columns) Reset() {
	c.long.reset(pgtype.Int8OID)
	c.integer.reset(pgtype.Int4OID)
	c.short.reset(pgtype.Int2OID)
	c.yes.reset(pgtype.BoolOID)
	c.text.reset(pgtype.TextOID)
	c.bytes.reset(pgtype.ByteaOID)
}

// Add adds a row.
func (c *Columns) Add(long int64, integer int32, short int16, yes bool, text string, bytes []byte) {
	c.long.int64(long)
	c.integer.int32(integer)
	c.short.int16(short)
	c.yes.bool(yes)
	c.text.text(text)
	c.bytes.bytes(bytes)
}

// Args are the columns as parameters of a statement.
func (c *Columns) Args() []any {
	return []any{&c.long, &c.integer, &c.short, &c.yes, &c.text, &c.bytes}
}
