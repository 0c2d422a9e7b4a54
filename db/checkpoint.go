package db

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	sqlite3 "github.com/mattn/go-sqlite3"
)

// walBytes is how much is written to the write-ahead log, by the writer's estimate, before
// it is copied into the database and begun anew, and walMore how much before that is tried
// again, where a reader was in the way.
const walBytes, walMore = 16 << 20, 4 << 20

// manyFrames is how many pages the log has where the writer waits for readers, 64 MB, and
// fewFrames how many more it may have got while it was copied: the writer copies those
// itself.
const manyFrames, fewFrames = 64 << 20 / pageSize, 256

// copyings is how often the log is copied at once, where it grows meanwhile.
const copyings = 2

// checkpointer copies the write-ahead log into the database file beside the
// writer. A PASSIVE checkpoint does the copying and blocks nobody, but under
// load it never resets the log; for that the writer runs a short RESTART when
// nearly all is copied. Done all by the writer, p99 of a commit was three times
// as long; and so it was at each end of a reader that had kept the log from being
// copied, while the writer did not look at how much was left to it.
type checkpointer struct {
	copying sync.Mutex // held by whoever uses conn
	conn    *sqlite3.SQLiteConn
	logger  *slog.Logger
	wake    chan struct{}
	stopped chan struct{}
	written int64        // by the writer since the log was reset; the writer's own
	next    int64        // the checkpointer is woken at so much written; the writer's own
	copied  atomic.Bool  // nearly all of the log is, the writer may reset it
	frames  atomic.Int64 // pages in the log, when it was copied last
}

func startCheckpointer(path string, logger *slog.Logger) (*checkpointer, error) {
	conn, err := openRaw(path)
	if err != nil {
		return nil, err
	}
	c := &checkpointer{conn: conn, logger: logger, wake: make(chan struct{}, 1), stopped: make(chan struct{}), next: walBytes}
	go c.run()
	return c, nil
}

func (c *checkpointer) run() {
	defer close(c.stopped)
	for range c.wake {
		copied, err := c.copy()
		if err != nil {
			c.logger.Warn("checkpoint failed, the next one will catch up", "error", err)
		}
		c.copied.Store(copied)
	}
}

// copy copies the log, and what was written to it meanwhile, until that is little. It
// reports false where somebody who reads kept it from more.
func (c *checkpointer) copy() (bool, error) {
	c.copying.Lock()
	defer c.copying.Unlock()
	before := int64(0)
	for range copyings {
		busy, in, copied, err := checkpoint(c.conn, "PASSIVE")
		if err != nil || busy || in-copied > fewFrames {
			return false, err
		}
		c.frames.Store(in)
		if in-before <= fewFrames {
			break
		}
		before = in
	}
	return true, nil
}

func (c *checkpointer) stop() error {
	close(c.wake)
	<-c.stopped
	return c.conn.Close()
}

// wrote is called by the writer after each commit with an estimate of what it wrote.
func (c *checkpointer) wrote(bytes int64) {
	if c.written += bytes; c.written < c.next {
		return
	}
	c.next = c.written + walMore
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// reset is called by the writer when it has begun the log anew.
func (c *checkpointer) reset() { c.written, c.next = 0, walBytes }

// idle resets the log once it is copied. It does not wait for a reader that still uses
// the log, unless that has gone on for long: it is tried again soon.
func (e *sqlite) idle() {
	e.emptyLog()
	if !e.checkpoint.copied.CompareAndSwap(true, false) {
		return
	}
	patience := time.Duration(0)
	if e.checkpoint.frames.Load() > manyFrames {
		patience = readerPatience
	}
	busy, err := e.resetLog("RESTART", patience)
	switch {
	case err != nil:
		e.logger.Warn("the write-ahead log could not be reset, the next checkpoint will try again", "error", err)
	case !busy:
		e.checkpoint.reset()
	}
}

// readerPatience is how long the writer waits for those who read the log, where it does.
const readerPatience = 20 * time.Millisecond

// resetLog runs a checkpoint that begins the log anew; busy reports that readers were in
// the way for so long.
func (e *sqlite) resetLog(mode string, patience time.Duration) (busy bool, err error) {
	if err := pragma(e.conn, fmt.Sprintf("PRAGMA busy_timeout = %d", patience.Milliseconds())); err != nil {
		return false, err
	}
	busy, _, _, err = checkpoint(e.conn, mode)
	return busy, errors.Join(err, pragma(e.conn, "PRAGMA busy_timeout = 5000"))
}

// checkpoint copies the log into the database: of the pages in it when it began so many
// are copied now. busy reports that somebody was in the way.
func checkpoint(conn *sqlite3.SQLiteConn, mode string) (busy bool, in, copied int64, err error) {
	rows, err := conn.QueryContext(context.Background(), "PRAGMA wal_checkpoint("+mode+")", nil)
	if err != nil {
		return false, 0, 0, fmt.Errorf("checkpoint: %w", err)
	}
	values := make([]driver.Value, 3) // busy, pages in the log, pages of it that are copied
	if err = rows.Next(values); errors.Is(err, io.EOF) {
		err = nil
	}
	if err = errors.Join(err, rows.Close()); err != nil {
		return false, 0, 0, fmt.Errorf("checkpoint: %w", err)
	}
	blocked, _ := values[0].(int64)
	in, _ = values[1].(int64)
	copied, _ = values[2].(int64)
	return blocked != 0, in, copied, nil
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
