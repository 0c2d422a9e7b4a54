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
	"slices"
	"strings"
	"sync"
	"syscall"
	"text/tabwriter"
	"time"
)

// pages is what is measured of a gate whose pages are asked for while events come in.
type pages struct {
	alone, beside []sample // acceptance without and with the pages being asked for
	echo, worked  []sample // an echo without and with a process that works as much as the pages
	reads         []read
	search        []time.Duration // for each 1,000,000 events
	export        []time.Duration // for each 1,000 posts of a form
}

// Of the events of a history one in so many is of each of these kinds.
const (
	oneDelivered = 10 // goes to a connection
	oneWaits     = 10 // for a connection that is paused
	onePosted    = 20 // by a form
	oneRefused   = 50 // by the receiver: its delivery has failed
	oneScheduled = 50 // for a moment that does not come
)

// askEvery is the time from one page that is asked for to the next: what ten people
// cause of whom each asks for one each second.
const askEvery = 100 * time.Millisecond

// askedEach is how often each page is asked for in a round, at least.
const askedEach = 10

// uiRules are the 20 rules of which none matches, and beside them what the pages have
// to show: a source for each kind of delivery, a form, a kept table.
func uiRules(r *receiver) string {
	var sources, connections, rules strings.Builder
	for _, kind := range uiKinds {
		if kind.form {
			continue
		}
		fmt.Fprintf(&sources, "  %s: { type: sitejet, token: %s, dedupe: off }\n", kind.name, token)
		connections.WriteString(connection(r, "to-"+kind.name, plain, ""))
		fmt.Fprintf(&rules, "  - { name: %[1]s, from: %[1]s, then: [{ to: to-%[1]s, %[2]sjson: { title: \"${{ data.website.title }}\" } }] }\n", kind.name, kind.more)
	}
	twenty := strings.Replace(twentyRules(r, plain, false), "connections:\n", "connections:\n"+connections.String(), 1)
	return sources.String() + `forms:
  contact: { rate_limit: 1000000/m, duplicates: 0s, fields: { name: { type: text }, email: { type: email }, message: { type: text, max: 5000 } } }
tables: { leads: { keep: 400d } }
` + twenty + rules.String() + `  - { name: keep-leads, from: contact, then: [{ remember: { table: leads, key: data.email, add: { posts: 1 } } }] }
`
}

// uiKinds are what the history of the pages is made of, beside events that match
// nothing.
var uiKinds = []struct {
	name  string
	oneIn int
	form  bool
	more  string // keys of its action
}{
	{name: "delivered", oneIn: oneDelivered},
	{name: "waits", oneIn: oneWaits},
	{name: "refused", oneIn: oneRefused},
	{name: "scheduled", oneIn: oneScheduled, more: "delay: 30d, "},
	{name: "contact", oneIn: onePosted, form: true},
}

// runUI measures the pages and lists, and what they do to acceptance, and reports it.
func (b *bench) runUI(w io.Writer) error {
	g, err := b.startGate(inFile, uiRules(b.sink))
	if err != nil {
		return err
	}
	defer func() { _ = g.stop() }()
	if err := b.fillForUI(g); err != nil {
		return err
	}
	var p pages
	client, err := b.logIn(g)
	if err != nil {
		return err
	}
	paths, err := uiPaths(g)
	if err != nil {
		return err
	}
	for _, path := range paths {
		began := time.Now()
		if err := fetch(client, path.path); err != nil {
			return err
		}
		p.reads = append(p.reads, read{name: path.name, first: millis(time.Since(began))})
	}
	for round := range b.rounds {
		fmt.Fprintf(os.Stderr, "round %d of %d\n", round+1, b.rounds)
		if err := b.measureUI(&p, g, client, paths); err != nil {
			return err
		}
	}
	b.reportUI(w, p)
	return nil
}

// fillForUI stores b.ui events of all kinds.
func (b *bench) fillForUI(g *gate) error {
	if _, err := b.command(g, "connections", "pause", "to-waits"); err != nil {
		return err
	}
	post, err := json.Marshal(map[string]string{"name": "Jo Doe", "email": "jo@example.com", "message": strings.Repeat("We would like a website. ", 10)})
	if err != nil {
		return err
	}
	rest, sent := b.ui, 0
	for _, kind := range uiKinds {
		o := b.order(g.addr, "/in/"+kind.name+"/"+token)
		if kind.form {
			o.Path, o.Body = "/f/"+kind.name, post
		}
		if err := b.fill(o, b.ui/kind.oneIn); err != nil {
			return fmt.Errorf("%s: %w", kind.name, err)
		}
		rest -= b.ui / kind.oneIn
		if kind.name == "delivered" || kind.name == "refused" {
			sent += b.ui / kind.oneIn
		}
	}
	if err := b.sink.await(sent, time.Hour); err != nil {
		return err
	}
	return b.fill(b.order(g.addr, "/in/sitejet/"+token), rest)
}

