package connectors_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"hookgate/app/event"
	"hookgate/connectors"
)

// sample is one way to use a kind; the conformance test needs at least one of
// each kind.
type sample struct {
	settings string   // YAML; BASE stands for the receiver's URL
	secrets  []string // every secret in settings
	output   string   // a rendered action
	success  string   // the body of an answer that is a success
	statuses []int    // that are a success with this body
}

func samples() map[string]map[string]sample {
	return map[string]map[string]sample{
		"webhook": {
			"bearer": {
				settings: `
url: BASE/canary-path-0001/x?key=canary-query-0002
headers: { X-Api-Key: canary-header-0003, X-Other: "Token canary/header+0004" }
auth: { bearer: canary-bearer-0005 }
signing_secret: whsec_Y2FuYXJ5LXNpZ25pbmctMDAwNg==`,
				secrets: []string{"canary-path-0001", "canary-query-0002", "canary-header-0003", "canary/header+0004", "canary-bearer-0005", "Y2FuYXJ5LXNpZ25pbmctMDAwNg=="},
				output:  `{"json":{"id":1}}`, success: "done", statuses: []int{200, 201, 202, 204, 299},
			},
			"basic": {
				settings: `
url: BASE/x
auth: { basic: { user: someone, password: "canary<basic>&0007" } }
signing_secret: canary-signing-0008`,
				secrets: []string{"canary<basic>&0007", "canary-signing-0008", "c29tZW9uZTpjYW5hcnk8YmFzaWM+JjAwMDc="},
				output:  `{"form":{"id":1}}`, success: "", statuses: []int{200, 204},
			},
		},
		"slack": {
			"incoming webhook": {
				settings: `webhook_url: BASE/services/T0CANARY1/B0CANARY2/canaryKey0009`,
				secrets:  []string{"T0CANARY1", "B0CANARY2", "canaryKey0009"},
				output:   `{"text":"hello"}`, success: "ok", statuses: []int{200},
			},
			"bot": {
				settings: "bot_token: xoxb-canary-0010\nchannel: '#leads'\napi_url: BASE/api",
				secrets:  []string{"xoxb-canary-0010"},
				output:   `{"text":"hello","blocks":[{"type":"divider"}]}`, success: `{"ok":true,"channel":"C1","ts":"1.2"}`, statuses: []int{200},
			},
		},
	}
}

// speaksHTTP tells the kinds to which the samples apply; the others keep the
// same promises in tests of their own, over their own protocol.
func speaksHTTP(kind string) bool {
	switch kind {
	case "amqp", "email", "kafka", "nats":
		return false
	}
	return true
}

// forEachSample runs a promise for every sample of every kind.
func forEachSample(t *testing.T, check func(t *testing.T, kind string, s sample)) {
	t.Helper()
	t.Parallel()
	everySample(t, func(name, kind string, s sample) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			check(t, kind, s)
		})
	})
}

// forEachSampleAtOnce is forEachSample for promises about time: none waits for
// a processor.
func forEachSampleAtOnce(t *testing.T, check func(t *testing.T, kind string, s sample)) {
	t.Helper()
	t.Parallel()
	var running sync.WaitGroup
	defer running.Wait()
	everySample(t, func(name, kind string, s sample) {
		running.Go(func() { t.Run(name, func(t *testing.T) { check(t, kind, s) }) })
	})
}

// atOnce runs cases at the same time, however many processors there are.
func atOnce[T any](t *testing.T, cases map[string]T, check func(t *testing.T, name string, one T)) {
	t.Helper()
	var running sync.WaitGroup
	defer running.Wait()
	for name, one := range cases {
		running.Go(func() { t.Run(name, func(t *testing.T) { check(t, name, one) }) })
	}
}

// everySample hands out the samples of every kind.
func everySample(t *testing.T, use func(name, kind string, s sample)) {
	t.Helper()
	all := samples()
	maps.Copy(all, recipeSamples(t))
	for _, kind := range builtinKinds() {
		if !speaksHTTP(kind.Name) {
			continue
		}
		if len(all[kind.Name]) == 0 {
			t.Errorf("the kind %q has no samples", kind.Name)
		}
		for name, s := range all[kind.Name] {
			use(kind.Name+"/"+name, kind.Name, s)
		}
	}
}

