package webhook_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"pgregory.net/rapid"

	"hookgate/connectors"
	"hookgate/connectors/webhook"
	"hookgate/internal/event"
	"hookgate/test/connectortest"
)

// Our signatures are the library's, also when one signer makes many at once.
func TestSigner_isTheLibrarys(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		key := rapid.SliceOfN(rapid.Byte(), 1, 100).Draw(t, "key")
		library, err := standardwebhooks.NewWebhookRaw(key)
		if err != nil {
			t.Fatal(err)
		}
		sign := webhook.NewSigner(key)
		var signing sync.WaitGroup
		for range rapid.IntRange(1, 4).Draw(t, "messages") {
			id, body := rapid.String().Draw(t, "id"), rapid.SliceOf(rapid.Byte()).Draw(t, "body")
			at := time.Unix(rapid.Int64Range(0, 1<<40).Draw(t, "at"), 0)
			want, err := library.Sign(id, at, body)
			if err != nil {
				t.Fatal(err)
			}
			signing.Go(func() {
				if got := sign(id, strconv.FormatInt(at.Unix(), 10), body); got != want {
					t.Errorf("got %s, want %s", got, want)
				}
			})
		}
		signing.Wait()
	})
}

// An answer is kept as it came, however long it says to be, and one that was
// read to its end leaves the connection for the next delivery.
//
// Promise: T10.
func TestWebhook_answerLengths(t *testing.T) {
	t.Parallel()
	for _, length := range []int{0, 1, 4, 511, 512, 513, 4095, 4096, 4097, 40_000, connectors.MaxAnswer - 1, connectors.MaxAnswer} {
		for _, said := range []bool{true, false} {
			var peers []string
			body := strings.Repeat("0123456789", length/10+1)[:length]
			base := connectortest.MustServe(t, func(w http.ResponseWriter, r *http.Request) {
				peers = append(peers, r.RemoteAddr)
				if said {
					w.Header().Set("Content-Length", fmt.Sprint(length))
				} else {
					w.WriteHeader(http.StatusOK)
					w.(http.Flusher).Flush()
				}
				_, _ = io.WriteString(w, body)
			})
			c := connectortest.MustConnector(t, "webhook", "url: "+base, connectortest.Deps(t))
			for range 2 {
				receipt, err := c.Deliver(t.Context(), connectortest.Delivery(`{"json":1}`))
				if err != nil || string(receipt.Answer) != body {
					t.Errorf("%d bytes, said %t: got %d bytes, %v", length, said, len(receipt.Answer), err)
				}
			}
			if len(peers) != 2 || peers[0] != peers[1] {
				t.Errorf("%d bytes, said %t: the requests came from %v", length, said, peers)
			}
		}
	}
}

// The shortest answer that can hold a secret is the secret itself.
func TestWebhook_shortAnswers(t *testing.T) {
	t.Parallel()
	for answer, want := range map[string]string{
		"s3cre": "[redacted]", "s3cr": "s3cr", "a s3cre!": "a [redacted]!", "S3CRE": "S3CRE", `"s3\u0063re"`: `"s3\u0063re"`,
	} {
		base := connectortest.MustServe(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, answer) })
		c := connectortest.MustConnector(t, "webhook", "url: "+base+"\nauth: { bearer: s3cre }", connectortest.Deps(t))
		if receipt, err := c.Deliver(t.Context(), connectortest.Delivery(`{"json":1}`)); err != nil || string(receipt.Answer) != want {
			t.Errorf("%s: got %q, %v, want %q", answer, receipt.Answer, err, want)
		}
	}
}

// Deliveries under way at the same time share nothing that one of them changes.
func TestWebhook_concurrent(t *testing.T) {
	t.Parallel()
	const secret = "a plain text secret"
	verifier, err := standardwebhooks.NewWebhookRaw([]byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	base := connectortest.MustServe(t, func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if err := verifier.VerifyIgnoringTimestamp(body, r.Header); err != nil {
			t.Error(err)
		}
		id := r.Header.Get("Webhook-Id")
		got := []string{r.Header.Get("Idempotency-Key"), r.URL.Query().Get("id"), r.Header.Get("X-Id"), string(body), r.URL.Query().Get("k")}
		if want := []string{id, id, id, id, "v"}; fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("got %v, want %v", got, want)
		}
	})
	c := connectortest.MustConnector(t, "webhook", "url: "+base+"?k=v\nsigning_secret: "+secret, connectortest.Deps(t))
	var sending sync.WaitGroup
	for worker := range 4 {
		sending.Go(func() {
			for n := range 50 {
				d := connectortest.Delivery("")
				d.ID += event.DeliveryID(1000*worker + n)
				d.Output = fmt.Appendf(nil, `{"body":%[1]q,"query":{"id":%[1]q},"headers":{"X-Id":%[1]q}}`, d.ID.String())
				if _, err := c.Deliver(context.Background(), d); err != nil {
					t.Error(err)
				}
			}
		})
	}
	sending.Wait()
}
