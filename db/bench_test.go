package db_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"hookgate/app/event"
	"hookgate/test/pgtest"
)

// BenchmarkStore stores events with two deliveries each and their results,
// from 64 callers, on both engines: go test -bench Store -run ^$ ./db
// The server's own processor time is reported beside this process's.
func BenchmarkStore(b *testing.B) {
	for _, engine := range []string{"sqlite", "postgres"} {
		b.Run(engine, func(b *testing.B) {
			p := place{path: filepath.Join(b.TempDir(), "bench.db")}
			server := func() time.Duration { return 0 }
			if engine == "postgres" {
				cluster := pgtest.Durable(b)
				p, server = place{url: cluster.URL(b)}, cluster.CPU
			}
			benchmarkStore(b, p, server)
		})
	}
}

func benchmarkStore(b *testing.B, p place, server func() time.Duration) {
	c := wall()
	s := mustOpenWall(b, p)
	body := []byte(`{"text":"` + strings.Repeat("word and number 17, ", 55) + `"}`)
	output := json.RawMessage(`{"json":` + string(body[:600]) + `"}}`)
	var pending atomic.Int64
	own, theirs := processorTime(b), server()
	b.SetParallelism(64 / 2)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			id := s.NewIDs(3)
			e := event.Event{ID: id, Source: "shop", Type: "order", ReceivedAt: c.Now(), State: event.Routed, Body: body, Request: event.Request{Method: "POST"}}
			ds := make([]event.Delivery, 2)
			for i := range ds {
				ds[i] = event.Delivery{ID: event.DeliveryID(id) + event.DeliveryID(i) + 1, Event: id, Rule: "r", Action: i + 1, Connection: "x", Output: output, Claim: 1}
			}
			if _, err := s.Accept(&e, ds); err != nil {
				b.Error(err)
				return
			}
			pending.Add(2)
			for i := range ds {
				a := event.Attempt{Delivery: ds[i].ID, Number: 1, Started: c.Now(), Receipt: event.Receipt{Status: 200, Answer: []byte("ok")}}
				s.Record(&ds[i], a, event.Outcome{State: event.Delivered}, func(*event.Delivery) { pending.Add(-1) })
			}
		}
	})
	for pending.Load() > 0 {
		<-time.After(time.Millisecond)
	}
	b.StopTimer()
	n := float64(b.N)
	b.ReportMetric(n/b.Elapsed().Seconds(), "events/s")
	b.ReportMetric(float64((processorTime(b)-own).Microseconds())/n, "cpu-µs/event")
	b.ReportMetric(float64((server()-theirs).Microseconds())/n, "server-cpu-µs/event")
}

// processorTime is what this process has used so far.
func processorTime(b *testing.B) time.Duration {
	text, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		b.Skip(err)
	}
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * 10 * time.Millisecond
}
