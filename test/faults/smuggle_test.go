package faults

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"hookgate/test/lab"
)

// hidden is the request that each vector tries to smuggle past a front server.
const hidden = "POST " + inPath + " HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: 28\r\n\r\n{\"type\":\"numbered\",\"n\":-666}"

// head is a post's start; a vector adds headers and a body.
const head = "POST " + inPath + " HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n"

// chunked is `{"n":1}` in one chunk.
const chunked = "7\r\n{\"n\":1}\r\n0\r\n\r\n"

// TestSmuggle sends ambiguous requests over raw sockets. Each has one allowed
// answer, and what is hidden in it must never be understood as a request.
//
// Negative control: fasthttp 1.51, which fiber alone would bring. Then ten vectors
// got another answer and a hidden request was understood.
//
// Promise: T4.
func TestSmuggle(t *testing.T) {
	t.Parallel()
	sink := lab.NewSink(t, nil)
	g := lab.Start(t, numbered(sink.URL))
	for _, v := range []struct {
		name, request string
		status        int // of the first answer; 0: the connection is closed without one
	}{
		{"a plain post, to be sure of the method", head + "Content-Length: 7\r\n\r\n{\"n\":1}", 202},
		{"chunked, likewise", head + "Transfer-Encoding: chunked\r\n\r\n" + chunked, 202},

		{"both lengths", head + "Content-Length: 7\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked + hidden, 400},
		{"both lengths, the other order", head + "Transfer-Encoding: chunked\r\nContent-Length: 7\r\n\r\n" + chunked + hidden, 400},
		{"two differing lengths", head + "Content-Length: 7\r\nContent-Length: 0\r\n\r\n{\"n\":1}" + hidden, 400},
		{"two differing lengths, zero first", head + "Content-Length: 0\r\nContent-Length: 7\r\n\r\n{\"n\":1}" + hidden, 400},
		{"a list of lengths", head + "Content-Length: 7, 8\r\n\r\n{\"n\":1}" + hidden, 400},
		{"a length with a sign", head + "Content-Length: +7\r\n\r\n{\"n\":1}" + hidden, 400},
		{"a negative length", head + "Content-Length: -1\r\n\r\n" + hidden, 400},
		{"a hexadecimal length", head + "Content-Length: 0x7\r\n\r\n{\"n\":1}" + hidden, 400},
		{"an empty length", head + "Content-Length: \r\n\r\n" + hidden, 400},
		{"a length beyond 64 bits", head + "Content-Length: 18446744073709551623\r\n\r\n{\"n\":1}" + hidden, 400},
		{"a length with spaces within", head + "Content-Length: 7 0\r\n\r\n{\"n\":1}" + hidden, 400},
		{"two transfer encodings", head + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n" + chunked + hidden, 400},
		{"two transfer encodings, chunked twice", head + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked + hidden, 400},
		{"an unknown transfer encoding", head + "Transfer-Encoding: xchunked\r\n\r\n" + chunked + hidden, 400},
		{"a list of transfer encodings", head + "Transfer-Encoding: gzip, chunked\r\n\r\n" + chunked + hidden, 400},
		{"identity", head + "Transfer-Encoding: identity\r\nContent-Length: 7\r\n\r\n{\"n\":1}" + hidden, 400},
		{"chunked with a vertical tab", head + "Transfer-Encoding: \vchunked\r\nContent-Length: 7\r\n\r\n" + chunked + hidden, 400},
		{"a space before the colon", head + "Transfer-Encoding : chunked\r\nContent-Length: 7\r\n\r\n" + chunked + hidden, 400},
		{"a space before the colon of the length", head + "Content-Length : 7\r\n\r\n{\"n\":1}" + hidden, 400},
		{"a folded header", head + "X-A: b\r\n Transfer-Encoding: chunked\r\nContent-Length: 7\r\n\r\n{\"n\":1}", 400},
		{"a folded transfer encoding", head + "Transfer-Encoding:\r\n chunked\r\nContent-Length: 7\r\n\r\n" + chunked + hidden, 400},
		{"a bare line feed ends a header", head + "X-A: b\nTransfer-Encoding: chunked\r\nContent-Length: 7\r\n\r\n" + chunked + hidden, 400},
		{"a bare carriage return in a header", head + "X-A: b\rTransfer-Encoding: chunked\r\nContent-Length: 7\r\n\r\n{\"n\":1}", 400},
		{"a NUL in a header", head + "X-A: b\x00c\r\nContent-Length: 7\r\n\r\n{\"n\":1}", 400},
		{"a header without a colon", head + "X-A\r\nContent-Length: 7\r\n\r\n{\"n\":1}", 400},
		{"a header without a name", head + ": b\r\nContent-Length: 7\r\n\r\n{\"n\":1}", 400},
		{"a tab in a header's name", head + "X\tA: b\r\nContent-Length: 7\r\n\r\n{\"n\":1}", 400},
		{"a chunk size with a sign", head + "Transfer-Encoding: chunked\r\n\r\n+7\r\n{\"n\":1}\r\n0\r\n\r\n" + hidden, 400},
		{"a chunk size with 0x", head + "Transfer-Encoding: chunked\r\n\r\n0x7\r\n{\"n\":1}\r\n0\r\n\r\n" + hidden, 400},
		{"a chunk size beyond 64 bits", head + "Transfer-Encoding: chunked\r\n\r\n10000000000000007\r\n{\"n\":1}\r\n0\r\n\r\n" + hidden, 400},
		{"a chunk without its end", head + "Transfer-Encoding: chunked\r\n\r\n7\r\n{\"n\":1}XX0\r\n\r\n" + hidden, 400},
		{"a bare line feed ends a chunk size", head + "Transfer-Encoding: chunked\r\n\r\n7\n{\"n\":1}\r\n0\r\n\r\n" + hidden, 400},
		{"chunked on HTTP/1.0", strings.Replace(head, "HTTP/1.1", "HTTP/1.0", 1) + "Transfer-Encoding: chunked\r\n\r\n" + chunked + hidden, 400},
		{"no host", strings.Replace(head, "Host: h\r\n", "", 1) + "Content-Length: 7\r\n\r\n{\"n\":1}", 400},
		{"two hosts", head + "Host: other\r\nContent-Length: 7\r\n\r\n{\"n\":1}", 400},
		{"an unknown version", strings.Replace(head, "HTTP/1.1", "HTTP/3.7", 1) + "Content-Length: 7\r\n\r\n{\"n\":1}", 505},
		{"no version", strings.Replace(head, " HTTP/1.1", "", 1) + "Content-Length: 7\r\n\r\n{\"n\":1}", 400},
		{"a space before the first header", strings.Replace(head, "Host", " Host", 1) + "Content-Length: 7\r\n\r\n{\"n\":1}", 400},
		{"a line feed in the path", strings.Replace(head, inPath, inPath+"\nX: y", 1) + "Content-Length: 7\r\n\r\n{\"n\":1}", 400},
		{"HTTP/2 by force", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
		{"nonsense", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400},
	} {
		t.Run(v.name, func(t *testing.T) {
			statuses := exchange(t, g.Addr, v.request)
			if len(statuses) != 1 || statuses[0] != v.status {
				t.Errorf("answers %v, want one: %d", statuses, v.status)
			}
		})
	}
	// An event without a hitch flushes what might be on its way.
	id := g.Accepted(g.PostJSON(inPath, lab.Payload(1)(7)))
	g.Settled(id)
	for _, a := range sink.Arrivals() {
		if strings.Contains(string(a.Body), "-666") {
			t.Error("a hidden request was understood")
		}
	}
}

// exchange sends raw bytes and reads every answer until the other side closes
// the connection or says nothing more.
func exchange(t *testing.T, addr, request string) []int {
	t.Helper()
	conn, err := net.DialTimeout("tcp", addr, 5*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	var statuses []int
	r := bufio.NewReader(conn)
	for {
		wait := 15 * time.Second // the server may want more before it answers
		if len(statuses) > 0 {
			wait = 300 * time.Millisecond
		}
		if err := conn.SetReadDeadline(time.Now().Add(wait)); err != nil {
			t.Fatal(err)
		}
		res, err := http.ReadResponse(r, nil)
		if err != nil {
			if errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || len(statuses) > 0 || isReset(err) {
				return statuses
			}
			t.Fatal(fmt.Errorf("after %v: %w", statuses, err))
		}
		_, _ = io.Copy(io.Discard, res.Body)
		_ = res.Body.Close()
		statuses = append(statuses, res.StatusCode)
	}
}

func isReset(err error) bool { return strings.Contains(err.Error(), "connection reset") }
