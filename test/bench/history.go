package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"text/tabwriter"
	"time"
)

// history is what is measured of a gate that has many events stored.
type history struct {
	empty, full []sample      // accept
	restart     time.Duration // to ready
	reads       []read
	search      time.Duration
	backup      time.Duration // and verified
	drained     float64       // events a second that wait for two deliveries each
	live        float64       // the same where nothing waits
	waiting     int
}

// read is a list or a page, and the times of its answers.
type read struct {
	name  string
	first float64 // milliseconds after a start, when nothing that is asked for often is kept
	times series  // milliseconds
}

// readsEach is how often a list or a page is asked for.
const readsEach = 40

// nowhere is a text that no event holds.
const nowhere = "a text that no event holds"

// runHistory measures what could grow with what is stored, and reports it.
func (b *bench) runHistory(w io.Writer) error {
	var h history
	for _, part := range []func(*history) error{b.measureStored, b.measureDrain} {
		if err := part(&h); err != nil {
			return err
		}
	}
	b.reportHistory(w, h)
	return nil
}

// measureStored fills a database, and measures acceptance beside one that is
// empty, and then a restart, lists, pages and a search.
func (b *bench) measureStored(h *history) error {
	g, err := b.startGate(inFile, b.accept.rules(b.sink))
	if err != nil {
		return err
	}
	defer func() { _ = g.stop() }()
	fmt.Fprintf(os.Stderr, "a history of %d events\n", b.history)
	if err := b.fill(b.order(g.addr, "/in/sitejet/"+token), b.history); err != nil {
		return err
	}
	for round := range b.rounds {
		fmt.Fprintf(os.Stderr, "round %d of %d\n", round+1, b.rounds)
		if err := b.measure(&b.accept); err != nil {
			return err
		}
		got, err := b.sample(g.server, b.order(g.addr, "/in/sitejet/"+token), 0)
		if err != nil {
			return err
		}
		h.full = append(h.full, got)
	}
	h.empty = b.accept.samples
	if err := g.stop(); err != nil {
		return err
	}
	if g.server, err = b.serve(g.addr, g.config()); err != nil {
		return err
	}
	h.restart = g.startup
	if err := b.measureReads(h, g); err != nil {
		return err
	}
	began := time.Now()
	if _, err = b.command(g, "events", "list", "--text", nowhere); err != nil {
		return err
	}
	h.search = time.Since(began)
	began = time.Now()
	_, err = b.command(g, "backup", filepath.Join(g.dir, "backup"))
	h.backup = time.Since(began)
	return err
}

// fill stores count events.
func (b *bench) fill(o order, count int) error {
	o.Count, o.Duration = count, time.Hour
	got, err := load(o)
	if err == nil && got.Accepted < count {
		err = fmt.Errorf("%d of %d events were accepted at %s", got.Accepted, count, o.Path)
	}
	return err
}

// measureReads asks for lists and pages, as an operator who is logged in.
func (b *bench) measureReads(h *history, g *gate) error {
	client, err := b.logIn(g)
	if err != nil {
		return err
	}
	id, err := newest(g, "/events?limit=1")
	if err != nil {
		return err
	}
	for _, path := range []string{
		"/api/v1/events?limit=50", "/api/v1/deliveries?limit=50",
		"/ui/", "/ui/events", "/ui/deliveries", "/ui/connections", "/ui/events/" + id,
	} {
		r := read{name: path}
		if path == "/ui/events/"+id {
			r.name = "/ui/events/{id}"
		}
		for range readsEach {
			began := time.Now()
			if err := fetch(client, "http://"+g.addr+path); err != nil {
				return err
			}
			r.times = append(r.times, millis(time.Since(began)))
		}
		h.reads = append(h.reads, r)
	}
	return nil
}

