package lab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
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
	Files    string // the folder for files, where Database is set
	// Program is what is started; "": Binary.
	Program string

	tb      testing.TB
	config  string // the body of the configuration
	process *process
	client  *http.Client
	starts  int
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
		g.measured(false)
		g.kill()
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
		if g.Files != "" {
			storage += ", files: " + g.Files
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
