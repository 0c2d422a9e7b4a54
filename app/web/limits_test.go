package web_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"hookgate/app/web"
)

func TestBodyLimit(t *testing.T) {
	t.Parallel()
	f := start(t, func(c *web.Config) { c.Settings.MaxBody = 1000 })
	path := "/in/sitejet/" + sitejetToken
	if got := f.do("POST", path, strings.Repeat("x", 1000)); got.status != 202 {
		t.Errorf("at the limit: %d", got.status)
	}
	for _, size := range []int{1001, 100_000, 3 << 20} {
		got := f.do("POST", path, strings.Repeat("x", size))
		if got.status != 413 || !strings.Contains(got.problem(t).Detail, "1000 bytes") {
			t.Errorf("%d bytes: %d %s", size, got.status, got.body)
		}
	}
	if got := f.refused(); got != "too_large" || !strings.Contains(f.log.String(), "too_large") {
		t.Errorf("counted as %q, logged: %s", got, f.log)
	}
	chunked := "POST " + path + " HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" +
		strings.Repeat("100\r\n"+strings.Repeat("x", 256)+"\r\n", 8) + "0\r\n\r\n"
	if got := f.raw(chunked, 100*time.Millisecond); len(got) != 1 || got[0].status != 413 {
		t.Errorf("chunked: %+v", got)
	}
	f.server.Configure(web.Settings{MaxBody: 5000})
	if got := f.do("POST", path, strings.Repeat("x", 5000)); got.status != 202 {
		t.Errorf("after the limit was raised: %d", got.status)
	}
}

// What the header tells is answered at once, however much of the body is still
// to come. Break: read the body before the route.
func TestAnsweredBeforeTheBody(t *testing.T) {
	t.Parallel()
	f := start(t, func(c *web.Config) { c.Settings.MaxBody = 8 << 20 })
	// A machine that does something else may stand still for longer: not each time.
	const atOnce = 100 * time.Millisecond
	const json, form = "Content-Type: application/json\r\n", "Content-Type: application/x-www-form-urlencoded\r\n"
	for name, c := range map[string]struct {
		path, header string
		length       int
		status       int
	}{
		"an unknown path":   {"/nope", json, 5 << 20, 404},
		"no such source":    {"/in/nope/0123456789abcdef", json, 5 << 20, 403},
		"a wrong token":     {"/in/sitejet/wrong", json, 5 << 20, 403},
		"a length too much": {"/in/sitejet/" + sitejetToken, json, 9 << 20, 413},
		"no such form":      {"/f/nope", form, 5 << 20, 404},
		"a large form post": {"/f/contact", form, 5 << 20, 413},
		"a large upload":    {"/f/apply", "Content-Type: multipart/form-data; boundary=B\r\n", 5 << 20, 413},
		"a wrong origin":    {"/f/guarded", form + "Origin: https://evil.example\r\n", 5 << 20, 403},
		"no login":          {"/api/v1/reload", json, 5 << 20, 404},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fastest := time.Hour
			for try := 0; try < 50 && fastest > atOnce; try++ {
				conn := f.dial()
				began := time.Now()
				_, err := fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: a\r\n%sContent-Length: %d\r\n\r\n%s", c.path, c.header, c.length, strings.Repeat("x", 1000))
				if err != nil {
					t.Fatal(err)
				}
				text := make([]byte, 12)
				// Who waits for the body answers after ReadTimeout, 10 s, and more for as large a one.
				_ = conn.SetReadDeadline(began.Add(8 * time.Second))
				_, err = io.ReadFull(conn, text)
				took := time.Since(began)
				if err != nil || string(text) != fmt.Sprintf("HTTP/1.1 %d", c.status) {
					t.Fatalf("%q after %s: %v, want %d at once", text, took, err, c.status)
				}
				fastest = min(fastest, took)
				_ = conn.Close()
			}
			if fastest > atOnce {
				t.Errorf("the fastest of 50 answers took %s", fastest)
			}
		})
	}
}

// Who sends all of a body before reading is told nevertheless. Break: close
// the connection without lingering.
func TestLingers(t *testing.T) {
	t.Parallel()
	f := start(t, func(c *web.Config) { c.Settings.MaxBody = 1 << 20 })
	content := strings.Repeat("x", 3<<20)
	for n := range 20 {
		if got := f.do("POST", "/in/sitejet/"+sitejetToken, content); got.status != 413 {
			t.Fatalf("post %d: %d %s", n+1, got.status, got.body)
		}
	}
}