func (s sample) at(base string) string {
	text := strings.ReplaceAll(s.settings, "BASE", base)
	if strings.Contains(text, "TOKEN") {
		text = strings.ReplaceAll(text, "TOKEN", tokenURL(base))
	}
	return text
}

// deliver makes one attempt to base and checks what holds of every attempt.
func (s sample) deliver(ctx context.Context, t *testing.T, kind, base string, deps connectors.Deps) (event.Receipt, error) {
	t.Helper()
	return s.attempt(ctx, t, mustConnector(t, kind, s.at(base), deps), base)
}

// attempt is deliver by a connector that is there.
func (s sample) attempt(ctx context.Context, t *testing.T, c connectors.Connector, base string) (event.Receipt, error) {
	t.Helper()
	receipt, err := c.Deliver(ctx, delivery(s.output))
	if len(receipt.Answer) > connectors.MaxAnswer {
		t.Errorf("%d bytes of the answer were kept", len(receipt.Answer))
	}
	host := strings.TrimPrefix(base, "http://")
	for _, form := range []string{"%v", "%+v", "%#v", "%q"} {
		text := fmt.Sprintf(form, err) + "\n" + string(receipt.Answer)
		for _, secret := range s.secrets {
			if strings.Contains(text, secret) {
				t.Errorf("the secret %s shows:\n%s", secret, text)
			}
		}
		if err != nil && strings.Contains(fmt.Sprintf(form, err), host) {
			t.Errorf("the error holds the URL: "+form, err)
		}
	}
	return receipt, err
}

func outcome(err error) string {
	switch {
	case err == nil:
		return "delivered"
	case connectors.IsPermanent(err):
		return "permanent"
	}
	return "transient"
}

// waitOf is what the receiver asked to wait.
func waitOf(err error) time.Duration {
	if e, ok := errors.AsType[*connectors.Error](err); ok {
		return e.After
	}
	return 0
}

func TestConformance_status(t *testing.T) {
	forEachSample(t, func(t *testing.T, kind string, s sample) {
		matrix := map[int]string{}
		for _, status := range []int{300, 301, 302, 303, 304, 307, 308, 400, 401, 402, 403, 404, 405, 406, 410, 411, 413, 415, 418, 422, 423, 424, 426, 428, 431, 451, 499} {
			matrix[status] = "permanent"
		}
		for _, status := range []int{408, 409, 425, 429, 500, 501, 502, 503, 504, 507, 520, 522, 524, 529, 599} {
			matrix[status] = "transient"
		}
		for _, status := range s.statuses {
			matrix[status] = "delivered"
		}
		var now atomic.Int64
		base := mustServe(t, func(w http.ResponseWriter, _ *http.Request) {
			status := int(now.Load())
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(status)
			body := s.success
			if matrix[status] != "delivered" {
				body = "upstream\r\n\x1b[31m  unavailable"
			}
			_, _ = io.WriteString(w, body)
		})
		c := mustConnector(t, kind, s.at(base), testDeps(t))
		for status, want := range matrix {
			now.Store(int64(status))
			receipt, err := s.attempt(t.Context(), t, c, base)
			if got := outcome(err); got != want || receipt.Status != status {
				t.Errorf("%d: got %s with status %d (%v), want %s", status, got, receipt.Status, err, want)
			}
			if status == 503 && err.Error() != "503 Service Unavailable: upstream [31m unavailable" {
				t.Errorf("the error is %q", err)
			}
		}
	})
}

