// Package backup puts the history of a gateway into one file while it runs, and
// takes it out again: the database as it was at one moment, and the uploads that
// belong to it. The file is a tar archive, packed where its name says so. Its
// last member lists the checksums of all others, as sha256sum writes them: an
// archive without it is torn.
package backup

import (
	"archive/tar"
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"hookgate/app/config"
	"hookgate/app/ingest/files"
	"hookgate/db"
	"hookgate/internal/event"
)

// The members of an archive.
const (
	manifestName = "hookgate.json"
	databaseName = "hookgate.db"
	filesFolder  = "files/"
	sumsName     = "SHA256SUMS"
)

// format is the version of the archive's form.
const format = 1

// Manifest says what an archive holds. Of PostgreSQL it has the uploads alone.
type Manifest struct {
	Format   int       `json:"format"`
	Version  string    `json:"version"` // of hookgate
	Made     time.Time `json:"made"`    // all that was acknowledged before is in it
	Database string    `json:"database"`
	Events   int64     `json:"events"`
	Newest   *event.ID `json:"newest_event,omitempty"`
	Uploads  int       `json:"uploads"`
}

// The values of Manifest.Database.
const (
	SQLite   = "sqlite"
	Postgres = "postgresql"
)

// Report is what came of making or reading an archive.
type Report struct {
	Manifest

	Bytes int64 `json:"bytes"` // unpacked
	// Gone counts uploads that were deleted while the archive was made: by
	// retention, or because a person was forgotten.
	Gone int `json:"gone,omitempty"`
	// Missing are uploads of which the content is not there, although an event
	// has them.
	Missing []string `json:"missing,omitempty"`
}

// Options are what Make and Restore need besides.
type Options struct {
	Version string
	Now     func() time.Time
	// Progress is told what is worked at and how many bytes of it are done; nil:
	// nobody is.
	Progress func(what string, done, all int64)
}

func (o *Options) progress(what string, done, all int64) {
	if o.Progress != nil {
		o.Progress(what, done, all)
	}
}

// Make writes an archive of what is stored to w. name decides how it is packed;
// scratch is a folder with room for the database.
func Make(ctx context.Context, storage config.Storage, w io.Writer, name, scratch string, opt Options) (r Report, err error) {
	packed, err := pack(w, name)
	if err != nil {
		return r, err
	}
	a := &archive{tar: tar.NewWriter(packed)}
	r.Manifest = Manifest{Format: format, Version: opt.Version, Made: opt.Now().UTC(), Database: SQLite}
	var reader *db.Reader
	if storage.URL.IsZero() {
		copied := filepath.Join(scratch, fmt.Sprintf(".hookgate-%d.db.part", os.Getpid()))
		defer func() { _ = os.Remove(copied) }()
		err = db.Snapshot(ctx, storage.Path, copied, func(done, all int64) { opt.progress("database", done, all) })
		if err != nil {
			return r, err
		}
		info, err := db.Inspect(ctx, copied, false)
		if err != nil {
			return r, err
		}
		if len(info.Damage) > 0 {
			return r, &DamageError{Path: storage.Path, Faults: info.Damage}
		}
		r.Events = info.Events
		if info.Newest != 0 {
			r.Newest = &info.Newest
		}
		reader, err = db.OpenReader(copied)
		if err != nil {
			return r, err
		}
		defer func() { err = errors.Join(err, reader.Close()) }()
		if err := a.file(databaseName, copied); err != nil {
			return r, err
		}
	} else {
		r.Database = Postgres
		if reader, err = db.OpenPostgresReader(storage.URL); err != nil {
			return r, err
		}
		defer func() { err = errors.Join(err, reader.Close()) }()
	}
	if err := a.uploads(ctx, reader, storage, &r, &opt); err != nil {
		return r, err
	}
	if err := a.json(manifestName, r.Manifest); err != nil {
		return r, err
	}
	if err := a.text(sumsName, a.sums.String()); err != nil {
		return r, err
	}
	r.Bytes = a.bytes
	return r, errors.Join(a.tar.Close(), packed.Close())
}

// DamageError says that a database is not whole.
type DamageError struct {
	Path   string
	Faults []string
}

