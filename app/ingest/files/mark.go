package files

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
)

const (
	// MarkName is the file that tells one folder from another, and holds the
	// key by which links to files are signed.
	MarkName = ".hookgate"
	// AdoptName is a file by which its owner says that this folder takes the
	// place of one that is lost.
	AdoptName = ".adopt"

	keyLength = 32
)

// Mark reads the mark of the folder, or makes one, and gives its number, which
// is never 0. made says that the folder had none: it is new.
func (d *Dir) Mark() (number int64, made bool, err error) {
	text, err := d.readMark()
	if errors.Is(err, fs.ErrNotExist) {
		made = true
		text, err = d.writeMark()
	}
	if err != nil {
		return 0, false, fmt.Errorf("the mark of the folder for files: %w", err)
	}
	key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
	if err != nil || len(key) != keyLength {
		return 0, false, fmt.Errorf("%s/%s is damaged", d.path, MarkName)
	}
	d.key = key
	sum := sha256.Sum256(append([]byte("folder "), key...))
	return int64(binary.BigEndian.Uint64(sum[:])>>1 | 1), made, nil //nolint:gosec // one bit less fits
}

func (d *Dir) readMark() (string, error) {
	f, err := d.root.Open(MarkName)
	if err != nil {
		return "", err
	}
	text, err := io.ReadAll(io.LimitReader(f, 1<<10))
	return string(text), errors.Join(err, f.Close())
}

// writeMark makes a mark, unless another process has made one meanwhile: a
// link, unlike a rename, replaces nothing.
func (d *Dir) writeMark() (string, error) {
	key := make([]byte, keyLength)
	_, _ = rand.Read(key) // never fails, see crypto/rand
	text := base64.StdEncoding.EncodeToString(key) + "\n"
	temporary := MarkName + "." + newID()
	f, err := d.root.OpenFile(temporary, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return "", err
	}
	_, err = io.WriteString(f, text)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = d.root.Link(temporary, MarkName)
	}
	_ = d.root.Remove(temporary)
	if errors.Is(err, fs.ErrExist) {
		return d.readMark()
	}
	return text, errors.Join(err, d.sync())
}

// Adopted reports whether the folder's owner has put AdoptName in it, and
// removes that.
func (d *Dir) Adopted() (bool, error) {
	err := d.root.Remove(AdoptName)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// Used reports whether there are files in the folder.
func (d *Dir) Used() (bool, error) {
	dir, err := d.root.Open(".")
	if err != nil {
		return false, fmt.Errorf("open the folder for files: %w", err)
	}
	defer func() { _ = dir.Close() }()
	for {
		entries, err := dir.ReadDir(sweepBatch)
		for _, entry := range entries {
			if ValidID(entry.Name()) {
				return true, nil
			}
		}
		if errors.Is(err, io.EOF) {
			return false, nil
		}
		if err != nil {
			return false, fmt.Errorf("list files: %w", err)
		}
	}
}
