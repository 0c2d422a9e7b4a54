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
	broken func() map[string]bool

	pausedDesc, brokenDesc, queueDesc, oldestDesc, sizeDesc *prometheus.Desc
}

func newGauges() *gauges {
	return &gauges{
		pausedDesc: prometheus.NewDesc("hookgate_connection_paused",
			"1 while a connection is paused by hand, by connection.", []string{"connection"}, nil),
		brokenDesc: prometheus.NewDesc("hookgate_connection_breaker_open",
			"1 while nothing but a probe is sent to a connection, because attempts failed many times in a row, by connection.", []string{"connection"}, nil),
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
	ch <- g.brokenDesc
	ch <- g.queueDesc
	ch <- g.oldestDesc
	ch <- g.sizeDesc
}

// Collect implements prometheus.Collector.
func (g *gauges) Collect(ch chan<- prometheus.Metric) {
	g.mu.RLock()
	queue, oldest, size, paused, broken := g.queue, g.oldest, g.size, g.paused, g.broken
	g.mu.RUnlock()
	flags(ch, g.pausedDesc, paused)
	flags(ch, g.brokenDesc, broken)
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

// flags are 1 for each connection of which it is true, 0 for the others.
func flags(ch chan<- prometheus.Metric, desc *prometheus.Desc, of func() map[string]bool) {
	if of == nil {
		return
	}
	for connection, is := range of() {
		value := 0.0
		if is {
			value = 1
		}
		ch <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, connection)
	}
}
