package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"text/tabwriter"
	"time"

	"hookgate/test/pgtest"
)

// replicaSample is one measurement of replicas on a PostgreSQL server.
type replicaSample struct {
	sample   // cpu is that of all replicas together
	replicas int
	deliver  bool
	server   time.Duration // CPU for each event, of PostgreSQL
	log      int64         // bytes that it wrote ahead for each event
}

// runReplicas measures replicas and reports them.
func (b *bench) runReplicas(w io.Writer) error {
	samples, err := b.measureReplicas()
	if err != nil {
		return err
	}
	return b.reportReplicas(w, samples)
}

// measureReplicas takes all samples with PostgreSQL, the numbers of replicas in turns.
func (b *bench) measureReplicas() (samples []replicaSample, err error) {
	database, err := pgtest.Run()
	if err != nil {
		return nil, err
	}
	defer database.End()
	for round := range b.rounds {
		fmt.Fprintf(os.Stderr, "round %d of %d\n", round+1, b.rounds)
		for n := 1; n <= b.replicas; n++ {
			for _, deliver := range []bool{false, true} {
				got, err := b.sampleReplicas(database, n, deliver)
				if err != nil {
					return nil, fmt.Errorf("%d replicas: %w", n, err)
				}
				samples = append(samples, got)
			}
		}
	}
	return samples, nil
}

func (b *bench) sampleReplicas(database *pgtest.Server, n int, deliver bool) (got replicaSample, err error) {
	ctx := context.Background()
	got.replicas, got.deliver = n, deliver
	url, err := database.Schema(ctx)
	if err != nil {
		return got, err
	}
	var gates []*server
	defer func() {
		for _, g := range gates {
			err = errors.Join(err, g.stop())
		}
	}()
	scenario := b.accept
	if deliver {
		scenario = b.deliver
	}
	o := b.order("", "/in/sitejet/"+token)
	for range n {
		g, err := b.startGate(fmt.Sprintf("url: %q", url), scenario.rules(b.sink))
		if err != nil {
			return got, err
		}
		gates = append(gates, g.server)
		o.Also = append(o.Also, g.addr)
	}
	o.Addr, o.Also = o.Also[0], o.Also[1:]
	err = b.loadReplicas(database, gates, o, url, &got)
	return got, err
}

// loadReplicas loads the gates and fills in what that cost.
func (b *bench) loadReplicas(database *pgtest.Server, gates []*server, o order, url string, got *replicaSample) error {
	ctx := context.Background()
	const written = `SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint`
	log, err := pgtest.Ask(ctx, url, written)
	if err != nil {
		return err
	}
	before, err := b.sink.count()
	if err != nil {
		return err
	}
	used := func() (sum time.Duration) {
		for _, g := range gates {
			sum += cpuTime(g.pid())
		}
		return sum
	}
	cpu, sink, serverCPU, began := used(), cpuTime(b.sink.pid()), database.CPU(), time.Now()
	if got.score, err = load(o); err != nil {
		return err
	}
	if got.Accepted == 0 {
		return fmt.Errorf("nothing was accepted:\n%s", gates[0].log)
	}
	if got.deliver {
		if err := b.sink.await(before+2*got.Accepted, time.Minute); err != nil {
			return err
		}
	}
	events := time.Duration(got.Accepted)
	got.endToEnd = float64(got.Accepted) / time.Since(began).Seconds()
	got.cpu, got.server = (used()-cpu)/events, (database.CPU()-serverCPU)/events
	got.loadCPU, got.sinkCPU = got.CPU/events, (cpuTime(b.sink.pid())-sink)/events
	end, err := pgtest.Ask(ctx, url, written)
	if err != nil {
		return err
	}
	got.log = (end - log) / int64(got.Accepted)
	size, err := pgtest.Ask(ctx, url, `SELECT sum(pg_total_relation_size(c.oid))::bigint FROM pg_class c
		JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'r' AND n.nspname = current_schema()`)
	got.diskBytes = size / int64(got.Accepted)
	return err
}

// reportReplicas prints the medians, the rates with the lowest and the highest.
func (b *bench) reportReplicas(w io.Writer, all []replicaSample) error {
	fmt.Fprintf(w, "\n%d CPUs, %d connections, %d rounds of %s, a payload of %d bytes, medians, (lowest – highest)\n\n",
		runtime.NumCPU(), b.connections, b.rounds, b.time, len(b.payload))
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "replicas\t\tevents/s\t\tack p50\tack p99\tCPU/event\tof PostgreSQL\tof the load\tof the sink\tWAL/event\tdisk/event\trefused\t")
	for _, deliver := range []bool{false, true} {
		for n := 1; n <= b.replicas; n++ {
			var samples []replicaSample
			for _, s := range all {
				if s.replicas == n && s.deliver == deliver {
					samples = append(samples, s)
				}
			}
			name, rate := "accept", func(s replicaSample) float64 { return s.rate() }
			if deliver {
				name, rate = "deliver", func(s replicaSample) float64 { return s.endToEnd }
			}
			of := func(pick func(replicaSample) float64) float64 { return median(samples, pick) }
			low := slices.MinFunc(samples, func(a, b replicaSample) int { return int(rate(a) - rate(b)) })
			high := slices.MaxFunc(samples, func(a, b replicaSample) int { return int(rate(a) - rate(b)) })
			fmt.Fprintf(table, "%d\t%s\t%.0f\t(%.0f – %.0f)\t%.1f ms\t%.1f ms\t%.1f µs\t%.1f µs\t%.1f µs\t%.1f µs\t%.0f B\t%.0f B\t%.0f\t\n", n, name, of(rate), rate(low), rate(high),
				of(func(s replicaSample) float64 { return p50(s.sample) }), of(func(s replicaSample) float64 { return p99(s.sample) }),
				of(func(s replicaSample) float64 { return cpu(s.sample) }), of(func(s replicaSample) float64 { return float64(s.server) / 1000 }),
				of(func(s replicaSample) float64 { return loadCPU(s.sample) }), of(func(s replicaSample) float64 { return sinkCPU(s.sample) }),
				of(func(s replicaSample) float64 { return float64(s.log) }), of(func(s replicaSample) float64 { return disk(s.sample) }),
				of(func(s replicaSample) float64 { return float64(s.Refused) }))
		}
	}
	return table.Flush()
}
