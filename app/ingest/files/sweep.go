package files

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// sweepBatch is how many files Sweep asks for at once.
const sweepBatch = 500

// Sweep removes the orphans: files that belong to no event, because the
// process died before it was stored. known says which of some ids have one.
// Files that were written after the time before are left alone; they may be
// another process's, which has its event still to store.
func (d *Dir) Sweep(ctx context.Context, before time.Time, known func(ctx context.Context, ids []string) (map[string]bool, error)) (removed int, err error) {
	dir, err := d.root.Open(".")
	if err != nil {
		return 0, fmt.Errorf("open the folder for files: %w", err)
	}
	defer func() { err = errors.Join(err, dir.Close()) }()
	for ctx.Err() == nil {
		entries, err := dir.ReadDir(sweepBatch)
		n, failed := d.sweep(ctx, entries, before, known)
		removed += n
		if failed != nil {
			return removed, failed
		}
		if errors.Is(err, io.EOF) {
			return removed, nil
		}
		if err != nil {
			return removed, fmt.Errorf("list files: %w", err)
		}
	}
	return removed, ctx.Err()
}

func (d *Dir) sweep(ctx context.Context, entries []os.DirEntry, before time.Time, known func(context.Context, []string) (map[string]bool, error)) (int, error) {
	var ids []string
	for _, entry := range entries {
		id := entry.Name()
		// First whether it is pending, then whether it has an event: in the other
		// order one that is committed in between would be taken for an orphan.
		if !ValidID(id) || d.isPending(id) {
			continue
		}
		info, err := entry.Info()
		if err != nil || info.ModTime().After(before) {
			continue
		}
		ids = append(ids, id)
	}
	if len(ids) == 0 {
		return 0, nil
	}
	found, err := known(ctx, ids)
	if err != nil {
		return 0, err
	}
	var orphans []string
	for _, id := range ids {
		if !found[id] {
			orphans = append(orphans, id)
		}
	}
	return d.Remove(orphans...)
}

func (d *Dir) isPending(id string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.pending[id]
}
