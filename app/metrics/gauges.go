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
	stored func() []Stored
	later  func() int
	open   func() int // digests

	laterDesc, openDesc, pausedDesc, brokenDesc, queueDesc, oldestDesc, sizeDesc, storedDesc, quotaDesc *prometheus.Desc
}

// Stored is how many bytes of files the visitors of a form had stored today, and
// how many they may.
type Stored struct {
	Form        string
	Bytes, Most int64
}

func newGauges() *gauges {
	return &gauges{
		laterDesc: prometheus.NewDesc("hookgate_scheduled",
			"Deliveries whose moment has not come.", nil, nil),
		openDesc: prometheus.NewDesc("hookgate_digests_open",
			"Digests that have not closed.", nil, nil),
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
		storedDesc: prometheus.NewDesc("hookgate_form_stored_bytes",
			"Bytes of files that posts to a form had stored in the current day (UTC), by form.", []string{"form"}, nil),
		quotaDesc: prometheus.NewDesc("hookgate_form_quota_bytes",
			"Bytes of files that posts to a form may have stored in a day, by form.", []string{"form"}, nil),
	}
}

func (g *gauges) set(f func(*gauges)) {
	g.mu.Lock()
	defer g.mu.Unlock()
	f(g)
}

// Describe implements prometheus.Collector.
func (g *gauges) Describe(ch chan<- *prometheus.Desc) {
	ch <- g.laterDesc
	ch <- g.openDesc
	ch <- g.pausedDesc
	ch <- g.brokenDesc
	ch <- g.queueDesc
	ch <- g.oldestDesc
	ch <- g.sizeDesc
	ch <- g.storedDesc
	ch <- g.quotaDesc
}

// Collect implements prometheus.Collector.
func (g *gauges) Collect(ch chan<- prometheus.Metric) {
	g.mu.RLock()
	queue, oldest, size, paused, broken, stored, later, open := g.queue, g.oldest, g.size, g.paused, g.broken, g.stored, g.later, g.open
	g.mu.RUnlock()
	flags(ch, g.pausedDesc, paused)
	flags(ch, g.brokenDesc, broken)
	if queue != nil {
		for connection, n := range queue() {
			ch <- prometheus.MustNewConstMetric(g.queueDesc, prometheus.GaugeValue, float64(n), connection)
		}
	}
	if later != nil {
		ch <- prometheus.MustNewConstMetric(g.laterDesc, prometheus.GaugeValue, float64(later()))
	}
	if open != nil {
		ch <- prometheus.MustNewConstMetric(g.openDesc, prometheus.GaugeValue, float64(open()))
	}
	if oldest != nil {
		ch <- prometheus.MustNewConstMetric(g.oldestDesc, prometheus.GaugeValue, oldest().Seconds())
	}
	if size != nil {
		ch <- prometheus.MustNewConstMetric(g.sizeDesc, prometheus.GaugeValue, float64(size()))
	}
	if stored != nil {
		for _, s := range stored() {
			ch <- prometheus.MustNewConstMetric(g.storedDesc, prometheus.GaugeValue, float64(s.Bytes), s.Form)
			ch <- prometheus.MustNewConstMetric(g.quotaDesc, prometheus.GaugeValue, float64(s.Most), s.Form)
		}
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
