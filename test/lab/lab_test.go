package lab_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hookgate/test/lab"
)

// relay is a gate in miniature that keeps no promise: what it does with an
// event is up to the test.
func relay(t *testing.T, sink string, treat func(n int, deliver func(id, event string, n int))) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body lab.Numbered
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			t.Error(err)
			return
		}
		treat(body.N, func(id, event string, n int) {
			out := fmt.Appendf(nil, `{"n":%d,"event":%q}`, n, event)
			req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, sink, bytes.NewReader(out))
			if err != nil {
				t.Error(err)
				return
			}
			req.Header.Set("webhook-id", id)
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Error(err)
				return
			}
			_ = res.Body.Close()
		})
		w.WriteHeader(http.StatusAccepted)
		_, _ = fmt.Fprintf(w, `{"id":"evt_%d"}`, body.N)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// The comparison of the ledgers finds what a bad gate does: the standing
// negative control of all tests that use it.
func TestCompareFindsFaults(t *testing.T) {
	t.Parallel()
	good := func(n int, deliver func(string, string, int)) {
		deliver(fmt.Sprintf("dlv_%d", n), fmt.Sprintf("evt_%d", n), n)
	}
	for _, c := range []struct {
		name  string
		treat func(n int, deliver func(string, string, int))
		want  lab.Balance
	}{
		{"all well", good, lab.Balance{Acknowledged: 5, Arrived: 5}},
		{"one lost", func(n int, deliver func(string, string, int)) {
			if n != 3 {
				good(n, deliver)
			}
		}, lab.Balance{Acknowledged: 5, Arrived: 4, Lost: []int{3}}},
		{"one twice", func(n int, deliver func(string, string, int)) {
			good(n, deliver)
			if n == 2 {
				good(n, deliver)
			}
		}, lab.Balance{Acknowledged: 5, Arrived: 5, Duplicates: 1}},
		{"one as two deliveries", func(n int, deliver func(string, string, int)) {
			good(n, deliver)
			if n == 2 {
				deliver("dlv_x", "evt_2", 2)
			}
		}, lab.Balance{Acknowledged: 5, Arrived: 6, Doubled: 1}},
		{"one under another id", func(n int, deliver func(string, string, int)) {
			deliver(fmt.Sprintf("dlv_%d", n), fmt.Sprintf("evt_%d", n%4), n)
		}, lab.Balance{Acknowledged: 5, Arrived: 5, Unknown: []string{`{"n":4,"event":"evt_0"}`, `{"n":5,"event":"evt_1"}`}}},
		{"one that nobody sent", func(n int, deliver func(string, string, int)) {
			good(n, deliver)
			if n == 5 {
				deliver("dlv_x", "evt_99", 99)
			}
		}, lab.Balance{Acknowledged: 5, Arrived: 6, Unknown: []string{`{"n":99,"event":"evt_99"}`}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			sink := lab.NewSink(t, nil)
			sender := lab.NewSender(t, relay(t, sink.URL, c.treat), lab.Payload(1))
			sender.Run(t.Context(), 1, 5)
			got, err := lab.Compare(sender, sink)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// The sink misbehaves as it is told.
func TestSink(t *testing.T) {
	t.Parallel()
	sink := lab.NewSink(t, nil)
	client := &http.Client{Timeout: 300 * time.Millisecond, Transport: &http.Transport{DisableKeepAlives: true}}
	for _, c := range []struct {
		name   string
		answer lab.Answer
		status int // 0: no complete answer
	}{
		{"well", lab.Answer{}, 200},
		{"a status", lab.Answer{Status: 503, RetryAfter: "7"}, 503},
		{"a hang", lab.Answer{Hang: true}, 0},
		{"a reset", lab.Answer{Reset: true}, 0},
		{"a dribble", lab.Answer{Dribble: true}, 0},
	} {
		sink.Script(func(lab.Arrival) lab.Answer { return c.answer })
		status := 0
		res, err := client.Post(sink.URL, "text/plain", bytes.NewReader([]byte("x")))
		if err == nil {
			if _, err = io.ReadAll(res.Body); err == nil {
				status = res.StatusCode
			}
			if got := res.Header.Get("Retry-After"); got != c.answer.RetryAfter {
				t.Errorf("%s: Retry-After %q, want %q", c.name, got, c.answer.RetryAfter)
			}
			_ = res.Body.Close()
		}
		if status != c.status {
			t.Errorf("%s: status %d, %v, want %d", c.name, status, err, c.status)
		}
	}
	if n := sink.Count(); n != 5 {
		t.Errorf("the ledger has %d arrivals, want 5", n)
	}
}

func TestPercentile(t *testing.T) {
	t.Parallel()
	var list []time.Duration
	for n := 100; n > 0; n-- {
		list = append(list, time.Duration(n))
	}
	for p, want := range map[float64]time.Duration{0: 1, 50: 51, 99: 100, 100: 100} {
		if got := lab.Percentile(list, p); got != want {
			t.Errorf("percentile %g is %d, want %d", p, got, want)
		}
	}
	if got := lab.Percentile(nil, 50); got != 0 {
		t.Errorf("percentile of nothing is %d", got)
	}
}
