package lab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// Gate is one hookgate with its own folder, configuration, database and port.
// It may be started, killed and started again.
type Gate struct {
	Dir  string // holds config.yaml and the database
	Addr string // host:port
	URL  string // http://host:port

	// Wrap is a command that runs the program, strace for example. Env are
	// more environment variables. Extra is put below `server:`, indented by two.
	// Storage is the path of the database. They are read when the program starts.
	Wrap  []string
	Env   []string
	Extra string
	// Database, if set, is the URL of a PostgreSQL database in place of it.
	Storage  string
	Database string
	Lease    string // of a replica, where Database is set; "": the default
	// Program is what is started; "": Binary.
	Program string

	tb      testing.TB
	config  string // the body of the configuration
	process *process
	client  *http.Client
	starts  int
}

// process is one run of the program.
type process struct {
	cmd    *exec.Cmd
	done   chan struct{} // closed when it has ended
	err    error         // of Wait; read after done
	killed atomic.Bool
}

// New makes a gate with the given configuration below its header, which the lab
// writes: version, server, storage and outbound (loopback is allowed). It is
// not started. Whatever still runs at the end of the test is killed then.
func New(tb testing.TB, config string) *Gate {
	tb.Helper()
	//nolint:usetesting // TempDir's paths are long, and that of a unix socket has a limit of 108 bytes
	dir, err := os.MkdirTemp("", "hg")
	if err != nil {
		tb.Fatal(err)
	}
	g := &Gate{Dir: dir, Storage: filepath.Join(dir, "hookgate.db"), tb: tb, config: config, client: NewClient()}
	g.moveTo(Port(tb))
	tb.Cleanup(func() {
		g.Kill()
		for _, sign := range []string{"DATA RACE", "panic:", "fatal error:"} {
			if at := strings.Index(g.Stderr(), sign); at >= 0 {
				tb.Errorf("the gate said %s: %.4000s", sign, g.Stderr()[at:])
			}
		}
		if tb.Failed() {
			tb.Logf("stderr of the gate:\n%s", Tail(g.Stderr(), 40))
		}
		_ = os.RemoveAll(dir)
	})
	return g
}

// Start is New followed by Start.
func Start(tb testing.TB, config string) *Gate {
	tb.Helper()
	g := New(tb, config)
	g.Start()
	return g
}

func (g *Gate) moveTo(port int) {
	g.Addr = fmt.Sprintf("127.0.0.1:%d", port)
	g.URL = "http://" + g.Addr
}

// Header is the part of the configuration that the lab writes.
func (g *Gate) Header() string {
	storage := "path: " + g.Storage
	if g.Database != "" {
		storage = `url: "` + g.Database + `"`
		if g.Lease != "" {
			storage += ", lease: " + g.Lease
		}
	}
	return "version: 1\nserver:\n  listen: " + g.Addr + "\n  public_url: " + g.URL + "\n" + g.Extra +
		"storage: { " + storage + " }\noutbound: { allow_private: [127.0.0.0/8] }\n"
}

// Configure replaces the configuration below the header: a running gate reloads it.
func (g *Gate) Configure(config string) {
	g.tb.Helper()
	g.config = config
	g.WriteConfig(g.Header() + config)
}

// WriteConfig writes the whole of config.yaml, by rename, as editors do.
func (g *Gate) WriteConfig(text string) {
	g.tb.Helper()
	temp := filepath.Join(g.Dir, ".config.yaml.new")
	if err := os.WriteFile(temp, []byte(text), 0o600); err != nil {
		g.tb.Fatal(err)
	}
	if err := os.Rename(temp, g.ConfigPath()); err != nil {
		g.tb.Fatal(err)
	}
}

// ConfigPath is where config.yaml is.
func (g *Gate) ConfigPath() string { return filepath.Join(g.Dir, "config.yaml") }

// Start runs `hookgate serve` and returns when it is ready.
func (g *Gate) Start() {
	g.tb.Helper()
	for try := 0; ; try++ {
		g.Configure(g.config)
		err := g.Launch()
		if err == nil {
			err = g.AwaitReady()
		}
		if err == nil {
			return
		}
		reason := Tail(g.Stderr(), 1)
		switch {
		case g.starts == 0 && try < 5 && strings.Contains(reason, "address already in use"):
			g.moveTo(Port(g.tb))
		case g.starts > 0 && try < 100 && strings.Contains(reason, "another hookgate is running"):
			// Kill waits for Wrap only: what it ran may take a moment longer to be gone.
			<-time.After(20 * time.Millisecond)
		default:
			g.tb.Fatalf("hookgate did not start: %v\n%s", err, Tail(g.Stderr(), 40))
		}
	}
}

// Launch starts the process and does not wait for it.
func (g *Gate) Launch() error {
	g.tb.Helper()
	args := append(append([]string{}, g.Wrap...), g.program(), "serve", "-c", g.ConfigPath())
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir = g.Dir
	cmd.Env = g.environment()
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	stdout, err := g.output("stdout.log")
	if err != nil {
		return err
	}
	defer stdout.Close()
	stderr, err := g.output("stderr.log")
	if err != nil {
		return err
	}
	defer stderr.Close()
	cmd.Stdout, cmd.Stderr = stdout, stderr
	if err := cmd.Start(); err != nil {
		return err
	}
	p := &process{cmd: cmd, done: make(chan struct{})}
	g.process = p
	go func() {
		p.err = cmd.Wait()
		close(p.done)
	}()
	return nil
}

