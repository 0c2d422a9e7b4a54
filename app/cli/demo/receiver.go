package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	webhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// The receiver's paths for what stands in for the two services.
const (
	billingPath = "/billing/v1/subscriptions"
	slackPath   = "/slack/services/T000/B000/demo"
)

// arrival is one request that the receiver got.
type arrival struct {
	service string // billing or slack
	body    []byte
	signed  bool  // it must carry a signature
	fault   error // why the signature is wrong; nil when it is right
}

// receiver is a server on the loopback that stands in for Slack and for a
// billing service. It keeps what arrives until it is taken, and serves the
// page with the contact form.
type receiver struct {
	server   *http.Server
	listener net.Listener
	done     chan struct{}

	mu       sync.Mutex
	verify   *webhooks.Webhook // nil: what arrives is of the made-up past
	formURL  string
	arrivals []arrival
	live     func(arrival) // when set, gets each arrival at once
}

// startReceiver listens on a free port of the loopback.
func startReceiver(ctx context.Context) (*receiver, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("the demo's receiver can't listen: %w", err)
	}
	r := &receiver{listener: l, done: make(chan struct{})}
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+billingPath, r.billing)
	mux.HandleFunc("POST "+slackPath, r.slack)
	mux.HandleFunc("GET /{$}", r.page)
	r.server = &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	go func() {
		defer close(r.done)
		_ = r.server.Serve(l) // ends by stop
	}()
	return r, nil
}

// url is the receiver's base URL.
func (r *receiver) url() string { return "http://" + r.listener.Addr().String() }

// stop ends the server and waits for it.
func (r *receiver) stop() {
	_ = r.server.Close()
	<-r.done
}

// expect tells the secret that billing's requests are signed with, and where
// the contact form posts to.
func (r *receiver) expect(secret, formURL string) error {
	verify, err := webhooks.NewWebhook(secret)
	if err != nil {
		return fmt.Errorf("the demo's signing secret: %w", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.verify, r.formURL = verify, formURL
	return nil
}

// take returns what has arrived since it was called last.
func (r *receiver) take() []arrival {
	r.mu.Lock()
	defer r.mu.Unlock()
	list := r.arrivals
	r.arrivals = nil
	return list
}

// follow gives each later arrival to fn at once.
func (r *receiver) follow(fn func(arrival)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.live = fn
}

func (r *receiver) keep(a arrival) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.live != nil {
		r.live(a)
		return
	}
	r.arrivals = append(r.arrivals, a)
}

// billing answers as a billing service would: 401 to a wrong signature.
func (r *receiver) billing(w http.ResponseWriter, req *http.Request) {
	body, ok := readBody(w, req)
	if !ok {
		return
	}
	r.mu.Lock()
	verify := r.verify
	r.mu.Unlock()
	if verify == nil {
		billedInThePast(w, body)
		return
	}
	a := arrival{service: "billing", body: body, signed: true, fault: verify.Verify(body, req.Header)}
	r.keep(a)
	if a.fault != nil {
		http.Error(w, `{"error":"bad signature"}`, http.StatusUnauthorized)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]bool{"ok": true})
}

// billedInThePast answers requests of the made-up past. They are signed for a
// time that is long over.
func billedInThePast(w http.ResponseWriter, body []byte) {
	w.Header().Set("Content-Type", "application/json")
	if bytes.Contains(body, []byte(`"website_id":4003`)) { // of refused
		w.WriteHeader(http.StatusUnprocessableEntity)
		_, _ = io.WriteString(w, `{"error":"this customer is not known"}`)
		return
	}
	_, _ = io.WriteString(w, `{"ok":true}`)
}

// slack answers as an incoming webhook of Slack does.
func (r *receiver) slack(w http.ResponseWriter, req *http.Request) {
	body, ok := readBody(w, req)
	if !ok {
		return
	}
	r.mu.Lock()
	past := r.verify == nil
	r.mu.Unlock()
	if !past {
		r.keep(arrival{service: "slack", body: body})
	}
	_, _ = io.WriteString(w, "ok")
}

// page shows a page with the contact form, as a website would hold it.
func (r *receiver) page(w http.ResponseWriter, _ *http.Request) {
	r.mu.Lock()
	action := r.formURL
	r.mu.Unlock()
	page, err := template.ParseFS(files, "contact.html")
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_ = page.Execute(w, action)
}

func readBody(w http.ResponseWriter, req *http.Request) ([]byte, bool) {
	body, err := io.ReadAll(http.MaxBytesReader(w, req.Body, 1<<20))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
	}
	return body, err == nil
}
