package egress_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"hookgate/internal/egress"
)

// talker is a receiver that answers what it is told to, byte for byte: the
// first request over a connection gets the first part, and so on; then it
// closes the connection.
type talker struct {
	url   string
	mu    sync.Mutex
	heard []string // the requests, each with the number of its connection before it
}

func mustTalk(t *testing.T, parts ...string) *talker {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	tk := &talker{url: "http://" + listener.Addr().String()}
	var serving sync.WaitGroup
	t.Cleanup(func() { _ = listener.Close(); serving.Wait() })
	serving.Go(func() {
		for n := 1; ; n++ {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { tk.serve(conn, n, parts) })
		}
	})
	return tk
}

func (tk *talker) serve(conn net.Conn, n int, parts []string) {
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
	in := bufio.NewReader(conn)
	for _, part := range parts {
		req, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		body, _ := io.ReadAll(req.Body)
		tk.mu.Lock()
		tk.heard = append(tk.heard, fmt.Sprintf("%d %s %s %s %v %v %q", n, req.Method, req.URL, strings.ReplaceAll(req.Host, tk.url[7:], "HOST"), req.Header, req.TransferEncoding, body))
		tk.mu.Unlock()
		if _, err := io.WriteString(conn, part); err != nil || part == "" {
			return
		}
	}
}

func (tk *talker) requests() []string {
	tk.mu.Lock()
	defer tk.mu.Unlock()
	return append([]string(nil), tk.heard...)
}

// told is all that the caller of a transport is told of one request.
type told struct {
	Status  int
	Proto   string
	Header  http.Header
	Trailer http.Header
	Length  int64
	Close   bool
	Body    string
	Failure string // of the round trip
	Broken  string // of reading the body
}

// ask makes a request and reads at most 1 MB of the answer.
func ask(transport http.RoundTripper, req *http.Request) told {
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return told{Failure: kindOf(err)}
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	got := told{
		Status: resp.StatusCode, Proto: resp.Proto, Header: resp.Header, Trailer: resp.Trailer, Length: resp.ContentLength,
		Close: resp.Close, Body: string(body), Broken: kindOf(err),
	}
	if resp.Request != req {
		got.Failure = "the answer is that of another request"
	}
	_ = resp.Body.Close()
	if _, err := resp.Body.Read(make([]byte, 1)); err == nil {
		got.Failure = "a closed body can be read"
	}
	return got
}

// kindOf is the part of an error that connectors tell their users in other words.
func kindOf(err error) string {
	switch {
	case err == nil:
		return ""
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "closed"
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded), errors.Is(err, egress.ErrRefused):
		return err.Error()
	case strings.Contains(err.Error(), "headers exceeded"):
		return "headers"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), strings.Contains(err.Error(), "server closed"):
		return "closed"
	}
	return "not HTTP"
}

// String is what matters to who sent a delivery: the status and how long the
// body is, or what there was instead.
func (d told) String() string {
	if d.Failure != "" {
		return d.Failure
	}
	text := fmt.Sprintf("%d of %d", d.Status, len(d.Body))
	if d.Broken != "" {
		text += ", then " + d.Broken
	}
	return text
}

