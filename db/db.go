// Package db is the durable record of the gateway: events, deliveries and
// attempts, in SQLite or in PostgreSQL, which several processes may share.
//
// Everything that writes goes through one committer, which puts what is
// waiting into one transaction and answers each caller after the commit. Reads
// use a small pool of their own.
package db

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"hookgate/internal/event"
)

// Store is safe for concurrent use.
type Store struct {
	read    pool
	dialect dialect
	engine  engine
	commit  *committer
	ids     atomic.Pointer[event.IDSource]
	now     func() time.Time
	pulse   *pulse                       // nil on SQLite
	observe func(event.CancelCause, int) // is told what was cancelled; nil: nobody is

	plans    sync.Map // plan id → []string, the names of its rules
	backlogs *countedBacklogs

	close    sync.Once
	closeErr error
}

// engine is a kind of database.
type engine interface { //nolint:interfacebloat // two implementations, one user
	// commit applies the batch in one transaction. On an error nothing of it
	// is stored; faultOf tells what kind of error it is.
	commit(b *batch) error
	// idle is called between batches, for housekeeping that must not run
	// beside a commit.
	idle()
	faultOf(err error) fault
	size() (int64, error)
	// holds reports whether what owner claimed is still this process's.
	holds(owner int64) bool
	// purge takes what was deleted out of the files of the database; done is
	// false where that is not the process's business.
	purge(ctx context.Context, write writer) (done bool, err error)
	// prune deletes the events of a kind before an id of which nothing is
	// undelivered, beside the traffic, and returns how many.
	prune(ctx context.Context, read pool, write writer, before event.ID, part kept) (int, error)
	// replica is this process's number among those that share the database;
	// shared is false where there can be no other.
	replica() (id int64, shared bool)
	// limits are nil where no other process can be on the database.
	limits(reads pool) *SharedLimits
	close() error
}

// Options are what Open needs besides the place of the database.
type Options struct {
	Logger *slog.Logger
	Now    func() time.Time
	// Cancelled is told how many deliveries were cancelled for the cause; nil: nobody
	// is.
	Cancelled func(cause event.CancelCause, n int)

	// What follows is for OpenPostgres. Name and Version describe this process
	// to those who look at the replicas.
	Name, Version string
	// Language is what of the language of rules this process understands, as a number
	// that grows.
	Language int
	// Lease is how long a process that is heard no more keeps what it claimed;
	// 30 s unless set.
	Lease time.Duration
}

// ErrInUse reports that another process runs on the database.
var ErrInUse = errors.New("another hookgate is running on this database")

// Open opens the SQLite database at path, makes or migrates its tables, and
// takes over what a process that died had claimed.
func Open(ctx context.Context, path string, opt Options) (*Store, error) {
	engine, err := openSQLite(ctx, path, opt)
	if err != nil {
		return nil, err
	}
	s := &Store{engine: engine, backlogs: newCountedBacklogs(), now: opt.Now, observe: opt.Cancelled, dialect: sqliteDialect()}
	readers, err := openReaders(path)
	if err != nil {
		return nil, errors.Join(err, engine.close())
	}
	s.read = newPool(readers, s.dialect)
	node, last, err := s.identity(ctx)
	if err != nil {
		return nil, errors.Join(err, s.read.Close(), engine.close())
	}
	s.ids.Store(event.NewIDSource(node, last, opt.Now))
	s.commit = startCommitter(engine, opt.Logger)
	return s, nil
}

// Close commits what is waiting and closes the database. It may be called
// twice; nothing may be written during it or after it.
func (s *Store) Close() error {
	s.close.Do(func() {
		s.pulse.stop()
		s.backlogs.Close()
		s.commit.stop()
		s.closeErr = errors.Join(s.read.Close(), s.engine.close())
	})
	return s.closeErr
}

// Fatal is closed when the database can no longer be trusted (an fsync failed,
// the file is damaged); Err says why. Nothing is acknowledged from then on.
func (s *Store) Fatal() <-chan struct{} { return s.commit.fatal }

// Err is what closed Fatal.
func (s *Store) Err() error { return s.commit.err() }

// NewIDs reserves n consecutive numbers, for an event and its deliveries.
func (s *Store) NewIDs(n int) event.ID { return s.ids.Load().Take(n) }

// Holds reports whether d, which was claimed before, is still this process's
// to send. It no longer is when the process was out of touch with a database
// that it shares for longer than its lease: then others have it.
func (s *Store) Holds(d *event.Delivery) bool { return s.engine.holds(d.Owner) }

// Size is how many bytes the database takes on disk.
func (s *Store) Size() (int64, error) { return s.engine.size() }

// Ping reports whether the database can be written to right now.
func (s *Store) Ping() error {
	return s.write(func(tx tx) error {
		return tx.exec(`INSERT INTO meta (key, value) VALUES ('ping', ?1)
			ON CONFLICT (key) DO UPDATE SET value = excluded.value`, micros(s.now()))
	})
}

// identity reads the node number, made once at random, and the greatest ID.
func (s *Store) identity(ctx context.Context) (node int, last event.ID, err error) {
	row := s.read.QueryRowContext(ctx, `SELECT (SELECT value FROM meta WHERE key = 'node'),
		max((SELECT coalesce(max(id), 0) FROM events), (SELECT coalesce(max(id), 0) FROM deliveries))`)
	if err := row.Scan(&node, &last); err != nil {
		return 0, 0, fmt.Errorf("read node number: %w", err)
	}
	return node, last, nil
}
