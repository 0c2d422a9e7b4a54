package web_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hookgate/app/ingest"
	"hookgate/app/ingest/source"
	"hookgate/app/web"
	"hookgate/internal/body"
	"hookgate/internal/event"
)

func TestInAccepts(t *testing.T) {
	t.Parallel()
	f := start(t, func(c *web.Config) { c.Settings.PublicURL = "https://hooks.agency.example" })
	content := `{"event":"website_status_changed","id":9007199254740993}`
	got := f.do(http.MethodPost, "/in/sitejet/"+sitejetToken+"?a=1&a=%20b", content,
		"Content-Type", "application/json; charset=utf-8", "X-Team", "web", "X-Team", "ops",
		"Authorization", "Bearer hidden", "Cookie", "a=hidden", "User-Agent", "Sitejet/1")
	if got.status != http.StatusAccepted || got.body != `{"id":"`+firstID.String()+"\"}\n" {
		t.Fatalf("got %d %s", got.status, got.body)
	}
	if ct := got.header.Get("Content-Type"); ct != "application/json" {
		t.Errorf("content type %q", ct)
	}
	if server := got.header.Get("Server"); server != "" {
		t.Errorf("the answer names the server: %q", server)
	}
	taken := f.intake.taken()
	if len(taken) != 1 {
		t.Fatalf("%d requests taken", len(taken))
	}
	r := taken[0]
	if string(r.Body) != content || r.Method != http.MethodPost || r.RemoteIP != "127.0.0.1" ||
		r.ContentType != "application/json; charset=utf-8" || r.RawQuery != "a=1&a=%20b" || r.Token != sitejetToken {
		t.Errorf("taken %+v", r)
	}
	if want := "https://hooks.agency.example/in/sitejet/" + sitejetToken + "?a=1&a=%20b"; r.URL != want {
		t.Errorf("URL %q, want %q", r.URL, want)
	}
	want := map[string]string{"content-type": "application/json; charset=utf-8", "x-team": "web, ops", "user-agent": "Sitejet/1"}
	if diff := cmp.Diff(want, r.Headers); diff != "" {
		t.Errorf("headers (-want +got):\n%s", diff)
	}
}

func TestInRefuses(t *testing.T) {
	t.Parallel()
	f := start(t)
	for _, c := range []struct {
		name, method, path string
		status             int
		allow              string
	}{
		{"wrong token", "POST", "/in/sitejet/0123456789abcdeX", 403, ""},
		{"no token", "POST", "/in/sitejet", 403, ""},
		{"empty token", "POST", "/in/sitejet/", 403, ""},
		{"unknown source", "POST", "/in/nobody/" + sitejetToken, 403, ""},
		{"unknown source, GET", "GET", "/in/nobody", 403, ""},
		{"wrong token, GET", "GET", "/in/sitejet/x", 403, ""},
		{"a token where there is none", "POST", "/in/github/" + sitejetToken, 403, ""},
		{"other method", "DELETE", "/in/sitejet/" + sitejetToken, 405, "POST, PUT"},
		{"GET where it is not allowed", "GET", "/in/sitejet/" + sitejetToken, 405, "POST, PUT"},
		{"PUT where it is not allowed", "PUT", "/in/open/fedcba9876543210", 405, "POST, GET"},
		{"no signature", "POST", "/in/github", 401, ""},
		{"other case", "POST", "/IN/sitejet/" + sitejetToken, 404, ""},
		{"source in other case", "POST", "/in/Sitejet/" + sitejetToken, 403, ""},
		{"longer path", "POST", "/in/sitejet/" + sitejetToken + "/x", 403, ""},
		{"escaped slash", "POST", "/in/sitejet%2F" + sitejetToken, 403, ""},
		{"double slash", "POST", "//in/sitejet/" + sitejetToken, 404, ""},
		{"no place", "GET", "/nothing", 404, ""},
		{"unknown method", "BREW", "/in/sitejet/" + sitejetToken, 501, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := f.do(c.method, c.path, "{}")
			if got.status != c.status || got.header.Get("Allow") != c.allow {
				t.Errorf("got %d, Allow %q: %s", got.status, got.header.Get("Allow"), got.body)
			}
			got.problem(t)
		})
	}
	if n := len(f.intake.taken()); n != 0 {
		t.Errorf("%d refused requests reached the intake", n)
	}
	unknown, wrong := f.do("POST", "/in/nobody/x", "{}"), f.do("POST", "/in/sitejet/x", "{}")
	unknown.header.Del("Date")
	wrong.header.Del("Date")
	if diff := cmp.Diff(unknown, wrong, cmp.AllowUnexported(answer{})); diff != "" {
		t.Errorf("an unknown source can be told from a wrong token:\n%s", diff)
	}
	if log := f.log.String(); strings.Contains(log, sitejetToken) {
		t.Errorf("the log holds a token: %s", log)
	}
}

