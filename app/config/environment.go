package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"hookgate/internal/diag"
	"hookgate/internal/event"
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
	list    diag.List       // faults of .env, and warnings about files that others can read
	spoilt  map[string]bool // the names whose values in .env can't be used, which list says
}

// answer is what is known of one variable.
type answer struct {
	value  string
	set    bool
	spoilt bool  // .env has a value that can't be used, which is said there
	err    error // the file that NAME_FILE names can't be read
	// blanks stood around the value and were cut off.
	blanks bool
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

// find finds the value without what is no part of it: blanks, line breaks and
// marks around it.
func (e *environment) find(name string) answer {
	a := e.layered(name)
	whole := strings.Trim(a.value, "\r\n\uFEFF")
	a.value = event.TrimSecret(a.value)
	a.blanks = a.value != "" && a.value != whole
	return a
}

func (e *environment) layered(name string) answer {
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
	return answer{spoilt: e.spoilt[name]}
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
	text, err := decodeText(content)
	if err != nil {
		return answer{err: err}
	}
	return answer{value: text, set: true}
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
