package broker

import (
	"errors"
	"net"
	"os"
	"testing"
	"time"
)

// A write that no attempt waits for, such as a heartbeat's, ends as well.
// Negative control: without the patience it waits for ever.
func TestImpatientConn(t *testing.T) {
	t.Parallel()
	ours, theirs := net.Pipe()
	defer theirs.Close()
	for range 2 { // one that failed does not spoil the next
		if _, err := (impatientConn{ours, 10 * time.Millisecond}).Write([]byte("x")); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("got %v", err)
		}
	}
}
