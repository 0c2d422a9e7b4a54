package db

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"os"

	"github.com/jackc/pgx/v5"

	"hookgate/internal/event"
)

// Errors of opening the two databases of a move, beside ErrInUse, ErrNewer and
// ErrBadURL.
var (
	ErrNoHistory    = errors.New("not a database of hookgate")
	ErrTargetInUse  = errors.New("a replica is running on the PostgreSQL database: stop it first (one that was killed counts as running until its lease is over)")
	ErrTargetFilled = errors.New("the PostgreSQL database already has events that are not from this file")
	ErrBeingMoved   = errors.New("another process is moving a history into this PostgreSQL database")
	ErrMoved        = errors.New("this history has been moved already")
	// ErrUnfinished keeps replicas off a database that has half a history.
	ErrUnfinished = errors.New("a history is being moved into this database: run hookgate migrate sqlite-to-postgres again until it is done")
)

// HistoryFile is a SQLite file whose history package transfer moves. It is
// locked: nobody else uses it.
type HistoryFile struct {
	Rows   *sql.DB // reads it
	engine *sqlite
	number int64 // by which the target knows it again
	node   int64 // in its IDs
	// facts are the rows of meta that are moved: the number of the folder for
	// files, and the key of forms, by which visitors' open pages stay good.
	facts map[string]int64
}

// OpenHistoryFile opens the file as a start of hookgate does: the tables are brought
// up to date, and what a process that is gone had claimed is free.
func OpenHistoryFile(ctx context.Context, path string, opt Options) (*HistoryFile, error) {
	if err := checkHistory(ctx, path); err != nil {
		return nil, err
	}
	engine, err := openSQLite(ctx, path, opt)
	if err != nil {
		return nil, err
	}
	h := &HistoryFile{engine: engine}
	if h.Rows, err = openReaders(path); err != nil {
		return nil, errors.Join(err, engine.close())
	}
	if err := h.identify(ctx); err != nil {
		return nil, errors.Join(err, h.Close())
	}
	return h, nil
}

