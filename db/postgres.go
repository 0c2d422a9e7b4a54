package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"hash/fnv"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"

	"hookgate/internal/event"
)

const (
	// commitTime is how long one commit may take, reconnecting included, and
	// connectTime how long one try to connect. Who comes while a commit hangs
	// waits for both at the most, and is to be told within five seconds.
	commitTime  = 3 * time.Second
	connectTime = 1500 * time.Millisecond
	// leaseTime is what a process's lease is unless Options say otherwise.
	leaseTime = 30 * time.Second
	// maxBackOff is the longest pause between two tries to connect.
	maxBackOff = 2 * time.Second
)

// ErrBadURL reports a text that does not name a PostgreSQL database. It does
// not hold the text, for that may hold a password.
var ErrBadURL = errors.New("not the URL of a PostgreSQL database, such as postgres://user:password@host:5432/database")

// errCutOff marks errors after which the connection is gone.
var errCutOff = errors.New("no connection to the database")

// postgres is the engine on a database that several processes share. Its
// connection belongs to the committer's goroutine.
type postgres struct {
	config *pgx.ConnConfig // of the writer
	reads  *sql.DB
	side   *sql.DB // for what must not stand in the committer's way
	gates  *sql.DB // for SharedLimits
	schema int64   // hash of the schema's name: locks are the database's
	opt    Options
	ids    *atomic.Pointer[event.IDSource]
	bound  bound
	logger *slog.Logger

	conn     *pgx.Conn
	failures int       // to connect, in a row
	retryAt  time.Time // not to connect before
	lastErr  error
	number   int64   // of the latest commit
	lost     []int64 // numbers of commits that nobody knows the outcome of
	rows     batchRows

	id      atomic.Int64 // replicas.id of this process; 0: none yet
	beat    atomic.Int64 // when the lease was renewed, ns since base
	base    time.Time    // with the monotonic clock
	expired atomic.Bool  // the lease ran out: what was claimed is no longer ours
}

// OpenPostgres opens the PostgreSQL database at url, makes or migrates its
// tables, and registers this process beside the others that use it.
func OpenPostgres(ctx context.Context, url event.Secret, opt Options) (*Store, error) {
	if opt.Lease <= 0 {
		opt.Lease = leaseTime
	}
	s := &Store{backlogs: newCountedBacklogs(), now: opt.Now, observe: opt.Cancelled, dialect: postgresDialect()}
	e, err := openPostgres(ctx, url, opt, &s.ids)
	if err != nil {
		return nil, err
	}
	s.engine, s.read = e, newPool(e.reads, s.dialect)
	s.commit = startCommitter(e, opt.Logger)
	s.pulse = startPulse(s, e)
	return s, nil
}

func openPostgres(ctx context.Context, url event.Secret, opt Options, ids *atomic.Pointer[event.IDSource]) (*postgres, error) {
	config, err := parseURL(url)
	if err != nil {
		return nil, err
	}
	e := &postgres{config: writerConfig(config), opt: opt, ids: ids, logger: opt.Logger, base: time.Now()}
	if err := migratePostgres(ctx, config, opt.Logger); err != nil {
		return nil, err
	}
	e.side = openSide(config)
	e.gates = openLimits(config)
	reading := config.Copy()
	reading.RuntimeParams["default_transaction_read_only"] = "on"
	// A ping before each use: a connection that died with the server is found
	// out before a query is lost with it. Nothing hot is read.
	e.reads = stdlib.OpenDB(*inSession(reading), stdlib.OptionShouldPing(func(context.Context, stdlib.ShouldPingParams) bool { return true }))
	e.reads.SetMaxOpenConns(6)
	e.reads.SetMaxIdleConns(6)
	if e.schema, err = schemaHash(ctx, e.reads); err == nil {
		err = e.ready(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, e.closePools())
	}
	return e, nil
}

