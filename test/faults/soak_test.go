package faults

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"hookgate/test/lab"
)

// TestSoak loads the gate for a while, and some of it with faults: bodies that
// are not understood, a receiver that hangs, files, reloads. What the process
// holds does not grow from the first half to the second: goroutines, open
// files, resident memory. SOAK says how long (make soak: 30 minutes).
//
// Negative control: a goroutine that never ends for each request.
//
// Promise: P18.
func TestSoak(t *testing.T) {
	lasts := 12 * time.Second
	if text := os.Getenv("SOAK"); text != "" {
		var err error
		if lasts, err = time.ParseDuration(text); err != nil {
			t.Fatalf("SOAK=%q: %v", text, err)
		}
	}
	sink := lab.NewSink(t, nil)
	stuck := lab.NewSink(t, func(lab.Arrival) lab.Answer { return lab.Answer{Hang: true} })
	g := lab.New(t, strings.Replace(numbered(sink.URL), "connections:", fmt.Sprintf(`connections:
  stuck: { type: webhook, url: %s/, timeout: 1s, retry: { delays: [1s] } }`, stuck.URL), 1)+`  - { name: stuck, from: in, when: data.n % 50 == 0, then: [{ to: stuck, json: { n: "${{ data.n }}" } }] }
forms:
  apply: { fields: { cv: { type: file, accept: [pdf] } }, rate_limit: 100000/m, quota: 10GB }
`)
	g.Extra = "  admin: { user: team, password: soak-admin-password }\n"
	g.Start()
	sender := lab.NewSender(t, g.URL+inPath, lab.Payload(50))
	sender.Connections(16) // else each pause of a busy machine opens some, which are no leak
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	loaded := make(chan struct{})
	go func() { defer close(loaded); sender.RunPaced(ctx, 200) }()

	const samples = 24
	var held []holding
	upload := "--B\r\nContent-Disposition: form-data; name=\"cv\"; filename=\"cv.pdf\"\r\n\r\n%PDF-1.7\r\n--B--\r\n"
	tick := time.NewTicker(lasts / (samples + 2))
	defer tick.Stop()
	for len(held) < samples {
		<-tick.C // on a busy machine it all takes longer
		for range 10 {
			g.PostJSON(inPath, []byte(`{"broken`))
			if r := g.Do(http.MethodPost, "/f/apply", []byte(upload), "Content-Type", "multipart/form-data; boundary=B"); r.Status/100 > 3 {
				t.Fatalf("an upload: status %d", r.Status)
			}
		}
		g.MustCLI("reload")
		held = append(held, holds(t, g))
	}
	cancel()
	<-loaded
	lab.AwaitAll(t, sender, sink, lab.Patience)
	first, second := medianOf(held[samples/4:samples/2]), medianOf(held[3*samples/4:])
	t.Logf("%d events; from the second to the last quarter: goroutines %.0f → %.0f, open files %.0f → %.0f, resident memory %.0f → %.0f MB",
		sender.AcknowledgedCount(), first.goroutines, second.goroutines, first.files, second.files, first.memory/(1<<20), second.memory/(1<<20))
	limit := 24.0 * (1 << 20)
	if lasts < time.Minute {
		limit *= 2 // within seconds the collector's rhythm shows, not what is held
	}
	if lab.Race() {
		limit *= 4
	}
	if second.goroutines > first.goroutines+40 || second.files > first.files+20 || second.memory > first.memory+limit {
		t.Errorf("what the process holds grows: %+v became %+v", first, second)
	}
}

// holding is what the process holds at one time.
type holding struct{ goroutines, files, memory float64 }

// holds reads what the metrics tell.
func holds(t *testing.T, g *lab.Gate) holding {
	t.Helper()
	login := "Basic " + base64.StdEncoding.EncodeToString([]byte("team:soak-admin-password"))
	r := g.Do(http.MethodGet, "/metrics", nil, "Authorization", login)
	value := func(name string) float64 {
		_, rest, found := strings.Cut(r.Body, "\n"+name+" ")
		text, _, _ := strings.Cut(rest, "\n")
		v, err := strconv.ParseFloat(text, 64)
		if !found || err != nil {
			t.Fatalf("the metrics have no %s: %v", name, err)
		}
		return v
	}
	return holding{value("go_goroutines"), value("process_open_fds"), value("process_resident_memory_bytes")}
}

// medianOf is the median of each value.
func medianOf(list []holding) holding {
	median := func(of func(holding) float64) float64 {
		values := make([]float64, len(list))
		for i, h := range list {
			values[i] = of(h)
		}
		slices.Sort(values)
		return values[len(values)/2]
	}
	return holding{
		median(func(h holding) float64 { return h.goroutines }),
		median(func(h holding) float64 { return h.files }),
		median(func(h holding) float64 { return h.memory }),
	}
}
