//go:build linux

package cli

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// Only a regular file is replaced; what else is at the path is written to, or
// the call refused.
func TestWriteFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	text := func(w io.Writer) error { _, err := io.WriteString(w, "new"); return err }
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.WriteFile(at("old"), []byte("old, and longer"), 0o640))
	must(os.Symlink("old", at("link")))
	must(os.Symlink("nowhere", at("dangling")))
	must(os.Symlink("/dev/null", at("null")))
	must(syscall.Mkfifo(at("fifo"), 0o600))

	must(writeFile(at("fresh"), 0o600, text))
	must(writeFile(at("link"), 0o600, text))
	for _, name := range []string{"fresh", "old"} {
		if got, err := os.ReadFile(at(name)); err != nil || string(got) != "new" {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	if info, err := os.Lstat(at("link")); err != nil || info.Mode().Type() != os.ModeSymlink {
		t.Errorf("the link was replaced: %v, %v", info, err)
	}
	if info, err := os.Stat(at("old")); err != nil || info.Mode() != 0o640 {
		t.Errorf("the mode became %v, %v", info.Mode(), err)
	}

	must(writeFile(at("null"), 0o600, text))
	if info, err := os.Stat("/dev/null"); err != nil || info.Mode().Type() != os.ModeDevice|os.ModeCharDevice {
		t.Errorf("/dev/null is %v, %v", info, err)
	}
	read := make(chan string, 1)
	go func() {
		got, err := os.ReadFile(at("fifo"))
		if err != nil {
			got = []byte(err.Error())
		}
		read <- string(got)
	}()
	must(writeFile(at("fifo"), 0o600, text))
	if got := <-read; got != "new" {
		t.Errorf("through the FIFO: %q", got)
	}
	// /dev/stdout leads to a pipe, which has no name: as in backup /dev/stdout | ssh.
	from, to, err := os.Pipe()
	must(err)
	must(writeFile(fmt.Sprintf("/proc/self/fd/%d", to.Fd()), 0o600, text))
	must(to.Close())
	if got, err := io.ReadAll(from); err != nil || string(got) != "new" {
		t.Errorf("through a pipe: %q, %v", got, err)
	}
	if err := writeFile("/dev/full", 0o600, text); err == nil {
		t.Error("/dev/full takes it")
	}
	if err := writeFile(at("dangling"), 0o600, text); err == nil || !strings.Contains(err.Error(), "leads nowhere") {
		t.Errorf("a dangling link: %v", err)
	}
	if err := writeFile(dir, 0o600, text); err == nil || !strings.Contains(err.Error(), "is a folder") {
		t.Errorf("a folder: %v", err)
	}
	if err := writeFile(at("old"), 0o600, func(io.Writer) error { return io.ErrShortWrite }); err == nil {
		t.Error("a failure is none")
	}
	entries, err := os.ReadDir(dir)
	if got, _ := os.ReadFile(at("old")); err != nil || string(got) != "new" || len(entries) != 6 {
		t.Errorf("after a failure: %q, %d entries, %v", got, len(entries), err)
	}
}

// A call whose output is lost has failed, whatever it prints, and by which way.
func TestRun_outputThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(path, []byte("version: 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range []string{
		"version", "version --json", "--help", "--version", "schema", "connectors list", "connectors list --json", "routes", "routes --json", "check", "completion bash",
		"forms list --json",
	} {
		full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		var errOut strings.Builder
		code := Run(t.Context(), append(strings.Fields(args), "-c", path), strings.NewReader(""), full, &errOut)
		_ = full.Close()
		if code != exitFailed || !strings.Contains(errOut.String(), "the output cannot be written: ") || !strings.Contains(errOut.String(), "no space left") {
			t.Errorf("%s: exit %d, %s", args, code, errOut.String())
		}
	}
}