func (e *DamageError) Error() string {
	return fmt.Sprintf("the database %s is damaged: %s", e.Path, e.Faults[0])
}

// archive is one that is being written.
type archive struct {
	tar   *tar.Writer
	sums  strings.Builder
	bytes int64
}

// uploads adds the contents of the files that events have.
func (a *archive) uploads(ctx context.Context, reader *db.Reader, storage config.Storage, r *Report, opt *Options) error {
	if storage.Files == "" {
		return nil
	}
	mark := filepath.Join(storage.Files, files.MarkName)
	if _, err := os.Stat(mark); err == nil {
		if err := a.file(filesFolder+files.MarkName, mark); err != nil {
			return err
		}
	}
	var list []event.File
	var all, done int64
	err := reader.EachFile(ctx, func(f event.File) error { list, all = append(list, f), all+f.Size; return nil })
	if err != nil {
		return err
	}
	for _, f := range list {
		if err := ctx.Err(); err != nil {
			return err
		}
		err := a.file(filesFolder+f.ID, filepath.Join(storage.Files, f.ID))
		if errors.Is(err, fs.ErrNotExist) {
			if err := lost(ctx, storage, f.ID, r); err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return err
		}
		r.Uploads++
		done += f.Size
		opt.progress("uploads", done, all)
	}
	return nil
}

// lost tells why the content of an upload is not there.
func lost(ctx context.Context, storage config.Storage, id string, r *Report) error {
	open := func() (*db.Reader, error) { return db.OpenReader(storage.Path) }
	if !storage.URL.IsZero() {
		open = func() (*db.Reader, error) { return db.OpenPostgresReader(storage.URL) }
	}
	now, err := open()
	if err != nil {
		return err
	}
	has, err := now.HasFile(ctx, id)
	if err = errors.Join(err, now.Close()); err != nil {
		return err
	}
	if has {
		r.Missing = append(r.Missing, id)
	} else {
		r.Gone++
	}
	return nil
}

// file adds a file.
func (a *archive) file(name, path string) (err error) {
	f, err := os.Open(path) //nolint:gosec // of the gateway's own storage
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	return a.member(name, info.Size(), info.ModTime(), f)
}

func (a *archive) text(name, text string) error {
	return a.member(name, int64(len(text)), time.Time{}, strings.NewReader(text))
}

func (a *archive) json(name string, v any) error {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return fmt.Errorf("encode %s: %w", name, err)
	}
	return a.text(name, string(text)+"\n")
}

func (a *archive) member(name string, size int64, at time.Time, content io.Reader) error {
	if err := a.tar.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: size, ModTime: at, Format: tar.FormatPAX}); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	sum := sha256.New()
	n, err := io.Copy(io.MultiWriter(a.tar, sum), io.LimitReader(content, size))
	if err == nil && n < size {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	a.bytes += n
	a.sums.WriteString(sumLine(name, sum))
	return nil
}

func sumLine(name string, sum hash.Hash) string {
	return hex.EncodeToString(sum.Sum(nil)) + "  " + name + "\n"
}

// pack packs what is written as the name's end says.
func pack(w io.Writer, name string) (io.WriteCloser, error) {
	switch filepath.Ext(name) {
	case ".gz", ".tgz":
		return gzip.NewWriter(w), nil
	case ".zst":
		return zstd.NewWriter(w)
	}
	return struct {
		io.Writer
		io.Closer
	}{w, io.NopCloser(nil)}, nil
}

// unpack undoes pack, by what the content begins with.
func unpack(r io.Reader) (io.Reader, func(), error) {
	b := bufio.NewReader(r)
	head, err := b.Peek(4)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: it is shorter than any", ErrNoBackup)
	}
	switch {
	case head[0] == 0x1f && head[1] == 0x8b:
		unpacked, err := gzip.NewReader(b)
		return unpacked, func() {}, err
	case string(head) == "\x28\xb5\x2f\xfd":
		unpacked, err := zstd.NewReader(b)
		if err != nil {
			return nil, nil, err
		}
		return unpacked, unpacked.Close, nil
	}
	return b, func() {}, nil
}
