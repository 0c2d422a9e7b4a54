//go:build unix

package files

import (
	"fmt"
	"syscall"
)

// Free is how many bytes of the folder's disk are free for this user.
func (d *Dir) Free() (int64, error) {
	var stat syscall.Statfs_t
	if err := syscall.Fstatfs(int(d.self.Fd()), &stat); err != nil {
		return 0, fmt.Errorf("ask for the free space of the folder for files: %w", err)
	}
	return int64(stat.Bavail) * int64(stat.Bsize), nil //nolint:gosec,unconvert // the types differ between systems
}
