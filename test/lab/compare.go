package lab

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"
)

// Balance compares what a sender was promised with what a sink got.
type Balance struct {
	Acknowledged int
	Arrived      int // distinct deliveries
	Lost         []int
	Unknown      []string
	Duplicates   int // arrivals beyond the first of a delivery
	Doubled      int // events that came as more than one delivery
}

// Numbered is the body that the fault tests let the gate deliver.
type Numbered struct {
	N     int    `json:"n"`
	Event string `json:"event"`
	Key   string `json:"key"`
}

// Compare sets the ledgers side by side. The sink's bodies are Numbered. Lost
// are acknowledged events that never arrived; unknown are arrivals that nobody
// sent, or that came under another event's id than the acknowledged one.
func Compare(sender *Sender, sink *Sink) (Balance, error) {
	acked, sent := make(map[int]string), make(map[int]bool)
	for _, e := range sender.Ledger() {
		sent[e.N] = true
		if e.Status/100 == 2 {
			acked[e.N] = e.ID
		}
	}
	b := Balance{Acknowledged: len(acked)}
	arrivals := make(map[string]int)         // by webhook-id
	numbers := make(map[int]map[string]bool) // the webhook-ids of an event
	for _, a := range sink.Arrivals() {
		var body Numbered
		if err := json.Unmarshal(a.Body, &body); err != nil {
			return b, fmt.Errorf("the sink got %q: %w", a.Body, err)
		}
		if a.ID == "" {
			return b, fmt.Errorf("the sink got a request without webhook-id: %q", a.Body)
		}
		if id, ok := acked[body.N]; !sent[body.N] || ok && id != body.Event {
			b.Unknown = append(b.Unknown, string(a.Body))
		}
		arrivals[a.ID]++
		if numbers[body.N] == nil {
			numbers[body.N] = make(map[string]bool)
		}
		numbers[body.N][a.ID] = true
	}
	b.count(acked, arrivals, numbers)
	return b, nil
}

func (b *Balance) count(acked map[int]string, arrivals map[string]int, numbers map[int]map[string]bool) {
	b.Arrived = len(arrivals)
	for _, n := range arrivals {
		b.Duplicates += n - 1
	}
	for _, ids := range numbers {
		if len(ids) > 1 {
			b.Doubled++
		}
	}
	for n := range acked {
		if numbers[n] == nil {
			b.Lost = append(b.Lost, n)
		}
	}
}

// AwaitAll waits until every acknowledged event has arrived, fails the test for
// a lost or an unknown one, and returns the balance.
func AwaitAll(tb testing.TB, sender *Sender, sink *Sink, patience time.Duration) Balance {
	tb.Helper()
	var b Balance
	var err error
	Within(patience, func() bool {
		if sink.Count() < sender.AcknowledgedCount() {
			return false
		}
		b, err = Compare(sender, sink)
		return err != nil || len(b.Lost) == 0
	})
	if b, err = Compare(sender, sink); err != nil {
		tb.Fatal(err)
	}
	if len(b.Lost) > 0 {
		tb.Errorf("%d of %d acknowledged events are lost, the first: %v", len(b.Lost), b.Acknowledged, b.Lost[:min(5, len(b.Lost))])
	}
	if len(b.Unknown) > 0 {
		tb.Errorf("%d unknown arrivals, the first: %s", len(b.Unknown), b.Unknown[0])
	}
	if b.Doubled > 0 {
		tb.Errorf("%d events arrived as more than one delivery", b.Doubled)
	}
	before, pause := sender.noted, longestPause(sender.Ledger())
	sender.noted = b
	Note(tb, func(m *Measure) {
		m.Events += b.Acknowledged - before.Acknowledged
		m.Lost += len(b.Lost) - len(before.Lost)
		m.Duplicates += b.Duplicates - before.Duplicates
		m.Pause = max(m.Pause, pause)
	})
	return b
}

// Payload is an event of the fault tests: a number and an ordering key.
func Payload(keys int) func(n int) []byte {
	return func(n int) []byte {
		return fmt.Appendf(nil, `{"type":"numbered","n":%d,"key":"k%d"}`, n, n%max(1, keys))
	}
}
