//go:build unix

// Package disk asks how full a disk is.
package disk

import (
	"fmt"
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