// openSide makes the pool for what prunes. A replica that is lost amid a page of events
// that it has locked must not keep others from them for as long as the server believes
// in it, which is two hours with the usual settings.
func openSide(config *pgx.ConnConfig) *sql.DB {
	c := config.Copy()
	c.RuntimeParams["idle_in_transaction_session_timeout"] = "10000"
	side := stdlib.OpenDB(*inSession(c))
	side.SetMaxOpenConns(2)
	return side
}

// openLimits makes the pool of SharedLimits, whose connections are opened when they are
// needed. What hangs gives way to the next try.
func openLimits(config *pgx.ConnConfig) *sql.DB {
	c := config.Copy()
	c.RuntimeParams["synchronous_commit"] = "off"
	c.RuntimeParams["statement_timeout"] = "2000"
	gates := stdlib.OpenDB(*inSession(c))
	gates.SetMaxOpenConns(2)
	gates.SetMaxIdleConns(2)
	gates.SetConnMaxIdleTime(time.Minute)
	return gates
}

func (e *postgres) closePools() error {
	return errors.Join(e.reads.Close(), e.side.Close(), e.gates.Close())
}

// CheckURL reports ErrBadURL for what the driver cannot read.
func CheckURL(url event.Secret) error {
	_, err := parseURL(url)
	return err
}

// parseURL reads what every connection has in common.
func parseURL(url event.Secret) (*pgx.ConnConfig, error) {
	config, err := pgx.ParseConfig(url.Reveal())
	if err != nil {
		return nil, ErrBadURL // err may hold the password
	}
	config.ConnectTimeout = connectTime
	if config.ValidateConnect == nil { // of several hosts the one that is the primary now
		config.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsPrimary
	}
	// Estimates that are far too high would have statements of a millisecond
	// compiled for a fifth of a second.
	config.RuntimeParams["jit"] = "off"
	if config.RuntimeParams["application_name"] == "" {
		config.RuntimeParams["application_name"] = "hookgate"
	}
	return config, nil
}

// writerConfig are the settings of the one session that writes. The time
// limits end what the server would go on with after this process has given up.
//
// Plans are kept: to plan the few statements of a batch each time, with all its
// rows in their parameters, cost the server a quarter of what they do. Such a
// plan must be right for an empty table and for a full one. That of an insert
// is; for the others there is, with the three settings, one way only: row by
// row, by the primary key. What could choose has planNow or planFreely before it.
func writerConfig(config *pgx.ConnConfig) *pgx.ConnConfig {
	c := config.Copy()
	if c.RuntimeParams["synchronous_commit"] != "remote_apply" {
		c.RuntimeParams["synchronous_commit"] = "on" // what is acknowledged is on the disk
	}
	c.RuntimeParams["plan_cache_mode"] = "force_generic_plan"
	for _, choice := range []string{"enable_seqscan", "enable_hashjoin", "enable_mergejoin"} {
		c.RuntimeParams[choice] = "off"
	}
	c.RuntimeParams["statement_timeout"] = "3000"
	c.RuntimeParams["idle_in_transaction_session_timeout"] = "5000"
	c.RuntimeParams["default_transaction_isolation"] = "read committed"
	return c
}

// planNow has the rest of a transaction planned for the rows that there are,
// planFreely also in ways that do not pay for a batch.
const (
	planNow    = `SELECT set_config('plan_cache_mode', 'force_custom_plan', true)`
	planFreely = planNow + `, set_config('enable_seqscan', 'on', true), set_config('enable_hashjoin', 'on', true), set_config('enable_mergejoin', 'on', true)`
)

// schemaHash numbers the schema for advisory locks.
func schemaHash(ctx context.Context, db *sql.DB) (int64, error) {
	var name sql.NullString
	if err := db.QueryRowContext(ctx, `SELECT current_schema()`).Scan(&name); err != nil {
		return 0, fmt.Errorf("read the name of the schema: %w", err)
	}
	if !name.Valid {
		return 0, errNoSchema
	}
	return hash("schema", name.String), nil
}