// pathOf is a page or list, and what it is called in the report.
type pathOf struct{ name, path string }

// uiPaths are the pages and lists: each that is in the menus, and of those that show
// one thing the newest.
func uiPaths(g *gate) ([]pathOf, error) {
	ids := map[string]string{}
	for name, list := range map[string]string{
		"{event}": "/events?limit=1", "{sent}": "/events?limit=1&source=delivered", "{post}": "/events?limit=1&source=contact",
		"{delivery}": "/deliveries?limit=1", "{old}": "/events?limit=1&source=scheduled",
	} {
		id, err := newest(g, list)
		if err != nil {
			return nil, err
		}
		ids[name] = id
	}
	var list []pathOf
	for _, path := range uiPages {
		at := path
		for name, id := range ids {
			at = strings.ReplaceAll(at, name, id)
		}
		list = append(list, pathOf{path, "http://" + g.addr + at})
	}
	return list, nil
}

// uiPages are the pages and lists; {old} is an event that is about as old as the
// history.
var uiPages = []string{
	"/ui/", "/ui/?range=30d",
	"/ui/events", "/ui/events?before={old}", "/ui/events?q=source:contact", "/ui/events?q=state:rejected", "/ui/events?q=delivery:failed",
	"/ui/events?q=delivery:waiting", "/ui/events?q=connection:to-delivered", "/ui/events?q=rule:delivered", "/ui/events?q=key:nobody",
	"/ui/events/{event}", "/ui/events/{sent}", "/ui/events/{sent}?tab=payload", "/ui/events/{sent}?tab=request", "/ui/events/{sent}?tab=replays",
	"/ui/deliveries", "/ui/deliveries?state=failed&by=time", "/ui/deliveries?state=waiting", "/ui/deliveries?state=held", "/ui/deliveries?state=delivered",
	"/ui/deliveries?state=retrying", "/ui/deliveries?state=cancelled", "/ui/deliveries?state=failed&connection=to-refused", "/ui/deliveries/retry?state=failed",
	"/ui/scheduled", "/ui/digests", "/ui/tables", "/ui/tables/leads",
	"/ui/forms/contact", "/ui/forms/contact?post={post}", "/ui/forms/contact?q=website", "/ui/forms/contact/spam", "/ui/forms/contact/fields", "/ui/forms/contact/all", "/ui/forms/contact/export",
	"/ui/rules", "/ui/routes", "/ui/playground", "/ui/playground?rule=delivered", "/ui/connections", "/ui/config", "/ui/config/change", "/ui/config/versions", "/ui/start", "/ui/forget",
	"/api/v1/events?limit=50", "/api/v1/events/{sent}", "/api/v1/deliveries?limit=50", "/api/v1/deliveries/{delivery}", "/api/v1/deliveries/causes", "/api/v1/deliveries/runs",
	"/api/v1/sources", "/api/v1/sources/delivered/fields", "/api/v1/forms", "/api/v1/forms/contact/posts?limit=50", "/api/v1/stats", "/api/v1/stats/quiet",
	"/api/v1/connections", "/api/v1/rules", "/api/v1/config", "/api/v1/config/versions", "/api/v1/replays", "/api/v1/tables", "/api/v1/tables/leads", "/api/v1/digests",
	"/api/v1/views", "/api/v1/forget", "/api/v1/status", "/api/v1/replicas", "/metrics",
}

// measureUI has events come in at the rate that was asked for, first alone and then
// while the pages are asked for in turn, and looks for a text in the end.
func (b *bench) measureUI(p *pages, g *gate, client *http.Client, paths []pathOf) error {
	stored, o := b.ui, b.order(g.addr, "/in/sitejet/"+token)
	o.Rate, o.Duration = b.rate, max(b.time, time.Duration(askedEach*len(paths))*askEvery)
	got, err := b.sample(g.server, o, 0)
	if err != nil {
		return err
	}
	p.alone = append(p.alone, got)
	ctx, cancel := context.WithCancel(context.Background())
	var asking sync.WaitGroup
	var asked int
	var failed error
	asking.Go(func() { asked, failed = ask(ctx, client, paths, p.reads) })
	got, err = b.sample(g.server, o, 0)
	cancel()
	asking.Wait()
	if err := errors.Join(err, failed); err != nil {
		return err
	}
	p.beside = append(p.beside, got)
	each := (got.cpu - p.alone[len(p.alone)-1].cpu) * time.Duration(got.Accepted) / time.Duration(max(asked, 1))
	if err := b.measureWorked(p, o, max(each, time.Millisecond)); err != nil {
		return err
	}
	for _, s := range slices.Concat(p.alone, p.beside) {
		stored += s.Accepted
	}
	began := time.Now()
	if _, err := b.command(g, "events", "list", "--text", nowhere); err != nil {
		return err
	}
	p.search = append(p.search, time.Duration(float64(time.Since(began))*1e6/float64(stored)))
	began = time.Now()
	if _, err := b.command(g, "forms", "export", "contact", "--out", filepath.Join(g.dir, fmt.Sprintf("posts-%d.csv", len(p.export)))); err != nil {
		return err
	}
	p.export = append(p.export, time.Duration(float64(time.Since(began))*1e3/float64(b.ui/onePosted)))
	return nil
}