func TestConformance_retryAfter(t *testing.T) {
	forEachSample(t, func(t *testing.T, kind string, s sample) {
		type reply struct {
			status int
			after  string
		}
		var now atomic.Pointer[reply]
		base := mustServe(t, func(w http.ResponseWriter, _ *http.Request) {
			r := now.Load()
			if r.after != "" {
				w.Header().Set("Retry-After", r.after)
			}
			w.WriteHeader(r.status)
		})
		c := mustConnector(t, kind, s.at(base), testDeps(t))
		for _, status := range []int{408, 409, 425, 429, 500, 502, 503, 504} {
			for value, want := range map[string]time.Duration{
				"": 0, "7": 7 * time.Second, "0": 0, "junk": 0, "-5": 0, "1e9": 0, "1.5": 0,
				"1000000000":                       24 * time.Hour,
				"99999999999999999999999":          24 * time.Hour,
				"Tue, 10 Mar 2026 09:43:37 GMT":    90 * time.Second,
				"Tuesday, 10-Mar-26 09:43:37 GMT":  90 * time.Second,
				"Tue Mar 10 09:43:37 2026":         90 * time.Second,
				"Tue, 10 Mar 2026 09:00:00 GMT":    0,
				"Tue, 10 Mar 2099 09:00:00 GMT":    24 * time.Hour,
				"Tue, 10 Mar 2026 09:43:37 +01:00": 0,
			} {
				now.Store(&reply{status, value})
				_, err := s.attempt(t.Context(), t, c, base)
				if outcome(err) != "transient" || waitOf(err) != want {
					t.Errorf("%d with %q: got %s after %s, want %s", status, value, outcome(err), waitOf(err), want)
				}
			}
		}
	})
}

// The receiver repeats everything it was sent, in several encodings.
func TestConformance_secrets(t *testing.T) {
	forEachSample(t, func(t *testing.T, kind string, s sample) {
		encodings := map[string]func(string) string{
			"plain": func(text string) string { return text },
			"JSON":  func(text string) string { return strings.ReplaceAll(text, "/", `\/`) },
			"long":  func(text string) string { return strings.Repeat(text+"\n", 1+(2<<20)/len(text)) },
		}
		for name, encode := range encodings {
			for _, status := range []int{200, 400, 503} {
				base := mustServe(t, func(w http.ResponseWriter, r *http.Request) {
					body, _ := io.ReadAll(r.Body)
					text := r.RequestURI + "\n" + string(body) + "\n" + strings.Join(s.secrets, "\n")
					for _, values := range r.Header {
						text += "\n" + strings.Join(values, "\n")
					}
					w.WriteHeader(status)
					_, _ = io.WriteString(w, encode(text))
				})
				receipt, err := s.deliver(t.Context(), t, kind, base, testDeps(t))
				if len(s.secrets) > 0 && !strings.Contains(string(receipt.Answer), "[redacted]") {
					t.Errorf("%s, %d: the answer is not what was sent: %q, %v", name, status, receipt.Answer, err)
				}
			}
		}
		malformed := mustListen(t, func(conn net.Conn) {
			_, _ = io.WriteString(conn, "220 "+strings.Join(s.secrets, " ")+"\r\n\r\n")
		})
		if _, err := s.deliver(t.Context(), t, kind, malformed, testDeps(t)); outcome(err) != "transient" || err.Error() != "the answer is not HTTP" {
			t.Errorf("malformed: got %v", err)
		}
	})
}

func TestConformance_output(t *testing.T) {
	forEachSample(t, func(t *testing.T, kind string, s sample) {
		base := mustServe(t, func(http.ResponseWriter, *http.Request) { t.Error("a request was made") })
		c := mustConnector(t, kind, s.at(base), testDeps(t))
		for _, output := range []string{"", "null and void", "[]", `"x"`, `{"text":1,"json":`, `{"text":{},"body":[]}`} {
			if _, err := c.Deliver(t.Context(), delivery(output)); outcome(err) != "permanent" {
				t.Errorf("%s: got %v", output, err)
			}
		}
	})
}

func TestConformance_settings(t *testing.T) {
	forEachSample(t, func(t *testing.T, kind string, s sample) {
		common := "\ntype: x\ntimeout: 15s\nconcurrency: 8\nrate_limit: 5/s\nretry: { for: 48h }\n"
		mustConnector(t, kind, s.at("https://receiver.example")+common, testDeps(t))
		got := faults(t, kind, s.at("https://receiver.example")+"\ntime_out: 1s\n", testDeps(t))
		if !strings.Contains(got, "error[unknown-key]") || !strings.Contains(got, `did you mean "timeout"?`) {
			t.Errorf("an unknown key: got %s", got)
		}
		// A value that cannot be used is not repeated by the message about it.
		for _, secret := range s.secrets {
			if got := faults(t, kind, s.at("ftp://"+secret), testDeps(t)); strings.Contains(got, secret) {
				t.Errorf("a diagnostic shows %s: %s", secret, got)
			}
		}
	})
}