func (g *Gate) program() string {
	if g.Program != "" {
		return g.Program
	}
	return Binary(g.tb)
}

func (g *Gate) output(name string) (*os.File, error) {
	return os.OpenFile(filepath.Join(g.Dir, name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
}

func (g *Gate) environment() []string {
	env := []string{"NO_COLOR=1", "TMPDIR=" + os.TempDir()}
	for _, name := range []string{"PATH", "HOME", "GOCOVERDIR", "GORACE"} {
		if value := os.Getenv(name); value != "" {
			env = append(env, name+"="+value)
		}
	}
	return append(env, g.Env...)
}

// AwaitReady waits until /readyz says 200, or the process has ended.
func (g *Gate) AwaitReady() error {
	p := g.process
	ended := errors.New("not ready in time")
	ready := false
	Within(Patience, func() bool {
		select {
		case <-p.done:
			ended = fmt.Errorf("it ended: %w", p.err)
			return true
		default:
		}
		ready = g.Probe("/readyz") == http.StatusOK
		return ready
	})
	if !ready {
		return ended
	}
	g.starts++
	return nil
}

// Probe is the status that a GET of path has, 0 when there is no answer.
func (g *Gate) Probe(path string) int {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, g.URL+path, nil)
	if err != nil {
		return 0
	}
	res, err := g.client.Do(req)
	if err != nil {
		return 0
	}
	_ = res.Body.Close()
	return res.StatusCode
}

// Kill ends the process at once, as kill -9 does, and waits for its end. It
// also ends what Wrap started. A gate that does not run is left alone.
func (g *Gate) Kill() {
	if p := g.process; p != nil && !g.Ended() {
		p.killed.Store(true)
		_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
		<-p.done
	}
	g.client.CloseIdleConnections()
}

// Signal sends a signal to the process.
func (g *Gate) Signal(sig syscall.Signal) {
	g.tb.Helper()
	if err := syscall.Kill(-g.process.cmd.Process.Pid, sig); err != nil {
		g.tb.Fatalf("signal %v: %v", sig, err)
	}
}

// Stop sends SIGTERM, waits for the end and returns the exit status.
func (g *Gate) Stop() int {
	g.tb.Helper()
	g.Signal(syscall.SIGTERM)
	return g.Wait(Patience)
}

// Wait waits for the end of the process and returns its exit status: -1 when a
// signal ended it.
func (g *Gate) Wait(d time.Duration) int {
	g.tb.Helper()
	select {
	case <-g.process.done:
	case <-time.After(d):
		g.tb.Fatalf("hookgate still runs after %s\n%s", d, Tail(g.Stderr(), 40))
	}
	g.client.CloseIdleConnections()
	return g.process.cmd.ProcessState.ExitCode()
}

// Ended reports whether the process has ended.
func (g *Gate) Ended() bool {
	select {
	case <-g.process.done:
		return true
	default:
		return false
	}
}

// PID is the process id of what was started: of Wrap where there is one.
func (g *Gate) PID() int { return g.process.cmd.Process.Pid }

// Stderr is all that the process has written there, over restarts.
func (g *Gate) Stderr() string { return g.read("stderr.log") }

// Stdout is all that the process has written there, over restarts.
func (g *Gate) Stdout() string { return g.read("stdout.log") }

func (g *Gate) read(name string) string {
	data, err := os.ReadFile(filepath.Join(g.Dir, name))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		g.tb.Fatal(err)
	}
	return string(data)
}

// DatabaseFiles are the paths of the database and its side files.
func (g *Gate) DatabaseFiles() []string {
	paths, err := filepath.Glob(g.Storage + "*")
	if err != nil {
		g.tb.Fatal(err)
	}
	var files []string
	for _, path := range paths {
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			files = append(files, path)
		}
	}
	return files
}

// Tail returns the last n lines of text.
func Tail(text string, n int) string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

// NewClient is an HTTP client that keeps many connections and follows no redirect.
func NewClient() *http.Client {
	return &http.Client{
		Timeout: Patience,
		Transport: &http.Transport{
			MaxIdleConnsPerHost: 256,
			DialContext:         (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Reply is an answer of the gate.
type Reply struct {
	Status int
	Header http.Header
	Body   string
}

// Do sends a request and fails the test when there is no answer. Header holds
// names and values in turn.
func (g *Gate) Do(method, path string, body []byte, header ...string) Reply {
	g.tb.Helper()
	req, err := http.NewRequestWithContext(context.Background(), method, g.URL+path, bytes.NewReader(body))
	if err != nil {
		g.tb.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Add(header[i], header[i+1])
	}
	if host := req.Header.Get("Host"); host != "" {
		req.Host = host
	}
	res, err := g.client.Do(req)
	if err != nil {
		g.tb.Fatalf("%s %s: %v", method, path, err)
	}
	defer res.Body.Close()
	var text bytes.Buffer
	if _, err := text.ReadFrom(res.Body); err != nil {
		g.tb.Fatalf("%s %s: %v", method, path, err)
	}
	return Reply{Status: res.StatusCode, Header: res.Header, Body: text.String()}
}

// PostJSON posts body as application/json.
func (g *Gate) PostJSON(path string, body []byte) Reply {
	g.tb.Helper()
	return g.Do(http.MethodPost, path, body, "Content-Type", "application/json")
}