// answers are what receivers may send: proper, odd, and hostile.
func answers() map[string][]string {
	ok := "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
	none := "HTTP/1.1 204 No Content\r\n\r\n"
	return map[string][]string{
		"kept":                      {ok, ok, ok},
		"no content":                {none, none, none},
		"not modified":              {"HTTP/1.1 304 Not Modified\r\nContent-Length: 10\r\n\r\n", ok, ok},
		"chunks":                    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n3;x=y\r\n!!!\r\n0\r\n\r\n", ok, ok},
		"chunks and a trailer":      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-After\r\n\r\n2\r\nok\r\n0\r\nX-After: 1\r\n\r\n", ok, ok},
		"a chunk that lies":         {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nok\r\n0\r\n\r\n", ok, ok},
		"chunks that break off":     {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nok"},
		"chunks and a length":       {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n2\r\nok\r\n0\r\n\r\n", ok, ok},
		"an unknown coding":         {"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nok"},
		"until it closes":           {"HTTP/1.1 200 OK\r\n\r\nuntil the end"},
		"closes":                    {"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"},
		"says it closes, does not":  {"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", ok, ok},
		"HTTP/1.0":                  {"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", ok},
		"HTTP/1.0, kept":            {"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok", ok, ok},
		"HTTP/2.0 in words":         {"HTTP/2.0 200 OK\r\nContent-Length: 2\r\n\r\nok"},
		"continue":                  {"HTTP/1.1 100 Continue\r\n\r\n" + ok, ok, ok},
		"hints":                     {strings.Repeat("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n", 20) + ok, ok, ok},
		"endless hints":             {strings.Repeat("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n", 4000) + ok},
		"continue and no more":      {"HTTP/1.1 100 Continue\r\n\r\n"},
		"nothing":                   {""},
		"closes in the status":      {"HTTP/1.1 20"},
		"closes in the headers":     {"HTTP/1.1 200 OK\r\nContent-Le"},
		"closes in the body":        {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nok"},
		"garbage":                   {"\x00\x01\x02 not http at all\r\n\r\n"},
		"TLS":                       {"\x15\x03\x01\x00\x02\x02\x46"},
		"a word":                    {"hello\r\n"},
		"no status":                 {"HTTP/1.1 OK\r\n\r\n"},
		"a status of four digits":   {"HTTP/1.1 2000 OK\r\n\r\n"},
		"a negative status":         {"HTTP/1.1 -20 OK\r\n\r\n"},
		"no number as status":       {"HTTP/1.1 000 Zero\r\nContent-Length: 2\r\n\r\nok", ok, ok},
		"no reason":                 {"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok", ok, ok},
		"lines end with LF":         {"HTTP/1.1 200 OK\nContent-Length: 2\n\nok", ok, ok},
		"a header without a colon":  {"HTTP/1.1 200 OK\r\nnonsense\r\nContent-Length: 2\r\n\r\nok"},
		"a header with a space":     {"HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\nok"},
		"a folded header":           {"HTTP/1.1 200 OK\r\nX-A: 1\r\n  2\r\nContent-Length: 2\r\n\r\nok", ok, ok},
		"lengths that differ":       {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok!"},
		"lengths that agree":        {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok", ok, ok},
		"a negative length":         {"HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nok"},
		"a length with a sign":      {"HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nok"},
		"a huge length":             {"HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775807\r\n\r\nok"},
		"a length beyond all":       {"HTTP/1.1 200 OK\r\nContent-Length: 92233720368547758070\r\n\r\nok"},
		"a long header":             {"HTTP/1.1 200 OK\r\nX-Long: " + strings.Repeat("x", egress.MaxHeaderBytes) + "\r\n\r\n"},
		"a line without end":        {"HTTP/1.1 200 " + strings.Repeat("x", 2*egress.MaxHeaderBytes)},
		"many headers":              {"HTTP/1.1 200 OK\r\n" + strings.Repeat("A: b\r\n", egress.MaxHeaderBytes/4) + "\r\n"},
		"large headers, not many":   {"HTTP/1.1 200 OK\r\nX-Long: " + strings.Repeat("x", egress.MaxHeaderBytes/2) + "\r\nContent-Length: 2\r\n\r\nok", ok, ok},
		"a large body":              {"HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n" + strings.Repeat("x", 200_000), ok, ok},
		"closed after one":          {ok},
		"closed after two":          {ok, none},
		"closed without an answer":  {ok, "", ok},
		"a redirect":                {"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n", ok, ok},
		"a packed body":             {"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n\x1f\x8b", ok, ok},
		"a header twice, odd cases": {"HTTP/1.1 200 OK\r\nx-a: 1\r\nX-A: 2\r\ncontent-length: 2\r\n\r\nok", ok, ok},
	}
}

// outcomes are what the three requests to such a receiver end with, and the
// connections that they were heard on.
func outcomes() map[string]string {
	return map[string]string{
		"kept":                      "[200 of 2 200 of 2 200 of 2] 1 1 1",
		"no content":                "[204 of 0 204 of 0 204 of 0] 1 1 1",
		"not modified":              "[304 of 0 200 of 2 200 of 2] 1 1 1",
		"chunks":                    "[200 of 5 200 of 2 200 of 2] 1 1 1",
		"chunks and a trailer":      "[200 of 2 200 of 2 200 of 2] 1 1 1",
		"a chunk that lies":         "[200 of 0, then not HTTP 200 of 0, then not HTTP 200 of 0, then not HTTP] 1 2 3",
		"chunks that break off":     "[200 of 2, then closed 200 of 2, then closed 200 of 2, then closed] 1 2 3",
		"chunks and a length":       "[200 of 2 200 of 2 200 of 2] 1 1 1",
		"an unknown coding":         "[not HTTP not HTTP not HTTP] 1 2 3",
		"until it closes":           "[200 of 13 200 of 13 200 of 13] 1 2 3",
		"closes":                    "[200 of 2 200 of 2 200 of 2] 1 2 3",
		"says it closes, does not":  "[200 of 2 200 of 2 200 of 2] 1 2 3",
		"HTTP/1.0":                  "[200 of 2 200 of 2 200 of 2] 1 2 3",
		"HTTP/1.0, kept":            "[200 of 2 200 of 2 200 of 2] 1 1 1",
		"HTTP/2.0 in words":         "[200 of 2 200 of 2 200 of 2] 1 2 3",
		"continue":                  "[200 of 2 200 of 2 200 of 2] 1 1 1",
		"hints":                     "[200 of 2 200 of 2 200 of 2] 1 1 1",
		"endless hints":             "[headers headers headers] 1 2 3",
		"continue and no more":      "[closed closed closed] 1 2 3",
		"nothing":                   "[closed closed closed] 1 2 3",
		"closes in the status":      "[not HTTP not HTTP not HTTP] 1 2 3",
		"closes in the headers":     "[not HTTP not HTTP not HTTP] 1 2 3",
		"closes in the body":        "[200 of 2, then closed 200 of 2, then closed 200 of 2, then closed] 1 2 3",
		"garbage":                   "[not HTTP not HTTP not HTTP] 1 2 3",
		"TLS":                       "[not HTTP not HTTP not HTTP] 1 2 3",
		"a word":                    "[not HTTP not HTTP not HTTP] 1 2 3",
		"no status":                 "[not HTTP not HTTP not HTTP] 1 2 3",
		"a status of four digits":   "[not HTTP not HTTP not HTTP] 1 2 3",
		"a negative status":         "[not HTTP not HTTP not HTTP] 1 2 3",
		"no number as status":       "[0 of 2 0 of 2 0 of 2] 1 2 3",
		"no reason":                 "[200 of 2 200 of 2 200 of 2] 1 1 1",
		"lines end with LF":         "[200 of 2 200 of 2 200 of 2] 1 1 1",
		"a header without a colon":  "[not HTTP not HTTP not HTTP] 1 2 3",
		"a header with a space":     "[200 of 2 200 of 2 200 of 2] 1 2 3",
		"a folded header":           "[200 of 2 200 of 2 200 of 2] 1 1 1",
		"lengths that differ":       "[not HTTP not HTTP not HTTP] 1 2 3",
		"lengths that agree":        "[200 of 2 200 of 2 200 of 2] 1 1 1",
		"a negative length":         "[not HTTP not HTTP not HTTP] 1 2 3",
		"a length with a sign":      "[not HTTP not HTTP not HTTP] 1 2 3",
		"a huge length":             "[200 of 2, then closed 200 of 2, then closed 200 of 2, then closed] 1 2 3",
		"a length beyond all":       "[not HTTP not HTTP not HTTP] 1 2 3",
		"a long header":             "[headers headers headers] 1 2 3",
		"a line without end":        "[headers headers headers] 1 2 3",
		"many headers":              "[headers headers headers] 1 2 3",
		"large headers, not many":   "[200 of 2 200 of 2 200 of 2] 1 1 1",
		"a large body":              "[200 of 200000 200 of 2 200 of 2] 1 1 1",
		"closed after one":          "[200 of 2 200 of 2 200 of 2] 1 2 3",
		"closed after two":          "[200 of 2 204 of 0 200 of 2] 1 1 2",
		"closed without an answer":  "[200 of 2 200 of 2 200 of 2] 1 1 2 2 3",
		"a redirect":                "[302 of 0 200 of 2 200 of 2] 1 1 1",
		"a packed body":             "[200 of 2 200 of 2 200 of 2] 1 1 1",
		"a header twice, odd cases": "[200 of 2 200 of 2 200 of 2] 1 1 1",
	}
}

// Whatever a receiver sends, each request ends with an answer within the
// limits or with an error, and a connection that is out of step is not used
// again.
func TestReceivers(t *testing.T) {
	t.Parallel()
	want := outcomes()
	for name, parts := range answers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			list, heard := threeTimes(t, parts, "POST")
			got := fmt.Sprint(list)
			for _, request := range heard {
				got += " " + request[:strings.IndexByte(request, ' ')]
			}
			if got != want[name] {
				t.Errorf("got  %s\nwant %s", got, want[name])
			}
		})
	}
}

// threeTimes asks a talker three times and gives what both sides know.
func threeTimes(t *testing.T, parts []string, method string) (list []told, heard []string) {
	t.Helper()
	tk := mustTalk(t, parts...)
	c := egress.New(egress.Config{AllowPrivate: prefixes("127.0.0.0/8")})
	t.Cleanup(c.Close)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	for n := range 3 {
		var body io.Reader = http.NoBody
		if method == http.MethodPost {
			body = strings.NewReader(fmt.Sprintf(`{"n":%d}`, n))
		}
		req, err := http.NewRequestWithContext(ctx, method, tk.url+"/path?q=1", body)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Idempotency-Key", fmt.Sprint(n))
		list = append(list, ask(c.RoundTripper(), req))
	}
	return list, tk.requests()
}

// What a receiver sends unasked costs it the connection: it is not taken for
// the answer to the next request.
func TestReceivers_unasked(t *testing.T) {
	t.Parallel()
	ok := "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
	none := "HTTP/1.1 204 No Content\r\n\r\n"
	forged := "HTTP/1.1 500 Forged\r\nContent-Length: 0\r\n\r\n"
	for name, first := range map[string]string{
		"no content with a length": "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nextra",
		"more than it said":        ok + " and more",
		"two answers":              ok + forged,
		"two empty answers":        none + forged,
		"a late timeout":           none + "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n",
		"an answer and garbage":    ok + "\x00",
		"chunks and more":          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + forged,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = listener.Close() })
			ended := make(chan struct{})
			go func() {
				for {
					conn, err := listener.Accept()
					if err != nil {
						return
					}
					if _, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
						_, _ = io.WriteString(conn, first)
					}
					_, _ = io.Copy(io.Discard, conn) // until the client closes
					_ = conn.Close()
					ended <- struct{}{}
				}
			}()
			c := allowing(t)
			for n := range 2 {
				req := mustPost(t.Context(), t, "http://"+listener.Addr().String(), "")
				if got := ask(c.RoundTripper(), req); got.Status/100 != 2 || got.Failure != "" {
					t.Errorf("request %d: %+v", n+1, got)
				}
				select {
				case <-ended:
				case <-time.After(20 * time.Second):
					t.Fatal("the connection was kept")
				}
			}
		})
	}
}

// The answer to HEAD has headers alone, whatever they promise.
func TestReceivers_head(t *testing.T) {
	t.Parallel()
	for _, answer := range []string{"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n"} {
		list, heard := threeTimes(t, []string{answer, answer, answer}, "HEAD")
		if got := fmt.Sprint(list); got != "[200 of 0 200 of 0 200 of 0]" || len(heard) != 3 {
			t.Errorf("%q: got %s after %d requests", answer, got, len(heard))
		}
	}
}
