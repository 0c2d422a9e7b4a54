package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// bench is one run of the benchmark.
type bench struct {
	options
	*scenarios
	echo, dir string // the echo's program; a folder for everything
	payload   []byte
	sink      *receiver

	echoes, node                          []sample
	posts, postsTLS1, postsTLS2, forwards []time.Duration // CPU of a bare post: small, over TLS, HTTP/2; of the whole event
	wholeTLS1                             []time.Duration // of the whole event over TLS
}

// sample is one measurement of one server.
type sample struct {
	score
	cpu       time.Duration // for each event, of the server
	loadCPU   time.Duration // for each event, of the load generator
	sinkCPU   time.Duration // for each event, of the receiver
	endToEnd  float64       // events a second until the last was delivered
	rest      int           // resident bytes before the load
	load      int           // the highest resident bytes
	startup   time.Duration
	diskBytes int64 // of the database for each event
}

// runUsual takes all samples, the servers in turns, and reports them.
func (b *bench) runUsual(w io.Writer) error {
	for round := range b.rounds {
		fmt.Fprintf(os.Stderr, "round %d of %d\n", round+1, b.rounds)
		if err := b.measureEcho(); err != nil {
			return err
		}
		if err := b.measurePosts(); err != nil {
			return err
		}
		for _, s := range b.all() {
			if err := b.measure(s); err != nil {
				return fmt.Errorf("%s: %w", s.name, err)
			}
		}
	}
	if b.nodeRED != "off" {
		if err := b.measureNodeRED(); err != nil {
			fmt.Fprintln(os.Stderr, "Node-RED is left out:", err)
		}
	}
	b.report(w)
	return nil
}

func (b *bench) order(addr, path string) order {
	return order{Addr: addr, Path: path, Body: b.payload, Connections: b.connections, Duration: b.time}
}

func (b *bench) measureEcho() error {
	addr, err := freeAddr()
	if err != nil {
		return err
	}
	s, err := start(addr, "/readyz", nil, b.echo, addr)
	if err != nil {
		return err
	}
	defer func() { _ = s.stop() }()
	got, err := b.sample(s, b.order(addr, "/in"), 0)
	b.echoes = append(b.echoes, got)
	return err
}

// barePosts is how many posts are made to measure one. A hundredth of a second
// is what CPU times are counted in.
const barePosts = 20_000

func (b *bench) measurePosts() error {
	small := b.payload[:0:0]
	for range 120 { // about what a delivery of the 20 rules posts
		small = append(small, 'x')
	}
	for _, m := range []struct {
		way  string
		body []byte
		to   *[]time.Duration
	}{
		{plain, small, &b.posts},
		{overTLS1, small, &b.postsTLS1},
		{overTLS2, small, &b.postsTLS2},
		{plain, b.payload, &b.forwards},
		{overTLS1, b.payload, &b.wholeTLS1},
	} {
		used, err := measureBare(bare{URL: b.sink.url(m.way, "/post"), Authority: b.sink.authority, Body: m.body, Count: barePosts})
		if err != nil {
			return fmt.Errorf("the client alone, %s: %w", m.way, err)
		}
		*m.to = append(*m.to, used)
	}
	return nil
}

// sample loads a server and measures it. It waits until the receiver has got so
// many posts of each event.
func (b *bench) sample(s *server, o order, posts int) (sample, error) {
	got := sample{startup: s.startup, rest: memory(s.pid(), "VmRSS")}
	before, err := b.sink.count()
	if err != nil {
		return got, err
	}
	cpu, sink, began := cpuTime(s.pid()), cpuTime(b.sink.pid()), time.Now()
	if got.score, err = load(o); err != nil {
		return got, err
	}
	if got.Accepted == 0 {
		return got, fmt.Errorf("nothing was accepted:\n%s", s.log)
	}
	if err := b.sink.await(before+posts*got.Accepted, time.Minute); err != nil {
		return got, err
	}
	got.endToEnd = float64(got.Accepted) / time.Since(began).Seconds()
	events := time.Duration(got.Accepted)
	got.cpu, got.loadCPU, got.sinkCPU = (cpuTime(s.pid())-cpu)/events, got.CPU/events, (cpuTime(b.sink.pid())-sink)/events
	got.load = memory(s.pid(), "VmHWM")
	return got, nil
}

// gate is a running hookgate.
type gate struct {
	*server
	dir string
}

// startGate starts hookgate with these rules in a fresh folder.
func (b *bench) startGate(storage, rules string, wrap ...string) (*gate, error) {
	dir, err := os.MkdirTemp(b.dir, "g")
	if err != nil {
		return nil, err
	}
	addr, err := freeAddr()
	if err != nil {
		return nil, err
	}
	g := &gate{dir: dir}
	if err := os.WriteFile(g.config(), []byte(config(addr, storage, rules)), 0o600); err != nil {
		return nil, err
	}
	g.server, err = b.serve(addr, g.config(), wrap...)
	return g, err
}

// inFile is the storage of a database file in the gate's folder.
const inFile = "path: bench.db"

func (g *gate) config() string { return filepath.Join(g.dir, "config.yaml") }

// serve starts hookgate; wrap is a command that runs it, such as taskset.
func (b *bench) serve(addr, path string, wrap ...string) (*server, error) {
	args := append(wrap, b.binary, "serve", "-c", path)
	return start(addr, "/readyz", []string{"NO_COLOR=1"}, args[0], args[1:]...)
}

// diskBytes is what the gate's database takes.
func (g *gate) diskBytes() (int64, error) {
	files, err := filepath.Glob(filepath.Join(g.dir, "bench.db*"))
	if err != nil {
		return 0, err
	}
	var sum int64
	for _, file := range files {
		if info, err := os.Stat(file); err == nil {
			sum += info.Size()
		}
	}
	return sum, nil
}

// measure takes a sample of a scenario in a fresh folder.
func (b *bench) measure(s *scenario) error {
	g, err := b.startGate(inFile, s.rules(b.sink))
	if err != nil {
		return err
	}
	got, err := b.sample(g.server, b.order(g.addr, "/in/sitejet/"+token), s.posts)
	if err := errors.Join(err, g.stop()); err != nil {
		return err
	}
	size, err := g.diskBytes()
	if err != nil {
		return err
	}
	got.diskBytes = size / int64(got.Accepted)
	s.samples = append(s.samples, got)
	return os.RemoveAll(g.dir)
}
