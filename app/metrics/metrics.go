// Package metrics counts what hookgate does and offers it to Prometheus. The
// names are part of the interface: docs/metrics.md lists them. No label ever
// holds an id, an address or anything else that a sender chooses.
package metrics

import (
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metrics is one registry and its instruments. It is safe for concurrent use.
type Metrics struct {
	registry *prometheus.Registry

	received   *prometheus.CounterVec
	ruleErrors *prometheus.CounterVec
	delivered  *prometheus.CounterVec
	duration   *prometheus.HistogramVec
	reload     prometheus.Gauge
	reloads    *prometheus.CounterVec
	build      *prometheus.GaugeVec
	alertsLost prometheus.Counter
	lateness   prometheus.Histogram
	rejudged   prometheus.Counter
	ticks      *prometheus.CounterVec
	cancelled  *prometheus.CounterVec
	gauges     *gauges

	// Resolving labels costs a hash and a lock; these keep what was resolved.
	events     sync.Map // eventKey → prometheus.Counter
	deliveries sync.Map // deliveryKey → *delivery
}

type eventKey struct{ source, result string }

type deliveryKey struct{ connection, result string }

type delivery struct {
	count    prometheus.Counter
	duration prometheus.Observer
}

// New makes a registry of its own, so that two servers in one process (as in
// tests) do not share counts.
func New() *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		received: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hookgate_events_received_total",
			Help: "Requests from senders and forms, by source and by what became of them.",
		}, []string{"source", "result"}),
		ruleErrors: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hookgate_rule_errors_total",
			Help: "Events that a rule could not be evaluated for, by rule.",
		}, []string{"rule"}),
		rejudged: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "hookgate_rejudged_total",
			Help: "Events that were judged again because a record that their rules look up had changed meanwhile.",
		}),
		delivered: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hookgate_deliveries_total",
			Help: "Attempts to deliver, by connection and by what became of them.",
		}, []string{"connection", "result"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "hookgate_delivery_duration_seconds",
			Help:    "How long an attempt to deliver took.",
			Buckets: []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
		}, []string{"connection"}),
		reload: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "hookgate_config_last_reload_successful",
			Help: "1 when the last load of the configuration succeeded, 0 when it was refused.",
		}),
		reloads: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hookgate_config_reloads_total",
			Help: "Loads of the configuration, by result.",
		}, []string{"result"}),
		alertsLost: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "hookgate_alerts_failed_total",
			Help: "Deliveries of hookgate's own events that failed for good: nobody else is told of these.",
		}),
		lateness: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "hookgate_moment_lateness_seconds",
			Help:    "How long after its moment a scheduled delivery was opened.",
			Buckets: []float64{1, 2, 5, 15, 60, 300, 3600, 86400},
		}),
		ticks: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hookgate_ticks_total",
			Help: "Events that the clock made, by schedule.",
		}, []string{"source"}),
		cancelled: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hookgate_cancelled_total",
			Help: "Deliveries that were cancelled, by reason.",
		}, []string{"reason"}),
		build: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "hookgate_build_info",
			Help: "Always 1; the labels say which build this is.",
		}, []string{"version", "goversion"}),
		gauges: newGauges(),
	}
	m.registry.MustRegister(m.received, m.ruleErrors, m.delivered, m.duration, m.reload, m.reloads, m.build, m.alertsLost, m.lateness, m.rejudged, m.ticks, m.cancelled, m.gauges,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Handler serves the metrics in the text format that Prometheus reads.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// EventReceived counts one request from a sender. The source must be a name
// from the configuration (or ""), never what a sender put into a URL.
func (m *Metrics) EventReceived(source, result string) {
	key := eventKey{source, result}
	if c, ok := m.events.Load(key); ok {
		c.(prometheus.Counter).Inc()
		return
	}
	c := m.received.WithLabelValues(source, result)
	m.events.Store(key, c)
	c.Inc()
}

// RuleError counts an event that a rule could not be evaluated for. The rule
// must be a name from the configuration.
func (m *Metrics) RuleError(rule string) { m.ruleErrors.WithLabelValues(rule).Inc() }

// Rejudged counts an event that was judged again because a record that its rules
// had looked up was written meanwhile.
func (m *Metrics) Rejudged() { m.rejudged.Inc() }

// Cancelled counts deliveries that were cancelled for the reason.
func (m *Metrics) Cancelled(reason string, n int) {
	m.cancelled.WithLabelValues(reason).Add(float64(n))
}

// DeliveryDone counts one attempt that ended as result, and the time it took.
func (m *Metrics) DeliveryDone(connection, result string, took time.Duration) {
	key := deliveryKey{connection, result}
	v, ok := m.deliveries.Load(key)
	if !ok {
		v, _ = m.deliveries.LoadOrStore(key, &delivery{
			count:    m.delivered.WithLabelValues(connection, result),
			duration: m.duration.WithLabelValues(connection),
		})
	}
	d := v.(*delivery)
	d.count.Inc()
	d.duration.Observe(took.Seconds())
}

// ConfigReload records whether the configuration was taken.
func (m *Metrics) ConfigReload(ok bool) {
	if ok {
		m.reload.Set(1)
		m.reloads.WithLabelValues("ok").Inc()
		return
	}
	m.reload.Set(0)
	m.reloads.WithLabelValues("refused").Inc()
}

// SetDigests says how to count the digests that have not closed.
func (m *Metrics) SetDigests(count func() int) { m.gauges.set(func(g *gauges) { g.open = count }) }

// SetScheduled says how to count the deliveries whose moment has not come.
func (m *Metrics) SetScheduled(count func() int) { m.gauges.set(func(g *gauges) { g.later = count }) }

// MomentOpened notes how long after its moment a scheduled delivery was opened.
func (m *Metrics) MomentOpened(late time.Duration) { m.lateness.Observe(late.Seconds()) }

// AlertLost counts an alert that could not be delivered.
func (m *Metrics) AlertLost() { m.alertsLost.Inc() }

// Ticked counts an event that the clock made. The source must be a name from the
// configuration.
func (m *Metrics) Ticked(source string) { m.ticks.WithLabelValues(source).Inc() }

// BuildInfo says which build runs.
func (m *Metrics) BuildInfo(version, goversion string) {
	m.build.WithLabelValues(version, goversion).Set(1)
}

// SetQueue names the function that knows how many deliveries wait, by
// connection. It is called at every scrape, and must be cheap.
func (m *Metrics) SetQueue(f func() map[string]int) { m.gauges.set(func(g *gauges) { g.queue = f }) }

// SetPaused names the function that knows which connections are paused.
func (m *Metrics) SetPaused(f func() map[string]bool) {
	m.gauges.set(func(g *gauges) { g.paused = f })
}

// SetBroken names the function that knows of which connections the breaker is open.
func (m *Metrics) SetBroken(f func() map[string]bool) {
	m.gauges.set(func(g *gauges) { g.broken = f })
}

// SetOldestWaiting names the function that knows for how long the oldest
// delivery that is due has been waiting.
func (m *Metrics) SetOldestWaiting(f func() time.Duration) {
	m.gauges.set(func(g *gauges) { g.oldest = f })
}

// SetStored names the function that knows what posts with files have stored.
func (m *Metrics) SetStored(f func() []Stored) { m.gauges.set(func(g *gauges) { g.stored = f }) }

// SetDatabaseSize names the function that knows the database's size in bytes.
func (m *Metrics) SetDatabaseSize(f func() int64) { m.gauges.set(func(g *gauges) { g.size = f }) }
