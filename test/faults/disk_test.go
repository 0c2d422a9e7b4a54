package faults

import (
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	_ "github.com/mattn/go-sqlite3" // the tests look into the database as an outsider

	"hookgate/test/lab"
)

// big is an event with so many bytes beside its number.
func big(size int) func(n int) []byte {
	return func(n int) []byte {
		return fmt.Appendf(nil, `{"type":"numbered","n":%d,"key":"k","pad":"%s"}`, n, incompressible(n, size))
	}
}

// incompressible is text that compression does not make much smaller.
func incompressible(seed, size int) string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	text := make([]byte, size)
	x := uint64(seed)*0x9E3779B97F4A7C15 + 1
	for i := range text {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		text[i] = letters[x%64]
	}
	return string(text)
}

// fill writes a file until the file system is full.
func fill(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for size := 1 << 20; size > 0; {
		if _, err := f.Write(make([]byte, size)); err != nil {
			if !errors.Is(err, syscall.ENOSPC) {
				t.Fatal(err)
			}
			size /= 2
		}
	}
}

// TestDiskFull fills the file system under the database and frees it again:
// 503 with Retry-After while it is full, never a 2xx, and work goes on without
// a restart within 30 s.
//
// Negative control: intake answers before the commit. Then no refusal comes. And:
// an error of the commit is answered with 500.
//
// Promise: P12.
func TestDiskFull(t *testing.T) {
	if os.Getuid() != 0 {
		lab.Skip(t, "a tmpfs can be mounted by root only")
	}
	sink := lab.NewSink(t, nil)
	g := lab.New(t, numbered(sink.URL))
	disk := filepath.Join(g.Dir, "disk")
	if err := os.Mkdir(disk, 0o700); err != nil {
		t.Fatal(err)
	}
	// Room for all the cycles: the log is copied and begun anew at 16 MB only.
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, lab.Pick("size=8m", "size=64m")); err != nil {
		lab.Skip(t, "tmpfs: "+err.Error())
	}
	t.Cleanup(func() {
		g.Kill()
		_ = syscall.Unmount(disk, syscall.MNT_DETACH)
	})
	g.Storage = filepath.Join(disk, "h.db")
	g.Start()
	sender := lab.NewSender(t, g.URL+inPath, big(4000))
	post := func() int { return sender.Post(t.Context()).Status }

	for cycle := range lab.Pick(5, 50) {
		for range 10 {
			if status := post(); status != http.StatusAccepted {
				t.Fatalf("cycle %d: status %d before the disk is full", cycle, status)
			}
		}
		filler := filepath.Join(disk, "filler")
		fill(t, filler)
		// Room that the database had taken already may be used up first: that is honest.
		lab.Eventually(t, "the first refusal", func() bool { return post() != http.StatusAccepted })
		for range 20 {
			r := g.PostJSON(inPath, big(4000)(-1))
			if r.Status != http.StatusServiceUnavailable || r.Header.Get("Retry-After") == "" {
				t.Fatalf("cycle %d: status %d, Retry-After %q while the disk is full, want 503 with Retry-After: %s",
					cycle, r.Status, r.Header.Get("Retry-After"), r.Body)
			}
		}
		lab.Eventually(t, "/readyz says 503 while the disk is full", func() bool { return g.Probe("/readyz") == http.StatusServiceUnavailable })
		if err := os.Remove(filler); err != nil {
			t.Fatal(err)
		}
		freed := time.Now()
		lab.Eventually(t, "it accepts again", func() bool { return post() == http.StatusAccepted })
		t.Logf("cycle %d: it accepted again after %s", cycle, time.Since(freed).Round(time.Millisecond))
	}
	lab.AwaitAll(t, sender, sink, lab.Patience)
	if code := g.Stop(); code != 0 {
		t.Errorf("exit status %d, want 0", code)
	}
	integrity(t, g.Storage)
}

