package webhook_test

import (
	"bytes"
	"io"
	"net/http"
	"testing"

	"hookgate/connectors/webhook"
	"hookgate/test/connectortest"
)

const benchOutput = `{"json":{"action":"create","website_id":321654,"customer":"Harry's Diner","sold_by":"someone@agency.example","reference":"sitejet-321654"}}`

func benchSettings(base string) string {
	return "url: " + base + "/hook\nsigning_secret: whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\nheaders: { Authorization: Bearer abcdef }"
}

// One signed POST to a sink in the same process: the cost of an attempt
// without rules and store. BenchmarkRoundTrip is the same POST by the bare
// transport.
func BenchmarkWebhook(b *testing.B) {
	base := connectortest.MustServe(b, func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) })
	c := connectortest.MustConnector(b, "webhook", benchSettings(base), connectortest.Deps(b))
	d := connectortest.Delivery(benchOutput)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Deliver(b.Context(), d); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRoundTrip(b *testing.B) {
	base := connectortest.MustServe(b, func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) })
	transport := connectortest.Loopback(b).RoundTripper()
	body := []byte(`{"action":"create","website_id":321654,"customer":"Harry's Diner","sold_by":"someone@agency.example","reference":"sitejet-321654"}`)
	b.ReportAllocs()
	for b.Loop() {
		req, err := http.NewRequestWithContext(b.Context(), http.MethodPost, base+"/hook", bytes.NewReader(body))
		if err != nil {
			b.Fatal(err)
		}
		resp, err := transport.RoundTrip(req)
		if err != nil {
			b.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
	}
}

// sink is a transport that answers every request itself.
type sink struct{}

func (sink) RoundTrip(req *http.Request) (*http.Response, error) {
	_ = req.Body.Close()
	return &http.Response{StatusCode: http.StatusNoContent, Header: http.Header{}, Body: http.NoBody, Request: req}, nil
}

// What an attempt costs beside the transport.
func BenchmarkWebhookOwn(b *testing.B) {
	c := webhook.WithTransport(connectortest.MustConnector(b, "webhook", benchSettings("http://127.0.0.1:1"), connectortest.Deps(b)), sink{})
	d := connectortest.Delivery(benchOutput)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Deliver(b.Context(), d); err != nil {
			b.Fatal(err)
		}
	}
}