// A short body that has come with its header does not cost the sender the
// connection, whatever the answer.
func TestRefusedAndKept(t *testing.T) {
	t.Parallel()
	f := start(t)
	next := "POST /in/sitejet/" + sitejetToken + " HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}"
	for _, begin := range []string{
		"POST /in/sitejet/wrong HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nGET /",
		"POST /nope HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nGET /\r\n0\r\n\r\n",
	} {
		if got := f.raw(begin+next, 100*time.Millisecond); len(got) != 2 || got[1].status != 202 {
			t.Errorf("%.30q: %+v", begin, got)
		}
	}
	if n := len(f.intake.taken()); n != 2 {
		t.Errorf("%d requests reached the intake", n)
	}
}

// Nothing that is sent to no address goes without a trace. Break: leave out lost.
func TestNoSuchAddress(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		path, result, page string
		status             int
	}{
		{"/in/sitejet/" + sitejetToken + "/", "wrong_token", "", 403},
		{"/in/in/sitejet/" + sitejetToken, "wrong_token", "", 403},
		{"/f/contact/", "not_found", "There is no such form", 404},
		{"/f/kontakt", "not_found", "There is no such form", 404},
		{"/f/../in/sitejet/" + sitejetToken, "not_found", "There is no such form", 404},
		{"/f/a/b/c", "not_found", "There is no such form", 404},
		{"/nope", "not_found", "", 404},
	} {
		f := start(t)
		got := f.do("POST", c.path, "name=Ada", "Content-Type", urlencoded, "Accept", "text/html")
		if got.status != c.status || !strings.Contains(got.body, c.page) {
			t.Errorf("%s: %d %s", c.path, got.status, got.body)
		}
		if counted := f.refused(); counted != c.result || !strings.Contains(f.log.String(), c.result) {
			t.Errorf("%s: counted as %q, logged: %s", c.path, counted, f.log)
		}
		if strings.Contains(f.log.String(), sitejetToken) {
			t.Errorf("%s: the log has the token", c.path)
		}
	}
}

// A script's post that the browser asks about first gets no further where there
// is no form: that leaves the same trace, with the page's origin. A page that is
// only looked for is counted.
func TestNoSuchAddress_preflight(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/f/kontakt", "/f/contact/", "/nope"} {
		f := start(t)
		got := f.do("OPTIONS", path, "", "Origin", "https://old.example", "Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "content-type")
		if got.status != 404 || f.refused() != "not_found" || !strings.Contains(f.log.String(), "https://old.example") {
			t.Errorf("%s: %d, counted as %q, logged: %s", path, got.status, f.refused(), f.log)
		}
		quiet := start(t)
		for _, method := range []string{"GET", "OPTIONS"} {
			quiet.do(method, path, "", "Origin", "https://old.example")
		}
		if strings.Contains(quiet.log.String(), "not_found") {
			t.Errorf("%s: logged: %s", path, quiet.log)
		}
	}
}

// Visitors behind a proxy that is not trusted are one: that is said, once.
func TestUntrustedProxy(t *testing.T) {
	t.Parallel()
	f := start(t)
	for n := range 3 {
		f.do("POST", "/f/contact", "name=Ada", "Content-Type", urlencoded, "X-Forwarded-For", fmt.Sprintf("203.0.113.%d", n))
	}
	if n := strings.Count(f.log.String(), "trusted_proxies"); n != 1 {
		t.Errorf("said %d times: %s", n, f.log)
	}
	trusting := start(t, func(c *web.Config) {
		c.Settings.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	})
	trusting.do("POST", "/f/contact", "name=Ada", "Content-Type", urlencoded, "X-Forwarded-For", "203.0.113.7")
	if strings.Contains(trusting.log.String(), "trusted_proxies") {
		t.Errorf("said of a trusted one: %s", trusting.log)
	}
	// The trusted one names another, of which nobody said that it is trusted.
	trusting.do("POST", "/f/contact", "name=Ada", "Content-Type", urlencoded, "X-Forwarded-For", "10.1.2.3")
	if strings.Contains(trusting.log.String(), "trusted_proxies") {
		t.Errorf("said of a visitor in the own network: %s", trusting.log)
	}
	trusting.do("POST", "/f/contact", "name=Ada", "Content-Type", urlencoded, "X-Forwarded-For", "203.0.113.7, 10.1.2.3")
	if !strings.Contains(trusting.log.String(), "10.1.2.3") {
		t.Errorf("not said of the second: %s", trusting.log)
	}
}

