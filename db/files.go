package db

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"hookgate/internal/event"
)

// metaFiles is the row of meta with the number of the folder for files.
const metaFiles = "files"

const fileColumns = `id, event, field, name, type, size, sha256, created`

const insertFile = `INSERT INTO files (` + fileColumns + `) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)`

// fileRow are the values of insertFile.
func fileRow(f *event.File) []any {
	return []any{f.ID, int64(f.Event), clean(f.Field), clean(f.Name), f.Type, f.Size, f.SHA256, micros(f.Created)}
}

// File returns what is known of a file; event.ErrNotFound if no event has it.
func (s *Store) File(ctx context.Context, id string) (event.File, error) {
	f, err := scanFile(s.read.QueryRowContext(ctx, `SELECT `+fileColumns+` FROM files WHERE id = ?1 AND event <> 0`, id))
	if errors.Is(err, sql.ErrNoRows) {
		return f, fmt.Errorf("file %s: %w", id, event.ErrNotFound)
	}
	return f, err
}

func scanFile(row scanner) (event.File, error) {
	var f event.File
	var created int64
	err := row.Scan(&f.ID, &f.Event, &f.Field, &f.Name, &f.Type, &f.Size, &f.SHA256, &created)
	f.Created = time.UnixMicro(created).UTC()
	return f, err
}

// FormFiles lists the files of the newest posts of a form before a post, 0 meaning all:
// of as many posts as posts says, the newest first.
func (s *Store) FormFiles(ctx context.Context, form string, before event.ID, posts int) ([]event.File, error) {
	c := s.conditions()
	c.add("f.event > 0")
	if before > 0 {
		c.add("f.event < " + c.value(int64(before)))
	}
	c.add("e.form = 1")
	c.equal("e.source", form)
	rows, err := s.read.QueryContext(ctx, `SELECT `+fileColumns+` FROM files WHERE event IN (
		SELECT DISTINCT f.event FROM files f JOIN events e ON e.id = f.event`+c.where()+` ORDER BY f.event DESC LIMIT `+c.value(posts)+`) ORDER BY event DESC, id`, c.args...)
	if err != nil {
		return nil, fmt.Errorf("list files: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var list []event.File
	for rows.Next() {
		f, err := scanFile(rows)
		if err != nil {
			return nil, fmt.Errorf("list files: %w", err)
		}
		list = append(list, f)
	}
	return list, rows.Err()
}

// KnownFiles tells which of the ids belong to a file, also to one that is to
// be removed.
func (s *Store) KnownFiles(ctx context.Context, ids []string) (map[string]bool, error) {
	known := map[string]bool{}
	if len(ids) == 0 {
		return known, nil
	}
	rows := make([][]any, len(ids))
	for i, id := range ids {
		rows[i] = []any{id}
	}
	list, err := json.Marshal(rows)
	if err != nil {
		return nil, fmt.Errorf("encode the ids of files: %w", err)
	}
	found, err := s.fileIDs(ctx, `SELECT id FROM files WHERE id IN (SELECT j.value ->> 0 FROM `+s.dialect.each+`)`, string(list))
	for _, id := range found {
		known[id] = true
	}
	return known, err
}

// RemovableFiles are files that no event has any longer: their contents can
// be removed, and after that ForgetFiles ends what is known of them.
func (s *Store) RemovableFiles(ctx context.Context, limit int) ([]string, error) {
	return s.fileIDs(ctx, `SELECT id FROM files WHERE event = 0 LIMIT ?1`, limit)
}

// EraseFiles removes the rows of files whose contents are gone.
func (s *Store) EraseFiles(ids []string) error {
	return s.write(func(tx tx) error {
		for _, id := range ids {
			if err := tx.exec(`DELETE FROM files WHERE id = ?1 AND event = 0`, id); err != nil {
				return fmt.Errorf("forget file %s: %w", id, err)
			}
		}
		return nil
	})
}

// HasFiles reports whether there are files at all.
func (s *Store) HasFiles(ctx context.Context) (has bool, err error) {
	err = s.read.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM files)`).Scan(&has)
	return has, err
}

func (s *Store) fileIDs(ctx context.Context, query string, args ...any) ([]string, error) {
	rows, err := s.read.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("list files: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var ids []string
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, fmt.Errorf("list files: %w", err)
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}

// FilesFolder is the number of the folder that holds the contents; 0 before
// SetFilesFolder.
func (s *Store) FilesFolder(ctx context.Context) (number int64, err error) {
	err = s.read.QueryRowContext(ctx, `SELECT coalesce(max(value), 0) FROM meta WHERE key = ?1`, metaFiles).Scan(&number)
	return number, err
}

// SetFilesFolder notes the number of the folder.
func (s *Store) SetFilesFolder(number int64) error {
	return s.write(func(tx tx) error {
		return tx.exec(`INSERT INTO meta (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = excluded.value`, metaFiles, number)
	})
}

// expireFiles takes files from the events before an id, unless something of
// the event is still to be delivered, perhaps with the file; a page of events
// in a transaction.
func (s *Store) expireFiles(ctx context.Context, before event.ID) error {
	after := int64(0)
	for {
		var last, count int64
		row := s.read.QueryRowContext(ctx, `SELECT coalesce(max(event), 0), count(*) FROM (
			SELECT DISTINCT event FROM files WHERE event > ?1 AND event < ?2 ORDER BY event LIMIT ?3) AS page`, after, int64(before), pruneBatch)
		if err := row.Scan(&last, &count); err != nil {
			return fmt.Errorf("look for old files: %w", err)
		}
		if count == 0 {
			return nil
		}
		if err := s.write(func(tx tx) error { return tx.exec(expireFilesQuery, after, last) }); err != nil {
			return fmt.Errorf("delete old files: %w", err)
		}
		after = last
	}
}

// expireFilesQuery takes the files from the events after ?1 and up to ?2. What
// is open is looked up event by event, as in prunePageQuery, or the planner
// reads all deliveries.
const expireFilesQuery = `WITH page AS (
		SELECT DISTINCT event FROM files WHERE event > ?1 AND event <= ?2),
	spans AS (
		SELECT page.event, e.first, e.first + coalesce(e.reserved, e.deliveries) AS past FROM page JOIN events e ON e.id = page.event
		UNION ALL SELECT page.event, r.first, r.first + coalesce(r.reserved, r.deliveries) FROM page JOIN replays r ON r.event = page.event),
	busy AS (
		SELECT event FROM spans WHERE (SELECT d.id FROM deliveries d WHERE d.id >= spans.first AND d.id < spans.past AND d.state IN (0, 2, 4) LIMIT 1) IS NOT NULL)
	UPDATE files SET event = 0 WHERE event > ?1 AND event <= ?2 AND event NOT IN (SELECT event FROM busy)`
