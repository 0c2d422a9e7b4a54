package metrics_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hookgate/app/metrics"
)

func scrape(t *testing.T, m *metrics.Metrics) string {
	t.Helper()
	rec := httptest.NewRecorder()
	m.Handler().ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if rec.Code != http.StatusOK {
		t.Fatalf("status %d: %s", rec.Code, rec.Body)
	}
	return rec.Body.String()
}

func TestNamesAndValues(t *testing.T) {
	t.Parallel()
	m := metrics.New()
	m.BuildInfo("1.2.3", "go1.26")
	m.EventReceived("sitejet", "routed")
	m.EventReceived("sitejet", "routed")
	m.EventReceived("sitejet", "rejected")
	m.DeliveryDone("billing", "delivered", 84*time.Millisecond)
	m.Cancelled("throttle", 2)
	m.ConfigReload(true)
	m.ConfigReload(false)
	m.SetQueue(func() map[string]int { return map[string]int{"billing": 7, "slack-web": 0} })
	m.SetPaused(func() map[string]bool { return map[string]bool{"billing": true, "slack-web": false} })
	m.SetBroken(func() map[string]bool { return map[string]bool{"billing": false, "slack-web": true} })
	m.SetOldestWaiting(func() time.Duration { return 90 * time.Second })
	m.SetDatabaseSize(func() int64 { return 4096 })
	m.SetStored(func() []metrics.Stored { return []metrics.Stored{{Form: "apply", Bytes: 5, Most: 100}} })

	text := scrape(t, m)
	for _, want := range []string{
		`hookgate_build_info{goversion="go1.26",version="1.2.3"} 1`,
		`hookgate_events_received_total{result="routed",source="sitejet"} 2`,
		`hookgate_events_received_total{result="rejected",source="sitejet"} 1`,
		`hookgate_deliveries_total{connection="billing",result="delivered"} 1`,
		`hookgate_cancelled_total{reason="throttle"} 2`,
		`hookgate_delivery_duration_seconds_bucket{connection="billing",le="0.1"} 1`,
		`hookgate_delivery_duration_seconds_bucket{connection="billing",le="0.05"} 0`,
		`hookgate_config_last_reload_successful 0`,
		`hookgate_config_reloads_total{result="refused"} 1`,
		`hookgate_connection_paused{connection="billing"} 1`,
		`hookgate_connection_paused{connection="slack-web"} 0`,
		`hookgate_connection_breaker_open{connection="billing"} 0`,
		`hookgate_connection_breaker_open{connection="slack-web"} 1`,
		`hookgate_queue_depth{connection="billing"} 7`,
		`hookgate_queue_depth{connection="slack-web"} 0`,
		`hookgate_oldest_waiting_seconds 90`,
		`hookgate_database_size_bytes 4096`,
		`hookgate_form_stored_bytes{form="apply"} 5`,
		`hookgate_form_quota_bytes{form="apply"} 100`,
		`go_goroutines`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the scrape lacks %s", want)
		}
	}
}

// docs/metrics.md names every metric of ours, and none that does not exist.
func TestDocumented(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	m := metrics.New()
	m.BuildInfo("1", "go1")
	m.RuleError("a")
	m.EventReceived("a", "routed")
	m.DeliveryDone("a", "delivered", time.Second)
	m.ConfigReload(true)
	m.SetPaused(func() map[string]bool { return map[string]bool{"x": true} })
	m.SetBroken(func() map[string]bool { return map[string]bool{"x": true} })
	m.SetQueue(func() map[string]int { return map[string]int{"a": 1} })
	m.SetOldestWaiting(func() time.Duration { return 0 })
	m.SetDatabaseSize(func() int64 { return 0 })
	m.SetStored(func() []metrics.Stored { return []metrics.Stored{{Form: "a"}} })
	m.SetScheduled(func() int { return 1 })
	m.SetDigests(func() int { return 1 })
	m.Ticked("a")
	m.Cancelled("throttle", 1)
	listed := map[string]bool{}
	for _, match := range regexp.MustCompile("(?m)^\\| `(hookgate_[a-z_]+)`").FindAllStringSubmatch(string(page), -1) {
		listed[match[1]] = true
	}
	served := map[string]bool{}
	for _, match := range regexp.MustCompile("(?m)^# TYPE (hookgate_[a-z_]+) ").FindAllStringSubmatch(scrape(t, m), -1) {
		served[match[1]] = true
	}
	if diff := cmp.Diff(served, listed); diff != "" {
		t.Errorf("served (-) and listed (+):\n%s", diff)
	}
}

func TestUnsetGaugesAreAbsent(t *testing.T) {
	t.Parallel()
	text := scrape(t, metrics.New())
	for _, name := range []string{"hookgate_queue_depth", "hookgate_oldest_waiting_seconds", "hookgate_database_size_bytes"} {
		if strings.Contains(text, name) {
			t.Errorf("%s is shown although nobody knows it", name)
		}
	}
}

func TestConcurrentCounts(t *testing.T) {
	t.Parallel()
	m := metrics.New()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 500 {
				m.EventReceived("shop", "routed")
				m.DeliveryDone("crm", "failed", time.Millisecond)
			}
		})
	}
	wg.Wait()
	text := scrape(t, m)
	for _, want := range []string{
		`hookgate_events_received_total{result="routed",source="shop"} 4000`,
		`hookgate_deliveries_total{connection="crm",result="failed"} 4000`,
		`hookgate_delivery_duration_seconds_count{connection="crm"} 4000`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the scrape lacks %s", want)
		}
	}
}

func TestTwoInstancesAreApart(t *testing.T) {
	t.Parallel()
	a, b := metrics.New(), metrics.New()
	a.EventReceived("shop", "routed")
	if strings.Contains(scrape(t, b), `source="shop"`) {
		t.Error("the count of one instance shows in another")
	}
}

func BenchmarkEventReceived(b *testing.B) {
	m := metrics.New()
	b.ReportAllocs()
	for b.Loop() {
		m.EventReceived("sitejet", "routed")
	}
}
