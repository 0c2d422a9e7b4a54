package e2e

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hookgate/test/lab"
)

// pausedBody is a body of which the rest comes when the test wants it.
type pausedBody struct {
	first io.Reader
	rest  <-chan []byte
}

func (b *pausedBody) Read(p []byte) (int, error) {
	n, err := b.first.Read(p)
	if err == nil {
		return n, nil
	}
	rest, more := <-b.rest
	if !more {
		return 0, io.EOF
	}
	b.first = bytes.NewReader(rest)
	return b.first.Read(p)
}

// orphan puts a file into the folder that a process left three hours ago.
func orphan(t *testing.T, folder string) (path string) {
	t.Helper()
	path = filepath.Join(folder, "fil_"+strings.Repeat("0", 26))
	if err := os.WriteFile(path, []byte("left by a process that died"), 0o600); err != nil {
		t.Fatal(err)
	}
	long := time.Now().Add(-3 * time.Hour)
	if err := os.Chtimes(path, long, long); err != nil {
		t.Fatal(err)
	}
	return path
}

func awaitGone(t *testing.T, path string) {
	t.Helper()
	lab.Eventually(t, "what was left is removed", func() bool {
		_, err := os.Stat(path)
		return os.IsNotExist(err)
	})
}

// Files are in one folder for all: what one replica takes another exports. A
// replica that cleans up removes what a process that died has left, and nothing
// that another one is just taking. Without the age that orphans must have,
// cleaning up takes the file of the post that is still coming in.
func TestReplicas_files(t *testing.T) {
	t.Parallel()
	gates := replicas(t, 1, "forms:\n  apply: { fields: { cv: { type: file, accept: [txt] } } }\n")
	folder := gates[0].Files
	awaitGone(t, orphan(t, folder)) // the first has cleaned up, and will not do so soon
	const head, tail = "--b\r\nContent-Disposition: form-data; name=\"cv\"; filename=\"cv.txt\"\r\nContent-Type: text/plain\r\n\r\n", "\r\n--b--\r\n"
	first, second := strings.Repeat("one line of the file\n", 8000), strings.Repeat("and the other half\n", 1000)

	rest := make(chan []byte, 1)
	body := &pausedBody{first: strings.NewReader(head + first), rest: rest}
	type answer struct {
		status int
		text   string
		err    error
	}
	answered := make(chan answer, 1)
	ctx, cancel := context.WithTimeout(t.Context(), 3*lab.Patience)
	defer cancel()
	go func() {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, gates[0].URL+"/f/apply", body)
		if err != nil {
			answered <- answer{err: err}
			return
		}
		req.ContentLength = int64(len(head) + len(first) + len(second) + len(tail))
		req.Header.Set("Content-Type", "multipart/form-data; boundary=b")
		req.Header.Set("Accept", "application/json")
		res, err := lab.NewClient().Do(req)
		if err != nil {
			answered <- answer{err: err}
			return
		}
		defer res.Body.Close()
		text, err := io.ReadAll(res.Body)
		answered <- answer{res.StatusCode, string(text), err}
	}()
	var coming string
	lab.Eventually(t, "the file is being written", func() bool {
		list, err := filepath.Glob(filepath.Join(folder, "fil_*"))
		if err != nil || len(list) == 0 {
			return false
		}
		coming = list[0]
		return true
	})
	left := orphan(t, folder)
	other := lab.New(t, "forms:\n  apply: { fields: { cv: { type: file, accept: [txt] } } }\n")
	other.Database, other.Files = gates[0].Database, folder
	other.Start()
	awaitGone(t, left)
	lab.Eventually(t, "the other replica has cleaned up", func() bool { return strings.Contains(other.Stderr(), "files without an event removed") })
	if _, err := os.Stat(coming); err != nil {
		t.Errorf("the file of a post that comes in is gone: %v", err)
	}
	rest <- []byte(second + tail)
	close(rest)
	if got := <-answered; got.err != nil || got.status != http.StatusOK {
		t.Fatalf("the post: %+v", got)
	}
	out := t.TempDir()
	other.MustCLI("forms", "export", "apply", "--with-files", out)
	var files []string
	err := filepath.WalkDir(out, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			files = append(files, path)
		}
		return err
	})
	if err != nil || len(files) != 1 {
		t.Fatalf("exported %v, %v, want the file", files, err)
	}
	if content, err := os.ReadFile(files[0]); err != nil || string(content) != first+second {
		t.Errorf("%d bytes, %v, want the %d of the file", len(content), err, len(first+second))
	}
}
