package db

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync/atomic"

	sqlite3 "github.com/mattn/go-sqlite3"
)

// walBytes is how much the write-ahead log may grow between checkpoints,
// about 4,000 pages.
const walBytes = 16 << 20

// checkpointer copies the write-ahead log into the database file beside the
// writer. A PASSIVE checkpoint does the copying and blocks nobody, but under
// load it never resets the log; for that the writer runs a short RESTART when
// the copying is done. Done all by the writer, p99 of a commit was three times
// as long.
type checkpointer struct {
	conn    *sqlite3.SQLiteConn
	logger  *slog.Logger
	wake    chan struct{}
	stopped chan struct{}
	written int64       // by the writer since the log was reset; the writer's own
	copied  atomic.Bool // a PASSIVE is done, the writer may reset the log
}

func startCheckpointer(path string, logger *slog.Logger) (*checkpointer, error) {
	conn, err := openRaw(path)
	if err != nil {
		return nil, err
	}
	c := &checkpointer{conn: conn, logger: logger, wake: make(chan struct{}, 1), stopped: make(chan struct{})}
	go c.run()
	return c, nil
}

func (c *checkpointer) run() {
	defer close(c.stopped)
	for range c.wake {
		if err := pragma(c.conn, "PRAGMA wal_checkpoint(PASSIVE)"); err != nil {
			c.logger.Warn("checkpoint failed, the next one will catch up", "error", err)
		}
		c.copied.Store(true)
	}
}

func (c *checkpointer) stop() error {
	close(c.wake)
	<-c.stopped
	return c.conn.Close()
}

// wrote is called by the writer after each commit with an estimate of what it wrote.
func (c *checkpointer) wrote(bytes int64) {
	before := c.written
	c.written += bytes
	if before < walBytes && c.written >= walBytes {
		select {
		case c.wake <- struct{}{}:
		default:
		}
	}
}

// idle resets the log once it is copied. It does not wait for a reader that
// still uses the log: the next round will do.
func (e *sqlite) idle() {
	e.emptyLog()
	if !e.checkpoint.copied.CompareAndSwap(true, false) {
		return
	}
	e.checkpoint.written = 0
	err := errors.Join(
		pragma(e.conn, "PRAGMA busy_timeout = 20"),
		pragma(e.conn, "PRAGMA wal_checkpoint(RESTART)"),
		pragma(e.conn, "PRAGMA busy_timeout = 5000"),
	)
	if err != nil {
		e.logger.Warn("the write-ahead log could not be reset, the next checkpoint will try again", "error", err)
	}
}

// pragma runs a PRAGMA and reads its answer to the end.
func pragma(conn *sqlite3.SQLiteConn, text string) error {
	rows, err := conn.QueryContext(context.Background(), text, nil)
	if err != nil {
		return fmt.Errorf("%s: %w", text, err)
	}
	values := make([]driver.Value, len(rows.Columns()))
	for {
		if err := rows.Next(values); err != nil {
			if errors.Is(err, io.EOF) {
				return rows.Close()
			}
			return errors.Join(fmt.Errorf("%s: %w", text, err), rows.Close())
		}
	}
}
