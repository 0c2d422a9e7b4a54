// Command bench measures hookgate beside a raw fiber echo on the same machine,
// in the same run, in turns, and prints the ratios that the project aims at.
// The load generator, the sink and every server are processes of their own.
//
//	go run ./test/bench [-rounds 3] [-time 5s] [-connections 64] [-history 0] [-node-red auto|off] [-postgres [-replicas 3]]
//
// What is measured:
//
//	echo      fiber that answers 202 and does nothing else
//	accept    hookgate, 20 rules of which none matches: parse, rules, commit, answer
//	deliver   hookgate, the same rules of which two match: two signed posts each
//	post      one post by the connectors' own client, alone
//
// With -postgres accept and deliver are measured with one, two and three
// replicas on one PostgreSQL server, which is made for it and flushes to the
// disk.
//
// Absolute numbers depend on the machine and on what else it does; the ratios
// within one run carry over.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run() error {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "load":
			return generate()
		case "sink":
			return receive(os.Args[2])
		case "post":
			return post(os.Args[2], 30_000)
		}
	}
	b := bench{}
	flag.IntVar(&b.rounds, "rounds", 3, "how often each part is measured")
	flag.DurationVar(&b.time, "time", 5*time.Second, "the length of each measurement")
	flag.IntVar(&b.connections, "connections", 64, "connections of the load generator")
	flag.IntVar(&b.history, "history", 0, "also measure inserts after so many events, for example 1000000")
	flag.StringVar(&b.nodeRED, "node-red", "auto", "measure Node-RED: auto (where node is installed) or off")
	flag.StringVar(&b.binary, "binary", "", "a built hookgate instead of this source's")
	flag.BoolVar(&b.postgres, "postgres", false, "measure 1, 2 and 3 replicas on a PostgreSQL of its own, and nothing else")
	flag.IntVar(&b.mostReplicas, "replicas", 3, "the most replicas that -postgres measures")
	flag.Parse()
	dir, err := os.MkdirTemp("", "hookgate-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b.dir = dir
	if err := b.prepare(); err != nil {
		return err
	}
	defer func() { _ = b.sink.stop() }()
	if b.postgres {
		if err := b.measureReplicas(); err != nil {
			return err
		}
		return b.reportReplicas(os.Stdout)
	}
	if err := b.measure(); err != nil {
		return err
	}
	b.report(os.Stdout)
	return nil
}

// prepare builds the programs and starts the sink.
func (b *bench) prepare() error {
	var err error
	if b.payload, err = os.ReadFile("app/ingest/samples/files/sitejet/website_status_changed.json"); err != nil {
		return fmt.Errorf("run it in the repository's top folder: %w", err)
	}
	b.echo = filepath.Join(b.dir, "echo")
	builds := [][]string{{"build", "-o", b.echo, "./test/bench/echo"}}
	if b.binary == "" {
		b.binary = filepath.Join(b.dir, "hookgate")
		builds = append(builds, []string{"build", "-o", b.binary, "."})
	}
	for _, args := range builds {
		if out, err := exec.Command("go", args...).CombinedOutput(); err != nil {
			return fmt.Errorf("go build: %w\n%s", err, out)
		}
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	addr, err := freeAddr()
	if err != nil {
		return err
	}
	b.sink, err = start(addr, "/", nil, self, "sink", addr)
	return err
}
