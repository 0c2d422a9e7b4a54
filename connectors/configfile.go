package connectors

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"hookgate/internal/yamlnode"
)

// besideConfig is the path of a file that a setting names: a relative one
// starts at the folder of the configuration file.
func besideConfig(path yamlnode.Text) string {
	if filepath.IsAbs(path.Value) {
		return path.Value
	}
	return filepath.Join(filepath.Dir(path.Pos().File), path.Value)
}

// fileFault says in plain words why a file cannot be read.
func fileFault(err error) string {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "there is no such file"
	case errors.Is(err, fs.ErrPermission):
		return "access is not allowed"
	}
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		return path.Err.Error()
	}
	return err.Error()
}

// readable is why a file cannot be read, nil if it can.
func readable(path string) error {
	f, err := os.Open(path) //nolint:gosec // the path is the configuration's
	if err != nil {
		return err
	}
	return f.Close()
}
