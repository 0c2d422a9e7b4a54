package faults

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"hookgate/test/lab"
)

// memoryCeiling is what docs/reliability.md says that the process takes at most.
const memoryCeiling = 256 << 20

// TestMemory posts everything at once that is small to send and large to
// understand, and bodies that are just large, from many addresses: the process
// stays below the ceiling that the documentation names, every answer is a
// plain one, and a small event is taken beside them. In the long form the process
// has a control group of 512 MB, in which it is not ended. What the rules make of them
// is several times as large, and goes to receivers that never answer.
//
// Negative control: a budget of terabytes, so that all are understood at once.
// Then the small event beside them got no answer in time.
//
// Promise: P18, T2.
func TestMemory(t *testing.T) {
	sink := lab.NewSink(t, nil)
	stuck := lab.NewSink(t, func(lab.Arrival) lab.Answer { return lab.Answer{Hang: true} })
	config := numbered(sink.URL) + `  - name: several
    from: in
    then: [{ to: stuck, json: ["${{ data }}", "${{ data }}", "${{ data }}"] }, { to: another, body: "${{ data }}" }]
forms:
  contact: { fields: { name: {} }, rate_limit: 1000/m }
  any: { fields: any, rate_limit: 1000/m }
  apply: { fields: { cv: { type: file }, text: {} }, max_body: 8MB, rate_limit: 1000/m }
`
	g := lab.Start(t, strings.Replace(config, "connections:", `connections:
  stuck: { type: webhook, url: `+stuck.URL+`/, concurrency: 8 }
  another: { type: webhook, url: `+stuck.URL+`/other, concurrency: 8 }`, 1))
	if lab.Long() {
		confine(t, g, 512<<20)
	}
	zeros := []byte(`{"name":[` + strings.Repeat("0,", 199_000) + "0]}")
	objects := []byte(`{"name":[` + strings.Repeat(`{"a":0},`, 90_000) + "0]}")
	nested := strings.Repeat("a"+strings.Repeat("[b]", 60)+"=1&", 5000)
	floods := []struct {
		path, contentType, encoding string
		body                        []byte
		senders                     int
	}{
		{"/f/contact", "application/json", "gzip", packed(t, zeros), 40},
		{"/f/any", "application/json", "", zeros, 40},
		{"/f/any", "application/x-www-form-urlencoded", "", []byte(nested), 20},
		{inPath, "application/json", "gzip", packed(t, zeros), 100},
		{inPath, "application/json", "gzip", packed(t, objects), 40},
		{inPath, "application/json", "", []byte(`{"text":"` + strings.Repeat("x", 8<<20) + `"}`), 60},
		{inPath, "application/xml", "", []byte("<a>" + strings.Repeat("<b c='d'/>", 90_000) + "</a>"), 40},
		{inPath, "application/x-www-form-urlencoded", "", []byte(nested), 40},
		{inPath, "multipart/form-data; boundary=b", "", []byte(strings.Repeat("--b\r\nContent-Disposition: form-data; name=\"a[b][c]\"\r\n\r\n1\r\n", 1000) + "--b--\r\n"), 40},
		{"/f/apply", "multipart/form-data; boundary=b", "", []byte("--b\r\nContent-Disposition: form-data; name=\"text\"\r\n\r\n" + strings.Repeat("x", 7<<20) + "\r\n--b--\r\n"), 40},
		{inPath, "application/json", "", []byte(`{"text":"` + strings.Repeat("y", 200<<10) + `"}`), 100},
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	answers := map[int]int{}
	// A sender that is refused while it is sending reads its answer if it is done
	// within the time for which the server goes on reading, a second. On a busy
	// machine not all are whose body is more than the kernel takes at once.
	large, unheard := 0, 0
	from := 0
	for _, f := range floods {
		for range f.senders {
			from++
			isLarge := len(f.body) > 64<<10
			if isLarge {
				large++
			}
			client := clientAt(t, net.IPv4(127, 0, byte(2+from/200), byte(1+from%200)))
			wg.Go(func() {
				status, err := flood(t.Context(), client, g.URL+f.path, f.contentType, f.encoding, f.body)
				mu.Lock()
				defer mu.Unlock()
				if status == 0 && isLarge {
					unheard++
					return
				}
				if status == 0 {
					t.Errorf("%s, %s of %d bytes: %v", f.path, f.contentType, len(f.body), err)
				}
				answers[status]++
			})
		}
	}
	for range 20 {
		if r := g.PostJSON(inPath, lab.Payload(1)(1)); r.Status != http.StatusAccepted && r.Status != http.StatusServiceUnavailable {
			t.Errorf("a small event beside the flood: status %d", r.Status)
		}
	}
	wg.Wait()
	for status, count := range answers {
		switch status {
		case 0, 200, 202, 400, 413, 415, 422, 429, 503:
		default:
			t.Errorf("%d answers with status %d", count, status)
		}
	}
	if unheard > large/4 {
		t.Errorf("%d of %d senders of large bodies got no answer", unheard, large)
	}
	if r := g.PostJSON(inPath, lab.Payload(2)(2)); r.Status != http.StatusAccepted {
		t.Errorf("a good event afterwards: status %d", r.Status)
	}
	peak := resident(t, g)
	t.Logf("answers %v, memory rose to %d MB", answers, peak>>20)
	if !lab.Race() && peak > memoryCeiling {
		t.Errorf("memory rose to %d MB, want at most %d", peak>>20, memoryCeiling>>20)
	}
}

// confine puts the gate into a control group with so much memory: the kernel ends
// the process that takes more. Where none can be made, the test says so, and the
// ceiling alone is looked at.
func confine(t *testing.T, g *lab.Gate, limit int) {
	t.Helper()
	name := fmt.Sprintf("hookgate-test-%d", g.PID())
	for folder, file := range map[string]string{"/sys/fs/cgroup/" + name: "memory.max", "/sys/fs/cgroup/memory/" + name: "memory.limit_in_bytes"} {
		if os.Mkdir(folder, 0o700) != nil {
			continue
		}
		t.Cleanup(func() {
			if !g.Ended() {
				g.Stop()
			}
			lab.Within(lab.Patience, func() bool { return os.Remove(folder) == nil })
		})
		if os.WriteFile(filepath.Join(folder, file), []byte(strconv.Itoa(limit)), 0o600) == nil &&
			os.WriteFile(filepath.Join(folder, "cgroup.procs"), []byte(strconv.Itoa(g.PID())), 0o600) == nil {
			t.Logf("in a control group of %d MB", limit>>20)
			return
		}
	}
	t.Log("no control group can be made here")
}

// packed is gzip of text.
func packed(t *testing.T, text []byte) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := gzip.NewWriter(&buf)
	if _, err := w.Write(text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// clientAt sends from an address of this machine.
func clientAt(t *testing.T, ip net.IP) *http.Client {
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: ip}, Timeout: 30 * time.Second}
	transport := &http.Transport{DialContext: dialer.DialContext, DisableKeepAlives: true, DisableCompression: true}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: 2 * time.Minute, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// flood posts a body and gives the status of the answer, or why there is none.
func flood(ctx context.Context, client *http.Client, url, contentType, encoding string, body []byte) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		panic(fmt.Sprint("the test's own address is wrong: ", err))
	}
	req.Header.Set("Content-Type", contentType)
	req.Header.Set("Accept", "application/json")
	if encoding != "" {
		req.Header.Set("Content-Encoding", encoding)
	}
	res, err := client.Do(req)
	if err != nil {
		return 0, err //nolint:wrapcheck // it says all
	}
	defer func() { _ = res.Body.Close() }()
	_, _ = io.Copy(io.Discard, res.Body)
	return res.StatusCode, nil
}