// checkHistory makes sure that the file is one of hookgate's: opening would make
// one of it.
func checkHistory(ctx context.Context, path string) (err error) {
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	if !info.Mode().IsRegular() || info.Size() == 0 {
		return fmt.Errorf("%s: %w", path, ErrNoHistory)
	}
	conn, err := sql.Open("sqlite3", fileURI(path, "mode=rw&_busy_timeout=5000"))
	if err != nil {
		return fmt.Errorf("open database %s: %w", path, err)
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	var found int
	row := conn.QueryRowContext(ctx, `SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name IN ('goose_db_version', 'meta', 'events', 'deliveries')`)
	if err := row.Scan(&found); err != nil {
		return fmt.Errorf("%s: %w: %w", path, ErrNoHistory, err)
	}
	if found < 4 {
		return fmt.Errorf("%s: %w", path, ErrNoHistory)
	}
	return nil
}

// identify reads the file's number, which it is given by its first move.
func (h *HistoryFile) identify(ctx context.Context) error {
	var random [8]byte
	_, _ = rand.Read(random[:]) // never fails, see crypto/rand
	number := int64(binary.BigEndian.Uint64(random[:]) >> 1)
	if err := h.engine.exec(`INSERT OR IGNORE INTO meta (key, value) VALUES ('history', ?1)`, number); err != nil { //nolint:contextcheck // the driver is slow with contexts that can end, see change
		return fmt.Errorf("number the history: %w", err)
	}
	row := h.Rows.QueryRowContext(ctx, `SELECT (SELECT value FROM meta WHERE key = 'history'), (SELECT value FROM meta WHERE key = 'node')`)
	if err := row.Scan(&h.number, &h.node); err != nil {
		return fmt.Errorf("read the history's number: %w", err)
	}
	return h.readFacts(ctx)
}

func (h *HistoryFile) readFacts(ctx context.Context) error {
	rows, err := h.Rows.QueryContext(ctx, `SELECT key, value FROM meta WHERE key = '`+metaFiles+`' OR key LIKE '`+metaFormKey+`%'`)
	if err != nil {
		return fmt.Errorf("read what is known of the history: %w", err)
	}
	defer func() { _ = rows.Close() }()
	h.facts = map[string]int64{}
	for rows.Next() {
		var key string
		var value int64
		if err := rows.Scan(&key, &value); err != nil {
			return fmt.Errorf("read what is known of the history: %w", err)
		}
		h.facts[key] = value
	}
	return rows.Err()
}

// Close ends the use of the file.
func (h *HistoryFile) Close() error { return errors.Join(h.Rows.Close(), h.engine.close()) }

// moveLock, with the schema's number, is held by the process that moves a history.
const moveLock = 0x6d6f7665

// Rows of meta about a history that is, or was, moved here: how far it is, its
// number, the node that made its IDs, and the greatest of them.
const (
	metaMove   = "migration"
	metaSource = "migration_source"
	metaNode   = "migration_node"
	metaLast   = "migration_last"

	moveUnfinished = 1 // of metaMove
	moveDone       = 2
)

// HistoryTarget is the PostgreSQL database that package transfer moves a history
// to.
type HistoryTarget struct {
	Conn   *pgx.Conn // for the rows; used by one goroutine at a time
	schema int64
}

// OpenHistoryTarget connects, makes or migrates the tables, and keeps other moves away.
func OpenHistoryTarget(ctx context.Context, url event.Secret, opt Options) (*HistoryTarget, error) {
	config, err := parseURL(url)
	if err != nil {
		return nil, err
	}
	if err := migratePostgres(ctx, config, opt.Logger); err != nil {
		return nil, err
	}
	config = writerConfig(config)
	config.RuntimeParams["statement_timeout"] = "0" // whole tables are read
	conn, err := pgx.ConnectConfig(ctx, inSession(config))
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	t := &HistoryTarget{Conn: conn}
	if err := t.lock(ctx); err != nil {
		return nil, errors.Join(err, t.Close(ctx))
	}
	return t, nil
}

func (t *HistoryTarget) lock(ctx context.Context) error {
	var name *string
	if err := t.Conn.QueryRow(ctx, `SELECT current_schema()`).Scan(&name); err != nil {
		return fmt.Errorf("read the name of the schema: %w", err)
	}
	if name == nil {
		return errNoSchema
	}
	t.schema = hash("schema", *name)
	var mine bool
	if err := t.Conn.QueryRow(ctx, `SELECT pg_try_advisory_lock($1)`, t.schema^moveLock).Scan(&mine); err != nil {
		return fmt.Errorf("lock: %w", err)
	}
	if !mine {
		return ErrBeingMoved
	}
	return nil
}

// Begin makes sure that the history may be moved here, and keeps replicas off
// until it is. Registrations take the same lock: none slips in between.
func (t *HistoryTarget) Begin(ctx context.Context, h *HistoryFile) error {
	return pgx.BeginFunc(ctx, t.Conn, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1)`, t.schema^registerLock); err != nil {
			return fmt.Errorf("lock: %w", err)
		}
		if _, err := tx.Exec(ctx, `UPDATE replicas SET dead = true WHERE NOT dead AND heartbeat + lease < now_us()`); err != nil {
			return fmt.Errorf("look for replicas: %w", err)
		}
		var living, state, source int64
		var filled bool
		row := tx.QueryRow(ctx, `SELECT (SELECT count(*) FROM replicas WHERE NOT dead),
			coalesce((SELECT value FROM meta WHERE key = $1), 0), coalesce((SELECT value FROM meta WHERE key = $2), 0),
			EXISTS (SELECT 1 FROM events) OR EXISTS (SELECT 1 FROM deliveries)`, metaMove, metaSource)
		if err := row.Scan(&living, &state, &source, &filled); err != nil {
			return fmt.Errorf("look at the database: %w", err)
		}
		switch {
		case state == moveDone && source == h.number:
			return ErrMoved
		case living > 0:
			return ErrTargetInUse
		case filled && source != h.number, state != 0 && source != h.number:
			return ErrTargetFilled
		}
		return setMeta(ctx, tx, map[string]int64{metaMove: moveUnfinished, metaSource: h.number})
	})
}

// Finish lets replicas start, once do has made the copy fit for use. The file's
// node is remembered with the greatest of its IDs, so that a replica with the
// same node makes none of them again, whatever its clock says.
func (t *HistoryTarget) Finish(ctx context.Context, h *HistoryFile, do func(tx pgx.Tx) error) error {
	err := pgx.BeginFunc(ctx, t.Conn, func(tx pgx.Tx) error {
		if err := do(tx); err != nil {
			return err
		}
		var last int64
		row := tx.QueryRow(ctx, `SELECT greatest((SELECT max(id) FROM events), (SELECT max(id) FROM deliveries), 0)`)
		if err := row.Scan(&last); err != nil {
			return err
		}
		values := map[string]int64{metaMove: moveDone, metaNode: h.node, metaLast: last}
		maps.Copy(values, h.facts)
		return setMeta(ctx, tx, values)
	})
	if err != nil {
		return fmt.Errorf("finish: %w", err)
	}
	return nil
}

// Close ends the connection, and with it the lock, also after ctx has ended.
func (t *HistoryTarget) Close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), commitTime)
	defer cancel()
	return t.Conn.Close(ctx)
}

func setMeta(ctx context.Context, tx pgx.Tx, values map[string]int64) error {
	for key, value := range values {
		_, err := tx.Exec(ctx, `INSERT INTO meta (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value`, key, value)
		if err != nil {
			return fmt.Errorf("write %s: %w", key, err)
		}
	}
	return nil
}

// movedHistory is what a replica has to know of a history that was moved here.
type movedHistory struct {
	node, last int64
}

// read fails with ErrUnfinished where the history is not whole: no replica
// registers then.
func (m *movedHistory) read(ctx context.Context, tx pgx.Tx) error {
	var state int64
	row := tx.QueryRow(ctx, `SELECT coalesce(max(value) FILTER (WHERE key = $1), 0), coalesce(max(value) FILTER (WHERE key = $2), 0), coalesce(max(value) FILTER (WHERE key = $3), 0) FROM meta`,
		metaMove, metaNode, metaLast)
	if err := row.Scan(&state, &m.node, &m.last); err != nil {
		return fmt.Errorf("look for a history: %w", err)
	}
	if state == moveUnfinished {
		return ErrUnfinished
	}
	return nil
}

// lastOf is the greatest ID that the history has of the node.
func (m *movedHistory) lastOf(node int) int64 {
	if int64(node) == m.node {
		return m.last
	}
	return 0
}
