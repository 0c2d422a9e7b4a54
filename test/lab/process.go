package lab

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// process is one run of the program.
type process struct {
	cmd    *exec.Cmd
	done   chan struct{} // closed when it has ended
	err    error         // of Wait; read after done
	killed atomic.Bool
}

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
	g.measured(true)
	g.kill()
}

func (g *Gate) kill() {
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

// Pause stops the process where it is, with SIGSTOP, and returns when all of
// its threads stand still: until then the others go on, for as long as the one
// that has the signal waits for a processor. Signal(syscall.SIGCONT) wakes it.
func (g *Gate) Pause() {
	g.tb.Helper()
	g.Signal(syscall.SIGSTOP)
	Eventually(g.tb, "the process is stopped", func() bool {
		threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", g.PID()))
		running := slices.ContainsFunc(threads, func(path string) bool {
			text, err := os.ReadFile(path)
			_, state, _ := strings.Cut(string(text), ") ") // of "PID (name) state …"
			return err == nil && !strings.HasPrefix(state, "T")
		})
		return len(threads) > 0 && !running
	})
}

// Stop sends SIGTERM, waits for the end and returns the exit status.
func (g *Gate) Stop() int {
	g.tb.Helper()
	g.measured(false)
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
