package reader

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"hookgate/test/lab"
)

// patience is how long a command may take: the pages are read side by side.
const patience = 4 * lab.Patience

func TestMain(m *testing.M) { os.Exit(lab.Main(m)) }

// TestPages reads every page. What it cannot do on this machine is marked in the
// page's source, with a reason.
func TestPages(t *testing.T) {
	t.Parallel()
	for _, page := range pages(t) {
		list, err := blocks(page, readFile(t, page))
		if err != nil {
			t.Fatal(err)
		}
		if len(list) == 0 {
			continue
		}
		t.Run(page, func(t *testing.T) {
			t.Parallel()
			s := newSession(t, list)
			for _, b := range list {
				if !t.Failed() {
					s.read(b)
				}
			}
			s.leave()
		})
	}
}

// session is a reader with a page, a terminal or two, and a folder.
type session struct {
	t    *testing.T
	home string // everything is below it
	dir  string // where the reader is
	port int
	sink *lab.Sink // stands for every receiver

	config any  // what the page has said so far
	alone  bool // the page begins a configuration of its own; else it is about that of the agency

	prepared bool // the agency's folder is there
	running  []*process
}

// newSession is a reader who opens a page. The program is in the path, as `go` is,
// where `go build` and `go run .` give the program that the lab has built in just
// this way.
func newSession(t *testing.T, list []*block) *session {
	t.Helper()
	//nolint:usetesting // TempDir's paths are long, and that of a unix socket has a limit of 108 bytes
	home, err := os.MkdirTemp("", "hr")
	if err != nil {
		t.Fatal(err)
	}
	s := &session{t: t, home: home, dir: filepath.Join(home, "work"), port: lab.Port(t), sink: lab.NewSink(t, nil)}
	t.Cleanup(func() {
		for _, p := range s.running {
			p.kill()
		}
		_ = os.RemoveAll(home)
	})
	for _, dir := range []string{"work", "bin", "backups"} {
		must(t, os.Mkdir(filepath.Join(home, dir), 0o700))
	}
	must(t, os.Symlink(lab.Binary(t), filepath.Join(home, "bin", "hookgate")))
	s.save(filepath.Join(home, "bin", "go"), `#!/bin/sh
case "$1 $2" in
"build -o") ln -s "`+lab.Binary(t)+`" "$3" ;;
"run .") shift 2; exec "`+lab.Binary(t)+`" "$@" ;;
*) exit 2 ;;
esac
`)
	must(t, os.Chmod(filepath.Join(home, "bin", "go"), 0o700))
	for _, b := range list {
		if b.lang == "yaml" && b.notes["file"] == "" && b.notes["not run"] == "" {
			s.alone = strings.HasPrefix(b.text(), "version: 1\n")
			break
		}
	}
	return s
}

// read does what a block says.
func (s *session) read(b *block) {
	s.t.Helper()
	if b.notes["not run"] != "" {
		return
	}
	if name := b.notes["file"]; name != "" {
		s.save(filepath.Join(s.dir, name), b.text())
		if b.lang == "yaml" {
			s.environment(b.text()) // a part of the configuration that another one names
		} else {
			s.must(b.String(), "hookgate check")
		}
		return
	}
	switch b.lang {
	case "yaml":
		s.configure(b)
	case "sh", "console":
		home := s.dir
		if b.notes["folder"] == "new" {
			s.dir = filepath.Join(s.home, fmt.Sprint("new", b.line))
			must(s.t, os.Mkdir(s.dir, 0o700))
		} else if !s.alone {
			s.begin()
		}
		s.enter(b)
		if b.notes["folder"] == "new" {
			s.dir = home
		}
	}
}

