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

	"github.com/google/go-cmp/cmp"

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

// ask makes a request and reads at most limit bytes of the answer.
func ask(transport http.RoundTripper, req *http.Request, limit int64) told {
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return told{Failure: kindOf(err)}
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, limit))
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
	return strings.TrimPrefix(strings.TrimPrefix(err.Error(), "net/http: HTTP/1.x transport connection broken: "), "HTTP/1 connection broken: ")
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

// Whatever a receiver sends, the caller is told the same and the receiver
// hears the same as with net/http: the same requests over as many connections.
func TestPlain_likeNetHTTP(t *testing.T) {
	t.Parallel()
	for name, parts := range answers() {
		for _, method := range []string{"POST", "GET"} {
			for _, limit := range []int64{1 << 20, 1} {
				t.Run(fmt.Sprintf("%s/%s/%d", name, method, limit), func(t *testing.T) {
					t.Parallel()
					got, heard := threeTimes(t, parts, method, limit, func(c *egress.Client) http.RoundTripper { return c.RoundTripper() })
					want, wantHeard := threeTimes(t, parts, method, limit, func(c *egress.Client) http.RoundTripper { return c.NetHTTP() })
					if diff := cmp.Diff(want, got); diff != "" {
						t.Errorf("told (-net/http +plain):\n%s", diff)
					}
					if diff := cmp.Diff(wantHeard, heard); diff != "" {
						t.Errorf("heard (-net/http +plain):\n%s", diff)
					}
				})
			}
		}
	}
}

// threeTimes asks a talker three times and gives what both sides know.
func threeTimes(t *testing.T, parts []string, method string, limit int64, pick func(*egress.Client) http.RoundTripper) (list []told, heard []string) {
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
		list = append(list, ask(pick(c), req, limit))
	}
	return list, tk.requests()
}

// What a receiver sends unasked is never taken for the answer to the next
// request. (With net/http it can be, for a moment: it is not compared here.)
func TestPlain_unasked(t *testing.T) {
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
			list, heard := threeTimes(t, []string{first, forged, forged}, "POST", 1<<20, func(c *egress.Client) http.RoundTripper { return c.RoundTripper() })
			for n, got := range list {
				if got.Status/100 != 2 || got.Failure != "" {
					t.Errorf("request %d: %+v", n+1, got)
				}
				if !strings.HasPrefix(heard[n], fmt.Sprint(n+1, " ")) {
					t.Errorf("request %d came over connection %s", n+1, heard[n])
				}
			}
		})
	}
}

// The answer to HEAD has headers alone, whatever they promise.
func TestPlain_head(t *testing.T) {
	t.Parallel()
	for _, answer := range []string{"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n"} {
		parts := []string{answer, answer, answer}
		got, heard := threeTimes(t, parts, "HEAD", 1<<20, func(c *egress.Client) http.RoundTripper { return c.RoundTripper() })
		want, wantHeard := threeTimes(t, parts, "HEAD", 1<<20, func(c *egress.Client) http.RoundTripper { return c.NetHTTP() })
		if diff := cmp.Diff(want, got) + cmp.Diff(wantHeard, heard); diff != "" {
			t.Errorf("%q (-net/http +plain):\n%s", answer, diff)
		}
	}
}