func TestInVerifiesSignatures(t *testing.T) {
	t.Parallel()
	f := start(t)
	content := "{\"zen\":  \"raw bytes\"}\n"
	mac := hmac.New(sha256.New, []byte("It's a Secret to Everybody"))
	mac.Write([]byte(content))
	signature := "sha256=" + hex.EncodeToString(mac.Sum(nil))
	if got := f.do("POST", "/in/github", content, "X-Hub-Signature-256", signature); got.status != 202 {
		t.Fatalf("right signature: %d %s", got.status, got.body)
	}
	for _, r := range f.intake.taken() {
		if _, kept := r.Headers["x-hub-signature-256"]; kept {
			t.Error("the signature is kept")
		}
	}
	bad := f.do("POST", "/in/github", content+" ", "X-Hub-Signature-256", signature)
	if bad.status != 401 {
		t.Fatalf("wrong signature: %d", bad.status)
	}
	if strings.Contains(bad.body, "match") || strings.Contains(bad.body, signature) {
		t.Errorf("the answer tells why: %s", bad.body)
	}
	log := f.log.String()
	if !strings.Contains(log, "result=bad_signature") || !strings.Contains(log, "source=github") || strings.Contains(log, signature) {
		t.Errorf("log: %s", log)
	}
}

func TestInGET(t *testing.T) {
	t.Parallel()
	f := start(t)
	if got := f.do("GET", "/in/open/fedcba9876543210?x=1", ""); got.status != 202 {
		t.Fatalf("got %d %s", got.status, got.body)
	}
	r := f.intake.taken()[0]
	if r.RawQuery != "x=1" || len(r.Body) != 0 {
		t.Errorf("taken %+v", r)
	}
}

func TestInAnswersForTheIntake(t *testing.T) {
	t.Parallel()
	id := firstID + 1
	for _, c := range []struct {
		name   string
		ack    ingest.Ack
		err    error
		status int
		retry  string
		want   string // in the answer
		// counted is the result under which the refusal is counted; one that
		// was kept is counted by the intake.
		counted string
	}{
		{"bad JSON", ingest.Ack{ID: id}, &body.Error{Status: 400, Line: 59, Column: 3, Message: `a comma is missing after "}"`, Hint: "add it"}, 400, "", `"line":59,"column":3`, ""},
		{"kept id", ingest.Ack{ID: id}, &body.Error{Status: 415, Message: "no"}, 415, "", `"id":"` + id.String() + `"`, ""},
		{"wrapped", ingest.Ack{}, fmt.Errorf("decode: %w", &body.Error{Status: 413, Message: "the body is too large"}), 413, "", "the body is too large", "unreadable"},
		{"store", ingest.Ack{}, fmt.Errorf("commit: %w", event.ErrUnavailable), 503, "5", "send it again", "unavailable"},
		{"busy source", ingest.Ack{}, &ingest.BusyError{Source: true, RetryAfter: 1500 * time.Millisecond}, 429, "2", "this source", "busy"},
		{"busy", ingest.Ack{}, &ingest.BusyError{RetryAfter: 0}, 503, "", "too many events", "busy"},
		{"ours", ingest.Ack{}, errors.New("SELECT secret FROM x"), 500, "", "the server's log", "error"},
		{"duplicate", ingest.Ack{ID: id, State: event.Duplicate, DuplicateOf: id}, nil, 202, "", id.String(), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := start(t)
			f.intake.answer(c.ack, c.err)
			got := f.do("POST", "/in/sitejet/"+sitejetToken, "{}")
			if got.status != c.status || got.header.Get("Retry-After") != c.retry || !strings.Contains(got.body, c.want) {
				t.Errorf("got %d, Retry-After %q: %s", got.status, got.header.Get("Retry-After"), got.body)
			}
			if counted := f.refused(); counted != c.counted {
				t.Errorf("counted as %q, want %q", counted, c.counted)
			}
			if strings.Contains(got.body, "SELECT") {
				t.Error("the answer shows a fault of ours")
			}
			if c.status == 500 && !strings.Contains(f.log.String(), "SELECT secret") {
				t.Error("a fault of ours is not logged")
			}
		})
	}
}

