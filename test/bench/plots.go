package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// plotted are the numbers of connections that plots range over.
var plotted = []int{1, 2, 4, 8, 16, 32, 64, 128, 256}

// historySteps is how many parts of the history the plot over it has.
const historySteps = 8

// runPlots measures acceptance and delivery over the number of connections, and
// writes a plot of the rates and one of the times; with -history in place of these one
// of the CPU time of an event over what is stored.
func (b *bench) runPlots() error {
	if err := os.MkdirAll(b.plots, 0o755); err != nil {
		return err
	}
	if b.history > 0 {
		return b.plotHistory()
	}
	var at []string
	for _, n := range plotted {
		at = append(at, strconv.Itoa(n))
	}
	rates := plot{title: "Events per second over connections", unit: "/s", at: at}
	times := plot{title: "Time to the answer, 99 of 100, over connections", unit: " ms", at: at}
	for _, s := range []*scenario{&b.accept, &b.deliver} {
		for _, n := range plotted {
			fmt.Fprintf(os.Stderr, "%s, %d connections\n", s.name, n)
			b.connections, s.samples = n, nil
			for range b.rounds {
				if err := b.measure(s); err != nil {
					return err
				}
			}
			rates.add(s.name, median(s.samples, endToEnd))
			times.add(s.name, median(s.samples, p99))
		}
	}
	return errors.Join(rates.write(filepath.Join(b.plots, "rate.svg")), times.write(filepath.Join(b.plots, "p99.svg")))
}

// plotHistory measures acceptance while the history grows to b.history events.
func (b *bench) plotHistory() error {
	if b.history < 1000*historySteps {
		return fmt.Errorf("a history of %d events is too short to be drawn: %d at least", b.history, 1000*historySteps)
	}
	g, err := b.startGate(inFile, b.accept.rules(b.sink))
	if err != nil {
		return err
	}
	defer func() { _ = g.stop() }()
	p := plot{title: "CPU time of an accepted event over the events stored", unit: " µs"}
	o, stored := b.order(g.addr, "/in/sitejet/"+token), b.history/100 // a start is not what is measured
	if err := b.fill(o, stored); err != nil {
		return err
	}
	for step := range historySteps + 1 {
		fmt.Fprintf(os.Stderr, "%d events stored\n", stored)
		p.at = append(p.at, short(float64(stored)))
		var samples []sample
		part := o
		part.Count = b.history / historySteps / 2 / b.rounds // what is measured is stored, too
		for range b.rounds {
			got, err := b.sample(g.server, part, 0)
			if err != nil {
				return err
			}
			samples, stored = append(samples, got), stored+got.Accepted
		}
		p.add(b.accept.name, median(samples, cpu))
		if rest := b.history*(step+1)/historySteps - stored; rest > 0 && step < historySteps {
			if err := b.fill(o, rest); err != nil {
				return err
			}
			stored += rest
		}
	}
	return p.write(filepath.Join(b.plots, "cpu.svg"))
}

// plot is a drawing of lines over at, whose steps are even.
type plot struct {
	title, unit string
	at          []string
	lines       []line
}

type line struct {
	name   string
	values []float64
}

func (p *plot) add(name string, value float64) {
	if len(p.lines) == 0 || p.lines[len(p.lines)-1].name != name {
		p.lines = append(p.lines, line{name: name})
	}
	last := &p.lines[len(p.lines)-1]
	last.values = append(last.values, value)
}

// The plot's place in the drawing, in its units.
const (
	plotWidth, plotHeight         = 720, 320
	plotLeft, plotTop             = 70, 40
	plotRight, plotBottom float64 = 640, 280
)

// strokes tell lines apart without colour, too.
var strokes = []string{`stroke="#2563eb"`, `stroke="#b45309" stroke-dasharray="7 4"`}

// write writes the drawing as an SVG file.
func (p *plot) write(path string) error {
	most := 0.0
	for _, l := range p.lines {
		for _, v := range l.values {
			most = max(most, v)
		}
	}
	x := func(n int) float64 { return plotLeft + (plotRight-plotLeft)*float64(n)/float64(len(p.at)-1) }
	y := func(v float64) float64 { return plotBottom - (plotBottom-plotTop)*v/most }
	var text strings.Builder
	fmt.Fprintf(&text, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="system-ui, sans-serif" font-size="12"><title>%s</title><rect width="100%%" height="100%%" fill="#fff"/><text x="%d" y="22" font-size="14">%s</text>`,
		plotWidth, plotHeight, p.title, plotLeft, p.title)
	for i := range 5 {
		v := most * float64(i) / 4
		fmt.Fprintf(&text, `<path d="M%d %.1fH%.1f" stroke="#ddd"/><text x="%d" y="%.1f" text-anchor="end">%s%s</text>`,
			plotLeft, y(v), plotRight, plotLeft-6, y(v)+4, short(v), p.unit)
	}
	for n, at := range p.at {
		fmt.Fprintf(&text, `<text x="%.1f" y="%.1f" text-anchor="middle">%s</text>`, x(n), plotBottom+18, at)
	}
	for i, l := range p.lines {
		var path strings.Builder
		for n, v := range l.values {
			fmt.Fprintf(&path, "%c%.1f %.1f", "ML"[min(n, 1)], x(n), y(v))
			fmt.Fprintf(&text, `<circle cx="%.1f" cy="%.1f" r="3" fill="none" %s/>`, x(n), y(v), strokes[i%len(strokes)])
		}
		fmt.Fprintf(&text, `<path d="%s" fill="none" stroke-width="2" %s/><text x="%.1f" y="%.1f">%s</text>`,
			path.String(), strokes[i%len(strokes)], plotRight+8, y(l.values[len(l.values)-1])+4, l.name)
	}
	text.WriteString("</svg>\n")
	return os.WriteFile(path, []byte(text.String()), 0o644)
}

// short writes a number of an axis.
func short(v float64) string {
	switch {
	case v >= 1e6:
		return fmt.Sprintf("%.3gM", v/1e6)
	case v >= 1000:
		return fmt.Sprintf("%.3gk", v/1000)
	}
	return fmt.Sprintf("%.3g", v)
}
