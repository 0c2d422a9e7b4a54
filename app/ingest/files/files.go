// Package files keeps the files that come with form posts: in one folder,
// under random names, reachable by nothing but their ids. Which of them belong
// to an event is known to the database alone. A file is on the disk for good
// before its event is committed; what is in the folder and in no event is an
// orphan, and Sweep removes it.
package files

import (
	"crypto/rand"
	"encoding/base32"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"sync"

	"hookgate/internal/event"
)

// prefix begins every id, as evt_ and dlv_ do.
const prefix = "fil_"

// idLength is the length of an id: 128 random bits in base32.
const idLength = len(prefix) + 26

// encoding is that of ids.
var encoding = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

// Dir is the folder. It is safe for concurrent use, also by several processes.
type Dir struct {
	path string
	root *os.Root
	self *os.File // the folder itself, for fsync
	key  []byte   // see Mark

	mu      sync.Mutex
	pending map[string]bool // ids that may be committed yet
}

// Open opens the folder at path, and makes it if there is none.
func Open(path string) (*Dir, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder for files: %w", err)
	}
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, fmt.Errorf("open the folder for files: %w", err)
	}
	self, err := root.Open(".")
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open the folder for files: %w", err), root.Close())
	}
	return &Dir{path: path, root: root, self: self, pending: map[string]bool{}}, nil
}

// Path is where the folder is.
func (d *Dir) Path() string { return d.path }

// Close gives the folder up. Files that are open stay so.
func (d *Dir) Close() error { return errors.Join(d.self.Close(), d.root.Close()) }

// ValidID reports whether text can be the id of a file.
func ValidID(text string) bool {
	random, ok := strings.CutPrefix(text, prefix)
	if !ok || len(text) != idLength {
		return false
	}
	_, err := encoding.DecodeString(random)
	return err == nil
}

// newID makes an id.
func newID() string {
	var random [16]byte
	_, _ = rand.Read(random[:]) // never fails, see crypto/rand
	return prefix + encoding.EncodeToString(random[:])
}

// Open opens the content of a file; event.ErrNotFound if there is none.
func (d *Dir) Open(id string) (*os.File, error) {
	if !ValidID(id) {
		return nil, fmt.Errorf("file %q: %w", id, event.ErrNotFound)
	}
	f, err := d.root.Open(id)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("the content of file %s is gone: %w", id, event.ErrNotFound)
	}
	if err != nil {
		return nil, fmt.Errorf("open file %s: %w", id, err)
	}
	return f, nil
}

// Remove removes files for good; those that are gone already do not count.
func (d *Dir) Remove(ids ...string) (removed int, err error) {
	for _, id := range ids {
		if !ValidID(id) {
			continue
		}
		switch failed := d.root.Remove(id); {
		case failed == nil:
			removed++
		case !errors.Is(failed, fs.ErrNotExist):
			err = errors.Join(err, fmt.Errorf("remove file %s: %w", id, failed))
		}
	}
	if removed > 0 {
		err = errors.Join(err, d.sync())
	}
	return removed, err
}

// sync makes what was created and removed in the folder durable.
func (d *Dir) sync() error {
	if err := d.self.Sync(); err != nil {
		return unavailable("flush the folder for files", err)
	}
	return nil
}

// unavailable marks an error of the disk as one after which a sender may try
// again: nothing was acknowledged.
func unavailable(what string, err error) error {
	return fmt.Errorf("%w: %s: %w", event.ErrUnavailable, what, err)
}