// A body that takes much to understand is refused while others fill the memory,
// and so is a form post that is compressed. Break: weigh nothing.
//
// Promise: P18, T2.
func TestUnderstandingIsBounded(t *testing.T) {
	t.Parallel()
	f := start(t, func(c *web.Config) { c.Limits.BodyMemory = 4 << 20 })
	f.intake.hold, f.intake.entered = make(chan struct{}), make(chan struct{}, 8)
	var posts sync.WaitGroup
	defer posts.Wait()
	defer close(f.intake.hold)
	path := "/in/sitejet/" + sitejetToken
	heavy := "[" + strings.Repeat("0,", 4000) + "0]" // 8 KB, some 1.8 MB to understand
	for range 2 {
		posts.Go(func() { f.do("POST", path, heavy) })
		<-f.intake.entered
	}
	if got := f.do("POST", path, heavy); got.status != 503 || got.header.Get("Retry-After") == "" {
		t.Errorf("a third heavy body: %d %s", got.status, got.body)
	}
	posts.Go(func() { f.do("POST", path, `{"a":1}`) })
	<-f.intake.entered // a small one goes on
	if got := f.do("POST", "/f/contact", "x", "Content-Encoding", "gzip", "Content-Type", urlencoded); got.status != 415 {
		t.Errorf("a compressed form post: %d", got.status)
	}
}

func TestHeaderLimit(t *testing.T) {
	t.Parallel()
	f := start(t)
	text := "POST /in/sitejet/" + sitejetToken + " HTTP/1.1\r\nHost: a\r\nX-A: " + strings.Repeat("a", 20<<10) + "\r\n\r\n"
	if got := f.raw(text, 100*time.Millisecond); len(got) != 1 || got[0].status != 431 {
		t.Errorf("answers: %+v", got)
	}
}

// A request that never ends is cut off, in its header and in its body, however
// often a byte of it arrives.
//
// Promise: T3.
func TestSlowLoris(t *testing.T) {
	t.Parallel()
	const limit = 300 * time.Millisecond
	f := start(t, func(c *web.Config) { c.Limits.ReadTimeout = limit })
	for name, begin := range map[string]string{
		"header":  "POST /in/sitejet/" + sitejetToken + " HTTP/1.1\r\nHost: a\r\nX-A: ",
		"body":    "POST /in/sitejet/" + sitejetToken + " HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n",
		"nothing": "",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn, err := net.Dial("tcp", f.addr)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			began := time.Now()
			if _, err := io.WriteString(conn, begin); err != nil {
				t.Fatal(err)
			}
			stop := make(chan struct{})
			defer close(stop)
			if begin != "" {
				go dribble(conn, stop)
			}
			_ = conn.SetReadDeadline(began.Add(100 * limit))
			content, _ := io.ReadAll(conn)
			if took := time.Since(began); took < limit/2 || took > 50*limit {
				t.Errorf("cut off after %s", took)
			}
			if begin != "" && !strings.HasPrefix(string(content), "HTTP/1.1 408 ") {
				t.Errorf("answer %q", content)
			}
		})
	}
}

func dribble(conn net.Conn, stop chan struct{}) {
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for {
		select {
		case <-stop:
			return
		case <-ticker.C:
			if _, err := io.WriteString(conn, "a"); err != nil {
				return
			}
		}
	}
}

