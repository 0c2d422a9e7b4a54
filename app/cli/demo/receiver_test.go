package demo

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	webhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"hookgate/app/admin"
	"hookgate/internal/event"
)

const secret = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="

func startTest(t *testing.T) *receiver {
	t.Helper()
	r, err := startReceiver(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.stop)
	if err := r.expect(secret, "http://127.0.0.1:1/f/contact"); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestReceiver_signature(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, secret, body string
		status             int
	}{
		{"right", secret, `{"a":1}`, http.StatusOK},
		{"another secret", "whsec_" + strings.Repeat("QUFB", 8), `{"a":1}`, http.StatusUnauthorized},
		{"another body", secret, `{"a":2}`, http.StatusUnauthorized},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := startTest(t)
			signer, err := webhooks.NewWebhook(tt.secret)
			if err != nil {
				t.Fatal(err)
			}
			now := time.Now()
			signature, err := signer.Sign("dlv_1", now, []byte(`{"a":1}`))
			if err != nil {
				t.Fatal(err)
			}
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.url()+billingPath, strings.NewReader(tt.body))
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("webhook-id", "dlv_1")
			req.Header.Set("webhook-timestamp", strconv.FormatInt(now.Unix(), 10))
			req.Header.Set("webhook-signature", signature)
			res, err := (&http.Client{}).Do(req)
			if err != nil {
				t.Fatal(err)
			}
			_ = res.Body.Close()
			got := r.take()
			if res.StatusCode != tt.status || len(got) != 1 || (got[0].fault == nil) != (tt.status == http.StatusOK) {
				t.Errorf("status %d, want %d; arrivals %+v", res.StatusCode, tt.status, got)
			}
			if again := r.take(); len(again) != 0 {
				t.Errorf("taken twice: %+v", again)
			}
		})
	}
}

func TestReceiver_page(t *testing.T) {
	t.Parallel()
	r := startTest(t)
	res, err := (&http.Client{}).Get(r.url())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	var page strings.Builder
	if err := res.Write(&page); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`action="http://127.0.0.1:1/f/contact"`, `name="_gotcha"`, `name="email"`} {
		if !strings.Contains(page.String(), want) {
			t.Errorf("the page lacks %s", want)
		}
	}
}

func TestResult_ok(t *testing.T) {
	t.Parallel()
	good := func() *result {
		return &result{
			sample: sample{status: 202, want: []string{"a/billing"}}, status: 202,
			event:    admin.EventDetail{Event: admin.Event{Deliveries: []admin.Delivery{{Name: "a/billing", State: event.Delivered}}}},
			arrivals: []arrival{{service: "billing"}},
		}
	}
	if !good().ok() {
		t.Fatal("what went as expected is not ok")
	}
	tests := map[string]func(*result){
		"another status":      func(r *result) { r.status = 400 },
		"not delivered":       func(r *result) { r.event.Deliveries[0].State = event.Failed },
		"nothing arrived":     func(r *result) { r.arrivals = nil },
		"a wrong signature":   func(r *result) { r.arrivals[0].fault = http.ErrNoCookie },
		"one more delivery":   func(r *result) { r.event.Deliveries = append(r.event.Deliveries, admin.Delivery{Name: "b/billing"}) },
		"one more arrived":    func(r *result) { r.arrivals = append(r.arrivals, arrival{service: "slack"}) },
		"another rule's":      func(r *result) { r.event.Deliveries[0].Name = "b/billing" },
		"spam that is routed": func(r *result) { r.want = nil },
	}
	for name, spoil := range tests {
		r := good()
		spoil(r)
		if r.ok() {
			t.Errorf("%s: it is ok", name)
		}
	}
}
