package connectors_test

import (
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"hookgate/connectors"
	"hookgate/internal/event"
)

// Of a URL are kept its host, words of its path, and the names of its query.
// Break: keep the path as it is.
func TestRequestLine(t *testing.T) {
	t.Parallel()
	secrets := connectors.NewRedactor("hunter")
	for raw, want := range map[string]string{
		"https://api.example/v1/subscriptions":                    "POST https://api.example/v1/subscriptions",
		"https://slack.com/api/chat.postMessage":                  "POST https://slack.com/api/chat.postMessage",
		"https://hooks.example/services/T012/B3/AbCdEfGhIjKlMnOp": "POST https://hooks.example/services/…/…/…",
		"http://127.0.0.1:8080/in/s3cr3t?key=abc&v=2":             "POST http://127.0.0.1:8080/in/…?key=…&v=…",
		"https://user:password@api.example":                       "POST https://api.example",
		"https://api.example/hunter/of?hunter=1&a%20b=2":          "POST https://api.example/[redacted]/of?…=…&[redacted]=…",
		"https://api.example/ada%40example.com/":                  "POST https://api.example/…/",
		"https://api.example/" + strings.Repeat("ab/", 300):       "POST https://api.example/" + strings.Repeat("ab/", 158) + "a…",
	} {
		u, err := url.Parse(raw)
		if err != nil {
			t.Fatal(err)
		}
		if got := connectors.RequestLine(http.MethodPost, u, secrets); got != want {
			t.Errorf("%s: %s, want %s", raw, got, want)
		}
	}
}

// Of an answer's headers a few are kept, and no secret in them.
func TestReadAnswer_headers(t *testing.T) {
	t.Parallel()
	resp := &http.Response{StatusCode: http.StatusFound, Body: io.NopCloser(strings.NewReader("no")), Header: http.Header{
		"Content-Type": {"text/plain"}, "Set-Cookie": {"session=1"}, "Authorization": {"Bearer x"}, "X-Anything": {"1"},
		"Retry-After": {"30"}, "X-Request-Id": {"of hunter2\r\nx: y"}, "Location": {"/login/AbC123dE?to=secret"}, "Server": {""},
	}}
	got, err := connectors.ReadAnswer("GET http://a.example/", resp, connectors.NewRedactor("hunter2"), 100)
	if err != nil {
		t.Fatal(err)
	}
	want := []event.Header{
		{Name: "content-type", Value: "text/plain"},
		{Name: "retry-after", Value: "30"},
		{Name: "location", Value: "/login/…?to=…"},
		{Name: "x-request-id", Value: "of [redacted]  x: y"},
	}
	if receipt := got.Receipt(); !slices.Equal(receipt.Headers, want) {
		t.Errorf("got %v", receipt.Headers)
	}
}
