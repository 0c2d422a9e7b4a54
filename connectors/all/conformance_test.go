package all_test

import (
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"hookgate/internal/yamlnode"
	"hookgate/test/connectortest"
)

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
		base := connectortest.MustServe(t, func(w http.ResponseWriter, _ *http.Request) {
			status := int(now.Load())
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(status)
			body := s.success
			if matrix[status] != "delivered" {
				body = "upstream\r\n\x1b[31m  unavailable"
			}
			_, _ = io.WriteString(w, body)
		})
		c := connectortest.MustConnector(t, kind, s.at(base), connectortest.Deps(t))
		for status, want := range matrix {
			now.Store(int64(status))
			receipt, err := s.attempt(t.Context(), t, c, base)
			if got := connectortest.Outcome(err); got != want || receipt.Status != status {
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
		base := connectortest.MustServe(t, func(w http.ResponseWriter, _ *http.Request) {
			r := now.Load()
			if r.after != "" {
				w.Header().Set("Retry-After", r.after)
			}
			w.WriteHeader(r.status)
		})
		c := connectortest.MustConnector(t, kind, s.at(base), connectortest.Deps(t))
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
				if connectortest.Outcome(err) != "transient" || connectortest.WaitOf(err) != want {
					t.Errorf("%d with %q: got %s after %s, want %s", status, value, connectortest.Outcome(err), connectortest.WaitOf(err), want)
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
				base := connectortest.MustServe(t, func(w http.ResponseWriter, r *http.Request) {
					body, _ := io.ReadAll(r.Body)
					text := r.RequestURI + "\n" + string(body) + "\n" + strings.Join(s.secrets, "\n")
					for _, values := range r.Header {
						text += "\n" + strings.Join(values, "\n")
					}
					w.Header().Set("Location", "/moved/"+strings.Join(s.secrets, "/")+"?to="+url.QueryEscape(strings.Join(s.secrets, " ")))
					w.Header().Set("X-Request-Id", "of "+strings.Join(s.secrets, " "))
					w.Header().Set("Set-Cookie", "session="+strings.Join(s.secrets, "-"))
					w.WriteHeader(status)
					_, _ = io.WriteString(w, encode(text))
				})
				receipt, err := s.deliver(t.Context(), t, kind, base, connectortest.Deps(t))
				if len(s.secrets) > 0 && !strings.Contains(string(receipt.Answer), "[redacted]") {
					t.Errorf("%s, %d: the answer is not what was sent: %q, %v", name, status, receipt.Answer, err)
				}
			}
		}
		malformed := connectortest.MustListen(t, func(conn net.Conn) {
			_, _ = io.WriteString(conn, "220 "+strings.Join(s.secrets, " ")+"\r\n\r\n")
		})
		if _, err := s.deliver(t.Context(), t, kind, malformed, connectortest.Deps(t)); connectortest.Outcome(err) != "transient" || err.Error() != "the answer is not HTTP" {
			t.Errorf("malformed: got %v", err)
		}
	})
}

func TestConformance_output(t *testing.T) {
	forEachSample(t, func(t *testing.T, kind string, s sample) {
		base := connectortest.MustServe(t, func(http.ResponseWriter, *http.Request) { t.Error("a request was made") })
		c := connectortest.MustConnector(t, kind, s.at(base), connectortest.Deps(t))
		for _, output := range []string{"", "null and void", "[]", `"x"`, `{"text":1,"json":`, `{"text":{},"body":[]}`} {
			if _, err := c.Deliver(t.Context(), connectortest.Delivery(output)); connectortest.Outcome(err) != "permanent" {
				t.Errorf("%s: got %v", output, err)
			}
		}
	})
}

func TestConformance_settings(t *testing.T) {
	forEachSample(t, func(t *testing.T, kind string, s sample) {
		common := "\ntype: x\ntimeout: 15s\nconcurrency: 8\nrate_limit: 5/s\nretry: { for: 48h }\n"
		connectortest.MustConnector(t, kind, s.at("https://receiver.example")+common, connectortest.Deps(t))
		got := connectortest.Faults(t, kind, s.at("https://receiver.example")+"\ntime_out: 1s\n", connectortest.Deps(t))
		if !strings.Contains(got, "error[unknown-key]") || !strings.Contains(got, `did you mean "timeout"?`) {
			t.Errorf("an unknown key: got %s", got)
		}
		// A value that cannot be used is not repeated by the message about it.
		for _, secret := range s.secrets {
			if got := connectortest.Faults(t, kind, s.at("ftp://"+secret), connectortest.Deps(t)); strings.Contains(got, secret) {
				t.Errorf("a diagnostic shows %s: %s", secret, got)
			}
		}
	})
}

// A setting is the same for all events, in every kind; and a secret that can be
// read on the way is warned of, but not on this machine.
func TestConformance_fixedSettings(t *testing.T) {
	forEachSample(t, func(t *testing.T, kind string, s sample) {
		for _, setting := range connectortest.MustKind(t, kind).Settings {
			if setting.Type != yamlnode.TextType {
				continue
			}
			got := connectortest.Faults(t, kind, setting.Name+": 'x${{ data.path }}'", connectortest.Deps(t))
			if !strings.Contains(got, "error[template-in-") {
				t.Errorf("%s: got %s", setting.Name, got)
			}
		}
		if got := connectortest.Faults(t, kind, s.at("http://127.0.0.1:1"), connectortest.Deps(t)); strings.Contains(got, "no-encryption") {
			t.Errorf("on this machine: %s", got)
		}
	})
	const settings = "token: canary-notion-1\ndatabase: d\napi_url: http://receiver.example"
	if got := connectortest.Faults(t, "notion", settings, connectortest.Deps(t)); !strings.Contains(got, "warn[no-encryption] config.yaml:3:10") {
		t.Errorf("got %s", got)
	}
	for settings, warned := range map[string]bool{
		"webhook url: http://receiver.example/hook":                         false,
		"webhook url: http://127.0.0.1/hook?key=abc":                        false,
		"webhook url: http://receiver.example/hook?key=abc":                 true,
		"webhook url: http://receiver.example/hooks/T0123456789":            true,
		"slack webhook_url: http://receiver.example/x":                      true,
		"mattermost webhook_url: HTTP://receiver.example/x":                 true,
		"discord webhook_url: http://localhost/x":                           false,
		"webhook { url: http://receiver.example, auth: { bearer: a b c } }": true,
	} {
		kind, settings, _ := strings.Cut(settings, " ")
		if got := connectortest.Faults(t, kind, settings, connectortest.Deps(t)); strings.Contains(got, "warn[no-encryption]") != warned {
			t.Errorf("%s %s: got %s", kind, settings, got)
		}
	}
	if got := connectortest.Faults(t, "webhook", "url: 'http://receiver.example/x'\nheaders: { X-A: '${{ data.path }}' }", connectortest.Deps(t)); !strings.Contains(got, "error[template-in-setting] config.yaml:2:") {
		t.Errorf("got %s", got)
	}
}
