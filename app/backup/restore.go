package backup

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"hookgate/app/config"
	"hookgate/app/ingest/files"
	"hookgate/db"
	"hookgate/internal/disk"
	"hookgate/internal/event"
)

var (
	// ErrNoBackup says that a file is no archive of hookgate's.
	ErrNoBackup = errors.New("this is no backup of hookgate")
	// ErrTorn says that an archive is not whole.
	ErrTorn = errors.New("the backup is not whole")
	// ErrNewer says that an archive was made by a version that is not known here.
	ErrNewer = errors.New("the backup was made by a newer version of hookgate")
	// ErrRunning says that a server runs on what is to be replaced.
	ErrRunning = errors.New("hookgate is running on this database")
	// ErrFilled says that there is something already where an archive is to go.
	ErrFilled = errors.New("there is something already")
	// ErrOtherEngine says that an archive of one engine cannot go to the other.
	ErrOtherEngine = errors.New("the backup is of another kind of database")
)

// maxSmall bounds the members that are read into memory.
const maxSmall = 256 << 20

// Verify reads an archive to its end and says whether all of it is whole: every
// checksum, the database by SQLite's own check, and the uploads that the
// database knows of. scratch is a folder with room for the database.
func Verify(ctx context.Context, from io.Reader, scratch string) (Report, error) {
	folder, err := os.MkdirTemp(scratch, ".hookgate-verify-")
	if err != nil {
		return Report{}, err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	return read(ctx, from, filepath.Join(folder, databaseName), "")
}

// read takes an archive apart: the database to the path database, the uploads
// into folder, or nowhere where that is "". What it made is the caller's to
// remove after an error.
func read(ctx context.Context, from io.Reader, database, folder string) (r Report, err error) {
	unpacked, done, err := unpack(from)
	if err != nil {
		return r, err
	}
	defer done()
	x := &extraction{ctx: ctx, database: database, folder: folder, uploads: map[string]string{}}
	if err := x.members(tar.NewReader(unpacked)); err != nil {
		return x.report, err
	}
	r = x.report
	if r.Database == Postgres {
		return r, nil
	}
	if !x.hasDatabase {
		return r, fmt.Errorf("%w: it has no database", ErrTorn)
	}
	return r, x.judge(&r)
}

// extraction is an archive that is being read.
type extraction struct {
	ctx              context.Context //nolint:containedctx // of one call
	database, folder string
	report           Report
	sums             strings.Builder
	hasDatabase      bool
	whole, known     bool
	uploads          map[string]string // checksums by id
}

func (x *extraction) members(archive *tar.Reader) error {
	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil && !x.known && x.sums.Len() == 0 {
			return fmt.Errorf("%w: %w", ErrNoBackup, err)
		}
		if err != nil {
			return fmt.Errorf("%w: %w", ErrTorn, err)
		}
		if x.whole {
			return fmt.Errorf("%w: something stands behind its end", ErrTorn)
		}
		if err := x.member(header, archive); err != nil {
			return err
		}
	}
	switch {
	case !x.known:
		return fmt.Errorf("%w: it says nothing of itself", ErrNoBackup)
	case !x.whole:
		return fmt.Errorf("%w: its end is missing", ErrTorn)
	}
	return nil
}

func (x *extraction) member(header *tar.Header, content io.Reader) error {
	if err := x.ctx.Err(); err != nil {
		return err
	}
	name := header.Name
	id, isUpload := strings.CutPrefix(name, filesFolder)
	sum := sha256.New()
	content = io.TeeReader(content, sum)
	var err error
	switch {
	case name == sumsName:
		return x.compare(content)
	case name == manifestName:
		err = x.manifest(content)
	case name == databaseName:
		x.hasDatabase = true
		err = write(x.database, content, true)
	case isUpload && (files.ValidID(id) || id == files.MarkName):
		if x.folder == "" {
			_, err = io.Copy(io.Discard, content)
		} else {
			err = write(filepath.Join(x.folder, id), content, true)
		}
	default:
		return fmt.Errorf("%w: it holds %q", ErrNoBackup, name)
	}
	if err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			return fmt.Errorf("%w: %s breaks off", ErrTorn, name)
		}
		return err
	}
	x.report.Bytes += header.Size
	line := sumLine(name, sum)
	x.sums.WriteString(line)
	if isUpload && id != files.MarkName {
		x.uploads[id], _, _ = strings.Cut(line, " ")
	}
	return nil
}

func (x *extraction) manifest(content io.Reader) error {
	text, err := io.ReadAll(io.LimitReader(content, maxSmall))
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, &x.report.Manifest); err != nil {
		return fmt.Errorf("%w: %w", ErrNoBackup, err)
	}
	if x.known = true; x.report.Format != format {
		return fmt.Errorf("%w (%s)", ErrNewer, x.report.Version)
	}
	return nil
}

// compare holds the checksums that the archive has to those that were found.
func (x *extraction) compare(content io.Reader) error {
	told, err := io.ReadAll(io.LimitReader(content, maxSmall))
	if err != nil {
		return fmt.Errorf("%w: %w", ErrTorn, err)
	}
	found := strings.Split(strings.TrimSpace(x.sums.String()), "\n")
	for i, line := range strings.Split(strings.TrimSpace(string(told)), "\n") {
		if i >= len(found) || found[i] != line {
			_, name, _ := strings.Cut(line, "  ")
			return fmt.Errorf("%w: %s is not what was put in", ErrTorn, name)
		}
	}
	x.whole = true
	return nil
}

