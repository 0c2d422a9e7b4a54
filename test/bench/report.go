package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"text/tabwriter"
	"time"
)

// series is a value of each round, in the order of the rounds.
type series []float64

// of picks a value of each sample.
func of[S any](samples []S, pick func(S) float64) series {
	values := make(series, 0, len(samples))
	for _, s := range samples {
		values = append(values, pick(s))
	}
	return values
}

// over divides round by round: what was measured side by side, so that what
// else the machine did in that round weighs on both.
func (s series) over(other series) series {
	values := make(series, 0, len(s))
	for n := range min(len(s), len(other)) {
		values = append(values, s[n]/other[n])
	}
	return values
}

// minus subtracts round by round.
func (s series) minus(other series) series {
	values := make(series, 0, len(s))
	for n := range min(len(s), len(other)) {
		values = append(values, s[n]-other[n])
	}
	return values
}

func (s series) times(factor float64) series {
	return of(s, func(v float64) float64 { return v * factor })
}

// median is the middle value; 0 of nothing.
func (s series) median() float64 {
	if len(s) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(s))
	return sorted[len(sorted)/2]
}

// p95 is what 95 of 100 values are below.
func (s series) p95() float64 {
	sorted := slices.Sorted(slices.Values(s))
	return sorted[len(sorted)*95/100]
}

func median[S any](samples []S, pick func(S) float64) float64 { return of(samples, pick).median() }

func rate(s sample) float64     { return s.rate() }
func endToEnd(s sample) float64 { return s.endToEnd }
func cpu(s sample) float64      { return micros(s.cpu) }
func loadCPU(s sample) float64  { return micros(s.loadCPU) }
func sinkCPU(s sample) float64  { return micros(s.sinkCPU) }
func p50(s sample) float64      { return millis(s.P50) }
func p99(s sample) float64      { return millis(s.P99) }
func rest(s sample) float64     { return megabytes(s.rest) }
func busy(s sample) float64     { return megabytes(s.load) }
func startup(s sample) float64  { return millis(s.startup) }
func disk(s sample) float64     { return float64(s.diskBytes) }

func micros(d time.Duration) float64 { return float64(d) / 1e3 }
func millis(d time.Duration) float64 { return float64(d) / 1e6 }
func megabytes(n int) float64        { return float64(n) / (1 << 20) }

// method says how the numbers below it were found.
func (b *bench) method(w io.Writer) {
	fmt.Fprintf(w, "\n%d CPUs, %d connections, %d rounds of %s, a payload of %d bytes; medians, and of ratios (lowest – highest of a round)\n\n",
		runtime.NumCPU(), b.connections, b.rounds, b.time, len(b.payload))
}

// report prints the medians, and the ratios beside what they should be.
func (b *bench) report(w io.Writer) {
	b.method(w)
	table := newSampleTable(w)
	table.row("echo", 0, b.echoes)
	for _, s := range b.all() {
		table.row(s.name, s.posts, s.samples)
	}
	table.row("Node-RED", 2, b.node)
	table.flush()
	fmt.Fprintf(w, "\none post by net/http alone, CPU: %.1f µs; over TLS %.1f µs, by HTTP/2 %.1f µs; of the whole event %.1f µs, over TLS %.1f µs\n\n",
		of(b.posts, micros).median(), of(b.postsTLS1, micros).median(), of(b.postsTLS2, micros).median(),
		of(b.forwards, micros).median(), of(b.wholeTLS1, micros).median())
	printTargets(w, b.targets())
}

// sampleTable is a table with a row for each server.
type sampleTable struct{ *tabwriter.Writer }

func newSampleTable(w io.Writer) sampleTable {
	t := sampleTable{tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)}
	fmt.Fprintln(t, "\taccepted/s\tdelivered/s\tack p50\tack p99\tCPU/event\tof the load\tof the sink\tmemory at rest\tunder load\tstart\tdisk/event\trefused\t")
	return t
}

