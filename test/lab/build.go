package lab

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

var build struct {
	once sync.Once
	dir  string
	path string
	err  error
}

// Main runs the tests of a package, prints what they measured in the long form
// and with FAULTS=table, and removes the binary afterwards; a
// package's TestMain is os.Exit(lab.Main(m)).
func Main(m *testing.M) int {
	code := m.Run()
	if Long() || os.Getenv("FAULTS") == "table" {
		fmt.Print("\n", Table())
	}
	if build.dir != "" {
		_ = os.RemoveAll(build.dir)
	}
	return code
}

// Binary returns the path of the built program. It is built once for each test
// binary; LAB_RACE=1 builds it with the race detector, LAB_BINARY names one
// that exists.
func Binary(tb testing.TB) string {
	tb.Helper()
	build.once.Do(func() { build.path, build.err = compile() })
	if build.err != nil {
		tb.Fatal(build.err)
	}
	return build.path
}

func compile() (string, error) {
	if path := os.Getenv("LAB_BINARY"); path != "" {
		return path, nil
	}
	root, err := Root()
	if err != nil {
		return "", err
	}
	if build.dir, err = os.MkdirTemp("", "hookgate-lab-"); err != nil {
		return "", err
	}
	path := filepath.Join(build.dir, "hookgate")
	return path, goBuild(root, path)
}

// BinaryWith builds the program as it would be with the files that added has,
// by their paths in the repository: a version yet to come.
func BinaryWith(tb testing.TB, added map[string]string) string {
	tb.Helper()
	root, err := Root()
	if err != nil {
		tb.Fatal(err)
	}
	dir := tb.TempDir()
	overlay := struct{ Replace map[string]string }{map[string]string{}}
	if err := givenOverlay(&overlay); err != nil {
		tb.Fatal(err)
	}
	for path, text := range added {
		file := filepath.Join(dir, filepath.Base(path))
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			tb.Fatal(err)
		}
		overlay.Replace[filepath.Join(root, path)] = file
	}
	text, err := json.Marshal(overlay)
	if err != nil {
		tb.Fatal(err)
	}
	list := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(list, text, 0o600); err != nil {
		tb.Fatal(err)
	}
	path := filepath.Join(dir, "hookgate")
	if err := goBuild(root, path, "-overlay", list); err != nil {
		tb.Fatal(err)
	}
	return path
}

// givenOverlay reads the overlay that GOFLAGS names, if it does: a flag of its own
// would hide it.
func givenOverlay(overlay any) error {
	for flag := range strings.FieldsSeq(os.Getenv("GOFLAGS")) {
		if file, found := strings.CutPrefix(flag, "-overlay="); found {
			text, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			return json.Unmarshal(text, overlay)
		}
	}
	return nil
}

func goBuild(root, path string, flags ...string) error {
	args := append([]string{"build", "-o", path}, flags...)
	if Race() {
		args = append(args, "-race")
	}
	cmd := exec.Command("go", append(args, ".")...)
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w\n%s", err, out)
	}
	return nil
}
