// Package rabbittest runs RabbitMQ for tests: a node of its own in a temporary
// folder, on free loopback ports, with the system's programs.
package rabbittest

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"hookgate/test/lab"
)

// Server is a running node.
type Server struct {
	Address string // host:port; the user is guest with the password guest

	dir     string
	process *exec.Cmd
	stdin   interface{ Close() error }
}

var shared struct {
	once   sync.Once
	server *Server
	err    error
}

// Main runs the tests of a package and stops the shared node afterwards.
func Main(m *testing.M) int {
	defer func() {
		if shared.server != nil {
			shared.server.end()
		}
	}()
	return m.Run()
}

// Shared is the node of this test process. Where RabbitMQ is not installed the
// test is skipped; on a build server it fails.
func Shared(tb testing.TB) *Server {
	tb.Helper()
	program := program()
	if program == "" {
		lab.Skip(tb, "RabbitMQ is not installed: run `make tools`")
	}
	ports := []int{lab.Port(tb), lab.Port(tb), lab.Port(tb)}
	shared.once.Do(func() { shared.server, shared.err = start(program, ports) })
	if shared.err != nil {
		tb.Fatal(shared.err)
	}
	return shared.server
}

// program is the server's own script: that in /usr/sbin wants to be root.
func program() string {
	found, _ := filepath.Glob("/usr/lib/rabbitmq/lib/*/sbin/rabbitmq-server")
	if len(found) == 0 {
		return ""
	}
	return found[len(found)-1]
}

// start runs a node: ports are of AMQP, of Erlang's port mapper, and of its
// distribution, which is all that would be reachable from elsewhere.
func start(program string, ports []int) (*Server, error) {
	dir, err := os.MkdirTemp("", "hgmq")
	if err != nil {
		return nil, err
	}
	s := &Server{dir: dir, Address: net.JoinHostPort("127.0.0.1", strconv.Itoa(ports[0]))}
	config := fmt.Sprintf("listeners.tcp.1 = %s\nloopback_users = none\nlog.file.level = error\nvm_memory_high_watermark.relative = 0.9\ndisk_free_limit.absolute = 1MB\n", s.Address)
	for name, text := range map[string]string{"rabbitmq.conf": config, "plugins": "[].\n", "env.conf": "\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return nil, err
		}
	}
	// A shell beside it ends it when the test process is gone, however it went:
	// then the shell's input ends. The port mapper is in no group of ours, and
	// ends once it knows of no node.
	const guard = `port=$1; shift
		"$@" </dev/null &
		read -r _
		trap '' TERM
		kill -TERM -$$
		wait
		epmd -port "$port" -kill`
	cmd := exec.Command("/bin/sh", "-c", guard, "sh", strconv.Itoa(ports[1]), program)
	cmd.Dir = dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "LC_ALL=C.UTF-8",
		"RABBITMQ_NODENAME=hookgate" + strconv.Itoa(ports[0]) + "@localhost", "RABBITMQ_CONF_ENV_FILE=" + filepath.Join(dir, "env.conf"),
		"RABBITMQ_CONFIG_FILE=" + filepath.Join(dir, "rabbitmq.conf"), "RABBITMQ_ENABLED_PLUGINS_FILE=" + filepath.Join(dir, "plugins"),
		"RABBITMQ_MNESIA_BASE=" + dir, "RABBITMQ_LOG_BASE=" + dir, "RABBITMQ_GENERATED_CONFIG_DIR=" + filepath.Join(dir, "generated"),
		"RABBITMQ_DIST_PORT=" + strconv.Itoa(ports[2]), "ERL_EPMD_PORT=" + strconv.Itoa(ports[1]), "ERL_EPMD_ADDRESS=127.0.0.1",
		"RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=-kernel inet_dist_use_interface {127,0,0,1} +S 1:1 +sbwt none",
	}
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	if s.stdin, err = cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	s.process = cmd
	if !lab.Within(3*lab.Patience, func() bool { <-time.After(100 * time.Millisecond); return s.answers() }) {
		text, _ := os.ReadFile(filepath.Join(dir, "log"))
		s.end()
		return nil, errors.New("RabbitMQ did not start:\n" + strings.TrimSpace(string(text)))
	}
	return s, nil
}

func (s *Server) answers() bool {
	conn, err := amqp.Dial("amqp://guest:guest@" + s.Address + "/")
	if err != nil {
		return false
	}
	return conn.Close() == nil
}

// end stops the node and its port mapper, and removes what they left.
func (s *Server) end() {
	_ = s.stdin.Close()
	_ = s.process.Wait()
	_ = os.RemoveAll(s.dir)
}
