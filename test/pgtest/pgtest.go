// Package pgtest runs PostgreSQL for tests: a cluster of its own in a temporary
// folder, on a free port, as a user that is not root, with the system's
// programs. Tests share one cluster and have a schema each; a test that breaks
// the server starts one for itself.
package pgtest

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"hookgate/test/lab"
)

// Server is a running cluster.
type Server struct {
	bin, dir string
	port     int
	as       *syscall.Credential // nil: the user who runs the tests
	settings []string            // of the server
	process  *exec.Cmd
	stdin    io.Closer
	schemas  atomic.Int64
}

var shared struct {
	once   sync.Once
	server *Server
	err    error
}

// Main runs the tests of a package and stops the shared cluster afterwards; a
// package's TestMain is os.Exit(pgtest.Main(m)).
func Main(m *testing.M) int {
	defer Stop()
	return m.Run()
}

// Stop stops the shared cluster, if it was started.
func Stop() {
	if shared.server != nil {
		shared.server.end()
	}
}

// Shared is the cluster of this test process. Where PostgreSQL is not
// installed the test is skipped; on a build server it fails.
func Shared(tb testing.TB) *Server {
	tb.Helper()
	bin := programs(tb)
	port := lab.Port(tb)
	shared.once.Do(func() { shared.server, shared.err = start(bin, port, careless()) })
	if shared.err != nil {
		tb.Fatal(shared.err)
	}
	return shared.server
}

// New is a cluster of the test's own.
func New(tb testing.TB) *Server {
	tb.Helper()
	return own(tb, careless())
}

// With is a cluster of the test's own with settings of the server.
func With(tb testing.TB, settings ...string) *Server {
	tb.Helper()
	return own(tb, append(careless(), settings...))
}

// Log is what the server has logged so far.
func (s *Server) Log(tb testing.TB) string {
	tb.Helper()
	text, err := os.ReadFile(filepath.Join(s.dir, "log"))
	if err != nil {
		tb.Fatal(err)
	}
	return string(text)
}

// Durable is a cluster of the test's own that waits for the disk, as those do
// that hold real data: for measurements.
func Durable(tb testing.TB) *Server {
	tb.Helper()
	return own(tb, nil)
}

func own(tb testing.TB, settings []string) *Server {
	tb.Helper()
	s, err := start(programs(tb), lab.Port(tb), settings)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(s.end)
	return s
}

// Run is a cluster as Durable's, for a program that is no test. End ends it.
func Run() (*Server, error) {
	bin, found := newest()
	if !found {
		return nil, errMissing
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	port := ln.Addr().(*net.TCPAddr).Port
	if err := ln.Close(); err != nil {
		return nil, err
	}
	return start(bin, port, nil)
}

// End stops the cluster and removes it.
func (s *Server) End() { s.end() }

// Schema is the URL of a new and empty schema.
func (s *Server) Schema(ctx context.Context) (string, error) {
	name := fmt.Sprintf("test%d", s.schemas.Add(1))
	return s.url() + "&search_path=" + name, s.exec(ctx, "CREATE SCHEMA "+name)
}

// Ask is the result of a query for one integer in the schema of a URL.
func Ask(ctx context.Context, url, query string) (int64, error) {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return 0, err
	}
	defer conn.Close(ctx)
	var n int64
	err = conn.QueryRow(ctx, query).Scan(&n)
	return n, err
}

func (s *Server) exec(ctx context.Context, query string) error { return execute(ctx, s.url(), query) }

func execute(ctx context.Context, url, query string) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, query)
	return err
}

func (s *Server) url() string {
	return fmt.Sprintf("postgres://postgres@127.0.0.1:%d/postgres?sslmode=disable", s.port)
}

// URL is a new and empty schema, which goes with the cluster.
func (s *Server) URL(tb testing.TB) string {
	tb.Helper()
	url, err := s.Schema(context.Background())
	if err != nil {
		tb.Fatal(err)
	}
	return url
}

// Exec runs a statement.
func (s *Server) Exec(tb testing.TB, query string) {
	tb.Helper()
	if err := s.exec(context.Background(), query); err != nil {
		tb.Fatalf("%.80s: %v", query, err)
	}
}

// Number is the result of a query for one integer in the schema of a URL that
// the server gave.
func Number(tb testing.TB, url, query string) int64 {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	n, err := Ask(ctx, url, query)
	if err != nil {
		tb.Fatalf("%.80s: %v", query, err)
	}
	return n
}

// Exec runs a statement in the schema of a URL that the server gave.
func Exec(tb testing.TB, url, statement string) {
	tb.Helper()
	if err := execute(context.Background(), url, statement); err != nil {
		tb.Fatalf("%.80s: %v", statement, err)
	}
}

// SetClock stops the clock of the database of a URL that the server gave, for all
// that is compared with it.
func SetClock(tb testing.TB, url string, now time.Time) {
	tb.Helper()
	Exec(tb, url, fmt.Sprintf(`CREATE OR REPLACE FUNCTION now_us() RETURNS bigint LANGUAGE sql VOLATILE AS 'SELECT %d::bigint'`, now.UnixMicro()))
}

// Stop ends the server at once, as a crash would: `pg_ctl stop -m immediate`.
func (s *Server) Stop() {
	if s.process == nil {
		return
	}
	_ = s.stdin.Close()
	_ = s.process.Wait()
	s.process = nil
}

// Start starts a stopped server again.
func (s *Server) Start(tb testing.TB) {
	tb.Helper()
	if err := s.run(); err != nil {
		tb.Fatal(err)
	}
}