func TestPanicIsAnswered(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.intake.panic = true
	if got := f.do("POST", "/in/sitejet/"+sitejetToken, "{}"); got.status != 500 {
		t.Fatalf("got %d %s", got.status, got.body)
	}
	if log := f.log.String(); !strings.Contains(log, "a test's panic") || !strings.Contains(log, "in.go") {
		t.Errorf("log: %s", log)
	}
	f.intake.mu.Lock()
	f.intake.panic = false
	f.intake.mu.Unlock()
	if got := f.do("POST", "/in/sitejet/"+sitejetToken, "{}"); got.status != 202 {
		t.Fatalf("after the panic: %d", got.status)
	}
}

// What was taken must outlive its handler: the server uses its buffers again.
func TestTakenRequestsOutliveTheHandler(t *testing.T) {
	t.Parallel()
	f := start(t)
	var text strings.Builder
	const n = 20
	for i := range n {
		content := fmt.Sprintf(`{"n":"%03d"}`, i)
		fmt.Fprintf(&text, "POST /in/sitejet/%s?n=%03d HTTP/1.1\r\nHost: a\r\nX-N: %03d\r\nContent-Type: text/n%03d\r\nContent-Length: %d\r\n\r\n%s",
			sitejetToken, i, i, i, len(content), content)
	}
	if got := f.raw(text.String(), 300*time.Millisecond); len(got) != n {
		t.Fatalf("%d answers", len(got))
	}
	for i, r := range f.intake.taken() {
		mark := fmt.Sprintf("%03d", i)
		if string(r.Body) != `{"n":"`+mark+`"}` || r.Headers["x-n"] != mark || r.RawQuery != "n="+mark ||
			r.ContentType != "text/n"+mark || !strings.HasSuffix(r.URL, mark) || r.Token != sitejetToken {
			t.Fatalf("request %d was changed after its handler: %+v", i, r)
		}
	}
}

func TestKeptHeadersAreBounded(t *testing.T) {
	t.Parallel()
	f := start(t)
	var many []string
	for i := range 80 {
		many = append(many, fmt.Sprintf("X-Many-%02d", i), "v")
	}
	f.do("POST", "/in/sitejet/"+sitejetToken, "{}", many...)
	f.do("POST", "/in/sitejet/"+sitejetToken, "{}", "X-A", strings.Repeat("a", 6000), "X-B", strings.Repeat("b", 6000))
	for i, r := range f.intake.taken() {
		size := 0
		for name, value := range r.Headers {
			size += len(name) + len(value)
		}
		if len(r.Headers) > 50 || len(r.Headers) == 0 || size > 8<<10 {
			t.Errorf("request %d: %d headers of %d bytes are kept", i, len(r.Headers), size)
		}
	}
}