// integrity lets SQLite check the whole database.
func integrity(t *testing.T, path string) {
	t.Helper()
	db, err := sql.Open("sqlite3", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var verdict string
	if err := db.QueryRow("PRAGMA integrity_check").Scan(&verdict); err != nil || verdict != "ok" {
		t.Errorf("integrity_check says %q, %v", verdict, err)
	}
}

// TestLocked lets another process's transaction hold the database: a bounded
// wait, then 503 and never 500, and no event is kept in part.
//
// Negative control: an error of the commit is answered with 500.
//
// Promise: P14.
func TestLocked(t *testing.T) {
	t.Parallel()
	sink := lab.NewSink(t, nil)
	g := lab.Start(t, numbered(sink.URL))
	sender := lab.NewSender(t, g.URL+inPath, lab.Payload(1))
	if s := sender.Post(t.Context()); s.Status != http.StatusAccepted {
		t.Fatalf("status %d", s.Status)
	}
	sink.Await(t, 1)

	db, err := sql.Open("sqlite3", "file:"+g.Storage+"?_busy_timeout=5000")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.ExecContext(t.Context(), "BEGIN EXCLUSIVE"); err != nil {
		t.Fatalf("the lock: %v", err)
	}
	began := time.Now()
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			r := g.PostJSON(inPath, lab.Payload(1)(-1))
			if r.Status != http.StatusServiceUnavailable || r.Header.Get("Retry-After") == "" {
				t.Errorf("status %d, Retry-After %q, want 503 with Retry-After: %s", r.Status, r.Header.Get("Retry-After"), r.Body)
			}
		})
	}
	wg.Wait()
	if waited := time.Since(began); waited > 20*time.Second {
		t.Errorf("the answers took %s, want a bounded wait", waited)
	}
	if _, err := conn.ExecContext(t.Context(), "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	lab.Eventually(t, "it accepts again", func() bool { return sender.Post(t.Context()).Status == http.StatusAccepted })
	lab.AwaitAll(t, sender, sink, lab.Patience)
	if got, want := len(g.Events("--limit", "100")), sender.AcknowledgedCount(); got != want {
		t.Errorf("%d events are kept, want the %d acknowledged ones", got, want)
	}
}

// strace is the command that runs the gate and injects faults into its calls.
func strace(t *testing.T, log string, inject ...string) []string {
	t.Helper()
	args := []string{lab.Need(t, "strace"), "-f", "-q", "-o", log, "-e", "trace=fsync,fdatasync,pwrite64", "-e", "signal=none"}
	for _, rule := range inject {
		args = append(args, "-e", "inject="+rule)
	}
	return args
}

// calls counts system calls in a log of strace: all, and of the busiest thread,
// for strace counts injections by thread.
func calls(t *testing.T, log, name string) (all, busiest int) {
	t.Helper()
	text, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	threads := make(map[string]int)
	for line := range strings.Lines(string(text)) {
		if thread, call, ok := strings.Cut(line, " "); ok && strings.HasPrefix(strings.TrimSpace(call), name+"(") {
			threads[thread]++
			all++
			busiest = max(busiest, threads[thread])
		}
	}
	return all, busiest
}

// TestFsyncError lets every sync fail from some point on: what is on the disk
// is unknown then, so the process stops acknowledging and ends with an error.
// A restart delivers all that was acknowledged.
//
// Negative control: after such an error the process goes on. Then events were
// acknowledged after it.
//
// Promise: P13.
func TestFsyncError(t *testing.T) {
	t.Parallel()
	sink := lab.NewSink(t, nil)
	g := lab.New(t, numbered(sink.URL))
	log := filepath.Join(g.Dir, "strace.log")
	g.Wrap = strace(t, log)
	g.Start()
	var inject []string
	for _, call := range syncs {
		// One thread of the second start may make all the calls that several
		// made in the first, and the probes of both differ in number.
		if all, _ := calls(t, log, call); all > 0 {
			inject = append(inject, fmt.Sprintf("%s:error=EIO:when=%d+", call, 2*all+6))
		}
	}
	if inject == nil {
		t.Fatal("the start made no sync")
	}
	g.Stop()

	g = lab.New(t, numbered(sink.URL))
	g.Wrap = strace(t, filepath.Join(g.Dir, "strace.log"), inject...)
	g.Start()
	sender := lab.NewSender(t, g.URL+inPath, lab.Payload(1))
	failed := time.Time{}
	lab.Eventually(t, "the process ends", func() bool {
		if g.Ended() {
			return true
		}
		sent := sender.Post(t.Context())
		if sent.Status != http.StatusAccepted && failed.IsZero() {
			failed = time.Now()
		}
		if sent.Status == http.StatusAccepted && !failed.IsZero() {
			t.Errorf("event %d was acknowledged after a sync had failed", sent.N)
		}
		return false
	})
	if code := g.Wait(lab.Patience); code == 0 {
		t.Errorf("exit status %d, want an error", code)
	}
	if took := time.Since(failed); !failed.IsZero() && took > 5*time.Second {
		t.Errorf("it ended %s after the first refusal", took)
	}
	t.Logf("%d acknowledged before the error; stderr ends: %s", sender.AcknowledgedCount(), lab.Tail(g.Stderr(), 1))
	g.Wrap = nil
	g.Start()
	lab.AwaitAll(t, sender, sink, lab.Patience)
}
