package db_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"hookgate/internal/event"
	"hookgate/test/pgtest"
)

// BenchmarkAccept stores an event with two deliveries and their results, by 64
// callers at once, as the server does, on each engine. Besides the time it
// reports the CPU time of the process, and that of the PostgreSQL server, and
// the bytes on disk for each event.
func BenchmarkAccept(b *testing.B) {
	payload, err := os.ReadFile("../app/ingest/samples/files/sitejet/website_status_changed.json")
	if err != nil {
		b.Fatal(err)
	}
	for _, c := range []struct {
		name       string
		deliveries int
	}{{"alone", 0}, {"with two deliveries", 2}} {
		b.Run(c.name+"/sqlite", func(b *testing.B) {
			none := func() time.Duration { return 0 }
			benchmarkAccept(b, place{path: filepath.Join(b.TempDir(), "bench.db")}, none, payload, c.deliveries)
		})
		b.Run(c.name+"/postgres", func(b *testing.B) {
			server := pgtest.Durable(b)
			benchmarkAccept(b, place{url: server.URL(b)}, server.CPU, payload, c.deliveries)
		})
	}
}

func benchmarkAccept(b *testing.B, p place, server func() time.Duration, payload []byte, deliveries int) {
	s := mustOpenWall(b, p)
	output := json.RawMessage(`{"json":{"website_id":321654,"title":"Harry's Diner","status":"Done","previous":"Publish"}}`)
	var left atomic.Int64
	left.Store(int64(b.N))
	var callers, results sync.WaitGroup
	b.ResetTimer()
	cpu, theirs := processCPU(b), server()
	for range 64 {
		callers.Go(func() {
			for left.Add(-1) >= 0 {
				id := s.NewIDs(1 + deliveries)
				e := event.Event{
					ID: id, Source: "sitejet", Type: "website_status_changed", ReceivedAt: time.Now(), State: event.Routed, Body: payload,
					Results: []byte("nnnnnnnmnnnnnnnnnnnn"), Request: event.Request{Method: "POST", ContentType: "application/json"},
				}
				ds := make([]event.Delivery, deliveries)
				for i := range ds {
					ds[i] = event.Delivery{
						ID: event.DeliveryID(id) + 1 + event.DeliveryID(i), Event: id, Rule: "rule-1", Action: 1,
						Connection: "billing", Output: output, Claim: 1, State: event.Sending,
					}
				}
				if _, err := s.Accept(&e, ds); err != nil {
					b.Error(err)
					return
				}
				for i := range ds {
					results.Add(1)
					a := event.Attempt{Delivery: ds[i].ID, Number: 1, Started: time.Now(), Receipt: event.Receipt{Status: 200, Answer: []byte("ok")}}
					s.Record(&ds[i], a, event.Outcome{State: event.Delivered}, func(*event.Delivery) { results.Done() })
				}
			}
		})
	}
	callers.Wait()
	results.Wait()
	used, serverUsed := processCPU(b)-cpu, server()-theirs
	b.StopTimer()
	size, err := s.Size()
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(used.Microseconds())/float64(b.N), "cpu-µs/event")
	b.ReportMetric(float64(serverUsed.Microseconds())/float64(b.N), "server-cpu-µs/event")
	b.ReportMetric(float64(size)/float64(b.N), "disk-bytes/event")
}

func processCPU(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkAccept_besideReader stores events at 5,000 a second, as many as a small
// server takes, alone and while somebody looks through a history again and again, on
// SQLite, and reports how long a caller waits: a reader keeps the write-ahead log from
// being copied, and what is left to copy must not be the writer's.
func BenchmarkAccept_besideReader(b *testing.B) {
	payload, err := os.ReadFile("../app/ingest/samples/files/sitejet/website_status_changed.json")
	if err != nil {
		b.Fatal(err)
	}
	const callers, history = 64, 100_000
	for _, name := range []string{"alone", "beside"} {
		b.Run(name, func(b *testing.B) {
			s := mustOpenWall(b, place{path: filepath.Join(b.TempDir(), "bench.db")})
			accept := func() time.Duration {
				id := s.NewIDs(1)
				e := event.Event{
					ID: id, Source: "sitejet", Type: "website_status_changed", ReceivedAt: time.Now(), State: event.NoMatch, Body: payload,
					Request: event.Request{Method: "POST", ContentType: "application/json"},
				}
				if _, err := s.Accept(&e, nil); err != nil {
					b.Error(err)
				}
				return time.Since(e.ReceivedAt)
			}
			each := func(do func()) {
				var all sync.WaitGroup
				for range callers {
					all.Go(do)
				}
				all.Wait()
			}
			each(func() {
				for range history / callers {
					accept()
				}
			})
			stop := make(chan struct{})
			var reader sync.WaitGroup
			if name == "beside" {
				reader.Go(func() {
					for {
						select {
						case <-stop:
							return
						case <-time.After(100 * time.Millisecond):
							if _, err := s.Events(b.Context(), event.Filter{Type: "of nobody", Limit: 1}); err != nil {
								b.Error(err)
							}
						}
					}
				})
			}
			var mu sync.Mutex
			var took []time.Duration
			var left atomic.Int64
			left.Store(int64(max(b.N, 40_000)))
			b.ResetTimer()
			cpu := processCPU(b)
			var begun atomic.Int64
			each(func() {
				time.Sleep(time.Duration(begun.Add(1)) * time.Second / 5000) // so that they do not come all at once
				tick := time.NewTicker(callers * time.Second / 5000)
				defer tick.Stop()
				for left.Add(-1) >= 0 {
					<-tick.C
					d := accept()
					mu.Lock()
					took = append(took, d)
					mu.Unlock()
				}
			})
			b.StopTimer()
			cpu = processCPU(b) - cpu
			close(stop)
			reader.Wait()
			slices.Sort(took)
			b.ReportMetric(float64(cpu.Microseconds())/float64(len(took)), "cpu-µs/event")
			for part, of := range map[string]int{"p50-ms": len(took) / 2, "p99-ms": len(took) * 99 / 100, "max-ms": len(took) - 1} {
				b.ReportMetric(took[of].Seconds()*1000, part)
			}
		})
	}
}
