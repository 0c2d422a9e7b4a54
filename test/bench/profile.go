package main

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/google/pprof/profile"
)

// runProfile measures each scenario with a hookgate that writes a profile of
// its CPU time into the folder b.profile, and prints what an event's CPU time
// goes to. `go tool pprof` reads the files.
func (b *bench) runProfile(w io.Writer) error {
	b.binary = filepath.Join(b.dir, "profiled")
	if out, err := exec.Command("go", "build", "-o", b.binary, "./test/bench/profiled").CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w\n%s", err, out)
	}
	if err := os.MkdirAll(b.profile, 0o755); err != nil {
		return err
	}
	b.method(w)
	for _, s := range b.all() {
		path := filepath.Join(b.profile, strings.NewReplacer(", ", "-", "/", "").Replace(s.name)+".prof")
		if err := os.Setenv("HOOKGATE_PROFILE", path); err != nil {
			return err
		}
		for range b.rounds { // the profile is of the last one
			if err := b.measure(s); err != nil {
				return fmt.Errorf("%s: %w", s.name, err)
			}
		}
		shares, err := readShares(path)
		if err != nil {
			return err
		}
		shares.print(w, s.name, s.samples[len(s.samples)-1].cpu)
	}
	return nil
}

// subject is what CPU time is said to go to: that of the innermost function of
// a stack whose name begins with one of the prefixes.
type subject struct {
	name     string
	prefixes []string
}

// subjects are asked in this order for each function, from the innermost on.
var subjects = []subject{
	{"system calls of the network", []string{"internal/poll.", "net.(*netFD)", "syscall.", "internal/runtime/syscall.", "internal/runtime/netpoll", "runtime.netpoll"}},
	{"SQLite", []string{"runtime.cgocall", "runtime.cgoCheck", "github.com/mattn/go-sqlite3."}},
	{"memory: allocation and collection", []string{"runtime.mallocgc", "runtime.newobject", "runtime.growslice", "runtime.gc", "runtime.bgsweep", "runtime.bgscavenge", "runtime.makeslice", "runtime.(*mheap)", "runtime.(*mcache)", "runtime.(*mcentral)", "runtime.wbBuf", "runtime.bulkBarrier"}},
	{"scheduler", []string{"runtime.schedule", "runtime.findRunnable", "runtime.park_m", "runtime.mcall", "runtime.mstart", "runtime.sysmon", "runtime.goready", "runtime.ready", "runtime.gopark", "runtime.goexit0", "runtime.newproc", "runtime.selectgo", "runtime.chan", "runtime.systemstack", "runtime.futex", "runtime.notewakeup", "runtime.exitsyscall", "runtime.entersyscall", "runtime.reentersyscall", "runtime.morestack"}},
	{"signatures and TLS", []string{"crypto/"}},
	{"receiving HTTP (fiber, fasthttp)", []string{"github.com/valyala/fasthttp", "github.com/gofiber/fiber", "hookgate/app/web"}},
	{"accepting: limits, decisions, commit", []string{"hookgate/app/ingest"}},
	{"reading JSON", []string{"hookgate/internal/jsondoc.", "hookgate/internal/body.", "encoding/json.", "hookgate/event."}},
	{"rules and outputs", []string{"hookgate/rules", "github.com/expr-lang/expr"}},
	{"store, in Go", []string{"hookgate/db", "database/sql."}},
	{"posting: net/http", []string{"net/http.", "net/textproto.", "net/url."}},
	{"posting: connectors", []string{"hookgate/connectors"}},
	{"delivering: lanes, results", []string{"hookgate/app/deliver"}},
	{"the rest of hookgate", []string{"hookgate/"}},
}

// shares is CPU time by subject.
type shares map[string]time.Duration

const elsewhere = "elsewhere"

// readShares reads a profile of CPU time.
func readShares(path string) (shares, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	p, err := profile.Parse(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	sum := shares{}
	for _, s := range p.Sample {
		sum[subjectOf(s)] += time.Duration(s.Value[len(s.Value)-1])
	}
	return sum, nil
}

func subjectOf(s *profile.Sample) string {
	for _, at := range s.Location {
		for _, line := range at.Line {
			for _, subject := range subjects {
				if slices.ContainsFunc(subject.prefixes, func(prefix string) bool { return strings.HasPrefix(line.Function.Name, prefix) }) {
					return subject.name
				}
			}
		}
	}
	return elsewhere
}

// print prints the shares of an event's CPU time, the largest first.
func (s shares) print(w io.Writer, name string, event time.Duration) {
	var all time.Duration
	names := make([]string, 0, len(s))
	for subject, used := range s {
		all += used
		names = append(names, subject)
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Compare(s[b], s[a]) })
	fmt.Fprintf(w, "%s: %.1f µs an event\n", name, micros(event))
	for _, subject := range names {
		share := float64(s[subject]) / float64(all)
		fmt.Fprintf(w, "  %5.1f %%  %6.1f µs  %s\n", 100*share, share*micros(event), subject)
	}
	fmt.Fprintln(w)
}