// measureWorked is the yardstick for what pages do to acceptance: an echo, at the same
// rate, without and with another process that takes as much CPU as a page, as often. It
// says what a machine of so few processors does to every server that shares them.
func (b *bench) measureWorked(p *pages, o order, each time.Duration) error {
	addr, err := freeAddr()
	if err != nil {
		return err
	}
	s, err := start(addr, "/readyz", nil, b.echo, addr)
	if err != nil {
		return err
	}
	defer func() { _ = s.stop() }()
	o.Addr, o.Path, o.Duration = addr, "/in", min(o.Duration, workedFor)
	got, err := b.sample(s, o, 0)
	if err != nil {
		return err
	}
	p.echo = append(p.echo, got)
	self, err := os.Executable()
	if err != nil {
		return err
	}
	other := exec.Command(self, "work", each.String())
	if err := other.Start(); err != nil {
		return err
	}
	got, err = b.sample(s, o, 0)
	_ = other.Process.Kill()
	_ = other.Wait()
	p.worked = append(p.worked, got)
	return err
}

// workedFor is how long the yardstick is measured, at most.
const workedFor = 20 * time.Second

// work is the program's part that takes so much CPU every askEvery, in one go, until
// it is killed.
func work(each string) error {
	much, err := time.ParseDuration(each)
	if err != nil {
		return err
	}
	for range time.Tick(askEvery) {
		for end := usedCPU() + much; usedCPU() < end; {
		}
	}
	return nil
}

// usedCPU is the CPU time that this process has used.
func usedCPU() time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		return 0
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// ask asks for the pages in turn, until ctx is done, and says how often it did.
func ask(ctx context.Context, client *http.Client, paths []pathOf, reads []read) (int, error) {
	next := time.NewTicker(askEvery)
	defer next.Stop()
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return n, nil
		case <-next.C:
		}
		at := n % len(paths)
		began := time.Now()
		if err := fetch(client, paths[at].path); err != nil {
			return n, err
		}
		reads[at].times = append(reads[at].times, millis(time.Since(began)))
	}
}

func (b *bench) reportUI(w io.Writer, p pages) {
	b.method(w)
	samples := newSampleTable(w)
	samples.row(fmt.Sprintf("accept, %d stored", b.ui), 0, p.alone)
	samples.row("accept, beside the pages", 0, p.beside)
	samples.row("echo, as many", 0, p.echo)
	samples.row("echo, beside as much work", 0, p.worked)
	samples.flush()
	fmt.Fprintln(w)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "%d events stored, %d/s coming in\tfirst, none coming in\ttimes\tp50\tp95\tpass\t\n", b.ui, b.rate)
	for _, r := range p.reads {
		if len(r.times) == 0 {
			fmt.Fprintf(table, "%s\t%.1f ms\t0\t\t\t\tMISSED\n", r.name, r.first)
			continue
		}
		p95 := r.times.p95()
		fmt.Fprintf(table, "%s\t%.1f ms\t%d\t%.1f ms\t%.1f ms\t≤ %d ms\t%s\n", r.name, r.first, len(r.times), r.times.median(), p95, pageWithin, verdict(p95 <= pageWithin))
	}
	_ = table.Flush()
	fmt.Fprintln(w)
	fmt.Fprintf(w, "export of the posts of a form: %.1f ms for 1,000\n\n", of(p.export, millis).median())
	grows := of(p.beside, p99).over(of(p.alone, p99))
	printTargets(w, []target{
		{"p99 of accepting beside the pages / without", grows, 1.2, 1.05, false},
		{"… / the same of an echo beside as much work", grows.over(of(p.worked, p99).over(of(p.echo, p99))), 1.2, 1, false},
		{"search for a text that is nowhere, s for 1,000,000 events", of(p.search, func(d time.Duration) float64 { return d.Seconds() }), 15, 5, false},
	})
}

// pageWithin is how many milliseconds a page or list may take, 95 of 100 times.
const pageWithin = 100

func verdict(reached bool) string {
	if reached {
		return "PASS"
	}
	return "MISSED"
}
