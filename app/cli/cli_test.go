package cli_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hookgate/app"
	"hookgate/app/cli"
	"hookgate/app/config"
)

var update = flag.Bool("update", false, "write the golden files")

func TestMain(m *testing.M) {
	time.Local = time.UTC // the golden files hold local times
	os.Exit(m.Run())
}

// outcome is what one call of the command line did.
type outcome struct {
	code        int
	out, errOut string
}

// run calls the command line with nothing on stdin.
func run(t *testing.T, args ...string) outcome {
	t.Helper()
	return runWith(t, "", args...)
}

func runWith(t *testing.T, stdin string, args ...string) outcome {
	t.Helper()
	var out, errOut bytes.Buffer
	code := cli.Run(t.Context(), args, strings.NewReader(stdin), &out, &errOut)
	return outcome{code: code, out: out.String(), errOut: errOut.String()}
}

// golden compares text with testdata/name.golden.
func golden(t *testing.T, name, text string) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), text); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

// writeConfig writes a config file into a folder of its own and gives its path.
func writeConfig(t *testing.T, text string) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "hg") //nolint:usetesting // t.TempDir is too long for the path of a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	path := filepath.Join(dir, "config.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// request is one request that the fake server got.
type request struct {
	Method, Target, ContentType, Body string
}

// fakeServer speaks the administration API on the socket of a config.
type fakeServer struct {
	config string

	mu       sync.Mutex
	requests []request
}

// answer is what the fake server says to one method and path.
type answer struct {
	status int
	body   string
}

// serveAPI starts a fake server; answers are by "METHOD /path", and several to
// the same come in turn.
func serveAPI(t *testing.T, answers map[string][]answer) *fakeServer {
	t.Helper()
	f := &fakeServer{config: writeConfig(t, "version: 1\n")}
	doc, report := config.Load(f.config, func(string) (string, bool) { return "", false })
	if err := report.Err(); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", app.SocketPath(doc))
	if err != nil {
		t.Fatal(err)
	}
	server := &httptest.Server{Listener: l, Config: &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		defer f.mu.Unlock()
		body, _ := io.ReadAll(r.Body)
		f.requests = append(f.requests, request{
			Method: r.Method, Target: r.URL.String(), ContentType: r.Header.Get("Content-Type"), Body: string(body),
		})
		key := r.Method + " " + r.URL.Path
		if len(answers[key]) == 0 {
			t.Errorf("unexpected request %s", key)
			w.WriteHeader(http.StatusTeapot)
			return
		}
		a := answers[key][0]
		answers[key] = answers[key][1:]
		w.Header().Set("Content-Type", "application/json")
		if a.status >= 400 {
			w.Header().Set("Content-Type", "application/problem+json")
		}
		w.WriteHeader(a.status)
		_, _ = io.WriteString(w, a.body)
	})}}
	server.Start()
	t.Cleanup(server.Close)
	return f
}

// got gives the requests so far.
func (f *fakeServer) got() []request {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.requests
}

// run calls the command line with the fake server's config.
func (f *fakeServer) run(t *testing.T, args ...string) outcome {
	t.Helper()
	return run(t, append([]string{"-c", f.config}, args...)...)
}

func fixture(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	if strings.HasSuffix(name, ".json") && !json.Valid(text) {
		t.Fatalf("%s is not valid JSON", name)
	}
	return string(text)
}
