package metrics

import (
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// gauges asks for the values that others know, at every scrape.
type gauges struct {
	mu     sync.RWMutex
	queue  func() map[string]int
	oldest func() time.Duration
	size   func() int64
	paused func() map[string]bool

	pausedDesc, queueDesc, oldestDesc, sizeDesc *prometheus.Desc
}

func newGauges() *gauges {
	return &gauges{
		pausedDesc: prometheus.NewDesc("hookgate_connection_paused",
			"1 while a connection is paused by hand, by connection.", []string{"connection"}, nil),
		queueDesc: prometheus.NewDesc("hookgate_queue_depth",
			"Deliveries that wait to be sent or sent again, by connection.", []string{"connection"}, nil),
		oldestDesc: prometheus.NewDesc("hookgate_oldest_waiting_seconds",
			"For how long the oldest delivery that is due has been waiting.", nil, nil),
		sizeDesc: prometheus.NewDesc("hookgate_database_size_bytes",
			"Size of the database on disk.", nil, nil),
	}
}

func (g *gauges) set(f func(*gauges)) {
	g.mu.Lock()
	defer g.mu.Unlock()
	f(g)
}

// Describe implements prometheus.Collector.
func (g *gauges) Describe(ch chan<- *prometheus.Desc) {
	ch <- g.pausedDesc
	ch <- g.queueDesc
	ch <- g.oldestDesc
	ch <- g.sizeDesc
}

// Collect implements prometheus.Collector.
func (g *gauges) Collect(ch chan<- prometheus.Metric) {
	g.mu.RLock()
	queue, oldest, size, paused := g.queue, g.oldest, g.size, g.paused
	g.mu.RUnlock()
	if paused != nil {
		for connection, is := range paused() {
			value := 0.0
			if is {
				value = 1
			}
			ch <- prometheus.MustNewConstMetric(g.pausedDesc, prometheus.GaugeValue, value, connection)
		}
	}
	if queue != nil {
		for connection, n := range queue() {
			ch <- prometheus.MustNewConstMetric(g.queueDesc, prometheus.GaugeValue, float64(n), connection)
		}
	}
	if oldest != nil {
		ch <- prometheus.MustNewConstMetric(g.oldestDesc, prometheus.GaugeValue, oldest().Seconds())
	}
	if size != nil {
		ch <- prometheus.MustNewConstMetric(g.sizeDesc, prometheus.GaugeValue, float64(size()))
	}
}
