package all_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hookgate/test/connectortest"
)

// An order confirmation follows the quotation of the same key, whatever is
// between them; one of another key, or without one, stands on its own. To
// remember by the connection alone breaks it.
func TestRecipe_memory(t *testing.T) {
	t.Parallel()
	var got []string
	base := connectortest.MustServe(t, func(w http.ResponseWriter, r *http.Request) {
		got = append(got, strings.TrimPrefix(r.URL.String(), "/v1/"))
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, `{"id":"made-`+string(rune('0'+len(got)))+`"}`)
	})
	c := connectortest.MustConnector(t, "lexware", "api_key: canary-lexware-1\napi_url: "+base+"/v1", connectortest.Deps(t))
	const rest = `"name":"Ada","items":[{"name":"Care","price":49}]}}`
	for _, output := range []string{
		`{"create_quotation":{"key":"7",` + rest,
		`{"create_quotation":{"key":8,` + rest,
		`{"create_quotation":{` + rest,
		`{"create_order_confirmation":{"key":7,` + rest,
		`{"create_order_confirmation":{"key":"9",` + rest,
		`{"create_order_confirmation":{` + rest,
		`{"create_order_confirmation":{"key":"8","quotation":"q1",` + rest,
	} {
		if _, err := c.Deliver(t.Context(), connectortest.Delivery(output)); err != nil {
			t.Error(err)
		}
	}
	want := []string{
		"quotations", "quotations", "quotations", "order-confirmations?precedingSalesVoucherId=made-1", "order-confirmations",
		"order-confirmations", "order-confirmations?precedingSalesVoucherId=q1",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// brokenMemory is one whose store is away.
type brokenMemory struct{ get error }

func (m brokenMemory) Get(context.Context, string) (string, bool, error) { return "", false, m.get }

func (brokenMemory) Put(context.Context, string, string) error { return errors.New("disk full") }

func (m brokenMemory) Claim(context.Context, string, time.Duration) (func(), error) {
	return nil, m.get
}

// What cannot be looked up is looked up again; what was made but cannot be
// remembered is not made again.
func TestRecipe_memoryThatFails(t *testing.T) {
	t.Parallel()
	calls := 0
	base := connectortest.MustServe(t, func(w http.ResponseWriter, _ *http.Request) {
		calls++
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, `{"id":"q1"}`)
	})
	for want, memory := range map[string]brokenMemory{"delivered": {}, "transient": {get: errors.New("database is closed")}} {
		deps := connectortest.Deps(t)
		deps.Memory = memory
		c := connectortest.MustConnector(t, "lexware", "api_key: canary-lexware-1\napi_url: "+base+"/v1", deps)
		if _, err := c.Deliver(t.Context(), connectortest.Delivery(`{"create_quotation":{"key":"7","name":"Ada","items":[{"name":"Care","price":49}]}}`)); connectortest.Outcome(err) != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	if calls != 1 {
		t.Errorf("%d quotations were written", calls)
	}
}