// TestIn_handshake: what a sender wants sent back is the whole answer, whatever
// methods the source takes, and the intake sees nothing of it.
func TestIn_handshake(t *testing.T) {
	t.Parallel()
	f := start(t)
	const subscribe = "?hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token="
	woo := []string{"Content-Type", "application/x-www-form-urlencoded"}
	for _, c := range []struct {
		name, method, path, body string
		headers                  []string
		status                   int
		want                     string
	}{
		{"HEAD", "HEAD", "/in/sitejet/" + sitejetToken, "", nil, 200, ""},
		{"HEAD to a form", "HEAD", "/f/built/" + sitejetToken, "", nil, 200, ""},
		{"HEAD with a wrong token", "HEAD", "/in/sitejet/0123456789abcdeX", "", nil, 403, ""},
		{"HEAD to nobody", "HEAD", "/in/nobody/" + sitejetToken, "", nil, 403, ""},
		{"hub, by the token in the URL", "GET", "/in/open/fedcba9876543210" + subscribe + "x", "", nil, 200, "1158201444"},
		{"hub, and a wrong token in the URL", "GET", "/in/open/fedcba987654321X" + subscribe + "x", "", nil, 403, "not known"},
		{"hub, where nothing is known of it", "GET", "/in/github" + subscribe + "x", "", nil, 405, "Not Allowed"},
		{"hub", "GET", "/in/meta" + subscribe + "a-verify-token", "", nil, 200, "1158201444"},
		{"hub, and a wrong verify token", "GET", "/in/meta" + subscribe + "not-that-token", "", nil, 403, "not known"},
		{"WooCommerce's ping", "POST", "/in/woo", "webhook_id=5", woo, 200, ""},
		{"an order that is not signed", "POST", "/in/woo", "webhook_id=5&total=1", woo, 401, "verified"},
		{"a ping that is signed wrongly", "POST", "/in/woo", "webhook_id=5", append(woo, "X-WC-Webhook-Signature", "AAAA"), 401, "verified"},
		{"a ping to another sender's", "POST", "/in/github", "webhook_id=5", woo, 401, "verified"},
	} {
		got := f.do(c.method, c.path, c.body, c.headers...)
		if got.status != c.status || got.body != c.want && (c.status == 200 || !strings.Contains(got.body, c.want)) {
			t.Errorf("%s: got %d %q, want %d %q", c.name, got.status, got.body, c.status, c.want)
		}
		if got.status == 200 && got.header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: a browser may take the answer for a page: %v", c.name, got.header)
		}
	}
	if n := len(f.intake.taken()); n != 0 {
		t.Errorf("%d tries reached the intake", n)
	}
	if log := f.log.String(); strings.Contains(log, "not-that-token") || strings.Contains(log, "a-verify-token") {
		t.Errorf("the log holds a verify token: %s", log)
	}
	f.intake.ack = ingest.Ack{Handshake: &source.Answer{ContentType: "application/json", Body: `{"challenge":"x"}`}}
	if got := f.do("POST", "/in/sitejet/"+sitejetToken, `{}`); got.status != 200 || got.body != `{"challenge":"x"}` || got.header.Get("Content-Type") != "application/json" {
		t.Errorf("a try in the body: %+v", got)
	}
}

// Senders such as AWS SNS send their password only where they are asked for it
// (RFC 9110, section 11.6.1). Break: answer 401 without WWW-Authenticate.
func TestAuthChallenge(t *testing.T) {
	t.Parallel()
	f := start(t)
	for _, c := range []struct{ path, authorization, want string }{
		{"/in/sns", "", `Basic realm="hookgate", charset="UTF-8"`},
		{"/in/sns", "Basic eDp5", `Basic realm="hookgate", charset="UTF-8"`},
		{"/f/build", "", `Basic realm="hookgate", charset="UTF-8"`},
		{"/in/bearer", "", `Bearer realm="hookgate"`},
		{"/in/bearer", "Bearer wrong", `Bearer realm="hookgate"`},
		{"/in/github", "", ""},
	} {
		var headers []string
		if c.authorization != "" {
			headers = []string{"Authorization", c.authorization}
		}
		got := f.do("POST", c.path, "{}", headers...)
		if got.status != 401 || got.header.Get("WWW-Authenticate") != c.want {
			t.Errorf("%s %q: %d, challenge %q", c.path, c.authorization, got.status, got.header.Get("WWW-Authenticate"))
		}
	}
	if got := f.do("POST", "/in/sitejet/wrong", "{}"); got.header.Get("WWW-Authenticate") != "" {
		t.Error("a wrong token is challenged")
	}
}
