// Package fakevendors holds stand-ins for the receivers that recipes speak to:
// each speaks its vendor's protocol, login and errors included, and keeps what
// it was told. They are for tests alone.
package fakevendors

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
)

// Record is something that a stand-in was told to keep.
type Record struct {
	Kind   string // customer, subscription, quotation, lead, …
	ID     string
	Fields map[string]any
}

// vendor is what all stand-ins share.
type vendor struct {
	URL string

	mu      sync.Mutex
	records []*Record
	seen    map[string]any // answers by idempotency key
	calls   []string
}

func (v *vendor) serve(tb testing.TB, handler http.HandlerFunc) {
	v.seen = map[string]any{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v.mu.Lock()
		defer v.mu.Unlock()
		v.calls = append(v.calls, r.Method+" "+r.URL.Path)
		w.Header().Set("Content-Type", "application/json")
		handler(w, r)
	}))
	tb.Cleanup(server.Close)
	v.URL = server.URL
}

// Records are what it keeps of a kind, in the order of their making.
func (v *vendor) Records(kind string) []Record {
	v.mu.Lock()
	defer v.mu.Unlock()
	var list []Record
	for _, r := range v.records {
		if r.Kind == kind {
			list = append(list, *r)
		}
	}
	return list
}

// Calls are the requests that it got, as METHOD /path.
func (v *vendor) Calls() []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return append([]string(nil), v.calls...)
}

// find is a record by its id.
func (v *vendor) find(kind, id string) *Record {
	for _, r := range v.records {
		if r.Kind == kind && r.ID == id {
			return r
		}
	}
	return nil
}

func answer(w http.ResponseWriter, status int, body any) {
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

type object = map[string]any

// flat are a form's values.
func flat(form url.Values) object {
	out := object{}
	for name, values := range form {
		out[name] = strings.Join(values, ",")
	}
	return out
}

func decoded(r *http.Request) object {
	var body object
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		return nil
	}
	return body
}
