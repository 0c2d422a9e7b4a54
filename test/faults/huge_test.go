package faults

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"hookgate/test/lab"
)

// hugePost is a multipart body with a file of so many bytes, which it makes as
// it is read; it counts what was taken of it.
type hugePost struct {
	io.Reader
	read int64
}

const (
	hugeHead = "--B\r\nContent-Disposition: form-data; name=\"cv\"; filename=\"cv.pdf\"\r\n\r\n%PDF-1.7 "
	hugeTail = "\r\n--B--\r\n"
)

func newHugePost(size int64) *hugePost {
	return &hugePost{Reader: io.MultiReader(strings.NewReader(hugeHead), io.LimitReader(endless{}, size), strings.NewReader(hugeTail))}
}

// Read makes the next part of the body.
func (h *hugePost) Read(p []byte) (int, error) {
	n, err := h.Reader.Read(p)
	h.read += int64(n)
	return n, err
}

// endless is a text without an end.
type endless struct{}

// Read makes more of it.
func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

// postHuge sends a body, in chunks where length is -1, until it is through or
// the server takes no more, and gives the status of the answer.
func postHuge(t *testing.T, g *lab.Gate, form string, body *hugePost, length int64) int {
	t.Helper()
	conn, err := net.Dial("tcp", g.Addr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, g.URL+"/f/"+form, body)
	if err != nil {
		t.Fatal(err)
	}
	req.ContentLength = length
	req.Header.Set("Content-Type", "multipart/form-data; boundary=B")
	req.Header.Set("Accept", "application/json")
	_ = req.Write(conn) // breaks off where the server has heard enough
	res, err := http.ReadResponse(bufio.NewReader(conn), req)
	if err != nil {
		t.Fatalf("%s: no answer after %d MB: %v", form, body.read>>20, err)
	}
	defer func() { _ = res.Body.Close() }()
	return res.StatusCode
}

// TestHugeUpload posts a gigabyte to a field for 10 MB: it is cut off early with
// 413, whether or not its length is said before. Where a form takes so much
// altogether and the field does not, the answer is 422. Memory stays flat, and
// no file is left behind.
//
// Negative control: read the body of a post with files whole, by readBody with a
// limit of MaxUpload. Then memory rose with each post.
//
// Promise: P18, T7.
func TestHugeUpload(t *testing.T) {
	const size, field = 1 << 30, 10 << 20
	g := lab.Start(t, `
forms:
  apply: { fields: { cv: { type: file, accept: [pdf], max_size: 10MB } } }
  large: { max_upload: 2GB, fields: { cv: { type: file, accept: [pdf], max_size: 10MB } } }
`)
	post := func(form string, body *hugePost, length int64) int {
		t.Helper()
		return postHuge(t, g, form, body, length)
	}
	if status := post("apply", newHugePost(field/2), -1); status != http.StatusOK {
		t.Fatalf("a file of half the size: status %d", status)
	}
	before := resident(t, g)
	for name, length := range map[string]int64{"in chunks": -1, "of a known length": int64(len(hugeHead)+len(hugeTail)) + size} {
		body := newHugePost(size)
		if status := post("apply", body, length); status != http.StatusRequestEntityTooLarge || body.read > size/8 {
			t.Errorf("%s: status %d after %d MB", name, status, body.read>>20)
		}
	}
	if status := post("large", newHugePost(lab.Pick[int64](256<<20, size)), -1); status != http.StatusUnprocessableEntity {
		t.Errorf("a form that takes much: status %d", status)
	}
	grown := (resident(t, g) - before) >> 20
	limit := 16
	if lab.Race() {
		limit *= 4
	}
	if grown > limit {
		t.Errorf("memory rose by %d MB", grown)
	}
	kept, err := filepath.Glob(filepath.Join(g.Storage+".files", "fil_*"))
	if err != nil || len(kept) != 1 {
		t.Errorf("%d files are kept, want the one that was taken: %v", len(kept), err)
	}
	t.Logf("memory rose by %d MB", grown)
}
