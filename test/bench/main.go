// Command bench measures hookgate beside a raw fiber echo and a bare post of
// net/http on the same machine, in the same run, in turns, and prints the
// ratios that the project aims at. The load generator, the receiver and every
// server are processes of their own.
//
//	go run ./test/bench [-rounds 3] [-time 5s] [-connections 64] [-node-red auto|off]
//	    [-history 1000000] [-ui 1000000 [-rate 5000]] [-small] [-plots DIR] [-profile DIR]
//	    [-peers PATH,PATH] [-postgres [-replicas 3]]
//
// What is always measured:
//
//	echo       fiber that answers 202 and does nothing else
//	post       one post by net/http with kept connections, alone: plain, TLS, HTTP/2
//	accept     hookgate, 20 rules of which none matches: parse, rules, commit, answer
//	deliver    hookgate, the same rules of which two match: two signed posts each;
//	           to a receiver behind TLS, by HTTP/1.1 and by HTTP/2, too
//	forward    hookgate, one rule with one condition: the whole event in one post
//	Node-RED   the same rules and posts as deliver, where node is installed
//
// And behind flags, in place of the above:
//
//	-history   what grows with so many stored events: accept, start, drain, lists, pages, search, backup
//	-ui        each page and list with so many events stored, while -rate events a second
//	           come in, and what that does to accepting them, beside what another
//	           process that works as much does to an echo
//	-small     one core: memory, idle CPU, bodies of 8 MB
//	-plots     SVG files: rate and p99 over 1 to 256 connections; with -history the
//	           CPU time of an event over what is stored
//	-profile   what an event's CPU time goes to, with files for go tool pprof
//	-peers     other programs on the work of forward: bento, redpanda-connect
//	-postgres  accept and deliver with one, two and three replicas on one
//	           PostgreSQL, which is made for it and flushes to the disk
//
// Absolute numbers depend on the machine and on what else it does; ratios within one
// run say more.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// options are the flags.
type options struct {
	rounds, connections, history, ui, rate, replicas int
	time                                             time.Duration
	nodeRED, binary, plots, peers, profile           string
	small, postgres                                  bool
}

func run() error {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "load":
			return generate()
		case "sink":
			return receive(os.Args[2:])
		case "post":
			return post()
		case "work":
			return work(strings.Join(os.Args[2:], ""))
		}
	}
	o := readFlags()
	dir, err := os.MkdirTemp("", "hookgate-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b := bench{options: o, dir: dir, scenarios: newScenarios()}
	if err := b.prepare(); err != nil {
		return err
	}
	defer func() { _ = b.sink.stop() }()
	switch {
	case o.postgres:
		return b.runReplicas(os.Stdout)
	case o.history > 0 && o.plots == "":
		return b.runHistory(os.Stdout)
	case o.ui > 0:
		return b.runUI(os.Stdout)
	case o.small:
		return b.runSmall(os.Stdout)
	case o.plots != "":
		return b.runPlots()
	case o.profile != "":
		return b.runProfile(os.Stdout)
	case o.peers != "":
		return b.runPeers(os.Stdout, strings.Split(o.peers, ","))
	}
	return b.runUsual(os.Stdout)
}

// readFlags reads the flags of the command line.
func readFlags() options {
	var o options
	flag.IntVar(&o.rounds, "rounds", 3, "how often each part is measured")
	flag.DurationVar(&o.time, "time", 5*time.Second, "the length of each measurement")
	flag.IntVar(&o.connections, "connections", 64, "connections of the load generator")
	flag.StringVar(&o.nodeRED, "node-red", "auto", "measure Node-RED: auto (where node is installed) or off")
	flag.StringVar(&o.binary, "binary", "", "a built hookgate instead of this source's")
	flag.IntVar(&o.history, "history", 0, "measure what grows with so many stored events, for example 1000000")
	flag.IntVar(&o.ui, "ui", 0, "measure the pages and lists with so many stored events, for example 1000000")
	flag.IntVar(&o.rate, "rate", 5000, "the events that come in each second while -ui measures")
	flag.BoolVar(&o.small, "small", false, "measure a small server: one core")
	flag.StringVar(&o.plots, "plots", "", "write plots over the number of connections into this folder")
	flag.StringVar(&o.profile, "profile", "", "write profiles of hookgate's CPU time into this folder, and print what an event's goes to")
	flag.StringVar(&o.peers, "peers", "", "paths of other programs to measure on the work of forward, separated by commas")
	flag.BoolVar(&o.postgres, "postgres", false, "measure replicas on a PostgreSQL of its own")
	flag.IntVar(&o.replicas, "replicas", 3, "the most replicas that -postgres measures")
	flag.Parse()
	return o
}

// prepare builds the programs and starts the receiver.
func (b *bench) prepare() error {
	var err error
	if b.payload, err = os.ReadFile("app/ingest/samples/files/sitejet/website_status_changed.json"); err != nil {
		return fmt.Errorf("run it in the repository's top folder: %w", err)
	}
	b.echo = filepath.Join(b.dir, "echo")
	builds := [][]string{{"build", "-o", b.echo, "./test/bench/echo"}}
	linked := ""
	if b.binary == "" {
		linked = filepath.Join(b.dir, "linked")
		// As make build does.
		builds = append(builds, []string{"build", "-trimpath", "-ldflags", "-s -w", "-o", linked, "."})
	}
	for _, args := range builds {
		if out, err := exec.Command("go", args...).CombinedOutput(); err != nil {
			return fmt.Errorf("go build: %w\n%s", err, out)
		}
	}
	if linked != "" {
		b.binary = filepath.Join(b.dir, "hookgate")
		if err := install(linked, b.binary); err != nil {
			return err
		}
	}
	b.sink, err = startReceiver(b.dir)
	return err
}

// install copies a program, as one is installed. Of a file that the linker has just
// written at once, the system keeps half as much again in memory, until it reads it
// anew, as after a start of the machine: that would be measured.
func install(from, to string) error {
	program, err := os.Open(from)
	if err != nil {
		return err
	}
	defer program.Close()
	file, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o755)
	if err != nil {
		return err
	}
	_, err = io.Copy(file, program)
	return errors.Join(err, file.Close())
}
