package files

import (
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"os"
)

// Upload is the files of one post, until its event is stored. It is for one
// goroutine. Sweep leaves them alone until Keep or Discard.
type Upload struct {
	dir *Dir
	ids []string
}

// Upload begins a post. Keep or Discard must be called at its end.
func (d *Dir) Upload() *Upload { return &Upload{dir: d} }

// Blob is a file while it is written.
type Blob struct {
	upload *Upload
	id     string
	file   *os.File
	sum    hash.Hash
	size   int64
}

// Create begins a file under a new id. Errors wrap event.ErrUnavailable.
func (u *Upload) Create() (*Blob, error) {
	id := newID()
	u.dir.mu.Lock()
	u.dir.pending[id] = true
	u.dir.mu.Unlock()
	u.ids = append(u.ids, id)
	f, err := u.dir.root.OpenFile(id, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return nil, unavailable("create a file", err)
	}
	return &Blob{upload: u, id: id, file: f, sum: sha256.New()}, nil
}

// ID is the file's id.
func (b *Blob) ID() string { return b.id }

// Size is how many bytes were written.
func (b *Blob) Size() int64 { return b.size }

// SHA256 is the hash of what was written, in hexadecimal.
func (b *Blob) SHA256() string { return hex.EncodeToString(b.sum.Sum(nil)) }

// Write appends to the file. Errors wrap event.ErrUnavailable.
func (b *Blob) Write(p []byte) (int, error) {
	n, err := b.file.Write(p)
	b.size += int64(n)
	_, _ = b.sum.Write(p[:n]) // a hash takes everything
	if err != nil {
		return n, unavailable("write a file", err)
	}
	return n, nil
}

// ReadAt reads what was written.
func (b *Blob) ReadAt(p []byte, off int64) (int, error) { return b.file.ReadAt(p, off) }

// Seal ends the file, and has it on the disk for good when it returns without
// an error.
func (b *Blob) Seal() error {
	err := b.file.Sync()
	if closed := b.file.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return unavailable("flush a file", err)
	}
	return nil
}

// Drop ends the file and removes it.
func (b *Blob) Drop() {
	_ = b.file.Close()
	_ = b.upload.dir.root.Remove(b.id) // else it is an orphan, which Sweep removes
}

// Sync has the names of all files on the disk for good. The event may be
// stored after it.
func (u *Upload) Sync() error {
	if len(u.ids) == 0 {
		return nil
	}
	return u.dir.sync()
}

// Keep ends the upload when its event is stored, or may be: what belongs to
// no event is swept up later.
func (u *Upload) Keep() {
	u.dir.mu.Lock()
	defer u.dir.mu.Unlock()
	for _, id := range u.ids {
		delete(u.dir.pending, id)
	}
	u.ids = nil
}

// Discard ends the upload and removes its files, unless Keep was called.
func (u *Upload) Discard() {
	for _, id := range u.ids {
		_ = u.dir.root.Remove(id) // else it is an orphan, which Sweep removes
	}
	u.Keep()
}
