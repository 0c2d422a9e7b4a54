package main

import (
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// median is the middle value that pick finds in the samples; 0 without samples.
func median[S any](samples []S, pick func(S) float64) float64 {
	if len(samples) == 0 {
		return 0
	}
	values := make([]float64, 0, len(samples))
	for _, s := range samples {
		values = append(values, pick(s))
	}
	slices.Sort(values)
	return values[len(values)/2]
}

func rate(s sample) float64     { return s.rate() }
func endToEnd(s sample) float64 { return s.endToEnd }
func cpu(s sample) float64      { return float64(s.cpu) / 1000 } // µs
func loadCPU(s sample) float64  { return float64(s.loadCPU) / 1000 }
func sinkCPU(s sample) float64  { return float64(s.sinkCPU) / 1000 }
func p50(s sample) float64      { return float64(s.P50) / 1e6 } // ms
func p99(s sample) float64      { return float64(s.P99) / 1e6 }
func rest(s sample) float64     { return float64(s.rest) / (1 << 20) } // MB
func busy(s sample) float64     { return float64(s.load) / (1 << 20) }
func startup(s sample) float64  { return float64(s.startup) / 1e6 }
func disk(s sample) float64     { return float64(s.diskBytes) }

// report prints the medians, and the ratios beside what they should be.
func (b *bench) report(w io.Writer) {
	fmt.Fprintf(w, "\n%d CPUs, %d connections, %d rounds of %s, a payload of %d bytes, medians\n\n",
		runtime.NumCPU(), b.connections, b.rounds, b.time, len(b.payload))
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "\taccepted/s\tdelivered/s\tack p50\tack p99\tCPU/event\tof the load\tof the sink\tmemory at rest\tunder load\tstart\trefused\t")
	for _, row := range []struct {
		name    string
		samples []sample
	}{
		{"echo", b.echoes},
		{"accept", b.accepts},
		{"deliver", b.delivers},
		{"after history", b.after},
		{"Node-RED", b.node},
	} {
		if len(row.samples) == 0 {
			continue
		}
		delivered := ""
		if row.name == "deliver" || row.name == "Node-RED" {
			delivered = fmt.Sprintf("%.0f", 2*median(row.samples, endToEnd))
		}
		fmt.Fprintf(table, "%s\t%.0f\t%s\t%.2f ms\t%.2f ms\t%.1f µs\t%.1f µs\t%.1f µs\t%.0f MB\t%.0f MB\t%.0f ms\t%.0f\t\n", row.name,
			median(row.samples, rate), delivered, median(row.samples, p50), median(row.samples, p99), median(row.samples, cpu), median(row.samples, loadCPU), median(row.samples, sinkCPU),
			median(row.samples, rest), median(row.samples, busy), median(row.samples, startup),
			median(row.samples, func(s sample) float64 { return float64(s.Refused) }))
	}
	_ = table.Flush()
	posts := median(b.posts, func(d time.Duration) float64 { return float64(d) / 1000 })
	fmt.Fprintf(w, "\none post by the connectors' client: %.1f µs of CPU\n", posts)
	fmt.Fprintf(w, "database: %.0f bytes for each event with two deliveries\n\n", median(b.delivers, disk))
	b.ratios(w, posts)
}

// target is one line of the targets: a value and its bounds, in the direction
// that more says.
type target struct {
	name      string
	value     float64
	pass, aim float64
	more      bool // more is better
}

func (b *bench) ratios(w io.Writer, posts float64) {
	echoRate, echoCPU := median(b.echoes, rate), median(b.echoes, cpu)
	targets := []target{
		{"durable accept rate / echo rate", median(b.accepts, rate) / echoRate, 0.25, 0.35, true},
		{"CPU of durable accept / echo", median(b.accepts, cpu) / echoCPU, 4.5, 3.3, false},
		{"CPU of accept + deliver / (echo + one post)", median(b.delivers, cpu) / (echoCPU + posts), 3.0, 2.3, false},
		{"end-to-end rate / accept-only rate", median(b.delivers, endToEnd) / median(b.accepts, rate), 0.45, 0.65, true},
		{"ack p99 / echo p99", median(b.accepts, p99) / median(b.echoes, p99), 2.5, 1.5, false},
		{"database bytes / payload byte, 2 deliveries", median(b.delivers, disk) / float64(len(b.payload)), 1.3, 0.65, false},
		{"memory at rest, MB", median(b.delivers, rest), 100, 100, false},
		{"memory under load, MB", median(b.delivers, busy), 100, 100, false},
		{"start to ready, ms", median(b.delivers, startup), 150, 150, false},
	}
	if len(b.after) > 0 {
		targets = append(targets, target{
			fmt.Sprintf("insert CPU with %d events / empty", b.history),
			median(b.after, cpu) / median(b.accepts, cpu), 1.2, 1.0, false,
		})
	}
	if len(b.node) > 0 {
		targets = append(targets, target{
			"events per CPU second / Node-RED's",
			median(b.node, cpu) / median(b.delivers, cpu), 8, 14, true,
		})
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "\tmeasured\tpass\taim\t")
	for _, t := range targets {
		sign, verdict := "≤", "missed"
		if t.more {
			sign = "≥"
		}
		reaches := func(bound float64) bool { return t.more && t.value >= bound || !t.more && t.value <= bound }
		switch {
		case reaches(t.aim):
			verdict = "aim"
		case reaches(t.pass):
			verdict = "pass"
		}
		fmt.Fprintf(table, "%s\t%.2f\t%s %g\t%s %g\t%s\n", t.name, t.value, sign, t.pass, sign, t.aim, strings.ToUpper(verdict))
	}
	_ = table.Flush()
}
