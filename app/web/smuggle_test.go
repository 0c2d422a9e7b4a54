package web_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// Two servers in a row must never see different requests in the same bytes.
// Every vector has one allowed answer, and none may make two requests out of
// one. Where a request is read at all, its end is beyond doubt; after a
// refusal the connection is closed, so that nothing behind it is read.
//
// Negative control: without Server.strict the vectors "CL and TE", "TE and CL",
// "TE identity", "TE in a folded header", "bare LF", "bare LF in one header",
// "folded header" and "HTTP/2.0 in text" reach a handler. The others fasthttp
// refuses by itself, in the version that go.mod pins.
//
// Promise: T4.
func TestSmuggling(t *testing.T) {
	t.Parallel()
	f := start(t)
	path := "/in/sitejet/" + sitejetToken
	// inner is what an attacker wants to be read as a request of its own.
	inner := "GET /in/open/fedcba9876543210?smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
	post := func(headers, content string) string {
		return "POST " + path + " HTTP/1.1\r\nHost: a\r\n" + headers + "\r\n" + content
	}
	length := func(s string) string { return fmt.Sprintf("Content-Length: %d\r\n", len(s)) }
	chunked := "2\r\n{}\r\n0\r\n\r\n"

	for _, v := range []struct {
		name, text string
		status     int // of the first answer
		requests   int // that may reach a handler
	}{
		{"control: CL", post(length("{}"), "{}"), 202, 1},
		{"control: chunked", post("Transfer-Encoding: chunked\r\n", chunked), 202, 1},
		{"control: pipelined", post(length("{}"), "{}") + post(length("{}"), "{}"), 202, 2},

		{"CL and TE", post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", chunked+inner), 400, 0},
		{"TE and CL", post("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", chunked+inner), 400, 0},
		{"duplicate TE", post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", chunked+inner), 400, 0},
		{"TE identity", post("Transfer-Encoding: identity\r\n"+length("{}"), "{}"+inner), 400, 0},
		{"TE chunked, identity", post("Transfer-Encoding: chunked, identity\r\n", chunked+inner), 400, 0},
		{"TE gzip, chunked", post("Transfer-Encoding: gzip, chunked\r\n", chunked+inner), 400, 0},
		{"TE xchunked", post("Transfer-Encoding: xchunked\r\n"+length("{}"), "{}"+inner), 400, 0},
		{"TE with vertical tab", post("Transfer-Encoding: \vchunked\r\n"+length("{}"), "{}"+inner), 400, 0},
		{"TE quoted", post("Transfer-Encoding: \"chunked\"\r\n"+length("{}"), "{}"+inner), 400, 0},
		{"TE on HTTP/1.0", "POST " + path + " HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked + inner, 400, 0},
		{"TE with a space before the colon", post("Transfer-Encoding : chunked\r\n"+length("{}"), "{}"+inner), 400, 0},
		{"TE folded", post("Transfer-Encoding:\r\n chunked\r\n"+length("{}"), "{}"+inner), 400, 0},
		{"TE in a folded header", post("X: a\r\n\tTransfer-Encoding: chunked\r\n"+length("{}"), "{}"+inner), 400, 0},

		{"differing CL", post("Content-Length: 2\r\nContent-Length: 40\r\n", "{}"+inner), 400, 0},
		{"CL list", post("Content-Length: 2, 40\r\n", "{}"+inner), 400, 0},
		{"CL with plus", post("Content-Length: +2\r\n", "{}"+inner), 400, 0},
		{"CL negative", post("Content-Length: -2\r\n", "{}"+inner), 400, 0},
		{"CL hexadecimal", post("Content-Length: 0x2\r\n", "{}"+inner), 400, 0},
		{"CL with underscore", post("Content-Length: 1_0\r\n", "{}"+inner), 400, 0},
		{"CL empty", post("Content-Length: \r\n", "{}"+inner), 400, 0},
		{"CL too big for 64 bits", post("Content-Length: 18446744073709551618\r\n", "{}"+inner), 400, 0},
		{"CL with a space before the colon", post("Content-Length : 2\r\n", "{}"+inner), 400, 0},
		{"CL with trailing letter", post("Content-Length: 2a\r\n", "{}"+inner), 400, 0},

		{"chunk size with plus", post("Transfer-Encoding: chunked\r\n", "+2\r\n{}\r\n0\r\n\r\n"+inner), 400, 0},
		{"chunk size 0x", post("Transfer-Encoding: chunked\r\n", "0x2\r\n{}\r\n0\r\n\r\n"+inner), 400, 0},
		{"chunk size overflow", post("Transfer-Encoding: chunked\r\n", "10000000000000002\r\n{}\r\n0\r\n\r\n"+inner), 400, 0},
		{"chunk size negative", post("Transfer-Encoding: chunked\r\n", "-2\r\n{}\r\n0\r\n\r\n"+inner), 400, 0},
		{"chunk without its CRLF", post("Transfer-Encoding: chunked\r\n", "2\r\n{}0\r\n\r\n"+inner), 400, 0},
		{"chunk lines by bare LF", post("Transfer-Encoding: chunked\r\n", "2\n{}\n0\n\n"+inner), 400, 0},
		{"chunk extension with LF", post("Transfer-Encoding: chunked\r\n", "2;a\n{}\r\n0\r\n\r\n"+inner), 400, 0},
		{"trailer sets CL", post("Transfer-Encoding: chunked\r\n", "2\r\n{}\r\n0\r\nContent-Length: 9\r\n\r\n"+inner), 400, 0},
		{"trailer sets TE", post("Transfer-Encoding: chunked\r\n", "2\r\n{}\r\n0\r\nTransfer-Encoding: x\r\n\r\n"+inner), 400, 0},

		{"bare LF", strings.ReplaceAll(post(length("{}"), ""), "\r\n", "\n") + "{}" + inner, 400, 0},
		{"bare LF in one header", post("X: a\nContent-Length: 2\r\n", "{}"+inner), 400, 0},
		{"bare CR in a header", post("X: a\rContent-Length: 40\r\n"+length("{}"), "{}"+inner), 400, 0},
		{"NUL in a header", post("X: a\x00b\r\n"+length("{}"), "{}"+inner), 400, 0},
		{"folded header", post("X: a\r\n b\r\n"+length("{}"), "{}"+inner), 400, 0},
		{"header without colon", post("X\r\n"+length("{}"), "{}"+inner), 400, 0},
		{"header without name", post(": a\r\n"+length("{}"), "{}"+inner), 400, 0},
		{"header starts with space", "POST " + path + " HTTP/1.1\r\n Host: a\r\n" + length("{}") + "\r\n{}" + inner, 400, 0},

		{"two Hosts", post("Host: b\r\n"+length("{}"), "{}"+inner), 400, 0},
		{"no Host", "POST " + path + " HTTP/1.1\r\n" + length("{}") + "\r\n{}" + inner, 400, 0},
		{"Host with a space", "POST " + path + " HTTP/1.1\r\nHost: a b\r\n" + length("{}") + "\r\n{}" + inner, 400, 0},

		{"HTTP/1.2", "POST " + path + " HTTP/1.2\r\nHost: a\r\n" + length("{}") + "\r\n{}" + inner, 505, 0},
		{"no version", "POST " + path + "\r\nHost: a\r\n" + length("{}") + "\r\n{}" + inner, 400, 0},
		{"HTTP/2.0 in text", "POST " + path + " HTTP/2.0\r\nHost: a\r\n" + length("{}") + "\r\n{}" + inner, 505, 0},
		{"lower-case version", "POST " + path + " http/1.1\r\nHost: a\r\n" + length("{}") + "\r\n{}" + inner, 400, 0},
		{"space in the path", "POST " + path + "?a b HTTP/1.1\r\nHost: a\r\n" + length("{}") + "\r\n{}" + inner, 400, 0},
		{"two spaces", "POST  " + path + " HTTP/1.1\r\nHost: a\r\n" + length("{}") + "\r\n{}" + inner, 400, 0},
		{"tab for space", "POST\t" + path + "\tHTTP/1.1\r\nHost: a\r\n" + length("{}") + "\r\n{}" + inner, 400, 0},
		{"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + inner, 505, 0},
		{"NUL in the path", "POST " + path + "\x00 HTTP/1.1\r\nHost: a\r\n" + length("{}") + "\r\n{}" + inner, 400, 0},
	} {
		t.Run(v.name, func(t *testing.T) {
			before := len(f.intake.taken())
			answers := f.raw(v.text, 150*time.Millisecond)
			if len(answers) == 0 {
				t.Fatal("no answer at all")
			}
			reached := f.intake.taken()[before:]
			if answers[0].status != v.status || len(reached) != v.requests {
				t.Errorf("status %d, %d requests reached a handler; want %d, %d", answers[0].status, len(reached), v.status, v.requests)
			}
			if want := max(1, v.requests); len(answers) > want {
				t.Errorf("%d answers, the last is %d", len(answers), answers[len(answers)-1].status)
			}
			for _, r := range reached {
				if string(r.Body) != "{}" || r.RawQuery != "" {
					t.Errorf("a request with the body %q and query %q", r.Body, r.RawQuery)
				}
			}
		})
	}
}

// A body behind a GET is read and never taken for a request.
func TestBodyBehindGET(t *testing.T) {
	t.Parallel()
	f := start(t)
	inner := "GET /in/open/fedcba9876543210?smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
	text := fmt.Sprintf("GET /in/open/fedcba9876543210 HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s", len(inner), inner)
	answers := f.raw(text, 150*time.Millisecond)
	if len(answers) != 1 || answers[0].status != 202 {
		t.Fatalf("answers: %+v", answers)
	}
	if taken := f.intake.taken(); len(taken) != 1 || taken[0].RawQuery != "" {
		t.Fatalf("taken: %+v", taken)
	}
}
