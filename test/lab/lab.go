// Package lab runs the real hookgate binary for black-box tests: it builds it
// once, starts it on a free loopback port with a folder of its own, kills and
// restarts it, calls its command line, and stands on both sides of it: a Sender
// that posts events and remembers every answer, and a Sink that receives
// deliveries and can be told to misbehave.
//
// Listeners take ports below 32768, where Linux makes no client ports: else a
// connection in TIME_WAIT could take the port between two runs of a server.
package lab

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	// The tests drive a binary that they build themselves. This import tells the
	// cache of test results what it is made of.
	_ "hookgate/app/cli"
)

// Patience is how long the lab waits for what should happen soon. It is
// generous because the machine that runs the tests may be a busy one.
const Patience = 30 * time.Second

// Long reports whether the long forms of the tests are wanted (FAULTS=long).
func Long() bool { return os.Getenv("FAULTS") == "long" }

// Race reports whether the binary is built with the race detector (LAB_RACE=1):
// it takes several times the memory and the time then.
func Race() bool { return os.Getenv("LAB_RACE") != "" }

// Pick returns short, or long where the long forms are wanted.
func Pick[T any](short, long T) T {
	if Long() {
		return long
	}
	return short
}

// Need skips the test where a program is missing that it cannot do without. On
// a build server (CI is set) it fails instead: there nothing may be skipped.
func Need(tb testing.TB, names ...string) string {
	tb.Helper()
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	Skip(tb, fmt.Sprintf("none of %s is installed: run `make tools`", strings.Join(names, ", ")))
	return ""
}

// Skip skips the test for reason, or fails it where CI is set.
func Skip(tb testing.TB, reason string) {
	tb.Helper()
	if os.Getenv("CI") != "" {
		tb.Fatalf("tests may not be skipped here: %s", reason)
	}
	tb.Skip(reason)
}

// Eventually waits until ok is true and fails the test with what it waited for
// when Patience is over.
func Eventually(tb testing.TB, what string, ok func() bool) {
	tb.Helper()
	if !Within(Patience, ok) {
		tb.Fatalf("waited %s in vain: %s", Patience, what)
	}
}

// Within reports whether ok became true before the time was over. It asks often
// at first and every 20 ms later.
func Within(d time.Duration, ok func() bool) bool {
	deadline := time.Now().Add(d)
	for pause := time.Millisecond; ; pause = min(pause*2, 20*time.Millisecond) {
		if ok() {
			return true
		}
		if time.Now().After(deadline) {
			return ok()
		}
		<-time.After(pause)
	}
}

// Stays fails the test if ok turns false within d: for what must not happen.
func Stays(tb testing.TB, d time.Duration, what string, ok func() bool) {
	tb.Helper()
	if Within(d, func() bool { return !ok() }) {
		tb.Fatalf("this did not stay so for %s: %s", d, what)
	}
}

var ports struct {
	sync.Mutex
	taken map[int]bool
}

// Port returns a free loopback port below 32768 that this process has not
// handed out before.
func Port(tb testing.TB) int {
	tb.Helper()
	ports.Lock()
	defer ports.Unlock()
	if ports.taken == nil {
		ports.taken = make(map[int]bool)
	}
	for range 1000 {
		port := 10000 + rand.IntN(22000)
		if ports.taken[port] || port == 10080 { // browsers refuse that one: see port blocking in the Fetch standard
			continue
		}
		ln, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			continue
		}
		_ = ln.Close()
		ports.taken[port] = true
		return port
	}
	tb.Fatal("no free port")
	return 0
}

// Listen opens a loopback listener on a port that Port chose.
func Listen(tb testing.TB) net.Listener {
	tb.Helper()
	for range 10 {
		ln, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", Port(tb)))
		if err == nil {
			return ln
		}
	}
	tb.Fatal("no port to listen on")
	return nil
}

// Root is the repository's top folder. Tests run in a folder below it.
func Root() (string, error) {
	from, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for dir := from; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("no go.mod above %s", from)
		}
	}
}

// Fixture reads one of the samples of known senders.
func Fixture(tb testing.TB, name string) []byte {
	tb.Helper()
	root, err := Root()
	if err != nil {
		tb.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(root, "app", "ingest", "samples", "files", name))
	if err != nil {
		tb.Fatal(err)
	}
	return data
}