// hash numbers a lock; the same on every replica and in every version.
func hash(parts ...string) int64 {
	h := fnv.New64a()
	for _, p := range parts {
		_, _ = h.Write([]byte(p))
		_, _ = h.Write([]byte{0})
	}
	return int64(h.Sum64()) //nolint:gosec // any number will do
}

// ready makes sure that there is a connection, that what became of lost
// commits is settled, and that this process is registered.
func (e *postgres) ready(ctx context.Context) error {
	if e.conn != nil && e.conn.IsClosed() {
		e.conn = nil
	}
	if e.conn == nil {
		if err := e.connect(ctx); err != nil {
			return err
		}
	}
	if e.id.Load() == 0 || e.expired.Load() {
		return e.register(ctx)
	}
	if len(e.lost) > 0 {
		return e.settle(ctx)
	}
	return nil
}

// connect tries once, or not at all while the pause after the last try lasts.
func (e *postgres) connect(ctx context.Context) error {
	if time.Now().Before(e.retryAt) {
		return fmt.Errorf("%w: %w", errCutOff, e.lastErr)
	}
	conn, err := pgx.ConnectConfig(ctx, inSession(e.config))
	if err != nil {
		pause := min(100*time.Millisecond<<min(e.failures, 10), maxBackOff)
		e.failures++
		e.retryAt, e.lastErr = time.Now().Add(pause), err
		return fmt.Errorf("%w: %w", errCutOff, err)
	}
	if e.failures > 0 {
		e.logger.InfoContext(ctx, "the database is back")
	}
	registerColumns(conn.TypeMap())
	e.conn, e.failures = conn, 0
	return nil
}

// purge leaves what was deleted to VACUUM.
func (e *postgres) purge(context.Context, writer) (done bool, err error) { return false, nil }

func (e *postgres) replica() (id int64, shared bool) { return e.id.Load(), true }

// idle has nothing to do: PostgreSQL keeps its own house.
func (e *postgres) idle() {}

// faultOf: what can pass is not the operation's fault. Nothing that happens to
// a server is fatal for this process, but tables that are not there, or are
// damaged, are: no later commit would go better.
// The classes are those of PostgreSQL's appendix A, "Error Codes".
func (e *postgres) faultOf(err error) fault {
	if errors.Is(err, errCutOff) || errors.Is(err, ErrUnfinished) {
		return faultUnavailable
	}
	pe, ok := errors.AsType[*pgconn.PgError](err)
	if !ok || len(pe.Code) != 5 {
		return faultOfOperation
	}
	switch pe.Code {
	case "42P01", "42703", "42883", "3F000", "XX001", "XX002": // no such table, column, function, schema; damaged data, index
		return faultFatal
	case readOnly, "42501", "55P03", "XX000": // read-only, no privilege, lock not available, internal error
		return faultUnavailable
	}
	switch pe.Code[:2] {
	case "08", "25", "28", "40", "53", "57", "58", "HG": // connection, transaction state, login, rollback, resources, intervention, system; the lease
		return faultUnavailable
	}
	return faultOfOperation
}

// size is what the tables take on the server's disk, indexes included.
func (e *postgres) size() (int64, error) {
	ctx, cancel := context.WithTimeout(context.Background(), commitTime)
	defer cancel()
	var total int64
	err := e.reads.QueryRowContext(ctx, `SELECT coalesce(sum(pg_total_relation_size(oid)), 0)::bigint FROM pg_class
		WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p')`).Scan(&total)
	if err != nil {
		return 0, fmt.Errorf("read the size of the database: %w", err)
	}
	return total, nil
}

// close gives back what is still claimed and leaves the replicas. Without a
// connection the lease's end does the same.
func (e *postgres) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), commitTime)
	defer cancel()
	var err error
	if e.conn != nil && !e.conn.IsClosed() {
		if retired := e.retire(ctx); retired != nil {
			e.logger.WarnContext(ctx, "could not leave the replicas, the others take over when the lease has run out", "error", retired)
		}
		err = e.conn.Close(ctx)
	}
	return errors.Join(err, e.closePools())
}
