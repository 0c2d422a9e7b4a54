package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// small is what is measured on one core.
type small struct {
	deliver       []sample
	large         sample        // bodies of 8 MB
	idle          time.Duration // CPU in idleFor
	largeRefused  int
	largeAccepted int
}

const (
	idleFor   = 20 * time.Second
	largeBody = 8 << 20
	largeFrom = 60 // senders of large bodies at once
)

// runSmall measures hookgate on one core, the load on the others, and reports it.
func (b *bench) runSmall(w io.Writer) error {
	var m small
	for _, part := range []func(*small) error{b.smallDeliver, b.smallIdle, b.smallLarge} {
		if err := part(&m); err != nil {
			return err
		}
	}
	b.method(w)
	table := newSampleTable(w)
	table.row("deliver, one core", 2, m.deliver)
	table.flush()
	fmt.Fprintf(w, "\n%d senders of %d MB each: %d accepted, %d told to come again\n\n", largeFrom, largeBody>>20, m.largeAccepted, m.largeRefused)
	printTargets(w, []target{
		{"memory at rest, MB", of(m.deliver, rest), 60, 40, false},
		{"memory under load, MB", of(m.deliver, busy), 100, 80, false},
		{fmt.Sprintf("memory under %d senders of %d MB, MB", largeFrom, largeBody>>20), series{busy(m.large)}, 256, 200, false},
		{"CPU in 20 s at rest, ms", series{millis(m.idle)}, 100, 20, false},
		{"start to ready, ms", of(m.deliver, startup), 150, 50, false},
		{"binary, stripped, MB", b.binarySize(), 45, 35, false},
	})
	return nil
}

// oneCore is the command that gives a process the first core alone.
var oneCore = []string{"taskset", "--cpu-list", "0"}

func (b *bench) smallDeliver(m *small) error {
	for range b.rounds {
		g, err := b.startGate(inFile, b.deliver.rules(b.sink), oneCore...)
		if err != nil {
			return err
		}
		got, err := b.sample(g.server, b.order(g.addr, "/in/sitejet/"+token), b.deliver.posts)
		if err := errors.Join(err, g.stop(), os.RemoveAll(g.dir)); err != nil {
			return err
		}
		m.deliver = append(m.deliver, got)
	}
	return nil
}

func (b *bench) smallIdle(m *small) error {
	g, err := b.startGate(inFile, b.deliver.rules(b.sink), oneCore...)
	if err != nil {
		return err
	}
	time.Sleep(2 * time.Second) // what a start does behind the scenes
	before := cpuTime(g.pid())
	time.Sleep(idleFor)
	m.idle = cpuTime(g.pid()) - before
	return g.stop()
}

// smallLarge has many senders post bodies near the limit at once. What finds no
// place in the budget for memory is told to come again.
func (b *bench) smallLarge(m *small) error {
	g, err := b.startGate(inFile, b.deliver.rules(b.sink), oneCore...)
	if err != nil {
		return err
	}
	o := b.order(g.addr, "/in/sitejet/"+token)
	o.Connections, o.Reconnect = largeFrom, true
	filler := bytes.Repeat([]byte("x"), largeBody-len(b.payload)-20)
	o.Body = append(append(bytes.TrimRight(bytes.TrimSpace(b.payload), "}"), `,"filler":"`...), append(filler, `"}`...)...)
	m.large.score, err = load(o)
	m.large.load = memory(g.pid(), "VmHWM")
	m.largeAccepted, m.largeRefused = m.large.Accepted, m.large.Refused
	return errors.Join(err, g.stop())
}