// logIn is a client with the session of an operator.
func (b *bench) logIn(g *gate) (*http.Client, error) {
	link, err := b.command(g, "login", "-q")
	if err != nil {
		return nil, err
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	client := &http.Client{Jar: jar, Timeout: time.Minute}
	return client, fetch(client, string(bytes.TrimSpace(link)))
}

// newest is the id of the first of a list of the API.
func newest(g *gate, list string) (string, error) {
	var page struct {
		Items []struct{ ID string }
		Next  string
	}
	for {
		at := "http://" + g.addr + "/api/v1" + list
		if page.Next != "" {
			at += "&before=" + page.Next
		}
		text, err := get(at)
		if err != nil {
			return "", err
		}
		page.Items, page.Next = nil, ""
		if err := json.Unmarshal(text, &page); err != nil {
			return "", fmt.Errorf("%s: %w", at, err)
		}
		switch {
		case len(page.Items) > 0:
			return page.Items[0].ID, nil
		case page.Next == "":
			return "", fmt.Errorf("nothing in %s", at)
		}
	}
}

// fetch reads an answer to its end; lists are asked for by the cookie's session
// or by the operator's password.
func fetch(client *http.Client, url string) error {
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	req.SetBasicAuth("bench", password)
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	_, err = io.Copy(io.Discard, res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", req.URL.Path, res.Status)
	}
	return err
}

// command runs a command of hookgate's against the gate.
func (b *bench) command(g *gate, args ...string) ([]byte, error) {
	cmd := exec.Command(b.binary, append(args, "-c", g.config())...)
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("hookgate %s: %w\n%s", args[0], err, &said)
	}
	return out, nil
}

// measureDrain has two fifths of the history wait for paused connections over a
// restart, and measures how fast they go once they are resumed.
func (b *bench) measureDrain(h *history) error {
	if err := b.measure(&b.deliver); err != nil {
		return err
	}
	h.live = median(b.deliver.samples, endToEnd)
	g, err := b.startGate(inFile, b.deliver.rules(b.sink))
	if err != nil {
		return err
	}
	defer func() { _ = g.stop() }()
	switchAll := func(verb string) (err error) {
		for _, name := range []string{"billing", "crm"} {
			_, one := b.command(g, "connections", verb, name)
			err = errors.Join(err, one)
		}
		return err
	}
	if err := switchAll("pause"); err != nil {
		return err
	}
	o := b.order(g.addr, "/in/sitejet/"+token)
	o.Count, o.Duration = b.history/5, time.Hour
	fmt.Fprintf(os.Stderr, "%d deliveries wait\n", 2*o.Count)
	got, err := load(o)
	if err != nil {
		return err
	}
	if err := g.stop(); err != nil {
		return err
	}
	if g.server, err = b.serve(g.addr, g.config()); err != nil {
		return err
	}
	before, err := b.sink.count()
	if err != nil {
		return err
	}
	began := time.Now()
	if err := switchAll("resume"); err != nil {
		return err
	}
	if err := b.sink.await(before+2*got.Accepted, time.Hour); err != nil {
		return err
	}
	h.waiting, h.drained = 2*got.Accepted, float64(got.Accepted)/time.Since(began).Seconds()
	return nil
}

func (b *bench) reportHistory(w io.Writer, h history) {
	b.method(w)
	samples := newSampleTable(w)
	samples.row("accept, empty", 0, h.empty)
	samples.row(fmt.Sprintf("accept, %d stored", b.history), 0, h.full)
	samples.flush()
	fmt.Fprintln(w)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(table, "%d times\tmedian\t95 of 100\t\n", readsEach)
	slowest := series{}
	for _, r := range h.reads {
		p95 := r.times.p95()
		slowest = append(slowest, p95)
		fmt.Fprintf(table, "%s\t%.1f ms\t%.1f ms\t\n", r.name, r.times.median(), p95)
	}
	_ = table.Flush()
	fmt.Fprintf(w, "\nstart with the history: %.0f ms; a backup of it: %.1f s; %d deliveries that waited went at %.0f events/s, %.0f/s where none wait\n\n",
		millis(h.restart), h.backup.Seconds(), h.waiting, h.drained, h.live)
	printTargets(w, []target{
		{fmt.Sprintf("insert CPU with %d events / empty", b.history), of(h.full, cpu).over(of(h.empty, cpu)), 1.1, 1.0, false},
		{"slowest list or page, 95 of 100, ms", series{slices.Max(slowest)}, 100, 30, false},
		{"search through everything, s", series{h.search.Seconds()}, 15, 2, false},
		{"start to ready, ms", series{millis(h.restart)}, 150, 50, false},
		{"drain rate / end-to-end rate", series{h.drained / h.live}, 0.8, 1, true},
	})
}
