package api

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

// A file is sent for as long as its client takes some of it now and then, up to an end;
// to one that takes nothing any more it is broken off, so that its place is free. How long
// it takes to find the next part is not the client's.
//
// Negative control: the deadline set with the first part alone, or before the part is read.
func TestDownload(t *testing.T) {
	t.Parallel()
	const part = 4096
	for _, c := range []struct {
		name  string
		every time.Duration // a part is taken
		parts int           // that the file has
		taken int           // of them
		look  time.Duration // until a part is found
		ends  time.Duration // when it is broken off; 0: not at all
	}{
		{"a slow client", 90 * time.Second, 10, 10, 0, 0},
		{"what is hard to find", 0, 5, 5, stallTime + time.Minute, 0},
		{"a client that stalls", 30 * time.Second, 10, 3, 0, 90*time.Second + stallTime},
		{"a client that takes too long", 90 * time.Second, 100, 100, 0, downloadTime},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				server, client := net.Pipe()
				defer client.Close()
				gone := make(chan struct{})
				go func() {
					defer close(gone)
					for range c.taken {
						time.Sleep(c.every)
						if _, err := io.CopyN(io.Discard, client, part); err != nil {
							return
						}
					}
				}()
				begun := time.Now()
				file := &download{ReadCloser: io.NopCloser(late{bytes.NewReader(make([]byte, c.parts*part)), c.look}), conn: server}
				// A copy without the short cuts of io.Copy, as the server makes it.
				_, err := io.CopyBuffer(struct{ io.Writer }{server}, struct{ io.Reader }{file}, make([]byte, part))
				switch took := time.Since(begun); {
				case c.ends == 0 && err != nil:
					t.Errorf("broken off after %s: %v", took, err)
				case c.ends != 0 && !errors.Is(err, os.ErrDeadlineExceeded):
					t.Errorf("not broken off within %s: %v", took, err)
				case c.ends != 0 && took != c.ends:
					t.Errorf("broken off after %s, not %s", took, c.ends)
				}
				server.Close()
				<-gone
			})
		})
	}
}

// late finds what it reads after a while.
type late struct {
	io.Reader
	after time.Duration
}

func (l late) Read(p []byte) (int, error) {
	time.Sleep(l.after)
	return l.Reader.Read(p)
}
