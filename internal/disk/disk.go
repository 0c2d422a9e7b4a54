//go:build unix

// Package disk asks how full a disk is, and has names be on it for good.
package disk

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// Usage is how full the disk of a folder is. Counts of inodes are 0 where the
// file system has no such limit.
type Usage struct {
	Free       int64 `json:"free"` // bytes, for this user
	Total      int64 `json:"total"`
	FreeInodes int64 `json:"free_inodes"`
	Inodes     int64 `json:"inodes"`
}

// Of asks for the disk that path is on.
func Of(path string) (Usage, error) {
	var stat syscall.Statfs_t
	if err := syscall.Statfs(path, &stat); err != nil {
		return Usage{}, fmt.Errorf("ask for the free space of %s: %w", path, err)
	}
	size := int64(stat.Bsize) //nolint:unconvert // the types differ between systems
	return Usage{
		Free: int64(stat.Bavail) * size, Total: int64(stat.Blocks) * size, //nolint:gosec // no disk is so large
		FreeInodes: int64(stat.Ffree), Inodes: int64(stat.Files), //nolint:gosec // nor has so many files
	}, nil
}

// SyncFolder has the names in a folder be on the disk. A file system that cannot do that
// for folders alone is none to fail for.
func SyncFolder(path string) error {
	f, err := os.Open(path) //nolint:gosec // of the configuration
	if err != nil {
		return err
	}
	err = f.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, errors.ErrUnsupported) {
		err = nil
	}
	return errors.Join(err, f.Close())
}
