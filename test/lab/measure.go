package lab

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// CPU is the processor's time that f takes on its own goroutine. On a machine
// that is busy with others it says what time by the clock does not.
func CPU(f func()) time.Duration {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	before := threadTime()
	f()
	return threadTime() - before
}

func threadTime() time.Duration {
	const thread = 1 // RUSAGE_THREAD of Linux
	var used syscall.Rusage
	if err := syscall.Getrusage(thread, &used); err != nil {
		panic("the kernel does not tell the time of a thread: " + err.Error())
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// Measure is what a test saw: a row of the table that make faults prints.
type Measure struct {
	Kills, Events, Lost, Duplicates, Inversions int
	Pause                                       time.Duration // the longest without an acknowledgement
	Peak                                        int           // bytes of resident memory
}

var measures = struct {
	sync.Mutex
	of map[string]*Measure
}{of: map[string]*Measure{}}

// Note adds to what the test has seen; parts of a test add to one row.
func Note(tb testing.TB, add func(*Measure)) {
	name, _, _ := strings.Cut(tb.Name(), "/")
	measures.Lock()
	defer measures.Unlock()
	m := measures.of[name]
	if m == nil {
		m = &Measure{}
		measures.of[name] = m
	}
	add(m)
}

// Table is what the tests saw so far, in Markdown.
func Table() string {
	measures.Lock()
	defer measures.Unlock()
	names := make([]string, 0, len(measures.of))
	for name := range measures.of {
		names = append(names, name)
	}
	slices.Sort(names)
	var b strings.Builder
	b.WriteString("| test | kills | events | lost | duplicates | inversions | longest pause | peak memory |\n|---|---|---|---|---|---|---|---|\n")
	for _, name := range names {
		m := measures.of[name]
		pause, peak := "", ""
		if m.Pause > 0 {
			pause = m.Pause.Round(time.Millisecond).String()
		}
		if m.Peak > 0 {
			peak = strconv.Itoa(m.Peak>>20) + " MB"
		}
		fmt.Fprintf(&b, "| `%s` | %d | %d | %d | %d | %d | %s | %s |\n", name, m.Kills, m.Events, m.Lost, m.Duplicates, m.Inversions, pause, peak)
	}
	return b.String()
}

// longestPause is the longest time between two acknowledgements in a row.
func longestPause(ledger []Sent) time.Duration {
	var times []time.Time
	for _, e := range ledger {
		if e.Status/100 == 2 {
			times = append(times, e.At.Add(e.Took))
		}
	}
	slices.SortFunc(times, time.Time.Compare)
	var longest time.Duration
	for i := 1; i < len(times); i++ {
		longest = max(longest, times[i].Sub(times[i-1]))
	}
	return longest
}

// Peak is the most memory in bytes that was resident in the running gate so far;
// 0 where that cannot be told.
func (g *Gate) Peak() int {
	if g.process == nil || len(g.Wrap) > 0 {
		return 0
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", g.PID()))
	if err != nil {
		return 0
	}
	for line := range bytes.Lines(text) {
		if rest, found := bytes.CutPrefix(line, []byte("VmHWM:")); found {
			kb, _ := strconv.Atoi(string(bytes.TrimSpace(bytes.TrimSuffix(bytes.TrimSpace(rest), []byte("kB")))))
			return kb << 10
		}
	}
	return 0
}

// measured notes the gate's memory, and its end by force.
func (g *Gate) measured(killed bool) {
	if g.process == nil || g.Ended() {
		return
	}
	peak := g.Peak()
	Note(g.tb, func(m *Measure) {
		m.Peak = max(m.Peak, peak)
		if killed {
			m.Kills++
		}
	})
}
