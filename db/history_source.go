package db

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strings"
)

// history is a SQLite file that is moved. It is locked: nobody else uses it.
type history struct {
	engine *sqlite
	read   *sql.DB
	number int64 // by which the target knows it again
	node   int64 // in its IDs
	// facts are the rows of meta that are moved: the number of the folder for
	// files, and the key of forms, by which visitors' open pages stay good.
	facts map[string]int64
}

// openHistory opens the file as a start of hookgate does: the tables are brought
// up to date, and what a process that is gone had claimed is free.
func openHistory(ctx context.Context, path string, opt Options) (*history, error) {
	if err := checkHistory(ctx, path); err != nil {
		return nil, err
	}
	engine, err := openSQLite(ctx, path, opt)
	if err != nil {
		return nil, err
	}
	h := &history{engine: engine}
	if h.read, err = openReaders(path); err != nil {
		return nil, errors.Join(err, engine.close())
	}
	if err := h.identify(ctx); err != nil {
		return nil, errors.Join(err, h.close())
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
func (h *history) identify(ctx context.Context) error {
	var random [8]byte
	_, _ = rand.Read(random[:]) // never fails, see crypto/rand
	number := int64(binary.BigEndian.Uint64(random[:]) >> 1)
	if err := h.engine.exec(`INSERT OR IGNORE INTO meta (key, value) VALUES ('history', ?1)`, number); err != nil { //nolint:contextcheck // the driver is slow with contexts that can end, see change
		return fmt.Errorf("number the history: %w", err)
	}
	row := h.read.QueryRowContext(ctx, `SELECT (SELECT value FROM meta WHERE key = 'history'), (SELECT value FROM meta WHERE key = 'node')`)
	if err := row.Scan(&h.number, &h.node); err != nil {
		return fmt.Errorf("read the history's number: %w", err)
	}
	return h.readFacts(ctx)
}

func (h *history) readFacts(ctx context.Context) error {
	rows, err := h.read.QueryContext(ctx, `SELECT key, value FROM meta WHERE key = '`+metaFiles+`' OR key LIKE '`+metaFormKey+`%'`)
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

func (h *history) count(ctx context.Context, t *historyTable) (n int64, err error) {
	err = h.read.QueryRowContext(ctx, `SELECT count(*) FROM `+t.name).Scan(&n)
	return n, err
}

// rows are the table's rows after the key, in its order; all without a key.
func (h *history) rows(ctx context.Context, t *historyTable, after []any) (*sql.Rows, error) {
	query := `SELECT ` + t.sourceColumns() + ` FROM ` + t.name
	if len(t.key) > 0 {
		key := strings.Join(t.key, ", ")
		if len(after) > 0 {
			query += ` WHERE (` + key + `) > (` + strings.Repeat("?, ", len(after)-1) + `?)`
		}
		query += ` ORDER BY ` + key
	}
	return h.read.QueryContext(ctx, query, after...)
}

func (h *history) digest(ctx context.Context, t *historyTable) (d digest, err error) {
	rows, err := h.rows(ctx, t, nil)
	if err != nil {
		return d, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		row, err := scanRow(rows, len(t.columns))
		if err == nil {
			err = d.add(row)
		}
		if err != nil {
			return d, err
		}
	}
	return d, rows.Err()
}

func (h *history) close() error { return errors.Join(h.read.Close(), h.engine.close()) }
