package web_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"hookgate/app/admin/access"
	"hookgate/app/ingest"
	"hookgate/app/metrics"
	"hookgate/app/web"
	"hookgate/app/web/api"
	"hookgate/internal/event"
	"hookgate/test/journal"
	"hookgate/test/planned"
)

const sitejetToken = "0123456789abcdef"

const planYAML = `
sources:
  sitejet: { type: sitejet, token: 0123456789abcdef }
  open: { type: webhook, token: fedcba9876543210, methods: [POST, GET] }
  github: { type: webhook, verify: { scheme: github, secret: It's a Secret to Everybody } }
  sns: { type: webhook, verify: { scheme: basic, user: sns, password: a-long-password } }
  meta: { type: webhook, verify: { scheme: hmac, secret: geheim, header: X-Hub-Signature-256, prefix: "sha256=" }, challenge: { scheme: hub, verify_token: a-verify-token } }
  woo: { type: webhook, verify: { scheme: hmac, secret: geheim, header: x-wc-webhook-signature, encoding: base64 } }
  bearer: { type: webhook, verify: { scheme: bearer, secret: a-long-password } }
forms:
  built: { via: webhook, token: 0123456789abcdef, fields: any }
  build: { via: webhook, verify: { scheme: basic, user: sns, password: a-long-password }, fields: any }
  contact:
    origins: [https://harrys-diner.example]
    fields: { name: { type: text, required: true }, email: { type: email } }
    rate_limit: 1000/m
  timed:
    origins: [https://harrys-diner.example]
    fields: { name: { required: true } }
    min_time: 3s
  home:
    origins: [https://harrys-diner.example]
    fields: any
    redirect: https://harrys-diner.example/thanks
    rate_limit: 3/m
    lang: de
  apply: { fields: { cv: { type: file, max_size: 100KB } }, max_body: 50KB, rate_limit: 1000/m }
  guarded: { fields: { cv: { type: file } }, origins: [https://harrys-diner.example] }
`

type fixture struct {
	t       testing.TB
	server  *web.Server
	intake  *fakeIntake
	addr    string
	log     *journal.Journal
	metrics *metrics.Metrics
	ready   func(error)
}

// refused is the result under which the metrics count a refusal, "" for none.
func (f *fixture) refused() string {
	f.t.Helper()
	rec := httptest.NewRecorder()
	f.metrics.Handler().ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	_, after, _ := strings.Cut(rec.Body.String(), `hookgate_events_received_total{result="`)
	result, _, _ := strings.Cut(after, `"`)
	return result
}

// start serves on a loopback port until the test ends.
func start(t testing.TB, change ...func(*web.Config)) *fixture {
	t.Helper()
	f := &fixture{t: t, intake: &fakeIntake{ack: ingest.Ack{ID: firstID, State: event.Routed}}, log: &journal.Journal{}, metrics: metrics.New()}
	plan := planned.Must(t, planYAML)
	plan.ID = 1
	var mu sync.Mutex
	var notReady error
	f.ready = func(err error) {
		mu.Lock()
		defer mu.Unlock()
		notReady = err
	}
	cfg := web.Config{
		Plan:   func() *ingest.Plan { return plan },
		Intake: f.intake,
		Admin:  fakeAdmin{},
		Access: access.New(access.Options{People: func() access.People { return access.People{} }, Now: time.Now, Logger: slog.New(slog.DiscardHandler)}),
		Ready: func() error {
			mu.Lock()
			defer mu.Unlock()
			return notReady
		},
		Metrics: f.metrics.Handler(),
		Refused: f.metrics.EventReceived,
		Logger:  slog.New(slog.NewTextHandler(f.log, nil)),
		Now:     time.Now,
	}
	for _, c := range change {
		c(&cfg)
	}
	f.server = web.New(cfg)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f.addr = ln.Addr().String()
	done := make(chan error, 1)
	go func() { done <- f.server.Serve(ln) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := f.server.Shutdown(ctx, 10*time.Second); err != nil {
			t.Errorf("shutdown: %v", err)
		}
		if err := <-done; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	return f
}

type answer struct {
	status int
	header http.Header
	body   string
}

func (a answer) problem(t *testing.T) api.Problem {
	t.Helper()
	if got := a.header.Get("Content-Type"); got != "application/problem+json" {
		t.Fatalf("content type %q, status %d, body %s", got, a.status, a.body)
	}
	var p api.Problem
	if err := json.Unmarshal([]byte(a.body), &p); err != nil {
		t.Fatalf("%v in %s", err, a.body)
	}
	if p.Status != a.status || p.Title == "" {
		t.Errorf("the problem says status %d and title %q, the answer has %d", p.Status, p.Title, a.status)
	}
	return p
}

// do sends a request over a new connection; headers come in pairs.
func (f *fixture) do(method, path, content string, headers ...string) answer {
	f.t.Helper()
	req, err := http.NewRequestWithContext(f.t.Context(), method, "http://"+f.addr+path, strings.NewReader(content))
	if err != nil {
		f.t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Add(headers[i], headers[i+1])
	}
	transport := &http.Transport{DisableKeepAlives: true, DisableCompression: true}
	defer transport.CloseIdleConnections()
	res, err := transport.RoundTrip(req)
	if err != nil {
		f.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		f.t.Fatal(err)
	}
	return answer{res.StatusCode, res.Header, string(text)}
}

// raw sends bytes over a new connection and returns all answers until the
// server closes it, or until it has been silent for the pause after an answer.
func (f *fixture) raw(text string, pause time.Duration) []answer {
	f.t.Helper()
	conn, err := net.Dial("tcp", f.addr)
	if err != nil {
		f.t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, text); err != nil {
		f.t.Fatal(err)
	}
	return readAnswers(f.t, conn, pause)
}

func readAnswers(t testing.TB, conn net.Conn, pause time.Duration) []answer {
	t.Helper()
	var answers []answer
	r := bufio.NewReader(conn)
	for {
		wait := 5 * time.Second
		if len(answers) > 0 {
			wait = pause
		}
		if err := conn.SetReadDeadline(time.Now().Add(wait)); err != nil {
			t.Fatal(err)
		}
		res, err := http.ReadResponse(r, nil)
		if err != nil {
			var timeout net.Error
			if len(answers) == 0 && errors.As(err, &timeout) && timeout.Timeout() {
				t.Fatal("no answer in 5 s")
			}
			return answers
		}
		content, _ := io.ReadAll(res.Body)
		_ = res.Body.Close()
		answers = append(answers, answer{res.StatusCode, res.Header, string(content)})
	}
}
