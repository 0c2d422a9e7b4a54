package pgtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"hookgate/test/lab"
)

var errMissing = errors.New("PostgreSQL is not installed: run `make tools`")

// careless settings do not flush to the disk: what the tests stop is the
// server, not the machine.
func careless() []string { return []string{"fsync=off", "full_page_writes=off"} }

func programs(tb testing.TB) string {
	tb.Helper()
	bin, found := newest()
	if !found {
		lab.Skip(tb, errMissing.Error())
	}
	return bin
}

// newest is the folder of the newest initdb and postgres.
func newest() (string, bool) {
	if path, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(path), true
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if len(found) == 0 {
		return "", false
	}
	version := func(path string) int {
		n, _ := strconv.Atoi(strings.Split(path, "/")[4])
		return n
	}
	return filepath.Dir(slices.MaxFunc(found, func(a, b string) int { return version(a) - version(b) })), true
}

// start makes a cluster and runs it.
func start(bin string, port int, settings []string) (*Server, error) {
	dir, err := os.MkdirTemp("", "hgpg")
	if err != nil {
		return nil, err
	}
	s := &Server{bin: bin, dir: dir, port: port, settings: settings}
	if os.Getuid() == 0 {
		if s.as, err = unprivileged(); err != nil {
			return nil, err
		}
		if err := os.Chown(dir, int(s.as.Uid), int(s.as.Gid)); err != nil {
			return nil, err
		}
	}
	initdb := s.command("initdb", "-D", s.data(), "-U", "postgres", "--auth=trust", "-E", "UTF8", "--locale=C", "--no-sync")
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w\n%s", err, out)
	}
	if err := s.run(); err != nil {
		s.end()
		return nil, err
	}
	return s, nil
}

// unprivileged is a user that PostgreSQL agrees to run as.
func unprivileged() (*syscall.Credential, error) {
	for _, name := range []string{"postgres", "nobody"} {
		if u, err := user.Lookup(name); err == nil {
			uid, _ := strconv.ParseUint(u.Uid, 10, 32)
			gid, _ := strconv.ParseUint(u.Gid, 10, 32)
			return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
		}
	}
	return nil, errors.New("there is no user postgres or nobody to run PostgreSQL as")
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

func (s *Server) command(program string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(s.bin, program), args...)
	return s.prepare(cmd)
}

func (s *Server) prepare(cmd *exec.Cmd) *exec.Cmd {
	cmd.Dir = s.dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.as, Setpgid: true}
	return cmd
}

// run starts the server. A shell beside it stops it when the test process is
// gone, however it went: then the shell's input ends.
func (s *Server) run() error {
	const guard = `"$@" </dev/null & pid=$!; read -r _; kill -QUIT $pid; wait $pid`
	args := []string{"-c", guard, "sh", filepath.Join(s.bin, "postgres"), "-D", s.data(), "-p", strconv.Itoa(s.port)}
	for _, setting := range append([]string{
		"listen_addresses=127.0.0.1", "unix_socket_directories=" + s.dir, "max_connections=300", "shared_buffers=64MB", "deadlock_timeout=200ms",
	}, s.settings...) {
		args = append(args, "-c", setting)
	}
	cmd := s.prepare(exec.Command("/bin/sh", args...))
	log, err := os.OpenFile(filepath.Join(s.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	if s.stdin, err = cmd.StdinPipe(); err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	s.process = cmd
	if !lab.Within(lab.Patience, func() bool { return s.exec(context.Background(), "SELECT 1") == nil }) {
		text, _ := os.ReadFile(filepath.Join(s.dir, "log"))
		return fmt.Errorf("PostgreSQL did not start:\n%s", text)
	}
	return nil
}

// CPU is what the server's processes have used so far, those that have ended
// among them.
func (s *Server) CPU() time.Duration {
	text, err := os.ReadFile(filepath.Join(s.data(), "postmaster.pid"))
	if err != nil {
		return 0
	}
	postmaster, _, _ := strings.Cut(string(text), "\n")
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	total := 0
	for _, path := range stats {
		stat, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		line := string(stat)
		pid, _, _ := strings.Cut(line, " ")
		fields := strings.Fields(line[strings.LastIndexByte(line, ')')+1:])
		used := func(from, to int) {
			for _, f := range fields[from:to] {
				n, _ := strconv.Atoi(f)
				total += n
			}
		}
		switch postmaster {
		case pid:
			used(11, 15)
		case fields[1]: // its parent
			used(11, 13)
		}
	}
	return time.Duration(total) * 10 * time.Millisecond // in ticks of a hundredth of a second
}

func (s *Server) end() {
	s.Stop()
	_ = os.RemoveAll(s.dir)
}

// Dump is the schema of a URL that a server gave, as SQL.
func Dump(tb testing.TB, at string) []byte {
	tb.Helper()
	program, err := exec.LookPath("pg_dump")
	if err != nil {
		program = filepath.Join(programs(tb), "pg_dump")
	}
	where, err := url.Parse(at)
	if err != nil {
		tb.Fatal(err)
	}
	query := where.Query()
	schema := query.Get("search_path")
	query.Del("search_path")
	where.RawQuery = query.Encode()
	out, err := exec.Command(program, "--inserts", "--no-owner", "--schema", schema, where.String()).Output()
	if err != nil {
		tb.Fatalf("pg_dump: %v", err)
	}
	return bytes.ReplaceAll(out, []byte(schema+"."), []byte("kept."))
}

// Restore makes a schema of what Dump gave and returns its URL.
func (s *Server) Restore(tb testing.TB, dump []byte) string {
	tb.Helper()
	at := s.URL(tb)
	schema := at[strings.Index(at, "search_path=")+len("search_path="):]
	text := strings.ReplaceAll(string(dump), "kept.", schema+".")
	var lines []string
	for line := range strings.SplitSeq(text, "\n") {
		if !strings.HasPrefix(line, "CREATE SCHEMA") && !strings.HasPrefix(line, `\`) {
			lines = append(lines, line)
		}
	}
	s.Exec(tb, strings.Join(lines, "\n"))
	return at
}