// enter runs a block's commands and compares what they print.
func (s *session) enter(b *block) {
	s.t.Helper()
	meanwhile := b.notes["meanwhile"]
	commands := b.commands()
	for i, c := range commands {
		at := fmt.Sprintf("%s:%d: %s", b.page, c.line, c.text)
		if dir, found := strings.CutPrefix(c.text, "cd "); found {
			s.dir = filepath.Join(s.dir, dir)
			s.moved()
			continue
		}
		stays := s.stays(c.text)
		if meanwhile != "" && stays == nil {
			s.meanwhile(at, meanwhile)
			meanwhile = ""
		}
		if stays != nil {
			p := s.start(at, c.text, *stays)
			if meanwhile != "" {
				s.meanwhile(at, meanwhile)
				meanwhile = ""
			}
			if len(c.output) > 0 {
				p.prints(s.t, at, c.output, b.notes["output"] != "")
			}
			continue
		}
		code, got := s.run(s.filled(c.text))
		example := b.notes["output"] != ""
		want := "0"
		if status := b.notes["exit"]; status != "" && i == len(commands)-1 {
			want = status
		}
		if strconv.Itoa(code) != want {
			s.t.Fatalf("%s: exit status %d, want %s\n%s", at, code, want, got)
		}
		if diff := difference(c.output, got, example); diff != "" {
			s.t.Fatalf("%s\n%s", at, diff)
		}
		s.moved()
	}
}

// meanwhile does what happens elsewhere.
func (s *session) meanwhile(at, line string) {
	s.t.Helper()
	if e := s.stays(line); e != nil {
		s.start(at, line, *e)
		return
	}
	s.must(at, line)
}

// must runs a command that has to succeed.
func (s *session) must(at, line string) string {
	s.t.Helper()
	code, got := s.run(line)
	if code != 0 {
		s.t.Fatalf("%s: %s: exit status %d\n%s", at, line, code, got)
	}
	return got
}

// run runs a line of the shell. A question is answered with yes.
func (s *session) run(line string) (code int, output string) {
	s.t.Helper()
	code, output = s.shell(line)
	if code == 2 && strings.Contains(output, "--yes") && !strings.Contains(line, "--yes") {
		var more string
		code, more = s.shell(line + " --yes")
		output += more
	}
	return code, output
}

func (s *session) shell(line string) (code int, output string) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := s.command(ctx, line)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		s.t.Fatalf("%s: %v", line, err)
	}
	return cmd.ProcessState.ExitCode(), string(out)
}

func (s *session) command(ctx context.Context, line string) *exec.Cmd {
	line = strings.NewReplacer(
		"/backups", filepath.Join(s.home, "backups"),
		"/var/lib/hookgate", s.dir,
		"https://hooks.agency.example", fmt.Sprintf("http://127.0.0.1:%d", s.port),
	).Replace(line)
	cmd := exec.CommandContext(ctx, "bash", "-c", line)
	cmd.Dir = s.dir
	cmd.Env = []string{
		"PATH=" + filepath.Join(s.home, "bin") + ":" + os.Getenv("PATH"), "HOME=" + s.home, "TMPDIR=" + s.home,
		"NO_COLOR=1", "HOOKGATE_ADMIN_PASSWORD=" + adminPassword,
	}
	for _, name := range []string{"GOCOVERDIR", "GORACE"} {
		if value := os.Getenv(name); value != "" {
			cmd.Env = append(cmd.Env, name+"="+value)
		}
	}
	return cmd
}

// filled is a line with the ids that its page can't know: those of the newest.
func (s *session) filled(line string) string {
	s.t.Helper()
	for _, kind := range []struct{ prefix, list string }{
		{"evt", "hookgate events list --json --limit 1"},
		{"dlv", "hookgate deliveries list --json --limit 1"},
		{"aud", "hookgate tokens list --json"},
	} {
		placeholder := regexp.MustCompile(`\b` + kind.prefix + `_[0-9a-z…]+`)
		if !placeholder.MatchString(line) {
			continue
		}
		if strings.Contains(line, "notspam") {
			kind.list += " --state spam"
		}
		id := placeholder.FindString(s.must(line, kind.list))
		if id == "" {
			s.t.Fatalf("%s: there is nothing whose id it could be", line)
		}
		line = placeholder.ReplaceAllString(line, id)
	}
	return line
}

