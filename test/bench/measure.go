package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"
)

// bench is one run of the benchmark.
type bench struct {
	rounds, connections, history int
	time                         time.Duration
	nodeRED, binary, echo, dir   string
	payload                      []byte
	sink                         *server

	postgres     bool
	mostReplicas int
	replicas     []replicaSample

	echoes, accepts, delivers, node []sample
	after                           []sample // accept with a history
	posts                           []time.Duration
}

// sample is one measurement of one server.
type sample struct {
	score
	cpu       time.Duration // for each event, of the server
	loadCPU   time.Duration // for each event, of the load generator
	sinkCPU   time.Duration // for each event, of the sink
	endToEnd  float64       // events a second until the last was delivered
	rest      int           // resident bytes before the load
	load      int           // the highest resident bytes
	startup   time.Duration
	diskBytes int64 // of the database for each event
}

// measure takes all samples, the servers in turns.
func (b *bench) measure() error {
	for round := range b.rounds {
		fmt.Fprintf(os.Stderr, "round %d of %d\n", round+1, b.rounds)
		for _, part := range []func() error{b.measureEcho, b.measureAccept, b.measurePost, b.measureDeliver} {
			if err := part(); err != nil {
				return err
			}
		}
	}
	if b.history > 0 {
		if err := b.measureHistory(); err != nil {
			return err
		}
	}
	if b.nodeRED != "off" {
		if err := b.measureNodeRED(); err != nil {
			fmt.Fprintln(os.Stderr, "Node-RED is left out:", err)
		}
	}
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
	got, err := b.sample(s, b.order(addr, "/in"), false)
	b.echoes = append(b.echoes, got)
	return err
}

// sample loads a server and measures it. With deliver it waits for the sink to
// have got two posts for each event.
func (b *bench) sample(s *server, o order, deliver bool) (sample, error) {
	got := sample{startup: s.startup, rest: memory(s.pid(), "VmRSS")}
	before, err := b.sinkCount()
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
	if deliver {
		if err := b.awaitSink(before + 2*got.Accepted); err != nil {
			return got, err
		}
	}
	got.endToEnd = float64(got.Accepted) / time.Since(began).Seconds()
	events := time.Duration(got.Accepted)
	got.cpu, got.loadCPU, got.sinkCPU = (cpuTime(s.pid())-cpu)/events, got.CPU/events, (cpuTime(b.sink.pid())-sink)/events
	got.load = memory(s.pid(), "VmHWM")
	return got, nil
}

func (b *bench) sinkCount() (int, error) {
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, "http://"+b.sink.addr+"/", nil)
	if err != nil {
		return 0, err
	}
	res, err := (&http.Client{Timeout: 5 * time.Second}).Do(req)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(string(text))
}

func (b *bench) awaitSink(want int) error {
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(2 * time.Millisecond) {
		got, err := b.sinkCount()
		if err != nil {
			return err
		}
		if got >= want {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("the sink got %d of %d posts", got, want)
		}
	}
}

// gate starts hookgate in a fresh folder.
func (b *bench) gate(deliver bool) (*server, string, error) {
	return b.gateOn("path: bench.db", deliver)
}

func (b *bench) gateOn(storage string, deliver bool) (*server, string, error) {
	dir, err := os.MkdirTemp(b.dir, "g")
	if err != nil {
		return nil, "", err
	}
	addr, err := freeAddr()
	if err != nil {
		return nil, "", err
	}
	path := filepath.Join(dir, "config.yaml")
	if err := os.WriteFile(path, []byte(config(addr, b.sink.addr, storage, deliver)), 0o600); err != nil {
		return nil, "", err
	}
	s, err := start(addr, "/readyz", []string{"NO_COLOR=1"}, b.binary, "serve", "-c", path)
	return s, dir, err
}

func (b *bench) measureAccept() error {
	s, _, err := b.gate(false)
	if err != nil {
		return err
	}
	got, err := b.sample(s, b.order(s.addr, "/in/sitejet/"+token), false)
	b.accepts = append(b.accepts, got)
	return errors.Join(err, s.stop())
}

func (b *bench) measureDeliver() error {
	s, dir, err := b.gate(true)
	if err != nil {
		return err
	}
	got, err := b.sample(s, b.order(s.addr, "/in/sitejet/"+token), true)
	if err := errors.Join(err, s.stop()); err != nil {
		return err
	}
	files, err := filepath.Glob(filepath.Join(dir, "bench.db*"))
	if err != nil {
		return err
	}
	for _, file := range files {
		if info, err := os.Stat(file); err == nil {
			got.diskBytes += info.Size()
		}
	}
	got.diskBytes /= int64(got.Accepted)
	b.delivers = append(b.delivers, got)
	return os.RemoveAll(dir)
}

func (b *bench) measurePost() error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.Command(self, "post", "http://"+b.sink.addr+"/post")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("the client alone: %w", err)
	}
	var cpu time.Duration
	if err := json.Unmarshal(out, &cpu); err != nil {
		return err
	}
	b.posts = append(b.posts, cpu)
	return nil
}

// measureHistory measures the acceptance again, by a gate whose database holds
// many events already.
func (b *bench) measureHistory() error {
	s, _, err := b.gate(false)
	if err != nil {
		return err
	}
	defer func() { _ = s.stop() }()
	fmt.Fprintf(os.Stderr, "a history of %d events\n", b.history)
	o := b.order(s.addr, "/in/sitejet/"+token)
	o.Count, o.Duration = b.history, time.Hour
	if _, err := load(o); err != nil {
		return err
	}
	for range b.rounds {
		got, err := b.sample(s, b.order(s.addr, "/in/sitejet/"+token), false)
		if err != nil {
			return err
		}
		b.after = append(b.after, got)
	}
	return nil
}
