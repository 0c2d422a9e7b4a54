// Command control breaks hookgate on purpose, one thing at a time, and runs the
// test that must notice: what it does not notice is not held by a test.
//
//	go run ./test/control [-only part-of-a-name] [-from part-of-a-name] [-write]
//
// The source is not touched: the compiler is given the changed files in place
// of the real ones (go build -overlay), also for the binary that a black-box
// test builds. With -write the table in docs/reliability.md is written anew.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

func main() {
	only := flag.String("only", "", "only the mutants with this in their name")
	from := flag.String("from", "", "begin with the mutant with this in its name")
	write := flag.Bool("write", false, "write the table in "+page)
	flag.Parse()
	if err := run(*only, *from, *write); err != nil {
		fmt.Fprintln(os.Stderr, "control:", err)
		os.Exit(1)
	}
}

func run(only, from string, write bool) error {
	root, err := moduleRoot()
	if err != nil {
		return err
	}
	lived, ran := 0, 0
	first := slices.IndexFunc(Mutants, func(m Mutant) bool { return strings.Contains(m.Name, from) })
	if first < 0 {
		return fmt.Errorf("no mutant has %q in its name", from)
	}
	for _, m := range Mutants[first:] {
		if !strings.Contains(m.Name, only) {
			continue
		}
		began := time.Now()
		caught, output, err := m.try(root)
		verdict := "caught"
		switch {
		case err != nil:
			verdict, output = "BROKEN", err.Error()
			lived++
		case !caught:
			verdict = "LIVED "
			lived++
		}
		ran++
		fmt.Printf("%s  %6.1f s  %s (%s %s)\n", verdict, time.Since(began).Seconds(), m.Name, m.Package, m.Test)
		if caught {
			output = complaint(output)
		}
		fmt.Println(indent(output))
	}
	fmt.Printf("%d of %d caught\n", ran-lived, ran)
	switch {
	case lived > 0:
		return fmt.Errorf("%d breaks went unnoticed, or could not be tried", lived)
	case ran == 0:
		return fmt.Errorf("no mutant has %q in its name", only)
	case write && only == "" && first == 0:
		return writeTable(root, time.Now())
	}
	return nil
}

// moduleRoot is the folder of the module.
func moduleRoot() (string, error) {
	out, err := exec.Command("go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("go env GOMOD: %w", err)
	}
	return filepath.Dir(strings.TrimSpace(string(out))), nil
}

// mutate gives the files as the mutant has them, by path in the module.
func (m *Mutant) mutate(root string) (map[string]string, error) {
	files := map[string]string{}
	for _, e := range m.Edits {
		text, known := files[e.File]
		if !known {
			content, err := os.ReadFile(filepath.Join(root, e.File))
			if err != nil {
				return nil, err
			}
			text = string(content)
		}
		switch n := strings.Count(text, e.Old); {
		case n == 0:
			return nil, fmt.Errorf("%s has no longer\n%s", e.File, e.Old)
		case n > 1 && !e.All:
			return nil, fmt.Errorf("%s has %d times\n%s", e.File, n, e.Old)
		}
		files[e.File] = strings.ReplaceAll(text, e.Old, e.New)
	}
	return files, nil
}

// try runs the mutant's test on the mutant. An error says that nothing can be
// told: it does not apply, does not compile, or has no test.
func (m *Mutant) try(root string) (caught bool, output string, err error) {
	files, err := m.mutate(root)
	if err != nil {
		return false, "", err
	}
	dir, err := os.MkdirTemp("", "hookgate-control-")
	if err != nil {
		return false, "", err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	overlay := struct{ Replace map[string]string }{map[string]string{}}
	for path, text := range files {
		file := filepath.Join(dir, strings.ReplaceAll(path, "/", "-"))
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			return false, "", err
		}
		overlay.Replace[filepath.Join(root, path)] = file
	}
	text, err := json.Marshal(overlay)
	if err != nil {
		return false, "", err
	}
	list := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(list, text, 0o600); err != nil {
		return false, "", err
	}
	cmd := exec.Command("go", "test", "-vet=off", "-count=1", "-timeout", "5m", "-run", "^"+m.Test+"$", "./"+m.Package)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "GOFLAGS="+strings.TrimSpace(os.Getenv("GOFLAGS")+" -overlay="+list))
	out, failed := cmd.CombinedOutput()
	output = string(out)
	switch {
	case strings.Contains(output, "[build failed]"), strings.Contains(output, "[setup failed]"), strings.Contains(output, "go build: exit status"):
		return false, "", fmt.Errorf("it does not compile:\n%s", output)
	case strings.Contains(output, "no tests to run"):
		return false, "", fmt.Errorf("there is no such test:\n%s", output)
	}
	return failed != nil, output, nil
}

// message is a line of a test that says what it found, or that of a panic.
var message = regexp.MustCompile(`(?m)^(\s+\w+_test\.go:\d+: .*|panic: .*|fatal error: .*)$`)

// complaint is what the test said last before it failed: whoever reads it sees
// that it failed of the break and not of the machine.
func complaint(output string) string {
	said := message.FindAllString(output, -1)
	if len(said) == 0 {
		return output
	}
	const enough = 240
	last := []rune(strings.TrimSpace(said[len(said)-1]))
	return string(last[:min(len(last), enough)])
}

func indent(text string) string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	return "    " + strings.Join(lines[max(0, len(lines)-20):], "\n    ")
}
