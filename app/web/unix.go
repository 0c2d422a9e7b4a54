package web

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"time"
)

// maxSocketPath is the longest path that every kernel takes (macOS: 103 bytes
// and a zero; Linux: 107), less the suffix of the file's first name.
const maxSocketPath = 98

// ErrSocketInUse reports that another process answers on the socket.
var ErrSocketInUse = errors.New("another hookgate is running on this database")

// ListenUnix opens the socket of the administration API. Whoever may open the
// file has all rights, so its mode is 0600 from the first moment: it gets its
// name only then. A socket that a dead process left is replaced; one on which
// somebody answers is ErrSocketInUse. Closing the listener removes the file.
func ListenUnix(ctx context.Context, path string) (net.Listener, error) {
	if len(path) > maxSocketPath {
		return nil, fmt.Errorf("the socket's path %s is longer than %d bytes, which the system does not take", path, maxSocketPath)
	}
	if err := replaceable(ctx, path); err != nil {
		return nil, err
	}
	temporary := path + ".new"
	if err := os.Remove(temporary); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("cannot make way for the socket: %w", err)
	}
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "unix", temporary)
	if err != nil {
		return nil, fmt.Errorf("cannot open the socket %s: %w", path, err)
	}
	if unix, ok := ln.(*net.UnixListener); ok {
		unix.SetUnlinkOnClose(false) // that would be the first name
	}
	err = os.Chmod(temporary, 0o600)
	if err == nil {
		err = os.Rename(temporary, path)
	}
	if err != nil {
		_ = ln.Close()
		_ = os.Remove(temporary)
		return nil, fmt.Errorf("cannot open the socket %s: %w", path, err)
	}
	return &unixListener{Listener: ln, path: path}, nil
}

// replaceable checks that path is free, or a socket that nobody serves.
func replaceable(ctx context.Context, path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("cannot open the socket %s: %w", path, err)
	case info.Mode().Type() != fs.ModeSocket:
		return fmt.Errorf("%s is in the way of the socket: it is no socket", path)
	}
	d := net.Dialer{Timeout: time.Second}
	conn, err := d.DialContext(ctx, "unix", path)
	if err != nil {
		return nil //nolint:nilerr // nobody answers: that is what makes it replaceable
	}
	_ = conn.Close()
	return fmt.Errorf("%s: %w", path, ErrSocketInUse)
}

// unixListener removes its file when it is closed.
type unixListener struct {
	net.Listener
	path string
}

// Close stops listening and removes the socket's file.
func (l *unixListener) Close() error {
	_ = os.Remove(l.path)
	return l.Listener.Close()
}