// judge says whether the database is whole, and has its uploads.
func (x *extraction) judge(r *Report) error {
	info, err := db.Inspect(x.ctx, x.database, true)
	switch {
	case err != nil:
		return err
	case len(info.Damage) > 0:
		return fmt.Errorf("%w: its database is damaged: %s", ErrTorn, info.Damage[0])
	case info.IsNewer():
		return fmt.Errorf("%w (%s): its tables are of version %d, this version knows %d", ErrNewer, r.Version, info.Tables, info.Known)
	}
	reader, err := db.OpenReader(x.database)
	if err != nil {
		return err
	}
	err = reader.EachFile(x.ctx, func(f event.File) error {
		switch sum, ok := x.uploads[f.ID]; {
		case !ok:
			r.Missing = append(r.Missing, f.ID)
		case f.SHA256 != "" && !strings.EqualFold(sum, f.SHA256):
			return fmt.Errorf("%w: the upload %s is another than the database knows", ErrTorn, f.ID)
		}
		return nil
	})
	return errors.Join(err, reader.Close())
}

// write makes a file of the content, on the disk for good.
func write(path string, content io.Reader, sync bool) (err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // beside the target
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if _, err = io.Copy(f, content); err != nil || !sync {
		return err
	}
	return f.Sync()
}

// Present is what a restore would take the place of.
type Present struct {
	Paths  []string // that exist
	Events int64    // in the database
	Newest time.Time
}

// Look tells what is where an archive would go to.
func Look(ctx context.Context, storage config.Storage) (p Present) {
	if storage.URL.IsZero() {
		if _, err := os.Stat(storage.Path); err == nil {
			p.Paths = append(p.Paths, storage.Path)
			if info, err := db.Inspect(ctx, storage.Path, false); err == nil && info.Events > 0 {
				p.Events, p.Newest = info.Events, info.Newest.Time()
			}
		}
	}
	if entries, err := os.ReadDir(storage.Files); storage.Files != "" && err == nil && len(entries) > 0 {
		p.Paths = append(p.Paths, storage.Files)
	}
	return p
}

// Restored is what Restore did.
type Restored struct {
	Report

	Database string   `json:"restored_to,omitempty"`
	Files    string   `json:"uploads_restored_to,omitempty"`
	Kept     []string `json:"kept,omitempty"` // where what was there before is now
}

// Restore takes an archive apart into the storage of a configuration. Nothing
// changes there before all of the archive was found to be whole. What was there
// is moved aside, and refused (ErrFilled) unless replace is set. The error is
// ErrRunning where a server runs on it.
func Restore(ctx context.Context, storage config.Storage, from io.Reader, replace bool, opt Options) (out Restored, err error) {
	if storage.URL.IsZero() {
		if err := os.MkdirAll(filepath.Dir(storage.Path), 0o700); err != nil {
			return out, err
		}
		release, err := db.Lock(storage.Path)
		if errors.Is(err, db.ErrInUse) {
			return out, ErrRunning
		}
		if err != nil {
			return out, err
		}
		defer func() { _ = release() }()
	}
	if p := Look(ctx, storage); len(p.Paths) > 0 && !replace {
		return out, fmt.Errorf("%s: %w", strings.Join(p.Paths, ", "), ErrFilled)
	}
	stamp := opt.Now().UTC().Format("20060102T150405Z")
	database := storage.Path + ".restoring-" + stamp
	if !storage.URL.IsZero() { // nowhere: there is none in the archive
		database = filepath.Join(os.TempDir(), "hookgate.restoring-"+stamp)
	}
	folder := ""
	if storage.Files != "" {
		folder = filepath.Clean(storage.Files) + ".restoring-" + stamp
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return out, err
		}
		defer func() { _ = os.RemoveAll(folder) }()
	}
	defer func() { _ = os.Remove(database) }()
	if out.Report, err = read(ctx, from, database, folder); err != nil {
		return out, err
	}
	if (out.Report.Database == Postgres) != !storage.URL.IsZero() {
		return out, fmt.Errorf("%w: %s", ErrOtherEngine, out.Report.Database)
	}
	if out.Uploads == 0 && folder != "" {
		if _, err := os.Stat(filepath.Join(folder, files.MarkName)); errors.Is(err, fs.ErrNotExist) {
			_ = os.RemoveAll(folder)
			folder = ""
		}
	}
	return out, out.exchange(storage, database, folder, ".before-"+stamp)
}

// exchange puts what was unpacked in its place, and what was there aside.
func (out *Restored) exchange(storage config.Storage, database, folder, aside string) error {
	move := func(from, to string) error {
		if _, err := os.Lstat(from); errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		out.Kept = append(out.Kept, to)
		return os.Rename(from, to)
	}
	if storage.URL.IsZero() {
		for _, suffix := range []string{"", "-wal", "-shm"} { // the log belongs to the file: one without the other is torn
			if err := move(storage.Path+suffix, storage.Path+aside+suffix); err != nil {
				return err
			}
		}
		if err := os.Rename(database, storage.Path); err != nil {
			return err
		}
		out.Database = storage.Path
		if err := disk.SyncFolder(filepath.Dir(storage.Path)); err != nil {
			return err
		}
	}
	if folder == "" {
		return nil
	}
	clean := filepath.Clean(storage.Files)
	if err := move(clean, clean+aside); err != nil {
		return err
	}
	if err := os.Rename(folder, clean); err != nil {
		return err
	}
	out.Files = clean
	return disk.SyncFolder(filepath.Dir(clean))
}