// moved gives a configuration that a command has written this session's port:
// sessions run side by side.
func (s *session) moved() {
	path := filepath.Join(s.dir, "config.yaml")
	text, err := os.ReadFile(path)
	if err == nil && bytes.Contains(text, []byte(" 127.0.0.1:8080 ")) {
		s.save(path, strings.Replace(string(text), " 127.0.0.1:8080 ", fmt.Sprintf(" 127.0.0.1:%d ", s.port), 1))
	}
}

func (s *session) save(path, text string) {
	s.t.Helper()
	must(s.t, os.MkdirAll(filepath.Dir(path), 0o700))
	must(s.t, os.WriteFile(path, []byte(text), 0o600))
}

// leave ends what still runs, the server last.
func (s *session) leave() {
	for _, p := range slices.Backward(s.running) {
		p.end(s.t)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// staying are the commands that run until somebody ends them: what they say
// when they are ready, the signal that ends them, and their exit status then.
var staying = map[string]ending{
	"hookgate serve":       {"listening", syscall.SIGTERM, 0},
	"hookgate demo":        {"Ctrl-C", syscall.SIGINT, 0},
	"hookgate events tail": {"Ctrl-C ends", syscall.SIGINT, 130},
}

type ending struct {
	ready  string
	signal syscall.Signal
	code   int
}

func (s *session) stays(line string) *ending {
	for _, args := range calls(line) {
		path, err := parse(args, false)
		if err != nil {
			s.t.Fatalf("%s: %v", line, err)
		}
		if e, found := staying[path]; found {
			return &e
		}
	}
	return nil
}

// process is a command that runs in another terminal.
type process struct {
	ending
	line string
	cmd  *exec.Cmd
	done chan struct{}

	mu     sync.Mutex
	output bytes.Buffer
}

// Write implements io.Writer.
func (p *process) Write(text []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.output.Write(text)
}

func (p *process) said() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.output.String()
}

// start runs a command that stays, until it is ready.
func (s *session) start(at, line string, e ending) *process {
	s.t.Helper()
	p := &process{ending: e, line: line, cmd: s.command(context.Background(), "exec "+line), done: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = p, p
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	must(s.t, p.cmd.Start())
	go func() { _ = p.cmd.Wait(); close(p.done) }()
	s.running = append(s.running, p)
	ready := func() bool { return p.ended() || strings.Contains(p.said(), e.ready) }
	if !lab.Within(patience, ready) || p.ended() {
		s.t.Fatalf("%s: it does not say %q\n%s", at, e.ready, p.said())
	}
	return p
}

func (p *process) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// prints waits until a command has printed what the page shows.
func (p *process) prints(t *testing.T, at string, want []string, example bool) {
	t.Helper()
	if lab.Within(patience, func() bool { return difference(want, p.said(), example) == "" }) {
		return
	}
	t.Fatalf("%s\n%s", at, difference(want, p.said(), example))
}

func (p *process) end(t *testing.T) {
	t.Helper()
	if p.ended() {
		t.Errorf("%s has ended by itself\n%s", p.line, p.said())
		return
	}
	_ = syscall.Kill(-p.cmd.Process.Pid, p.signal)
	<-p.done
	if got := p.cmd.ProcessState.ExitCode(); got != p.code {
		t.Errorf("%s: exit status %d, want %d\n%s", p.line, got, p.code, p.said())
	}
}

func (p *process) kill() {
	if !p.ended() {
		_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
		<-p.done
	}
}

// clone is a configuration that can be changed without the other.
func clone(t *testing.T, config any) map[string]any {
	t.Helper()
	text, err := json.Marshal(config)
	must(t, err)
	var copied map[string]any
	must(t, json.Unmarshal(text, &copied))
	return copied
}

// section is one of a configuration's sections, which is made if it has none.
func section(config map[string]any, name string) map[string]any {
	m, _ := config[name].(map[string]any)
	if m == nil {
		m = map[string]any{}
		config[name] = m
	}
	return m
}

func names(m map[string]any) []string { return slices.Sorted(maps.Keys(m)) }