// row prints the medians of samples, nothing where there are none.
func (t sampleTable) row(name string, posts int, samples []sample) {
	if len(samples) == 0 {
		return
	}
	of := func(pick func(sample) float64) float64 { return median(samples, pick) }
	delivered := ""
	if posts > 0 {
		delivered = fmt.Sprintf("%.0f", float64(posts)*of(endToEnd))
	}
	fmt.Fprintf(t, "%s\t%.0f\t%s\t%.2f ms\t%.2f ms\t%.1f µs\t%.1f µs\t%.1f µs\t%.0f MB\t%.0f MB\t%.0f ms\t%.0f B\t%.0f\t\n", name,
		of(rate), delivered, of(p50), of(p99), of(cpu), of(loadCPU), of(sinkCPU), of(rest), of(busy), of(startup), of(disk),
		of(func(s sample) float64 { return float64(s.Refused) }))
}

func (t sampleTable) flush() { _ = t.Flush() }

// target is one line of the targets: what was measured of it in each round, and
// its bounds, in the direction that more says.
type target struct {
	name      string
	values    series
	pass, aim float64
	more      bool // more is better
}

func (b *bench) targets() []target {
	s := b.scenarios
	echo := of(b.echoes, cpu)
	accept := of(s.accept.samples, cpu)
	delivery := func(deliver scenario) series { return of(deliver.samples, cpu).minus(accept).times(0.5) }
	targets := []target{
		{"durable accept rate / echo rate", of(s.accept.samples, rate).over(of(b.echoes, rate)), 0.25, 0.35, true},
		{"CPU of durable accept / echo", accept.over(echo), 4.5, 3.3, false},
		{"CPU of one more delivery / one post", delivery(s.deliver).over(of(b.posts, micros)), 2.0, 1.5, false},
		{"the same over TLS", delivery(s.deliverTLS1).over(of(b.postsTLS1, micros)), 1.8, 1.4, false},
		{"the same by HTTP/2", delivery(s.deliverTLS2).over(of(b.postsTLS2, micros)), 1.8, 1.4, false},
		{"CPU of forwarding an event / one post of it", of(s.forward.samples, cpu).over(of(b.forwards, micros)), 4.5, 3.5, false},
		{"the same over TLS", of(s.forwardTLS1.samples, cpu).over(of(b.wholeTLS1, micros)), 4.5, 3.5, false},
		{"ack p99 / echo p99", of(s.accept.samples, p99).over(of(b.echoes, p99)), 2.0, 1.5, false},
		{"database bytes / payload byte, 2 deliveries", of(s.deliver.samples, disk).times(1 / float64(len(b.payload))), 0.9, 0.65, false},
		{"memory at rest, MB", of(s.deliver.samples, rest), 60, 40, false},
		{"memory under load, MB", of(s.deliver.samples, busy), 100, 80, false},
		{"start to ready, ms", of(s.deliver.samples, startup), 150, 50, false},
		{"binary, stripped, MB", b.binarySize(), 45, 35, false},
	}
	if len(b.node) > 0 {
		targets = append(targets, target{
			"events per CPU second / Node-RED's",
			of(b.node, cpu).over(of(s.deliver.samples, cpu)), 8, 14, true,
		})
	}
	return targets
}

func (b *bench) binarySize() series {
	info, err := os.Stat(b.binary)
	if err != nil {
		return nil
	}
	return series{float64(info.Size()) / 1e6}
}

// printTargets prints a line for each target that was measured; it ends with
// MISSED, PASS or AIM.
func printTargets(w io.Writer, targets []target) {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "\tmeasured\t(of a round)\tpass\taim\t")
	for _, t := range targets {
		if len(t.values) == 0 {
			continue
		}
		sign, value := "≤", t.values.median()
		if t.more {
			sign = "≥"
		}
		verdict := "MISSED"
		switch {
		case t.reaches(value, t.aim):
			verdict = "AIM"
		case t.reaches(value, t.pass):
			verdict = "PASS"
		}
		fmt.Fprintf(table, "%s\t%.2f\t(%.2f – %.2f)\t%s %g\t%s %g\t%s\n",
			t.name, value, slices.Min(t.values), slices.Max(t.values), sign, t.pass, sign, t.aim, verdict)
	}
	_ = table.Flush()
}

func (t target) reaches(value, bound float64) bool {
	if t.more {
		return value >= bound
	}
	return value <= bound
}
