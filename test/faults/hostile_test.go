package faults

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"hookgate/test/lab"
)

// resident is the most resident memory of the gate so far, in bytes.
func resident(t *testing.T, g *lab.Gate) int {
	t.Helper()
	peak := g.Peak()
	if peak == 0 {
		t.Fatal("no VmHWM")
	}
	return peak
}

// bomb is gzip of a megabyte of zero bytes; so many members in a row are gzip
// of so many megabytes.
func bomb(t *testing.T, members int) []byte {
	t.Helper()
	var buf bytes.Buffer
	w, err := gzip.NewWriterLevel(&buf, gzip.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(make([]byte, 1<<20)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return bytes.Repeat(buf.Bytes(), members)
}

// whole is gzip of 64 megabytes in one member.
func whole(t *testing.T) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := gzip.NewWriter(&buf)
	for range 64 {
		if _, err := w.Write(make([]byte, 1<<20)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// TestBombs posts bodies that are small to send and large to understand: each
// gets the one answer that is right for it, soon, and none of a file's content.
// Then it posts all of them at once, some times each: the answers are the same,
// or that all is busy; memory stays below the ceiling that the documentation
// names, and the server goes on.
//
// Negative control: gunzip without a limit. Then memory rose to 3 GB.
//
// Promise: T2.
func TestBombs(t *testing.T) {
	sink := lab.NewSink(t, nil)
	g := lab.Start(t, numbered(sink.URL))
	parts := strings.Repeat("--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n", 50_000) + "--b--\r\n"
	keys := new(strings.Builder)
	for n := range 300_000 {
		fmt.Fprintf(keys, `"%d":0,`, n)
	}
	bombs := []struct {
		name, contentType, encoding string
		body                        []byte
		status                      int
	}{
		{"a gigabyte in gzip", "application/json", "gzip", bomb(t, 1024), 413},
		{"gzip of one piece", "application/json", "gzip", whole(t), 413},
		{"gzip in gzip", "application/json", "gzip, gzip", bomb(t, 64), 413},
		{"deep JSON", "application/json", "", bytes.Repeat([]byte("["), 5_000_000), 413},
		{"deep objects", "application/json", "", bytes.Repeat([]byte(`{"a":`), 1_000_000), 413},
		{"4 MB of a&", "application/x-www-form-urlencoded", "", bytes.Repeat([]byte("a&"), 2_000_000), 413},
		{"deep bracket keys", "application/x-www-form-urlencoded", "", []byte("a" + strings.Repeat("[b]", 100_000) + "=1"), 400},
		{"a huge index", "application/x-www-form-urlencoded", "", []byte("a[999999999]=1"), 202},
		{"many parts", "multipart/form-data; boundary=b", "", []byte(parts), 413},
		{"many keys", "application/json", "", []byte("{" + keys.String() + `"x":0}`), 413},
		{"deep XML", "application/xml", "", []byte(strings.Repeat("<a>", 500_000)), 400},
		{"XML entities", "application/xml", "", []byte(`<!DOCTYPE a [<!ENTITY b "bbbbbbbbbb"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]><a>&c;&c;</a>`), 400},
		{"an external entity", "application/xml", "", []byte(`<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>`), 400},
		{"a long number", "application/json", "", []byte(`{"n":1` + strings.Repeat("0", 2_000_000) + `}`), 202},
		{"a huge exponent", "application/json", "", []byte(`{"n":1e999999999}`), 202},
	}
	post := func(t *testing.T, n int) lab.Reply {
		t.Helper()
		header := []string{"Content-Type", bombs[n].contentType}
		if bombs[n].encoding != "" {
			header = append(header, "Content-Encoding", bombs[n].encoding)
		}
		r := g.Do(http.MethodPost, inPath, bombs[n].body, header...)
		if strings.Contains(r.Body, "root:") {
			t.Errorf("a file was read: %.200s", r.Body)
		}
		return r
	}
	for n, c := range bombs {
		t.Run(c.name, func(t *testing.T) {
			began := time.Now()
			if r := post(t, n); r.Status != c.status {
				t.Errorf("status %d, want %d: %.200s", r.Status, c.status, r.Body)
			}
			if took := time.Since(began); took > 20*time.Second {
				t.Errorf("the answer took %s", took)
			}
		})
	}
	t.Run("all at once", func(t *testing.T) {
		var wg sync.WaitGroup
		for n, c := range bombs {
			for range lab.Pick(4, 40) {
				wg.Go(func() {
					if r := post(t, n); r.Status != c.status && r.Status != http.StatusServiceUnavailable {
						t.Errorf("%s: status %d, want %d or 503: %.200s", c.name, r.Status, c.status, r.Body)
					}
				})
			}
		}
		wg.Wait()
	})
	if r := g.PostJSON(inPath, lab.Payload(1)(1)); r.Status != http.StatusAccepted {
		t.Errorf("a good event afterwards: status %d", r.Status)
	}
	checkMemory(t, g, memoryCeiling)
}

// TestSlowLoris opens many connections that send their requests a byte at a
// time, or nothing at all: others are served meanwhile, and the slow ones are
// closed.
//
// Negative control: a ReadTimeout of an hour. Then none of them was closed.
//
// Promise: T3.
func TestSlowLoris(t *testing.T) {
	t.Parallel()
	sink := lab.NewSink(t, nil)
	g := lab.Start(t, numbered(sink.URL))
	const slow = 200
	closed := make(chan bool, slow)
	request := "POST " + inPath + " HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"
	for n := range slow {
		from := &net.TCPAddr{IP: net.IPv4(127, 0, 1, byte(1+n%50))} // many addresses: there is a cap for each
		conn, err := (&net.Dialer{LocalAddr: from, Timeout: 5 * time.Second}).Dial("tcp", g.Addr)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		go drip(conn, request, n, closed)
	}
	sender := lab.NewSender(t, g.URL+inPath, lab.Payload(1))
	var took []time.Duration
	for range 50 {
		sent := sender.Post(t.Context())
		if sent.Status != http.StatusAccepted {
			t.Fatalf("status %d beside slow connections", sent.Status)
		}
		took = append(took, sent.Took)
	}
	if p90 := lab.Percentile(took, 90); p90 > time.Second {
		t.Errorf("p90 of the answers is %s beside slow connections", p90)
	}
	deadline := time.After(2 * lab.Patience)
	for n := range slow {
		select {
		case <-closed:
		case <-deadline:
			t.Fatalf("only %d of %d slow connections were closed", n, slow)
		}
	}
}

// drip sends a byte now and then until the other side closes the connection.
func drip(conn net.Conn, request string, n int, closed chan<- bool) {
	go func() {
		_, _ = io.Copy(io.Discard, conn)
		closed <- true
	}()
	if n%4 == 0 {
		return // says nothing at all
	}
	for i := 0; ; i++ {
		next := "a"
		if i < len(request) {
			next = request[i : i+1]
		}
		if n%4 == 1 && i == 20 {
			return // stops within the first line
		}
		if _, err := io.WriteString(conn, next); err != nil {
			return
		}
		<-time.After(200 * time.Millisecond)
	}
}

// TestFlood posts faster than a stuck receiver takes deliveries: memory stays
// bounded, for what does not fit waits in the store, and every answer is 202,
// 429 or 503, the latter two with Retry-After.
//
// Negative control: a lane holds a million deliveries. Then memory rose to 433 MB.
//
// Promise: P18.
func TestFlood(t *testing.T) {
	const size = 8000
	sink := lab.NewSink(t, func(lab.Arrival) lab.Answer { return lab.Answer{Hang: true} })
	g := lab.Start(t, strings.Replace(numbered(sink.URL), `key: "${{ data.key }}"`, `key: "${{ data.pad }}"`, 1))
	sender := lab.NewSender(t, g.URL+inPath, big(size))
	sender.Run(t.Context(), 64, lab.Pick(20_000, 200_000))
	for status, count := range sender.Statuses() {
		if status != 202 && status != 429 && status != 503 {
			t.Errorf("%d answers with status %d", count, status)
		}
	}
	checkMemory(t, g, 200<<20) // some 50 MB of it are pages of the program's file
	t.Logf("answers %v", sender.Statuses())
}

// TestFlood_large is TestFlood with events that are made several times as large
// by the rules, for receivers that never answer: deliveries are bounded by their
// bytes, too, and the good receiver gets all of its own.
//
// Negative control: a memoryBudget of terabytes for deliveries. Then it did not
// get through.
//
// Promise: P18.
func TestFlood_large(t *testing.T) {
	sink := lab.NewSink(t, nil)
	stuck := lab.NewSink(t, func(lab.Arrival) lab.Answer { return lab.Answer{Hang: true} })
	config := strings.Replace(numbered(sink.URL), "connections:", fmt.Sprintf(`connections:
  a: { type: webhook, url: %[1]s/a, concurrency: 8 }
  b: { type: webhook, url: %[1]s/b, concurrency: 8 }`, stuck.URL), 1) + `  - name: thrice
    from: in
    then: [{ to: a, json: ["${{ data }}", "${{ data }}", "${{ data }}"] }, { to: b, json: ["${{ data }}", "${{ data }}", "${{ data }}"] }]
`
	g := lab.Start(t, config)
	pad := strings.Repeat("packs well ", 20_000)
	sender := lab.NewSender(t, g.URL+inPath, func(n int) []byte {
		return fmt.Appendf(nil, `{"type":"numbered","n":%d,"key":"k","pad":"%s"}`, n, pad)
	})
	sender.Run(t.Context(), 4, lab.Pick(300, 3000))
	lab.AwaitAll(t, sender, sink, lab.Patience)
	checkMemory(t, g, memoryCeiling)
	t.Logf("answers %v", sender.Statuses())
}

// checkMemory fails where the gate's memory rose over a limit.
func checkMemory(t *testing.T, g *lab.Gate, limit int) {
	t.Helper()
	peak := resident(t, g)
	t.Logf("memory rose to %d MB", peak>>20)
	if lab.Race() {
		limit *= 4
	}
	if peak > limit {
		t.Errorf("memory rose to %d MB, want at most %d", peak>>20, limit>>20)
	}
}
