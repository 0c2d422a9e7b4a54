package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"

	xterm "github.com/charmbracelet/x/term"
)

// output is standard output that remembers the first failure of writing to it:
// whatever a command has to say is lost from there on, so it has failed. It is
// safe for concurrent use.
type output struct {
	io.Writer
	mu  sync.Mutex
	err error
}

// Write implements io.Writer.
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err != nil {
		return 0, o.err
	}
	n, err := o.Writer.Write(p)
	o.err = err
	return n, err
}

// failed is what a call comes to whose output could not be written.
func (o *output) failed() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.err
}

// terminalOutput is an output that can be asked whether it is a terminal.
type terminalOutput struct {
	*output
	file xterm.File
}

func (o terminalOutput) Fd() uintptr                { return o.file.Fd() }
func (o terminalOutput) Read(p []byte) (int, error) { return o.file.Read(p) }
func (o terminalOutput) Close() error               { return o.file.Close() }

// writeFile has write fill the file at path. A regular file, also one that path
// is a link to, is replaced once the new one is whole; a device, a FIFO and what
// /dev/stdout leads to are written to as they are. mode is that of a file that is new.
func writeFile(path string, mode os.FileMode, write func(io.Writer) error) error {
	target, info, err := outTarget(path)
	if err != nil {
		return err
	}
	if info != nil && !info.Mode().IsRegular() {
		file, err := os.OpenFile(target, os.O_WRONLY, 0) //nolint:gosec // the caller's own choice
		if err != nil {
			return err
		}
		return errors.Join(write(file), file.Close())
	}
	if info != nil {
		mode = info.Mode().Perm()
	}
	file, err := os.CreateTemp(filepath.Dir(target), "."+filepath.Base(target)+".*.part")
	if err != nil {
		return err
	}
	err = errors.Join(write(file), file.Chmod(mode), file.Sync())
	if err = errors.Join(err, file.Close()); err == nil {
		err = os.Rename(file.Name(), target)
	}
	if err != nil {
		_ = os.Remove(file.Name())
	}
	return err
}

// outTarget is what path leads to, and what is there now: nil where nothing is.
func outTarget(path string) (target string, info os.FileInfo, err error) {
	if _, err := os.Lstat(path); errors.Is(err, os.ErrNotExist) {
		return path, nil, nil
	}
	// Opening goes where Stat goes, which is also through /dev/stdout to a pipe or
	// to a file that has no name any more.
	if info, err = os.Stat(path); err != nil {
		return "", nil, fmt.Errorf("%s is a link that leads nowhere: %w", path, err)
	}
	if info.IsDir() {
		return "", nil, fmt.Errorf("%s is a folder", path)
	}
	if !info.Mode().IsRegular() {
		return path, info, nil
	}
	if target, err = filepath.EvalSymlinks(path); err != nil {
		return "", nil, err
	}
	return target, info, nil
}
