package faults

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hookgate/test/lab"
)

// TestFlushBeforeAnswer reads a trace of the system calls: each answer with 202
// comes after its event was written to the log of the database and a flush of
// that log was over. So a power failure after the answer loses nothing, if the
// disk keeps what it has flushed.
//
// Negative control: synchronous=NORMAL, or an answer before the commit. Then the
// first answer came without a flush.
//
// Promise: P2.
func TestFlushBeforeAnswer(t *testing.T) {
	t.Parallel()
	g := lab.Start(t, `
sources:
  in: { type: webhook, token: `+token+`, dedupe: off }
`)
	flushedBefore(t, g, "HTTP/1.1 202", []string{"-wal>"}, func() int {
		return g.PostJSON(inPath, []byte(`{"a":1}`)).Status
	})
}

// TestFlushBeforeAnswer_upload is the same for a post with a file: the file, its
// name in the folder and the event are flushed before the answer.
//
// Negative control: Blob.Seal without Sync, or acceptUpload without Sync.
//
// Promise: P2.
func TestFlushBeforeAnswer_upload(t *testing.T) {
	t.Parallel()
	g := lab.Start(t, `
forms:
  apply: { fields: { cv: { type: file, accept: [pdf] } }, rate_limit: 1000/m }
`)
	body := "--B\r\nContent-Disposition: form-data; name=\"cv\"; filename=\"cv.pdf\"\r\n\r\n%PDF-1.7\r\n--B--\r\n"
	flushedBefore(t, g, "HTTP/1.1 200", []string{"-wal>", ".files/fil_", ".files>"}, func() int {
		return g.Do(http.MethodPost, "/f/apply", []byte(body), "Content-Type", "multipart/form-data; boundary=B", "Accept", "application/json").Status
	})
}

// flushedBefore posts some times and reads a trace of the system calls: between
// two answers each of the files was flushed, after the last time it was written.
// A file is known by a part of its path as strace writes it.
func flushedBefore(t *testing.T, g *lab.Gate, answer string, files []string, post func() int) {
	t.Helper()
	const posts = 20
	log := filepath.Join(g.Dir, "strace.log")
	attachTo(t, g, lab.Need(t, "strace"), "-f", "-y", "-s", "16", "-o", log, "-e", "trace=fsync,fdatasync,pwrite64,write,writev,sendto", "-e", "signal=none")
	for range posts {
		if status := post(); status != http.StatusAccepted && status != http.StatusOK {
			t.Fatalf("status %d", status)
		}
	}
	g.Stop()
	text, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	flushed, flushing, answers := map[string]bool{}, map[string]string{}, 0
	for line := range strings.Lines(string(text)) {
		thread, call, _ := strings.Cut(line, " ")
		call = strings.TrimSpace(call)
		if strings.Contains(call, answer) {
			answers++
			for _, file := range files {
				if !flushed[file] {
					t.Fatalf("answer %d came before a flush of %s", answers, file)
				}
			}
			flushed = map[string]bool{}
			continue
		}
		of := ""
		for _, file := range files {
			if strings.Contains(call, file) {
				of = file
			}
		}
		resumed := strings.Contains(call, "sync resumed>")
		if resumed {
			of = flushing[thread]
		}
		switch {
		case of == "":
		case strings.Contains(call, "sync(") && strings.Contains(call, "unfinished"):
			flushing[thread] = of
		case resumed, strings.Contains(call, "sync("):
			delete(flushing, thread)
			flushed[of] = strings.HasSuffix(call, "= 0")
		default: // written
			flushed[of] = false
		}
	}
	if answers != posts {
		t.Errorf("the trace has %d answers, want %d", answers, posts)
	}
}
