package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/joho/godotenv"

	"hookgate/internal/diag"
)

// LookupFunc finds a variable of the environment, as os.LookupEnv does.
type LookupFunc func(name string) (value string, set bool)

// LookupEnv finds a variable of the process's environment. Other packages ask
// here, so that a test can give another environment.
func LookupEnv(name string) (string, bool) { return os.LookupEnv(name) }

// maxFile is how large config.yaml, .env and a secret's file may be, in bytes.
const maxFile = 4 << 20

var errTooLarge = fmt.Errorf("it is larger than %d MB", maxFile>>20)

// environment answers for ${NAME}: the process's own variables first, then
// those of the .env file. NAME_FILE names a file that holds the value.
type environment struct {
	process LookupFunc
	dotenv  map[string]string
	folder  string // where the relative paths of NAME_FILE start
	found   map[string]answer
	list    diag.List // warnings about files that others can read
}

// answer is what is known of one variable.
type answer struct {
	value string
	set   bool
	err   error // the file that NAME_FILE names can't be read
}

// readDotenv reads the .env file beside the config file, where there is one.
func (e *environment) readDotenv() {
	path := filepath.Join(e.folder, ".env")
	content, err := readFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	fault := diag.Diagnostic{Severity: diag.Error, Code: "env-file", Position: diag.Position{File: path}}
	if err != nil {
		fault.Message = "the file can't be read: " + reason(err)
		e.list = append(e.list, fault)
		return
	}
	e.checkMode(path, path)
	// The library's errors repeat the text of the file: they are not passed on.
	if e.dotenv, err = godotenv.UnmarshalBytes(content); err != nil {
		fault.Line, fault.Column, fault.Width = badLine(content), 1, 1
		fault.Message = "this is not a line of the form NAME=value"
		fault.Hint = "put a value with spaces, quotes, # or $ in single quotes"
		e.list = append(e.list, fault)
	}
}

// badLine is the number of the line from which on content can't be read; 0
// in a file that is too long to look for it.
func badLine(content []byte) int {
	lines := bytes.SplitAfter(content, []byte("\n"))
	good := 0
	if len(lines) > 1000 {
		return 0
	}
	for i := range lines {
		if _, err := godotenv.UnmarshalBytes(bytes.Join(lines[:i+1], nil)); err == nil {
			good = i + 1
		}
	}
	return min(good+1, len(lines))
}

// lookup finds the value of NAME. Each name is looked up once.
func (e *environment) lookup(name string) answer {
	if a, known := e.found[name]; known {
		return a
	}
	a := e.find(name)
	e.found[name] = a
	return a
}

func (e *environment) find(name string) answer {
	for _, layer := range []LookupFunc{e.process, e.fromDotenv} {
		if value, set := layer(name); set && value != "" {
			return answer{value: value, set: true}
		}
		if path, set := layer(name + "_FILE"); set && path != "" {
			return e.fromFile(name, path)
		}
		if _, set := layer(name); set {
			return answer{set: true}
		}
	}
	return answer{}
}

func (e *environment) fromDotenv(name string) (string, bool) {
	value, set := e.dotenv[name]
	return value, set
}

func (e *environment) fromFile(name, path string) answer {
	if !filepath.IsAbs(path) {
		path = filepath.Join(e.folder, path)
	}
	content, err := readFile(path)
	if err != nil {
		return answer{err: err}
	}
	e.checkMode(path, name+"_FILE")
	return answer{value: strings.TrimRight(string(content), "\r\n"), set: true}
}

// checkMode warns about a file of secrets that every user of the machine can
// read. Container engines mount secrets under /run/secrets with modes that
// are not the user's to choose: those are left out.
func (e *environment) checkMode(path, shown string) {
	if runtime.GOOS == "windows" || strings.HasPrefix(path, "/run/secrets/") || strings.HasPrefix(path, "/var/run/secrets/") {
		return
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm()&0o007 == 0 {
		return
	}
	e.list = append(e.list, diag.Diagnostic{
		Severity: diag.Warning, Code: "file-mode", Position: diag.Position{File: shown},
		Message: fmt.Sprintf("every user of this machine can read this file (mode %04o)", info.Mode().Perm()),
		Hint:    "take the right away: chmod o= " + path,
	})
}

// readFile reads a file of at most maxFile bytes.
func readFile(path string) ([]byte, error) {
	f, err := os.Open(path) //nolint:gosec // the path is the operator's own
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	content, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(content) > maxFile {
		err = errTooLarge
	}
	return content, err
}

// reason is an error of the file system without the path, which is said
// elsewhere or is itself a value of the environment.
func reason(err error) string {
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		err = path.Err
	}
	return err.Error()
}