func (f *fixture) dial() net.Conn {
	f.t.Helper()
	conn, err := net.Dial("tcp", f.addr)
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// served reports whether the server answers on the connection.
func served(t *testing.T, conn net.Conn) bool {
	t.Helper()
	if _, err := io.WriteString(conn, "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"); err != nil {
		return false
	}
	_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	b := make([]byte, 12)
	_, err := io.ReadFull(conn, b)
	return err == nil && string(b) == "HTTP/1.1 200"
}

// Promise: P18, T3.
func TestConnectionsPerAddress(t *testing.T) {
	t.Parallel()
	limited := func(c *web.Config) { c.Limits.ConnectionsPerIP = 3 }
	f := start(t, limited)
	var first net.Conn
	for i := range 3 {
		conn := f.dial()
		if !served(t, conn) {
			t.Fatalf("connection %d is not served", i+1)
		}
		first = conn
	}
	if served(t, f.dial()) {
		t.Error("a fourth connection is served")
	}
	_ = first.Close()
	deadline := time.Now().Add(5 * time.Second)
	for !served(t, f.dial()) {
		if time.Now().After(deadline) {
			t.Fatal("no connection is served after one was closed")
		}
	}

	trusting := start(t, limited, func(c *web.Config) {
		c.Settings.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	})
	for i := range 6 {
		if !served(t, trusting.dial()) {
			t.Fatalf("connection %d of a trusted proxy is not served", i+1)
		}
	}
}

// Promise: P18, T3.
func TestConnectionsAltogether(t *testing.T) {
	t.Parallel()
	f := start(t, func(c *web.Config) {
		c.Limits.Connections = 2
		c.Settings.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	})
	for i := range 2 {
		if !served(t, f.dial()) {
			t.Fatalf("connection %d is not served", i+1)
		}
	}
	if served(t, f.dial()) {
		t.Error("a third connection is served")
	}
}

// Half-read bodies take up no more memory than they may together; small
// requests go on meanwhile, and everything does when the large ones are gone.
//
// Promise: P18.
func TestBodyMemory(t *testing.T) {
	t.Parallel()
	f := start(t, func(c *web.Config) { c.Limits.BodyMemory = 1 << 20 })
	path := "/in/sitejet/" + sitejetToken
	half := func(n int) net.Conn {
		conn := f.dial()
		_, err := fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: a\r\nContent-Length: 2000000\r\n\r\n%s", path, strings.Repeat("x", n))
		if err != nil {
			t.Fatal(err)
		}
		return conn
	}
	first := half(900_000)
	second := half(900_000)
	// Which of the two is cut off depends on how the kernel hands over their
	// bytes; one of them must be, long before its time is over.
	got := make(chan string, 2)
	for _, conn := range []net.Conn{first, second} {
		go func() {
			_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second))
			text := make([]byte, 12)
			_, _ = io.ReadFull(conn, text)
			got <- string(text)
		}()
	}
	if text := <-got; text != "HTTP/1.1 503" {
		t.Errorf("the first answer is %q", text)
	}
	if got := f.do("POST", path, "{}"); got.status != 202 {
		t.Errorf("a small request: %d", got.status)
	}
	_ = first.Close()
	_ = second.Close()
	deadline := time.Now().Add(5 * time.Second)
	for {
		got := f.do("POST", path, strings.Repeat("x", 500_000))
		if got.status == 202 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("large requests are still refused: %d", got.status)
		}
	}
}

// Shutdown finishes what has begun and takes nothing new.
func TestShutdown(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.intake.hold = make(chan struct{})
	f.intake.entered = make(chan struct{}, 1)
	idle := f.dial()
	if !served(t, idle) {
		t.Fatal("not served")
	}
	got := make(chan answer, 1)
	go func() { got <- f.do("POST", "/in/sitejet/"+sitejetToken, "{}") }()
	<-f.intake.entered
	done := make(chan error, 1)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	go func() { done <- f.server.Shutdown(ctx, 10*time.Second) }()
	deadline := time.Now().Add(5 * time.Second)
	for { // until the listener is closed
		conn, err := net.DialTimeout("tcp", f.addr, time.Second)
		if err != nil {
			break
		}
		_ = conn.Close()
		if time.Now().After(deadline) {
			t.Fatal("it still listens")
		}
	}
	select {
	case err := <-done:
		t.Fatalf("Shutdown did not wait for the request: %v", err)
	default:
	}
	close(f.intake.hold)
	if a := <-got; a.status != 202 {
		t.Errorf("the request under way got %d", a.status)
	}
	if err := <-done; err != nil {
		t.Errorf("shutdown: %v", err)
	}
}

// A request that its sender does not end is closed after the patience of
// Shutdown, a lingering connection too, and Shutdown has not failed.
// Negative control: without cutOff it has, at its end.
func TestShutdown_stalled(t *testing.T) {
	t.Parallel()
	f, in := startUploads(t, 1<<30, func(c *web.Config) { c.Limits.Progress = time.Minute })
	stalled, lingering := f.dial(), f.dial()
	fmt.Fprintf(stalled, "POST /f/apply HTTP/1.1\r\nHost: a\r\nContent-Type: %s\r\nContent-Length: 20000\r\n\r\n-", multipartType)
	fmt.Fprint(lingering, "POST /nope HTTP/1.1\r\nHost: a\r\nContent-Length: 2000000\r\n\r\n")
	<-in.begun
	begun := time.Now()
	if err := f.server.Shutdown(t.Context(), 300*time.Millisecond); err != nil || time.Since(begun) > 2*time.Second {
		t.Errorf("after %s: %v", time.Since(begun), err)
	}
	_ = stalled.SetReadDeadline(time.Now().Add(5 * time.Second))
	if content, err := io.ReadAll(stalled); errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("it is still open: %q", content)
	}
	if !strings.Contains(f.log.String(), "in the middle of their requests") {
		t.Errorf("log: %s", f.log.String())
	}
}
