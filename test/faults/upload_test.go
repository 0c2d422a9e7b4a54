package faults

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"mime/multipart"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"hookgate/test/lab"
)

// taken is a post that was acknowledged, and the hash of its file.
type taken struct{ event, sum string }

// uploader posts forms with files until it is told to stop, and remembers what
// was acknowledged.
type uploader struct {
	g    *lab.Gate
	mu   sync.Mutex
	done []taken
	next int
}

func (u *uploader) run(stop <-chan struct{}) {
	client := lab.NewClient()
	for {
		select {
		case <-stop:
			return
		default:
			u.post(client)
		}
	}
}

func (u *uploader) post(client *http.Client) {
	u.mu.Lock()
	u.next++
	content := fmt.Sprintf("%%PDF-1.7 %d %s", u.next, strings.Repeat("x", rand.IntN(400<<10)))
	u.mu.Unlock()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	part, err := w.CreateFormFile("cv", "cv.pdf")
	if err != nil {
		return
	}
	_, _ = io.WriteString(part, content)
	_ = w.Close()
	req, err := http.NewRequest(http.MethodPost, u.g.URL+"/f/apply", &body)
	if err != nil {
		return
	}
	req.Header.Set("Content-Type", w.FormDataContentType())
	req.Header.Set("Accept", "application/json")
	res, err := client.Do(req)
	if err != nil {
		return
	}
	defer res.Body.Close()
	var answer struct{ ID string }
	if res.StatusCode != http.StatusOK || json.NewDecoder(res.Body).Decode(&answer) != nil {
		return
	}
	sum := sha256.Sum256([]byte(content))
	u.mu.Lock()
	u.done = append(u.done, taken{answer.ID, hex.EncodeToString(sum[:])})
	u.mu.Unlock()
}

func (u *uploader) count() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return len(u.done)
}

// stored is the id and the hash of the file that an event has.
func stored(t *testing.T, g *lab.Gate, event string) (id, sum string) {
	t.Helper()
	var data struct {
		CV struct{ ID, SHA256 string }
	}
	if err := json.Unmarshal(g.Show(event).Data, &data); err != nil {
		t.Fatal(err)
	}
	return data.CV.ID, data.CV.SHA256
}

// TestKillUploads kills the server while files come in. No acknowledged post
// may lack its file, whole, and what the kills left half-written is gone soon
// after the last start.
//
// Negative controls: Seal returns before the content is written, 20 ms later:
// then dozens of acknowledged posts had an empty file. Without Sweep the folder
// kept the files that no event has.
//
// Promise: P1.
func TestKillUploads(t *testing.T) {
	kills := lab.Pick(6, 60)
	g := lab.Start(t, `
forms:
  apply: { fields: { cv: { type: file, accept: [pdf], required: true } }, rate_limit: 100000/s }
`)
	u := &uploader{g: g}
	stop := make(chan struct{})
	var senders sync.WaitGroup
	for range 8 {
		senders.Go(func() { u.run(stop) })
	}
	folder := g.Storage + ".files"
	for kill := range kills {
		lab.Eventually(t, "posts are taken", func() bool { return u.count() >= 20*(kill+1) })
		g.Kill()
		g.Start()
	}
	close(stop)
	senders.Wait()

	known := map[string]bool{}
	for _, post := range u.done {
		id, sum := stored(t, g, post.event)
		known[id] = true
		content, err := os.ReadFile(filepath.Join(folder, id))
		if err != nil {
			t.Errorf("%s was acknowledged, and its file is gone: %v", post.event, err)
			continue
		}
		onDisk := sha256.Sum256(content)
		if hex.EncodeToString(onDisk[:]) != post.sum || sum != post.sum {
			t.Errorf("the file of %s is not the one that was sent", post.event)
		}
	}
	events := map[string]bool{} // also those that were stored and not acknowledged
	for _, e := range g.Events("--limit", "100000") {
		id, _ := stored(t, g, e.ID)
		events[id] = true
	}
	list := func() []string {
		entries, err := filepath.Glob(filepath.Join(folder, "fil_*"))
		if err != nil {
			t.Fatal(err)
		}
		return entries
	}
	before := len(list())
	lab.Eventually(t, "orphans are removed", func() bool { return len(list()) == len(events) })
	t.Logf("%d kills, %d acknowledged, %d stored, %d files before the sweep", kills, len(known), len(events), before)
}

// TestSlowUploads holds posts with many texts open, from two addresses, each as
// large as a form takes it: webhooks that take much memory are accepted
// meanwhile, and so is the upload of somebody else.
//
// Negative control: uploads that may take all of the memory of requests, as
// other requests may. Then the webhook got 503.
//
// Promise: P18.
func TestSlowUploads(t *testing.T) {
	sink := lab.NewSink(t, nil)
	g := lab.Start(t, numbered(sink.URL)+`
forms:
  apply: { fields: { cv: { type: file, accept: [pdf], required: true } }, rate_limit: 100000/s }
`)
	var texts strings.Builder
	for n := range 990 {
		fmt.Fprintf(&texts, "--B\r\nContent-Disposition: form-data; name=\"x%d\"\r\n\r\n%s\r\n", n, strings.Repeat("x", 1000))
	}
	open := 0
	for _, last := range []byte{2, 3} {
		from := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, last)}}
		for range 8 {
			conn, err := from.Dial("tcp", strings.TrimPrefix(g.URL, "http://"))
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			// Who is refused while it writes has its answer for an error.
			_, _ = fmt.Fprint(conn, "POST /f/apply HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data; boundary=B\r\nContent-Length: 5000000\r\n\r\n", texts.String())
			_ = conn.SetReadDeadline(time.Now().Add(300 * time.Millisecond)) // until what was sent is read
			if _, err := conn.Read(make([]byte, 1)); errors.Is(err, os.ErrDeadlineExceeded) {
				open++
			}
		}
	}
	if open == 0 {
		t.Error("none of the slow uploads is read")
	}
	values := `{"type":"numbered","n":1,"key":"k","items":[` + strings.Repeat(`{"a":1,"b":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"},`, 4000) + `0]}`
	if got := g.PostJSON(inPath, []byte(values)); got.Status != http.StatusAccepted {
		t.Errorf("a webhook of %d bytes beside %d slow uploads: %d %s", len(values), open, got.Status, got.Body)
	}
	u := &uploader{g: g}
	u.post(lab.NewClient())
	if u.count() != 1 {
		t.Errorf("the upload of somebody else is not taken beside %d slow ones", open)
	}
	checkMemory(t, g, memoryCeiling)
}
