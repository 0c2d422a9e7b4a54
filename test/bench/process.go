package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// ticks is the unit of CPU times in /proc, in each second: USER_HZ, which is
// 100 on every Linux that Go supports (proc(5)).
const ticks = 100

// cpuTime is the CPU time that a process has used, user and system together, to
// 10 ms; 0 where it cannot be read.
func cpuTime(pid int) time.Duration {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	// The name in parentheses may hold spaces: count from its end.
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	if len(fields) < 13 {
		return 0
	}
	var sum int
	for _, field := range fields[11:13] { // utime and stime
		n, err := strconv.Atoi(field)
		if err != nil {
			return 0
		}
		sum += n
	}
	return time.Duration(sum) * time.Second / ticks
}

// memory reads a line of /proc/PID/status in bytes: VmRSS, VmHWM.
func memory(pid int, name string) int {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, name+":"); ok {
			kb, err := strconv.Atoi(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")))
			if err != nil {
				return 0
			}
			return kb << 10
		}
	}
	return 0
}

// server is a started process that listens on addr.
type server struct {
	addr string
	cmd  *exec.Cmd
	log  *bytes.Buffer
	// startup is the time from the start to the first 200 of the ready path.
	startup time.Duration
}

func bytesReader(b []byte) io.Reader { return bytes.NewReader(b) }

// freeAddr is a loopback address below port 32768, where no client ports are.
func freeAddr() (string, error) {
	for range 100 {
		addr := fmt.Sprintf("127.0.0.1:%d", 10000+rand.IntN(22000))
		ln, err := net.Listen("tcp", addr)
		if err == nil {
			return addr, ln.Close()
		}
	}
	return "", fmt.Errorf("no free port")
}

// start runs a command until stop and waits until a GET of ready gets an answer.
func start(addr, ready string, env []string, name string, args ...string) (*server, error) {
	s := &server{addr: addr, cmd: exec.Command(name, args...), log: new(bytes.Buffer)}
	s.cmd.Env = append(os.Environ(), env...)
	s.cmd.Stdout, s.cmd.Stderr = s.log, s.log
	began := time.Now()
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	client := &http.Client{Timeout: time.Second}
	for time.Since(began) < time.Minute {
		req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, "http://"+addr+ready, nil)
		if err != nil {
			return nil, err
		}
		if res, err := client.Do(req); err == nil {
			_ = res.Body.Close()
			if res.StatusCode == http.StatusOK {
				s.startup = time.Since(began)
				client.CloseIdleConnections()
				return s, nil
			}
		}
		time.Sleep(time.Millisecond)
	}
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
	return nil, fmt.Errorf("%s was not ready in time:\n%s", name, s.log)
}

// stop ends the process by SIGTERM and waits for it.
func (s *server) stop() error {
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- s.cmd.Wait() }()
	select {
	case err := <-ended:
		return err
	case <-time.After(40 * time.Second):
		_ = s.cmd.Process.Kill()
		return fmt.Errorf("%s did not end: %w", s.cmd.Path, <-ended)
	}
}

func (s *server) pid() int { return s.cmd.Process.Pid }

// load runs the load generator in a process of its own.
func load(o order) (score, error) {
	var s score
	cpu, err := child(o, &s, "load")
	s.CPU = cpu
	return s, err
}

// child runs one of this program's own parts in a process of its own, hands it
// input as JSON and reads its output into result. It returns the process's CPU
// time.
func child(input, result any, args ...string) (time.Duration, error) {
	text, err := json.Marshal(input)
	if err != nil {
		return 0, err
	}
	self, err := os.Executable()
	if err != nil {
		return 0, err
	}
	cmd := exec.Command(self, args...)
	cmd.Stdin = bytes.NewReader(text)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return 0, fmt.Errorf("%s: %w", args[0], err)
	}
	return cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), json.Unmarshal(out, result)
}

// get asks a server of this run.
func get(url string) ([]byte, error) {
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	req.SetBasicAuth("bench", password)
	res, err := (&http.Client{Timeout: 5 * time.Minute}).Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode/100 != 2 {
		err = fmt.Errorf("%s: %s: %s", url, res.Status, text)
	}
	return text, err
}

// splitAddr splits host:port; addr is one of freeAddr's.
func splitAddr(addr string) (host, port string) {
	host, port, _ = strings.Cut(addr, ":")
	return host, port
}
